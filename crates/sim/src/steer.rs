//! Steering words: what a client's test writes into its last user message to force a behaviour of the fleet.
//!
//! A word is `[[name]]` or `[[name:value]]`. Unknown words are left alone, so that ordinary text is never read as an order.

/// One steering word as users see it.
#[derive(Clone, Copy, Debug)]
pub struct SteeringWord {
    /// How it is written.
    pub word: &'static str,
    /// What it does.
    pub effect: &'static str,
}

/// Every steering word, in the order of the documentation.
pub const STEERING: &[SteeringWord] = &[
    SteeringWord {
        word: "[[say:TEXT]]",
        effect: "the answer is TEXT, and no tool is called unless one is forced",
    },
    SteeringWord {
        word: "[[quiz:N]]",
        effect: "the answer to the sum, or to what is to be found, right as often as the model is able to at difficulty N of 100",
    },
    SteeringWord { word: "[[words:N]]", effect: "the answer has N words" },
    SteeringWord {
        word: "[[tools:N]]",
        effect: "N tool calls before the first result, taken in the order of the tool list",
    },
    SteeringWord { word: "[[tool:NAME]]", effect: "that tool is called" },
    SteeringWord { word: "[[args:JSON]]", effect: "the arguments of every tool call of this turn" },
    SteeringWord {
        word: "[[badcall]]",
        effect: "a tool call is malformed: half its arguments (OpenAI), MALFORMED_FUNCTION_CALL (Gemini), malformed_tool_use (Bedrock)",
    },
    SteeringWord { word: "[[notools]]", effect: "no tool is called unless one is forced" },
    SteeringWord { word: "[[think:N]]", effect: "N words of thinking where thinking is on" },
    SteeringWord { word: "[[redact]]", effect: "thinking comes as redacted blocks (Anthropic)" },
    SteeringWord { word: "[[refuse]]", effect: "the model refuses" },
    SteeringWord {
        word: "[[filter]]",
        effect: "the answer is stopped by a content filter (OpenAI, Azure, Gemini, Bedrock)",
    },
    SteeringWord { word: "[[block]]", effect: "the prompt is stopped by a content filter: 400 (Azure)" },
    SteeringWord { word: "[[cite]]", effect: "the answer cites a source" },
    SteeringWord { word: "[[empty]]", effect: "the answer has no content" },
];

/// Steering read from a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Steering {
    pub(crate) say: Option<String>,
    pub(crate) quiz: Option<u8>,
    pub(crate) words: Option<usize>,
    pub(crate) tools: Option<usize>,
    pub(crate) tool: Option<String>,
    pub(crate) args: Option<serde_json::Value>,
    pub(crate) no_tools: bool,
    pub(crate) bad_call: bool,
    pub(crate) think: Option<usize>,
    pub(crate) redact: bool,
    pub(crate) refuse: bool,
    pub(crate) filter: bool,
    pub(crate) block: bool,
    pub(crate) cite: bool,
    pub(crate) empty: bool,
}

/// Most words or calls that steering can ask for.
const COUNT_MAX: usize = 100_000;

impl Steering {
    /// Reads the steering words of a text; of several equal ones the last wins.
    pub(crate) fn read(text: &str) -> Steering {
        let mut out = Steering::default();
        let mut rest = text;
        while let Some(start) = rest.find("[[") {
            rest = &rest[start + 2..];
            // The last `]]` of a run closes the word, so that a JSON array in `args` may end in brackets.
            let Some(mut end) = rest.find("]]") else { break };
            while rest[end + 2..].starts_with(']') {
                end += 1;
            }
            let (name, value) = rest[..end].split_once(':').unwrap_or((&rest[..end], ""));
            out.take(name, value);
            rest = &rest[end + 2..];
        }
        out
    }

    fn take(&mut self, name: &str, value: &str) {
        let number = || value.trim().parse::<usize>().ok().map(|n| n.min(COUNT_MAX));
        match name {
            "say" => self.say = Some(value.to_owned()),
            "quiz" => self.quiz = value.trim().parse().ok(),
            "words" => self.words = number(),
            "tools" => self.tools = number(),
            "tool" => self.tool = Some(value.trim().to_owned()),
            "args" => self.args = serde_json::from_str(value).ok(),
            "notools" => self.no_tools = true,
            "badcall" => self.bad_call = true,
            "think" => self.think = number(),
            "redact" => self.redact = true,
            "refuse" => self.refuse = true,
            "filter" => self.filter = true,
            "block" => self.block = true,
            "cite" => self.cite = true,
            "empty" => self.empty = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_with_their_values_and_unknown_ones_ignored() {
        let s = Steering::read(
            "please [[say:hi: there]] and [[tools:2]] [[what]] [[args:{\"a\":[[1]]}]] [[refuse]]",
        );
        assert_eq!(s.say.as_deref(), Some("hi: there"));
        assert_eq!(s.tools, Some(2));
        assert!(s.refuse && !s.empty);
    }

    #[test]
    fn every_documented_word_changes_something() {
        for row in STEERING {
            let text = row.word.replace(":N", ":3").replace("JSON", "{\"a\":1}");
            assert_ne!(Steering::read(&text), Steering::default(), "{}", row.word);
        }
    }
}
