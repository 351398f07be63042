//! Writes configuration, data and text: each until the file has about the bytes that were asked for.

use super::Ids;
use super::draw::Draw;
use super::words::{self, camel, deed, name, sentence};
use std::fmt::Write as _;

/// Calls `piece` until there are `bytes`, and tells it when an id is due.
fn fill(
    head: &str,
    draw: &mut Draw,
    bytes: usize,
    ids: &mut Ids,
    mut piece: impl FnMut(&mut String, &mut Draw, Option<&'static str>),
) -> String {
    let mut text = String::with_capacity(bytes + 4_096);
    text.push_str(head);
    let mut counted = 0;
    while text.len() < bytes {
        let lines = text[counted..].lines().count();
        counted = text.len();
        let id = ids.after(lines, draw);
        piece(&mut text, draw, id);
    }
    ids.lines_left = ids.lines_left.saturating_sub(text[counted..].lines().count());
    text
}

/// A value of configuration, quoted where it is a text.
fn scalar(draw: &mut Draw) -> String {
    match draw.below(6) {
        0 => draw.below(100_000).to_string(),
        1 => format!("{}.{}", draw.below(50), draw.between(1, 9)),
        2 => draw.one_of(&["true", "false"]).to_owned(),
        3 => format!(
            "\"{}/{}:{}.{}\"",
            draw.one_of(words::NOUNS),
            draw.one_of(words::NOUNS),
            draw.below(20),
            draw.below(90)
        ),
        4 => format!("\"{}\"", sentence(draw, 1)),
        _ => format!("\"{}\"", name(draw)),
    }
}

/// Helm values and manifests.
pub(super) fn yaml(draw: &mut Draw, bytes: usize, ids: &mut Ids) -> String {
    let mut index = 0;
    fill("apiVersion: v2\n", draw, bytes, ids, |text, draw, id| {
        index += 1;
        let _ = writeln!(text, "# {}.\n{}_{index}:", sentence(draw, 1), name(draw));
        for member in 0..draw.between(2, 8) {
            let _ = writeln!(text, "  {}_{member}: {}", name(draw), scalar(draw));
        }
        let _ = writeln!(text, "  env:");
        for _ in 0..draw.between(1, 5) {
            let _ =
                writeln!(text, "    - name: {}\n      value: {}", name(draw).to_uppercase(), scalar(draw));
        }
        if let Some(id) = id {
            let _ = writeln!(text, "  llm:\n    model: {id}\n    temperature: 0.{}", draw.between(1, 9));
        }
    })
}

/// Fixtures, translations, settings of packages.
pub(super) fn json(draw: &mut Draw, bytes: usize, ids: &mut Ids) -> String {
    let mut text = fill("{\n", draw, bytes, ids, |text, draw, id| {
        let _ = writeln!(text, "  \"{}\": {{", deed(draw));
        for _ in 0..draw.between(2, 9) {
            let _ = writeln!(text, "    \"{}\": {},", name(draw), scalar(draw));
        }
        if let Some(id) = id {
            let _ = writeln!(text, "    \"model\": \"{id}\",");
        }
        let _ = writeln!(text, "    \"{}\": [{}, {}]\n  }},", name(draw), scalar(draw), scalar(draw));
    });
    text.push_str("  \"last\": null\n}\n");
    text
}

/// Settings.
pub(super) fn toml(draw: &mut Draw, bytes: usize, ids: &mut Ids) -> String {
    let mut index = 0;
    fill("", draw, bytes, ids, |text, draw, id| {
        index += 1;
        let _ = writeln!(
            text,
            "# {}.\n[{}.{}_{index}]",
            sentence(draw, 1),
            name(draw),
            draw.one_of(words::NOUNS)
        );
        for member in 0..draw.between(2, 9) {
            let _ = writeln!(text, "{}_{member} = {}", name(draw), scalar(draw));
        }
        if let Some(id) = id {
            let _ = writeln!(text, "model = \"{id}\"\nmax_tokens = {}", draw.between(64, 8_000));
        }
        text.push('\n');
    })
}

/// Resources and variables.
pub(super) fn terraform(draw: &mut Draw, bytes: usize, ids: &mut Ids) -> String {
    let mut index = 0;
    fill("", draw, bytes, ids, |text, draw, id| {
        index += 1;
        let _ = writeln!(text, "# {}.", sentence(draw, 1));
        let _ =
            writeln!(text, "resource \"cloud_{}\" \"{}_{index}\" {{", draw.one_of(words::NOUNS), name(draw));
        for member in 0..draw.between(2, 7) {
            let _ = writeln!(text, "  {}_{member} = {}", name(draw), scalar(draw));
        }
        let _ = writeln!(text, "  {} {{\n    {} = {}", draw.one_of(words::VERBS), name(draw), scalar(draw));
        if let Some(id) = id {
            let _ = writeln!(text, "    model_id = \"{id}\"");
        }
        let _ = writeln!(text, "  }}\n}}\n");
    })
}

/// Documentation with blocks of code.
pub(super) fn markdown(draw: &mut Draw, bytes: usize, ids: &mut Ids) -> String {
    fill("# Handbook\n", draw, bytes, ids, |text, draw, id| {
        let _ = writeln!(text, "\n## {} the {}\n", draw.one_of(words::VERBS), name(draw).replace('_', " "));
        for _ in 0..draw.between(2, 6) {
            let _ = writeln!(text, "{}. {}.", sentence(draw, 1), sentence(draw, 2));
        }
        if draw.percent(25) || id.is_some() {
            let _ = writeln!(text, "\n```python\n{} = {}({})", name(draw), deed(draw), scalar(draw));
            if let Some(id) = id {
                let _ =
                    writeln!(text, "answer = client.responses.create(model=\"{id}\", input={})", name(draw));
            }
            let _ = writeln!(text, "print({})\n```", name(draw));
        }
    })
}

/// Cells of code and text, with outputs.
pub(super) fn notebook(draw: &mut Draw, bytes: usize, ids: &mut Ids) -> String {
    let mut count = 0;
    let mut text = fill("{\n \"cells\": [\n", draw, bytes, ids, |text, draw, id| {
        count += 1;
        let _ =
            writeln!(text, "  {{\n   \"cell_type\": \"markdown\",\n   \"metadata\": {{}},\n   \"source\": [");
        let _ =
            writeln!(text, "    \"{}.\\n\",\n    \"{}.\"\n   ]\n  }},", sentence(draw, 2), sentence(draw, 1));
        let _ = writeln!(
            text,
            "  {{\n   \"cell_type\": \"code\",\n   \"execution_count\": {count},\n   \"metadata\": {{}},"
        );
        let _ = writeln!(
            text,
            "   \"outputs\": [\n    {{\n     \"name\": \"stdout\",\n     \"output_type\": \"stream\","
        );
        let _ = writeln!(
            text,
            "     \"text\": [\n      \"{} {}\\n\"\n     ]\n    }}\n   ],\n   \"source\": [",
            name(draw),
            draw.below(9_999)
        );
        for _ in 0..draw.between(2, 9) {
            let _ = writeln!(text, "    \"{} = {}({})\\n\",", name(draw), deed(draw), name(draw));
        }
        if let Some(id) = id {
            let call = format!("answer = client.responses.create(model=\\\"{id}\\\", input={})", name(draw));
            let _ = writeln!(text, "    \"{call}\\n\",");
        }
        let _ = writeln!(text, "    \"{}.head({})\"\n   ]\n  }},", name(draw), draw.below(50));
    });
    text.push_str(
        "  {\n   \"cell_type\": \"markdown\",\n   \"metadata\": {},\n   \"source\": []\n  }\n ],\n",
    );
    text.push_str(" \"metadata\": {\n  \"kernelspec\": {\n   \"language\": \"python\",\n   \"name\": \"python3\"\n  }\n },\n");
    text.push_str(" \"nbformat\": 4,\n \"nbformat_minor\": 5\n}\n");
    text
}

/// Variables of the environment.
pub(super) fn dotenv(draw: &mut Draw, bytes: usize, ids: &mut Ids) -> String {
    fill("", draw, bytes, ids, |text, draw, id| {
        let _ = writeln!(text, "# {}", sentence(draw, 1));
        for _ in 0..draw.between(2, 6) {
            let _ = writeln!(text, "{}={}", name(draw).to_uppercase(), scalar(draw));
        }
        if let Some(id) = id {
            let _ = writeln!(text, "{}_MODEL={id}", draw.one_of(words::NOUNS).to_uppercase());
        }
    })
}

/// Images.
pub(super) fn dockerfile(draw: &mut Draw, bytes: usize, ids: &mut Ids) -> String {
    fill("FROM debian:stable-slim\n", draw, bytes, ids, |text, draw, id| {
        let _ = writeln!(text, "# {}", sentence(draw, 1));
        let _ = writeln!(text, "COPY {}/{} /srv/{}", name(draw), name(draw), camel(&name(draw), false));
        let _ = writeln!(text, "RUN {} --{} {}", deed(draw), name(draw), scalar(draw));
        let _ = writeln!(text, "ENV {}={}", name(draw).to_uppercase(), scalar(draw));
        if let Some(id) = id {
            let _ = writeln!(text, "ENV LLM_MODEL={id}");
        }
    })
}
