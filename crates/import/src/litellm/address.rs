//! `api_base` as an address of ours.

use super::Reading;
use super::deployment::{Named, Params};
use super::given::reference;
use super::prefix::Base;
use crate::yaml::Node;

/// Where a deployment's server is.
pub(super) enum Address {
    /// At the vendor's own address.
    Vendor,
    /// At the vendor's own address for this resource.
    Resource(String),
    /// Elsewhere.
    At {
        base_url: String,
        /// The vendor whose ways it has; none where it only speaks OpenAI's API.
        vendor: Option<&'static str>,
        /// What the provider may be called after.
        hint: String,
    },
}

/// The parameters that hold an address, in the order in which they count.
const KEYS: [&str; 3] = ["api_base", "base_url", "aws_bedrock_runtime_endpoint"];

impl<'n> Reading<'n> {
    /// Where a deployment's calls go.
    pub(super) fn address(&mut self, params: &Params<'n>, named: &Named) -> Address {
        let vendor = named.prefix.map(|prefix| prefix.vendor);
        let Some((node, key)) = KEYS.iter().find_map(|key| params.get(key)) else { return Address::Vendor };
        let given = self.address_text(node, &key);
        let given = given.trim_end_matches('/');
        let host = host_of(given);
        let resource =
            |ending: &str| host.strip_suffix(ending).filter(|name| !name.is_empty() && !name.contains('.'));
        match (vendor, named.base()) {
            (Some("azure"), _) if resource(".openai.azure.com").is_some() => {
                Address::Resource(resource(".openai.azure.com").unwrap_or_default().to_owned())
            }
            (Some("azure-ai"), _) if resource(".services.ai.azure.com").is_some() => {
                Address::Resource(resource(".services.ai.azure.com").unwrap_or_default().to_owned())
            }
            (Some("openai"), _) if host == "api.openai.com" => Address::Vendor,
            // Behind LiteLLM's `openai/` with an address of its own may be any server that speaks this dialect.
            (Some("openai"), _) if !host.ends_with(".api.openai.com") => at(given.to_owned(), None),
            (Some("huggingface"), _) => at(below_v1(given), Some("tgi")),
            (vendor, Base::BelowV1) => at(below_v1(given), vendor),
            (vendor, Base::Host) => at(without_call(given).to_owned(), vendor),
            (vendor, Base::Azure) => at(given.split("/openai").next().unwrap_or(given).to_owned(), vendor),
            (vendor, Base::Same) => at(given.to_owned(), vendor),
        }
    }

    /// The text of an address. One that is not there becomes a name that no resolver knows (RFC 2606), and is told.
    fn address_text(&mut self, node: &Node, key: &str) -> String {
        self.account.take(node);
        match self.written(node) {
            Ok(text) if is_address(&text) => text,
            Ok(text) => {
                let reason = "this is no address";
                self.account.partly(node, key, reason, "write the server's address into `base_url`");
                nowhere(&text)
            }
            Err(variable) => {
                let reason =
                    "our addresses stand in the configuration itself, and this variable is not set here";
                let instead =
                    format!("write what {variable} holds into `base_url`, or import again where it is set");
                self.account.partly(node, key, reason, &instead);
                nowhere(reference(&variable).unwrap_or(&variable))
            }
        }
    }
}

fn at(base_url: String, vendor: Option<&'static str>) -> Address {
    let hint = hint_of(&base_url);
    Address::At { base_url, vendor, hint }
}

/// Whether a text is an address with a host.
fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let name = host
        .rsplit_once(':')
        .map_or(host, |(name, port)| if port.parse::<u16>().is_ok() { name } else { "" });
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "-._[]:".contains(sign);
    !name.is_empty()
        && name.chars().all(is_plain)
        && !name.starts_with(['.', '-'])
        && rest.chars().all(|sign| sign.is_ascii_graphic() && !"<>\"\\^`{|}".contains(sign))
}

/// An address that stands for one that is missing.
fn nowhere(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|sign| if sign.is_ascii_alphanumeric() { sign.to_ascii_lowercase() } else { '-' })
        .take(60)
        .collect();
    let name = plain.trim_matches('-');
    format!("https://{}.invalid", if name.is_empty() { "address" } else { name })
}

fn host_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

/// A name for the provider at an address.
fn hint_of(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
    let is_number =
        name.chars().all(|sign| sign.is_ascii_digit() || sign == '.' || sign == '[' || sign == ']');
    let first =
        if is_number || name == "localhost" { "local" } else { name.split('.').next().unwrap_or(name) };
    let numbered =
        if first == "local" && !port.is_empty() { format!("{first}-{port}") } else { first.to_owned() };
    let plain = |sign: char| if sign.is_ascii_alphanumeric() || sign == '-' { sign } else { '-' };
    numbered.chars().map(plain).collect()
}

fn below_v1(address: &str) -> String {
    if address.ends_with("/v1") { address.to_owned() } else { format!("{address}/v1") }
}

/// An address without the path of a call: LiteLLM takes both.
fn without_call(address: &str) -> &str {
    ["/v1/messages", "/v1"].iter().find_map(|path| address.strip_suffix(path)).unwrap_or(address)
}

/// The region that stands before a Bedrock id: `us-east-1/anthropic.…`.
pub(super) fn region_in(id: &str) -> Option<&str> {
    let (region, _) = id.split_once('/')?;
    let parts: Vec<&str> = region.split('-').collect();
    let is_region = matches!(parts.as_slice(), [area, .., number]
        if area.len() == 2 && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
    is_region.then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_with_a_host_are_addresses() {
        for good in ["http://0.0.0.0:4000/v1", "https://a.openai.azure.com/", "http://[::1]:8000/v1"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "your_ollama_api_base",
            "<your-endpoint>",
            "https://",
            "http://a b/",
            "ftp://x",
            "https://x:port/",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
        assert_eq!(nowhere("<your-azure-endpoint>"), "https://your-azure-endpoint.invalid");
    }

    #[test]
    fn providers_are_called_after_their_hosts() {
        assert_eq!(hint_of("http://0.0.0.0:4000/v1"), "local-4000");
        assert_eq!(hint_of("https://models.example.com/v1"), "models");
        assert_eq!(host_of("https://my.openai.azure.com:443/x"), "my.openai.azure.com");
    }

    #[test]
    fn regions_before_ids_are_told_from_models() {
        assert_eq!(region_in("us-gov-west-1/anthropic.claude"), Some("us-gov-west-1"));
        assert_eq!(region_in("meta/llama-3"), None);
    }
}
