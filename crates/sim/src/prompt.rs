//! A prompt as its provider counts it: texts and opaque parts, in order, by the fleet's token rule.

use crate::chance::digest;
use crate::tokens;

/// One part of a prompt.
#[derive(Clone, Debug)]
enum Part {
    Text(String),
    /// Frames, images and files: so many tokens that all say the same.
    Opaque {
        tokens: u64,
        says: [u8; 32],
    },
}

/// A whole prompt.
#[derive(Clone, Debug)]
pub(crate) struct Prompt {
    parts: Vec<Part>,
    tokens: u64,
    word_bytes: u8,
}

impl Prompt {
    /// An empty prompt for a model with this token rule.
    pub(crate) fn new(word_bytes: u8) -> Prompt {
        Prompt { parts: Vec::new(), tokens: 0, word_bytes }
    }

    /// Adds text.
    pub(crate) fn text(&mut self, text: &str) {
        self.tokens += tokens::count(text, self.word_bytes);
        self.parts.push(Part::Text(text.to_owned()));
    }

    /// Adds something that is not text, `tokens` long; `says` is what tells it from others.
    pub(crate) fn opaque(&mut self, tokens: u64, says: &[u8]) {
        self.tokens += tokens;
        self.parts.push(Part::Opaque { tokens, says: digest(0, &[says]) });
    }

    /// Tokens of the whole.
    pub(crate) fn tokens(&self) -> u64 {
        self.tokens
    }

    /// What each token says, in order.
    pub(crate) fn pieces(&self, word_bytes: u8) -> impl Iterator<Item = &[u8]> {
        self.parts.iter().flat_map(move |part| -> Box<dyn Iterator<Item = &[u8]>> {
            match part {
                Part::Text(text) => Box::new(tokens::pieces(text, word_bytes).map(str::as_bytes)),
                Part::Opaque { tokens, says } => {
                    Box::new(std::iter::repeat_n(says.as_slice(), *tokens as usize))
                }
            }
        })
    }
}
