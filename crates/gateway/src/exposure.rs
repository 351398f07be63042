//! From where one may call: against DNS rebinding and against web pages that post to localhost.
//!
//! A web page cannot set `Host` and cannot hide `Origin`. A name in `Host` that nobody configured means that
//! some page made its own name point at us; an IP address cannot be rebound.

use pilothouse_core::error::{Error, Kind};

use crate::told::Told;

/// The names and origins that are configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl Exposure {
    /// The rules for configured host names and web origins.
    #[must_use]
    pub fn new(hosts: &[String], origins: &[String]) -> Self {
        Self {
            hosts: hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            origins: origins.iter().map(|origin| origin.trim_end_matches('/').to_ascii_lowercase()).collect(),
        }
    }

    /// Whether a request may go on. `authority` is that of an absolute request target or of HTTP/2.
    ///
    /// # Errors
    /// [`Kind::Forbidden`], with what to configure.
    pub fn check(&self, told: &Told<'_>, authority: Option<&str>) -> Result<(), Error> {
        let host = match told.host {
            Some(value) => value.to_str().map_err(|_| refused("its Host header is not readable"))?,
            None => authority.unwrap_or_default(),
        };
        if !self.is_host_allowed(host) || authority.is_some_and(|authority| !self.is_host_allowed(authority))
        {
            let shown: String = host.chars().take(80).collect();
            return Err(refused(&format!(
                "the host `{shown}` is not configured; add it to `hosts` in [server] if callers reach us by it"
            )));
        }
        if let Some(origin) = told.origin {
            let origin = origin.to_str().unwrap_or("null");
            if !self.is_origin_allowed(origin, host) {
                let shown: String = origin.chars().take(80).collect();
                return Err(refused(&format!(
                    "web pages of `{shown}` may not call; add it to `origins` in [server] to allow them"
                )));
            }
        } else if told.fetch_site.is_some_and(|site| site != "same-origin" && site != "none") {
            return Err(refused("a web page of another site may not call"));
        }
        Ok(())
    }

    fn is_host_allowed(&self, host: &str) -> bool {
        let name = name_of(host);
        if matches!(name, "127.0.0.1" | "localhost") {
            return true;
        }
        let literal = name.trim_start_matches('[').trim_end_matches(']');
        literal.parse::<std::net::IpAddr>().is_ok()
            || name.eq_ignore_ascii_case("localhost")
            || self
                .hosts
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name) || known.eq_ignore_ascii_case(host))
    }

    /// An origin is allowed when it is configured, or when it is our own page: the same authority as `host`.
    fn is_origin_allowed(&self, origin: &str, host: &str) -> bool {
        let own = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        own.is_some_and(|own| own.eq_ignore_ascii_case(host))
            || self.origins.iter().any(|known| known.eq_ignore_ascii_case(origin))
    }

    /// The origin to name in `Access-Control-Allow-Origin`, if the request's origin is configured.
    #[must_use]
    pub fn cors_origin<'a>(&self, told: &Told<'a>) -> Option<&'a http::HeaderValue> {
        let origin = told.origin?;
        let text = origin.to_str().ok()?;
        self.origins.iter().any(|known| known.eq_ignore_ascii_case(text)).then_some(origin)
    }
}

fn refused(why: &str) -> Error {
    Error::new(Kind::Forbidden, format!("this request was refused: {why}"))
}

/// The host without its port.
fn name_of(host: &str) -> &str {
    if host.starts_with('[') {
        return host.find(']').map_or(host, |end| &host[..=end]);
    }
    host.rsplit_once(':')
        .map_or(host, |(name, port)| if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(exposure: &Exposure, pairs: &[(&'static str, &str)]) -> bool {
        let mut headers = http::HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        exposure.check(&Told::read(&headers), None).is_ok()
    }

    #[test]
    fn a_rebound_name_is_refused_and_addresses_are_not() {
        let exposure = Exposure::new(&["gate.corp".into()], &[]);
        for host in
            ["127.0.0.1:4141", "localhost:4141", "[::1]:4141", "10.0.0.5", "gate.corp", "GATE.corp:443"]
        {
            assert!(allowed(&exposure, &[("host", host)]), "{host}");
        }
        for host in [
            "evil.example:4141",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "",
            "x/#@127.0.0.1",
            "127.0.0.1:80@evil",
        ] {
            assert!(!allowed(&exposure, &[("host", host)]), "{host}");
        }
    }

    #[test]
    fn pages_of_other_sites_are_refused_unless_configured() {
        let exposure = Exposure::new(&[], &["https://app.corp".into()]);
        let host = ("host", "127.0.0.1:4141");
        assert!(allowed(&exposure, &[host, ("origin", "http://127.0.0.1:4141")]));
        assert!(allowed(
            &exposure,
            &[host, ("origin", "https://app.corp"), ("sec-fetch-site", "cross-site")]
        ));
        assert!(!allowed(&exposure, &[host, ("origin", "http://127.0.0.1:9999")]));
        assert!(!allowed(&exposure, &[host, ("origin", "null")]));
        assert!(!allowed(&exposure, &[host, ("sec-fetch-site", "cross-site")]));
        assert!(!allowed(&exposure, &[host, ("sec-fetch-site", "same-site")]));
        assert!(allowed(&exposure, &[host, ("sec-fetch-site", "none")]));
    }
}
