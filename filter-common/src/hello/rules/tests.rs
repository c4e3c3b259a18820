use super::*;
use crate::abi::config::HostConfig;
use crate::abi::limit::Profile;
use crate::abi::rule::Parts;
use crate::decide::Decision;
use crate::decide::tests::memory::Memory;
use crate::gcra::Rate;
use crate::hello::hash_name;
use crate::ja4::Memo;
use crate::packet::{Packet as Builder, Segment};
use std::vec;
use std::vec::Vec;

/// A host with rules, in the order of their numbers.
fn host(rules: &[(u32, Parts, u8)]) -> Memory {
    let mut memory =
        Memory::new(HostConfig { mode: HostConfig::ENFORCE, ..HostConfig::default() }, 1 << 40);
    memory.hellos.now_ns.set(1 << 40);
    for ((kind, parts, action), number) in rules.iter().zip(0..) {
        let key = RuleKey { kind: *kind, service: RuleKey::ANY_SERVICE, parts: *parts };
        let (mode, profile) = (Mode::ENFORCE.0, LIMIT);
        let rule = Rule { expires_ns: u64::MAX, number, action: *action, mode, profile };
        memory.hellos.rules.insert(key, rule);
        memory.config.rule_kinds |= RuleKey::bit(*kind);
    }
    memory
}

/// The number of the only limit.
const LIMIT: u16 = 9;

fn name(text: &str) -> Parts {
    RuleKey::hash(hash_name(crate::hello::memory::HelloMemory::default().secret(), text.as_bytes()))
}

/// A hello that asks for a server and offers a protocol; nothing where the text is empty.
fn hello(server: &str, protocol: &str) -> Vec<u8> {
    let number = |len: usize| u16::try_from(len).unwrap().to_be_bytes();
    let mut extensions = Vec::new();
    if !server.is_empty() {
        extensions.extend([0, 0]);
        extensions.extend(number(server.len() + 5));
        extensions.extend(number(server.len() + 3));
        extensions.push(0);
        extensions.extend(number(server.len()));
        extensions.extend(server.bytes());
    }
    if !protocol.is_empty() {
        extensions.extend([0, 16]);
        extensions.extend(number(protocol.len() + 3));
        extensions.extend(number(protocol.len() + 1));
        extensions.push(u8::try_from(protocol.len()).unwrap());
        extensions.extend(protocol.bytes());
    }
    let mut body = vec![3, 3];
    body.extend([9; 32]);
    body.extend([0, 0, 2, 0x13, 1, 1, 0]);
    body.extend(number(extensions.len()));
    body.extend(extensions);
    let mut bytes = vec![0x16, 3, 1];
    bytes.extend(number(body.len() + 4));
    bytes.extend([1, 0]);
    bytes.extend(number(body.len()));
    bytes.extend(body);
    bytes
}

fn run(memory: &Memory, port: u16, payload: &[u8]) -> Decision {
    let segment = Segment::data((port, 443), 1000, payload);
    memory.run(&Builder::v4([192, 0, 2, 1], [198, 51, 100, 7]).tcp(segment).build())
}

fn is_ended(rules: &[(u32, Parts, u8)], payload: &[u8]) -> bool {
    let decision = run(&host(rules), 40_000, payload);
    assert!(decision.reason == Reason::HELLO_RULE || decision.verdict == Verdict::PASS);
    decision.verdict == Verdict::DROP
}

#[test]
fn names_are_found_whole_and_by_their_ends() {
    let hello = hello("Api.Example.COM", "h2");
    let rows = [
        (RuleKey::SERVER, "api.example.com", true),
        (RuleKey::SERVER, "example.com", false),
        (RuleKey::SERVER, ".example.com", false),
        (RuleKey::SERVER, "", false),
        (RuleKey::SUFFIX, ".example.com", true),
        (RuleKey::SUFFIX, ".com", true),
        (RuleKey::SUFFIX, "example.com", false),
        (RuleKey::SUFFIX, "api.example.com", false),
        (RuleKey::PROTOCOL, "h2", true),
        (RuleKey::PROTOCOL, "h", false),
        (RuleKey::PROTOCOL, "", false),
    ];
    for (kind, text, expected) in rows {
        assert_eq!(is_ended(&[(kind, name(text), Rule::BLOCK)], &hello), expected, "{kind} {text}");
    }
}

#[test]
fn no_name_and_no_protocol_are_names_too() {
    for (server, protocol) in [("", ""), ("", "h2"), ("a", ""), ("a", "h2")] {
        let hello = hello(server, protocol);
        let without = |kind| is_ended(&[(kind, name(""), Rule::BLOCK)], &hello);
        assert_eq!(without(RuleKey::SERVER), server.is_empty());
        assert_eq!(without(RuleKey::PROTOCOL), protocol.is_empty());
    }
}

#[test]
fn of_a_deep_name_the_last_labels_are_looked_for() {
    let hello = hello("i.h.g.f.e.d.c.b.a", "");
    let suffix = |text| is_ended(&[(RuleKey::SUFFIX, name(text), Rule::BLOCK)], &hello);
    assert!(suffix(".a") && suffix(".h.g.f.e.d.c.b.a"));
    let deeper = self::hello("x.i.h.g.f.e.d.c.b.a", "");
    let beyond = name(".i.h.g.f.e.d.c.b.a");
    assert!(!is_ended(&[(RuleKey::SUFFIX, beyond, Rule::BLOCK)], &deeper));
}

#[test]
fn a_long_name_is_nobodys() {
    let long = "a".repeat(256);
    let server = |text: &str| [(RuleKey::SERVER, name(text), Rule::BLOCK)];
    assert!(!is_ended(&server(&long), &hello(&long, "")));
    assert!(!is_ended(&server(""), &hello(&long, "")));
    let longest = "a".repeat(255);
    assert!(is_ended(&server(&longest), &hello(&longest, "")));
    assert!(is_ended(&server("a.b"), &hello("a.b.", "")), "the root at the end is nothing");
}

#[test]
fn the_most_exact_rule_decides_and_each_is_counted_once() {
    let memory = host(&[
        (RuleKey::ANY, Parts::default(), Rule::BLOCK),
        (RuleKey::SERVER, name("a.b"), Rule::RESET),
        (RuleKey::SUFFIX, name(".b"), Rule::BLOCK),
    ]);
    let decision = run(&memory, 40_000, &hello("a.b", ""));
    assert_eq!((decision.verdict, decision.reason), (Verdict::RESET, Reason::HELLO_RULE));
    let decision = run(&memory, 40_001, &hello("c.b", ""));
    assert_eq!(decision.verdict, Verdict::DROP);
}

#[test]
fn a_limit_is_charged_once_for_each_hello_and_what_it_refuses_ends_the_connection() {
    let mut memory = host(&[(RuleKey::ANY, Parts::default(), Rule::LIMIT)]);
    let profile = Profile {
        rate: Rate::new(1, 3_600_000_000_000, 2, Rate::FINE),
        unit: Profile::HANDSHAKES,
        key: Profile::BY_FINGERPRINT,
        reason: Reason::HANDSHAKE_LIMIT.0,
        ..Profile::default()
    };
    memory.limits.profiles.insert(LIMIT.into(), profile);
    let (one, other) = (hello("a.b", "h2"), hello("a.b", "h3"));
    let verdict = |port, bytes: &[u8]| run(&memory, port, bytes).verdict;
    assert_eq!(verdict(40_000, &one), Verdict::PASS);
    assert_eq!(verdict(40_000, &one), Verdict::PASS, "sent again, it is the same hello");
    assert_eq!(verdict(40_001, &one), Verdict::PASS);
    let refused = run(&memory, 40_002, &one);
    assert_eq!((refused.verdict, refused.reason), (Verdict::DROP, Reason::HANDSHAKE_LIMIT));
    let again = run(&memory, 40_002, &one);
    assert_eq!((again.verdict, again.reason), (Verdict::DROP, Reason::ENDED));
    assert_eq!(verdict(40_003, &other), Verdict::PASS, "another fingerprint");
    let counted = memory.limits.counters(LIMIT.into());
    assert_eq!((counted.passed.packets, counted.refused.packets), (3, 1));
}

#[test]
fn a_limit_hides_no_block_behind_it() {
    let memory = host(&[
        (RuleKey::SERVER, name("a.b"), Rule::LIMIT),
        (RuleKey::ANY, Parts::default(), Rule::BLOCK),
    ]);
    let decision = run(&memory, 40_000, &hello("a.b", ""));
    assert_eq!((decision.verdict, decision.reason), (Verdict::DROP, Reason::HELLO_RULE));
    assert_eq!(memory.limits.counters(LIMIT.into()).passed.packets, 0);
}
