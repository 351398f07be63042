//! To whom a call goes that is no conversation.

use std::sync::{Arc, PoisonError};

use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::Caller;

use super::super::choose::{Choice, Way};
use super::super::read::named;
use super::super::retire;
use super::body::Given;
use super::{Passing, has_none, name_of};
use crate::endpoints::{Pass, Service};
use crate::kept::Holder;
use crate::plan::{Naming, Plan, Provider, Resolution};
use crate::shared::Worker;
use crate::told::Told;

/// Chooses the target: whom the caller names, who has the model, who holds the thing, else the first who speaks so.
pub(super) fn choose(
    worker: &Worker,
    plan: &Plan,
    passing: &Passing<'_>,
    given: &Given,
    caller: &Caller,
) -> Result<Choice, Error> {
    match passing.pass {
        Pass::Model(service) => by_model(worker, plan, passing, service, given),
        Pass::Held(_) => {
            let provider = holder(worker, plan, passing, given, caller)?;
            let resolution = plan.unnamed(provider, name_of(passing.pass));
            way(resolution, passing.dialect, name_of(passing.pass))
        }
    }
}

fn by_model(
    worker: &Worker,
    plan: &Plan,
    passing: &Passing<'_>,
    service: Service,
    given: &Given,
) -> Result<Choice, Error> {
    let resolution = match given.model() {
        Some(model) => retire::on_day(&worker.shared, plan, plan.resolve(&named(model, passing.told))?)?,
        None => unnamed(plan, passing, service)?,
    };
    if service != Service::Rerank {
        return way(resolution, passing.dialect, service.as_str());
    }
    let provider = &resolution.target.provider;
    if provider.rerank.is_none() {
        let public = format!(
            "`{}` has no rerank call that this gateway knows; ask a provider that has one, such as cohere or jina, or give \
             rerank_url in [providers.{}]",
            provider.name, provider.name
        );
        return Err(Error::bad_request("model", public));
    }
    Ok(Choice::passing(resolution, Way::Rerank))
}

/// The target of a call that names no model, where the vendor has one that it takes then.
fn unnamed(plan: &Plan, passing: &Passing<'_>, service: Service) -> Result<Arc<Resolution>, Error> {
    let forced = forced(plan, passing.told)?;
    if service == Service::Rerank {
        return Err(Error::bad_request("model", "you must provide a `model` parameter"));
    }
    if service == Service::Moderations {
        let fits = |(name, provider): &&(String, Arc<Provider>)| {
            let is_his = forced.is_none_or(|forced| forced.name == provider.name);
            is_his && name.contains("moderation") && speaks_openai(provider)
        };
        // The name that the vendor's own documents give first.
        let of_his = || plan.callable().iter().filter(fits);
        let found = of_his().find(|(name, _)| name == "omni-moderation-latest").or_else(|| of_his().next());
        if let Some((name, provider)) = found {
            return plan.resolve(&format!("{}/{name}", provider.name));
        }
    }
    let provider = match forced {
        Some(provider) => provider,
        None => speaker(plan, passing.dialect)?,
    };
    Ok(plan.unnamed(provider, service.as_str()))
}

/// Who holds what the call is about.
fn holder<'p>(
    worker: &Worker,
    plan: &'p Plan,
    passing: &Passing<'_>,
    given: &Given,
    caller: &Caller,
) -> Result<&'p Arc<Provider>, Error> {
    let forced = forced(plan, passing.told)?;
    let of_file = given.text("input_file_id");
    let id = passing.id().or(of_file.as_deref());
    let Some(id) = id else { return forced.map_or_else(|| speaker(plan, passing.dialect), Ok) };
    let held = worker.shared.holdings.lock().unwrap_or_else(PoisonError::into_inner).holder(id, &caller.key);
    let shown: String = id.chars().take(80).collect();
    match (held, forced) {
        (Holder::Others, _) => {
            Err(Error::new(Kind::NotFound, format!("nothing with the id `{shown}` is held for this key")))
        }
        (_, Some(forced)) => Ok(forced),
        (Holder::Yours(name), None) => plan.provider(&name).ok_or_else(|| {
            let public = format!("`{shown}` is held by `{name}`, which is not configured any more");
            Error::new(Kind::NotFound, public)
        }),
        (Holder::Unknown, None) => speaker(plan, passing.dialect),
    }
}

/// The provider that the caller names beside the model: in a header, or in the path, which comes here as that header.
pub(in crate::pipeline) fn forced<'p>(
    plan: &'p Plan,
    told: &Told<'_>,
) -> Result<Option<&'p Arc<Provider>>, Error> {
    let Some(name) = told.provider else { return Ok(None) };
    let name = name.to_str().unwrap_or_default();
    plan.provider(name).map(Some).ok_or_else(|| {
        let shown: String = name.chars().take(80).collect();
        let known: Vec<&str> = plan.providers.iter().map(|provider| &*provider.name).collect();
        let public = format!("no provider is called `{shown}`; configured are {}", known.join(", "));
        Error::new(Kind::NotFound, public)
    })
}

/// The first provider that speaks a dialect: first among those that speak it before any other.
pub(in crate::pipeline) fn speaker(plan: &Plan, dialect: Dialect) -> Result<&Arc<Provider>, Error> {
    let speaks = |wanted: Dialect| {
        let is_anthropic = dialect == Dialect::AnthropicMessages;
        if is_anthropic { wanted == dialect } else { is_openai(wanted) }
    };
    let first = |provider: &&Arc<Provider>| provider.surfaces.first().is_some_and(|one| speaks(one.dialect));
    let any = |provider: &&Arc<Provider>| provider.surfaces.iter().any(|one| speaks(one.dialect));
    let found = plan.providers.iter().find(first).or_else(|| plan.providers.iter().find(any));
    found.ok_or_else(|| {
        let who = if dialect == Dialect::AnthropicMessages { "Anthropic" } else { "OpenAI" };
        let public = format!("no configured provider has this API of {who}'s; add one to the configuration");
        Error::new(Kind::NotFound, public)
    })
}

const fn is_openai(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::OpenaiChat | Dialect::OpenaiResponses | Dialect::OpenaiEmbeddings)
}

/// Whether a provider speaks one of OpenAI's dialects.
fn speaks_openai(provider: &Provider) -> bool {
    provider.surfaces.iter().any(|surface| is_openai(surface.dialect))
}

/// The way to a provider for a call of a client's dialect.
pub(in crate::pipeline) fn way(
    resolution: Arc<Resolution>,
    dialect: Dialect,
    what: &str,
) -> Result<Choice, Error> {
    let is_anthropic = dialect == Dialect::AnthropicMessages;
    let fits = |wanted: Dialect| if is_anthropic { wanted == dialect } else { is_openai(wanted) };
    let provider = &resolution.target.provider;
    let Some(at) =
        provider.surfaces.iter().position(|surface| fits(surface.dialect) && surface.naming == Naming::Body)
    else {
        let what = format!("{what} API of {}'s", if is_anthropic { "Anthropic" } else { "OpenAI" });
        return Err(has_none(&provider.name, &what, if is_anthropic { "anthropic" } else { "openai" }));
    };
    Ok(Choice::passing(resolution, Way::Surface(at)))
}

/// The error of a way that cannot be called after all.
pub(super) fn no_way(choice: &Choice) -> Error {
    Error::bad_request("model", format!("`{}` does not have this call", choice.provider().name))
}
