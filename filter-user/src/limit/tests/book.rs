//! Names and numbers.

use crate::limit::{BookError, LimitAction, LimitBook, LimitSettings, Origin, built_in};
use filter_common::abi::limit::{ListLimit, Profile};

fn settings(toml: &str) -> LimitSettings {
    toml::from_str(toml).unwrap()
}

fn packets() -> LimitSettings {
    settings("unit = 'packets'\nrate = '10/s'\nservices = ['tcp/80']")
}

fn bytes() -> LimitSettings {
    settings("unit = 'bytes'\nrate = '1MB/s'\nservices = ['tcp/80']")
}

fn put(book: &mut LimitBook, name: &str, settings: LimitSettings) -> u32 {
    book.put(name, settings, Origin::Operator, None).unwrap().number
}

fn filled() -> LimitBook {
    let mut book = LimitBook::default();
    for (name, _, settings) in built_in::all() {
        book.put(name, settings, Origin::BuiltIn, None).unwrap();
    }
    book
}

#[test]
fn built_in_limits_have_their_numbers_in_whatever_order_they_come() {
    let mut book = LimitBook::default();
    assert_eq!(put(&mut book, "other", packets()), 4);
    for (name, number, settings) in built_in::all().into_iter().rev() {
        assert_eq!(put(&mut book, name, settings), number, "{name}");
    }
    assert_eq!(filled().get("throttle").unwrap().number, 1);
}

#[test]
fn a_limit_keeps_its_number_while_it_counts_the_same() {
    let mut book = filled();
    let number = put(&mut book, "web", packets());
    let faster = settings("unit = 'packets'\nrate = '99/m'\nburst = 7\naction = 'shadow'");
    let change = book.put("web", faster, Origin::Operator, Some(40)).unwrap();
    assert_eq!((change.number, change.retired), (number, None));
    assert_eq!(change.before.unwrap().settings, packets());
}

#[test]
fn a_limit_that_counts_something_else_gets_another_number() {
    let others = [
        bytes(),
        settings("unit = 'packets'\nquota = '10/day'"),
        settings("unit = 'packets'\nrate = '10/s'\nkey = 'client/24/64'"),
        settings("unit = 'packets'\nrate = '10/s'\nkey = 'client/32/56'"),
        settings("unit = 'packets'\nrate = '10/s'\nkey = 'service'\nservices = ['any']"),
    ];
    for other in others {
        let mut book = filled();
        let number = put(&mut book, "web", packets());
        let change = book.put("web", other.clone(), Origin::Operator, None).unwrap();
        assert_eq!(change.retired, Some(number), "{other:?}");
        assert_ne!(change.number, number);
        assert_eq!(book.profiles().len(), 4);
    }
}

#[test]
fn the_throttle_is_number_one_whatever_it_counts() {
    let mut book = filled();
    let bytes = settings("unit = 'bytes'\nrate = '1MB/s'");
    let change = book.put("throttle", bytes, Origin::Operator, None).unwrap();
    assert_eq!((change.number, change.retired), (1, None));
}

#[test]
fn the_throttle_has_no_services_and_counts_clients() {
    let mut book = filled();
    let before = book.clone();
    let together = settings("unit = 'packets'\nrate = '1/s'\nkey = 'service'\nservices = ['any']");
    for settings in [packets(), together] {
        let error = book.put("throttle", settings, Origin::Operator, None).unwrap_err();
        assert!(error.to_string().contains("throttle"), "{error}");
    }
    assert_eq!(book, before);
}

#[test]
fn a_number_that_was_given_back_is_the_last_to_be_given_away() {
    let mut book = LimitBook::default();
    let first = put(&mut book, "a", packets());
    assert_eq!(book.remove("a").unwrap().number, first);
    let numbers: Vec<u32> = (0..59)
        .map(|_| {
            let number = put(&mut book, "b", packets());
            book.remove("b");
            number
        })
        .collect();
    assert!(!numbers.contains(&first));
    assert!(book.remove("b").is_none());
}

#[test]
fn a_stored_number_is_taken_if_it_is_free_and_can_be_one() {
    for (wanted, expected) in [(Some(17), 17), (Some(0), 4), (Some(1), 4), (Some(64), 4)] {
        let mut book = LimitBook::default();
        assert_eq!(book.put("a", packets(), Origin::Operator, wanted).unwrap().number, expected);
    }
    let mut book = LimitBook::default();
    book.put("a", packets(), Origin::Operator, Some(17)).unwrap();
    assert_ne!(book.put("b", packets(), Origin::Operator, Some(17)).unwrap().number, 17);
}

#[test]
fn there_are_sixty_three_and_no_more() {
    let mut book = filled();
    let unused = settings("unit = 'packets'\nrate = '10/s'");
    for i in 0..60 {
        put(&mut book, &format!("limit-{i}"), unused.clone());
    }
    let mut numbers: Vec<_> = book.profiles().values().map(|limit| limit.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..64).collect::<Vec<_>>());
    let before = book.clone();
    let error = book.put("one-more", unused, Origin::Operator, None).unwrap_err();
    assert_eq!(error, BookError::Full);
    assert!(error.to_string().contains("63 limits"), "{error}");
    assert_eq!(book, before);
}

#[test]
fn names_are_those_of_lists() {
    let mut book = LimitBook::default();
    for name in ["", ".web", "we b", "web/80", &"x".repeat(49)] {
        let error = book.put(name, packets(), Origin::Operator, None).unwrap_err();
        assert!(matches!(error, BookError::Name(_)), "{name}: {error}");
    }
}

#[test]
fn nonsense_does_not_come_in() {
    let mut book = LimitBook::default();
    let settings = LimitSettings { guard: true, ..packets() };
    let error = book.put("web", settings, Origin::Operator, None).unwrap_err();
    assert!(matches!(error, BookError::Settings(_)), "{error}");
    assert!(book.profiles().is_empty());
}

#[test]
fn a_list_names_limits_of_clients_and_no_others() {
    let mut book = filled();
    let number = put(&mut book, "web", bytes());
    let unit = u32::from(Profile::BYTES);
    assert_eq!(book.list_limit("web"), Ok(ListLimit { profile: number, unit }));
    let off = LimitSettings { action: LimitAction::Off, ..bytes() };
    put(&mut book, "web", off);
    assert_eq!(book.list_limit("web"), Ok(ListLimit::default()));
    let error = book.list_limit("wbe").unwrap_err();
    assert!(error.to_string().contains("palisade limit ls"), "{error}");
    let all = settings("unit = 'packets'\nrate = '10/s'\nkey = 'service'\nservices = ['any']");
    put(&mut book, "all", all);
    assert_eq!(book.list_limit("all"), Err(BookError::Together("all".into())));
}

#[test]
fn a_removed_limit_is_nowhere() {
    let mut book = filled();
    let before = book.compile().clone();
    let number = put(&mut book, "web", bytes());
    assert_eq!(book.by_number(number).unwrap().0, "web");
    assert_ne!(book.compile(), &before);
    book.remove("web").unwrap();
    assert_eq!(book.compile(), &before);
    assert_eq!(book.by_number(number), None);
}
