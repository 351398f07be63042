//! The table of surfaces, `data/surfaces.toml`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use pilothouse_core::dialect::Dialect;
use serde::Deserialize;

use super::spelling::Pattern;

const TEXT: &str = include_str!("../../../../data/surfaces.toml");

/// How names that a style does not list are written on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Case {
    /// `max_tokens`.
    #[default]
    Snake,
    /// `maxTokens`.
    Camel,
    /// As they stand in the source.
    Raw,
}

/// How arguments become members of the wire format. Names are compared in small letters with underscores.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Style {
    /// Its name in the table.
    pub name: String,
    /// The style that it differs from in what it lists itself.
    #[serde(default)]
    pub like: Option<String>,
    /// How names that are not listed are written.
    #[serde(default)]
    pub case: Case,
    /// Whether names that are not listed do not reach the wire.
    #[serde(default)]
    pub only: bool,
    /// Where arguments stand on the wire; empty for what does not reach the body.
    #[serde(default)]
    pub members: BTreeMap<String, String>,
    /// The same for names below the top.
    #[serde(default)]
    pub below: BTreeMap<String, String>,
    /// Arguments whose members stand beside the others.
    #[serde(default)]
    pub flatten: Vec<String>,
    /// Members whose own members are sent as they are written.
    #[serde(default)]
    pub raw: Vec<String>,
    /// What positional arguments are, in their order; empty for those that do not count.
    #[serde(default)]
    pub positional: Vec<String>,
}

/// Who makes clients of a vendor.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// The vendor's name in the catalogue.
    pub vendor: String,
    /// Roots of imports.
    pub imports: Vec<String>,
    /// What makes a client.
    made_by: Vec<String>,
    /// Whether its address is always the customer's own.
    #[serde(default)]
    pub own_address: bool,
    /// What makes a client, ready to be compared.
    #[serde(skip)]
    pub makers: Vec<Pattern>,
}

/// One way in which requests are written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Surface {
    /// For people: the SDK or library.
    pub name: String,
    callees: Vec<String>,
    /// Vendors whose SDKs are built alike.
    #[serde(default)]
    pub like: Vec<String>,
    /// The vendor, where the surface is that vendor's only.
    #[serde(default)]
    pub vendor: Option<String>,
    /// Whether the model's maker decides who is called.
    #[serde(default)]
    pub by_model: bool,
    /// Imports without which the words are somebody else's.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Names of styles, by dialect.
    style: BTreeMap<String, String>,
    /// Whether nothing but the arguments reaches the wire.
    #[serde(default)]
    pub whole: bool,
    /// Whether what made the receiver takes arguments of the request too (`GenerativeModel("…", generation_config=…)`).
    #[serde(default)]
    pub with_receiver: bool,
    /// Rules that the library obeys by itself.
    #[serde(default)]
    pub adapts: Vec<String>,
    /// What is called, ready to be compared.
    #[serde(skip)]
    pub patterns: Vec<Pattern>,
    /// The styles, by dialect.
    #[serde(skip)]
    pub styles: Vec<(Dialect, Style)>,
}

impl Surface {
    /// The style for a dialect.
    #[must_use]
    pub fn style(&self, dialect: Dialect) -> Option<&Style> {
        self.styles.iter().find(|(known, _)| *known == dialect).map(|(_, style)| style)
    }

    /// How many words of a callee it names; `None` where it does not fit.
    #[must_use]
    pub fn fit(&self, callee: &[String]) -> Option<usize> {
        self.patterns.iter().filter(|pattern| pattern.fits(callee)).map(Pattern::len).max()
    }
}

/// What the path of an address tells.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// Its end.
    pub ends: String,
    /// The dialect that is spoken there.
    pub dialect: Dialect,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Adapting {
    vendors: Vec<String>,
}

/// The whole table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The day on which it was read.
    pub as_of: String,
    /// Where it was read.
    pub sources: Vec<String>,
    #[serde(rename = "style")]
    styles: Vec<Style>,
    /// Who makes clients.
    #[serde(rename = "client")]
    pub clients: Vec<Client>,
    /// Ways in which requests are written.
    #[serde(rename = "surface")]
    pub surfaces: Vec<Surface>,
    /// What addresses tell.
    #[serde(rename = "path")]
    pub paths: Vec<Ending>,
    adapting: Adapting,
}

impl Table {
    /// The style of that name.
    #[must_use]
    pub fn style(&self, name: &str) -> Option<&Style> {
        self.styles.iter().find(|style| style.name == name)
    }

    /// Whether a vendor leaves out what a model does not take.
    #[must_use]
    pub fn is_adapting(&self, vendor: &str) -> bool {
        self.adapting.vendors.iter().any(|one| one == vendor)
    }
}

/// Reads a table.
///
/// # Errors
/// What is wrong, with line and column; or the style or dialect that nobody knows.
pub fn parse(text: &str) -> Result<Table, String> {
    let mut table: Table = toml::from_str(text).map_err(|error| error.to_string())?;
    for at in 0..table.styles.len() {
        let Some(like) = table.styles[at].like.clone() else { continue };
        let base = table.style(&like).cloned().ok_or_else(|| format!("no style is called `{like}`"))?;
        table.styles[at].differ_from(base);
    }
    for client in &mut table.clients {
        client.makers = client.made_by.iter().map(|text| Pattern::of(text)).collect();
    }
    let styles = table.styles.clone();
    for surface in &mut table.surfaces {
        surface.patterns = surface.callees.iter().map(|text| Pattern::of(text)).collect();
        for (dialect, style) in &surface.style {
            let known = Dialect::parse(dialect).ok_or_else(|| format!("`{dialect}` is not a dialect"))?;
            let style = styles.iter().find(|one| one.name == *style);
            let style = style.ok_or_else(|| format!("`{}` names a style that is not there", surface.name))?;
            surface.styles.push((known, style.clone()));
        }
    }
    Ok(table)
}

impl Style {
    /// Takes everything from `base` that it does not say itself.
    fn differ_from(&mut self, base: Self) {
        self.case = base.case;
        self.only |= base.only;
        for (name, wire) in base.members {
            self.members.entry(name).or_insert(wire);
        }
        if self.flatten.is_empty() {
            self.flatten = base.flatten;
        }
        if self.raw.is_empty() {
            self.raw = base.raw;
        }
        if self.positional.is_empty() {
            self.positional = base.positional;
        }
    }
}

/// The bundled table. Parsed once, at first use; a test holds that the file parses.
#[must_use]
pub fn table() -> &'static Table {
    static PARSED: OnceLock<Table> = OnceLock::new();
    PARSED.get_or_init(|| {
        parse(TEXT).unwrap_or_else(|_| Table {
            as_of: String::new(),
            sources: Vec::new(),
            styles: Vec::new(),
            clients: Vec::new(),
            surfaces: Vec::new(),
            paths: Vec::new(),
            adapting: Adapting { vendors: Vec::new() },
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_table_parses_and_names_what_the_catalogue_knows() {
        let table = parse(TEXT).unwrap();
        let catalog = pilothouse_catalog::Catalog::bundled();
        let vendors = catalog.vendors();
        let known = |name: &str| vendors.iter().any(|vendor| vendor.name == name);
        for client in &table.clients {
            assert!(known(&client.vendor), "{}", client.vendor);
            assert!(client.makers.iter().all(|maker| !maker.is_empty()), "{}", client.vendor);
        }
        for surface in &table.surfaces {
            assert!(surface.vendor.iter().chain(&surface.like).all(|name| known(name)), "{}", surface.name);
            assert!(!surface.styles.is_empty(), "{}", surface.name);
            assert!(surface.patterns.iter().all(|pattern| !pattern.is_empty()), "{}", surface.name);
        }
        assert!(table.sources.iter().all(|source| source.starts_with("https://")));
    }

    #[test]
    fn a_style_takes_from_another_what_it_does_not_say() {
        let style = table().style("gemini-call").unwrap();
        assert_eq!(style.case, Case::Camel);
        assert_eq!(style.members["temperature"], "generationConfig.temperature");
        assert_eq!(style.positional, ["model", "contents"]);
    }

    #[test]
    fn a_table_that_names_what_is_not_there_is_refused() {
        let wrong =
            TEXT.replace("style = { openai-responses = \"openai-responses\" }", "style = { morse = \"x\" }");
        assert!(parse(&wrong).unwrap_err().contains("morse"));
        let wrong = TEXT.replace("like = \"gemini-generate\"", "like = \"nothing\"");
        assert!(parse(&wrong).unwrap_err().contains("nothing"));
    }
}
