//! One member of `model_list`: which provider takes its calls, under which id, and with which share.

use super::Reading;
use super::address::Address;
use super::prefix::{self, Base, COMPATIBLE, Prefix};
use super::providers::Draft;
use super::settings::Settings;
use crate::yaml::Node;

/// A deployment whose provider is known.
pub(super) struct Deployment<'n> {
    /// Where it stands.
    pub(super) node: &'n Node,
    /// Its place in the list.
    pub(super) index: usize,
    /// Its `model_name`: the route that it belongs to.
    pub(super) group: &'n str,
    /// `provider/model`.
    pub(super) target: String,
    /// `model_info.id`, by which fallbacks may name it.
    pub(super) id: Option<&'n str>,
    /// `max_tokens` of its parameters.
    pub(super) output_tokens_max: Option<u64>,
    /// `max_parallel_requests` of its parameters, with the place of it.
    pub(super) concurrency: Option<(u32, &'n Node, String)>,
}

/// Where the parameters of a deployment stand.
pub(super) struct Params<'n> {
    /// Its own, with their place.
    pub(super) own: (Option<&'n Node>, String),
    /// Those of the credential that it names.
    pub(super) credential: Option<(&'n Node, String)>,
    /// `model_info`, with its place.
    pub(super) info: (Option<&'n Node>, String),
}

impl<'n> Params<'n> {
    /// A parameter with its place.
    pub(super) fn get(&self, key: &str) -> Option<(&'n Node, String)> {
        let of = |map: &'n Node, path: &str| {
            let node = map.get(key).filter(|node| !node.is_empty())?;
            Some((node, format!("{path}.{key}")))
        };
        let own = self.own.0.and_then(|own| of(own, &self.own.1));
        own.or_else(|| self.credential.as_ref().and_then(|(map, path)| of(map, path)))
    }
}

/// What a deployment's `model` says.
pub(super) struct Named {
    /// The prefix, where a vendor of the catalogue has one; none for servers that only speak OpenAI's API.
    pub(super) prefix: Option<&'static Prefix>,
    /// The id behind it.
    pub(super) id: String,
}

/// Whether a deployment is a pattern for many names.
pub(super) fn is_wildcard(node: &Node) -> bool {
    node.get("model_name").and_then(Node::text).is_some_and(|name| name.contains('*'))
}

impl<'n> Reading<'n> {
    /// The parameters of a member of the list.
    pub(super) fn params(&mut self, index: usize, node: &'n Node) -> Params<'n> {
        let path = format!("model_list[{index}]");
        let own = node.get("litellm_params");
        let name = own.and_then(|own| own.get("litellm_credential_name"));
        let credential = name.and_then(|name| {
            let list = self.root.get("credential_list")?.members();
            let named = |one: &Node| one.get("credential_name").and_then(Node::text) == name.text();
            let at = list.iter().position(named)?;
            self.account.take(name);
            self.account.get(&list[at], "credential_name");
            Some((list[at].get("credential_values")?, format!("credential_list[{at}].credential_values")))
        });
        Params {
            own: (own, format!("{path}.litellm_params")),
            credential,
            info: (node.get("model_info"), format!("{path}.model_info")),
        }
    }

    /// Reads a deployment: one per organisation that it names.
    pub(super) fn deployment(
        &mut self,
        index: usize,
        node: &'n Node,
        settings: &Settings,
    ) -> Vec<Deployment<'n>> {
        let path = format!("model_list[{index}]");
        let params = self.params(index, node);
        let (Some(group), Some((model, _))) =
            (node.get("model_name").and_then(Node::text), params.get("model"))
        else {
            self.account.leave(node, &path, "a deployment needs `model_name` and `litellm_params.model`", "");
            return Vec::new();
        };
        let named = match self.named(&params, model.text().unwrap_or_default()) {
            Ok(named) => named,
            Err(why) => {
                self.account.leave(node, &path, &why, UNSERVED);
                return Vec::new();
            }
        };
        let organizations = params.get("organization").map_or(&[][..], |(given, _)| given.members());
        let each: Vec<Option<String>> = if organizations.is_empty() {
            vec![None]
        } else {
            organizations
                .iter()
                .filter_map(|node| self.plain(node, &params, "organization"))
                .map(Some)
                .collect()
        };
        let mut found = Vec::new();
        for organization in each {
            match self.draft(&params, &named, organization.as_deref(), settings) {
                Ok(draft) => found.push((draft, group)),
                Err(why) => {
                    self.account.leave(node, &path, &why, UNSERVED);
                    return Vec::new();
                }
            }
        }
        self.account.get(node, "model_name");
        self.account.take(model);
        let id = params.info.0.and_then(|info| self.account.text(info, "id"));
        let output_tokens_max = self.output_tokens(&params);
        let made = found.into_iter().map(|(draft, group)| {
            let provider = self.provider_of(draft, None, node.place.line);
            self.facts(&params, provider, &named);
            let target = format!("{}/{}", self.providers[provider].name, named.id);
            Deployment {
                node,
                index,
                group,
                target,
                id,
                output_tokens_max,
                concurrency: concurrency_of(&params),
            }
        });
        made.collect()
    }

    /// A pattern: calls by `NAME/…` reach the provider NAME by themselves, so that it only has to be there.
    pub(super) fn wildcard(&mut self, index: usize, node: &'n Node, settings: &Settings) {
        let path = format!("model_list[{index}]");
        let params = self.params(index, node);
        let pattern = node.get("model_name").and_then(Node::text).unwrap_or_default();
        let model = params.get("model").and_then(|(model, _)| model.text()).unwrap_or_default();
        let prefix = model.strip_suffix("/*").filter(|prefix| !prefix.contains(['*', '/']));
        let wanted = pattern.strip_suffix("/*").filter(|name| !name.is_empty() && !name.contains(['*', '/']));
        let (Some(prefix), true) = (prefix, wanted.is_some() || pattern == "*") else {
            self.account.leave(node, &path, PATTERN.0, PATTERN.1);
            return;
        };
        if wanted.is_some_and(|name| self.providers.iter().any(|provider| provider.name == name)) {
            let reason = "another entry already gives all of this provider's models";
            self.account.leave(node, &path, reason, "list its key beside the other one in `api_keys`");
            return;
        }
        let draft = self
            .named(&params, &format!("{prefix}/any"))
            .and_then(|named| self.draft(&params, &named, None, settings));
        match draft {
            Ok(draft) => {
                self.provider_of(draft, wanted, node.place.line);
                self.account.get(node, "model_name");
                if let Some((model, _)) = params.get("model") {
                    self.account.take(model);
                }
            }
            Err(why) => self.account.leave(node, &path, &why, UNSERVED),
        }
    }

    /// What a `model` means.
    fn named(&mut self, params: &Params<'n>, model: &str) -> Result<Named, String> {
        let model = model.trim();
        let explicit = params.get("custom_llm_provider");
        let (name, id) = match &explicit {
            Some((node, _)) => {
                self.account.take(node);
                let name = node.text().unwrap_or_default();
                let id = model.strip_prefix(name).and_then(|rest| rest.strip_prefix('/')).unwrap_or(model);
                (name, id)
            }
            None => match model.split_once('/') {
                Some((name, id)) if prefix::find(name).is_some() || COMPATIBLE.contains(&name) => (name, id),
                Some((name, _)) if self.vendor_of(model).is_none() => {
                    return Err(format!("no vendor of ours answers to LiteLLM's `{name}/`"));
                }
                _ => {
                    let known = self.vendor_of(model).and_then(prefix::of_vendor);
                    let unknown = || {
                        format!(
                            "which vendor has `{model}` is not known: LiteLLM's list of models is not ours"
                        )
                    };
                    (known.ok_or_else(unknown)?.name, model)
                }
            },
        };
        let prefix = prefix::find(name);
        if prefix.is_none() && !COMPATIBLE.contains(&name) {
            return Err(format!("no vendor of ours answers to LiteLLM's `{name}/`"));
        }
        if id.is_empty() {
            return Err("the model has no name behind its prefix".to_owned());
        }
        let id = prefix.map_or_else(|| id.to_owned(), |prefix| wire_id(prefix, id));
        Ok(Named { prefix, id })
    }

    /// The vendor that makes a model of that name.
    fn vendor_of(&self, model: &str) -> Option<&'static str> {
        self.catalog.native_platform(model)
    }

    /// The provider that a deployment needs.
    fn draft(
        &mut self,
        params: &Params<'n>,
        named: &Named,
        organization: Option<&str>,
        settings: &Settings,
    ) -> Result<Draft, String> {
        let mut draft = Draft { vendor: named.prefix.map(|prefix| prefix.vendor), ..Draft::default() };
        match self.address(params, named) {
            Address::Vendor => {}
            Address::Resource(resource) => draft.param("resource", &resource),
            Address::At { base_url, vendor, hint } => {
                draft.vendor = vendor;
                if draft.vendor.is_none() {
                    draft.text("dialect", "openai-chat");
                }
                draft.text("base_url", &base_url);
                draft.hint = hint;
            }
        }
        if draft.vendor.is_none() && draft.hint.is_empty() {
            return Err("an `api_base` is missing: there is no address to call".to_owned());
        }
        match draft.vendor {
            Some("bedrock") => self.of_bedrock(params, named, &mut draft),
            Some("vertex") => self.of_vertex(params, &mut draft),
            Some("azure" | "azure-ai") => self.of_azure(params, named, &mut draft),
            _ => {}
        }
        self.complete(&draft)?;
        self.key(params, named, &mut draft);
        if let Some(organization) = organization {
            draft.text("organization", organization);
            draft.hint = organization.to_owned();
        }
        self.headers(params, &mut draft);
        self.limits(params, settings, &mut draft);
        Ok(draft)
    }

    /// Whether an address can be made of what is given; what the environment must add is noted.
    fn complete(&mut self, draft: &Draft) -> Result<(), String> {
        let Some(vendor) = draft.vendor.and_then(|name| self.catalog.vendor(name)) else { return Ok(()) };
        if draft.has("base_url") {
            return Ok(());
        }
        let Some(address) = vendor.surfaces.first().and_then(|surface| surface.base_url.as_deref()) else {
            return Err(format!("an `api_base` is missing: `{}` has no fixed address", vendor.name));
        };
        let names = address.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
        for name in names.filter(|name| *name != "host" && !draft.params.contains_key(*name)) {
            let variable = vendor.param_env.get(name).and_then(|names| names.first());
            let missing = || format!("the {name} of `{}` is given nowhere", vendor.name);
            self.needed.insert(variable.ok_or_else(missing)?.clone());
        }
        Ok(())
    }

    fn output_tokens(&mut self, params: &Params<'n>) -> Option<u64> {
        let (node, key) = params.get("max_tokens").or_else(|| params.get("max_completion_tokens"))?;
        let limit = node.text()?.parse().ok().filter(|limit| *limit > 0)?;
        let reason =
            "a default of LiteLLM's; as `max_output_tokens` it is also the most that callers can ask for";
        self.account.partly(node, &key, reason, "remove it from the route where callers may ask for more");
        Some(limit)
    }
}

const UNSERVED: &str =
    "where the server speaks a dialect of ours, give it as a provider with `dialect` and `base_url`";
const PATTERN: (&str, &str) = (
    "our names have no patterns, but `PROVIDER/…` reaches any model of a provider",
    "call `PROVIDER/MODEL`, or name the models in a provider's `models`",
);

/// Calls at once of a deployment, as LiteLLM limits them.
fn concurrency_of<'n>(params: &Params<'n>) -> Option<(u32, &'n Node, String)> {
    let (node, place) = params.get("max_parallel_requests")?;
    let calls = node.text()?.parse().ok().filter(|calls| (1..=1_000_000).contains(calls))?;
    Some((calls, node, place))
}

/// The id on the wire, without what LiteLLM writes into names to choose a way.
fn wire_id(prefix: &Prefix, id: &str) -> String {
    match prefix.vendor {
        "bedrock" => {
            let id = ["converse/", "converse_like/", "invoke/"]
                .iter()
                .find_map(|way| id.strip_prefix(way))
                .unwrap_or(id);
            let region = super::address::region_in(id);
            region.map_or(id, |region| &id[region.len() + 1..]).to_owned()
        }
        "openai" | "azure" => {
            let way = ["responses/", "o_series/", "gpt5_series/"].iter().find_map(|way| id.strip_prefix(way));
            way.unwrap_or(id).to_owned()
        }
        // `PLACE/ORGANISATION/MODEL` there is `ORGANISATION/MODEL:PLACE` at the router of Hugging Face.
        "huggingface" => match id.split_once('/') {
            Some((place, model)) if model.contains('/') => format!("{model}:{place}"),
            _ => id.to_owned(),
        },
        _ if id.contains('/') || prefix.before_id.is_empty() => id.to_owned(),
        _ => format!("{}{id}", prefix.before_id),
    }
}

impl Named {
    /// What `api_base` means for it.
    pub(super) fn base(&self) -> Base {
        self.prefix.map_or(Base::Same, |prefix| prefix.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lose_what_only_litellm_reads_in_them() {
        for (name, given, wanted) in [
            ("bedrock", "converse/us-west-2/anthropic.claude-v2", "anthropic.claude-v2"),
            ("bedrock", "us.anthropic.claude-sonnet-4-5", "us.anthropic.claude-sonnet-4-5"),
            ("openai", "responses/gpt-5.5", "gpt-5.5"),
            ("huggingface", "together/deepseek-ai/DeepSeek-R1", "deepseek-ai/DeepSeek-R1:together"),
            ("huggingface", "deepseek-ai/DeepSeek-R1", "deepseek-ai/DeepSeek-R1"),
            ("fireworks_ai", "llama-v3p1-8b-instruct", "accounts/fireworks/models/llama-v3p1-8b-instruct"),
            ("fireworks_ai", "accounts/me/models/mine", "accounts/me/models/mine"),
            ("openrouter", "anthropic/claude-opus-4.7", "anthropic/claude-opus-4.7"),
        ] {
            assert_eq!(wire_id(prefix::find(name).unwrap(), given), wanted);
        }
    }
}
