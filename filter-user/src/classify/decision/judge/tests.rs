//! The judge in virtual time: who is shielded, what is forgotten, what survives.

use super::*;
use crate::classify::behaviour::seen::{Request, Sni};
use crate::classify::decision::exception::Exception;
use crate::classify::decision::network::client;
use crate::classify::judgement::Class;

const TOOL: Tls<'_> = Tls { ja4: "tool", class: Class::Tool, family: None, system: None };

fn judge(policy: &str) -> Judge {
    let policy: Policy = toml::from_str(policy).unwrap();
    policy.check().unwrap();
    Judge::new(policy, 7)
}

fn seen<'a>(from: &str, at_ms: u64, what: What<'a>) -> Seen<'a> {
    Seen { client: client(from), service: "www", tls: Some(TOOL), at_ms, what }
}

/// What follows when an address tries that many accounts in vain.
fn guess(judge: &mut Judge, from: &str, at_ms: u64, accounts: u64) -> Vec<Decision> {
    let mut decisions = Vec::new();
    for i in 0..accounts {
        let account = format!("{}", i * 1000);
        let (method, path, account) = ("POST", "/login", Some(account.as_str()));
        let request = Request { method, path, account, status: 401, ..Request::default() };
        decisions.extend(judge.handle(&seen(from, at_ms + i, What::Request(request))));
    }
    decisions
}

fn last(decisions: &[Decision]) -> (String, Action) {
    let last = decisions.last().unwrap();
    (last.whom.to_string(), last.action)
}

#[test]
fn a_decision_explains_itself() {
    let decisions = guess(&mut judge(""), "192.0.2.1", 5, 10);
    assert_eq!(decisions[0].action, Action::Watch);
    let decision = decisions.last().unwrap();
    assert_eq!(last(&decisions), ("192.0.2.1/32".to_owned(), Action::Block));
    assert_eq!((decision.line.as_str(), decision.score, decision.strike), ("abuse", 80, 2));
    assert_eq!((decision.at_ms, decision.ends_ms), (14, 14 + 600_000));
    assert!(decision.shadow && decision.narrowed.is_none());
    let findings: Vec<_> =
        decision.findings.iter().map(|found| (found.name.as_str(), found.since_ms)).collect();
    assert_eq!(findings, [("login-failures", 14), ("many-accounts", 10)]);
    assert!(decision.reason().contains("10 of 10 attempts to log in failed"));
}

#[test]
fn a_class_alone_decides_nothing_unless_the_service_says_so() {
    let hello = |service| Seen { service, ..seen("192.0.2.1", 0, What::Handshake(Sni::Name("a"))) };
    let mut judge = judge("[services.shop]\nports = [443]\nbrowsers_only = true\nenforce = true");
    assert_eq!(judge.handle(&hello("api")), []);
    let decisions = judge.handle(&hello("shop"));
    assert_eq!(last(&decisions).1, Action::Limit);
    assert!(!decisions[0].shadow && decisions[0].line == "browsers only");
}

#[test]
fn a_browser_behind_the_same_address_ends_a_verdict_by_class() {
    let hello = |at_ms| Seen {
        service: "shop",
        ..seen("192.0.2.1", at_ms, What::Handshake(Sni::Name("a")))
    };
    let mut judge = judge("[services.shop]\nports = [443]\nbrowsers_only = true");
    assert_eq!(last(&judge.handle(&hello(0))).1, Action::Limit);
    assert_eq!(judge.handle(&hello(1)), []);
    let browser = Some(Tls { ja4: "browser", class: Class::Browser, family: None, system: None });
    judge.handle(&Seen { tls: browser, ..hello(2) });
    assert_eq!(judge.handle(&hello(600_001)), []);
    assert_eq!(judge.standings(client("192.0.2.1"), 0)[0].class, Class::Unknown);
}

#[test]
fn what_a_blocked_client_still_does_is_not_held_against_it() {
    let mut judge = judge("");
    guess(&mut judge, "192.0.2.1", 0, 10);
    assert_eq!(guess(&mut judge, "192.0.2.1", 1_000, 100), []);
    let again = guess(&mut judge, "192.0.2.1", 700_000, 10);
    assert_eq!(again.last().unwrap().strike, 3);
}

#[test]
fn exceptions_win_over_all_evidence() {
    let mut judge = judge("except = [\"192.0.2.0/28\"]");
    assert_eq!(guess(&mut judge, "192.0.2.1", 0, 100), []);
    assert!(!guess(&mut judge, "192.0.2.77", 0, 10).is_empty());
    let whom = Whom::Network("192.0.2.77/32".parse().unwrap());
    let exception = Exception { whom, reason: "a partner".to_owned(), ends_ms: None };
    let lifted = judge.report_false_positive(exception, 20).unwrap();
    assert_eq!(last(&lifted), ("192.0.2.77/32".to_owned(), Action::Block));
    assert_eq!(guess(&mut judge, "192.0.2.77", 30, 100), []);
}

#[test]
fn who_is_forgiven_starts_anew() {
    let mut judge = judge("");
    guess(&mut judge, "192.0.2.1", 0, 10);
    let whom = Whom::Network("192.0.2.1/32".parse().unwrap());
    assert_eq!(judge.forgive(&whom, 20).len(), 1);
    assert!(judge.standings(client("192.0.2.1"), 0).is_empty());
    assert_eq!(guess(&mut judge, "192.0.2.1", 30, 10).last().unwrap().strike, 2);
}

#[test]
fn who_is_forgiven_takes_the_prefix_around_him_along() {
    let mut judge = judge("group_clients = 100");
    for i in 1..=8 {
        guess(&mut judge, &format!("192.0.2.{i}"), 0, 10);
    }
    let lifted = judge.forgive(&"192.0.2.1".parse().unwrap(), 20);
    let lifted: Vec<_> = lifted.iter().map(|decision| decision.whom.to_string()).collect();
    assert_eq!(lifted, ["192.0.2.0/24", "192.0.2.1/32"]);
    guess(&mut judge, "192.0.2.9", 30, 10);
    let again = judge.records().any(|((_, whom), _)| whom.to_string() == "192.0.2.0/24");
    assert!(!again, "its neighbours count anew");
}

#[test]
fn a_prefix_follows_its_clients_unless_it_holds_an_exception() {
    let block_all = |judge: &mut Judge| {
        let guess = |i| guess(judge, &format!("192.0.2.{i}"), 0, 10);
        (1..=8).flat_map(guess).collect::<Vec<_>>()
    };
    let apart = "group_clients = 100\n";
    assert_eq!(last(&block_all(&mut judge(apart))), ("192.0.2.0/24".to_owned(), Action::Block));
    let excepted = block_all(&mut judge(&format!("{apart}except = [\"192.0.2.200/32\"]")));
    assert_eq!(last(&excepted), ("192.0.2.8/32".to_owned(), Action::Block));
}

#[test]
fn an_excepted_fingerprint_is_not_judged() {
    let stuff = |judge: &mut Judge| {
        let guess = |i| guess(judge, &format!("10.0.{i}.1"), 0, 3);
        let decisions: Vec<_> = (0..20).flat_map(guess).collect();
        decisions.iter().any(|decision| matches!(decision.whom, Whom::Fingerprint(_)))
    };
    assert!(stuff(&mut judge("")));
    assert!(!stuff(&mut judge("except_fingerprints = [\"tool\"]")));
}

#[test]
fn strikes_and_exceptions_survive_a_restart() {
    let mut before = judge("");
    guess(&mut before, "192.0.2.1", 0, 10);
    let whom = Whom::Network("192.0.2.2/32".parse().unwrap());
    let exception = Exception { whom, reason: String::new(), ends_ms: None };
    before.report_false_positive(exception, 20).unwrap();
    let changed = before.take_changed().into_iter();
    let record = |key| before.record(&key).cloned().map(|record| (key, record));
    let records = changed.filter_map(record).collect();
    let saved = Saved { records, exceptions: before.exceptions().to_vec() };
    assert!(before.take_changed().is_empty());
    let mut after = judge("");
    after.restore(saved, 700_000);
    assert_eq!(guess(&mut after, "192.0.2.1", 700_000, 10).last().unwrap().strike, 3);
    assert_eq!(guess(&mut after, "192.0.2.2", 700_000, 10), []);
}

#[test]
fn many_addresses_push_out_neither_offenders_nor_one_another_without_bound() {
    let mut judge = judge("");
    guess(&mut judge, "192.0.2.1", 0, 9);
    for i in 0..70_000_u32 {
        let from = std::net::Ipv4Addr::from_bits(0x0a00_0000 + i).to_string();
        judge.handle(&seen(&from, 9, What::Handshake(Sni::Name("a"))));
    }
    assert!(judge.clients.len() <= CLIENTS && judge.groups.len() == 1);
    assert_eq!(last(&guess(&mut judge, "192.0.2.1", 10, 1)).1, Action::Block);
}

#[test]
fn a_row_is_as_small_as_its_doc_says() {
    assert!(size_of::<ClientRow>() <= 1200, "{}", size_of::<ClientRow>());
    assert!(size_of::<Row<Group>>() <= 1500, "{}", size_of::<Row<Group>>());
}

#[test]
fn who_is_found_to_be_in_disguise_later_is_no_mixture() {
    use crate::classify::family::Family;
    let mut judge = judge("[services.shop]\nports = [443]\nbrowsers_only = true");
    let mut hello = |class| {
        let tls = Some(Tls { ja4: "chrome", class, family: Some(Family::Chromium), system: None });
        let what = What::Handshake(Sni::Name("a"));
        judge.handle(&Seen { service: "shop", tls, ..seen("192.0.2.1", 0, what) })
    };
    assert_eq!(hello(Class::Browser), []);
    assert_eq!(hello(Class::Impersonator)[0].line, "browsers only");
}

#[test]
fn who_is_limited_for_his_class_is_not_blocked_for_a_reload() {
    let policy = "[services.shop]\nports = [443]\nbrowsers_only = true";
    let mut judge = judge(policy);
    let hello = Seen { service: "shop", ..seen("192.0.2.1", 0, What::Handshake(Sni::Name("a"))) };
    assert_eq!(judge.handle(&hello).len(), 1);
    judge.set_policy(toml::from_str(policy).unwrap());
    assert_eq!(judge.handle(&hello), []);
}

#[test]
fn a_fingerprint_is_forgiven_with_what_it_has_brought_about() {
    let mut judge = judge("");
    guess(&mut judge, "192.0.2.1", 0, 10);
    let lifted = judge.forgive(&Whom::Fingerprint("tool".into()), 20);
    assert_eq!(last(&lifted), ("192.0.2.1/32".to_owned(), Action::Block));
    assert!(judge.standings(client("192.0.2.1"), 20).is_empty());
}

#[test]
fn who_is_limited_for_his_class_is_blocked_for_what_he_does() {
    let mut judge = judge("[services.www]\nports = [443]\nbrowsers_only = true");
    let decisions = guess(&mut judge, "192.0.2.1", 0, 20);
    assert_eq!((decisions[0].action, decisions[0].line.as_str()), (Action::Limit, "browsers only"));
    assert_eq!(last(&decisions).1, Action::Block);
}
