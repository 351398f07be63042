//! From what the file says of targets that end to what it means, with the place of everything that is wrong.

use std::collections::HashMap;
use std::sync::Arc;

use pilothouse_catalog::day::{self, DAY_MS};
use pilothouse_catalog::{Model, Status};
use pilothouse_core::clock::UnixMs;
use pilothouse_migrate::lifecycle::{Brownout, BrownoutAnswer, Share};
use pilothouse_migrate::plan::Plan as LeavingPlan;
use toml::Spanned;

use super::super::terms::moment;
use super::super::{Plan, Provider};
use super::window::window;
use super::{ALERTS, DayOf, Life, Lifecycles, OnDay, PlanFile, of_catalogue};
use crate::config::{BrownoutSection, Diagnostic, OnRetired, Source, TargetLife};

/// Most days before an end on which people are told, and most such days.
const ALERT_DAYS_MAX: u32 = 3650;
const ALERTS_MAX: usize = 32;
/// Most days between a target's end and its removal.
const REMOVED_AFTER_MAX: u32 = 3650;
/// Most brownouts of one target.
const BROWNOUTS_MAX: usize = 64;

/// Makes the lives of a configuration, as things stand `now`. Everything that is wrong is added to `wrong`, and what works and
/// should be known to `warnings`.
pub(in crate::plan) fn build(
    plan: &Plan,
    source: &Source,
    now: UnixMs,
    wrong: &mut Vec<Diagnostic>,
    warnings: &mut Vec<Diagnostic>,
) -> Lifecycles {
    let section = &source.file.lifecycle;
    let mut targets: HashMap<Box<str>, Arc<Life>> = HashMap::new();
    for (name, given) in &section.targets {
        let mut reading = Reading { plan, source, name, given, now, wrong, warnings };
        let Some(life) = reading.life(section.on_retired) else { continue };
        if targets.insert(life.target.clone(), Arc::new(life)).is_some() {
            let message = "another table is about the same target; write one for both";
            wrong.push(Diagnostic::at(name.span(), message));
        }
    }
    let is_enforced = section.on_retired.is_some()
        || targets.values().any(|life| life.on_day.is_some() || !life.cycle.brownouts.is_empty());
    Lifecycles { alerts: alerts(source, wrong), on_retired: section.on_retired, targets, is_enforced, now }
}

fn alerts(source: &Source, wrong: &mut Vec<Diagnostic>) -> Vec<u32> {
    let Some(given) = &source.file.lifecycle.alerts else { return ALERTS.to_vec() };
    for days in given.iter().filter(|days| *days.get_ref() > ALERT_DAYS_MAX) {
        let message = format!("an alert comes at most {ALERT_DAYS_MAX} days before the end");
        wrong.push(Diagnostic::at(days.span(), message));
    }
    if let Some(first) = given.first().filter(|_| given.len() > ALERTS_MAX) {
        wrong.push(Diagnostic::at(first.span(), format!("at most {ALERTS_MAX} alerts are told of a target")));
    }
    given.iter().map(|days| *days.get_ref()).collect()
}

/// One target's table on its way.
struct Reading<'a> {
    plan: &'a Plan,
    source: &'a Source,
    name: &'a Spanned<String>,
    given: &'a TargetLife,
    now: UnixMs,
    wrong: &'a mut Vec<Diagnostic>,
    warnings: &'a mut Vec<Diagnostic>,
}

impl Reading<'_> {
    fn life(&mut self, on_retired: Option<OnRetired>) -> Option<Life> {
        let (provider, model) = self.target()?;
        let (wire, real) = provider.named(&model);
        let known = self.plan.catalog.model(&provider.platform, real);
        let name = format!("{}/{wire}", provider.name);
        let mut life =
            known.as_ref().map_or_else(|| nothing_known(&name), |model| of_catalogue(&name, model));
        life.is_configured = true;
        life.owner = self.given.owner.as_deref().map(Into::into);
        self.dates(&mut life);
        let leaving = self.leaving_plan(&provider, (wire, real));
        life.successor = self.successor(&provider, (wire, real), &name, leaving.as_ref());
        life.plan = leaving.map(|(file, _)| file);
        life.link = self.link();
        life.on_day = Some(OnDay {
            policy: self.given.on_retired.or(on_retired).unwrap_or(OnRetired::Fail),
            is_written: self.given.on_retired.or(on_retired).is_some(),
        });
        self.brownouts(&mut life);
        for spared in &self.given.opt_out {
            if let Some(until) = moment(&spared.until, self.wrong) {
                life.opt_out.push((spared.key.get_ref().as_str().into(), until));
            }
        }
        life.write_headers();
        Some(life)
    }

    /// The provider and the model that the table is about.
    fn target(&mut self) -> Option<(Arc<Provider>, String)> {
        let name = self.name.get_ref();
        let found = name.split_once('/').filter(|(_, model)| !model.is_empty());
        let Some((provider, model)) = found else {
            let message = format!(
                "`{name}` is neither `alerts` nor `on_retired` nor a target; targets are written [lifecycle.\"provider/model\"]"
            );
            self.wrong.push(Diagnostic::at(self.name.span(), message));
            return None;
        };
        let Some(provider) = self.plan.provider(provider) else {
            let known: Vec<&str> = self.plan.providers.iter().map(|provider| &*provider.name).collect();
            let message = format!(
                "no provider is called `{provider}`; configured are {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            );
            self.wrong.push(Diagnostic::at(self.name.span(), message));
            return None;
        };
        Some((Arc::clone(provider), model.to_owned()))
    }

    /// Its own dates over those of the catalogue: the earlier day holds.
    fn dates(&mut self, life: &mut Life) {
        if let Some(since) = self.given.deprecated.as_ref().and_then(|given| moment(given, self.wrong)) {
            life.cycle.deprecated_at = Some(since);
            life.cycle.is_announced = true;
        }
        if let Some(given) = &self.given.retires
            && let Some(own) = moment(given, self.wrong)
        {
            life.cycle.is_announced = true;
            match life.cycle.retires_at {
                Some(vendors) if vendors < own => {
                    let message = format!(
                        "warning: its vendor retires it on {}, before this day, and that day holds",
                        day::of(vendors)
                    );
                    self.warnings.push(Diagnostic::at(given.span(), message));
                }
                _ => {
                    life.cycle.retires_at = Some(own);
                    life.retires_by = Some(DayOf::Configuration);
                }
            }
        }
        let Some(given) = &self.given.removed_after_days else { return };
        if *given.get_ref() > REMOVED_AFTER_MAX {
            let message = format!("at most {REMOVED_AFTER_MAX} days");
            self.wrong.push(Diagnostic::at(given.span(), message));
        }
        let days = u64::from(*given.get_ref()) * DAY_MS;
        life.cycle.removed_at = life.cycle.retires_at.map(|end| UnixMs(end.0.saturating_add(days)));
    }

    /// The plan to leave it, and where that leads.
    fn leaving_plan(
        &mut self,
        provider: &Provider,
        (wire, real): (&str, &str),
    ) -> Option<(PlanFile, String)> {
        let given = self.given.plan.as_ref()?;
        let path = self.source.folder().join(given.get_ref());
        let shown = given.get_ref().display().to_string();
        let read = std::fs::read_to_string(&path)
            .map_err(|error| {
                format!(
                    "`{}` cannot be read ({error}); `pilothouse migrate plan {real}` writes one",
                    path.display()
                )
            })
            .and_then(|text| LeavingPlan::read(&text, &shown).map_err(|error| error.to_string()));
        let leaving = match read {
            Ok(leaving) => leaving,
            Err(why) => {
                self.wrong.push(Diagnostic::at(given.span(), why));
                return None;
            }
        };
        let names = [wire.to_owned(), real.to_owned(), format!("{}/{wire}", provider.name)];
        let platform = format!("{}/{real}", provider.platform);
        if !names.contains(&leaving.from) && leaving.from != platform {
            let message = format!(
                "`{shown}` is a plan to leave `{}`, not `{wire}`; name the plan of this target",
                leaving.from
            );
            self.wrong.push(Diagnostic::at(given.span(), message));
            return None;
        }
        let file = PlanFile {
            path: shown.into(),
            standing: leaving.standing(),
            why_not_accepted: leaving.why_not_accepted().map(Into::into),
        };
        Some((file, leaving.to))
    }

    /// Who follows it: as written, else as planned, else as its vendor says.
    fn successor(
        &mut self,
        provider: &Arc<Provider>,
        names: (&str, &str),
        target: &str,
        leaving: Option<&(PlanFile, String)>,
    ) -> Option<Arc<str>> {
        let written = self.given.successor.as_ref();
        let planned = leaving.map(|(_, to)| to.as_str());
        let (wanted, span) = match (written, planned, &self.given.plan) {
            (Some(written), ..) => (written.get_ref().as_str(), written.span()),
            (None, Some(to), Some(plan)) => (to, plan.span()),
            _ => return self.plan.successor_of(provider, names, self.now).map(Into::into),
        };
        let found = match self.resolve(provider, wanted) {
            Ok(found) => found,
            Err(why) => {
                self.wrong.push(Diagnostic::at(span, why));
                return None;
            }
        };
        if let (Some(written), Some(to)) = (written, planned)
            && self.resolve(provider, to).ok().as_deref() != Some(&*found)
        {
            let message = format!("the plan leads to `{to}`; name that one, or leave `successor` out");
            self.wrong.push(Diagnostic::at(written.span(), message));
        }
        if *found == *target {
            self.wrong.push(Diagnostic::at(span, "a target cannot follow itself; name another one"));
        }
        Some(found)
    }

    /// A successor's name as `provider/model`: at the same provider where that has it.
    fn resolve(&self, provider: &Arc<Provider>, wanted: &str) -> Result<Arc<str>, String> {
        let catalog = &self.plan.catalog;
        let is_here = |id: &str| {
            provider.models.iter().any(|known| known == id)
                || provider.deployments.contains_key(id)
                || catalog.model(&provider.platform, provider.named(id).1).is_some()
        };
        let (at, model) = if !wanted.contains('/') && is_here(wanted) {
            (provider, wanted)
        } else {
            self.plan.locate(wanted).map_err(|error| error.public.to_string())?
        };
        let (wire, real) = at.named(model);
        let known = catalog.model(&at.platform, real);
        if known.as_ref().is_some_and(|known| known.status(self.now) == Status::Retired) {
            let next = known.as_ref().map_or(&[][..], Model::replacement).join(", ");
            let hint = if next.is_empty() { String::new() } else { format!(": {next} follows it") };
            return Err(format!("`{wanted}` has itself been retired; name one that lives{hint}"));
        }
        Ok(format!("{}/{wire}", at.name).into())
    }

    fn link(&mut self) -> Option<Box<str>> {
        let given = self.given.link.as_ref()?;
        let url = given.get_ref();
        let is_url = ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme))
            && !url.contains(|one: char| {
                one.is_whitespace() || one.is_control() || matches!(one, '<' | '>' | '"')
            });
        if !is_url {
            self.wrong.push(Diagnostic::at(given.span(), "`link` is an address that begins with https://"));
        }
        Some(url.as_str().into())
    }

    fn brownouts(&mut self, life: &mut Life) {
        if let Some(first) =
            self.given.brownouts.first().filter(|_| self.given.brownouts.len() > BROWNOUTS_MAX)
        {
            self.wrong.push(Diagnostic::at(first.span(), format!("at most {BROWNOUTS_MAX} brownouts")));
        }
        for given in &self.given.brownouts {
            if let Some(brownout) = self.brownout(given, life.successor.is_some()) {
                life.cycle.brownouts.push(brownout);
            }
        }
    }

    fn brownout(&mut self, given: &Spanned<BrownoutSection>, has_successor: bool) -> Option<Brownout> {
        let section = given.get_ref();
        let before = self.wrong.len();
        let share = section.share.as_ref().and_then(|share| {
            let found = Share::new(*share.get_ref());
            if found.is_none() {
                let message = "`share` is a number above 0, at most 1: 0.05 is 5 %";
                self.wrong.push(Diagnostic::at(share.span(), message));
            }
            found
        });
        let window = window(section, self.wrong);
        if section.share.is_none() && section.from.is_none() && section.to.is_none() {
            let message =
                "a brownout of all calls for good is a retirement; give it a `share`, or `from` and `to`";
            self.wrong.push(Diagnostic::at(given.span(), message));
        }
        if let Some(tz) = section.tz.as_ref().filter(|_| section.from.is_none() && section.to.is_none()) {
            self.wrong
                .push(Diagnostic::at(tz.span(), "`tz` says whose clocks `from` and `to` go by; give those"));
        }
        let answer = BrownoutAnswer::from(section.answer);
        if answer == BrownoutAnswer::Successor && !has_successor {
            let message = "nobody follows this target, so that nobody can answer; give it a `successor`, or write \
                           answer = \"refuse\"";
            self.wrong.push(Diagnostic::at(given.span(), message));
        }
        (self.wrong.len() == before).then(|| Brownout { share: share.unwrap_or(Share::ALL), window, answer })
    }
}

/// The life of a target that the catalogue does not know.
fn nothing_known(name: &str) -> Life {
    Life {
        target: name.into(),
        cycle: pilothouse_migrate::lifecycle::Lifecycle::default(),
        retires_by: None,
        vendor_day: None,
        owner: None,
        link: None,
        notice: None,
        successor: None,
        on_day: None,
        plan: None,
        is_configured: true,
        headers: smallvec::SmallVec::new(),
        opt_out: Vec::new(),
    }
}
