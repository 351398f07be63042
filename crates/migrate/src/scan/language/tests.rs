//! Snippets in the style of the SDKs' own documentation, and what is read of them.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Language, language_named, language_of, read};

mod render;
mod words;

use words::candidates;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/language")
}

fn snippets() -> Vec<(PathBuf, Language, String)> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut snippets: Vec<_> = files
        .filter_map(|path| {
            language_of(&path, "")
                .map(|language| (path.clone(), language, fs::read_to_string(&path).unwrap()))
        })
        .collect();
    snippets.sort();
    snippets
}

#[test]
fn every_snippet_reads_as_its_golden_file_says() {
    let is_update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    for (path, language, text) in snippets() {
        let found = render::reading(&text, &read(language, &text, &candidates(&text)));
        let golden = path.with_extension("reading.txt");
        if is_update {
            fs::write(&golden, &found).unwrap();
        } else if fs::read_to_string(&golden).unwrap_or_default() != found {
            wrong.push(format!("{}:\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "read otherwise (UPDATE_GOLDEN=1 writes them anew):\n{}", wrong.join("\n"));
}

#[test]
fn every_language_has_a_snippet() {
    let seen: Vec<_> = snippets().into_iter().map(|(_, language, _)| language).collect();
    for language in Language::ALL {
        assert!(seen.contains(language), "{language:?} has no snippet");
    }
}

#[test]
fn no_snippet_is_read_only_in_part() {
    for (path, language, text) in snippets() {
        assert!(!read(language, &text, &candidates(&text)).is_partial, "{} has an error", path.display());
    }
}

#[test]
fn every_candidate_is_mentioned_once_where_it_stands() {
    for (path, language, text) in snippets() {
        let candidates = candidates(&text);
        let reading = read(language, &text, &candidates);
        let spans: Vec<_> = reading.mentions.iter().map(|mention| mention.span.clone()).collect();
        assert_eq!(
            spans,
            candidates.iter().map(|one| one.span.clone()).collect::<Vec<_>>(),
            "{}",
            path.display()
        );
        for mention in reading.mentions {
            let inside =
                mention.text_span.start <= mention.span.start && mention.span.end <= mention.text_span.end;
            assert!(inside, "{}: {mention:?}", path.display());
        }
    }
}

#[test]
fn removing_an_argument_leaves_source_that_parses() {
    let mut removed = 0;
    for (path, language, text) in snippets() {
        let reading = read(language, &text, &candidates(&text));
        let mut members: Vec<_> =
            reading.calls.iter().flat_map(|call| call.arguments.iter().cloned()).collect();
        while let Some(member) = members.pop() {
            if !member.removal.is_empty() {
                let mut rest = text.clone();
                rest.replace_range(member.removal.clone(), "");
                let again = read(language, &rest, &candidates(&rest));
                assert!(!again.is_partial, "{} without {}:\n{rest}", path.display(), member.name);
                removed += 1;
            }
            if let crate::scan::source::Kind::Table { members: inner, .. } = member.value.kind {
                members.extend(inner);
            }
        }
    }
    assert!(removed > 40, "only {removed} arguments were removed");
}

#[test]
fn languages_are_known_by_ending_name_and_first_line() {
    assert_eq!(language_of(Path::new("a/b.py"), ""), Some(Language::Python));
    assert_eq!(language_of(Path::new("a/b.TSX"), ""), Some(Language::Tsx));
    assert_eq!(language_of(Path::new("run"), "#!/usr/bin/env python3"), Some(Language::Python));
    assert_eq!(language_of(Path::new("run"), "#!/usr/bin/python3.12 -u"), Some(Language::Python));
    assert_eq!(language_of(Path::new("run"), "#!/bin/sh"), None);
    assert_eq!(language_of(Path::new("notes.txt"), "#!/usr/bin/env python3"), None);
    assert_eq!(language_named("TypeScript"), Some(Language::TypeScript));
    assert_eq!(language_named("toml"), None);
}

/// A snippet with many functions behind it that hold nothing; in Python also between its own.
fn long(language: Language, text: &str) -> String {
    let filler: String = (0..90).map(|at| filler(language, at)).collect();
    match language {
        Language::Python => text.replace("\n\n\n", &format!("\n\n\n{filler}")),
        _ => format!("{text}\n{filler}"),
    }
}

fn filler(language: Language, at: usize) -> String {
    match language {
        Language::Python => format!(
            "def filler_{at}(value):\n    text = \"it's {at}\"  # don't\n    return {{\n        'a': value,\n    }}\n\n\n"
        ),
        Language::Ruby => {
            format!("def filler_{at}(value)\n  text = \"it's {at}\" # don't\n  {{ a: value }}\nend\n\n")
        }
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            format!(
                "function filler{at}(value) {{\n  const text = `it's ${{{at}}} \"`; // don't\n  return value / 2 > /[/'\"]/.test(text);\n}}\n\n"
            )
        }
        Language::Go => format!(
            "func filler{at}(value int) string {{\n\ttext := `it's\n\"` // don't\n\treturn text + \"'\"\n}}\n\n"
        ),
        Language::Rust => format!(
            "fn filler_{at}<'a>(value: &'a str) -> char {{\n    let text = r#\"it's \" \"#; // don't\n    'x'\n}}\n\n"
        ),
        Language::Java => format!(
            "class Filler{at} {{\n    char value = '\"'; // don't\n    String text() {{\n        return \"it's\";\n    }}\n}}\n\n"
        ),
        Language::Kotlin => format!(
            "fun filler{at}(value: Int): String {{\n    val text = \"\"\"it's \" \"\"\" // don't\n    return text\n}}\n\n"
        ),
        Language::CSharp => format!(
            "class Filler{at}\n{{\n    string Text()\n    {{\n        return @\"it's \"\" \\\"; // don't\n    }}\n}}\n\n"
        ),
        Language::Php => format!(
            "function filler{at}($value) {{\n    $text = 'it is \"'; # don't\n    return <<<EOT\n  it's\n  EOT;\n}}\n\n"
        ),
    }
}

/// Parts that are taken whole: as small as a line, and as large as they ever are.
const PARTS: [usize; 5] = [0, 200, 600, super::window::WHOLE_BYTES_MAX, 6_000];

#[test]
fn windows_of_any_size_read_what_a_parse_of_the_whole_reads() {
    for (path, language, text) in snippets() {
        for text in [text.clone(), long(language, &text)] {
            let candidates = candidates(&text);
            let whole = render::reading(&text, &super::read_whole(language, &text, &candidates));
            for bytes in PARTS {
                let parts = super::read_windows(language, &text, &candidates, bytes);
                assert_eq!(render::reading(&text, &parts), whole, "{} by {bytes}", path.display());
            }
        }
    }
}

/// A call in a branch, between branches, loops and conditions over several lines that hold nothing.
fn branches(language: Language) -> &'static str {
    match language {
        Language::Python => {
            "def ask(client, rows):\n    if rows.find(\n        one,\n        two\n    ):\n        rows.skip()\n    elif (\n        rows\n        and one\n    ):\n        FILL\n    else:\n        with open(\n            path\n        ) as lines:\n            FILL\n            client.messages.create(\n                model=\"gpt-4o\",\n                temperature=0.2\n            )\n    FILL\n    return rows\n"
        }
        Language::Ruby => {
            "def ask(client, rows)\n  if rows.find(\n    one,\n    two\n  )\n    rows.skip\n  elsif rows\n    FILL\n  else\n    rows.each do |row|\n      FILL\n      client.create(\n        model: \"gpt-4o\",\n        temperature: 0.2\n      )\n    end\n  end\n  FILL\n  rows\nend\n"
        }
        Language::Go => {
            "package main\n\nfunc ask(client Client, rows Rows) {\n\tif rows.Find(\n\t\tone,\n\t\ttwo,\n\t) {\n\t\trows.Skip()\n\t} else {\n\t\tfor _, row := range rows.Sort(\n\t\t\tone,\n\t\t\ttwo,\n\t\t) {\n\t\t\tFILL\n\t\t\tclient.Create(\n\t\t\t\tParams{\n\t\t\t\t\tModel: \"gpt-4o\",\n\t\t\t\t\tTemperature: 0.2,\n\t\t\t\t},\n\t\t\t)\n\t\t}\n\t}\n\tFILL\n}\n"
        }
        Language::Rust => {
            "fn ask(client: Client, rows: Rows) {\n    if rows.find(\n        one,\n        two,\n    ) {\n        rows.skip();\n    } else {\n        for row in rows.sort(\n            one,\n            two,\n        ) {\n            FILL\n            client.create(Params {\n                model: \"gpt-4o\",\n                temperature: 0.2,\n            });\n        }\n    }\n    FILL\n}\n"
        }
        Language::Kotlin => {
            "class Asks {\n    fun ask(client: Client, rows: Rows) {\n        if (rows.find(\n                one,\n                two\n            )) {\n            rows.skip()\n        } else {\n            for (row in rows.sort(\n                one,\n                two\n            )) {\n                FILL\n                client.create(\n                    model = \"gpt-4o\",\n                    temperature = 0.2\n                )\n            }\n        }\n        FILL\n    }\n}\n"
        }
        Language::Java => {
            "class Asks {\n    void ask(Client client, Rows rows) {\n        if (rows.find(\n            one,\n            two\n        )) {\n            rows.skip();\n        } else if (\n            one\n        ) {\n            FILL\n        } else {\n            for (var row : rows.sort(\n                one,\n                two\n            )) {\n                FILL\n                client.create(\n                    \"gpt-4o\",\n                    0.2\n                );\n            }\n        }\n        FILL\n    }\n}\n"
        }
        Language::CSharp => {
            "class Asks\n{\n    void Ask(Client client, Rows rows)\n    {\n        if (rows.Find(\n            one,\n            two\n        )) {\n            rows.Skip();\n        } else {\n            foreach (var row in rows.Sort(\n                one: \"gpt-4o\",\n                two: 2\n            )) {\n                FILL\n                client.Create(\n                    model: \"gpt-4o\",\n                    temperature: 0.2\n                );\n            }\n        }\n        FILL\n    }\n}\n"
        }
        Language::Php => {
            "<?php\nfunction ask($client, $rows) {\n    if ($rows->find(\n        $one,\n        $two\n    )) {\n        $rows->skip();\n    } else {\n        foreach ($rows->sort(\n            $one,\n            $two\n        ) as $row) {\n            FILL\n            $client->create([\n                'model' => 'gpt-4o',\n                'temperature' => 0.2\n            ]);\n        }\n    }\n    FILL\n}\n"
        }
        _ => {
            "function ask(client, rows) {\n  if (rows.find(\n    one,\n    two\n  )) {\n    rows.skip();\n  } else if (\n    one\n  ) {\n    FILL\n  } else {\n    for (const row of rows.sort(\n      one,\n      two\n    )) {\n      FILL\n      client.create({\n        model: \"gpt-4o\",\n        temperature: 0.2\n      });\n    }\n  }\n  FILL\n}\n"
        }
    }
}

#[test]
fn a_call_in_a_branch_is_read_without_the_other_branches() {
    for language in Language::ALL.iter().copied() {
        let (fill, end) = match language {
            Language::Python | Language::Ruby | Language::Go | Language::Kotlin => ("rest(row)", ""),
            Language::Php => ("rest($row)", ";"),
            _ => ("rest(row)", ";"),
        };
        let mut text = String::new();
        for line in branches(language).split_inclusive('\n') {
            match line.split_once("FILL") {
                Some((indent, rest)) => (0..90).for_each(|_| text += &format!("{indent}{fill}{end}{rest}")),
                None => text += line,
            }
        }
        let candidates = candidates(&text);
        let whole = super::read_whole(language, &text, &candidates);
        assert!(!whole.is_partial && !whole.mentions.is_empty(), "{language:?}");
        for bytes in PARTS {
            let parts = super::read_windows(language, &text, &candidates, bytes);
            assert!(!parts.is_partial, "{language:?} by {bytes}");
            assert_eq!(
                render::reading(&text, &parts),
                render::reading(&text, &whole),
                "{language:?} by {bytes}"
            );
        }
    }
}

#[test]
fn what_a_whole_function_depends_on_is_read_with_all_of_it() {
    let lines = "    rest(text)\n".repeat(120);
    for head in [
        "def ask(text, model=\"gpt-4o\"):\n",
        "def ask(\n    text,\n    model=\"gpt-4o\"\n):\n",
        "def ask(\n    client: Own,\n    text,\n):\n    model = \"gpt-4o\"\n",
    ] {
        let text = format!(
            "client = OpenAI()\n{head}{lines}    client.responses.create(model=model, temperature=0.2)\n{lines}"
        );
        let candidates = candidates(&text);
        let (parts, whole) = (
            read(Language::Python, &text, &candidates),
            super::read_whole(Language::Python, &text, &candidates),
        );
        assert_eq!(render::reading(&text, &parts), render::reading(&text, &whole), "{head}");
        assert_eq!(parts.calls.len(), 1, "{head}");
    }
}

#[test]
fn deep_nesting_and_garbage_are_survived_in_every_language() {
    let open =
        ["(", "[", "{", "f(", "{a:", "<<", "\"", "'''", "`${", "/*", "x ? ", "a.b(", "\n  ", "if x:\n "];
    for language in Language::ALL {
        for piece in open {
            let text = format!("{} \"gpt-4o\" {}", piece.repeat(900), ")]}".repeat(800));
            let candidates = candidates(&text);
            assert_eq!(
                read(*language, &text, &candidates).mentions.len(),
                candidates.len(),
                "{language:?} {piece}"
            );
        }
    }
}

#[test]
fn one_line_of_a_megabyte_is_read_around_its_candidates() {
    let filler = "function a(b){return b?c(b.d,[1,2,3]):{e:/[\"']/.test(b)}};".repeat(9_000);
    let call = "client.chat.completions.create({model:\"gpt-4o\",temperature:.2});";
    let text = format!("{filler}{call}{filler}");
    let reading = read(Language::JavaScript, &text, &candidates(&text));
    assert!(reading.is_partial);
    let [only] = &reading.calls[..] else { panic!("{:?}", reading.calls) };
    assert_eq!(only.callee, "client.chat.completions.create");
    assert_eq!(
        only.arguments.iter().map(|argument| argument.name.as_str()).collect::<Vec<_>>(),
        ["model", "temperature"]
    );
}

#[test]
fn constants_are_found_far_away_from_their_use() {
    let filler: String = (0..400).map(|at| filler(Language::Python, at)).collect();
    let text = format!(
        "from openai import OpenAI\nMODEL = \"o3\"\nPARAMS = {{\n    \"model\": MODEL,\n    \"stop\": [\"x\"],\n}}\n{filler}\
         client = OpenAI(base_url=\"https://example.com\")\n{filler}\ndef ask(text):\n    return client.chat.completions.create(**PARAMS, messages=text)\n"
    );
    let candidates = candidates(&text);
    let reading = read(Language::Python, &text, &candidates);
    assert_eq!(
        render::reading(&text, &reading),
        render::reading(&text, &super::read_whole(Language::Python, &text, &candidates))
    );
    let call = reading.calls.iter().find(|call| call.callee == "client.chat.completions.create").unwrap();
    assert_eq!(
        call.arguments.iter().map(|argument| argument.name.as_str()).collect::<Vec<_>>(),
        ["model", "stop", "messages"]
    );
    assert_eq!(call.receiver.as_ref().unwrap().callee, "OpenAI");
}
