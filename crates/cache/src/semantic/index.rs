//! The questions that were answered, by group: the nearest one that nothing stands between.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::embedding::Embedding;
use super::marks::Marks;
use crate::key::Key;

/// Most questions of one group; they are compared one by one.
const GROUP_MAX: usize = 512;

/// A question that was answered.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its direction.
    pub embedding: Embedding,
    /// What may stand between it and another.
    pub marks: Marks,
    /// The key of its answer.
    pub key: Key,
}

/// The nearest question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Near {
    /// The key of its answer.
    pub key: Key,
    /// The cosine between the two.
    pub similarity: f32,
}

/// How near is near enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearness {
    /// The least cosine.
    pub similarity_min: f32,
    /// The words that carry the meaning must be the same: for embeddings that know no meaning.
    pub by_words: bool,
}

/// The questions of one route, bounded by bytes; the oldest fall out.
#[derive(Debug)]
pub struct Index {
    groups: FxHashMap<Key, VecDeque<Asked>>,
    /// The groups of the questions in the order in which they came.
    order: VecDeque<Key>,
    bytes: usize,
    bytes_max: usize,
}

impl Index {
    /// An index of at most so many bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self { groups: FxHashMap::default(), order: VecDeque::new(), bytes: 0, bytes_max }
    }

    /// The nearest question of a group, near enough and without a difference.
    #[must_use]
    pub fn nearest(
        &self,
        group: &Key,
        embedding: &Embedding,
        marks: &Marks,
        nearness: Nearness,
    ) -> Option<Near> {
        let asked = self.groups.get(group)?;
        let near = asked.iter().filter_map(|asked| {
            let similarity = asked.embedding.similarity(embedding);
            let is_near = similarity >= nearness.similarity_min
                && (!nearness.by_words || asked.marks.says_the_same(marks))
                && asked.marks.difference(marks).is_none();
            is_near.then_some(Near { key: asked.key, similarity })
        });
        near.max_by(|one, other| one.similarity.total_cmp(&other.similarity))
    }

    /// Takes a question that was answered, in the place of one with the same answer's key.
    pub fn put(&mut self, group: Key, asked: Asked) {
        let bytes = bytes_of(&asked);
        if bytes > self.bytes_max {
            return;
        }
        self.remove(&group, &asked.key);
        if self.groups.get(&group).is_some_and(|asked| asked.len() >= GROUP_MAX) {
            self.remove_oldest(&group);
        }
        self.groups.entry(group).or_default().push_back(asked);
        self.order.push_back(group);
        self.bytes += bytes;
        while self.bytes > self.bytes_max {
            let Some(group) = self.order.pop_front() else { break };
            self.remove_oldest(&group);
        }
        // Places of questions that went otherwise are passed over when their turn comes; they must not become many.
        if self.order.len() > 2 * self.len() + 64 {
            self.order = self.groups.iter().flat_map(|(group, asked)| vec![*group; asked.len()]).collect();
        }
    }

    /// Forgets a question: its answer is gone.
    pub fn remove(&mut self, group: &Key, key: &Key) {
        let Some(asked) = self.groups.get_mut(group) else { return };
        if let Some(at) = asked.iter().position(|asked| asked.key == *key) {
            self.bytes -= asked.remove(at).as_ref().map_or(0, bytes_of);
        }
        if asked.is_empty() {
            self.groups.remove(group);
        }
    }

    /// How many questions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.groups.values().map(VecDeque::len).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Bytes in use, about.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    fn remove_oldest(&mut self, group: &Key) {
        let Some(asked) = self.groups.get_mut(group) else { return };
        self.bytes -= asked.pop_front().as_ref().map_or(0, bytes_of);
        if asked.is_empty() {
            self.groups.remove(group);
        }
    }
}

fn bytes_of(asked: &Asked) -> usize {
    asked.embedding.bytes() + asked.marks.bytes() + 2 * size_of::<Asked>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Scope;

    const NEAR: Nearness = Nearness { similarity_min: 0.6, by_words: true };

    fn key(number: u32) -> Key {
        Key::exact(&Scope::default(), &number.to_le_bytes())
    }

    fn asked(text: &str, number: u32) -> Asked {
        Asked { embedding: Embedding::hashed(text).unwrap(), marks: Marks::read(text), key: key(number) }
    }

    fn nearest(index: &Index, group: u32, text: &str) -> Option<Key> {
        let like = asked(text, 0);
        index.nearest(&key(group), &like.embedding, &like.marks, NEAR).map(|near| near.key)
    }

    #[test]
    fn the_nearest_question_of_the_same_group_is_found_and_no_other() {
        let mut index = Index::new(1 << 20);
        index.put(key(1), asked("How do I reset my password?", 10));
        index.put(key(1), asked("How do I reset my router?", 11));
        assert_eq!(nearest(&index, 1, "how can I reset my password, please"), Some(key(10)));
        assert_eq!(nearest(&index, 2, "How do I reset my password?"), None, "another group");
        assert_eq!(nearest(&index, 1, "How do I reset my PIN?"), None);
        index.remove(&key(1), &key(10));
        assert_eq!(nearest(&index, 1, "How do I reset my password?"), None);
    }

    #[test]
    fn questions_are_bounded_by_bytes_and_by_group() {
        let mut index = Index::new(100_000);
        for number in 0..2_000 {
            index.put(key(number % 7), asked(&format!("question number {number}"), number));
            assert!(index.bytes() <= 100_000);
        }
        assert!(index.len() > 10 && index.order.len() <= 2 * index.len() + 64);
        let mut index = Index::new(1 << 30);
        for number in 0..GROUP_MAX as u32 + 10 {
            index.put(key(1), asked("the same question", number));
        }
        assert_eq!(index.len(), GROUP_MAX);
        for number in 0..GROUP_MAX as u32 + 10 {
            index.remove(&key(1), &key(number));
        }
        assert_eq!((index.len(), index.bytes()), (0, 0));
    }
}
