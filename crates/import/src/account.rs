//! What of a document was carried over: whatever nobody took is told, so that no line is lost in silence.

use std::collections::HashSet;

use crate::Left;
use crate::yaml::{Node, Place, Value};

/// What was taken of a document, and what was told of it.
#[derive(Debug, Default)]
pub(crate) struct Account {
    taken: HashSet<usize>,
    told: HashSet<usize>,
    left: Vec<Left>,
}

/// What is known of something that is not carried over: why, and what to do instead.
pub(crate) type Advice = (&'static str, &'static str);

impl Account {
    /// Takes a value with all that is in it.
    pub(crate) fn take(&mut self, node: &Node) {
        self.taken.extend([node.id, node.origin]);
        match &node.value {
            Value::List(members) => members.iter().for_each(|member| self.take(member)),
            Value::Map(entries) => entries.iter().for_each(|entry| self.take(&entry.value)),
            _ => {}
        }
    }

    /// The value of a key, taken.
    pub(crate) fn get<'n>(&mut self, of: &'n Node, key: &str) -> Option<&'n Node> {
        let node = of.get(key)?;
        self.take(node);
        Some(node)
    }

    /// The text of a key, taken.
    pub(crate) fn text<'n>(&mut self, of: &'n Node, key: &str) -> Option<&'n str> {
        let text = of.get(key)?.text()?;
        self.get(of, key);
        Some(text)
    }

    /// Tells that a value was not carried over.
    pub(crate) fn leave(&mut self, node: &Node, key: &str, reason: &str, instead: &str) {
        self.tell(node, key, reason, instead, false);
    }

    /// Tells that a value was carried over in part.
    pub(crate) fn partly(&mut self, node: &Node, key: &str, reason: &str, instead: &str) {
        self.take(node);
        self.tell(node, key, reason, instead, true);
    }

    fn tell(&mut self, node: &Node, key: &str, reason: &str, instead: &str, is_partly: bool) {
        if !self.told.insert(node.id) {
            return;
        }
        self.left.push(left(node.place, key, reason, instead, is_partly));
    }

    /// Everything that was left, in the order of the document; `advice` knows places by their pattern, in which `[]`
    /// stands for any member of a list, and says nothing of those whose members are told one by one.
    pub(crate) fn finish(mut self, root: &Node, advice: &dyn Fn(&str) -> Option<Advice>) -> Vec<Left> {
        self.sweep(root, root.place, "", "", advice);
        self.left.sort();
        self.left
    }

    fn has_taken(&self, node: &Node) -> bool {
        self.taken.contains(&node.id)
            || self.told.contains(&node.id)
            || match &node.value {
                Value::List(members) => members.iter().any(|member| self.has_taken(member)),
                Value::Map(entries) => entries.iter().any(|entry| self.has_taken(&entry.value)),
                _ => false,
            }
    }

    fn sweep(
        &mut self,
        node: &Node,
        at: Place,
        key: &str,
        pattern: &str,
        advice: &dyn Fn(&str) -> Option<Advice>,
    ) {
        if self.taken.contains(&node.id) || self.told.contains(&node.id) || node.is_empty() {
            return;
        }
        if !self.has_taken(node)
            && !key.is_empty()
            && let Some((reason, instead)) = advice(pattern)
        {
            let place = Place { last_line: node.place.last_line.max(at.line), ..at };
            self.left.push(left(place, key, reason, instead, false));
            return;
        }
        match &node.value {
            Value::List(members) => {
                for (index, member) in members.iter().enumerate() {
                    let (key, pattern) = (format!("{key}[{index}]"), format!("{pattern}[]"));
                    self.sweep(member, member.place, &key, &pattern, advice);
                }
            }
            Value::Map(entries) => {
                for entry in entries {
                    let dot = if key.is_empty() { "" } else { "." };
                    let (key, pattern) =
                        (format!("{key}{dot}{}", entry.key), format!("{pattern}{dot}{}", entry.key));
                    if entry.is_overridden {
                        let place = Place { last_line: entry.value.place.last_line, ..entry.place };
                        let reason = "the same key stands there again below, and the last one counts";
                        self.left.push(left(place, &key, reason, "", false));
                        continue;
                    }
                    self.sweep(&entry.value, entry.place, &key, &pattern, advice);
                }
            }
            _ => {}
        }
    }
}

fn left(place: Place, key: &str, reason: &str, instead: &str, is_partly: bool) -> Left {
    // What stands in a file may hold anything, also what would change a terminal.
    let plain: String = key.chars().map(|sign| if sign.is_control() { '\u{fffd}' } else { sign }).collect();
    Left {
        line: place.line,
        column: place.column,
        last_line: place.last_line,
        key: plain,
        is_partly,
        reason: reason.to_owned(),
        instead: instead.to_owned(),
    }
}
