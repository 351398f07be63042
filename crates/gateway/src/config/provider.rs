//! A `[providers.NAME]` section.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::CompatMode;

/// A place that may be called.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Provider {
    /// The catalogue's vendor, where it is not the section's own name.
    pub vendor: Option<Spanned<String>>,
    /// The wire format, for a server that the catalogue does not know or for one of several it speaks.
    pub dialect: Option<Spanned<String>>,
    /// Everything before the dialect's own path.
    pub base_url: Option<Spanned<String>>,
    /// The address of its rerank call, where it is not the vendor's or `/rerank` below `base_url`.
    pub rerank_url: Option<Spanned<String>>,
    /// The address of its call for vectors in Cohere's form, where it is not the vendor's.
    pub embed_url: Option<Spanned<String>>,
    /// What kind of model server it is, so that its metrics tell how full it is: `vllm`, `sglang`, `llamacpp`, `trt-llm`; or
    /// the address of its metrics.
    pub metrics: Option<Spanned<String>>,
    /// The address of its metrics, where it is not `/metrics` of its server.
    pub metrics_url: Option<Spanned<String>>,
    /// Its credential: `env:NAME` or `file:PATH`.
    pub api_key: Option<Spanned<String>>,
    /// Several credentials; the next is used when one is refused.
    pub api_keys: Vec<Spanned<String>>,
    /// How the credential is carried, where it is not the vendor's own way: `bearer`, `x-api-key`, `header:NAME`,
    /// `sigv4` or `none`.
    pub auth: Option<Spanned<String>>,
    /// The id of the access key that signs calls to AWS: a reference as `api_key` is.
    pub aws_access_key_id: Option<Spanned<String>>,
    /// Its secret.
    pub aws_secret_access_key: Option<Spanned<String>>,
    /// Its session token, where it is a temporary one.
    pub aws_session_token: Option<Spanned<String>>,
    /// The profile of AWS's shared credentials file that holds the key pair.
    pub aws_profile: Option<Spanned<String>>,
    /// A key file of Google's, with which access tokens are fetched; relative to the configuration file.
    pub credentials_file: Option<Spanned<PathBuf>>,
    /// `metadata`: access tokens come from the metadata server of the machine in Google's cloud.
    pub token_from: Option<Spanned<String>>,
    /// A service principal of Microsoft Entra ID, with which access tokens are fetched.
    pub entra: Option<EntraSection>,
    /// The version of Azure's API; calls then go to the addresses of deployments.
    pub api_version: Option<Spanned<String>>,
    /// The customer's own names of models, as they stand on the wire, and which model of the catalogue each is.
    pub deployments: BTreeMap<String, Spanned<String>>,
    /// Bare model names that this provider answers to, besides those of the catalogue.
    pub models: Vec<String>,
    /// The platform whose price rows apply, where it is not the vendor's.
    pub platform: Option<Spanned<String>>,
    /// Sent as `OpenAI-Organization`.
    pub organization: Option<String>,
    /// Sent as `OpenAI-Project`.
    pub project: Option<String>,
    /// Further headers of every call.
    pub headers: BTreeMap<String, Spanned<String>>,
    /// Values for placeholders in the vendor's address (`{resource}`, `{region}`).
    pub params: BTreeMap<String, String>,
    /// Deadlines.
    pub timeouts: TimeoutSection,
    /// What is done about requests that this provider would refuse, where it is not the file's own `compat`.
    pub compat: Option<CompatMode>,
    /// Further attempts after the first, 0 to 2.
    pub retries: Option<Spanned<u32>>,
    /// Whether its models rest after failures, so that routes pass them over for a while; true where not given.
    pub breaker: Option<bool>,
    /// Most calls to it at once.
    pub concurrency: Option<Spanned<u32>>,
    /// Calls that wait for a place then; twice as many as `concurrency` where not given.
    pub queue: Option<Spanned<u32>>,
    /// Whether a call may be repeated after a timeout with its body sent, which may be billed twice.
    pub retry_after_timeout: bool,
    /// PEM file of further certificate authorities.
    pub ca_file: Option<PathBuf>,
    /// PEM file of our certificate, for servers that ask for one.
    pub client_certificate: Option<PathBuf>,
    /// PEM file of its key.
    pub client_key: Option<PathBuf>,
    /// Use HTTP/2 where the server offers it.
    pub http2: bool,
    /// An outbound proxy; an empty text means none, whatever the environment says.
    pub proxy: Option<Spanned<String>>,
}

/// Deadlines in seconds.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeoutSection {
    /// Opening a connection; 5 where not given.
    pub connect: Option<f64>,
    /// Until the first byte of the answer; 600 where not given.
    pub first_byte: Option<f64>,
    /// Between two reads of the answer; 600 where not given.
    pub between_chunks: Option<f64>,
    /// The whole call; 3600 where not given.
    pub total: Option<f64>,
}

/// A service principal of Microsoft Entra ID.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntraSection {
    /// The tenant's id or domain.
    pub tenant: Spanned<String>,
    /// The application's id.
    pub client_id: Spanned<String>,
    /// Its secret: a reference as `api_key` is.
    pub client_secret: Spanned<String>,
    /// Who issues the token, where it is not Azure's public cloud.
    #[serde(default)]
    pub authority: Option<Spanned<String>>,
}

impl Provider {
    /// Every value that is a secret or says where one stands.
    pub fn secrets(&self) -> impl Iterator<Item = &Spanned<String>> {
        let entra = self.entra.as_ref().map(|section| &section.client_secret);
        let aws = [&self.aws_secret_access_key, &self.aws_session_token].into_iter().flatten();
        self.api_key.iter().chain(&self.api_keys).chain(aws).chain(entra)
    }
}
