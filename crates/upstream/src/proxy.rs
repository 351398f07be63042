//! Outbound proxies: from configuration, else from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.

use base64::Engine as _;
use http::Uri;
use pilothouse_core::secret::Secret;

/// A proxy that takes our connections.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The value of `Proxy-Authorization`, if the URL held credentials.
    pub(crate) authorization: Option<Secret>,
}

impl Proxy {
    /// The proxy for calls to `host:port`, if any: `configured` wins, loopback never goes through the
    /// environment's proxy unless it is configured.
    pub(crate) fn choose(
        is_tls: bool,
        host: &str,
        port: u16,
        configured: Option<&str>,
        environment: &[(String, String)],
    ) -> Result<Option<Self>, String> {
        if let Some(url) = configured {
            return if url.is_empty() { Ok(None) } else { Self::parse(url).map(Some) };
        }
        let variable = |names: &[&str]| {
            names.iter().find_map(|wanted| {
                environment
                    .iter()
                    .find(|(name, value)| name.eq_ignore_ascii_case(wanted) && !value.is_empty())
                    .map(|(_, value)| value.as_str())
            })
        };
        let is_loopback = host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if is_loopback || variable(&["NO_PROXY"]).is_some_and(|list| is_excluded(list, host, port)) {
            return Ok(None);
        }
        let scheme = if is_tls { "HTTPS_PROXY" } else { "HTTP_PROXY" };
        variable(&[scheme, "ALL_PROXY"]).map(Self::parse).transpose()
    }

    fn parse(url: &str) -> Result<Self, String> {
        let full = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let uri: Uri = full.parse().map_err(|_| "the proxy's URL cannot be read".to_owned())?;
        if uri.scheme_str() != Some("http") {
            return Err("only http:// proxies are supported (they tunnel TLS by CONNECT)".to_owned());
        }
        let authority = uri.authority().ok_or("the proxy's URL has no host")?;
        let authorization = authority.as_str().rsplit_once('@').map(|(userinfo, _)| {
            let encoded = base64::engine::general_purpose::STANDARD.encode(percent_decode(userinfo));
            Secret::new(&format!("Basic {encoded}"))
        });
        Ok(Self {
            host: authority.host().trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: authority.port_u16().unwrap_or(3128),
            authorization,
        })
    }
}

fn percent_decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match (bytes[at], pair.and_then(|pair| u8::from_str_radix(pair, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// Whether `NO_PROXY` lists the host: `*`, an exact name, `.suffix` or `suffix`, with an optional port.
fn is_excluded(list: &str, host: &str, port: u16) -> bool {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        if entry == "*" {
            return true;
        }
        let (name, wanted_port) = match entry.rsplit_once(':') {
            Some((name, digits)) if !name.contains(':') => (name, digits.parse::<u16>().ok()),
            _ => (entry, None),
        };
        let name = name.trim_start_matches('*').trim_start_matches('.');
        let is_same = host.eq_ignore_ascii_case(name)
            || (host.len() > name.len()
                && host.as_bytes()[host.len() - name.len() - 1] == b'.'
                && host[host.len() - name.len()..].eq_ignore_ascii_case(name));
        is_same && wanted_port.is_none_or(|wanted| wanted == port)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(host: &str, no_proxy: &str) -> bool {
        let environment = [
            ("https_proxy".to_owned(), "http://user:p%40ss@proxy.corp:8080".to_owned()),
            ("NO_PROXY".to_owned(), no_proxy.to_owned()),
        ];
        Proxy::choose(true, host, 443, None, &environment).unwrap().is_some()
    }

    #[test]
    fn no_proxy_excludes_names_suffixes_and_ports() {
        assert!(chosen("api.openai.com", ""));
        assert!(!chosen("api.openai.com", "openai.com"));
        assert!(!chosen("api.openai.com", "x,.openai.com"));
        assert!(!chosen("api.openai.com", "*"));
        assert!(chosen("notopenai.com", "openai.com"));
        assert!(chosen("api.openai.com", "openai.com:8443"));
        assert!(!chosen("127.0.0.1", ""));
    }

    #[test]
    fn proxy_credentials_are_decoded_and_kept_secret() {
        let proxy = Proxy::parse("http://user:p%40ss@proxy.corp").unwrap();
        assert_eq!(proxy.authorization.as_ref().unwrap().reveal(), "Basic dXNlcjpwQHNz");
        assert!(!format!("{proxy:?}").contains("dXNlcjpwQHNz"));
    }
}
