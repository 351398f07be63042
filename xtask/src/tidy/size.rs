//! Files and functions stay within what a person takes in at once.

use super::code::{blank, functions, test_blocks};
use super::{File, Finding};

const FILE_LINES_WARN: usize = 400;
const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;
const INLINE_TEST_LINES_MAX: usize = 150;

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let ours = files.iter().filter(|file| file.is_rust() && !file.is_data() && !file.is_test());
    ours.flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let code = blank(&file.text);
    let blocks = test_blocks(&code);
    let in_tests = |line: usize| blocks.iter().any(|(first, last)| (*first..=*last).contains(&line));
    let test_lines: usize = blocks.iter().map(|(first, last)| last - first + 1).sum();
    let lines = file.text.lines().count() - test_lines.min(file.text.lines().count());
    if lines > FILE_LINES_MAX {
        let text = format!("{lines} lines without tests, {FILE_LINES_MAX} at most; split it by what it owns");
        findings.push(Finding::error(&file.path, 1, &text));
    } else if lines > FILE_LINES_WARN {
        let text = format!("{lines} lines without tests, {FILE_LINES_WARN} is where a file should be split");
        findings.push(Finding::warning(&file.path, 1, &text));
    }
    if test_lines > INLINE_TEST_LINES_MAX {
        let text = format!(
            "{test_lines} lines of tests; over {INLINE_TEST_LINES_MAX} they go into a sibling tests.rs"
        );
        findings.push(Finding::error(&file.path, blocks[0].0, &text));
    }
    for function in functions(&code).iter().filter(|function| !in_tests(function.line)) {
        if function.lines > FUNCTION_LINES_MAX {
            let text =
                format!("{}() has {} lines, {FUNCTION_LINES_MAX} at most", function.name, function.lines);
            findings.push(Finding::error(&file.path, function.line, &text));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn long(lines: usize) -> String {
        format!("//! x\nfn f() {{\n{}}}\n", "    g();\n".repeat(lines - 2))
    }

    #[test]
    fn function_of_seventy_one_lines_is_too_long() {
        assert_eq!(check(&[file("a.rs", &long(70))]), []);
        let findings = check(&[file("a.rs", &long(71))]);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].text.starts_with("a.rs:2: f() has 71 lines"), "{findings:?}");
    }

    #[test]
    fn tests_do_not_count_towards_a_file_but_have_their_own_limit() {
        let text = format!(
            "//! x\n{}#[cfg(test)]\nmod tests {{\n{}}}\n",
            "// a\n".repeat(380),
            "// b\n".repeat(140)
        );
        assert_eq!(check(&[file("a.rs", &text)]), []);
        let text = text.replace("// a\n", "// a\n// a\n");
        assert!(check(&[file("a.rs", &text)])[0].text.contains("761 lines without tests"));
        let text = format!("//! x\n#[cfg(test)]\nmod tests {{\n{}}}\n", "// b\n".repeat(160));
        assert!(check(&[file("a.rs", &text)])[0].text.contains("sibling tests.rs"));
        assert_eq!(check(&[file("a/tests.rs", &text), file("a/fixtures/b.rs", &long(700))]), []);
    }
}
