//! Every endpoint with the role it asks for, in one table. What is not in it is refused.

pub mod models;
pub mod pages;
pub mod status;

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
}

/// One endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// Its method.
    pub method: &'static str,
    /// Its path; one that ends in `/` takes everything below it.
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
        } else {
            path == self.path
        }
    }
}

const fn endpoint(method: &'static str, path: &'static str, role: Role, action: Action) -> Endpoint {
    Endpoint { method, path, role, action }
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
    endpoint("GET", "/livez", Role::Anyone, Action::Livez),
    endpoint("GET", "/readyz", Role::Anyone, Action::Readyz),
    endpoint("GET", "/version", Role::Anyone, Action::Version),
    endpoint("GET", "/metrics", Role::Operator, Action::Metrics),
    endpoint("GET", "/", Role::Operator, Action::Status),
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
        ] {
            assert!(matches!(find(&Method::POST, path), Found::Nothing), "{path}");
        }
        assert!(matches!(find(&Method::GET, "/v1/messages"), Found::OtherMethod));
        assert_eq!(methods_at("/v1/messages"), "POST");
        assert_eq!(methods_at("/v1/responses/resp_1"), "GET, DELETE, POST");
        assert!(matches!(find(&Method::GET, "/v1/models/a/b"), Found::Endpoint(_)));
    }

    #[test]
    fn only_probes_are_open_to_anyone() {
        let open: Vec<_> =
            ENDPOINTS.iter().filter(|one| one.role == Role::Anyone).map(|one| one.path).collect();
        assert_eq!(open, ["/livez", "/readyz", "/version"]);
    }
}
