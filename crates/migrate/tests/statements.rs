//! Requests that are put together over several statements: what later statements set counts, what they take away does
//! not, and what stands under a condition that asks for the model is left alone.

use pilothouse_catalog::Catalog;
use pilothouse_migrate::scan::finding::{Rule, Severity};
use pilothouse_migrate::scan::{Options, Scanner};

/// Lines on which a parameter is refused.
fn refused(path: &str, text: &str) -> Vec<u32> {
    let scanner = Scanner::new(Catalog::bundled(), Options::on("2026-11-23"));
    let findings = scanner.scan_text(path, text).into_iter();
    findings
        .filter(|one| matches!(one.rule, Rule::Parameter(_)) && one.severity == Severity::Blocks)
        .map(|one| one.place.line)
        .collect()
}

fn python(body: &str) -> Vec<u32> {
    let head = "from openai import OpenAI\nclient = OpenAI()\np = {\"model\": \"o3\", \"messages\": []}\n";
    refused("src/a.py", &format!("{head}{body}\nclient.chat.completions.create(**p)\n"))
}

#[test]
fn a_member_that_is_set_before_the_call_counts() {
    assert_eq!(python("p[\"temperature\"] = 0.2"), [4]);
    assert_eq!(python("p.update(temperature=0.2)"), [4]);
    assert_eq!(python("if hot:\n    p[\"temperature\"] = 0.2"), [5]);
}

#[test]
fn a_member_that_is_set_behind_the_call_does_not() {
    assert!(python("client.chat.completions.create(**p)").is_empty());
    let behind = "import openai\np = {\"model\": \"o3\", \"messages\": []}\n\
        openai.OpenAI().chat.completions.create(**p)\np[\"temperature\"] = 0.2\n";
    assert!(refused("src/a.py", behind).is_empty());
}

#[test]
fn a_member_that_is_taken_away_does_not_count() {
    for away in ["p.pop(\"temperature\")", "p.pop(\"temperature\", None)", "del p[\"temperature\"]"] {
        assert!(python(&format!("p[\"temperature\"] = 0.2\n{away}")).is_empty(), "{away}");
    }
}

#[test]
fn a_condition_that_asks_for_the_model_guards_what_stands_under_it() {
    assert!(python("if not model.startswith(\"o\"):\n    p[\"temperature\"] = 0.2").is_empty());
    assert!(python("if supports(p[\"model\"]):\n    p[\"temperature\"] = 0.2").is_empty());
}

#[test]
fn a_later_value_of_a_member_counts_instead_of_the_first() {
    assert!(python("p[\"model\"] = \"gpt-4o\"\np[\"temperature\"] = 0.2").is_empty());
    assert!(python("p = {**p, \"model\": \"gpt-4o\"}\np[\"temperature\"] = 0.2").is_empty());
}

#[test]
fn constants_of_sdks_name_the_model_of_a_call() {
    let go = "package a\nimport \"github.com/openai/openai-go\"\nfunc f(c openai.Client) {\n\
        p := openai.ChatCompletionNewParams{Model: openai.ChatModelO3Mini}\n\
        p.Temperature = openai.Float(0.2)\nc.Chat.Completions.New(nil, p)\n}\n";
    assert_eq!(refused("a.go", go), [5]);
}

/// A function of some thousand bytes, of which not all is parsed: its statements between lines that say nothing.
fn long(open: &str, statements: &[&str], filler: &str, close: &str) -> String {
    let between: String = (0..60).map(|at| filler.replace('#', &at.to_string())).collect();
    format!("{open}{between}{}{close}", statements.join(&between))
}

#[test]
fn a_request_that_is_put_together_over_a_long_function_is_followed() {
    let statements = [
        "    p = {\"messages\": []}\n",
        "    p[\"model\"] = \"o3\"\n",
        "    p[\"temperature\"] = 0.2\n",
        "    client.chat.completions.create(**p)\n",
    ];
    let open = "from openai import OpenAI\nclient = OpenAI()\ndef run(items):\n";
    let text = long(open, &statements, "    total_# = count(items, #)\n", "    return total_0\n");
    assert!(text.len() > 6_000, "{}", text.len());
    assert_eq!(refused("src/a.py", &text), [3 + 3 * 60 + 3]);

    let statements = [
        "\tparams := openai.ChatCompletionNewParams{}\n",
        "\tparams.Model = \"o3\"\n",
        "\tparams.Temperature = openai.Float(0.2)\n",
        "\tclient.Chat.Completions.New(ctx, params)\n",
    ];
    let open =
        "package a\nimport \"github.com/openai/openai-go\"\nfunc run(client openai.Client, items []int) {\n";
    let text = long(open, &statements, "\ttotal# := count(items, #)\n", "}\n");
    assert_eq!(refused("src/a.go", &text), [3 + 3 * 60 + 3]);
}
