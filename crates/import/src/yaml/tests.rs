//! Tests of the tree: places, YAML 1.1's words, aliases, bounds.

use super::*;

fn tree(text: &str) -> Node {
    read(text, "test.yaml").unwrap()
}

fn refusal(text: &str) -> String {
    read(text, "test.yaml").unwrap_err().to_string()
}

#[test]
fn every_value_knows_its_line_and_column() {
    let root = tree("a: 1\nb:\n  - x\n  - c: yes # a word\n    d: |\n      one\n      two\ne: {f: g}\n");
    let b = root.get("b").unwrap();
    let second = &b.members()[1];
    let at = |node: &Node| (node.place.line, node.place.column, node.place.last_line);
    assert_eq!(at(root.get("a").unwrap()), (1, 4, 1));
    assert_eq!((at(&b.members()[0]).0, at(second).0), (3, 4));
    assert_eq!(second.get("c").unwrap().truth(), Some(true));
    let block = second.get("d").unwrap();
    assert_eq!((block.text(), block.place.last_line), (Some("one\ntwo\n"), 7));
    assert_eq!(root.entries()[1].place.line, 2);
    assert_eq!(at(root.get("e").unwrap().get("f").unwrap()), (8, 8, 8));
}

#[test]
fn words_are_read_as_the_other_program_reads_them() {
    let root = tree("a: on\nb: \"on\"\nc: 1e-7\nd: ~\ne: 0.5\nf: v1\ng: !!str 12\nh: 2024-02-15-preview\n");
    let kind = |key: &str| std::mem::discriminant(&root.get(key).unwrap().value);
    let number = std::mem::discriminant(&Value::Number("".into()));
    let text = std::mem::discriminant(&Value::Text("".into()));
    assert_eq!(root.get("a").unwrap().truth(), Some(true));
    assert_eq!([kind("b"), kind("f"), kind("g"), kind("h")], [text; 4]);
    assert_eq!([kind("c"), kind("e")], [number; 2]);
    assert!(root.get("d").unwrap().is_empty());
}

#[test]
fn aliases_and_merges_give_values_of_their_own() {
    let root = tree("base: &b {key: one, more: two}\nx:\n  <<: *b\n  key: three\ny: *b\n");
    let text = |path: [&str; 2]| root.get(path[0]).unwrap().get(path[1]).unwrap().text().unwrap().to_owned();
    assert_eq!(text(["x", "key"]), "three");
    assert_eq!(text(["x", "more"]), "two");
    assert_eq!(text(["y", "key"]), "one");
    let id = |path: [&str; 2]| root.get(path[0]).unwrap().get(path[1]).unwrap().id;
    assert!(id(["base", "more"]) != id(["x", "more"]) && id(["x", "more"]) != id(["y", "more"]));
}

#[test]
fn of_equal_keys_the_last_one_counts() {
    let root = tree("a: 1\na: 2\n");
    assert_eq!(root.get("a").unwrap().text(), Some("2"));
    assert_eq!(root.entries().iter().filter(|entry| entry.is_overridden).count(), 1);
}

#[test]
fn bombs_are_refused_and_say_where() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for at in 1..9 {
        let before = at - 1;
        bomb += &format!(
            "a{at}: &a{at} [*a{before}, *a{before}, *a{before}, *a{before}, *a{before}, *a{before}, *a{before}, *a{before}]\n"
        );
    }
    assert!(refusal(&bomb).contains("values, with those that aliases repeat"), "{}", refusal(&bomb));
    let deep = "[".repeat(DEPTH_MAX + 1);
    assert!(refusal(&deep).contains("deep in each other"), "{}", refusal(&deep));
    assert!(refusal(&"x".repeat(BYTES_MAX + 1)).contains("bytes"));
}

#[test]
fn mistakes_point_at_their_place() {
    assert_eq!(refusal(""), "test.yaml:1:1: the file is empty");
    let star = refusal("model_list:\n  - model_name: *\n    x: y\n");
    assert!(star.starts_with("test.yaml:2:") && star.contains("needs quotes"), "{star}");
    assert!(refusal("a: b\n---\nc: d\n").contains("second document"));
    assert!(
        refusal("{a: b}: c\n").starts_with("test.yaml:1:1: a key is a text"),
        "{}",
        refusal("{a: b}: c\n")
    );
    assert!(refusal("a: [1, 2\nb: 3\n").starts_with("test.yaml:"));
}
