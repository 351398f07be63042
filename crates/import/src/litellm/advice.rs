//! Why settings of LiteLLM's are not carried over, and what to do instead. Places are patterns: `[]` is any member.

use crate::account::Advice;

/// What is said of anything that no row knows.
const UNKNOWN: Advice = ("this has no counterpart", "");

const SAMPLING: Advice = ("a gateway adds no parameters to requests of ours", "let the applications send it");
const CACHE: Advice = (
    "answers are kept in memory of the gateway only, and only by what our chapter on caches says",
    "set `cache` in `[defaults]` or of a route",
);
const REDIS: Advice =
    ("state is kept without Redis: each process has its own, and budgets are shared by the data folder", "");
const DATABASE: Advice = (
    "the ledger is a file in the data folder; keys, teams and spend of that database stay there",
    "make keys with `pilothouse keys create`",
);
const BREAKER: Advice = (
    "when targets rest is fixed: after five failures in a row, or half of the last ten, for 5 s and longer each time",
    "`breaker = false` in a provider switches it off",
);
const REDACTED: Advice =
    ("bodies are kept only where `store.bodies` says so, and are told to no other program", "");
const LIMITS: Advice = (
    "a deployment has no rate of its own",
    "limit keys and teams (`limits = { rpm, tpm }`), or calls at once: `concurrency` of a provider, target or route",
);
const GUARDS: Advice = ("guardrails are not carried over", "");
const PARTS: Advice = ("this needs its other part, or the vendor has none of it", "");

/// Rows: the place, and what is said. A place that ends with `*` stands for all that begin so. The first that fits counts.
const ROWS: &[(&str, Advice)] = &[
    ("model_list[].litellm_params.temperature", SAMPLING),
    ("model_list[].litellm_params.top_p", SAMPLING),
    ("model_list[].litellm_params.top_k", SAMPLING),
    ("model_list[].litellm_params.seed", SAMPLING),
    ("model_list[].litellm_params.stop", SAMPLING),
    ("model_list[].litellm_params.n", SAMPLING),
    ("model_list[].litellm_params.presence_penalty", SAMPLING),
    ("model_list[].litellm_params.frequency_penalty", SAMPLING),
    ("model_list[].litellm_params.reasoning_effort", SAMPLING),
    ("model_list[].litellm_params.thinking*", SAMPLING),
    ("model_list[].litellm_params.extra_body*", SAMPLING),
    ("model_list[].litellm_params.response_format*", SAMPLING),
    ("model_list[].litellm_params.tools*", SAMPLING),
    (
        "model_list[].litellm_params.max_tokens",
        ("this is no limit of output", "set `defaults.max_output_tokens` of the route"),
    ),
    (
        "model_list[].litellm_params.weight",
        ("a share counts only among several targets of a weighted route", ""),
    ),
    ("model_list[].litellm_params.rpm", LIMITS),
    ("model_list[].litellm_params.tpm", LIMITS),
    (
        "model_list[].litellm_params.max_parallel_requests",
        ("this is no number of calls at once", "set `concurrency` of the target"),
    ),
    (
        "model_list[].litellm_params.stream_timeout",
        (
            "a provider has one deadline for the first byte, of streams and of answers",
            "set `timeouts` of the provider",
        ),
    ),
    (
        "model_list[].litellm_params.tags*",
        (
            "a request does not choose among a route's targets by tags",
            "make a route for each, or use `require.tags`",
        ),
    ),
    ("model_list[].litellm_params.api_version", ("this provider has no API versions to choose from", "")),
    ("model_list[].litellm_params.api_key", ("another credential of this deployment goes before it", "")),
    ("model_list[].litellm_params.input_cost_per_second", ("prices by the second are not known here", "")),
    ("model_list[].litellm_params.output_cost_per_second", ("prices by the second are not known here", "")),
    (
        "model_list[].litellm_params.aws_role_name",
        (
            "roles of AWS are not assumed by the gateway",
            "let `aws configure export-credentials` write the variables",
        ),
    ),
    (
        "model_list[].litellm_params.aws_*",
        ("this way to authenticate at AWS is not known here", "see the chapter on clouds"),
    ),
    (
        "model_list[].litellm_params.vertex_*",
        ("this is not known of Vertex AI here", "see the chapter on clouds"),
    ),
    ("model_list[].litellm_params.tenant_id", PARTS),
    ("model_list[].litellm_params.client_id", PARTS),
    ("model_list[].litellm_params.client_secret", PARTS),
    (
        "model_list[].litellm_params.mock_response*",
        ("answers are not made up here", "`pilothouse sim` is a fleet for tests"),
    ),
    (
        "model_list[].litellm_params.drop_params",
        ("what is done about parameters is said per route or provider", "set `compat`"),
    ),
    (
        "model_list[].litellm_params.additional_drop_params*",
        ("parameters are dropped by rules about models, not by name", "see `pilothouse rules`"),
    ),
    ("model_list[].litellm_params.guardrails*", GUARDS),
    (
        "model_list[].litellm_params.cache_control_injection_points*",
        ("requests are not given cache points here", "let the applications set them"),
    ),
    (
        "model_list[].litellm_params.litellm_credential_name",
        ("no member of `credential_list` has this name", ""),
    ),
    ("model_list[].litellm_params.*", ("this parameter has no counterpart", "")),
    (
        "model_list[].model_info.access_groups*",
        ("there are no groups of models", "list routes in a key's `allow`"),
    ),
    (
        "model_list[].model_info.supported_environments*",
        ("one file is one environment", "write a configuration for each"),
    ),
    ("model_list[].model_info.health_check*", ("targets are watched by their calls", "")),
    ("model_list[].model_info.*", ("this says nothing that routing or prices would use", "")),
    ("litellm_settings.cache*", CACHE),
    ("litellm_settings.redis*", REDIS),
    ("litellm_settings.set_verbose", ("logs have no debug mode to switch on here", "")),
    (
        "litellm_settings.json_logs",
        ("exchanges are told as JSON by `pilothouse logs --json` and `tail --json`", ""),
    ),
    ("litellm_settings.modify_params", ("requests are mended wherever rules know how", "see `compat`")),
    ("litellm_settings.turn_off_message_logging", REDACTED),
    ("litellm_settings.redact*", REDACTED),
    ("litellm_settings.langfuse*", REDACTED),
    ("litellm_settings.guardrails*", GUARDS),
    ("guardrails*", GUARDS),
    (
        "litellm_settings.max_budget",
        ("a cap needs a key or a team, and one of our periods", "give them `budget = { usd, every }`"),
    ),
    (
        "litellm_settings.budget_duration",
        ("a cap needs a key or a team, and one of our periods", "give them `budget = { usd, every }`"),
    ),
    (
        "litellm_settings.max_end_user_budget",
        ("a budget of end users has a period here", "write `[budgets] end_user = { usd, every }`"),
    ),
    (
        "litellm_settings.max_internal_user_budget",
        ("there are no internal users, but teams and keys", "give them `budget = { usd, every }`"),
    ),
    (
        "litellm_settings.default_internal_user_params*",
        ("there are no internal users, but teams and keys", ""),
    ),
    (
        "litellm_settings.default_team_settings*",
        ("settings of teams stand with the teams", "write `[teams.NAME]`"),
    ),
    ("litellm_settings.upperbound_key_generate_params*", ("keys are minted by operators only", "")),
    ("litellm_settings.key_generation_settings*", ("keys are minted by operators only", "")),
    (
        "litellm_settings.ssl_verify",
        ("certificates are always checked", "name further authorities in a provider's `ca_file`"),
    ),
    ("litellm_settings.force_ipv4", ("addresses are tried as the resolver gives them", "")),
    ("litellm_settings.mcp*", ("MCP servers are not carried over", "")),
    ("mcp_servers*", ("MCP servers are not carried over", "")),
    ("*.content_policy_fallbacks*", ("a refusal by a vendor's filter is an answer, which is passed on", "")),
    ("*.allowed_fails*", BREAKER),
    ("*.cooldown_time", BREAKER),
    (
        "*.retry_policy*",
        ("which failures are tried again is fixed", "see the chapter on routes and failover"),
    ),
    (
        "*.model_group_retry_policy*",
        ("which failures are tried again is fixed", "see the chapter on routes and failover"),
    ),
    ("router_settings.redis*", REDIS),
    ("router_settings.cache*", CACHE),
    (
        "router_settings.enable_pre_call_checks",
        ("prompts that are too long for a target always go past it", ""),
    ),
    (
        "router_settings.enable_pre_call_check",
        ("prompts that are too long for a target always go past it", ""),
    ),
    (
        "router_settings.enable_tag_filtering",
        ("a request does not choose among a route's targets by tags", "make a route for each"),
    ),
    ("router_settings.tag_filtering*", ("a request does not choose among a route's targets by tags", "")),
    (
        "router_settings.routing_strategy_args*",
        ("our strategies have no such arguments", "see the chapter on strategies"),
    ),
    (
        "router_settings.stream_timeout",
        ("a provider has one deadline for the first byte", "set `timeouts` of the provider"),
    ),
    ("router_settings.default_max_parallel_requests", LIMITS),
    ("router_settings.max_fallbacks", ("every target of `fallback` is asked, within the deadline", "")),
    ("router_settings.debug_level", ("logs have no debug mode to switch on here", "")),
    ("router_settings.set_verbose", ("logs have no debug mode to switch on here", "")),
    ("general_settings.database*", DATABASE),
    ("general_settings.store_model_in_db", DATABASE),
    ("general_settings.allow_requests_on_db_unavailable", ("no call waits for the ledger", "")),
    (
        "general_settings.disable_spend_logs",
        ("every exchange is recorded", "`store.keep_days` says for how long"),
    ),
    ("general_settings.alerting*", ("alerts are not sent", "watch /metrics, and set `alerts` of budgets")),
    ("general_settings.alert*", ("alerts are not sent", "watch /metrics, and set `alerts` of budgets")),
    ("general_settings.max_parallel_requests", LIMITS),
    ("general_settings.global_max_parallel_requests", LIMITS),
    ("general_settings.custom_auth*", ("callers authenticate with keys only", "")),
    ("general_settings.enable_jwt_auth", ("callers authenticate with keys only", "")),
    ("general_settings.litellm_jwtauth*", ("callers authenticate with keys only", "")),
    ("general_settings.enable_oauth2*", ("callers authenticate with keys only", "")),
    (
        "general_settings.key_management*",
        ("secrets are read from variables and files", "let the key management write them there"),
    ),
    (
        "general_settings.use_azure_key_vault",
        ("secrets are read from variables and files", "let the key management write them there"),
    ),
    (
        "general_settings.use_google_kms",
        ("secrets are read from variables and files", "let the key management write them there"),
    ),
    ("general_settings.background_health_checks", ("targets are watched by their calls", "")),
    ("general_settings.health_check*", ("targets are watched by their calls", "")),
    (
        "general_settings.pass_through_endpoints*",
        ("only the vendors' own endpoints are passed through", "see the chapter on endpoints"),
    ),
    ("general_settings.forward_client_headers_to_llm_api", ("which headers pass is fixed per dialect", "")),
    (
        "general_settings.forward_openai_org_id",
        ("which headers pass is fixed per dialect", "set `organization` of the provider"),
    ),
    ("general_settings.allowed_ips*", ("callers are known by keys, not by addresses", "")),
    ("general_settings.completion_model", ("a call must name its model", "")),
    ("general_settings.infer_model_from_keys", ("a provider is called where it is configured", "")),
    ("general_settings.maximum_spend_logs_retention*", ("this is no time in days", "set `store.keep_days`")),
    ("general_settings.ui_access_mode", ("there is no interface to log in to", "")),
    ("general_settings.*", ("this has no counterpart", "")),
    ("environment_variables*", ("our configuration sets no variables, and does not need this one", "")),
    ("credential_list[].credential_info*", ("notes have no place here", "write them as comments")),
    ("credential_list[]*", ("no deployment that was carried over uses it", "")),
    ("callback_settings*", ("exchanges are told to no other program", "")),
    ("vector_store_registry*", ("vector stores are not carried over", "")),
    ("prompts*", ("prompts are not kept by the gateway", "")),
    ("files_settings*", ("files go to the provider that is named, or that holds them", "")),
    ("finetune_settings*", ("fine-tuning is not carried over", "")),
];

/// Places whose members are told one by one.
const OPEN: [&str; 9] = [
    "model_list",
    "model_list[]",
    "model_list[].litellm_params",
    "model_list[].model_info",
    "litellm_settings",
    "router_settings",
    "general_settings",
    "environment_variables",
    "credential_list",
];

/// What is said of a place; nothing of those whose members are told one by one.
pub(super) fn advice(place: &str) -> Option<Advice> {
    if OPEN.contains(&place) {
        return None;
    }
    let fits = |pattern: &str| match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(end), _) => {
            let (end, is_open) = end.strip_suffix('*').map_or((end, false), |end| (end, true));
            place.split_once('.').is_some_and(|(_, rest)| {
                let rest = format!(".{rest}");
                if is_open { rest.starts_with(end) } else { rest == end }
            })
        }
        (None, Some(start)) => place.starts_with(start),
        (None, None) => place == pattern,
    };
    Some(ROWS.iter().find(|(pattern, _)| fits(pattern)).map_or(UNKNOWN, |(_, advice)| *advice))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_find_their_row_by_name_beginning_or_section() {
        assert_eq!(advice("model_list[].litellm_params.seed"), Some(SAMPLING));
        assert_eq!(advice("litellm_settings.cache_params.host"), Some(CACHE));
        assert_eq!(advice("router_settings.cooldown_time"), Some(BREAKER));
        assert_eq!(advice("litellm_settings.allowed_fails"), Some(BREAKER));
        assert_eq!(advice("nowhere"), Some(UNKNOWN));
        assert_eq!(advice("router_settings"), None);
    }

    #[test]
    fn no_row_is_hidden_behind_an_earlier_one() {
        for (at, (pattern, _)) in ROWS.iter().enumerate() {
            let place = pattern.replacen("*.", "router_settings.", 1).replace('*', "_");
            let first = ROWS.iter().position(|(_, said)| Some(*said) == advice(&place));
            assert!(first.is_some_and(|first| first <= at), "{pattern}");
        }
    }
}
