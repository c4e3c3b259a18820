use super::*;
use crate::cli::args::{Arguments, Command};
use crate::control::api::{ListEntry, Traffic};
use crate::policy::list::ListAction;
use clap::{CommandFactory, Parser};

/// What a command line means; its words have no spaces.
fn parse(line: &str) -> Result<Command, clap::Error> {
    let words = ["palisade", "list"].into_iter().chain(line.split_whitespace());
    Arguments::try_parse_from(words).map(|arguments| arguments.command)
}

fn parse_list(line: &str) -> ListCommand {
    match parse(line) {
        Ok(Command::List(command)) => command,
        other => panic!("{line:?} gave {other:?}"),
    }
}

fn info() -> ListInfo {
    let traffic = |packets| Traffic { packets, bytes: packets << 20 };
    ListInfo {
        name: "feed".into(),
        action: ListAction::Limit("slow".into()),
        mode: "shadow".into(),
        priority: -5,
        v4: 12,
        v6: 3,
        matched: traffic(7),
        dropped: traffic(0),
        would_drop: traffic(6),
    }
}

#[test]
fn the_arguments_are_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn a_list_is_described_when_it_is_made() {
    let command = parse_list("create feed --action limit:slow --priority -5 --shadow");
    let ListCommand::Create(create) = command else { panic!("{command:?}") };
    assert_eq!(create.action, ListAction::Limit("slow".into()));
    assert_eq!((create.name.as_str(), create.priority, create.shadow), ("feed", -5, true));
}

#[test]
fn wrong_usage_is_found_before_the_daemon_is_asked() {
    for (line, says) in [
        ("create feed", "--action"),
        ("create feed --action blok", "limit:PROFILE"),
        ("create a/b --action block", "no name"),
        ("drop ..", "no name"),
        ("show a?b", "no name"),
        ("set feed", "--priority"),
        ("set feed --mode monitor", "enforce"),
        ("import feed x --format xml", "csv:COLUMN"),
        ("import feed x --force", "--force"),
        ("add feed", "PREFIX"),
        ("show feed --limit x", "--limit"),
    ] {
        let error = parse(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        assert!(error.to_string().contains(says), "{line} gave {error}");
    }
}

#[test]
fn what_is_set_can_be_one_thing_alone() {
    let command = parse_list("set feed --mode enforce");
    let ListCommand::Set { set, .. } = command else { panic!("{command:?}") };
    assert_eq!((set.action, set.mode, set.priority), (None, Some(ListMode::Enforce), None));
}

#[test]
fn an_import_says_how_in_its_path() {
    let command = parse_list("replace feed - --format csv:a&b --force");
    let ListCommand::Replace { replace, .. } = command else { panic!("{command:?}") };
    let path = Import::from(replace).path(&path_of("feed"));
    assert_eq!(path, "/v1/lists/feed/import?format=csv:a%26b&replace=true&force=true");
    let command = parse_list("import feed x");
    let ListCommand::Import { import, .. } = command else { panic!("{command:?}") };
    let path = Import::from(import).path(&path_of("feed"));
    assert_eq!(path, "/v1/lists/feed/import?format=auto&replace=false&force=false");
}

#[test]
fn the_shorthands_take_what_the_lists_take() {
    for line in [
        "block add 192.0.2.1 --for 10m --shadow --comment why",
        "allow del 192.0.2.1 192.0.2.2",
        "block list --limit 5",
        "block import x --format netset",
        "allow replace - --force",
    ] {
        let words = ["palisade"].into_iter().chain(line.split_whitespace());
        assert!(Arguments::try_parse_from(words).is_ok(), "{line}");
    }
}

#[test]
fn lists_are_a_table() {
    assert_eq!(render::lists(&[]), "there is no list");
    let text = render::lists(&[info()]);
    let row = text.lines().find(|line| line.contains("feed")).unwrap();
    let cells: Vec<_> = row.split_whitespace().collect();
    assert_eq!(cells, ["feed", "limit:slow", "shadow", "-5", "12", "3", "7", "0", "6"]);
}

#[test]
fn a_list_is_shown_with_its_traffic_and_entries() {
    let entry = ListEntry {
        prefix: "192.0.2.0/24".into(),
        mode: "enforce".into(),
        comment: "why".into(),
        added_unix_ms: 0,
        expires_unix_s: Some(60),
    };
    let mut detail = ListDetail { list: info(), entries: vec![entry], more: 14 };
    let text = render::detail(&detail);
    for part in [
        "list feed: limit:slow, shadow, priority -5; 12 IPv4 and 3 IPv6 entries\n",
        "matched 7 packets (7.0 MB); dropped 0 packets (0.0 MB); would have dropped 6 packets",
        "1970-01-01T00:01:00Z",
        "\n14 more; `palisade list export feed` has all",
    ] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
    detail.entries[0].expires_unix_s = None;
    detail.more = 0;
    let text = render::detail(&detail);
    assert!(text.contains("never") && !text.contains("more"), "{text}");
    detail.entries.clear();
    assert!(render::detail(&detail).ends_with("the list is empty"));
}
