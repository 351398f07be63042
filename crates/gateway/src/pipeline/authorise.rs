//! The credential of one attempt, where it is made call by call: a signature of its bytes, or a token of the moment.

use std::sync::Arc;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};
use pilothouse_core::error::{Error, Kind};
use pilothouse_upstream::{Origin, Request};

use crate::cloud::sigv4::{Signable, Signer, X_AMZ_DATE, X_AMZ_SECURITY_TOKEN};
use crate::plan::Live;
use crate::shared::Shared;

/// The headers of one attempt.
pub(crate) type Headers = Vec<(HeaderName, HeaderValue)>;

/// The headers of one attempt with its credential among them. A credential that stands in the prepared head needs none
/// of this, and costs nothing.
pub(crate) async fn authorise(
    live: &Live,
    origin: &Origin,
    request: &Request<'_>,
    shared: &Arc<Shared>,
) -> Result<Headers, Error> {
    let mut headers = request.extra.to_vec();
    match live {
        Live::Fetched(tokens) => headers.push((AUTHORIZATION, tokens.header(shared).await?)),
        Live::Signed(signer) => sign(signer, origin, request, shared, &mut headers)
            .ok_or_else(|| Error::new(Kind::Internal, "the call could not be signed; is the clock right?"))?,
    }
    Ok(headers)
}

/// Another credential than the one that was refused, where it has grown old.
pub(crate) async fn renew(
    live: &Live,
    refused: &[(HeaderName, HeaderValue)],
    shared: &Arc<Shared>,
) -> Option<HeaderValue> {
    let Live::Fetched(tokens) = live else { return None };
    let refused = refused.iter().find(|(name, _)| *name == AUTHORIZATION)?;
    tokens.instead_of(&refused.1, shared).await
}

fn sign(
    signer: &Signer,
    origin: &Origin,
    request: &Request<'_>,
    shared: &Shared,
    headers: &mut Headers,
) -> Option<()> {
    let target = format!("{}{}", request.head.path(), request.tail);
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let types = request.head.headers().get_all(CONTENT_TYPE).iter();
    let mut signed_headers = vec![("host", origin.authority())];
    for value in types {
        signed_headers.push(("content-type", value.to_str().ok()?));
    }
    let call = Signable {
        method: request.head.method().as_str(),
        path,
        query,
        headers: &signed_headers,
        body: request.body,
    };
    // The time of this attempt: a signature is taken for minutes only.
    let signed = signer.sign(&call, shared.clock.now())?;
    headers.push((X_AMZ_DATE, signed.date));
    headers.extend(signed.session_token.map(|token| (X_AMZ_SECURITY_TOKEN, token)));
    headers.push((AUTHORIZATION, signed.authorization));
    Some(())
}
