//! What is written down is read back.

use super::*;
use crate::policy::parse_prefix;
use crate::rule::{HelloRule, Pattern};
use crate::verdict::{VerdictAction, VerdictSource};
use serde_json::json;

#[test]
fn what_was_committed_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = parse_prefix("192.0.2.0/24").unwrap().prefix;
    let note = Note { comment: "why".into(), added_unix_ms: 7, ..Note::default() };
    let rule = HelloRule { comment: "why".into(), ..HelloRule::default() };
    let pattern: Pattern = "ja4:t13d1516h2_*_e5627efa2ab1".parse().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let entries = [Write::Entry("block", prefix, Some(&note)), Write::Mode(HostMode::Enforce)];
    store.commit(entries).unwrap();
    store.commit([Write::Rule(&pattern, Some(&rule))]).unwrap();
    drop(store);
    let saved = Store::open(dir.path()).unwrap().load().unwrap();
    assert_eq!(saved.entries["block"].get(&prefix), Some(&note));
    assert_eq!(saved.rules, [(pattern, rule)]);
    assert_eq!(saved.mode, Some(HostMode::Enforce));
}

#[test]
fn a_verdict_of_each_width_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let verdict = Verdict {
        action: VerdictAction::Block,
        shadow: false,
        source: VerdictSource::Operator,
        reason: "why".into(),
        expires_unix_ms: 7,
    };
    // The first two are all that an earlier version wrote.
    let prefixes = ["192.0.2.7/32", "2001:db8::/64", "192.0.2.0/24", "2001:db8::/48"];
    let prefixes = prefixes.map(|text| text.parse::<IpNet>().unwrap());
    store.commit(prefixes.iter().map(|net| Write::Verdict(*net, Some(&verdict)))).unwrap();
    let mut loaded = store.load().unwrap().verdicts;
    loaded.sort_by_key(|(net, _)| prefixes.iter().position(|prefix| prefix == net));
    assert_eq!(loaded, prefixes.map(|net| (net, verdict.clone())));
    assert!(prefixes.iter().all(|net| crate::verdict::key_of(net).is_some()));
}

#[test]
fn single_entries_are_laid_over_the_snapshot_until_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let [old, new]: [IpNet; 2] = ["192.0.2.0/24", "2001:db8::/32"].map(|t| t.parse().unwrap());
    let mut whole = Entries::default();
    whole.insert(&old, Note::default());
    store.commit([Write::Entries("feed", &whole)]).unwrap();
    store.commit([Write::Entry("feed", old, None)]).unwrap();
    store.commit([Write::Entry("feed", new, Some(&Note::default()))]).unwrap();
    let shown = || {
        let saved = store.load().unwrap();
        saved.entries["feed"].iter().map(|(prefix, _)| prefix).collect::<Vec<_>>()
    };
    assert_eq!(shown(), [new]);
    store.commit([Write::Entries("feed", &whole)]).unwrap();
    assert_eq!(shown(), [old]);
    store.commit([Write::List("feed", None)]).unwrap();
    assert!(store.load().unwrap().entries.is_empty());
}

#[test]
fn a_limit_is_there_with_its_number_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let limit = |number, written| SavedLimit {
        number,
        settings: serde_json::from_value(written).unwrap(),
        origin: Origin::Operator,
    };
    let all = [
        ("daily", limit(7, json!({ "unit": "bytes", "quota": "10GB/day", "action": "off" }))),
        (
            "dns",
            limit(
                63,
                json!({
                    "unit": "packets", "rate": "20k/s", "burst": 30_000, "key": "service",
                    "services": ["udp/53"],
                }),
            ),
        ),
        (
            "web",
            limit(
                4,
                json!({
                    "unit": "connections", "rate": "90/m", "burst": 7, "key": "client/24/56",
                    "services": ["tcp/443", "tcp/8000-8100"], "action": "shadow",
                }),
            ),
        ),
    ];
    store.commit(all.iter().map(|(name, limit)| Write::Limit(name, Some(limit)))).unwrap();
    store.commit([Write::Limit("gone", Some(&all[0].1))]).unwrap();
    store.commit([Write::Limit("gone", None)]).unwrap();
    drop(store);
    let saved = Store::open(dir.path()).unwrap().load().unwrap();
    assert_eq!(saved.limits, all.map(|(name, limit)| (name.to_owned(), limit)));
}

#[test]
fn what_was_removed_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let rule = HelloRule::default();
    let pattern: Pattern = "tls:1.0@tcp/443".parse().unwrap();
    store.commit([Write::Rule(&pattern, Some(&rule))]).unwrap();
    store.commit([Write::Rule(&pattern, None)]).unwrap();
    assert!(store.load().unwrap().rules.is_empty());
}

#[test]
fn a_second_opening_and_a_damaged_file_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let _store = Store::open(dir.path()).unwrap();
    assert!(Store::open(dir.path()).unwrap_err().to_string().contains(FILE));
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join(FILE), b"garbage").unwrap();
    assert!(Store::open(other.path()).unwrap_err().to_string().contains(FILE));
}

#[test]
fn imported_knowledge_is_there_after_a_restart_until_it_is_reset() {
    let dir = tempfile::tempdir().unwrap();
    let saved = SavedKnowledge {
        text: "format = 1\n".into(),
        signature: Some("a\nb".into()),
        from: Provenance { file: "new.toml".into(), unix_ms: 7, signed_by: Some("E7".into()) },
        shipped: Day(20_779),
    };
    let store = Store::open(dir.path()).unwrap();
    store.commit([Write::Knowledge(Some(&saved))]).unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.load().unwrap().knowledge, Some(saved));
    store.commit([Write::Knowledge(None)]).unwrap();
    assert_eq!(store.load().unwrap().knowledge, None);
}
