//! The model that traffic is to go to, with the rules of each dialect that it is called in.

use std::collections::HashSet;
use std::fmt;

use pilothouse_catalog::compat::{About, Compat};
use pilothouse_catalog::{Catalog, Model, Surface, Vendor};
use pilothouse_core::dialect::Dialect;

/// A model at a vendor, ready to be asked about.
#[derive(Clone, Debug)]
pub struct Target {
    vendor: Vendor,
    wire_id: String,
    model: Option<Model>,
    /// The dialects that it is called in, the preferred first, with their rules.
    spoken: Vec<(Dialect, Compat)>,
}

/// A name that leads to no model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTarget {
    /// As it was written.
    pub name: String,
    /// Names that look like it.
    pub near: Vec<String>,
}

impl fmt::Display for UnknownTarget {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "`{}` is no model that the catalogue knows; write vendor/model, as `pilothouse models` lists them",
            self.name
        )?;
        if self.near.is_empty() { Ok(()) } else { write!(out, " (near: {})", self.near.join(", ")) }
    }
}

impl std::error::Error for UnknownTarget {}

impl Target {
    /// The target of that name: `vendor/model`, or a model's own name, which means its maker.
    ///
    /// # Errors
    /// [`UnknownTarget`] where no vendor of the catalogue has it.
    pub fn find(catalog: &Catalog, name: &str) -> Result<Self, UnknownTarget> {
        let (vendor, model) = match name.split_once('/') {
            Some((vendor, model)) if catalog.vendor(vendor).is_some() => (catalog.vendor(vendor), model),
            _ => {
                let maker = catalog.native_platform(name);
                let vendors = catalog.vendors().iter();
                (vendors.clone().find(|vendor| Some(vendor.platform.as_str()) == maker), name)
            }
        };
        let known = vendor.and_then(|vendor| catalog.model(&vendor.platform, model));
        let unknown = || {
            let ids: Vec<String> = catalog.models().map(|model| model.id().to_owned()).collect();
            UnknownTarget {
                name: name.to_owned(),
                near: catalog.nearest(model, &mut ids.iter().map(String::as_str), 3),
            }
        };
        match (vendor, known) {
            (Some(vendor), Some(known)) => Ok(Self::of(vendor, model, Some(known))),
            _ => Err(unknown()),
        }
    }

    fn of(vendor: &Vendor, wire_id: &str, model: Option<Model>) -> Self {
        let about = About {
            vendor: &vendor.name,
            quirks: &vendor.quirks,
            model: wire_id,
            output_tokens_max: model.as_ref().and_then(Model::output_tokens_max),
            known: model.as_ref(),
        };
        let mut spoken: Vec<(Dialect, Compat)> = Vec::new();
        // A surface that names models serves these alone; the others serve what nobody names.
        let is_named = vendor.surfaces.iter().any(|surface| surface.names(wire_id));
        let serves =
            |surface: &&Surface| if is_named { surface.names(wire_id) } else { surface.serves.is_empty() };
        for surface in vendor.surfaces.iter().filter(serves) {
            if let Some(dialect) = Dialect::parse(&surface.dialect)
                && dialect != Dialect::OpenaiEmbeddings
                && spoken.iter().all(|(known, _)| *known != dialect)
            {
                spoken.push((dialect, Compat::of(&about, dialect)));
            }
        }
        Self { vendor: vendor.clone(), wire_id: wire_id.to_owned(), model, spoken }
    }

    /// The same, called in that dialect alone, as a provider is whose configuration names one; `None` where the vendor does
    /// not speak it.
    #[must_use]
    pub fn speaking(mut self, dialect: Dialect) -> Option<Self> {
        self.spoken.retain(|(spoken, _)| *spoken == dialect);
        (!self.spoken.is_empty()).then_some(self)
    }

    /// `vendor/model`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.vendor.name, self.wire_id)
    }

    /// The model's id on the wire.
    #[must_use]
    pub fn wire_id(&self) -> &str {
        &self.wire_id
    }

    /// What the catalogue knows of it.
    #[must_use]
    pub const fn model(&self) -> Option<&Model> {
        self.model.as_ref()
    }

    /// The vendor.
    #[must_use]
    pub const fn vendor(&self) -> &Vendor {
        &self.vendor
    }

    /// Whether a recorded target is this one.
    #[must_use]
    pub fn is(&self, vendor: &str, model: &str) -> bool {
        model == self.wire_id && vendor == self.vendor.name
    }

    /// The names of the rules that hold for it, of all its dialects.
    pub(super) fn rule_ids(&self) -> HashSet<&'static str> {
        self.spoken.iter().flat_map(|(_, compat)| compat.rules()).map(|rule| rule.id.as_str()).collect()
    }

    /// The dialect that a client's request is sent in: its own where the vendor speaks it, else the vendor's first.
    #[must_use]
    pub fn dialect_for(&self, client: Dialect) -> Option<(Dialect, &Compat)> {
        let own = self.spoken.iter().find(|(dialect, _)| *dialect == client);
        own.or_else(|| self.spoken.first()).map(|(dialect, compat)| (*dialect, compat))
    }
}
