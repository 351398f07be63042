//! How a provider knows us: where its credentials stand, and which of several kinds counts.
//!
//! What the section gives comes first: keys, an AWS key pair or profile, a key file of Google's or its metadata server, a
//! service principal of Entra ID; two kinds at once are an error. What it leaves open the environment may give: the
//! variable of the vendor's key, then AWS's own variables and file where calls may be signed, then
//! GOOGLE_APPLICATION_CREDENTIALS where Google issues tokens.

use std::path::PathBuf;

use http::{HeaderName, HeaderValue};
use pilothouse_catalog::{Auth, TokenIssuer};
use pilothouse_core::secret::Secret;

use super::section::Section;
use crate::cloud::sigv4::AccessKey;
use crate::cloud::{Grant, KeyFile, Principal, aws};
use crate::config::{self, Diagnostic};

/// What a provider's calls are authorised with.
pub(super) enum Credentials {
    /// Secrets that headers carry as they are, tried in turn.
    Fixed(Vec<Secret>),
    /// A key pair that signs, and where it stands.
    Signed(AccessKey, String),
    /// Tokens that are fetched, and by what they are configured.
    Fetched(Grant, String),
}

/// Reads the credentials of a section. What is wrong is added to `wrong`.
pub(super) fn credentials(section: &Section<'_>, wrong: &mut Vec<Diagnostic>) -> Credentials {
    if let Some(problem) = conflict(section) {
        wrong.push(problem);
        return Credentials::Fixed(Vec::new());
    }
    match given(section, wrong).or_else(|| of_environment(section, wrong)) {
        Some(credentials) => credentials,
        None => Credentials::Fixed(Vec::new()),
    }
}

/// Whether calls of a section may be signed.
pub(super) fn may_sign(section: &Section<'_>) -> bool {
    let is_asked = section.given.auth.as_ref().is_some_and(|auth| auth.get_ref() == "sigv4");
    let has_signed =
        |vendor: &pilothouse_catalog::Vendor| vendor.surfaces.iter().any(|one| one.signs_for.is_some());
    is_asked || (section.given.auth.is_none() && section.vendor.is_some_and(has_signed))
}

/// Two kinds of credentials, or one that the vendor does not take.
fn conflict(section: &Section<'_>) -> Option<Diagnostic> {
    let given = section.given;
    let name = section.name.get_ref();
    let key = given.api_key.iter().chain(&given.api_keys).map(|it| ("api_key", it.span())).next();
    let pair = [
        ("aws_access_key_id", &given.aws_access_key_id),
        ("aws_secret_access_key", &given.aws_secret_access_key),
        ("aws_session_token", &given.aws_session_token),
        ("aws_profile", &given.aws_profile),
    ];
    let pair = pair.into_iter().find_map(|(what, it)| Some((what, it.as_ref()?.span())));
    let file = given.credentials_file.as_ref().map(|it| ("credentials_file", it.span()));
    let from = given.token_from.as_ref().map(|it| ("token_from", it.span()));
    let entra = given.entra.as_ref().map(|it| ("entra", it.client_id.span()));
    let mut kinds = [key, pair.clone(), file.clone(), from.clone(), entra.clone()].into_iter().flatten();
    if let (Some((first, _)), Some((second, span))) = (kinds.next(), kinds.next()) {
        let message = format!("`{name}` has {first} and {second}: which is meant? keep one of them");
        return Some(Diagnostic::at(span, message));
    }
    let issuer = section.vendor.and_then(|vendor| vendor.tokens);
    let (what, span, why) = match (pair, file.or(from), entra) {
        (Some((what, span)), ..) if !may_sign(section) => (what, span, "does not take signed calls"),
        (_, Some((what, span)), _) if issuer != Some(TokenIssuer::Google) => {
            (what, span, "takes no tokens of Google's")
        }
        (.., Some((what, span))) if issuer != Some(TokenIssuer::Entra) => {
            (what, span, "takes no tokens of Entra ID")
        }
        _ => return None,
    };
    Some(Diagnostic::at(span, format!("`{name}` {why}; remove {what}, or name the vendor that it is for")))
}

/// What the section itself gives.
fn given(section: &Section<'_>, wrong: &mut Vec<Diagnostic>) -> Option<Credentials> {
    let given = section.given;
    let keys: Vec<_> = given.api_key.iter().chain(&given.api_keys).collect();
    if !keys.is_empty() {
        return Some(Credentials::Fixed(
            keys.into_iter().filter_map(|key| secret(section, key, wrong)).collect(),
        ));
    }
    if let Some(found) = pair(section, wrong) {
        return Some(found);
    }
    if let Some(path) = &given.credentials_file {
        let path = Diagnosed { value: section.environment.folder.join(path.get_ref()), span: path.span() };
        return key_file(path, wrong);
    }
    if let Some(from) = &given.token_from {
        if from.get_ref() == "metadata" {
            let grant = Grant::metadata(section.environment.get("GCE_METADATA_HOST"));
            return Some(Credentials::Fetched(grant, "token_from".to_owned()));
        }
        let message = format!("`{}` issues no tokens; `metadata` does", from.get_ref());
        wrong.push(Diagnostic::at(from.span(), message));
        return Some(Credentials::Fixed(Vec::new()));
    }
    let entra = given.entra.as_ref()?;
    let client_secret = secret(section, &entra.client_secret, wrong);
    let client_id = secret(section, &entra.client_id, wrong);
    let authority = entra.authority.as_ref().map(|it| it.get_ref().as_str());
    let principal = client_id
        .zip(client_secret)
        .map(|(id, secret)| Principal::new(entra.tenant.get_ref(), id.reveal(), secret, authority));
    match principal {
        Some(Ok(principal)) => Some(Credentials::Fetched(Grant::Entra(principal), "entra".to_owned())),
        Some(Err(why)) => {
            wrong.push(Diagnostic::at(entra.tenant.span(), why));
            Some(Credentials::Fixed(Vec::new()))
        }
        None => Some(Credentials::Fixed(Vec::new())),
    }
}

/// The key pair that the section gives, or that of the profile it names.
fn pair(section: &Section<'_>, wrong: &mut Vec<Diagnostic>) -> Option<Credentials> {
    let given = section.given;
    if let Some(profile) = &given.aws_profile {
        let file = aws::shared_file(section.environment);
        let key = match &file {
            Some(file) => aws::from_file(file, profile.get_ref()),
            None => Err("no shared credentials file is known; set AWS_SHARED_CREDENTIALS_FILE".to_owned()),
        };
        return match key {
            Ok(key) => {
                let place = format!("the profile `{}` of {}", profile.get_ref(), shown(file.as_ref()));
                Some(Credentials::Signed(key, place))
            }
            Err(why) => {
                wrong.push(Diagnostic::at(profile.span(), why));
                Some(Credentials::Fixed(Vec::new()))
            }
        };
    }
    let (id, secret_key) = match (&given.aws_access_key_id, &given.aws_secret_access_key) {
        (None, None) => {
            let token = given.aws_session_token.as_ref()?;
            let message =
                "a session token alone signs nothing: give aws_access_key_id and aws_secret_access_key";
            wrong.push(Diagnostic::at(token.span(), message));
            return Some(Credentials::Fixed(Vec::new()));
        }
        (Some(id), Some(secret_key)) => (id, secret_key),
        (Some(half), None) | (None, Some(half)) => {
            let message = "a key pair has two halves: give aws_access_key_id and aws_secret_access_key";
            wrong.push(Diagnostic::at(half.span(), message));
            return Some(Credentials::Fixed(Vec::new()));
        }
    };
    let session_token = given.aws_session_token.as_ref().map(|token| secret(section, token, wrong));
    let (id, secret_key) = (secret(section, id, wrong), secret(section, secret_key, wrong));
    let (Some(id), Some(secret), None | Some(Some(_))) = (id, secret_key, &session_token) else {
        return Some(Credentials::Fixed(Vec::new()));
    };
    let key = AccessKey { id: id.reveal().to_owned(), secret, session_token: session_token.flatten() };
    Some(Credentials::Signed(key, "aws_access_key_id".to_owned()))
}

/// What the environment gives where the section says nothing.
fn of_environment(section: &Section<'_>, wrong: &mut Vec<Diagnostic>) -> Option<Credentials> {
    let environment = section.environment;
    let is_asked_to_sign = section.given.auth.as_ref().is_some_and(|auth| auth.get_ref() == "sigv4");
    let names = section.vendor.map(|vendor| vendor.key_env.as_slice()).unwrap_or_default();
    let key = names.iter().find_map(|name| environment.get(name));
    if let (Some(key), false) = (key, is_asked_to_sign) {
        return Some(Credentials::Fixed(vec![Secret::new(key)]));
    }
    if may_sign(section) {
        match aws::from_environment(environment) {
            Ok(Some((key, place))) => return Some(Credentials::Signed(key, place)),
            Ok(None) => {}
            Err(why) => {
                wrong.push(section.wrong(why));
                return None;
            }
        }
        let file = aws::shared_file(environment).filter(|file| file.is_file())?;
        let named = environment.get("AWS_PROFILE");
        let profile = named.unwrap_or("default");
        return match aws::from_file(&file, profile) {
            Ok(key) => {
                let place = format!("the profile `{profile}` of {}", shown(Some(&file)));
                Some(Credentials::Signed(key, place))
            }
            Err(why) if named.is_some() => {
                wrong.push(section.wrong(why));
                None
            }
            // A file without a default profile is for others.
            Err(_) => None,
        };
    }
    let issuer = section.vendor.and_then(|vendor| vendor.tokens);
    let path = environment.get("GOOGLE_APPLICATION_CREDENTIALS");
    let path = path.filter(|_| issuer == Some(TokenIssuer::Google) && section.given.auth.is_none())?;
    key_file(Diagnosed { value: PathBuf::from(path), span: section.name.span() }, wrong)
}

/// A value with the place that a diagnostic of it points at.
struct Diagnosed {
    value: PathBuf,
    span: std::ops::Range<usize>,
}

fn key_file(path: Diagnosed, wrong: &mut Vec<Diagnostic>) -> Option<Credentials> {
    match KeyFile::read(&path.value) {
        Ok(file) => Some(Credentials::Fetched(Grant::Google(file), shown(Some(&path.value)))),
        Err(why) => {
            wrong.push(Diagnostic::at(path.span, why));
            Some(Credentials::Fixed(Vec::new()))
        }
    }
}

fn shown(path: Option<&PathBuf>) -> String {
    path.map(|path| path.display().to_string()).unwrap_or_default()
}

/// The secret that a reference points at.
fn secret(
    section: &Section<'_>,
    given: &toml::Spanned<String>,
    wrong: &mut Vec<Diagnostic>,
) -> Option<Secret> {
    let parsed = config::SecretRef::parse(given.get_ref());
    match config::resolve_secret(&parsed, &section.environment.folder, &section.environment.variables) {
        Ok(secret) => Some(secret),
        Err(why) => {
            wrong.push(Diagnostic::at(given.span(), why));
            None
        }
    }
}

/// The headers that carry a secret as a surface wants it.
pub(super) fn headers(auth: &Auth, secret: &Secret) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let sensitive = crate::cloud::sigv4::sensitive;
    let header = match auth {
        Auth::Bearer => (http::header::AUTHORIZATION, sensitive(&format!("Bearer {}", secret.reveal()))?),
        Auth::XApiKey => (HeaderName::from_static("x-api-key"), sensitive(secret.reveal())?),
        Auth::Header(name) => (HeaderName::from_bytes(name.as_bytes()).ok()?, sensitive(secret.reveal())?),
        Auth::None => return Some(Vec::new()),
        Auth::Query(_) | Auth::SigV4 => return None,
    };
    Some(vec![header])
}
