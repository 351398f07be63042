//! Every operation of the administration: what it takes, what it answers, who does it. The list is the compiler's: an
//! operation without a row does not build.

use super::query::{CURSOR, Kind, LIMIT, Parameter};
use super::shape::{Page, Schemas, Shape};
use super::{
    Answered, Ask, audit, budgets, configured, document, health, keys, lifecycle, limits, receipts, usage,
};

/// An operation of the administration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is described by its row below")]
pub enum Api {
    Document,
    Myself,
    ListKeys,
    MintKey,
    ShowKey,
    ChangeKey,
    RevokeKey,
    RotateKey,
    ListLimits,
    CreateLimit,
    EndLimit,
    ListBudgets,
    ListAlerts,
    Health,
    ListLifecycle,
    ListTeams,
    ListProviders,
    ListRoutes,
    ListModels,
    ListReceipts,
    ShowReceipt,
    Usage,
    ListAudit,
}

type Schema = fn(&mut Schemas) -> serde_json::Value;

/// What an operation takes and answers.
pub(super) struct Operation {
    /// Its name in the document, and in clients that are made of it.
    pub(super) id: &'static str,
    /// The group that it stands in.
    pub(super) group: &'static str,
    pub(super) summary: &'static str,
    pub(super) parameters: &'static [Parameter],
    /// Its body, where it takes one.
    pub(super) request: Option<Schema>,
    /// Whether it needs one.
    pub(super) needs_body: bool,
    /// The status of what went well.
    pub(super) status: u16,
    pub(super) answer: Schema,
    pub(super) handler: fn(&Ask) -> Answered,
}

const fn look(
    id: &'static str,
    group: &'static str,
    summary: &'static str,
    answer: Schema,
    handler: fn(&Ask) -> Answered,
) -> Operation {
    Operation {
        id,
        group,
        summary,
        parameters: &[],
        request: None,
        needs_body: false,
        status: 200,
        answer,
        handler,
    }
}

const fn text(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, about, kind: Kind::Text }
}

const fn moment(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, about, kind: Kind::Moment }
}

const PAGE: &[Parameter] = &[LIMIT, CURSOR];
const SINCE: Parameter = moment("since", "From this moment on.");
const UNTIL: Parameter = moment("until", "Before this moment.");
const KEY_FILTERS: &[Parameter] = &[
    LIMIT,
    CURSOR,
    text("team", "Only keys of this team."),
    Parameter {
        name: "state",
        about: "Only keys in this state.",
        kind: Kind::Word(&["active", "expired", "revoked"]),
    },
    Parameter {
        name: "managed_by",
        about: "Only keys that stand there.",
        kind: Kind::Word(&["file", "store", "generated"]),
    },
];
const RECEIPT_FILTERS: &[Parameter] = &[
    LIMIT,
    CURSOR,
    SINCE,
    UNTIL,
    text("key", "Of this key."),
    text("model", "Answered by this model, or asked for under this name."),
    text("vendor", "Sent to this provider."),
    text("application", "Of this application."),
    text("outcome", "Ended so: `complete`, `cancelled`, or the class of an error such as `rate_limited`."),
    Parameter { name: "errors_only", about: "Only those that failed, in whatever way.", kind: Kind::Flag },
];
const BUDGET_KINDS: Kind = Kind::Word(&["key", "team", "route", "end user", "run"]);
const USAGE_FILTERS: &[Parameter] = &[
    Parameter {
        name: "by",
        about: "What has a row each; `model` where not given.",
        kind: Kind::Word(&["model", "key", "vendor", "app", "day", "price"]),
    },
    SINCE,
    UNTIL,
];

static DOCUMENT: Operation =
    look("getDocument", "About", "This document.", <serde_json::Value as Shape>::schema, document::handle);
static MYSELF: Operation =
    look("getSelf", "About", "Who asks, and with which role.", keys::SelfView::schema, keys::myself);
static LIST_KEYS: Operation = Operation {
    parameters: KEY_FILTERS,
    ..look(
        "listKeys",
        "Keys",
        "Keys, of the configuration and minted ones, by name.",
        Page::<keys::KeyView>::schema,
        keys::list,
    )
};
static MINT_KEY: Operation = Operation {
    request: Some(keys::MintKey::schema),
    needs_body: true,
    status: 201,
    ..look(
        "mintKey",
        "Keys",
        "Makes a key. Its secret is in the answer, this once.",
        keys::FreshKey::schema,
        keys::mint,
    )
};
static SHOW_KEY: Operation = look("getKey", "Keys", "One key.", keys::KeyView::schema, keys::show);
static CHANGE_KEY: Operation = Operation {
    request: Some(keys::ChangeKey::schema),
    needs_body: true,
    ..look(
        "changeKey",
        "Keys",
        "Changes what a minted key may; what is left out stays.",
        keys::KeyView::schema,
        keys::change,
    )
};
static REVOKE_KEY: Operation = look(
    "revokeKey",
    "Keys",
    "Ends a minted key, at once and for good.",
    keys::KeyView::schema,
    keys::revoke,
);
static ROTATE_KEY: Operation = Operation {
    request: Some(keys::RotateKey::schema),
    ..look(
        "rotateKey",
        "Keys",
        "Gives a minted key a new secret, shown this once; the old one goes on for a while.",
        keys::FreshKey::schema,
        keys::rotate,
    )
};
static LIST_LIMITS: Operation = Operation {
    parameters: PAGE,
    ..look(
        "listLimits",
        "Limits",
        "Limits of keys and teams, temporary ones too, with what is counted in them now.",
        Page::<limits::LimitView>::schema,
        limits::list,
    )
};
static CREATE_LIMIT: Operation = Operation {
    request: Some(limits::CreateLimit::schema),
    needs_body: true,
    status: 201,
    ..look(
        "createLimit",
        "Limits",
        "Makes a temporary limit, which holds beside all others until it is over.",
        limits::LimitView::schema,
        limits::create,
    )
};
static END_LIMIT: Operation =
    look("endLimit", "Limits", "Ends a temporary limit before its time.", limits::Ended::schema, limits::end);
static LIST_BUDGETS: Operation = Operation {
    parameters: &[
        LIMIT,
        CURSOR,
        Parameter { name: "kind", about: "Only budgets of this kind.", kind: BUDGET_KINDS },
    ],
    ..look(
        "listBudgets",
        "Budgets",
        "Budgets in their newest period: spent, reserved, leased, and when they begin anew.",
        Page::<budgets::BudgetView>::schema,
        budgets::list,
    )
};
static LIST_ALERTS: Operation = Operation {
    parameters: PAGE,
    ..look(
        "listAlerts",
        "Budgets",
        "Shares of budgets that were met, and ends of targets that come nearer, the newest first.",
        Page::<budgets::AlertView>::schema,
        budgets::alerts,
    )
};
static HEALTH: Operation = look(
    "getHealth",
    "Health",
    "How the gateway and each target is doing.",
    health::HealthView::schema,
    health::show,
);
static LIST_LIFECYCLE: Operation = Operation {
    parameters: PAGE,
    ..look(
        "listLifecycle",
        "Health",
        "Targets that end, by name: where each stands, what happens on its day, and who still calls it.",
        Page::<lifecycle::LifeView>::schema,
        lifecycle::list,
    )
};
static LIST_TEAMS: Operation = Operation {
    parameters: PAGE,
    ..look(
        "listTeams",
        "Configuration",
        "Teams as configured.",
        Page::<configured::TeamView>::schema,
        configured::teams,
    )
};
static LIST_PROVIDERS: Operation = Operation {
    parameters: PAGE,
    ..look(
        "listProviders",
        "Configuration",
        "Providers as configured, the preferred ones first.",
        Page::<configured::ProviderView>::schema,
        configured::providers,
    )
};
static LIST_ROUTES: Operation = Operation {
    parameters: PAGE,
    ..look(
        "listRoutes",
        "Configuration",
        "Routes and their targets as configured.",
        Page::<configured::RouteView>::schema,
        configured::routes,
    )
};
static LIST_MODELS: Operation = Operation {
    parameters: PAGE,
    ..look(
        "listModels",
        "Configuration",
        "Names that can be called now, and who takes them.",
        Page::<configured::ModelView>::schema,
        configured::models,
    )
};
static LIST_RECEIPTS: Operation = Operation {
    parameters: RECEIPT_FILTERS,
    ..look(
        "listReceipts",
        "Receipts",
        "Exchanges that fit, the newest first.",
        Page::<receipts::ReceiptView>::schema,
        receipts::list,
    )
};
static SHOW_RECEIPT: Operation =
    look("getReceipt", "Receipts", "One exchange in full.", receipts::ReceiptView::schema, receipts::show);
static USAGE: Operation = Operation {
    parameters: USAGE_FILTERS,
    ..look(
        "getUsage",
        "Usage",
        "Who used what, and what it cost; whole hours.",
        usage::UsageView::schema,
        usage::show,
    )
};
static LIST_AUDIT: Operation = Operation {
    parameters: PAGE,
    ..look(
        "listAudit",
        "Audit",
        "Who changed what, the newest first.",
        Page::<audit::AuditView>::schema,
        audit::list,
    )
};

impl Api {
    /// What it takes and answers.
    pub(super) fn operation(self) -> &'static Operation {
        match self {
            Self::Document => &DOCUMENT,
            Self::Myself => &MYSELF,
            Self::ListKeys => &LIST_KEYS,
            Self::MintKey => &MINT_KEY,
            Self::ShowKey => &SHOW_KEY,
            Self::ChangeKey => &CHANGE_KEY,
            Self::RevokeKey => &REVOKE_KEY,
            Self::RotateKey => &ROTATE_KEY,
            Self::ListLimits => &LIST_LIMITS,
            Self::CreateLimit => &CREATE_LIMIT,
            Self::EndLimit => &END_LIMIT,
            Self::ListBudgets => &LIST_BUDGETS,
            Self::ListAlerts => &LIST_ALERTS,
            Self::Health => &HEALTH,
            Self::ListLifecycle => &LIST_LIFECYCLE,
            Self::ListTeams => &LIST_TEAMS,
            Self::ListProviders => &LIST_PROVIDERS,
            Self::ListRoutes => &LIST_ROUTES,
            Self::ListModels => &LIST_MODELS,
            Self::ListReceipts => &LIST_RECEIPTS,
            Self::ShowReceipt => &SHOW_RECEIPT,
            Self::Usage => &USAGE,
            Self::ListAudit => &LIST_AUDIT,
        }
    }
}
