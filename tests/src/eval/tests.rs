//! The corpus in this repository, judged honestly.

use super::*;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus/hellos")
}

fn evaluation() -> Evaluation {
    run(&folder(), None).unwrap()
}

fn share(evaluation: &Evaluation, of: impl Fn(Kind) -> bool) -> f64 {
    let judged = || evaluation.clients.iter().filter(|judged| of(judged.client.kind));
    let right = judged().filter(|judged| judged.client.kind.is_right(judged.honest.class));
    let as_f64 = |count: usize| f64::from(u32::try_from(count).unwrap());
    as_f64(right.count()) / as_f64(judged().count())
}

#[test]
fn no_browser_is_harmed_and_most_others_are_told() {
    let evaluation = evaluation();
    for judged in evaluation.clients.iter().filter(|judged| judged.client.kind.is_browser()) {
        let class = judged.honest.class;
        assert!(class == Class::Browser, "{} is {class:?}", judged.client.name);
    }
    let machine = |kind| matches!(kind, Kind::Library | Kind::BotTool);
    assert!(share(&evaluation, machine) >= 0.99);
    assert!(share(&evaluation, |kind| kind == Kind::Impersonator) >= 0.6);
}

#[test]
fn the_object_has_a_line_for_each_client_and_each_signal() {
    let evaluation = evaluation();
    let object: serde_json::Value = serde_json::from_str(&evaluation.json().unwrap()).unwrap();
    assert_eq!(object["clients"].as_array().unwrap().len(), evaluation.clients.len());
    assert_eq!(object["signals"].as_object().unwrap().len(), SIGNALS.len());
    let client = &object["clients"][0];
    for key in ["client", "kind", "class", "score", "signals"] {
        assert!(!client[key].is_null(), "{key}");
    }
    assert!(object["matrix"]["impersonator"]["browser"].is_u64());
    assert!(object["signals"]["ech"]["without"].is_u64());
}

#[test]
fn nothing_known_of_a_client_or_its_kin_is_left() {
    let knowledge = Knowledge::default();
    for client in corpus::read(&folder()).unwrap() {
        let unknowing = unknowing(&knowledge, &client);
        let known = client.evidence.hellos.iter().find_map(|hello| unknowing.look_up(&hello.ja4));
        assert_eq!(known, None, "{}", client.name);
    }
}
