//! A verifier of AWS signatures, written for these tests alone: it reads what arrived on the wire, and has its own HMAC.

use sha2::{Digest as _, Sha256};

use super::{body_of, header_of};

pub(super) const KEY_ID: &str = "AKIDEXAMPLE";
pub(super) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// RFC 2104.
fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let padded = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Verifies a request as the service would that knows the secret, and returns the names of the signed headers.
pub(super) fn verified<'r>(request: &'r str, region: &str, service: &str) -> Vec<&'r str> {
    let mut line = request.split("\r\n").next().unwrap().split(' ');
    let (method, target) = (line.next().unwrap(), line.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    assert_eq!(query, "", "no call to AWS has a query yet");
    let authorization = header_of(request, "authorization").expect("a signed call");
    let time = header_of(request, "x-amz-date").expect("a time");
    let scope = format!("{}/{region}/{service}/aws4_request", &time[..8]);
    let rest = authorization
        .strip_prefix(&format!("AWS4-HMAC-SHA256 Credential={KEY_ID}/{scope}, SignedHeaders="))
        .unwrap_or_else(|| panic!("{authorization}"));
    let (names, signature) = rest.split_once(", Signature=").unwrap();
    let names: Vec<&str> = names.split(';').collect();
    assert!(names.is_sorted(), "{names:?}");
    let headers: String =
        names.iter().map(|name| format!("{name}:{}\n", header_of(request, name).expect(name))).collect();
    let path = path.replace('%', "%25").replace(':', "%3A");
    let body = hex(&Sha256::digest(body_of(request).as_bytes()));
    let canonical = format!("{method}\n{path}\n\n{headers}\n{}\n{body}", names.join(";"));
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let mut key = hmac(format!("AWS4{SECRET}").as_bytes(), &time.as_bytes()[..8]);
    for part in [region, service, "aws4_request"] {
        key = hmac(&key, part.as_bytes());
    }
    assert_eq!(signature, hex(&hmac(&key, text.as_bytes())), "of {canonical}");
    names
}
