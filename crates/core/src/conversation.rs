//! The canonical form of a conversation: what every dialect decodes to and encodes from.
