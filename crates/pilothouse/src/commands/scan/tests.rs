//! Tests of the arguments, and of the table of rules in the book.

use std::path::Path;

use clap::Parser;
use pilothouse_migrate::scan::finding::Rule;
use pilothouse_migrate::scan::judge::interfaces;
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
    block("rules", &table);
}

#[test]
fn the_table_of_interfaces_in_the_docs_is_the_list_of_interfaces() {
    let mut table = "| code | what | shut on | what helps |\n| --- | --- | --- | --- |\n".to_owned();
    for one in interfaces::all() {
        let code = Rule::Interface(&one.id).code();
        let shut = one.shut.as_deref().unwrap_or("no day is known");
        table += &format!("| `{code}` | [{}]({}) | {shut} | {} |\n", one.title, one.source, one.next);
    }
    block("interfaces", &table);
}

fn block(name: &str, table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/scan.md");
    let page = fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- {name}:begin -->\n"), format!("<!-- {name}:end -->"));
    let (head, rest) = page.split_once(&begin).unwrap();
    let (found, tail) = rest.split_once(&end).unwrap();
    if found != table && std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, format!("{head}{begin}{table}{end}{tail}")).unwrap();
        return;
    }
    assert_eq!(found, table, "{name} differ; `cargo xtask golden -p pilothouse` writes them anew");
}
