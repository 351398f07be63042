//! Every example configuration of the repository starts a gateway, with the secrets and files that it points at.

use std::path::{Path, PathBuf};

use pilothouse_gateway::config::Source;
use pilothouse_gateway::server::{Options, Server};

use crate::harness::environment;

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    found.sort();
    found
}

/// The quoted words of a text that begin or end so.
fn quoted(text: &str, fits: impl Fn(&str) -> bool) -> Vec<String> {
    text.split('"').skip(1).step_by(2).filter(|word| fits(word)).map(str::to_owned).collect()
}

/// Writes a certificate with its key under whatever names the example points at.
fn write_files(text: &str, folder: &Path) {
    let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    for name in quoted(text, |word| word.ends_with(".pem")) {
        assert!(Path::new(&name).is_relative(), "{name}: an example's files stand beside it");
        let content = if name.contains("key") { pair.signing_key.serialize_pem() } else { pair.cert.pem() };
        let path = folder.join(&name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    for name in quoted(text, |word| word.starts_with("file:")) {
        let path = folder.join(name.strip_prefix("file:").unwrap());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("secret-of-{}\n", name.len())).unwrap();
    }
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy_folder(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn every_example_configuration_starts_a_gateway() {
    let examples = examples();
    assert!(examples.len() >= 6, "{examples:?}");
    for example in examples {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(example.parent().unwrap(), folder.path());
        let path = folder.path().join(example.file_name().unwrap());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# "), "{}: the first line says what it is for", path.display());
        write_files(&text, folder.path());
        let names = quoted(&text, |word| word.starts_with("env:"));
        let secrets: Vec<(String, String)> =
            names.iter().map(|name| (name[4..].to_owned(), format!("secret-{name}"))).collect();
        let variables: Vec<(&str, &str)> =
            secrets.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut options = Options::new(Source::read(&path).unwrap_or_else(|error| panic!("{error}")));
        options.environment = environment(folder.path(), &variables);
        options.listen = Some(([127, 0, 0, 1], 0).into());
        options.workers = Some(1);
        options.data_dir = Some(folder.path().join("data"));
        let gateway = Server::start(options).unwrap_or_else(|error| panic!("{error}"));
        assert!(!gateway.plan().providers.is_empty(), "{}", path.display());
        gateway.stop(|| true).unwrap();
    }
}

#[test]
fn an_example_without_its_secrets_says_which_is_missing_and_where() {
    let path = examples().into_iter().find(|path| path.ends_with("team.toml")).unwrap();
    let mut options = Options::new(Source::read(&path).unwrap());
    let folder = tempfile::tempdir().unwrap();
    options.environment = environment(folder.path(), &[]);
    options.listen = Some(([127, 0, 0, 1], 0).into());
    options.data_dir = Some(folder.path().join("data"));
    let Err(error) = Server::start(options) else { panic!("it started without secrets") };
    let error = error.to_string();
    for name in ["OPENAI_API_KEY", "OPENAI_API_KEY_2", "ANTHROPIC_API_KEY", "PILOTHOUSE_KEY_SEARCH"] {
        assert!(error.contains(&format!("the environment variable {name} is not set")), "{error}");
    }
    assert!(error.contains("team.toml:"), "{error}");
}

#[test]
fn a_literal_secret_is_warned_of_by_its_place_and_never_repeated() {
    let text =
        "[providers.openai]\nbase_url = \"http://127.0.0.1:9/v1\"\napi_key = \"sk-canary-in-the-file\"\n";
    let source = pilothouse_gateway::config::Source::parse(text.to_owned(), None).unwrap();
    let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 4141));
    let metrics = std::sync::Arc::default();
    let environment = pilothouse_gateway::plan::Environment::default();
    let plan = pilothouse_gateway::plan::build(&source, &environment, listen, 1, &metrics).unwrap();
    let warnings = plan.warnings.expect("a literal secret is worth a warning").to_string();
    assert!(warnings.contains("configuration:3:11: warning"), "{warnings}");
    assert!(!warnings.contains("canary"), "{warnings}");
}
