//! A provider made ready: for each dialect it speaks, prepared request heads per credential.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pilothouse_catalog::{Auth, Catalog};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::secret::Secret;
use pilothouse_upstream::{Head, Origin, OriginOptions, Timeouts, TlsFiles};

use crate::config::{self, Diagnostic};
use crate::endpoints::{Call, Verb};
use crate::plan::build::Environment;

use http::{HeaderName, HeaderValue, Method};

/// A place that may be called.
#[derive(Debug)]
pub struct Provider {
    /// The section's name.
    pub name: Arc<str>,
    /// The catalogue's platform whose rows price it.
    pub platform: String,
    /// Bare names it answers to besides the catalogue's.
    pub models: Vec<String>,
    /// The ways to call it, the preferred one first.
    pub surfaces: Vec<Surface>,
    /// Further attempts after the first.
    pub retries: u32,
    /// Whether a call may be repeated after a timeout with its body sent.
    pub retry_after_timeout: bool,
    /// Its rerank call, where it has one.
    pub rerank: Option<Rerank>,
    /// The vendor has no legacy completions.
    pub no_completions: bool,
    /// The vendor takes no `stream_options`, so usage is not asked for in streams.
    pub no_stream_options: bool,
    /// Credentials are tried in turn: the index of the one in use.
    current: AtomicUsize,
    credentials: usize,
}

/// One way to call a provider.
#[derive(Debug)]
pub struct Surface {
    /// Its wire format.
    pub dialect: Dialect,
    /// Where.
    pub origin: Origin,
    /// Request heads, one per credential.
    pub credentials: Vec<CallHeads>,
}

/// Where a provider orders documents.
#[derive(Debug)]
pub struct Rerank {
    /// Its address and credentials.
    pub surface: Surface,
    /// Its path begins with the version that the client names.
    pub is_versioned: bool,
}

/// The request heads of one credential.
#[derive(Debug)]
pub struct CallHeads {
    chat: Head,
    count_tokens: Option<Head>,
    embeddings: Option<Head>,
    completions: Option<Head>,
    kept: Option<Box<KeptHeads>>,
    pass: Option<Box<KeptHeads>>,
}

/// The request heads of calls whose path is their own, at least in its end: about a response that the vendor holds,
/// and those that are no conversations.
#[derive(Debug)]
struct KeptHeads {
    get: Head,
    delete: Head,
    post: Head,
}

impl CallHeads {
    /// The head of a call, where the surface has it.
    #[must_use]
    pub fn get(&self, call: Call) -> Option<&Head> {
        match call {
            Call::Chat => Some(&self.chat),
            Call::CountTokens => self.count_tokens.as_ref(),
            Call::Embeddings => self.embeddings.as_ref(),
            Call::Completions => self.completions.as_ref(),
            Call::Pass(verb) => self.pass.as_ref().map(|heads| match verb {
                Verb::Get => &heads.get,
                Verb::Post => &heads.post,
                Verb::Delete => &heads.delete,
            }),
        }
    }

    /// The head of a call about a response that the vendor holds.
    #[must_use]
    pub fn kept(&self, method: &Method) -> Option<&Head> {
        let heads = self.kept.as_ref()?;
        match *method {
            Method::GET => Some(&heads.get),
            Method::DELETE => Some(&heads.delete),
            Method::POST => Some(&heads.post),
            _ => None,
        }
    }
}

/// A credential, and the headers that carry it.
#[derive(Clone, Debug)]
pub struct Credential {
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Provider {
    /// The index of the credential in use.
    #[must_use]
    pub fn credential(&self) -> usize {
        self.current.load(Ordering::Relaxed)
    }

    /// Goes on to the next credential after `refused` was refused. False when all have been tried since.
    pub fn next_credential(&self, refused: usize) -> bool {
        if self.credentials < 2 {
            return false;
        }
        let next = (refused + 1) % self.credentials;
        // Another call may have gone on already: then its choice is tried.
        let _ = self.current.compare_exchange(refused, next, Ordering::Relaxed, Ordering::Relaxed);
        true
    }

    /// How many credentials there are.
    #[must_use]
    pub const fn credentials(&self) -> usize {
        self.credentials
    }
}

/// Makes a provider of its section. Everything that is wrong is added to `wrong`.
pub(super) fn build_provider(
    name: &toml::Spanned<String>,
    section: &config::Provider,
    catalog: &Catalog,
    environment: &Environment,
    wrong: &mut Vec<Diagnostic>,
) -> Option<Provider> {
    let vendor_name = section.vendor.as_ref().unwrap_or(name);
    let vendor = catalog.vendor(vendor_name.get_ref());
    if let (None, Some(given)) = (vendor, &section.vendor) {
        let mut names = catalog.vendors().iter().map(|vendor| vendor.name.as_str());
        let near = catalog.nearest(given.get_ref(), &mut names, 3).join(", ");
        wrong.push(Diagnostic::at(
            given.span(),
            format!("no vendor is called `{}`; near it: {near}", given.get_ref()),
        ));
        return None;
    }
    let ways = ways(name, section, vendor, wrong)?;
    let secrets = secrets(section, vendor, environment, wrong);
    let rerank = rerank(section, vendor, &ways, environment, &secrets, wrong);
    let mut surfaces = Vec::new();
    for way in ways {
        let options = origin_options(section, environment);
        match Origin::new(&way.base_url, &options) {
            Ok(origin) => surfaces.push(surface(way, origin, section, &secrets, wrong)?),
            Err(error) => {
                let span = section.base_url.as_ref().map_or_else(|| name.span(), toml::Spanned::span);
                wrong.push(Diagnostic::at(span, error.to_string()));
            }
        }
    }
    let retries = section.retries.as_ref().map_or(2, |given| *given.get_ref());
    if retries > 2 {
        let span = section.retries.as_ref().map_or(name.span(), toml::Spanned::span);
        wrong.push(Diagnostic::at(
            span,
            "retries must be 0, 1 or 2: more only adds load to a vendor in trouble",
        ));
    }
    let platform = section.platform.as_ref().map(|given| given.get_ref().clone());
    Some(Provider {
        name: name.get_ref().as_str().into(),
        platform: platform
            .or_else(|| vendor.map(|vendor| vendor.platform.clone()))
            .unwrap_or_else(|| name.get_ref().clone()),
        models: section.models.clone(),
        credentials: surfaces.first().map_or(0, |surface| surface.credentials.len()),
        surfaces,
        retries,
        retry_after_timeout: section.retry_after_timeout,
        rerank,
        no_completions: vendor.is_some_and(|vendor| vendor.has_quirk("no-completions")),
        no_stream_options: vendor.is_some_and(|vendor| vendor.has_quirk("no-stream-options")),
        current: AtomicUsize::new(0),
    })
}

/// One way to call a provider, before its address has been read.
struct Way {
    dialect: Dialect,
    base_url: String,
    auth: Auth,
    path: Option<String>,
}

/// The ways that a section and its vendor's row give.
fn ways(
    name: &toml::Spanned<String>,
    section: &config::Provider,
    vendor: Option<&pilothouse_catalog::Vendor>,
    wrong: &mut Vec<Diagnostic>,
) -> Option<Vec<Way>> {
    let wanted = match &section.dialect {
        None => None,
        Some(given) => match Dialect::parse(given.get_ref()) {
            Some(dialect) => Some(dialect),
            None => {
                let known = Dialect::ALL.map(Dialect::as_str).join(", ");
                wrong.push(Diagnostic::at(
                    given.span(),
                    format!("no dialect is called `{}`; known are {known}", given.get_ref()),
                ));
                return None;
            }
        },
    };
    let given_url = section.base_url.as_ref().map(toml::Spanned::get_ref);
    let Some(vendor) = vendor else {
        let (Some(dialect), Some(base_url)) = (wanted, given_url) else {
            wrong.push(Diagnostic::at(
                name.span(),
                format!("`{}` is no vendor of the catalogue: give its dialect and base_url", name.get_ref()),
            ));
            return None;
        };
        let auth = match dialect {
            Dialect::AnthropicMessages => Auth::XApiKey,
            Dialect::GeminiGenerate => Auth::Header("x-goog-api-key".to_owned()),
            Dialect::OpenaiChat | Dialect::OpenaiEmbeddings | Dialect::OpenaiResponses => Auth::Bearer,
        };
        return Some(vec![Way { dialect, base_url: base_url.clone(), auth, path: None }]);
    };
    let mut ways = Vec::new();
    let mut replaced = None;
    for surface in &vendor.surfaces {
        let Some(dialect) = Dialect::parse(&surface.dialect) else { continue };
        let is_wanted = wanted.is_none_or(|wanted| wanted == dialect);
        // A given address replaces that of one dialect, the wanted one, else the vendor's first, and of those that the
        // vendor speaks at the same address.
        let is_replaced =
            ways.is_empty() || (surface.base_url.is_some() && replaced == surface.base_url.as_ref());
        let url = match given_url {
            Some(url) if is_replaced && is_wanted => Some(url.clone()),
            Some(_) => None,
            None => surface.base_url.as_ref().map(|url| fill(url, section)),
        };
        // Embeddings go over the surface for chats, where there is one.
        let is_needed = dialect != Dialect::OpenaiEmbeddings || vendor.surface("openai-chat").is_none();
        if let (true, Some(base_url)) = (is_wanted && is_needed, url) {
            replaced = replaced.or(surface.base_url.as_ref());
            ways.push(Way { dialect, base_url, auth: surface.auth.clone(), path: surface.path.clone() });
        }
    }
    if ways.is_empty() {
        let why = if vendor.surfaces.iter().any(|surface| Dialect::parse(&surface.dialect).is_some()) {
            "has no fixed address: give its base_url"
        } else {
            "speaks no dialect that this version knows"
        };
        wrong.push(Diagnostic::at(name.span(), format!("`{}` {why}", vendor.name)));
        return None;
    }
    Some(ways)
}

/// Where a provider orders documents: where the section says, else where the vendor's row does, else below the address of
/// a server that people run themselves, as vLLM, llama.cpp and others have it.
fn rerank(
    section: &config::Provider,
    vendor: Option<&pilothouse_catalog::Vendor>,
    ways: &[Way],
    environment: &Environment,
    secrets: &[Secret],
    wrong: &mut Vec<Diagnostic>,
) -> Option<Rerank> {
    let own = ways.iter().find(|way| {
        let is_own = vendor.is_none_or(pilothouse_catalog::Vendor::is_local);
        is_own && matches!(way.dialect, Dialect::OpenaiChat | Dialect::OpenaiEmbeddings)
    });
    let url = match (&section.rerank_url, vendor.and_then(|vendor| vendor.rerank.clone()), own) {
        (Some(given), _, _) => given.get_ref().clone(),
        (None, Some(known), _) => known,
        (None, None, Some(way)) => format!("{}/rerank", way.base_url.trim_end_matches('/')),
        (None, None, None) => return None,
    };
    let (base_url, is_versioned) = match url.split_once("/{version}/") {
        Some((before, _)) => (before.to_owned(), true),
        None => (url, false),
    };
    let auth = ways.first().map_or(Auth::Bearer, |way| way.auth.clone());
    match Origin::new(&base_url, &origin_options(section, environment)) {
        Ok(origin) => {
            let way = Way { dialect: Dialect::OpenaiChat, base_url, auth, path: None };
            let surface = surface(way, origin, section, secrets, wrong)?;
            Some(Rerank { surface, is_versioned })
        }
        Err(error) => {
            let span = section.rerank_url.as_ref().map_or(0..0, toml::Spanned::span);
            wrong.push(Diagnostic::at(span, error.to_string()));
            None
        }
    }
}

/// Puts the section's params into an address.
fn fill(url: &str, section: &config::Provider) -> String {
    section
        .params
        .iter()
        .fold(url.to_owned(), |url, (name, value)| url.replace(&format!("{{{name}}}"), value))
}

fn secrets(
    section: &config::Provider,
    vendor: Option<&pilothouse_catalog::Vendor>,
    environment: &Environment,
    wrong: &mut Vec<Diagnostic>,
) -> Vec<Secret> {
    let given: Vec<_> = section.api_key.iter().chain(&section.api_keys).collect();
    if given.is_empty() {
        let names = vendor.map(|vendor| vendor.key_env.as_slice()).unwrap_or_default();
        let found = names.iter().find_map(|name| environment.get(name));
        return found.map(Secret::new).into_iter().collect();
    }
    let mut secrets = Vec::new();
    for reference in given {
        let parsed = config::SecretRef::parse(reference.get_ref());
        match config::resolve_secret(&parsed, &environment.folder, &environment.variables) {
            Ok(secret) => secrets.push(secret),
            Err(why) => wrong.push(Diagnostic::at(reference.span(), why)),
        }
    }
    secrets
}

fn origin_options(section: &config::Provider, environment: &Environment) -> OriginOptions {
    let defaults = Timeouts::default();
    let or = |given: Option<f64>, default| {
        given.and_then(|seconds| std::time::Duration::try_from_secs_f64(seconds).ok()).unwrap_or(default)
    };
    let path = |path: &Option<std::path::PathBuf>| path.as_ref().map(|path| environment.folder.join(path));
    OriginOptions {
        timeouts: Timeouts {
            connect: or(section.timeouts.connect, defaults.connect),
            first_byte: or(section.timeouts.first_byte, defaults.first_byte),
            between_chunks: or(section.timeouts.between_chunks, defaults.between_chunks),
            total: or(section.timeouts.total, defaults.total),
        },
        tls: TlsFiles {
            ca_file: path(&section.ca_file),
            client_certificate: path(&section.client_certificate),
            client_key: path(&section.client_key),
            http2: section.http2,
        },
        proxy: section.proxy.as_ref().map(|proxy| proxy.get_ref().clone()),
        environment: environment.variables.clone(),
        idle_connections_max: 0,
    }
}

/// The headers that every call to a surface has, credential aside.
fn fixed_headers(
    dialect: Dialect,
    section: &config::Provider,
    wrong: &mut Vec<Diagnostic>,
) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = vec![
        (http::header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (http::header::ACCEPT_ENCODING, HeaderValue::from_static("identity")),
        (
            http::header::USER_AGENT,
            HeaderValue::from_static(concat!("pilothouse/", env!("CARGO_PKG_VERSION"))),
        ),
    ];
    if matches!(dialect, Dialect::OpenaiChat | Dialect::OpenaiEmbeddings | Dialect::OpenaiResponses) {
        for (name, value) in
            [("openai-organization", &section.organization), ("openai-project", &section.project)]
        {
            if let Some(value) = value.as_ref().and_then(|value| HeaderValue::from_str(value).ok()) {
                headers.push((HeaderName::from_static(name), value));
            }
        }
    }
    for (name, value) in &section.headers {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value.get_ref())) {
            (Ok(name), Ok(value)) => headers.push((name, value)),
            _ => {
                wrong.push(Diagnostic::at(value.span(), format!("`{name}` is not a header that HTTP allows")))
            }
        }
    }
    headers
}

fn credential(auth: &Auth, secret: &Secret) -> Option<Credential> {
    let sensitive = |text: &str| {
        let mut value = HeaderValue::from_str(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    };
    let header = match auth {
        Auth::Bearer => (http::header::AUTHORIZATION, sensitive(&format!("Bearer {}", secret.reveal()))?),
        Auth::XApiKey => (HeaderName::from_static("x-api-key"), sensitive(secret.reveal())?),
        Auth::Header(name) => (HeaderName::from_bytes(name.as_bytes()).ok()?, sensitive(secret.reveal())?),
        Auth::None => return Some(Credential { headers: Vec::new() }),
        Auth::Query(_) | Auth::SigV4 => return None,
    };
    Some(Credential { headers: vec![header] })
}

/// The heads of calls that pass as they came: path and content type are the call's own.
fn pass_heads(origin: &Origin, headers: &[(HeaderName, HeaderValue)]) -> Box<KeptHeads> {
    let own: Vec<_> =
        headers.iter().filter(|(name, _)| *name != http::header::CONTENT_TYPE).cloned().collect();
    let head = |method: &Method| Head::for_origin(origin, method, "", &own);
    Box::new(KeptHeads { get: head(&Method::GET), delete: head(&Method::DELETE), post: head(&Method::POST) })
}

/// The heads of every call that a surface has.
fn heads_of(origin: &Origin, way: &Way, headers: &[(HeaderName, HeaderValue)]) -> CallHeads {
    let head = |path: &str| Head::for_origin(origin, &Method::POST, path, headers);
    let chat = |usual: &str| head(way.path.as_deref().unwrap_or(usual));
    let pass = pass_heads(origin, headers);
    match way.dialect {
        Dialect::AnthropicMessages => CallHeads {
            chat: chat("/v1/messages"),
            count_tokens: Some(head("/v1/messages/count_tokens")),
            embeddings: None,
            completions: None,
            kept: None,
            pass: Some(pass),
        },
        // The path behind the address names model and method, call by call: `Choice::tail`.
        Dialect::GeminiGenerate => {
            let any = head("");
            CallHeads {
                count_tokens: Some(any.clone()),
                embeddings: Some(any.clone()),
                chat: any,
                completions: None,
                kept: None,
                pass: None,
            }
        }
        Dialect::OpenaiChat | Dialect::OpenaiEmbeddings => CallHeads {
            chat: chat("/chat/completions"),
            count_tokens: None,
            embeddings: Some(head("/embeddings")),
            completions: Some(head("/completions")),
            kept: None,
            pass: Some(pass),
        },
        Dialect::OpenaiResponses => {
            let kept = |method: &Method| Head::for_origin(origin, method, "/responses/", headers);
            CallHeads {
                chat: chat("/responses"),
                count_tokens: Some(head("/responses/input_tokens")),
                embeddings: None,
                completions: None,
                kept: Some(Box::new(KeptHeads {
                    get: kept(&Method::GET),
                    delete: kept(&Method::DELETE),
                    post: kept(&Method::POST),
                })),
                pass: Some(pass),
            }
        }
    }
}

fn surface(
    way: Way,
    origin: Origin,
    section: &config::Provider,
    secrets: &[Secret],
    wrong: &mut Vec<Diagnostic>,
) -> Option<Surface> {
    let fixed = fixed_headers(way.dialect, section, wrong);
    let mut credentials: Vec<_> = secrets.iter().filter_map(|secret| credential(&way.auth, secret)).collect();
    if credentials.is_empty() {
        // Servers on the own network often take calls without a credential; others will say 401.
        credentials.push(Credential { headers: Vec::new() });
    }
    let heads = credentials
        .iter()
        .map(|credential| {
            let mut headers = fixed.clone();
            headers.extend(credential.headers.iter().cloned());
            heads_of(&origin, &way, &headers)
        })
        .collect();
    Some(Surface { dialect: way.dialect, origin, credentials: heads })
}
