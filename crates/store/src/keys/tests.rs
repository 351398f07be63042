//! Minted keys: found by hash, rotated, ended, listed, audited, never shadowing the file's.

use std::path::Path;

use pilothouse_core::clock::{ManualClock, UnixMs};
use sha2::{Digest as _, Sha256};

use super::*;

const NOW: UnixMs = UnixMs(1_795_348_800_000);
const HOUR: u64 = 3_600_000;

fn open(dir: &Path) -> Keys {
    Keys::open(dir, &ManualClock::new(NOW)).unwrap()
}

fn later(millis: u64) -> UnixMs {
    UnixMs(NOW.0 + millis)
}

fn key(name: &str) -> NewKey {
    let grants = Grants {
        team: Some("search".into()),
        rpm: Some(600),
        allow: vec!["assistant".into()],
        budgets: vec![BudgetGrant { usd: "5.00".into(), every: "day".into(), ..BudgetGrant::default() }],
        ..Grants::default()
    };
    NewKey { name: name.to_owned(), expires: None, grants }
}

fn digest(secret: &FreshSecret) -> [u8; 32] {
    Sha256::digest(secret.secret.reveal().as_bytes()).into()
}

fn refusal<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    match result.unwrap_err() {
        StoreError::Refused { what } => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn minted_key_is_found_by_the_hash_of_its_secret_which_is_all_that_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let keys = open(dir.path());
    assert!(keys.index().is_empty());
    let secret = keys.create(&key("app"), Entropy([7; 32]), "anna", NOW).unwrap();
    let text = secret.secret.reveal();
    assert!(
        text.starts_with("ph-") && text.len() == 46 && text.ends_with(&secret.hint),
        "{} characters",
        text.len()
    );
    let index = keys.index();
    let found = index.find(&digest(&secret), NOW).unwrap();
    assert_eq!((&*found.name, &found.grants), ("app", &key("app").grants));
    assert_eq!(index.keys().count(), 1);
    assert!(index.find(&[0; 32], NOW).is_none());
    drop(keys);
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let random = text.trim_start_matches(PREFIX).as_bytes();
        assert!(!bytes.windows(random.len()).any(|window| window == random), "the secret is on disk");
    }
    assert!(open(dir.path()).index().find(&digest(&secret), NOW).is_some());
}

#[test]
fn rotated_secret_works_beside_the_new_one_until_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let keys = open(dir.path());
    let old = keys.create(&key("app"), Entropy([1; 32]), "anna", NOW).unwrap();
    let new = keys.rotate("app", HOUR, Entropy([2; 32]), "anna", NOW).unwrap();
    let finds = |secret: &FreshSecret, at| keys.index().find(&digest(secret), at).is_some();
    assert!(finds(&old, later(HOUR - 1)) && finds(&new, NOW));
    assert!(!finds(&old, later(HOUR)) && finds(&new, later(HOUR)));
    let again = refusal(keys.rotate("app", HOUR, Entropy([3; 32]), "anna", later(10)));
    assert!(again.contains("old secret still works") && again.contains("--overlap 0"), "{again}");
    let row = &keys.list().unwrap()[0];
    assert_eq!(row.secrets, [(new.hint.clone(), None), (old.hint.clone(), Some(later(HOUR)))]);
    let newest = keys.rotate("app", 0, Entropy([3; 32]), "anna", later(10)).unwrap();
    assert!(!finds(&old, later(10)) && !finds(&new, later(10)) && finds(&newest, later(10)));
}

#[test]
fn keys_end_when_they_expire_or_are_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let keys = open(dir.path());
    let short = NewKey { expires: Some(later(HOUR)), ..key("short") };
    let short = keys.create(&short, Entropy([1; 32]), "anna", NOW).unwrap();
    assert!(keys.index().find(&digest(&short), later(HOUR - 1)).is_some());
    assert!(keys.index().find(&digest(&short), later(HOUR)).is_none());
    let secret = keys.create(&key("app"), Entropy([2; 32]), "anna", NOW).unwrap();
    keys.revoke("app", "anna", later(5)).unwrap();
    assert!(keys.index().find(&digest(&secret), NOW).is_none());
    assert!(refusal(keys.revoke("app", "anna", NOW)).contains("for good"));
    assert!(refusal(keys.rotate("app", 0, Entropy([3; 32]), "anna", NOW)).contains("for good"));
    assert!(refusal(keys.create(&key("app"), Entropy([4; 32]), "anna", NOW)).contains("was revoked"));
    assert_eq!(keys.list().unwrap()[0].revoked, Some(later(5)));
}

#[test]
fn wrong_names_are_refused_and_leave_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let keys = open(dir.path());
    for name in ["", "a b", "ü", "x/y", &"n".repeat(65)] {
        assert!(
            refusal(keys.create(&key(name), Entropy([1; 32]), "anna", NOW)).contains("cannot name a key")
        );
    }
    keys.create(&key("app"), Entropy([1; 32]), "anna", NOW).unwrap();
    assert!(refusal(keys.create(&key("app"), Entropy([2; 32]), "anna", NOW)).contains("already"));
    assert!(
        refusal(keys.update("none", &Grants::default(), None, "anna", NOW)).contains("no minted key `none`")
    );
    assert_eq!(keys.audit(10).unwrap().len(), 1);
    assert_eq!(keys.list().unwrap().len(), 1);
}

#[test]
fn every_change_has_an_audit_record_with_its_actor_and_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let keys = open(dir.path());
    let secret = keys.create(&key("app"), Entropy([1; 32]), "anna", NOW).unwrap();
    let limited = Grants { rpm: Some(5), ..Grants::default() };
    keys.update("app", &limited, Some(later(HOUR)), "ben", later(1)).unwrap();
    assert_eq!(keys.index().find(&digest(&secret), NOW).unwrap().grants.rpm, Some(5));
    keys.rotate("app", HOUR, Entropy([2; 32]), "carla", later(2)).unwrap();
    keys.revoke("app", "dora", later(3)).unwrap();
    let records = keys.audit(10).unwrap();
    let told: Vec<_> = records.iter().map(|record| (&*record.actor, &*record.action, record.at)).collect();
    assert_eq!(
        told,
        [
            ("dora", "key.revoke", later(3)),
            ("carla", "key.rotate", later(2)),
            ("ben", "key.limit", later(1)),
            ("anna", "key.create", NOW)
        ]
    );
    assert_eq!(records[2].detail["grants"]["rpm"], 5);
    assert!(records.iter().all(|record| record.object == "app"));
    assert!(!serde_json::to_string(&records).unwrap().contains(secret.secret.reveal()));
}

#[test]
fn change_by_one_process_reaches_the_index_of_another() {
    let dir = tempfile::tempdir().unwrap();
    let (server, command) = (open(dir.path()), open(dir.path()));
    let secret = command.create(&key("app"), Entropy([1; 32]), "anna", NOW).unwrap();
    assert!(server.index().find(&digest(&secret), NOW).is_none());
    assert!(server.refresh().unwrap());
    assert!(server.index().find(&digest(&secret), NOW).is_some());
    assert!(!server.refresh().unwrap(), "nothing has changed since");
    command.revoke("app", "anna", NOW).unwrap();
    assert!(server.refresh().unwrap());
    assert!(server.index().is_empty());
}

#[test]
fn clash_with_a_key_of_the_configuration_file_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let keys = open(dir.path());
    let secret = keys.create(&key("app"), Entropy([1; 32]), "anna", NOW).unwrap();
    keys.create(&key("gone"), Entropy([2; 32]), "anna", NOW).unwrap();
    keys.revoke("gone", "anna", NOW).unwrap();
    let clashes = |name, digest| keys.clashes([("fine", [9; 32]), (name, digest)]).unwrap();
    assert_eq!(clashes("other", [8; 32]), []);
    assert_eq!(clashes("app", [8; 32]), [Clash::Name("app".into())]);
    assert_eq!(clashes("gone", [8; 32]), [Clash::Name("gone".into())], "reports still have that name");
    let (minted, configured) = ("app".to_owned(), "other".to_owned());
    assert_eq!(clashes("other", digest(&secret)), [Clash::Secret { minted, configured }]);
}

fn limit(name: &str, until: UnixMs) -> TemporaryLimit {
    let limits = crate::limits::Limits { concurrency: Some(2), ..crate::limits::Limits::default() };
    TemporaryLimit {
        name: name.into(),
        of: LimitOf::Team,
        subject: "search".into(),
        limits,
        created: NOW,
        until,
    }
}

#[test]
fn temporary_limits_are_indexed_audited_ended_and_forgotten_when_over() {
    let dir = tempfile::tempdir().unwrap();
    let (server, command) = (open(dir.path()), open(dir.path()));
    command.create_limit(&limit("short", later(HOUR)), "anna", NOW).unwrap();
    command.create_limit(&limit("long", later(9 * HOUR)), "anna", NOW).unwrap();
    assert!(server.refresh().unwrap());
    assert_eq!(server.index().limits, [limit("long", later(9 * HOUR)), limit("short", later(HOUR))]);
    assert!(refusal(command.create_limit(&limit("long", later(HOUR)), "anna", NOW)).contains("already"));
    assert!(refusal(command.create_limit(&limit("a b", later(HOUR)), "anna", NOW)).contains("cannot name"));
    // What is over goes when another one comes, and its name is free.
    command.create_limit(&limit("third", later(9 * HOUR)), "ben", later(2 * HOUR)).unwrap();
    let names: Vec<String> = command.limits().unwrap().into_iter().map(|limit| limit.name).collect();
    assert_eq!(names, ["long", "third"]);
    command.end_limit("long", "carla", NOW).unwrap();
    assert!(refusal(command.end_limit("long", "carla", NOW)).contains("no temporary limit"));
    let told: Vec<_> =
        command.audit(2).unwrap().into_iter().map(|record| (record.actor, record.action)).collect();
    assert_eq!(told, [("carla".into(), "limit.end".into()), ("ben".into(), "limit.create".into())]);
    let before = command.audit_before(Some(3), 10).unwrap();
    assert_eq!(before.iter().map(|record| record.id).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn keys_are_handed_over_all_or_none_and_their_names_are_free_again() {
    let dir = tempfile::tempdir().unwrap();
    let keys = open(dir.path());
    let secret = keys.create(&key("app"), Entropy([1; 32]), "anna", NOW).unwrap();
    keys.create_limit(&limit("brake", later(HOUR)), "anna", NOW).unwrap();
    assert_eq!(keys.digests("app").unwrap(), [(digest(&secret), None)]);
    let both = |limit: &str| keys.hand_over(&["app".into()], &[limit.into()], "anna", NOW);
    assert!(refusal(both("none")).contains("no temporary limit"));
    assert!(keys.index().find(&digest(&secret), NOW).is_some(), "nothing was removed");
    both("brake").unwrap();
    assert!(keys.index().is_empty() && keys.list().unwrap().is_empty() && keys.limits().unwrap().is_empty());
    assert_eq!(keys.clashes([("app", digest(&secret))]).unwrap(), []);
    keys.create(&key("app"), Entropy([2; 32]), "anna", NOW).unwrap();
}

#[test]
fn amendment_that_is_refused_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let keys = open(dir.path());
    keys.create(&key("app"), Entropy([1; 32]), "anna", NOW).unwrap();
    let refuse = |grants: &mut Grants, _: &mut Option<UnixMs>| {
        grants.rpm = Some(1);
        Err(StoreError::Refused { what: "no".into() })
    };
    assert_eq!(refusal(keys.amend("app", refuse, "ben", NOW)), "no");
    assert_eq!((keys.list().unwrap()[0].grants.rpm, keys.audit(9).unwrap().len()), (Some(600), 1));
}
