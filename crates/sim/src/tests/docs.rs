//! The tables in the documentation are made from the lists that the code uses.
//!
//! `UPDATE_GOLDEN=1 cargo test -p pilothouse-sim` writes them anew.

use crate::{STEERING, faults};
use std::path::Path;

/// The part of a page between its markers is this table.
fn assert_table(page: &str, marker: &str, table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src").join(page);
    let text = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- {marker}:begin -->\n"), format!("<!-- {marker}:end -->\n"));
    let (head, rest) = text.split_once(&begin).unwrap();
    let (found, tail) = rest.split_once(&end).unwrap();
    if found != table && std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, format!("{head}{begin}{table}{end}{tail}")).unwrap();
        return;
    }
    assert_eq!(found, table, "{page} differs from the list; UPDATE_GOLDEN=1 writes it anew");
}

#[test]
fn the_fault_table_in_the_docs_is_the_list_of_faults() {
    let mut table = "| model name | example | what the client sees |\n| --- | --- | --- |\n".to_owned();
    for row in faults() {
        table += &format!("| `{}` | `{}` | {} |\n", row.pattern, row.example, row.effect);
    }
    assert_table("faults.md", "faults", &table);
}

#[test]
fn the_steering_table_in_the_docs_is_the_list_of_words() {
    let mut table = "| word | effect |\n| --- | --- |\n".to_owned();
    for row in STEERING {
        table += &format!("| `{}` | {} |\n", row.word, row.effect);
    }
    assert_table("sim.md", "steering", &table);
}
