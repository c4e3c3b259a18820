use super::*;
use crate::cli::args::{Arguments, Command};
use crate::control::api::{GuardInfo, LimitLine, Traffic};
use crate::limit::{LimitAction, LimitKey, Origin, Unit};
use clap::Parser;

/// What a command line means; its words have no spaces.
fn parse(line: &str) -> Result<LimitCommand, clap::Error> {
    let words = ["palisade", "limit"].into_iter().chain(line.split_whitespace());
    match Arguments::try_parse_from(words)?.command {
        Command::Limit(command) => Ok(command),
        other => panic!("{line:?} gave {other:?}"),
    }
}

fn parse_set(line: &str) -> SetLimit {
    match parse(&format!("set web {line}")).unwrap() {
        LimitCommand::Set { set, .. } => SetLimit::from(*set),
        other => panic!("{line:?} gave {other:?}"),
    }
}

fn info() -> LimitInfo {
    let traffic = |packets| Traffic { packets, bytes: packets << 20 };
    LimitInfo {
        name: "web".into(),
        number: 5,
        unit: Unit::Connections,
        rate: Some("50/s".parse().unwrap()),
        burst: Some(200),
        quota: None,
        key: LimitKey::CLIENT,
        services: vec!["tcp/443".parse().unwrap()],
        action: LimitAction::Drop,
        guard: false,
        origin: Origin::Operator,
        rules: Vec::new(),
        lists: vec!["feed".into()],
        passed: traffic(7),
        refused: traffic(3),
        would_refuse: traffic(0),
        preferred: 0,
        untracked: 2,
        unlisted: 0,
        guard_since_unix_ms: None,
    }
}

#[test]
fn all_of_a_profile_can_be_said_at_once() {
    let set = parse_set(
        "--unit bytes --rate 10MB/s --burst 5MB --key client/24/56 --service tcp/443 \
         --service udp/8000-8100 --action reset --guard off",
    );
    let written = serde_json::to_value(&set).unwrap();
    let expected = serde_json::json!({
        "unit": "bytes", "rate": "10MB/s", "burst": "5000000B", "key": "client/24/56",
        "services": ["tcp/443", "udp/8000-8100"], "action": "reset", "guard": false,
    });
    assert_eq!(written, expected);
    assert_eq!(serde_json::from_value::<SetLimit>(written).unwrap(), set, "it is read as sent");
}

#[test]
fn what_is_not_said_is_not_sent() {
    let sent = |line: &str| serde_json::to_value(parse_set(line)).unwrap();
    assert_eq!(sent("--rate 80/s"), serde_json::json!({ "rate": "80/s" }));
    assert_eq!(sent("--service none"), serde_json::json!({ "services": [] }));
    assert_eq!(sent("--quota 500/day"), serde_json::json!({ "quota": "500/day" }));
    assert_eq!(parse_set("--guard on").guard, Some(true));
}

#[test]
fn wrong_usage_is_found_before_the_daemon_is_asked() {
    for (line, says) in [
        ("set web", "--unit"),
        ("set a/b --rate 5/s", "no name"),
        ("set web --unit requests", "handshakes"),
        ("set web --rate 0/s", "zero"),
        ("set web --rate=-5/s", "negative"),
        ("set web --rate 5", "100/s"),
        ("set web --burst 0", "zero"),
        ("set web --quota 5GB/week", "10GB/hour"),
        ("set web --quota 5GB/day --burst 5", "--burst"),
        ("set web --key client/x/y", "client/24/56"),
        ("set web --service tcp/70000", "65535"),
        ("set web --service tcp/90-80", "before it begins"),
        ("set web --action accept", "shadow"),
        ("set web --guard maybe", "off"),
        ("top -n x", "--count"),
        ("top -n 0", "--count"),
        ("top -n 10001", "--count"),
        ("top --profile ..", "no name"),
        ("del", "<NAME>"),
    ] {
        let error = parse(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        assert!(error.to_string().contains(says), "{line} gave {error}");
    }
}

#[test]
fn the_busiest_are_asked_for_by_number_and_profile() {
    let path = |line: &str| match parse(line).unwrap() {
        LimitCommand::Top(top) => top_path(&top),
        other => panic!("{other:?}"),
    };
    assert_eq!(path("top"), "/v1/limits/top?n=20");
    assert_eq!(path("top -n 3 --profile web"), "/v1/limits/top?n=3&profile=web");
}

#[test]
fn a_switch_is_on_or_off() {
    assert!(parse_set("--guard on").guard.unwrap());
    assert!(!parse_set("--guard off").guard.unwrap());
}

#[test]
fn profiles_are_a_table() {
    assert_eq!(render::limits(&[]), "there is no limit profile");
    let text = render::limits(&[info()]);
    let row = text.lines().find(|line| line.contains("web")).unwrap();
    for part in ["connections", "50/s, burst 200", "client", "tcp/443, list feed", "drop"] {
        assert!(row.contains(part), "{row} lacks {part}");
    }
    assert!(row.trim_end().ends_with('0') && row.contains(" 7 ") && row.contains(" 3 "), "{row}");
    let mut quota = LimitInfo { rate: None, burst: None, services: Vec::new(), ..info() };
    quota.quota = Some("10G/day".parse().unwrap());
    quota.lists.clear();
    let text = render::limits(&[quota]);
    assert!(text.contains("10G/day") && text.contains("nothing"), "{text}");
}

#[test]
fn a_profile_is_shown_with_all_that_is_known() {
    let mut limit = info();
    limit.guard_since_unix_ms = Some(0);
    let text = render::detail(&limit);
    for part in [
        "limit web: connections, 50/s, burst 200, for each client",
        "applies to tcp/443, list feed; action drop\n",
        "made by an operator, number 5 in the kernel, guard off\n",
        "passed 7 packets (7.0 MB); refused 3 packets (3.0 MB); would have refused 0",
        "2 packets passed uncharged",
        "over its threshold since 1970-01-01T00:00:00Z",
    ] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
    assert!(!text.contains("proved itself"), "{text}");
}

#[test]
fn the_busiest_are_a_table() {
    assert_eq!(render::top(&[]), "nothing of a limit is in use");
    let entry = TopEntry {
        profile: "daily".into(),
        key: "192.0.2.0/24".into(),
        used: 15,
        of: 20,
        percent: 75,
        resets_in_s: Some(3600),
    };
    let text = render::top(&[entry]);
    let row = text.lines().find(|line| line.contains("daily")).unwrap();
    let cells: Vec<_> = row.split_whitespace().collect();
    assert_eq!(cells, ["daily", "192.0.2.0/24", "15", "20", "75", "%", "1h"]);
}

#[test]
fn the_status_tells_of_guards_and_refusals() {
    let traffic = |packets| Traffic { packets, bytes: 0 };
    let guards = [GuardInfo { name: "dns".into(), since_unix_ms: 0, preferred: 9 }];
    let (refused, would_refuse) = (traffic(4), traffic(1));
    let lines = [LimitLine { name: "web".into(), refused, would_refuse }];
    let text = render::guards(&guards, &lines);
    let expected = "limit dns is over its threshold since 1970-01-01T00:00:00Z: clients that \
                    proved themselves pass first, 9 packets so far\n\
                    limit web: refused 4 packets (0.0 MB); would have 1 packets (0.0 MB)\n";
    assert_eq!(text, expected);
    assert!(render::guards(&[], &[]).is_empty());
}
