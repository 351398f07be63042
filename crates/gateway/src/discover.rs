//! Without a configuration file: which vendors have a key in the environment, and which model servers run here.
//!
//! A bounded GET of the model list to a few well-known loopback ports, without any credential.

use std::fmt::Write as _;
use std::time::Duration;

use http::Method;
use pilothouse_catalog::{Catalog, Vendor};
use pilothouse_core::dialect::Dialect;
use pilothouse_upstream::{Client, Head, Origin, OriginOptions, Request, Timeouts};
use serde::Deserialize;

use crate::config::{ConfigError, Source};
use crate::plan::Environment;

/// How long a server on this machine has to answer.
const PATIENCE: Duration = Duration::from_millis(300);
/// Largest model list that is read.
const LIST_MAX: usize = 1024 * 1024;
/// Most models of one server that are taken over.
const MODELS_MAX: usize = 200;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Variables with keys, and whose they are.
    pub keys: Vec<(String, String)>,
    /// Servers on this machine: name, address, models.
    pub servers: Vec<(String, String, Vec<String>)>,
}

impl Found {
    /// Whether nothing was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.servers.is_empty()
    }
}

impl std::fmt::Display for Found {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys = self.keys.iter().map(|(variable, vendor)| format!("{variable} ({vendor})"));
        let servers = self.servers.iter().map(|(name, address, models)| {
            let plural = if models.len() == 1 { "" } else { "s" };
            format!("{name} at {address} ({} model{plural})", models.len())
        });
        let all: Vec<String> = keys.chain(servers).collect();
        out.write_str(&all.join(", "))
    }
}

/// Looks around and makes a configuration of what is there.
///
/// # Errors
/// When what was found does not make a configuration, which would be our fault.
pub fn discover(environment: &Environment, asks_ports: bool) -> Result<(Source, Found), ConfigError> {
    let catalog = Catalog::bundled();
    let mut found = Found::default();
    let mut text = String::new();
    for vendor in catalog.vendors() {
        let variable = vendor.key_env.iter().find(|name| environment.get(name).is_some());
        let is_callable = vendor.surfaces.iter().any(|surface| {
            Dialect::parse(&surface.dialect).is_some()
                && surface.base_url.as_deref().is_some_and(|url| !url.contains('{'))
        });
        if let (Some(variable), true, false) = (variable, is_callable, vendor.is_local()) {
            found.keys.push((variable.clone(), vendor.name.clone()));
            let _ = writeln!(text, "[providers.{}]\napi_key = {:?}", vendor.name, format!("env:{variable}"));
        }
    }
    if asks_ports {
        found.servers = local_servers(&catalog);
        for (name, address, models) in &found.servers {
            let _ = writeln!(
                text,
                "[providers.{name:?}]\nvendor = {name:?}\ndialect = \"openai-chat\"\nbase_url = \"http://{address}/v1\"\nmodels = {models:?}"
            );
        }
    }
    Ok((Source::parse(text, None)?, found))
}

fn local_servers(catalog: &Catalog) -> Vec<(String, String, Vec<String>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return Vec::new() };
    let mut ports: Vec<(u16, &Vendor)> =
        catalog.vendors().iter().filter_map(|vendor| Some((vendor.local_port?, vendor))).collect();
    ports.sort_by_key(|(port, _)| *port);
    ports.dedup_by_key(|(port, _)| *port);
    ports.truncate(4);
    let asked = ports.into_iter().map(|(port, vendor)| async move {
        let models = models_at(port).await?;
        Some((vendor.name.clone(), format!("127.0.0.1:{port}"), models))
    });
    runtime.block_on(futures_util::future::join_all(asked)).into_iter().flatten().collect()
}

#[derive(Deserialize)]
struct List {
    data: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
}

async fn models_at(port: u16) -> Option<Vec<String>> {
    let timeouts =
        Timeouts { connect: PATIENCE, first_byte: PATIENCE, between_chunks: PATIENCE, total: PATIENCE * 2 };
    let options = OriginOptions { timeouts, ..OriginOptions::default() };
    let origin = Origin::new(&format!("http://127.0.0.1:{port}/v1"), &options).ok()?;
    let head = Head::for_origin(&origin, &Method::GET, "/models", &[]);
    let request = Request { head: &head, tail: "", extra: &[], body: &[] };
    let answer = Client::new().send(&origin, &request, |_| false, &mut 0).await.ok()?;
    if !answer.status.is_success() {
        return None;
    }
    let body = answer.body.collect(LIST_MAX).await.ok()?;
    let list: List = serde_json::from_slice(&body).ok()?;
    Some(list.data.into_iter().map(|entry| entry.id).take(MODELS_MAX).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        let variables = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Environment { variables, ..Environment::default() }
    }

    #[test]
    fn keys_in_the_environment_become_providers_without_being_copied() {
        let environment = environment(&[
            ("OPENAI_API_KEY", "sk-canary"),
            ("ANTHROPIC_API_KEY", "sk-canary"),
            ("GROQ_API_KEY", ""),
        ]);
        let (source, found) = discover(&environment, false).unwrap();
        let names: Vec<_> = source.file.providers.keys().map(|name| name.get_ref().as_str()).collect();
        assert_eq!(names, ["anthropic", "openai"]);
        assert!(!source.text.contains("canary"));
        assert!(found.to_string().contains("OPENAI_API_KEY (openai)"), "{found}");
    }

    #[test]
    fn nothing_in_the_environment_makes_no_provider() {
        let (source, found) = discover(&environment(&[]), false).unwrap();
        assert!(found.is_empty() && source.file.providers.is_empty());
    }

    #[test]
    fn a_model_server_is_asked_for_its_models_without_a_credential() {
        use std::io::{Read as _, Write as _};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut seen = Vec::new();
            let mut byte = [0; 1];
            while !seen.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                seen.push(byte[0]);
            }
            let body = r#"{"object":"list","data":[{"id":"qwen3.6:27b"},{"id":"gemma4"}]}"#;
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
            String::from_utf8(seen).unwrap()
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(
            runtime.block_on(models_at(port)),
            Some(vec!["qwen3.6:27b".to_owned(), "gemma4".to_owned()])
        );
        let request = server.join().unwrap().to_ascii_lowercase();
        assert!(
            request.starts_with("get /v1/models http/1.1") && !request.contains("authorization"),
            "{request}"
        );
    }
}
