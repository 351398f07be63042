//! What an answer depends on besides the request, the same for every vendor.

use crate::answer::Telling;
use crate::cache::PromptCache;
use crate::openai::Shelf;
use crate::steer::Steering;
use serde_json::Value;

/// What an answer depends on besides the request.
#[derive(Clone, Debug)]
pub(crate) struct Setting<'a> {
    pub(crate) seed: u64,
    /// Unix seconds of the fleet's date.
    pub(crate) now_s: u64,
    /// Who calls, for the prompt cache and for stored responses.
    pub(crate) caller: &'a str,
    pub(crate) cache: &'a PromptCache,
    /// Responses that the fleet keeps.
    pub(crate) shelf: &'a Shelf,
    /// The name in the request.
    pub(crate) name: &'a str,
    pub(crate) telling: Telling,
    /// Whether a model of Anthropic's answers on Google's platform.
    pub(crate) is_vertex: bool,
    /// Steering forced by a fault.
    pub(crate) force: Option<Steering>,
}

/// The request as text, without how it is delivered: a stream put together equals the plain answer.
pub(crate) fn unstreamed(request: &Value) -> String {
    let mut request = request.clone();
    if let Some(map) = request.as_object_mut() {
        map.shift_remove("stream");
        map.shift_remove("stream_options");
    }
    request.to_string()
}
