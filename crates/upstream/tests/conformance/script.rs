//! What a scripted server does with one call, in words that fit every protocol.

use std::time::Duration;

use bytes::Bytes;

/// One step of a server.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Reads the call's body to its end.
    ReadBody,
    /// An informational answer.
    Interim(u16),
    /// The head of an answer whose body follows. HTTP/1.1 frames it by chunks unless a length is given.
    Head(u16, Vec<(&'static str, String)>),
    /// A piece of the body.
    Data(Bytes),
    /// The end of the body.
    End,
    /// Waits, so that what was sent arrives on its own.
    Pause(Duration),
    /// Waits for ever.
    Never,
    /// Waits until the caller is gone: the connection closed, or the stream reset.
    AwaitGone,
    /// Ends the connection without a farewell.
    HangUp,
    /// Ends the connection as the protocol wants it.
    Close,
    /// Bytes as they are; HTTP/1.1 only.
    Raw(Vec<u8>),
    /// Resets the stream; HTTP/2 only.
    Reset(h2::Reason),
    /// Answers with the call's own body.
    Echo,
}

/// The steps for one call.
pub(crate) type Script = Vec<Act>;

/// Long enough that what was sent before arrives on its own: the clock of these tests is paused and moves
/// only when everybody waits.
pub(crate) const GAP: Act = Act::Pause(Duration::from_millis(5));

/// A whole answer.
pub(crate) fn answer(status: u16, body: &[u8]) -> Script {
    answer_with(status, Vec::new(), body)
}

/// A whole answer with headers.
pub(crate) fn answer_with(status: u16, mut headers: Vec<(&'static str, String)>, body: &[u8]) -> Script {
    if status != 204 && status != 304 {
        headers.push(("content-length", body.len().to_string()));
    }
    let mut acts = vec![Act::ReadBody, Act::Head(status, headers)];
    if !body.is_empty() {
        acts.push(Act::Data(Bytes::copy_from_slice(body)));
    }
    acts.push(Act::End);
    acts
}

/// The call is read, then these bytes are sent; HTTP/1.1 only.
pub(crate) fn raw(wire: impl AsRef<[u8]>) -> Script {
    vec![Act::ReadBody, Act::Raw(wire.as_ref().to_vec())]
}
