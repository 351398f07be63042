//! Wire formats: what clients and vendors say, read and written without any I/O.
//!
//! Four views of a message: [`head`] (a borrowed look at a request), [`facts`] (what an answer tells while
//! it passes), span [`head::Edit`]s of passing bytes, and codecs to and from the canonical conversation.

pub mod cap;
pub mod codec;
pub mod compat;
pub mod continued;
pub mod dialects;
pub mod embeddings;
pub mod eventstream;
pub mod facts;
pub mod frames;
pub mod framing;
pub mod head;
pub mod headers;
mod json;
pub mod last_turn;
pub mod memory;
pub mod multipart;
pub mod needs;
pub mod path;
pub mod relay;
pub mod scan;
pub mod shape;
pub mod sieve;
pub mod sse;
pub mod usage;
mod walk;
