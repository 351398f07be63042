//! Providers: what deployments say of their vendors, shared where it is equal.

use std::collections::BTreeMap;

use super::Reading;
use super::deployment::{Named, Params};
use super::given::{is_no_key, key_variable, reference};
use super::settings::Settings;
use crate::toml_text::{Table, inline, key as toml_key, quoted};
use crate::yaml::Node;

/// A provider that a deployment needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Draft {
    /// The catalogue's vendor; none for a server that only speaks OpenAI's API.
    pub(super) vendor: Option<&'static str>,
    /// Values for placeholders of the address.
    pub(super) params: BTreeMap<String, String>,
    /// Members of the section, as TOML.
    pub(super) values: Vec<(String, String)>,
    /// What it may be called after.
    pub(super) hint: String,
}

impl Draft {
    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.values.push((key.to_owned(), quoted(value)));
    }

    pub(super) fn set(&mut self, key: &str, value: String) {
        self.values.push((key.to_owned(), value));
    }

    pub(super) fn param(&mut self, name: &str, value: &str) {
        self.params.insert(name.to_owned(), value.to_owned());
        self.hint = value.to_owned();
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.values.iter().any(|(known, _)| known == key)
    }
}

/// A provider of the new configuration.
#[derive(Clone, Debug)]
pub(super) struct Provider {
    pub(super) name: String,
    pub(super) draft: Draft,
    /// The customer's names of models, and which models they are.
    pub(super) deployments: BTreeMap<String, String>,
    /// The lines of the deployments that it is for.
    lines: Vec<usize>,
}

impl<'n> Reading<'n> {
    /// The provider of a draft: one that is equal, or a new one.
    pub(super) fn provider_of(&mut self, draft: Draft, wanted: Option<&str>, line: usize) -> usize {
        let is_same = |one: &Provider| one.draft == draft && wanted.is_none_or(|wanted| wanted == one.name);
        if let Some(at) = self.providers.iter().position(is_same) {
            self.providers[at].lines.push(line);
            return at;
        }
        let name = wanted.map_or_else(|| self.free_name(&draft), str::to_owned);
        self.providers.push(Provider { name, draft, deployments: BTreeMap::new(), lines: vec![line] });
        self.providers.len() - 1
    }

    /// A name that no provider has: the vendor's, else with what tells this one from the others, else with a number.
    fn free_name(&self, draft: &Draft) -> String {
        let is_free = |name: &String| !self.providers.iter().any(|provider| provider.name == *name);
        let hint: String = draft
            .hint
            .chars()
            .map(|sign| if sign.is_ascii_alphanumeric() || sign == '-' { sign } else { '-' })
            .take(40)
            .collect();
        let first = draft.vendor.map_or_else(|| hint.clone(), str::to_owned);
        let second = format!("{first}-{hint}");
        let named = [first.clone(), second].into_iter().filter(|name| !name.ends_with('-'));
        let numbered = (2..).map(|number| format!("{first}-{number}"));
        named.chain(numbered).find(is_free).unwrap_or_default()
    }

    /// The tables of all providers.
    pub(super) fn provider_tables(&self) -> Vec<Table> {
        let written = |provider: &Provider| {
            let mut table = Table::new(format!("providers.{}", toml_key(&provider.name)));
            let lines: Vec<String> = provider.lines.iter().map(ToString::to_string).collect();
            table.comments.push(format!("line {}", lines.join(", ")));
            if let Some(vendor) = provider.draft.vendor.filter(|vendor| *vendor != provider.name) {
                table.text("vendor", vendor);
            }
            if !provider.draft.params.is_empty() {
                let pairs = provider.draft.params.iter().map(|(name, value)| (name.clone(), quoted(value)));
                table.set("params", inline(&pairs.collect::<Vec<_>>()));
            }
            provider.draft.values.iter().for_each(|(key, value)| table.set(key, value.clone()));
            if !provider.deployments.is_empty() {
                let pairs = provider.deployments.iter().map(|(name, model)| (name.clone(), quoted(model)));
                table.set("deployments", inline(&pairs.collect::<Vec<_>>()));
            }
            table
        };
        self.providers.iter().map(written).collect()
    }

    /// A value that is written out; nothing, and a line in the list, where its variable is not set.
    pub(super) fn plain(&mut self, node: &Node, params: &Params<'n>, key: &str) -> Option<String> {
        self.account.take(node);
        match self.written(node) {
            Ok(value) => Some(value).filter(|value| !value.is_empty()),
            Err(variable) => {
                let place = params.get(key).map_or_else(|| key.to_owned(), |(_, place)| place);
                let reason =
                    "this value stands in our configuration itself, and its variable is not set here";
                let instead = format!("write what {variable} holds, or import again where it is set");
                self.account.leave(node, &place, reason, &instead);
                None
            }
        }
    }

    fn plain_param(&mut self, params: &Params<'n>, key: &str) -> Option<String> {
        let (node, _) = params.get(key)?;
        self.plain(node, params, key)
    }

    /// The credential of a call.
    pub(super) fn key(&mut self, params: &Params<'n>, named: &Named, draft: &mut Draft) {
        let vendor = draft.vendor.and_then(|name| self.catalog.vendor(name));
        let is_optional = vendor.is_none_or(|vendor| vendor.has_quirk("key-optional"));
        let name = draft.vendor.unwrap_or(&draft.hint).to_owned();
        let purpose = key_variable(vendor, &name);
        let has_other = ["aws_access_key_id", "aws_profile", "credentials_file", "entra", "api_key"];
        if has_other.iter().any(|other| draft.has(other)) {
            return;
        }
        let Some((node, place)) = params.get("api_key") else {
            let own = named.prefix.and_then(|prefix| prefix.variable);
            if let Some(own) = own.filter(|own| (self.input.variables)(own).is_some()) {
                self.needed.insert(own.to_owned());
                draft.text("api_key", &format!("env:{own}"));
            } else if !is_optional && !matches!(draft.vendor, Some("bedrock" | "vertex")) {
                self.needed.insert(purpose);
            }
            return;
        };
        let is_none = is_optional && node.text().is_some_and(is_no_key);
        if is_none {
            self.account.take(node);
        } else if let Some(secret) = self.secret(node, &place, &purpose) {
            draft.text("api_key", &secret);
        }
    }

    /// Bedrock's region and key pair.
    pub(super) fn of_bedrock(&mut self, params: &Params<'n>, named: &Named, draft: &mut Draft) {
        let in_model = params.get("model").and_then(|(model, _)| {
            let id = model.text()?.split_once('/')?.1;
            let id = id.strip_prefix("converse/").or_else(|| id.strip_prefix("invoke/")).unwrap_or(id);
            super::address::region_in(id).map(str::to_owned)
        });
        debug_assert!(named.prefix.is_some(), "Bedrock has a prefix");
        let given = self.plain_param(params, "aws_region_name");
        let region = given.or(in_model).or_else(|| (self.input.variables)("AWS_REGION_NAME"));
        if let Some(region) = region {
            draft.param("region", &region);
        }
        if params.get("api_key").is_some() {
            return;
        }
        let (id, secret) = (params.get("aws_access_key_id"), params.get("aws_secret_access_key"));
        if let (Some((id, id_place)), Some((secret, secret_place))) = (id, secret) {
            let token =
                params.get("aws_session_token").map(|(token, place)| ("aws_session_token", token, place));
            let pair = [("aws_access_key_id", id, id_place), ("aws_secret_access_key", secret, secret_place)];
            for (key, node, place) in pair.into_iter().chain(token) {
                if let Some(secret) = self.secret(node, &place, &key.to_ascii_uppercase()) {
                    draft.text(key, &secret);
                }
            }
        } else if let Some(profile) = self.plain_param(params, "aws_profile_name") {
            draft.text("aws_profile", &profile);
        }
    }

    /// Vertex AI's project, region and key file.
    pub(super) fn of_vertex(&mut self, params: &Params<'n>, draft: &mut Draft) {
        let variable = |name: &str| (self.input.variables)(name);
        let (project, region) = (variable("VERTEXAI_PROJECT"), variable("VERTEXAI_LOCATION"));
        let given = self
            .plain_param(params, "vertex_project")
            .or_else(|| self.plain_param(params, "vertex_ai_project"));
        if let Some(project) = given.or(project) {
            draft.param("project", &project);
        }
        let given = self
            .plain_param(params, "vertex_location")
            .or_else(|| self.plain_param(params, "vertex_ai_location"));
        // What LiteLLM takes where nothing is said.
        draft.param("region", &given.or(region).unwrap_or_else(|| "us-central1".to_owned()));
        let Some((node, place)) = params.get("vertex_credentials") else { return };
        let text = node.text().unwrap_or_default();
        let is_variable = reference(text).is_some();
        match self.written(node) {
            Ok(path) if !path.trim_start().starts_with('{') && !path.is_empty() => {
                self.account.take(node);
                draft.text("credentials_file", &path);
            }
            _ => {
                let reason = if is_variable {
                    "whether this variable holds a path is not known"
                } else {
                    "a key that stands in the file is not repeated"
                };
                let instead = "put the key into a file and name it in `credentials_file`, or in GOOGLE_APPLICATION_CREDENTIALS";
                self.account.leave(node, &place, reason, instead);
            }
        }
    }

    /// Azure's version, tokens, and which model a deployment is.
    pub(super) fn of_azure(&mut self, params: &Params<'n>, named: &Named, draft: &mut Draft) {
        if draft.vendor == Some("azure")
            && let Some(version) = self.plain_param(params, "api_version")
        {
            draft.text("api_version", &version);
        }
        if let Some((token, place)) = params.get("azure_ad_token") {
            if let Some(secret) = self.secret(token, &place, "AZURE_AD_TOKEN") {
                draft.text("auth", "bearer");
                draft.text("api_key", &secret);
            }
            return;
        }
        let parts = ["tenant_id", "client_id", "client_secret"].map(|key| params.get(key));
        let [Some((tenant, _)), Some((id, id_place)), Some((secret, secret_place))] = parts else { return };
        let Some(tenant) = self.plain(tenant, params, "tenant_id") else { return };
        let id = match reference(id.text().unwrap_or_default()) {
            Some(_) => self.secret(id, &id_place, "AZURE_CLIENT_ID"),
            None => self.plain(id, params, "client_id"),
        };
        let secret = self.secret(secret, &secret_place, "AZURE_CLIENT_SECRET");
        if let (Some(id), Some(secret)) = (id, secret) {
            let pairs = [("tenant", tenant), ("client_id", id), ("client_secret", secret)];
            draft.set("entra", inline(&pairs.map(|(key, value)| (key.to_owned(), quoted(&value)))));
        }
        debug_assert!(!named.id.is_empty(), "a deployment has a name");
    }

    /// Further headers of every call. Those that carry a credential are not repeated.
    pub(super) fn headers(&mut self, params: &Params<'n>, draft: &mut Draft) {
        let mut headers = Vec::new();
        for key in ["headers", "extra_headers"] {
            let Some((map, place)) = params.get(key) else { continue };
            for entry in map.entries().iter().filter(|entry| !entry.is_overridden) {
                let place = format!("{place}.{}", entry.key);
                let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
                let name = entry.key.to_ascii_lowercase();
                let is_secret = ["authorization", "key", "token", "secret", "cookie"]
                    .iter()
                    .any(|word| name.contains(word));
                let value = self.written(&entry.value).ok();
                let is_plain = |value: &String| value.bytes().all(|byte| (b' '..0x7f).contains(&byte));
                match value.filter(is_plain) {
                    _ if is_secret => {
                        let reason = "a header that may carry a credential is not repeated";
                        let instead = "give the credential as `api_key`, with `auth = \"header:NAME\"`";
                        self.account.leave(&entry.value, &place, reason, instead);
                    }
                    Some(value) if name.bytes().all(is_token) && !name.is_empty() => {
                        self.account.take(&entry.value);
                        headers.push((entry.key.to_string(), quoted(&value)));
                    }
                    _ => {
                        let reason = "HTTP has no such header, or its variable is not set here";
                        self.account.leave(
                            &entry.value,
                            &place,
                            reason,
                            "write it into the provider's `headers`",
                        );
                    }
                }
            }
        }
        if !headers.is_empty() {
            draft.set("headers", inline(&headers));
        }
    }

    /// Deadlines and retries: the deployment's own, else everybody's.
    pub(super) fn limits(&mut self, params: &Params<'n>, settings: &Settings, draft: &mut Draft) {
        let own = params.get("timeout").or_else(|| params.get("request_timeout"));
        let own =
            own.and_then(|(node, _)| super::settings::seconds(node).inspect(|_| self.account.take(node)));
        if let Some(seconds) = own.or_else(|| settings.timeout.clone()) {
            let pairs = ["first_byte", "between_chunks"].map(|key| (key.to_owned(), seconds.clone()));
            draft.set("timeouts", inline(&pairs));
        }
        let own = params.get("max_retries").or_else(|| params.get("num_retries"));
        let own = own.and_then(|(node, place)| {
            let given: u32 = node.text()?.parse().ok()?;
            self.retries(node, &place, given);
            Some(given)
        });
        if let Some(retries) =
            own.or(settings.retries).map(|retries| retries.min(2)).filter(|retries| *retries < 2)
        {
            draft.set("retries", retries.to_string());
        }
        if settings.is_breaker_off {
            draft.set("breaker", "false".to_owned());
        }
    }

    /// Takes a number of retries, and tells where we make fewer.
    pub(super) fn retries(&mut self, node: &Node, place: &str, given: u32) {
        if given > 2 {
            let reason =
                "a target is asked at most three times; then the next target of the route has its turn";
            self.account.partly(node, place, reason, "");
        } else {
            self.account.take(node);
        }
    }
}
