//! Where an AWS access key pair stands: the environment, or the shared credentials file.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html> and
//! <https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html>, read 2026-11-23. Keys that come from
//! elsewhere (SSO, roles of machines) are not fetched: the command `aws configure export-credentials` prints such keys.

use std::path::{Path, PathBuf};

use pilothouse_core::secret::Secret;

use super::sigv4::AccessKey;
use crate::plan::Environment;

/// The pair that the environment holds, and how to name its place.
///
/// # Errors
/// When half of it is missing.
pub fn from_environment(environment: &Environment) -> Result<Option<(AccessKey, String)>, String> {
    let (id, secret) = (environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY"));
    match (id, secret) {
        (Some(id), Some(secret)) => {
            let session_token = environment.get("AWS_SESSION_TOKEN").map(Secret::new);
            let key = AccessKey { id: id.to_owned(), secret: Secret::new(secret), session_token };
            Ok(Some((key, "AWS_ACCESS_KEY_ID".to_owned())))
        }
        (None, None) => Ok(None),
        (Some(_), None) => Err("AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY; set both".to_owned()),
        (None, Some(_)) => Err("AWS_SECRET_ACCESS_KEY is set without AWS_ACCESS_KEY_ID; set both".to_owned()),
    }
}

/// The shared credentials file: where AWS_SHARED_CREDENTIALS_FILE says, else in the home folder.
#[must_use]
pub fn shared_file(environment: &Environment) -> Option<PathBuf> {
    let told = environment.get("AWS_SHARED_CREDENTIALS_FILE").map(PathBuf::from);
    told.or_else(|| {
        let home = environment.get("HOME").or_else(|| environment.get("USERPROFILE"))?;
        Some(Path::new(home).join(".aws").join("credentials"))
    })
}

/// The pair of a profile in a shared credentials file.
///
/// # Errors
/// A sentence that names the file and what it lacks, never what it holds.
pub fn from_file(path: &Path, profile: &str) -> Result<AccessKey, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("the file `{shown}` cannot be read ({error})"))?;
    let members = section(&text, profile)
        .ok_or_else(|| format!("the file `{shown}` has no profile `{profile}`; name one with aws_profile"))?;
    let get = |wanted: &str| members.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
    let need = |wanted: &str| {
        get(wanted).filter(|value| !value.is_empty()).ok_or_else(|| {
            format!(
                "the profile `{profile}` of `{shown}` has no {wanted}; only key pairs are read from there"
            )
        })
    };
    Ok(AccessKey {
        id: need("aws_access_key_id")?.to_owned(),
        secret: Secret::new(need("aws_secret_access_key")?),
        session_token: get("aws_session_token").filter(|value| !value.is_empty()).map(Secret::new),
    })
}

/// The members of a section; a later one of the same name adds to it, as AWS's own tools have it.
fn section<'t>(text: &'t str, profile: &str) -> Option<Vec<(&'t str, &'t str)>> {
    let mut members = None;
    let mut is_ours = false;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            is_ours = name.trim() == profile;
            if is_ours {
                members.get_or_insert_with(Vec::new);
            }
        } else if let (true, Some((name, value))) = (is_ours, line.split_once('='))
            && let Some(members) = &mut members
        {
            members.push((name.trim(), value.trim()));
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# keys\n[default]\naws_access_key_id = AKIDDEFAULT\naws_secret_access_key=one/two+three=\n\n[work ]\naws_access_key_id=ASIAWORK\naws_secret_access_key = canary\naws_session_token = tok==\n[half]\naws_access_key_id = AKIDHALF\n";

    fn file() -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), FILE).unwrap();
        file
    }

    #[test]
    fn each_profile_gives_its_own_pair() {
        let file = file();
        let default = from_file(file.path(), "default").unwrap();
        assert_eq!((default.id.as_str(), default.secret.reveal()), ("AKIDDEFAULT", "one/two+three="));
        assert_eq!(default.session_token, None);
        let work = from_file(file.path(), "work").unwrap();
        assert_eq!((work.id.as_str(), work.secret.reveal()), ("ASIAWORK", "canary"));
        assert_eq!(work.session_token.unwrap().reveal(), "tok==");
    }

    #[test]
    fn what_is_missing_is_named_with_its_file_and_without_secrets() {
        let file = file();
        let shown = file.path().display().to_string();
        for (profile, wanted) in [("half", "no aws_secret_access_key"), ("none", "no profile `none`")] {
            let error = from_file(file.path(), profile).unwrap_err();
            assert!(error.contains(wanted) && error.contains(&shown), "{error}");
            assert!(!error.contains("canary") && !error.contains("AKIDHALF"), "{error}");
        }
        assert!(
            from_file(Path::new("/nowhere/credentials"), "default").unwrap_err().contains("cannot be read")
        );
    }

    #[test]
    fn half_a_pair_in_the_environment_is_an_error() {
        let environment = |names: &[&str]| Environment {
            variables: names.iter().map(|name| ((*name).to_owned(), "value".to_owned())).collect(),
            ..Environment::default()
        };
        assert_eq!(from_environment(&environment(&[])).unwrap(), None);
        assert!(from_environment(&environment(&["AWS_ACCESS_KEY_ID"])).unwrap_err().contains("SECRET"));
        assert!(from_environment(&environment(&["AWS_SECRET_ACCESS_KEY"])).unwrap_err().contains("KEY_ID"));
        let both = environment(&["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]);
        assert_eq!(from_environment(&both).unwrap().unwrap().1, "AWS_ACCESS_KEY_ID");
    }
}
