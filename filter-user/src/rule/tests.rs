use super::*;
use filter_common::abi::rule::RuleKey;

const WHOLE: &str = "ja4:t13d1516h2_8daaf6152771_e5627efa2ab1";

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

fn rule(expires_unix_ms: Option<u64>) -> HelloRule {
    HelloRule { expires_unix_ms, ..HelloRule::default() }
}

#[test]
fn a_pattern_is_its_text() {
    for text in [
        WHOLE,
        "ja4:*_8daaf6152771_*",
        "ja4:t13d1516h2_*_e5627efa2ab1@tcp/8443",
        "tls:1.0",
        "tls:ssl3@tcp/443",
        "cause:too-many-records",
    ] {
        assert_eq!(pattern(text).to_string(), text);
    }
}

#[test]
fn what_is_no_pattern_is_told_apart() {
    let tried = |text: &str| text.parse::<Pattern>().unwrap_err().to_string();
    assert!(tried("t13d1516h2_8daaf6152771_e5627efa2ab1").contains("no pattern"));
    assert!(tried("ja5:x").contains("no pattern"));
    assert!(tried("ja4:t13d1516h2_8daaf6152771").contains("no JA4"));
    assert!(tried("ja4:t13d1516h2_8DAAF6152771_*").contains("no JA4"));
    assert!(tried("ja4:*_*_*").contains("every hello"));
    assert!(tried("tls:1.4").contains("1.3"));
    assert!(tried("cause:truncated").contains("conflict, too-long"));
    assert!(tried("ja4:q13d1516h2_*_*").contains("over TCP"));
    assert!(tried("tls:1.0@443").contains("tcp/443"));
    assert!(tried("tls:1.0@tcp/0").contains("tcp/443"));
}

#[test]
fn the_kernel_looks_for_the_parts_that_are_said() {
    let whole = pattern(WHOLE).key();
    assert_eq!((whole.kind, whole.service), (RuleKey::WHOLE, RuleKey::ANY_SERVICE));
    assert_eq!(whole.parts.a, [u64::from_le_bytes(*b"t13d1516"), u64::from(b'h') | 0x3200]);
    assert_eq!((whole.parts.b, whole.parts.c), (0x8daa_f615_2771, 0xe562_7efa_2ab1));
    let some = pattern("ja4:*_8daaf6152771_*@tcp/443").key();
    assert_eq!((some.kind, some.service), (RuleKey::B, 443));
    assert_eq!(some.parts, whole.parts.masked(RuleKey::B));
    let version = pattern("tls:1.3").key();
    assert_eq!(version.parts, RuleKey::version(&whole.parts));
}

#[test]
fn numbers_are_used_again_and_a_changed_rule_keeps_its_own() {
    let mut book = RuleBook::default();
    assert_eq!(book.put(pattern("tls:1.0"), rule(None)), Ok(0));
    assert_eq!(book.put(pattern("tls:1.1"), rule(None)), Ok(1));
    assert_eq!(book.put(pattern("tls:1.0"), rule(Some(9))), Ok(0));
    assert!(book.remove(&pattern("tls:1.0")).is_some());
    assert_eq!(book.put(pattern(WHOLE), rule(None)), Ok(0));
    assert_eq!(book.kinds(), 1 << RuleKey::WHOLE | 1 << RuleKey::VERSION);
}

#[test]
fn rules_end() {
    let mut book = RuleBook::default();
    book.put(pattern("tls:1.0"), rule(Some(1000))).unwrap();
    book.put(pattern("tls:1.1"), rule(None)).unwrap();
    assert_eq!(book.over(999), []);
    assert_eq!(book.over(1000), [pattern("tls:1.0")]);
}

#[test]
fn there_is_an_end_to_them() {
    let mut book = RuleBook::default();
    for port in 1..=4096 {
        book.put(pattern(&format!("tls:1.0@tcp/{port}")), rule(None)).unwrap();
    }
    assert_eq!(book.put(pattern("tls:1.0"), rule(None)), Err(RuleError::Full));
    book.put(pattern("tls:1.0@tcp/7"), rule(Some(7))).unwrap();
}
