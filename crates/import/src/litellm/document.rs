//! The new configuration as a text, and the list of what is not in it.

use super::{Reading, advice};
use crate::Imported;
use crate::toml_text::Table;

/// The sections in the order in which they are written.
const ORDER: [&str; 7] = ["server", "defaults", "providers.", "routes.", "keys.", "store", "catalog"];

impl Reading<'_> {
    /// Everything, written.
    pub(super) fn document(mut self, mut tables: Vec<Table>, overlay: Option<String>) -> Imported {
        tables.extend(self.catalog_table());
        let place = |table: &Table| ORDER.iter().position(|start| table.heading.starts_with(start));
        tables.sort_by_key(|table| place(table).unwrap_or(ORDER.len()));
        self.environment();
        let origin: String =
            self.input.origin.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
        let mut config =
            format!("# Imported from LiteLLM's {origin}; the lines in comments are lines of that file.\n");
        let variables: Vec<String> = self.needed.iter().cloned().collect();
        if !variables.is_empty() {
            config += "# It reads these environment variables:\n";
            variables.iter().for_each(|name| config += &format!("#   {}\n", name.escape_default()));
        }
        for table in &tables {
            config.push('\n');
            table.write(&mut config);
        }
        let left = self.account.finish(self.root, &advice::advice);
        Imported { config, overlay, left, variables }
    }

    /// Variables of the file that the new configuration reads must be set elsewhere.
    fn environment(&mut self) {
        let Some(own) = self.root.get("environment_variables") else { return };
        for entry in own.entries().iter().filter(|entry| self.needed.contains(&*entry.key)) {
            let place = format!("environment_variables.{}", entry.key);
            let reason = "our configuration sets no variables, and reads this one";
            self.account.leave(&entry.value, &place, reason, "set it where the gateway is started");
        }
    }
}
