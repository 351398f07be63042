//! A section of the configuration while its provider is made: what it gives, and what stands in for what it leaves open.

use pilothouse_catalog::Vendor;

use crate::config::{self, Diagnostic};
use crate::plan::build::Environment;

/// A section while its provider is made.
pub(super) struct Section<'a> {
    /// Its name.
    pub(super) name: &'a toml::Spanned<String>,
    /// What it says.
    pub(super) given: &'a config::Provider,
    /// The catalogue's row of its vendor.
    pub(super) vendor: Option<&'a Vendor>,
    /// What it may refer to.
    pub(super) environment: &'a Environment,
    /// The project of its key file.
    pub(super) project: Option<String>,
}

impl Section<'_> {
    /// What is wrong with the section as a whole.
    pub(super) fn wrong(&self, message: String) -> Diagnostic {
        Diagnostic::at(self.name.span(), message)
    }

    /// The value of a placeholder: the section's, else that of the environment, else of the key file.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        let given = self.given.params.get(name).map(String::as_str);
        let names = self.vendor.and_then(|vendor| vendor.param_env.get(name));
        let from_environment = || names.into_iter().flatten().find_map(|name| self.environment.get(name));
        given.or_else(from_environment).or_else(|| self.project.as_deref().filter(|_| name == "project"))
    }

    /// The region, where AWS's own host names it and nothing else does.
    pub(super) fn aws_region(&self, host: &str) -> Option<String> {
        let told = self.param("region").or_else(|| self.environment.get("AWS_REGION"));
        let told = told.or_else(|| self.environment.get("AWS_DEFAULT_REGION")).map(str::to_owned);
        told.or_else(|| {
            let rest = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".api.aws"))?;
            rest.rsplit_once('.').map(|(_, region)| region.to_owned())
        })
    }

    /// Puts what the section knows into an address. `None`, and why, where something is missing.
    pub(super) fn fill(&self, address: &str, wrong: &mut Vec<Diagnostic>) -> Option<String> {
        let mut filled = address.to_owned();
        if filled.contains("{host}") {
            filled = filled.replace("{host}", &self.host());
        }
        while let Some((before, rest)) = filled.split_once('{') {
            let Some((name, behind)) = rest.split_once('}') else { break };
            let Some(value) = self.param(name) else {
                wrong.push(self.missing(name));
                return None;
            };
            if value.is_empty() || !value.bytes().all(is_plain) {
                let message =
                    format!("`{value}` cannot be the {name} in an address: give letters, digits and dashes");
                wrong.push(self.wrong(message));
                return None;
            }
            filled = format!("{before}{value}{behind}");
        }
        Some(filled)
    }

    /// What `{host}` stands for: the user's own, the region's own, or the vendor's rule.
    fn host(&self) -> String {
        let Some(vendor) = self.vendor else { return "{host}".to_owned() };
        let own = self.given.params.get("host");
        let of_region = self.param("region").and_then(|region| vendor.hosts.get(region));
        own.or(of_region).or(vendor.host.as_ref()).cloned().unwrap_or_default()
    }

    fn missing(&self, name: &str) -> Diagnostic {
        let names = self.vendor.and_then(|vendor| vendor.param_env.get(name));
        let or = match names.and_then(|names| names.first()) {
            Some(variable) => format!(", or set {variable}"),
            None => String::new(),
        };
        self.wrong(format!(
            "the address of `{}` needs its {name}: give params = {{ {name} = \"…\" }}{or}",
            self.name.get_ref()
        ))
    }
}

/// Whether a byte of a region, project or resource may stand in an address.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':')
}
