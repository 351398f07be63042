//! Tests of the arguments, and of the table of rules in the book.

use std::path::Path;

use clap::Parser;
use pilothouse_migrate::scan::report::rules::FIXED;

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    scan: Scan,
}

fn parsed(arguments: &[&str]) -> Result<Scan, clap::Error> {
    Line::try_parse_from([&["scan"], arguments].concat()).map(|line| line.scan)
}

#[test]
fn wrong_usage_is_refused_with_what_to_write() {
    for (arguments, says) in [
        (&["--format", "xml"][..], "use one of table, json, sarif, github, markdown"),
        (&["--today", "tomorrow"], "YYYY-MM-DD"),
        (&["--fail-within", "soon"], "90d or 12w"),
        (&["--dry-run"], "--fix"),
        (&["--write-baseline"], "--baseline"),
        (&["--json", "--format", "sarif"], "cannot be used with"),
        (&["--fix", "--dry-run", "--json"], "cannot be used with"),
    ] {
        let refusal = parsed(arguments).unwrap_err();
        assert!(refusal.to_string().contains(says), "{refusal}");
        assert_eq!(refusal.exit_code(), 2);
    }
}

#[test]
fn a_path_that_is_not_there_is_refused_before_anything_is_read() {
    let scan = parsed(&["no/such/place"]).unwrap();
    let refusal = scan.run(&mut Vec::new(), &mut Vec::new(), UnixMs(0)).unwrap_err().to_string();
    assert!(refusal.contains("no/such/place") && refusal.contains("name what to scan"), "{refusal}");
}

#[test]
fn the_table_of_rules_in_the_docs_is_the_list_of_rules() {
    let mut table = "| code | what | what helps |\n| --- | --- | --- |\n".to_owned();
    for rule in FIXED {
        let code = rule.code();
        let anchor = code.to_ascii_lowercase();
        table += &format!("| <a id=\"{anchor}\"></a>`{code}` | {} | {} |\n", rule.title(), rule.help());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/scan.md");
    let page = fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once("<!-- rules:begin -->\n").unwrap();
    let (found, tail) = rest.split_once("<!-- rules:end -->").unwrap();
    if found != table && std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, format!("{head}<!-- rules:begin -->\n{table}<!-- rules:end -->{tail}")).unwrap();
        return;
    }
    assert_eq!(found, table, "the table differs; `cargo xtask golden -p pilothouse` writes it anew");
}
