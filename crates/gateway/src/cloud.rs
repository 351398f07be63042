//! What clouds ask of a caller: signatures made call by call, and access tokens that expire.

pub mod aws;
mod entra;
mod google;
mod grant;
pub mod sigv4;
mod tokens;

pub use entra::Principal;
pub use google::KeyFile;
pub(crate) use grant::must_be_private;
pub use grant::{Fetched, Grant, GrantError};
pub use tokens::Tokens;
