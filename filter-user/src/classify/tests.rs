//! The classifier in virtual time.

use super::*;

const HYDRA_KIN: &str = "t13d311100_e8f1e7e78f70_d41ae481755e";
const NMAP: &str = "t13d781100_ab95583b6d39_d41ae481755e";
const CHROME: &str = "t13d1517h2_8daaf6152771_cb7bf5808d99";

fn classifier() -> Classifier {
    let settings = Settings {
        tool: Sanction::Block,
        library: Sanction::Watch,
        fingerprints: BTreeMap::new(),
        handshakes: Rate::new(10, 1_000_000_000, 5, Rate::FINE),
        lasts: Duration::from_mins(1),
    };
    Classifier::new(settings)
}

fn hello(ja4: &str, client: u64, proven: bool) -> HelloSeen<'_> {
    let client = ClientKey { high: 0, low: client };
    HelloSeen { client, ja4, ja4_ro: "", ja3: "x", sni: Some("example.test"), alpn: None, proven }
}

#[test]
fn a_known_tool_is_blocked_and_a_library_is_not() {
    let mut classifier = classifier();
    let request = classifier.handle_hello(&hello(NMAP, 1, true), 0).unwrap();
    assert_eq!(request.sanction, Sanction::Block);
    assert!(request.reason.contains("nmap"), "{}", request.reason);
    assert_eq!(classifier.handle_hello(&hello(HYDRA_KIN, 2, true), 0), None);
    assert_eq!(classifier.handle_hello(&hello(CHROME, 3, true), 0), None);
}

#[test]
fn a_hello_that_could_be_forged_is_held_against_nobody() {
    let mut classifier = classifier();
    for _ in 0..100 {
        assert_eq!(classifier.handle_hello(&hello(NMAP, 1, false), 0), None);
    }
    assert!([NMAP, HYDRA_KIN, CHROME].iter().all(|ja4| classifier.seen.get(ja4).is_none()));
}

#[test]
fn too_many_handshakes_are_throttled_even_where_libraries_are_watched() {
    let mut classifier = classifier();
    let mut handle = |now_ns| classifier.handle_hello(&hello(HYDRA_KIN, 1, true), now_ns);
    assert!((0..5).all(|_| handle(1_000).is_none()));
    let request = handle(1_000).unwrap();
    assert_eq!(request.sanction, Sanction::Throttle);
    assert!(request.reason.contains("10 TLS handshakes"));
    assert_eq!(handle(10_000_000_000), None);
}

#[test]
fn made_up_fingerprints_do_not_displace_one_that_is_in_use() {
    let mut classifier = classifier();
    for client in 0..3 {
        classifier.handle_hello(&hello(CHROME, client, true), 0);
    }
    for i in 0..10_000 {
        classifier.handle_hello(&hello(&format!("t13d{i}"), 9, true), 0);
    }
    assert_eq!(classifier.seen.get(CHROME).unwrap().hellos, 3);
    let kept = (0..10_000).filter(|i| classifier.seen.get(&format!("t13d{i}")).is_some());
    assert_eq!(kept.count(), 4095);
}

#[test]
fn clients_beyond_the_bound_are_not_tracked_and_nothing_grows() {
    let mut classifier = classifier();
    for client in 0..70_000 {
        classifier.handle_hello(&hello(CHROME, client, true), 0);
    }
    assert!(classifier.handshakes.len() <= CLIENTS);
    classifier.handle_hello(&hello(CHROME, 1 << 40, true), 1 << 60);
    assert_eq!(classifier.handshakes.len(), 1);
}
