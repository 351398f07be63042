//! What a URL's path says of a Converse call: `/model/{modelId}/converse` and `/model/{modelId}/converse-stream`.
//!
//! AWS's SDKs write the id as one segment, percent-encoded: `:` of a version as `%3A`, `/` of an ARN as `%2F`
//! (<https://smithy.io/2.0/spec/http-bindings.html#httplabel-serialization-rules>, read 2026-11-23).

use std::borrow::Cow;
use std::fmt::Write as _;

use pilothouse_core::conversation::Request;
use pilothouse_core::error::{Error, Kind};

use super::decoded;

const ROOT: &str = "/model/";
const WHOLE: &str = "/converse";
const STREAM: &str = "/converse-stream";
const INVOKE: &str = "/invoke";

/// A call as its URL tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConverseCall<'a> {
    /// The model that is asked for, percent-decoded: an id, an ARN, or a name of ours with slashes.
    pub model: Cow<'a, str>,
    /// Whether a stream is asked for.
    pub is_stream: bool,
}

impl<'a> ConverseCall<'a> {
    /// Reads a path. `None` when it is no call of a model at all.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for an operation that is not served; a 400 for an empty model.
    pub fn parse(path: &'a str) -> Option<Result<Self, Error>> {
        let rest = path.strip_prefix(ROOT)?;
        let (model, is_stream) = match (rest.strip_suffix(WHOLE), rest.strip_suffix(STREAM)) {
            (Some(model), _) => (model, false),
            (None, Some(model)) => (model, true),
            (None, None) => {
                let shown: String = rest.rsplit('/').next().unwrap_or_default().chars().take(60).collect();
                let public =
                    format!("the operation `{shown}` is not served; use converse or converse-stream");
                return Some(Err(Error::new(Kind::NotFound, public)));
            }
        };
        let model = decoded(model);
        if model.is_empty() {
            return Some(Err(Error::bad_request(
                "modelId",
                "the path names no model: /model/{modelId}/converse",
            )));
        }
        Some(Ok(Self { model, is_stream }))
    }

    /// Puts what the path says into a request that was decoded from the body.
    pub fn complete(&self, request: &mut Request) {
        request.model = self.model.clone().into_owned();
        request.stream = self.is_stream;
        // Every stream reports its usage.
        request.stream_usage = request.stream;
    }
}

/// What stands behind a vendor's base address (`https://bedrock-runtime.us-east-1.amazonaws.com`) for a call.
#[must_use]
pub fn converse_path(model: &str, is_stream: bool) -> String {
    operation_path(model, if is_stream { STREAM } else { WHOLE })
}

/// The same for a model's own form (`InvokeModel`).
#[must_use]
pub fn invoke_path(model: &str) -> String {
    operation_path(model, INVOKE)
}

fn operation_path(model: &str, operation: &str) -> String {
    let mut path = String::with_capacity(model.len() + 32);
    path.push_str(ROOT);
    for byte in model.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            // Writing into memory cannot fail.
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path.push_str(operation);
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_paths_of_amazons_sdks_tell_model_and_stream() {
        for (path, model, is_stream) in [
            (
                "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse",
                "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                false,
            ),
            ("/model/amazon.nova-pro-v1:0/converse-stream", "amazon.nova-pro-v1:0", true),
            (
                "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.amazon.nova-pro-v1%3A0/converse",
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-pro-v1:0",
                false,
            ),
            ("/model/openai%2Fgpt-5.5/converse", "openai/gpt-5.5", false),
            ("/model/openai/gpt-5.5/converse", "openai/gpt-5.5", false),
        ] {
            let found = ConverseCall::parse(path).unwrap().unwrap();
            assert_eq!((&*found.model, found.is_stream), (model, is_stream), "{path}");
        }
        assert_eq!(
            converse_path("us.anthropic.claude-sonnet-4-5-20250929-v1:0", true),
            "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream"
        );
    }

    #[test]
    fn other_operations_are_named_and_other_paths_left_alone() {
        let error = ConverseCall::parse("/model/m/invoke").unwrap().unwrap_err();
        assert!(error.kind == Kind::NotFound && error.public.contains("`invoke`"), "{error}");
        assert!(ConverseCall::parse("/model//converse").unwrap().is_err());
        assert!(ConverseCall::parse("/model/converse").unwrap().is_err());
        assert!(ConverseCall::parse("/v1/models").is_none());
    }

    proptest! {
        #[test]
        fn any_model_name_survives_the_way_to_a_vendor(model in "[^\\x00]{1,40}", is_stream: bool) {
            let path = converse_path(&model, is_stream);
            prop_assert_eq!(path.matches('/').count(), 3);
            let found = ConverseCall::parse(&path).unwrap().unwrap();
            prop_assert_eq!((&*found.model, found.is_stream), (model.as_str(), is_stream));
        }
    }
}
