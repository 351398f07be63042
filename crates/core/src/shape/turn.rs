//! The turns of a conversation by who speaks and what kinds of blocks a turn has, folded so that it may grow.

use smallvec::SmallVec;

/// Turns that are kept in their order from the beginning, and from the end.
pub(super) const FIRST: usize = 2;
pub(super) const LAST: usize = 2;
/// Kinds of turns between them that are told apart.
pub(super) const BETWEEN_MAX: usize = 6;

/// Who speaks. The numbers are on disk, and never change their meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// The instructions beside the conversation: `system`, `instructions`, `systemInstruction`.
    Instructions = 0,
    /// A system message within the conversation.
    System = 1,
    /// A developer's message within the conversation.
    Developer = 2,
    /// The person.
    #[default]
    User = 3,
    /// The model.
    Assistant = 4,
    /// A tool's result as a turn of its own.
    Tool = 5,
    /// Somebody that no dialect names.
    Other = 6,
}

impl Role {
    /// Every role, at the place of its number.
    pub const ALL: [Self; 7] = [
        Self::Instructions,
        Self::System,
        Self::Developer,
        Self::User,
        Self::Assistant,
        Self::Tool,
        Self::Other,
    ];

    /// The name used in outputs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Instructions => "instructions",
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
            Self::Other => "other",
        }
    }
}

/// The kinds of blocks of a turn, as a set of twelve bits. The bits are on disk, and never change their meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Blocks(pub u16);

impl Blocks {
    /// Text.
    pub const TEXT: Self = Self(1);
    /// A picture.
    pub const IMAGE: Self = Self(1 << 1);
    /// A recording.
    pub const AUDIO: Self = Self(1 << 2);
    /// A film.
    pub const VIDEO: Self = Self(1 << 3);
    /// A document or another file.
    pub const DOCUMENT: Self = Self(1 << 4);
    /// A call of a tool.
    pub const CALL: Self = Self(1 << 5);
    /// A tool's result.
    pub const RESULT: Self = Self(1 << 6);
    /// Thinking that comes back.
    pub const THINKING: Self = Self(1 << 7);
    /// Thinking that comes back sealed.
    pub const SEALED: Self = Self(1 << 8);
    /// What the vendor's own tools did.
    pub const SERVER_TOOL: Self = Self(1 << 9);
    /// The turn begins with thinking.
    pub const LEADS_WITH_THINKING: Self = Self(1 << 10);
    /// A block that no list has.
    pub const OTHER: Self = Self(1 << 11);
    const ALL: u16 = (1 << 12) - 1;

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in the set.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names of the kinds, for people.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        const NAMES: [(Blocks, &str); 11] = [
            (Blocks::THINKING, "thinking"),
            (Blocks::SEALED, "sealed thinking"),
            (Blocks::TEXT, "text"),
            (Blocks::IMAGE, "image"),
            (Blocks::AUDIO, "audio"),
            (Blocks::VIDEO, "video"),
            (Blocks::DOCUMENT, "document"),
            (Blocks::CALL, "tool call"),
            (Blocks::RESULT, "tool result"),
            (Blocks::SERVER_TOOL, "server tool"),
            (Blocks::OTHER, "other"),
        ];
        NAMES.into_iter().filter(move |(one, _)| self.has(*one)).map(|(_, name)| name)
    }
}

/// A turn, or several of one kind in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// What it holds.
    pub blocks: Blocks,
    /// More than one such turn stands here.
    pub is_run: bool,
}

impl Turn {
    const RUN: u16 = 1 << 12;
    const ROLE_AT: u32 = 13;

    pub(super) const fn code(self) -> u16 {
        let run = if self.is_run { Self::RUN } else { 0 };
        (self.role as u16) << Self::ROLE_AT | run | self.blocks.0 & Blocks::ALL
    }

    pub(super) fn of_code(code: u16) -> Option<Self> {
        let role = *Role::ALL.get(usize::from(code >> Self::ROLE_AT))?;
        Some(Self { role, blocks: Blocks(code & Blocks::ALL), is_run: code & Self::RUN != 0 })
    }
}

/// The turns of a conversation: the first two, the last two, and the kinds of those between as a set.
///
/// A conversation that grows by the same kinds of turns keeps its shape but for its length, which is a power of four.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// The first, in their order.
    pub first: SmallVec<[Turn; FIRST]>,
    /// The kinds of those between, sorted, each once. Its runs are not told.
    pub between: SmallVec<[Turn; BETWEEN_MAX]>,
    /// The last, in their order; empty while all are among the first.
    pub last: SmallVec<[Turn; LAST]>,
    /// How many there are: the power of four that it reaches. Whoever adds them counts them.
    pub count: u8,
}

impl Turns {
    /// Adds the next turn.
    pub fn push(&mut self, role: Role, blocks: Blocks) {
        let turn = Turn { role, blocks, is_run: false };
        let before = if self.last.is_empty() { self.first.last_mut() } else { self.last.last_mut() };
        if let Some(before) = before
            && (before.role, before.blocks) == (role, blocks)
        {
            before.is_run = true;
            return;
        }
        if self.last.is_empty() && self.first.len() < FIRST {
            self.first.push(turn);
            return;
        }
        if self.last.len() == LAST {
            let oldest = Turn { is_run: false, ..self.last.remove(0) };
            if let Err(place) = self.between.binary_search(&oldest)
                && self.between.len() < BETWEEN_MAX
            {
                self.between.insert(place, oldest);
            }
        }
        self.last.push(turn);
    }

    /// The last turn.
    #[must_use]
    pub fn final_turn(&self) -> Option<Turn> {
        self.last.last().or_else(|| self.first.last()).copied()
    }

    /// Every kind of turn: the first, those between, the last.
    pub fn kinds(&self) -> impl Iterator<Item = Turn> {
        self.first.iter().chain(&self.between).chain(&self.last).copied()
    }

    /// Whether a turn holds such a block.
    #[must_use]
    pub fn hold(&self, blocks: Blocks) -> bool {
        self.kinds().any(|turn| turn.blocks.has(blocks))
    }
}
