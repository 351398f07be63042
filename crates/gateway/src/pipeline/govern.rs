//! What a call is held to: limits of its key and teams, runs of agents, and money set aside before each attempt.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use pilothouse_core::clock::UnixMs;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind, Retry};
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::Usage;
use pilothouse_store::budget::{Account, Budgets, OnLimit, Refused, Reservation, Reserve, ScopeKind, Why};
use pilothouse_store::limits;
use pilothouse_store::runs::{RunLimits, Verdict};
use pilothouse_tokens::{TextShape, Tokenizer};
use pilothouse_wire::head::Head;
use pilothouse_wire::needs::{self, Survey};
use pilothouse_wire::scan;

use super::choose::{Choice, may_call};
use super::read::Asked;
use crate::job::{Accounts, Holds, Job, Meter, Purpose, Run};
use crate::plan::{KeyInfo, Plan};
use crate::shared::Shared;
use crate::told::RUN;

/// Longest name of a run.
const RUN_BYTES_MAX: usize = 128;
/// How long a call waits for the first lease of a budget that was not met before.
const LEASE_WAIT: Duration = Duration::from_secs(2);
/// Tokens of output that a call must at least be able to pay: fewer would be no answer.
const OUTPUT_TOKENS_MIN: u64 = 16;
/// The output that is reckoned with, and then asked for at most, where nobody says how long an answer may be.
const OUTPUT_TOKENS_UNKNOWN: u64 = 16_384;
/// What is expected of an answer whose budgets pay for it as it comes, and what they pay for at once.
const OUTPUT_TOKENS_STEP: u64 = 512;
/// Up to this size, a body's length is all that is asked before money is set aside.
const BOUND_BYTES_MAX: usize = 4_096;
/// Tokens that vendors add to what is sent, at most about: instructions on tools and the like.
const ADDED_TOKENS: u64 = 512;
/// Tokens of a picture, a recording or a page, at most about.
const TOKENS_PER_MEDIUM: u64 = 4_000;

/// Why no money was set aside.
pub(crate) struct NoMoney {
    /// What the client is told.
    pub(crate) error: Error,
    /// The route that the call is to take instead.
    pub(super) downgrade: Option<Box<str>>,
}

/// Who calls, as far as limits and budgets ask.
pub(super) struct Who<'a> {
    pub(super) key: &'a str,
    pub(super) holder: Option<&'a Arc<KeyInfo>>,
    pub(super) end_user: Option<&'a str>,
    /// The run that it names.
    pub(super) run: Option<&'a HeaderValue>,
    /// Tokens that the call takes, about.
    pub(super) tokens: u64,
}

impl<'a> Who<'a> {
    /// Who asks a model. Tokens are told roughly: what the call used corrects them.
    pub(super) fn asks(asked: &'a Asked<'_>) -> Self {
        Self {
            key: &asked.key,
            holder: asked.holder.as_ref(),
            end_user: asked.end_user.as_deref(),
            run: asked.run,
            tokens: asked.body.len() as u64 / 4,
        }
    }
}

/// Lets a call in: its limits are taken and its budgets found. Whether it is the last turn of its run, and the model is to be
/// told so.
///
/// # Errors
/// [`Kind::RateLimited`] for a limit that is reached or a run that is over.
pub(super) fn hold(
    shared: &Shared,
    plan: &Plan,
    who: &Who<'_>,
    route: Option<&str>,
    job: &mut Job,
) -> Result<bool, Error> {
    // It belongs to the period of its admission, which is its start.
    let now = job.started_at();
    let governance = &plan.governance;
    let terms = who.holder.map(|key| &key.terms);
    let mut holds = Holds::default();
    let mut is_last_turn = false;
    let chain = terms.map(|terms| governance.limits_now(who.key, terms, &shared.minted.index().limits, now));
    if let Some(chain) = chain.filter(|chain| !chain.is_empty()) {
        let admission = limits::admit(&shared.counters, &chain, who.tokens, now).map_err(|limited| {
            let retry = match limited.retry_after_ms {
                _ if limited.is_too_large() => Retry::Never,
                after => Retry::After(after),
            };
            Error { retry, ..Error::new(Kind::RateLimited, limited.to_string()) }
        })?;
        holds.admission = Some(admission);
    }
    let run = who.run.and_then(|value| value.to_str().ok()).filter(|id| !id.is_empty());
    if let Some(id) = run.filter(|_| governance.run_limits != RunLimits::default()) {
        let id: String = id.chars().take(RUN_BYTES_MAX).collect();
        match shared.runs.may_begin(who.key, &id, &governance.run_limits, now) {
            Verdict::Stop(why) => {
                let public =
                    format!("the run `{id}` is over: {why}; begin another one, or raise its limit in [runs]");
                return Err(Error { retry: Retry::Never, ..Error::new(Kind::RateLimited, public) });
            }
            Verdict::LastTurn => is_last_turn = terms.is_none_or(|terms| terms.tells_last_turn),
            Verdict::Continue => {}
        }
        holds.run = Some(Box::new(Run { id: id.into(), limits: governance.run_limits }));
    }
    if let Some(budgets) = shared.budgets.get() {
        holds.accounts = accounts(budgets, plan, who, route, run)?;
    } else if terms.is_some_and(|terms| !terms.budgets.is_empty()) {
        // A key that was just given its first budget, or a disk that refuses: nothing is spent uncounted.
        let public = "the budgets of this key are not open yet; try again in a moment";
        return Err(Error::new(Kind::Overloaded, public));
    }
    if !holds.is_empty() {
        job.holds(holds);
    }
    Ok(is_last_turn)
}

/// The budgets that a call counts in.
fn accounts(
    budgets: &Budgets,
    plan: &Plan,
    who: &Who<'_>,
    route: Option<&str>,
    run: Option<&str>,
) -> Result<Accounts, Error> {
    let governance = &plan.governance;
    let mut found = Accounts::new();
    let mut add = |kind, scope: &str, rule: &Arc<_>| {
        let account = budgets
            .account(kind, scope, rule)
            .map_err(|full| Error::new(Kind::Overloaded, full.to_string()))?;
        found.push(account);
        Ok::<_, Error>(())
    };
    for budgeted in who.holder.iter().flat_map(|key| &key.terms.budgets) {
        add(budgeted.kind, &budgeted.scope, &budgeted.rule)?;
    }
    if let Some((name, rule)) = route.and_then(|name| Some((name, governance.routes.get(name)?))) {
        add(ScopeKind::Route, name, rule)?;
    }
    // Names that callers give are theirs alone: with the key's name, so that two callers' never meet.
    let own = |name: &str| format!("{}\u{1f}{name}", who.key);
    if let Some((user, rule)) = who.end_user.zip(governance.end_user.as_ref()) {
        add(ScopeKind::EndUser, &own(user), rule)?;
    }
    if let Some((id, rule)) = run.zip(governance.run.as_ref()) {
        add(ScopeKind::Run, &own(id), rule)?;
    }
    Ok(found)
}

/// Lets a call in that passes as it came, within what its key may, its limits and its budgets.
///
/// # Errors
/// [`Kind::Forbidden`] for what the key may not call, else as [`hold`]; or that a budget has nothing left.
pub(super) fn hold_passing(
    shared: &Shared,
    plan: &Plan,
    key: Option<&Arc<KeyInfo>>,
    headers: &HeaderMap,
    choice: &Choice,
    job: &mut Job,
) -> Result<(), Error> {
    if let Some(key) = key {
        may_call(key, &choice.resolution)?;
    }
    let name = key.map(|key| Arc::clone(&key.name)).unwrap_or_default();
    let who = Who { key: &name, holder: key, end_user: None, run: headers.get(RUN), tokens: 0 };
    hold(shared, plan, &who, None, job)?;
    reserve_unpriced(shared, job).map_err(|refused| refused.error)
}

/// Asks the budgets of a call that cannot be priced before it was made: whether they have anything left.
///
/// # Errors
/// [`NoMoney`], where one of them has nothing.
fn reserve_unpriced(shared: &Shared, job: &mut Job) -> Result<(), NoMoney> {
    let Some((accounts, budgets)) = job.accounts().zip(shared.budgets.get()) else { return Ok(()) };
    let accounts = accounts.clone();
    let now = shared.clock.now();
    match budgets.reserve(&accounts, PicoUsd(1), now) {
        Ok(reservation) => {
            job.reserves(reservation, Purpose::Unpriced);
            Ok(())
        }
        Err(refused) => Err(no_money(&refused, now)),
    }
}

/// Sets money aside for one attempt. The most output that it may ask for, where the balance or nobody else limits it.
///
/// # Errors
/// [`NoMoney`], where a budget cannot pay even a short answer, or the target has no price.
pub(super) async fn reserve(
    shared: &Shared,
    dialect: Dialect,
    asked: &Asked<'_>,
    choice: &Choice,
    job: &mut Job,
) -> Result<Option<u64>, NoMoney> {
    let Some((accounts, budgets)) = job.accounts().zip(shared.budgets.get()) else { return Ok(None) };
    let accounts = accounts.clone();
    let now = shared.clock.now();
    let mut bill = Estimate::of(dialect, asked, choice);
    if accounts.iter().all(|account| account.rule().reserve == Reserve::Expected) {
        return reserve_expected(budgets, &accounts, bill, (asked, choice), job, now).await;
    }
    // No text has more tokens than bytes: of a short one that is enough to know, as long as the balance does.
    if asked.body.len() <= BOUND_BYTES_MAX {
        bill.input = asked.body.len() as u64 + bill.added();
        let most = bill.cost(choice, bill.output_max, now).ok_or_else(|| no_price(choice))?;
        if let Ok(reservation) = budgets.reserve(&accounts, most, now) {
            let cap = bill.is_open.then_some(bill.output_max);
            job.reserves(reservation, bill.purpose(cap));
            return Ok(cap);
        }
    }
    bill.input = bill.likely(asked, choice);
    let cost = |output: u64| bill.cost(choice, output, now);
    let (Some(least), Some(most)) = (cost(OUTPUT_TOKENS_MIN.min(bill.output_max)), cost(bill.output_max))
    else {
        return Err(no_price(choice));
    };
    let reservation =
        leased(budgets, &accounts, (least, most), now).await.map_err(|refused| no_money(&refused, now))?;
    let cap = bill.cap(&reservation, most, cost);
    job.reserves(reservation, bill.purpose(cap));
    Ok(cap)
}

/// What an attempt may cost at most, and what makes it so.
pub(super) struct Most {
    /// With all the output that it may ask for.
    pub(super) cost: PicoUsd,
    /// The output that it must be held to, where nobody else limits it.
    pub(super) cap: Option<u64>,
    /// Tokens of its input, about.
    pub(super) input_tokens: u64,
}

/// What an attempt may cost at most; `None` where it has no price.
pub(super) fn most(shared: &Shared, dialect: Dialect, asked: &Asked<'_>, choice: &Choice) -> Option<Most> {
    let mut bill = Estimate::of(dialect, asked, choice);
    bill.input = bill.likely(asked, choice);
    let cost = bill.cost(choice, bill.output_max, shared.clock.now())?;
    Some(Most { cost, cap: bill.is_open.then_some(bill.output_max), input_tokens: bill.input })
}

/// Sets aside what an attempt is expected to cost; the answer pays for what it writes beyond that as it comes.
async fn reserve_expected(
    budgets: &Budgets,
    accounts: &[Account],
    mut bill: Estimate,
    (asked, choice): (&Asked<'_>, &Choice),
    job: &mut Job,
    now: UnixMs,
) -> Result<Option<u64>, NoMoney> {
    bill.input = bill.likely(asked, choice);
    let output = bill.output_max.min(OUTPUT_TOKENS_STEP);
    let amount = bill.cost(choice, output, now).ok_or_else(|| no_price(choice))?;
    let step = Usage { output: OUTPUT_TOKENS_STEP, ..Usage::default() };
    let pricing = choice.resolution.target.pricing.as_ref();
    let step_cost = pricing.and_then(|pricing| pricing.cost(&step, bill.tier.as_deref(), now).known());
    let step_cost = step_cost.ok_or_else(|| no_price(choice))?;
    let given = leased(budgets, accounts, (amount, amount), now).await;
    job.reserves(given.map_err(|refused| no_money(&refused, now))?, bill.purpose(Some(output)));
    let covered = output.saturating_mul(bill.choices);
    job.metered(Meter { covered, step: OUTPUT_TOKENS_STEP, step_cost, steps: 0 });
    Ok(None)
}

/// Sets between `least` and `most` aside. A budget that was not met before, or a call larger than its lease, waits for the
/// next one, which is on its way; such a call alone waits.
async fn leased(
    budgets: &Budgets,
    accounts: &[Account],
    (least, most): (PicoUsd, PicoUsd),
    now: UnixMs,
) -> Result<Reservation, Refused> {
    let mut given = budgets.reserve_up_to(accounts, least, most, now);
    if given.as_ref().is_err_and(Refused::awaits_lease) {
        let fetched = async {
            while given.as_ref().is_err_and(Refused::awaits_lease) {
                budgets.ready(accounts).await;
                given = budgets.reserve_up_to(accounts, least, most, now);
            }
        };
        let _ = tokio::time::timeout(LEASE_WAIT, fetched).await;
    }
    given
}

/// What an attempt may use, at most.
struct Estimate {
    input: u64,
    survey: Survey,
    output_max: u64,
    /// Nobody but us says how long the answer may be.
    is_open: bool,
    tier: Option<String>,
    choices: u64,
}

impl Estimate {
    fn of(dialect: Dialect, asked: &Asked<'_>, choice: &Choice) -> Self {
        let head = Head::over(&asked.body, &asked.members);
        let target = &choice.resolution.target;
        let survey = *asked.survey(dialect, &head);
        let of_model = target.output_tokens_max;
        let known = least(survey.output_limit, least(choice.output_tokens_max, of_model));
        let number =
            |name: &str| std::str::from_utf8(needs::find(&head, &[name], dialect)?).ok()?.parse::<u64>().ok();
        Self {
            input: 0,
            survey,
            output_max: if dialect == Dialect::OpenaiEmbeddings {
                0
            } else {
                known.unwrap_or(OUTPUT_TOKENS_UNKNOWN)
            },
            is_open: known.is_none() && dialect != Dialect::OpenaiEmbeddings,
            tier: (!survey.is_bare)
                .then(|| needs::find(&head, &["service_tier"], dialect))
                .flatten()
                .and_then(scan::text_value)
                .filter(|tier| tier != "auto")
                .map(|tier| tier.into_owned()),
            choices: number("n").unwrap_or(1).clamp(1, 128),
        }
    }

    /// The input as far as its text tells, with the error of such an estimate.
    fn likely(&self, asked: &Asked<'_>, choice: &Choice) -> u64 {
        let tokenizer = Tokenizer::of(&choice.resolution.target.real);
        let likely = match std::str::from_utf8(&asked.body) {
            Ok(text) if self.survey.size.media == 0 => tokenizer.estimate(&TextShape::of(text)),
            _ => self.survey.size.text_bytes / 2,
        };
        likely + likely * u64::from(tokenizer.error_percent()) / 100 + self.added()
    }

    /// The input that no text tells.
    fn added(&self) -> u64 {
        u64::from(self.survey.size.media) * TOKENS_PER_MEDIUM + ADDED_TOKENS
    }

    /// What so much output would cost, with the dearest way to count the input; `None` where it has no price.
    fn cost(&self, choice: &Choice, output: u64, now: UnixMs) -> Option<PicoUsd> {
        let pricing = choice.resolution.target.pricing.as_ref()?;
        let output = output.saturating_mul(self.choices);
        let of = |usage: Usage| pricing.cost(&usage, self.tier.as_deref(), now).known();
        let plain = of(Usage { input: self.input, output, ..Usage::default() })?;
        if !self.survey.has_cache_marks {
            return Some(plain);
        }
        let short = of(Usage { cache_write_5m: self.input, output, ..Usage::default() });
        let long = of(Usage { cache_write_1h: self.input, output, ..Usage::default() });
        Some(plain.max(short.unwrap_or(plain)).max(long.unwrap_or(plain)))
    }

    /// The most output that a reservation pays, where that is less than what was asked for, or nobody else says it.
    fn cap(
        &self,
        reservation: &Reservation,
        most: PicoUsd,
        cost: impl Fn(u64) -> Option<PicoUsd>,
    ) -> Option<u64> {
        let amount = reservation.amount();
        if amount >= most {
            return self.is_open.then_some(self.output_max);
        }
        let (mut low, mut high) = (OUTPUT_TOKENS_MIN.min(self.output_max), self.output_max);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if cost(middle).is_some_and(|cost| cost <= amount) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Some(low)
    }

    fn purpose(&self, cap: Option<u64>) -> Purpose {
        Purpose::Tokens { input: self.input, output: cap.unwrap_or(self.output_max) }
    }
}

/// The smaller of two numbers that may not be there.
const fn least(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if one < other { one } else { other }),
        (None, only) | (only, None) => only,
    }
}

fn no_price(choice: &Choice) -> NoMoney {
    let target = &choice.resolution.target;
    let public = format!(
        "`{}/{}` has no known price, so that no budget can be kept with it; add its price to the catalogue's overlay, or ask \
         another model",
        target.provider.name, target.model
    );
    NoMoney { error: Error::new(Kind::Forbidden, public), downgrade: None }
}

pub(crate) fn no_money(refused: &Refused, now: UnixMs) -> NoMoney {
    let retry = match (refused.why, refused.resets_at) {
        (Why::AwaitsLease, _) => Retry::After(Some(1_000)),
        (Why::Spent, Some(at)) => Retry::After(Some(at.0.saturating_sub(now.0))),
        (Why::Spent, None) => Retry::Never,
    };
    let downgrade = match &refused.on_limit {
        OnLimit::Downgrade(route) => Some(route.clone()),
        OnLimit::Stop | OnLimit::Warn => None,
    };
    NoMoney { error: Error { retry, ..Error::new(Kind::RateLimited, refused.to_string()) }, downgrade }
}

/// What an exchange cost, as far as anybody knows; `None` where a bill may come that nobody can tell.
pub(crate) fn known_cost(cost: Cost, estimated: Cost) -> Option<PicoUsd> {
    Some(cost.known()? + estimated.known().unwrap_or(PicoUsd::ZERO))
}
