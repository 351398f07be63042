//! What a request's headers tell us, read in one pass: looking each of them up by name costs a hash apiece.

use http::{HeaderMap, HeaderValue};

/// Names the conversation that a request belongs to.
pub(crate) const CONVERSATION: &str = "x-pilothouse-conversation";
/// Names the run of an agent that a call belongs to.
pub(crate) const RUN: &str = "x-pilothouse-run";

/// The headers that mean something to the gateway itself. Of one that comes twice, the first.
#[derive(Clone, Debug)]
pub struct Told<'h> {
    /// All headers, for what passes to the vendor.
    pub all: &'h HeaderMap,
    /// `host`
    pub host: Option<&'h HeaderValue>,
    /// `origin`
    pub origin: Option<&'h HeaderValue>,
    /// `sec-fetch-site`
    pub fetch_site: Option<&'h HeaderValue>,
    /// `authorization`
    pub authorization: Option<&'h HeaderValue>,
    /// `x-api-key`, else `x-goog-api-key`
    pub api_key: Option<&'h HeaderValue>,
    /// `x-goog-api-key`
    pub goog_api_key: Option<&'h HeaderValue>,
    /// `x-pilothouse-app`
    pub application: Option<&'h HeaderValue>,
    /// `user-agent`
    pub user_agent: Option<&'h HeaderValue>,
    /// `content-encoding`
    pub content_encoding: Option<&'h HeaderValue>,
    /// `content-length`
    pub content_length: Option<&'h HeaderValue>,
    /// `x-pilothouse-hops`
    pub hops: Option<&'h HeaderValue>,
    /// `x-stainless-retry-count`
    pub sdk_retries: Option<&'h HeaderValue>,
    /// `x-pilothouse-compat`
    pub compat: Option<&'h HeaderValue>,
    /// `anthropic-version`
    pub anthropic_version: Option<&'h HeaderValue>,
    /// `x-pilothouse-provider`
    pub provider: Option<&'h HeaderValue>,
    /// `x-pilothouse-conversation`
    pub conversation: Option<&'h HeaderValue>,
    /// `x-pilothouse-run`
    pub run: Option<&'h HeaderValue>,
}

impl<'h> Told<'h> {
    /// Reads the headers of a request.
    #[must_use]
    pub fn read(headers: &'h HeaderMap) -> Self {
        let mut told = Self {
            all: headers,
            host: None,
            origin: None,
            fetch_site: None,
            authorization: None,
            api_key: None,
            goog_api_key: None,
            application: None,
            user_agent: None,
            content_encoding: None,
            content_length: None,
            hops: None,
            sdk_retries: None,
            compat: None,
            anthropic_version: None,
            provider: None,
            conversation: None,
            run: None,
        };
        for (name, value) in headers {
            let place = match name.as_str() {
                "host" => &mut told.host,
                "origin" => &mut told.origin,
                "sec-fetch-site" => &mut told.fetch_site,
                "authorization" => &mut told.authorization,
                "x-api-key" => &mut told.api_key,
                "x-goog-api-key" => &mut told.goog_api_key,
                "x-pilothouse-app" => &mut told.application,
                "user-agent" => &mut told.user_agent,
                "content-encoding" => &mut told.content_encoding,
                "content-length" => &mut told.content_length,
                "x-pilothouse-hops" => &mut told.hops,
                "x-stainless-retry-count" => &mut told.sdk_retries,
                "x-pilothouse-compat" => &mut told.compat,
                "anthropic-version" => &mut told.anthropic_version,
                "x-pilothouse-provider" => &mut told.provider,
                CONVERSATION => &mut told.conversation,
                RUN => &mut told.run,
                _ => continue,
            };
            place.get_or_insert(value);
        }
        told.api_key = told.api_key.or(told.goog_api_key);
        told
    }
}

/// The number that a header's value is, if it is one.
#[must_use]
pub(crate) fn number<T: std::str::FromStr>(value: Option<&HeaderValue>) -> Option<T> {
    value?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_two_counts_and_our_own_key_header_wins() {
        let mut headers = HeaderMap::new();
        headers.append("x-goog-api-key", HeaderValue::from_static("g"));
        headers.append("x-api-key", HeaderValue::from_static("a"));
        headers.append("x-api-key", HeaderValue::from_static("b"));
        headers.append("x-pilothouse-hops", HeaderValue::from_static(" 3 "));
        let told = Told::read(&headers);
        assert_eq!(told.api_key.unwrap(), "a");
        assert_eq!(number::<u32>(told.hops), Some(3));
        assert_eq!(number::<u32>(told.host), None);
    }
}
