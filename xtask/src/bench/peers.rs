//! Other gateways, measured the same way before the same fleet, from a file that the caller writes.
//!
//! ```toml
//! [[peer]]
//! name = "some-gateway"
//! command = ["some-gateway", "--config", "/path/to/its.yaml"]   # `{upstream}` becomes the fleet's address
//! address = "127.0.0.1:4000"
//! ready = "/health"            # a path that answers 200 once it serves
//! model_prefix = ""            # what its names of the fleet's models begin with
//! key = "sk-…"                 # the client key it accepts
//! headers = ["x-some: value"]  # sent with each request
//! fleet = "127.0.0.1:9100"     # where its own configuration expects the fleet, if it cannot be told
//! ```

use anyhow::{Context as _, Result};
use serde::Deserialize;
use std::path::Path;

/// One other gateway.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) command: Vec<String>,
    pub(crate) address: String,
    pub(crate) ready: String,
    #[serde(default)]
    pub(crate) model_prefix: String,
    #[serde(default)]
    pub(crate) key: Option<String>,
    #[serde(default)]
    pub(crate) headers: Vec<String>,
    #[serde(default)]
    pub(crate) fleet: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Peers {
    peer: Vec<Peer>,
}

/// Reads the file.
pub(crate) fn read(path: &Path) -> Result<Vec<Peer>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let peers: Peers = toml::from_str(&text).with_context(|| path.display().to_string())?;
    Ok(peers.peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peer_file_needs_only_what_is_always_needed() {
        let text = "[[peer]]\nname = \"a\"\ncommand = [\"a\"]\naddress = \"127.0.0.1:1\"\nready = \"/\"\n";
        let peers: Peers = toml::from_str(text).unwrap();
        assert_eq!((peers.peer.len(), peers.peer[0].model_prefix.as_str()), (1, ""));
        assert!(toml::from_str::<Peers>(&format!("{text}colour = 1\n")).is_err());
    }
}
