//! With which key receipts are sealed: one that is configured, or one that is made beside the configuration.

use std::fs;
use std::path::{Path, PathBuf};

use pilothouse_store::{Sealing, SigningKey};
use sha2::{Digest as _, Sha256};
use toml::Spanned;

use crate::plan::Environment;

use super::{ConfigError, Diagnostic, SecretRef, Source};

/// The name that a configuration file has where none was given.
const DEFAULT_NAME: &str = "pilothouse.toml";

/// Where the signing key and the head file stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signing {
    key: KeyPlace,
    /// The configuration's folder, and what files of it that stand beside it begin with.
    folder: PathBuf,
    name: String,
    /// The configuration's own data folder.
    data: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum KeyPlace {
    Environment(String),
    /// As configured.
    File(PathBuf),
    /// Beside the configuration, made where it is not there.
    Beside,
}

impl Signing {
    /// What a configuration says.
    ///
    /// # Errors
    /// A [`ConfigError`] for a key that stands in the configuration itself or in the data folder.
    pub fn of(source: &Source) -> Result<Self, ConfigError> {
        let folder = source.folder();
        let data = source.data_dir();
        let wrong = |key: &Spanned<String>, message: &str| {
            let span = Some(key.span());
            source.error(vec![Diagnostic { span, message: format!("`store.signing_key` {message}") }])
        };
        let key = match &source.file.store.signing_key {
            None => KeyPlace::Beside,
            Some(key) => match SecretRef::parse(key.get_ref()) {
                SecretRef::Environment(name) => KeyPlace::Environment(name),
                SecretRef::File(path) => {
                    let path = folder.join(path);
                    if one_name(&path).starts_with(one_name(&data)) {
                        return Err(wrong(
                            key,
                            "is in the data folder, where whoever can change receipts could sign them too: put it \
                             somewhere else",
                        ));
                    }
                    KeyPlace::File(path)
                }
                SecretRef::Literal(_) => {
                    return Err(wrong(
                        key,
                        "must be `file:PATH` or `env:NAME`: a key does not belong into this file",
                    ));
                }
            },
        };
        let name = source.path.as_deref().and_then(Path::file_name);
        let name = name.map_or_else(|| DEFAULT_NAME.to_owned(), |name| name.to_string_lossy().into_owned());
        Ok(Self { key, folder, name, data })
    }

    /// The key file that is made where none is configured.
    #[must_use]
    pub fn default_key(&self) -> PathBuf {
        self.folder.join(format!(".{}.key", self.name))
    }

    /// The head file of the ledger in `data`. Another data folder than the configuration's has one of its own.
    #[must_use]
    pub fn head(&self, data: &Path) -> PathBuf {
        let (own, asked) = (one_name(&self.data), one_name(data));
        if own == asked {
            return self.folder.join(format!(".{}.head", self.name));
        }
        let digest = Sha256::digest(asked.as_os_str().as_encoded_bytes());
        let tag: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(format!(".{}.head-{tag}", self.name))
    }

    /// Reads the key for the ledger in `data`. Makes nothing.
    ///
    /// # Errors
    /// A sentence that says where the key was looked for and what to do.
    pub fn read(&self, data: &Path, environment: &Environment) -> Result<Sealing, String> {
        let key = match &self.key {
            KeyPlace::Environment(name) => match environment.get(name) {
                Some(text) => SigningKey::parse(text).map_err(|what| {
                    format!("the signing key of the environment variable {name} is wrong: {what}")
                })?,
                None => {
                    return Err(format!(
                        "the environment variable {name} of `store.signing_key` is not set; put there what `openssl \
                         genpkey -algorithm ed25519` writes"
                    ));
                }
            },
            KeyPlace::File(path) => {
                let hint = "make one with `openssl genpkey -algorithm ed25519 -out PATH`, or correct `store.signing_key`";
                SigningKey::read(path).map_err(|error| format!("{error}; {hint}"))?
            }
            KeyPlace::Beside => SigningKey::read(&self.default_key()).map_err(|error| error.to_string())?,
        };
        Ok(Sealing::new(key).with_head(self.head(data)))
    }

    /// Reads the key for the ledger in `data`, or makes the one beside the configuration; with the file that was
    /// made.
    ///
    /// # Errors
    /// As [`Signing::read`].
    pub fn read_or_make(
        &self,
        data: &Path,
        environment: &Environment,
    ) -> Result<(Sealing, Option<PathBuf>), String> {
        if self.key != KeyPlace::Beside {
            return Ok((self.read(data, environment)?, None));
        }
        let path = self.default_key();
        let (key, is_new) = SigningKey::read_or_make(&path).map_err(|error| error.to_string())?;
        Ok((Sealing::new(key).with_head(self.head(data)), is_new.then_some(path)))
    }

    /// Whether the configuration names a key, so that a start without it is refused.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.key != KeyPlace::Beside
    }
}

/// A path by its one name, also before its last part exists.
fn one_name(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    fs::canonicalize(&path).unwrap_or_else(|_| {
        let parent = path.parent().and_then(|parent| fs::canonicalize(parent).ok());
        parent.zip(path.file_name()).map_or_else(|| path.clone(), |(parent, name)| parent.join(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: Vec<(String, String)>) -> Environment {
        Environment { variables, ..Environment::of_process(&Source::empty()) }
    }

    fn source(dir: &Path, text: &str) -> Source {
        Source::parse(text.to_owned(), Some(dir.join("team.toml"))).unwrap()
    }

    #[test]
    fn without_a_word_the_key_is_made_beside_the_configuration_once() {
        let dir = tempfile::tempdir().unwrap();
        let signing = Signing::of(&source(dir.path(), "")).unwrap();
        let data = dir.path().join(".pilothouse");
        assert!(signing.read(&data, &environment(vec![])).is_err(), "reading makes nothing");
        let (made, path) = signing.read_or_make(&data, &environment(vec![])).unwrap();
        assert_eq!(path, Some(dir.path().join(".team.toml.key")));
        let (again, path) = signing.read_or_make(&data, &environment(vec![])).unwrap();
        assert_eq!((path, made.key.public()), (None, again.key.public()));
        assert_eq!(made.head, Some(dir.path().join(".team.toml.head")));
    }

    #[test]
    fn the_example_of_the_docs_names_a_key() {
        let page = include_str!("../../../../docs/src/receipts.md");
        let (_, rest) = page.split_once("```toml\n").unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        let signing = Signing::of(&source(Path::new("/nowhere"), example)).unwrap();
        assert_eq!(signing.key, KeyPlace::File(PathBuf::from("/run/secrets/ledger.pem")));
    }

    #[test]
    fn another_data_folder_has_a_head_file_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let signing = Signing::of(&source(dir.path(), "")).unwrap();
        let other = signing.head(&dir.path().join("elsewhere"));
        assert!(other.to_string_lossy().contains(".team.toml.head-"), "{}", other.display());
        assert_ne!(other, signing.head(&dir.path().join("nowhere")));
    }

    #[test]
    fn a_key_of_the_environment_or_of_a_file_is_read_and_never_made() {
        let dir = tempfile::tempdir().unwrap();
        let (key, _) = SigningKey::read_or_make(&dir.path().join("made")).unwrap();
        let text = fs::read_to_string(dir.path().join("made")).unwrap();
        for (config, variables) in [
            ("[store]\nsigning_key = \"file:made\"", vec![]),
            ("[store]\nsigning_key = \"env:KEY\"", vec![("KEY".to_owned(), text)]),
        ] {
            let signing = Signing::of(&source(dir.path(), config)).unwrap();
            let (sealing, made) = signing.read_or_make(dir.path(), &environment(variables)).unwrap();
            assert_eq!((sealing.key.public(), made, signing.is_configured()), (key.public(), None, true));
        }
        for (config, word) in [("file:other", "openssl genpkey"), ("env:OTHER", "OTHER")] {
            let config = format!("[store]\nsigning_key = \"{config}\"");
            let signing = Signing::of(&source(dir.path(), &config)).unwrap();
            let refusal = signing.read_or_make(dir.path(), &environment(vec![])).unwrap_err();
            assert!(refusal.contains(word), "{refusal}");
        }
    }

    #[test]
    fn a_key_in_the_configuration_or_beside_the_receipts_is_refused_with_its_place() {
        let dir = tempfile::tempdir().unwrap();
        for (key, word) in
            [("c2VjcmV0", "must be `file:PATH`"), ("file:.pilothouse/key", "is in the data folder")]
        {
            let config = format!("[store]\nsigning_key = \"{key}\"");
            let refusal = Signing::of(&source(dir.path(), &config)).unwrap_err().to_string();
            assert!(refusal.contains(word) && refusal.contains('2'), "{refusal}");
        }
    }
}
