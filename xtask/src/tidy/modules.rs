//! No file is forgotten: each is declared by its parent, and each plug-in is on its kind's list.
//!
//! A file that no `mod` names is not compiled, and nothing else would say so.

use super::code::blank;
use super::{File, Finding};
use std::collections::BTreeMap;

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let code: BTreeMap<&str, String> = files
        .iter()
        .filter(|file| file.is_rust())
        .map(|file| (file.path.as_str(), blank(&file.text)))
        .collect();
    let mut findings = orphans(&code);
    findings.extend(unlisted(&code));
    findings
}

fn orphans(code: &BTreeMap<&str, String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in code.keys().filter(|path| path.contains("/src/") && !is_root(path)) {
        let (folder, stem) = split(path);
        let parents = [format!("{folder}.rs"), format!("{folder}/lib.rs"), format!("{folder}/main.rs")];
        let declares = |parent: &String| code.get(parent.as_str()).is_some_and(|text| has_word(text, stem));
        if !parents.iter().any(declares) {
            let text = format!("no parent declares `mod {stem}`, so this file is never compiled");
            findings.push(Finding::error(path, 1, &text));
        }
    }
    findings
}

/// In a folder of plug-ins (two files or more export `PLUGIN`) every file is one and is on the list.
fn unlisted(code: &BTreeMap<&str, String>) -> Vec<Finding> {
    let mut folders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in code.keys().filter(|path| exports_plugin(&code[*path])) {
        folders.entry(split(path).0).or_default().push(path);
    }
    let mut findings = Vec::new();
    for (folder, plugins) in folders.into_iter().filter(|(_, plugins)| plugins.len() >= 2) {
        let list = code.get(format!("{folder}.rs").as_str()).map(String::as_str).unwrap_or_default();
        let files = code.keys().filter(|path| split(path).0 == folder && split(path).1 != "tests");
        for path in files {
            let stem = split(path).1;
            let listed = list.contains(&format!("{stem}::PLUGIN"))
                || (list.contains("registry!") && has_word(list, stem));
            if !plugins.contains(path) {
                findings.push(Finding::error(
                    path,
                    1,
                    "every file in this folder is a plug-in, and this exports no PLUGIN",
                ));
            } else if !listed {
                findings.push(Finding::error(path, 1, &format!("add {stem} to the list in {folder}.rs")));
            }
        }
    }
    findings
}

fn exports_plugin(code: &str) -> bool {
    ["const PLUGIN:", "static PLUGIN:"].iter().any(|text| code.contains(text))
}

fn is_root(path: &str) -> bool {
    ["/lib.rs", "/main.rs", "/build.rs"].iter().any(|name| path.ends_with(name)) || path.contains("/src/bin/")
}

/// Folder and name without the ending.
fn split(path: &str) -> (&str, &str) {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    (folder, name.trim_end_matches(".rs"))
}

fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(is_part)
            && !text[at + word.len()..].chars().next().is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn file_that_no_parent_declares_is_an_orphan() {
        let files = [
            file("c/src/lib.rs", "pub mod used;\n// mod lost;\n"),
            file("c/src/used.rs", "mod deep;"),
            file("c/src/used/deep.rs", ""),
            file("c/src/lost.rs", ""),
            file("c/src/bin/tool.rs", ""),
        ];
        let findings = check(&files);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].text.starts_with("c/src/lost.rs:1:"), "{findings:?}");
    }

    #[test]
    fn plugin_that_is_not_on_its_list_is_named() {
        let plugin = "pub const PLUGIN: Fault = Fault {};";
        let files = [
            file("c/src/lib.rs", "mod faults;"),
            file(
                "c/src/faults.rs",
                "mod cut; mod stall; mod slow;\nconst ALL: &[Fault] = &[cut::PLUGIN, slow::PLUGIN];",
            ),
            file("c/src/faults/cut.rs", plugin),
            file("c/src/faults/slow.rs", plugin),
            file("c/src/faults/stall.rs", plugin),
        ];
        let findings = check(&files);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].text.contains("add stall to the list"), "{findings:?}");
    }
}
