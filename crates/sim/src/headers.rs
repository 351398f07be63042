//! The headers that real providers put on their answers, those that a gateway must not pass on among them.

use crate::chance::Chance;
use crate::models::Vendor;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Adds the vendor's headers for call number `seq` to an answer with this status.
pub(crate) fn add(headers: &mut HeaderMap, vendor: Vendor, seed: u64, seq: u64) {
    let mut chance = Chance::new(seed, &[b"headers", &seq.to_le_bytes()]);
    let ray = format!("{}-FRA", chance.hex(16));
    let id = chance.hex(32);
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    };
    if matches!(vendor, Vendor::OpenAi | Vendor::Anthropic) {
        put("server", "cloudflare");
        put("cf-ray", &ray);
        put("cf-cache-status", "DYNAMIC");
        put("set-cookie", &format!("__cf_bm={}; path=/; HttpOnly; Secure; SameSite=None", &id[..16]));
        put("strict-transport-security", "max-age=31536000; includeSubDomains; preload");
        put("x-content-type-options", "nosniff");
    }
    match vendor {
        Vendor::OpenAi => {
            put("x-request-id", &format!("req_{id}"));
            put("openai-organization", "org-sim");
            put("openai-project", "proj_sim");
            put("openai-version", "2020-10-01");
            put("openai-processing-ms", "12");
            put("access-control-expose-headers", "X-Request-ID");
            put("x-ratelimit-limit-requests", "10000");
            put("x-ratelimit-limit-tokens", "2000000");
            put("x-ratelimit-remaining-requests", "9999");
            put("x-ratelimit-remaining-tokens", "1999000");
            put("x-ratelimit-reset-requests", "6ms");
            put("x-ratelimit-reset-tokens", "30ms");
        }
        Vendor::Anthropic => {
            put("request-id", &format!("req_01{}", chance_name(&id)));
            put("anthropic-organization-id", "00000000-0000-4000-8000-000000000051");
            for (kind, limit, left) in [
                ("requests", "4000", "3999"),
                ("input-tokens", "2000000", "1999000"),
                ("output-tokens", "400000", "399000"),
            ] {
                let names = rate_limit_names(kind);
                put(names[0], limit);
                put(names[1], left);
                put(names[2], "2026-11-22T00:00:01Z");
            }
        }
        // Google's front end stands alone, and tells nothing of limits.
        Vendor::Gemini | Vendor::Vertex => {
            put("server", "scaffolding on HTTPServer2");
            put("vary", "Origin, X-Origin, Referer");
            put("x-xss-protection", "0");
            put("x-frame-options", "SAMEORIGIN");
            put("x-content-type-options", "nosniff");
            put("server-timing", "gfet4t7; dur=12");
            put("alt-svc", "h3=\":443\"; ma=2592000");
        }
        Vendor::Bedrock => put("x-amzn-requestid", &uuid(&id)),
        Vendor::Azure => azure(&id, &mut put),
    }
}

fn azure(id: &str, put: &mut dyn FnMut(&'static str, &str)) {
    put("apim-request-id", &uuid(id));
    put("x-request-id", &uuid(id));
    put("x-ms-region", "East US");
    put("x-ms-deployment-name", "sim");
    put("azureml-model-session", "d051-20261122000000");
    put("x-ratelimit-limit-requests", "10000");
    put("x-ratelimit-limit-tokens", "2000000");
    put("x-ratelimit-remaining-requests", "9999");
    put("x-ratelimit-remaining-tokens", "1999000");
    put("strict-transport-security", "max-age=31536000; includeSubDomains; preload");
    put("x-content-type-options", "nosniff");
}

/// Hexadecimal digits as a UUID.
fn uuid(hex: &str) -> String {
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

/// The provider's ids are 24 characters here.
fn chance_name(hex: &str) -> &str {
    hex.get(..22).unwrap_or(hex)
}

fn rate_limit_names(kind: &str) -> [&'static str; 3] {
    match kind {
        "requests" => [
            "anthropic-ratelimit-requests-limit",
            "anthropic-ratelimit-requests-remaining",
            "anthropic-ratelimit-requests-reset",
        ],
        "input-tokens" => [
            "anthropic-ratelimit-input-tokens-limit",
            "anthropic-ratelimit-input-tokens-remaining",
            "anthropic-ratelimit-input-tokens-reset",
        ],
        _ => [
            "anthropic-ratelimit-output-tokens-limit",
            "anthropic-ratelimit-output-tokens-remaining",
            "anthropic-ratelimit-output-tokens-reset",
        ],
    }
}
