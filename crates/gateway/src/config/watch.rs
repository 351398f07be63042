//! The files that a configuration is made of: itself and what it points at, so that a change of any is noticed.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{SecretRef, Source};

/// What tells that a file has changed: when, how long, and which one, because it may have been replaced.
type Stamp = Option<(SystemTime, u64, u64)>;

/// The files of a configuration, as they were when last looked at.
#[derive(Clone, Debug)]
pub struct Watched(Vec<(PathBuf, Stamp)>);

impl Watched {
    /// The configuration file at `path` alone, before it was read.
    #[must_use]
    pub fn file(path: &Path) -> Self {
        Self(vec![(path.to_owned(), stamp(path))])
    }

    /// A configuration that was read: its file, every `file:` secret, key files of clouds, certificates, overlays.
    #[must_use]
    pub fn of(source: &Source) -> Self {
        let mut paths: Vec<PathBuf> = source.path.iter().cloned().collect();
        paths.extend(pointed_at(source).map(|path| source.folder().join(path)));
        paths.sort_unstable();
        paths.dedup();
        Self(paths.into_iter().map(|path| (stamp(&path), path)).map(|(stamp, path)| (path, stamp)).collect())
    }

    /// Whether any of them has changed since it was last looked at. A file that is gone for a moment, as while it is being
    /// replaced, has not changed until it is back.
    pub fn has_changed(&mut self) -> bool {
        let mut has_changed = false;
        for (path, known) in &mut self.0 {
            let now = stamp(path);
            if now.is_some() && now != *known {
                *known = now;
                has_changed = true;
            }
        }
        has_changed
    }

    /// Watches the files of a configuration that was read anew. What had been seen of a file stays seen, so that a change
    /// between reading and this is not missed.
    pub fn follow(&mut self, source: &Source) {
        let mut next = Self::of(source);
        for (path, stamp) in &mut next.0 {
            if let Some((_, known)) = self.0.iter().find(|(known, _)| known == path) {
                *stamp = *known;
            }
        }
        *self = next;
    }
}

fn stamp(path: &Path) -> Stamp {
    // Follows links: orchestrators replace mounted secrets by turning a link.
    let about = std::fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len(), about.ino()))
}

/// The paths that a configuration names.
fn pointed_at(source: &Source) -> impl Iterator<Item = PathBuf> {
    let file = &source.file;
    let store = [&file.store.bodies_key, &file.store.signing_key].into_iter().flatten();
    let secrets = file.providers.values().flat_map(super::Provider::secrets);
    let secrets = secrets
        .chain(file.keys.values().flat_map(super::Key::secrets))
        .chain(&file.server.admin_token)
        .chain(store);
    let secrets = secrets.filter_map(|given| match SecretRef::parse(given.get_ref()) {
        SecretRef::File(path) => Some(path),
        SecretRef::Environment(_) | SecretRef::Literal(_) => None,
    });
    let providers = file.providers.values().flat_map(|provider| {
        let key_file = provider.credentials_file.iter().map(|path| path.get_ref());
        key_file.chain(&provider.ca_file).chain(&provider.client_certificate).chain(&provider.client_key)
    });
    let overlays = file.catalog.refreshed.iter().chain(&file.catalog.overlay).map(toml::Spanned::get_ref);
    let plans =
        file.lifecycle.targets.values().filter_map(|target| target.plan.as_ref().map(toml::Spanned::get_ref));
    secrets.chain(providers.chain(overlays).chain(plans).cloned()).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_replaced_is_noticed_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pilothouse.toml");
        std::fs::write(folder.path().join("openai.key"), "sk-one").unwrap();
        std::fs::write(&path, "[providers.openai]\napi_keys = [\"file:openai.key\", \"env:OTHER\"]\n")
            .unwrap();
        let mut watched = Watched::file(&path);
        watched.follow(&Source::read(&path).unwrap());
        assert!(!watched.has_changed());
        std::fs::write(folder.path().join("openai.key.new"), "sk-two").unwrap();
        std::fs::rename(folder.path().join("openai.key.new"), folder.path().join("openai.key")).unwrap();
        assert!(watched.has_changed(), "the same length, another file");
        assert!(!watched.has_changed());
        std::fs::remove_file(folder.path().join("openai.key")).unwrap();
        assert!(!watched.has_changed(), "it may be on its way");
        std::fs::write(folder.path().join("openai.key"), "sk-three").unwrap();
        assert!(watched.has_changed());
        std::fs::write(&path, "[providers.openai]\n").unwrap();
        assert!(watched.has_changed());
        watched.follow(&Source::read(&path).unwrap());
        std::fs::write(folder.path().join("openai.key"), "sk-fourth").unwrap();
        assert!(!watched.has_changed(), "nothing points at it any more");
    }
}
