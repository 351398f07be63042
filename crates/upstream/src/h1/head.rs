//! The head of an HTTP/1.1 answer: status, the headers somebody wants, and how the body is framed.

use bytes::{Buf, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::failure::Failure;

/// Most headers of an answer, one bit each of a `u128`.
const HEADERS_MAX: usize = 128;
/// Room for the headers that an answer is given on its way to the client.
const HEADERS_ADDED: usize = 4;

/// Names that vendors' answers carry, the most usual first: making a name anew hashes, checks and copies it.
static NAMES: [HeaderName; 16] = [
    http::header::CONTENT_TYPE,
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("request-id"),
    HeaderName::from_static("openai-processing-ms"),
    HeaderName::from_static("openai-version"),
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-limit-tokens"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-remaining-tokens"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
    HeaderName::from_static("x-ratelimit-reset-tokens"),
    HeaderName::from_static("anthropic-ratelimit-requests-limit"),
    HeaderName::from_static("anthropic-ratelimit-requests-remaining"),
    HeaderName::from_static("anthropic-ratelimit-requests-reset"),
    HeaderName::from_static("anthropic-ratelimit-tokens-limit"),
    HeaderName::from_static("anthropic-ratelimit-tokens-remaining"),
];

fn name_of(written: &str) -> Option<HeaderName> {
    let known = NAMES.iter().find(|known| known.as_str().eq_ignore_ascii_case(written));
    known.cloned().or_else(|| HeaderName::from_bytes(written.as_bytes()).ok())
}

/// How the length of an answer's body is known (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// A parsed head.
#[derive(Debug)]
pub(crate) struct AnswerHead {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) framing: Framing,
    pub(crate) encoding: Option<HeaderValue>,
    /// Whether the connection may be used again after the body.
    pub(crate) is_reusable: bool,
}

/// What is in the buffer.
#[derive(Debug)]
pub(crate) enum Parsed {
    Partial,
    /// A 1xx answer, taken out of the buffer.
    Informational,
    /// The final head, taken out of the buffer.
    Final(AnswerHead),
}

/// Takes one head out of `buf`, keeping the headers that `keep` wants.
pub(crate) fn parse(buf: &mut BytesMut, keep: fn(&str) -> bool) -> Result<Parsed, Failure> {
    if buf.is_empty() {
        return Ok(Parsed::Partial);
    }
    let mut storage = [const { std::mem::MaybeUninit::uninit() }; HEADERS_MAX];
    let mut answer = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    let length = match config.parse_response_with_uninit_headers(&mut answer, buf, &mut storage) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(Parsed::Partial),
        Err(error) => return Err(Failure::BadAnswer(format!("its head is not HTTP/1.1 ({error})"))),
    };
    let status = answer
        .code
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or_else(|| Failure::BadAnswer("its status is not a number from 100 to 999".into()))?;
    let is_switch = status == StatusCode::SWITCHING_PROTOCOLS;
    if status.is_informational() && !is_switch {
        buf.advance(length);
        return Ok(Parsed::Informational);
    }
    let is_http_11 = answer.version == Some(1);
    let mut reading = Reading { is_keep_alive: is_http_11, ..Reading::default() };
    // Chosen before the map is made, so that it is as large as it must be: a roomy one is kilobytes.
    let mut kept = 0_u128;
    for (at, header) in answer.headers.iter().enumerate() {
        reading.header(header)?;
        kept |= u128::from(keep(header.name)) << at;
    }
    let mut headers = HeaderMap::with_capacity(kept.count_ones() as usize + HEADERS_ADDED);
    for header in (0..).zip(answer.headers.iter()).filter(|(at, _)| kept >> at & 1 == 1).map(|(_, kept)| kept)
    {
        if let (Some(name), Ok(value)) = (name_of(header.name), HeaderValue::from_bytes(header.value)) {
            headers.append(name, value);
        }
    }
    let framing = reading.framing(status)?;
    buf.advance(length);
    // HTTP/1.0 knows no chunks, and an answer without a body has no length: whoever says so anyway may
    // disagree with us about where the next answer begins (RFC 9112, sections 6.1 and 6.3).
    let is_misframed = (!is_http_11 && reading.is_chunked)
        || (has_no_body(status)
            && status != StatusCode::NOT_MODIFIED
            && (reading.is_chunked || reading.length.is_some_and(|length| length > 0)));
    // Behind a switch there are no more answers: whether it was asked for, the caller knows.
    let is_reusable = reading.is_keep_alive
        && !reading.is_closing
        && framing != Framing::UntilClose
        && !is_misframed
        && !is_switch;
    Ok(Parsed::Final(AnswerHead { status, headers, framing, encoding: reading.encoding, is_reusable }))
}

/// The headers that the engine itself must understand.
#[derive(Default)]
struct Reading {
    length: Option<u64>,
    is_chunked: bool,
    has_transfer_encoding: bool,
    is_keep_alive: bool,
    /// `close` was said; it wins over `keep-alive`.
    is_closing: bool,
    encoding: Option<HeaderValue>,
}

/// Whether answers of this status never have a body.
fn has_no_body(status: StatusCode) -> bool {
    status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED
}

impl Reading {
    fn header(&mut self, header: &httparse::Header<'_>) -> Result<(), Failure> {
        let name = header.name;
        if name.eq_ignore_ascii_case("content-length") {
            let length = std::str::from_utf8(header.value)
                .ok()
                .filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|digits| digits.parse().ok())
                .ok_or_else(|| Failure::BadAnswer("its content-length is not a number".into()))?;
            if self.length.is_some_and(|known| known != length) {
                return Err(Failure::BadAnswer("it has two content-lengths that differ".into()));
            }
            self.length = Some(length);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            self.has_transfer_encoding = true;
            let last = header.value.rsplit(|byte| *byte == b',').next().unwrap_or_default();
            self.is_chunked = last.trim_ascii().eq_ignore_ascii_case(b"chunked");
            if !self.is_chunked || header.value.contains(&b',') {
                return Err(Failure::BadAnswer("its transfer-encoding is not `chunked`".into()));
            }
        } else if name.eq_ignore_ascii_case("connection") {
            for token in header.value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                if token.eq_ignore_ascii_case(b"close") {
                    self.is_closing = true;
                } else if token.eq_ignore_ascii_case(b"keep-alive") {
                    self.is_keep_alive = true;
                }
            }
        } else if name.eq_ignore_ascii_case("content-encoding") {
            self.encoding = HeaderValue::from_bytes(header.value).ok();
        }
        Ok(())
    }

    fn framing(&self, status: StatusCode) -> Result<Framing, Failure> {
        if has_no_body(status) {
            return Ok(Framing::Length(0));
        }
        match (self.has_transfer_encoding, self.length) {
            // Two framings at once are how answers are smuggled past a proxy.
            (true, Some(_)) => {
                Err(Failure::BadAnswer("it has both content-length and transfer-encoding".into()))
            }
            (true, None) => Ok(Framing::Chunked),
            (false, Some(length)) => Ok(Framing::Length(length)),
            (false, None) => Ok(Framing::UntilClose),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(head: &str) -> Result<Parsed, Failure> {
        parse(&mut BytesMut::from(head.as_bytes()), |_| true)
    }

    #[test]
    fn answers_with_two_framings_are_refused() {
        for head in [
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
            "HTTP/1.1 099 Low\r\n\r\n",
            "garbage\r\n\r\n",
        ] {
            assert!(matches!(parsed(head), Err(Failure::BadAnswer(_))), "{head}");
        }
    }

    #[test]
    fn old_servers_close_unless_they_say_otherwise() {
        let reusable = |head| match parsed(head) {
            Ok(Parsed::Final(answer)) => answer.is_reusable,
            other => panic!("{other:?}"),
        };
        assert!(reusable("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
        assert!(!reusable("HTTP/1.1 200 OK\r\n\r\n"));
        assert!(!reusable("HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n"));
        assert!(reusable("HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n"));
        assert!(!reusable("HTTP/1.1 200 OK\r\nConnection: Close\r\ncontent-length: 0\r\n\r\n"));
    }

    #[test]
    fn a_switch_of_protocols_ends_the_answers_of_its_connection() {
        let mut buf = BytesMut::from(&b"HTTP/1.1 101 Now\r\ncontent-length: 0\r\nupgrade: x\r\n\r\nrest"[..]);
        let Ok(Parsed::Final(answer)) = parse(&mut buf, |_| true) else { panic!("a head") };
        assert_eq!((answer.status.as_u16(), answer.is_reusable, &buf[..]), (101, false, &b"rest"[..]));
    }

    #[test]
    fn informational_answers_are_taken_out_one_by_one() {
        let mut buf = BytesMut::from(&b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\nrest"[..]);
        assert!(matches!(parse(&mut buf, |_| true), Ok(Parsed::Informational)));
        assert!(matches!(parse(&mut buf, |_| true), Ok(Parsed::Final(_))));
        assert_eq!(&buf[..], b"rest");
    }
}
