//! What a value gives: itself, or the name of an environment variable; and secrets, which are never repeated.

use std::collections::BTreeMap;

use pilothouse_catalog::Vendor;

use super::Reading;
use crate::yaml::{Node, Value};

/// How LiteLLM refers to a variable (<https://docs.litellm.ai/docs/proxy/configs>, read 2026-11-23).
const REFERENCE: &str = "os.environ/";

/// Words that stand where a key must, and are none.
const NO_KEY: [&str; 9] =
    ["", "none", "null", "empty", "dummy", "fake", "fake-key", "not-needed", "no-key-required"];

/// Variables that stand for literal secrets.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    /// The variable of a purpose and a secret.
    names: BTreeMap<(String, String), String>,
    /// How many variables a purpose has.
    counts: BTreeMap<String, usize>,
}

impl Secrets {
    /// Keeps the variables that a document refers to for what they hold.
    pub(super) fn reserve(&mut self, node: &Node) {
        match &node.value {
            Value::Text(text) => {
                if let Some(name) = reference(text) {
                    self.counts.insert(name.to_owned(), 1);
                }
            }
            Value::List(members) => members.iter().for_each(|member| self.reserve(member)),
            Value::Map(entries) => entries.iter().for_each(|entry| self.reserve(&entry.value)),
            _ => {}
        }
    }

    /// The variable that is to hold a secret: the purpose's own, or with a number behind it.
    fn variable(&mut self, purpose: &str, secret: &str) -> String {
        let counts = &mut self.counts;
        let made = || {
            let count = counts.entry(purpose.to_owned()).or_default();
            *count += 1;
            if *count == 1 { purpose.to_owned() } else { format!("{purpose}_{count}") }
        };
        self.names.entry((purpose.to_owned(), secret.to_owned())).or_insert_with(made).clone()
    }
}

/// The variable that a text refers to.
pub(super) fn reference(text: &str) -> Option<&str> {
    text.strip_prefix(REFERENCE).filter(|name| !name.is_empty())
}

/// Whether a text stands where a key must, and is none.
pub(super) fn is_no_key(text: &str) -> bool {
    NO_KEY.contains(&text.to_ascii_lowercase().as_str())
}

/// The variable that a vendor's key usually stands in.
pub(super) fn key_variable(vendor: Option<&Vendor>, name: &str) -> String {
    vendor.and_then(|vendor| vendor.key_env.first()).cloned().unwrap_or_else(|| {
        let plain = |sign: char| if sign.is_ascii_alphanumeric() { sign.to_ascii_uppercase() } else { '_' };
        let name: String = name.chars().map(plain).collect();
        format!("{name}_API_KEY")
    })
}

impl Reading<'_> {
    /// A secret as a reference of ours, quoted by the caller. A literal one becomes a variable named for its `purpose`,
    /// and is told.
    pub(super) fn secret(&mut self, node: &Node, key: &str, purpose: &str) -> Option<String> {
        let text = node.text()?;
        if let Some(name) = reference(text) {
            self.account.take(node);
            self.needed.insert(name.to_owned());
            return Some(format!("env:{name}"));
        }
        let variable = self.secrets.variable(purpose, text);
        self.needed.insert(variable.clone());
        self.account.partly(
            node,
            key,
            "a secret that stands in the file is not repeated",
            &format!("put it into the environment as {variable}, or into a file (file:PATH)"),
        );
        Some(format!("env:{variable}"))
    }

    /// A value that must be written out: a reference is looked up in the file's own variables, then in the environment of
    /// whoever imports.
    pub(super) fn written(&mut self, node: &Node) -> Result<String, String> {
        let text = node.text().unwrap_or_default();
        let Some(name) = reference(text) else { return Ok(text.trim().to_owned()) };
        let own = self.root.get("environment_variables").and_then(|own| own.get(name));
        if let Some(own) = own.filter(|own| matches!(own.value, Value::Text(_) | Value::Number(_))) {
            self.account.take(own);
            return Ok(own.text().unwrap_or_default().to_owned());
        }
        (self.input.variables)(name).filter(|value| !value.trim().is_empty()).ok_or_else(|| name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_secrets_share_a_variable_and_others_do_not() {
        let mut secrets = Secrets::default();
        assert_eq!(secrets.variable("A", "one"), "A");
        assert_eq!(secrets.variable("A", "two"), "A_2");
        assert_eq!(secrets.variable("A", "one"), "A");
        assert_eq!(secrets.variable("B", "one"), "B");
    }

    #[test]
    fn references_and_missing_keys_are_told_from_keys() {
        assert_eq!(reference("os.environ/KEY"), Some("KEY"));
        assert_eq!(reference("os.environ/"), None);
        assert!(is_no_key("None") && !is_no_key("sk-1"));
    }
}
