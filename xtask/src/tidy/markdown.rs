//! Documents hold together: links lead somewhere, the book lists its pages, printed examples are those that run.

use super::{File, Finding};
use std::collections::BTreeSet;

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = broken_links(files);
    findings.extend(unlisted_pages(files));
    findings.extend(examples(files));
    findings
}

/// Links to files and headings inside the repository that do not exist.
pub(crate) fn broken_links(files: &[File]) -> Vec<Finding> {
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| is_document(file)) {
        for (line, target) in links(&file.text) {
            if let Some(problem) = problem_of(files, &paths, &file.path, &target) {
                findings.push(Finding::error(
                    &file.path,
                    line,
                    &format!("the link to {target} leads nowhere: {problem}"),
                ));
            }
        }
    }
    findings
}

fn is_document(file: &File) -> bool {
    file.path.ends_with(".md") && !file.is_data()
}

fn problem_of(files: &[File], paths: &BTreeSet<&str>, from: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() { from.to_owned() } else { resolve(from, path) };
    let is_folder =
        || paths.iter().any(|known| known.starts_with(&format!("{}/", path.trim_end_matches('/'))));
    if !paths.contains(path.as_str()) {
        return (!is_folder()).then(|| format!("there is no {path}"));
    }
    let file = files.iter().find(|file| file.path == path)?;
    let known = headings(&file.text).iter().any(|known| known == heading);
    (!heading.is_empty() && !known).then(|| format!("{path} has no heading #{heading}"))
}

/// A path relative to a file, from the root.
fn resolve(from: &str, path: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Targets of `[text](target)` outside of code, with their line.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        fenced ^= line.trim_start().starts_with("```");
        if fenced {
            continue;
        }
        // Every second part between backticks is code.
        for part in line.split('`').step_by(2) {
            let targets = part.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
            found.extend(targets.map(|target| (index + 1, target.to_owned())));
        }
    }
    found
}

/// Anchors as GitHub and mdBook make them: lower case, letters, digits, `-` and `_`; blanks become `-`.
fn headings(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        let Some(title) = line.strip_prefix('#').filter(|_| !fenced) else { continue };
        let title = title.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '));
        found.push(kept.map(|c| if c == ' ' { '-' } else { c }).collect());
    }
    found
}

/// Pages of the book that its summary does not list, so that nobody finds them.
fn unlisted_pages(files: &[File]) -> Vec<Finding> {
    let Some(summary) = files.iter().find(|file| file.path == "docs/src/SUMMARY.md") else {
        return Vec::new();
    };
    let listed: BTreeSet<String> =
        links(&summary.text).into_iter().map(|(_, target)| resolve(&summary.path, &target)).collect();
    let pages = files.iter().filter(|file| file.path.starts_with("docs/src/") && is_document(file));
    pages
        .filter(|page| page.path != summary.path && !listed.contains(&page.path))
        .map(|page| Finding::error(&page.path, 1, "docs/src/SUMMARY.md does not list this page"))
        .collect()
}

/// Every file in `docs/examples` stands word for word in the README, because a test runs the file.
fn examples(files: &[File]) -> Vec<Finding> {
    let Some(readme) = files.iter().find(|file| file.path == "README.md") else { return Vec::new() };
    files
        .iter()
        .filter(|file| file.path.starts_with("docs/examples/"))
        .filter(|file| [".py", ".mjs", ".sh"].iter().any(|ending| file.path.ends_with(ending)))
        .filter(|file| !readme.text.contains(&format!("\n{}\n```", file.text.trim_end())))
        .map(|file| {
            Finding::error(
                &file.path,
                1,
                "README.md must show this example word for word: tests run the file",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn links_to_missing_files_and_headings_are_found() {
        let text = "[a](b.md) [c](b.md#two-words) [d](b.md#none) [e](../LICENSE) [f](gone.md) [g](https://x.y)\n\
                    `[code](no.md)`\n```\n[fence](no.md)\n```\n[here](#top)\n";
        let files = [file("docs/a.md", text), file("docs/b.md", "# Two words\n"), file("LICENSE", "")];
        let findings: Vec<String> = broken_links(&files).into_iter().map(|finding| finding.text).collect();
        assert_eq!(findings.len(), 3, "{findings:?}");
        assert!(findings[0].contains("no heading #none") && findings[1].contains("gone.md"), "{findings:?}");
        assert!(findings[2].starts_with("docs/a.md:6:"), "{findings:?}");
    }

    #[test]
    fn page_that_the_summary_forgot_is_named() {
        let files = [
            file("docs/src/SUMMARY.md", "- [A](a.md)\n"),
            file("docs/src/a.md", ""),
            file("docs/src/deep/b.md", ""),
        ];
        let findings = check(&files);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].text.starts_with("docs/src/deep/b.md:1:"), "{findings:?}");
    }

    #[test]
    fn example_that_differs_from_the_readme_is_named() {
        let readme = file("README.md", "```python\nprint(1)\n```\n");
        assert_eq!(check(&[file("docs/examples/a.py", "print(1)\n"), readme]).len(), 0);
        let readme = file("README.md", "```python\nprint(2)\n```\n");
        assert_eq!(check(&[file("docs/examples/a.py", "print(1)\n"), readme]).len(), 1);
    }
}
