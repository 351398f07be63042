//! A finder of candidates for tests: words that look like models' names, SDK constants or interfaces.

use crate::scan::candidates::{Candidate, CandidateKind};

const PREFIXES: &[&str] = &["gpt-", "claude-", "gemini-", "o3", "text-embedding-", "us.anthropic."];
const CONSTANTS: &[&str] = &[
    "ChatModelGPT4o",
    "ChatModelO3",
    "GPT_4O",
    "GPT_4_1",
    "CLAUDE_SONNET_4_5",
    "ModelClaudeSonnet4_5",
    "CLAUDE_OPUS_4_1",
    "O3",
];
const INTERFACES: &[&str] =
    &["beta.assistants", "beta().assistants", "/v1/assistants", "Beta.Assistants", "beta.threads"];

/// Candidates of a text, by their place.
pub(super) fn candidates(text: &str) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    let bytes = text.as_bytes();
    let is_part = |at: usize| bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let is_more =
        |at: usize| bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte));
    let mut at = 0;
    while at < text.len() {
        let starts = |words: &[&'static str]| {
            words.iter().copied().find(|word| bytes[at..].starts_with(word.as_bytes()))
        };
        if let Some(word) = starts(INTERFACES) {
            found.push(Candidate { span: at..at + word.len(), kind: CandidateKind::Interface });
            at += word.len();
            continue;
        }
        let is_begin = at == 0 || !is_part(at - 1) && bytes[at - 1] != b'-';
        if let Some(word) = starts(CONSTANTS).filter(|word| is_begin && !is_part(at + word.len())) {
            found.push(Candidate { span: at..at + word.len(), kind: CandidateKind::Constant });
            at += word.len();
            continue;
        }
        if let Some(word) = starts(PREFIXES).filter(|_| is_begin) {
            let mut end = at + word.len();
            while is_more(end) {
                end += 1;
            }
            while bytes[end - 1] == b'.' || bytes[end - 1] == b':' {
                end -= 1;
            }
            let kind = if bytes[end - 1] == b'-' { CandidateKind::Prefix } else { CandidateKind::Model };
            if *word != *"o3" || end == at + 2 {
                found.push(Candidate { span: at..end, kind });
            }
            at = end;
            continue;
        }
        at += 1;
    }
    found
}
