//! What a WebSocket's handshake asks for (RFC 6455, section 4), and how it is put to the vendor.

use http::request::Parts;
use http::{HeaderName, HeaderValue, header};
use hyper::upgrade::OnUpgrade;
use pilothouse_core::error::{Error, Kind};

use crate::endpoints::models::percent_decoded;
use crate::told::Told;

/// Browsers cannot set headers: OpenAI's SDK sends the key as a subprotocol
/// (<https://github.com/openai/openai-node> 6.49, `realtime/websocket.ts`, read 2026-11-23).
const KEY_PROTOCOL: &str = "openai-insecure-api-key.";
/// Subprotocols that name the account, which is the operator's.
const ACCOUNT_PROTOCOLS: [&str; 2] = ["openai-organization.", "openai-project."];

/// A client's handshake.
pub(super) struct Handshake {
    pub(super) model: Option<String>,
    /// The rest of the query that goes to the vendor.
    query: Vec<String>,
    key: HeaderValue,
    protocols: Option<HeaderValue>,
    api_key: Option<HeaderValue>,
}

impl Handshake {
    /// Reads a handshake, with the promise of the connection behind it.
    pub(super) fn read(head: &Parts) -> Result<(Self, OnUpgrade), Error> {
        let wrong = |why: &str| {
            let public = format!("this endpoint speaks WebSocket over HTTP/1.1, and {why}");
            Error::new(Kind::BadRequest, public)
        };
        let says = |name: HeaderName, word: &str| {
            let values = head.headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
            values.flat_map(|value| value.split(',')).any(|told| told.trim().eq_ignore_ascii_case(word))
        };
        if !says(header::UPGRADE, "websocket") || !says(header::CONNECTION, "upgrade") {
            return Err(wrong("this request does not ask for one"));
        }
        if !says(header::SEC_WEBSOCKET_VERSION, "13") {
            return Err(wrong("knows its version 13 only"));
        }
        let key = head.headers.get(header::SEC_WEBSOCKET_KEY).ok_or_else(|| wrong("its key is missing"))?;
        let upgrade = head.extensions.get::<OnUpgrade>().cloned();
        let upgrade = upgrade.ok_or_else(|| wrong("this connection cannot become one"))?;
        let (protocols, api_key) = protocols(head)?;
        let pairs = head.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let mut model = None;
        let mut query = Vec::new();
        for pair in pairs {
            match pair.split_once('=') {
                Some(("model", _)) if model.is_some() => {
                    return Err(Error::bad_request("model", "`model` is given twice; give it once"));
                }
                Some(("model", name)) => model = Some(percent_decoded(name)),
                Some(("key" | "api-key" | "api_key", _)) => {}
                _ => query.push(pair.to_owned()),
            }
        }
        let handshake = Self { model, query, key: key.clone(), protocols, api_key };
        Ok((handshake, upgrade))
    }

    /// What is told, with the key among the subprotocols where no header has one.
    pub(super) fn with_key<'h>(&'h self, told: &Told<'h>) -> Told<'h> {
        let mut told = told.clone();
        told.api_key = told.api_key.or(self.api_key.as_ref());
        told
    }

    /// The headers that ask the vendor for the same.
    pub(super) fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = vec![
            (header::CONNECTION, HeaderValue::from_static("Upgrade")),
            (header::UPGRADE, HeaderValue::from_static("websocket")),
            (header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
            (header::SEC_WEBSOCKET_KEY, self.key.clone()),
        ];
        headers.extend(self.protocols.iter().map(|all| (header::SEC_WEBSOCKET_PROTOCOL, all.clone())));
        headers
    }

    /// The path behind the vendor's address.
    pub(super) fn tail(&self, model: &str, is_renamed: bool) -> String {
        let mut pairs = Vec::with_capacity(self.query.len() + 1);
        if self.model.is_some() {
            pairs.push(format!("model={}", percent_encoded(model)));
        }
        debug_assert!(self.model.is_some() || !is_renamed);
        pairs.extend(self.query.iter().cloned());
        if pairs.is_empty() { "/realtime".to_owned() } else { format!("/realtime?{}", pairs.join("&")) }
    }
}

/// The subprotocols that pass, and the key that may be among them.
fn protocols(head: &Parts) -> Result<(Option<HeaderValue>, Option<HeaderValue>), Error> {
    let values = head.headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter();
    let words = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let (mut passing, mut key) = (Vec::new(), None);
    for word in words.map(str::trim).filter(|word| !word.is_empty()) {
        if let Some(secret) = word.strip_prefix(KEY_PROTOCOL) {
            let mut secret = HeaderValue::from_str(secret).map_err(|_| {
                Error::new(Kind::Unauthorized, "the API key among the subprotocols is no key")
            })?;
            secret.set_sensitive(true);
            key = Some(secret);
        } else if !ACCOUNT_PROTOCOLS.iter().any(|prefix| word.starts_with(prefix)) {
            passing.push(word);
        }
    }
    let passing = (!passing.is_empty()).then(|| HeaderValue::from_str(&passing.join(", ")).ok()).flatten();
    Ok((passing, key))
}

/// A text as it may stand in a query.
fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(path: &str, headers: &[(&'static str, &str)]) -> Parts {
        let mut request = http::Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn the_key_among_the_subprotocols_is_taken_out() {
        let told = head(
            "/v1/realtime",
            &[(
                "sec-websocket-protocol",
                "realtime, openai-insecure-api-key.sk-1, openai-organization.org-1, openai-beta.realtime-v1",
            )],
        );
        let (passing, key) = protocols(&told).unwrap();
        assert_eq!(passing.unwrap(), "realtime, openai-beta.realtime-v1");
        assert_eq!(key.unwrap(), "sk-1");
    }

    #[test]
    fn what_asks_for_no_websocket_is_refused() {
        let all = [
            ("upgrade", "websocket"),
            ("connection", "keep-alive, Upgrade"),
            ("sec-websocket-version", "13"),
        ];
        for missing in 0..3 {
            let mut some = all.to_vec();
            some.remove(missing);
            assert!(Handshake::read(&head("/v1/realtime", &some)).is_err(), "{missing}");
        }
    }

    #[test]
    fn names_are_encoded_for_the_query() {
        assert_eq!(percent_encoded("a b/ü&c=1"), "a%20b%2F%C3%BC%26c%3D1");
    }
}
