//! Every endpoint with the role it asks for, in one table. What is not in it is refused.

pub mod models;
pub mod pages;
pub mod status;

pub use crate::api::Api;
use http::Method;
use pilothouse_core::dialect::Dialect;

/// What an exchange endpoint asks of a vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// An answer to a conversation.
    Chat,
    /// The number of its tokens.
    CountTokens,
    /// Vectors for texts.
    Embeddings,
    /// The same for several contents at once, which Google has a method of its own for.
    EmbeddingsBatch,
    /// The continuation of a text, as before there were chats.
    Completions,
    /// A call that passes as it came; its path is its own.
    Pass(Verb),
}

impl Call {
    /// Whether it asks for vectors.
    #[must_use]
    pub const fn embeds(self) -> bool {
        matches!(self, Self::Embeddings | Self::EmbeddingsBatch)
    }
}

/// The method of a call that passes as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `DELETE`
    Delete,
}

/// A call that is no conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// The model that the request names does it.
    Model(Service),
    /// It is about something that lies with a vendor.
    Held(Holding),
}

/// What a model does besides talking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Makes and changes pictures.
    Images,
    /// Speaks, and writes down what it hears.
    Audio,
    /// Judges whether a content may be shown.
    Moderations,
    /// Orders documents by what they have to do with a question.
    Rerank,
    /// Makes films.
    Videos,
}

/// What lies with a vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// Files.
    Files,
    /// Files on their way, in parts.
    Uploads,
    /// Requests that are answered within a day.
    Batches,
    /// Films, which take their time.
    Videos,
}

impl Service {
    /// Its name in records, where no model is named.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Audio => "audio",
            Self::Moderations => "moderations",
            Self::Rerank => "rerank",
            Self::Videos => "videos",
        }
    }
}

impl Holding {
    /// Its name in records, which know no model for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Uploads => "uploads",
            Self::Batches => "batches",
            Self::Videos => "videos",
        }
    }
}

/// Who may use an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Anybody who reaches the port: probes.
    Anyone,
    /// Whoever has a key, or is on this machine while there are none.
    Caller,
    /// Whoever has the admin token, or is on this machine while there is none.
    Operator,
    /// Of the administration: whoever has the admin token or a key whose role is `viewer` or more.
    Viewer,
    /// The same for a role of `lead` or more: a lead changes what belongs to its team or a team below it.
    Lead,
    /// The same for the role `admin`.
    Admin,
}

/// What answers at an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// An exchange with a vendor.
    Exchange(Dialect, Call),
    /// An exchange in Google's dialect: the path's end says with which model, and what is done.
    Google,
    /// An exchange in Bedrock's dialect: the path says with which model, and whether the answer streams.
    Bedrock,
    /// A response that its vendor holds; the path's end names it.
    KeptResponse,
    /// A call that is no conversation; it passes as it came.
    Pass(Pass),
    /// A conversation of sound over a WebSocket.
    Realtime,
    /// The models that can be called.
    Models,
    /// One of them; the path ends with its id.
    Model,
    /// The process lives.
    Livez,
    /// It takes requests.
    Readyz,
    /// Counters for Prometheus.
    Metrics,
    /// Its version.
    Version,
    /// The status page.
    Status,
    /// An operation of the administration.
    Api(Api),
}

/// One endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// Its method.
    pub method: &'static str,
    /// Its path; one that ends in `/` takes everything below it, and `{id}` stands for one segment that can be an id.
    pub path: &'static str,
    /// Who may use it.
    pub role: Role,
    /// What it does.
    pub action: Action,
}

impl Endpoint {
    /// Whether it stands at that path.
    #[inline]
    fn is_at(&self, path: &str) -> bool {
        if self.path.len() > 1 && self.path.ends_with('/') {
            path.len() > self.path.len() && path.starts_with(self.path)
        } else if let Some((before, behind)) = self.path.split_once("{id}") {
            path.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind)).is_some_and(may_be_an_id)
        } else {
            path == self.path
        }
    }

    /// The id in a path that this endpoint takes.
    #[must_use]
    pub fn id_in<'p>(&self, path: &'p str) -> Option<&'p str> {
        let (before, behind) = self.path.split_once("{id}")?;
        path.strip_prefix(before)?.strip_suffix(behind)
    }
}

/// The longest id in a path, in bytes.
const ID_MAX: usize = 256;

/// Whether a segment can be a vendor's id: nothing that a reader of paths might take for more than one plain segment.
fn may_be_an_id(segment: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
    segment.len() <= ID_MAX
        && segment.bytes().all(fits)
        && segment.bytes().any(|byte| byte.is_ascii_alphanumeric())
}

const fn endpoint(method: &'static str, path: &'static str, role: Role, action: Action) -> Endpoint {
    Endpoint { method, path, role, action }
}

/// One that passes to the vendor whose model the request names.
const fn service(path: &'static str, service: Service) -> Endpoint {
    endpoint("POST", path, Role::Caller, Action::Pass(Pass::Model(service)))
}

/// One that passes to the vendor that holds something.
const fn held(method: &'static str, path: &'static str, holding: Holding) -> Endpoint {
    endpoint(method, path, Role::Caller, Action::Pass(Pass::Held(holding)))
}

/// One of the administration.
const fn api(method: &'static str, path: &'static str, role: Role, operation: Api) -> Endpoint {
    endpoint(method, path, role, Action::Api(operation))
}

/// Every endpoint.
pub static ENDPOINTS: &[Endpoint] = &[
    endpoint("POST", "/v1/chat/completions", Role::Caller, Action::Exchange(Dialect::OpenaiChat, Call::Chat)),
    endpoint("POST", "/v1/messages", Role::Caller, Action::Exchange(Dialect::AnthropicMessages, Call::Chat)),
    endpoint(
        "POST",
        "/v1/messages/count_tokens",
        Role::Caller,
        Action::Exchange(Dialect::AnthropicMessages, Call::CountTokens),
    ),
    endpoint(
        "POST",
        "/v1/embeddings",
        Role::Caller,
        Action::Exchange(Dialect::OpenaiEmbeddings, Call::Embeddings),
    ),
    endpoint("POST", "/v1/responses", Role::Caller, Action::Exchange(Dialect::OpenaiResponses, Call::Chat)),
    endpoint(
        "POST",
        "/v1/responses/input_tokens",
        Role::Caller,
        Action::Exchange(Dialect::OpenaiResponses, Call::CountTokens),
    ),
    endpoint("GET", "/v1/responses/", Role::Caller, Action::KeptResponse),
    endpoint("DELETE", "/v1/responses/", Role::Caller, Action::KeptResponse),
    endpoint("POST", "/v1/responses/", Role::Caller, Action::KeptResponse),
    endpoint("POST", "/v1beta/models/", Role::Caller, Action::Google),
    endpoint("POST", "/v1/models/", Role::Caller, Action::Google),
    endpoint("POST", "/model/", Role::Caller, Action::Bedrock),
    endpoint("GET", "/v1beta/models", Role::Caller, Action::Models),
    endpoint("GET", "/v1beta/models/", Role::Caller, Action::Model),
    endpoint("GET", "/v1/models", Role::Caller, Action::Models),
    endpoint("GET", "/v1/models/", Role::Caller, Action::Model),
    endpoint(
        "POST",
        "/v1/completions",
        Role::Caller,
        Action::Exchange(Dialect::OpenaiChat, Call::Completions),
    ),
    // Paths of OpenAI's published document (<https://github.com/openai/openai-openapi>), and of Cohere's and Jina's
    // rerank, read 2026-11-23. What is not listed does not pass: an operator's key can do more than its callers should.
    service("/v1/moderations", Service::Moderations),
    service("/v1/rerank", Service::Rerank),
    service("/v2/rerank", Service::Rerank),
    service("/v1/images/generations", Service::Images),
    service("/v1/images/edits", Service::Images),
    service("/v1/images/variations", Service::Images),
    service("/v1/audio/speech", Service::Audio),
    service("/v1/audio/transcriptions", Service::Audio),
    service("/v1/audio/translations", Service::Audio),
    service("/v1/videos", Service::Videos),
    held("GET", "/v1/videos", Holding::Videos),
    held("GET", "/v1/videos/{id}", Holding::Videos),
    held("DELETE", "/v1/videos/{id}", Holding::Videos),
    held("GET", "/v1/videos/{id}/content", Holding::Videos),
    held("POST", "/v1/videos/{id}/remix", Holding::Videos),
    held("GET", "/v1/files", Holding::Files),
    held("POST", "/v1/files", Holding::Files),
    held("GET", "/v1/files/{id}", Holding::Files),
    held("DELETE", "/v1/files/{id}", Holding::Files),
    held("GET", "/v1/files/{id}/content", Holding::Files),
    held("POST", "/v1/uploads", Holding::Uploads),
    held("POST", "/v1/uploads/{id}/parts", Holding::Uploads),
    held("POST", "/v1/uploads/{id}/complete", Holding::Uploads),
    held("POST", "/v1/uploads/{id}/cancel", Holding::Uploads),
    held("GET", "/v1/batches", Holding::Batches),
    held("POST", "/v1/batches", Holding::Batches),
    held("GET", "/v1/batches/{id}", Holding::Batches),
    held("POST", "/v1/batches/{id}/cancel", Holding::Batches),
    // <https://platform.claude.com/docs/en/api/creating-message-batches>, read 2026-11-23.
    held("GET", "/v1/messages/batches", Holding::Batches),
    held("POST", "/v1/messages/batches", Holding::Batches),
    held("GET", "/v1/messages/batches/{id}", Holding::Batches),
    held("DELETE", "/v1/messages/batches/{id}", Holding::Batches),
    held("GET", "/v1/messages/batches/{id}/results", Holding::Batches),
    held("POST", "/v1/messages/batches/{id}/cancel", Holding::Batches),
    endpoint("GET", "/v1/realtime", Role::Caller, Action::Realtime),
    endpoint("GET", "/livez", Role::Anyone, Action::Livez),
    endpoint("GET", "/readyz", Role::Anyone, Action::Readyz),
    endpoint("GET", "/version", Role::Anyone, Action::Version),
    endpoint("GET", "/metrics", Role::Operator, Action::Metrics),
    endpoint("GET", "/", Role::Operator, Action::Status),
    api("GET", "/api/v1/openapi.json", Role::Viewer, Api::Document),
    api("GET", "/api/v1/self", Role::Viewer, Api::Myself),
    api("GET", "/api/v1/keys", Role::Viewer, Api::ListKeys),
    api("POST", "/api/v1/keys", Role::Lead, Api::MintKey),
    api("GET", "/api/v1/keys/{id}", Role::Viewer, Api::ShowKey),
    api("PATCH", "/api/v1/keys/{id}", Role::Lead, Api::ChangeKey),
    api("DELETE", "/api/v1/keys/{id}", Role::Lead, Api::RevokeKey),
    api("POST", "/api/v1/keys/{id}/rotate", Role::Lead, Api::RotateKey),
    api("GET", "/api/v1/limits", Role::Viewer, Api::ListLimits),
    api("POST", "/api/v1/limits", Role::Lead, Api::CreateLimit),
    api("DELETE", "/api/v1/limits/{id}", Role::Lead, Api::EndLimit),
    api("GET", "/api/v1/budgets", Role::Viewer, Api::ListBudgets),
    api("GET", "/api/v1/alerts", Role::Viewer, Api::ListAlerts),
    api("GET", "/api/v1/health", Role::Viewer, Api::Health),
    api("GET", "/api/v1/lifecycle", Role::Viewer, Api::ListLifecycle),
    api("GET", "/api/v1/teams", Role::Viewer, Api::ListTeams),
    api("GET", "/api/v1/providers", Role::Viewer, Api::ListProviders),
    api("GET", "/api/v1/routes", Role::Viewer, Api::ListRoutes),
    api("GET", "/api/v1/models", Role::Viewer, Api::ListModels),
    api("GET", "/api/v1/receipts", Role::Viewer, Api::ListReceipts),
    api("GET", "/api/v1/receipts/{id}", Role::Viewer, Api::ShowReceipt),
    api("GET", "/api/v1/usage", Role::Viewer, Api::Usage),
    api("GET", "/api/v1/audit", Role::Admin, Api::ListAudit),
];

/// What stands at a path.
#[derive(Clone, Copy, Debug)]
pub enum Found {
    /// An endpoint.
    Endpoint(&'static Endpoint),
    /// The path exists with other methods only; see [`methods_at`].
    OtherMethod,
    /// Nothing.
    Nothing,
}

/// Finds the endpoint of a request. The path is compared as it came: no decoding, no normalising, so that
/// what is authorised is what is dispatched.
#[must_use]
pub fn find(method: &Method, path: &str) -> Found {
    let mut other = Found::Nothing;
    for endpoint in ENDPOINTS {
        if endpoint.is_at(path) {
            // A probe may ask for the head only.
            if method.as_str() == endpoint.method || (*method == Method::HEAD && endpoint.method == "GET") {
                return Found::Endpoint(endpoint);
            }
            other = Found::OtherMethod;
        }
    }
    other
}

/// The methods that a path takes, as `Allow` lists them.
#[must_use]
pub fn methods_at(path: &str) -> String {
    let mut methods: Vec<&str> = Vec::new();
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.is_at(path)) {
        if !methods.contains(&endpoint.method) {
            methods.push(endpoint.method);
        }
    }
    methods.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_only_look_like_an_endpoint_find_nothing() {
        for path in [
            "/v1/chat/completions/",
            "//v1/chat/completions",
            "/v1/chat%2fcompletions",
            "/V1/messages",
            "/v1/models/",
            "/v1/../v1/messages",
            "/v1/messages;x",
            "/v1/uploads/a%2fb/parts",
            "/v1/uploads/../parts",
            "/v1/uploads/a/b/parts",
            "/v1/uploads//parts",
            "/v1/uploads/parts",
            "/v1/files/file-1",
        ] {
            assert!(!matches!(find(&Method::POST, path), Found::Endpoint(_)), "{path}");
        }
        assert!(matches!(find(&Method::GET, "/v1/messages"), Found::OtherMethod));
        assert_eq!(methods_at("/v1/messages"), "POST");
        assert_eq!(methods_at("/v1/responses/resp_1"), "GET, DELETE, POST");
        assert!(matches!(find(&Method::GET, "/v1/models/a/b"), Found::Endpoint(_)));
        for path in ["/v1/files/..", "/v1/files/.", "/v1/files/a%2e", "/v1/files/a/content/b", "/v1/files/"] {
            assert!(matches!(find(&Method::GET, path), Found::Nothing), "{path}");
        }
        let Found::Endpoint(content) = find(&Method::GET, "/v1/files/file-1/content") else {
            panic!("it is there")
        };
        assert_eq!(content.id_in("/v1/files/file-1/content"), Some("file-1"));
    }

    #[test]
    fn only_probes_are_open_to_anyone() {
        let open: Vec<_> =
            ENDPOINTS.iter().filter(|one| one.role == Role::Anyone).map(|one| one.path).collect();
        assert_eq!(open, ["/livez", "/readyz", "/version"]);
    }
}
