//! Limit profiles as an operator sees them: made, changed, shown, removed.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::time::Duration;
use tests::lab::{self, Daemon, Lab, PEERS, wait_until};
use tests::limit::{counted, lab_at_work, limit, send, set};
use tests::require_privileges;

const ENFORCE: &str = "mode = \"enforce\"\n";

#[test]
fn a_profile_is_made_changed_shown_and_removed() -> Result<()> {
    require_privileges!();
    let lab = lab_at_work()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    set(&daemon, "dns --unit packets --rate 1/h --burst 5 --service udp/53")?;
    let dns = limit(&daemon, "dns")?;
    ensure!(dns["origin"] == "operator" && dns["rate"] == "1/h" && dns["burst"] == 5, "{dns}");
    send(&lab, PEERS[0], 53, 20)?;
    ensure!(counted(&daemon, "dns")? == [5, 15, 0], "{}", limit(&daemon, "dns")?);
    ensure!(limit(&daemon, "dns")?["refused"]["bytes"] == 1500, "{}", limit(&daemon, "dns")?);
    send(&lab, PEERS[1], 53, 3)?;
    send(&lab, PEERS[0], 54, 10)?;
    ensure!(counted(&daemon, "dns")? == [8, 15, 0], "others and other ports are not held");
    set(&daemon, "dns --action shadow")?;
    send(&lab, PEERS[0], 53, 4)?;
    ensure!(counted(&daemon, "dns")? == [8, 15, 4], "{}", limit(&daemon, "dns")?);
    ensure!(limit(&daemon, "dns")?["burst"] == 5, "what isn't said stays");
    ensure!(set(&daemon, "dns --action shadow")?["changed"] == 0, "again changes nothing");
    set(&daemon, "dns --service udp/60-70 --service tcp/53 --action drop")?;
    send(&lab, PEERS[0], 53, 2)?;
    send(&lab, PEERS[0], 65, 2)?;
    ensure!(counted(&daemon, "dns")? == [8, 17, 4], "the services were replaced");
    daemon.must(&["limit", "del", "dns"])?;
    send(&lab, PEERS[0], 65, 2)?;
    daemon.palisade(&["limit", "show", "dns"])?.refused(1, "limit ls")?;
    daemon.palisade(&["limit", "del", "dns"])?.refused(1, "no limit profile")?;
    set(&daemon, "dns --unit packets --rate 1/h --burst 5 --service udp/53")?;
    ensure!(counted(&daemon, "dns")? == [0, 0, 0], "a new profile starts at zero");
    send(&lab, PEERS[0], 53, 6)?;
    ensure!(counted(&daemon, "dns")? == [5, 1, 0], "and so do its clients");
    Ok(())
}

#[test]
fn nonsense_is_refused_and_changes_nothing() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    let before = daemon.json(&["limit", "ls"])?;
    for (code, line, words) in [
        (1, "x --rate 5/s", "unit"),
        (1, "x --unit packets", "quota"),
        (2, "x --unit requests --rate 5/s", "requests"),
        (2, "x --unit packets --rate 0/s", "0/s"),
        (2, "x --unit packets --rate=-5/s", "-5/s"),
        (2, "x --unit packets --rate 5/fortnight", "fortnight"),
        (2, "x --unit packets --rate 99999999999999999999/s", "99999999999999999999"),
        (2, "x --unit packets --rate 5/s --burst 0", "zero"),
        (2, "x --unit packets --rate 5/s --burst=-1", "-1"),
        (2, "x --unit bytes --quota 0GB/day", "0GB/day"),
        (2, "x --unit bytes --quota 5GB/week", "week"),
        (2, "x --unit bytes --quota 5GB/day --rate 5/s", "--rate"),
        (1, "x --unit packets --rate 5/s --key client/33/64", "33"),
        (1, "x --unit packets --rate 5/s --key client/32/65", "65"),
        (1, "x --unit packets --rate 5/s --key client/0/0", "0"),
        (2, "x --unit packets --rate 5/s --key finger", "finger"),
        (2, "x --unit packets --rate 5/s --service tcp/65536", "65536"),
        (2, "x --unit packets --rate 5/s --service tcp/90-80", "90-80"),
        (2, "x --unit packets --rate 5/s --service sctp/80", "sctp"),
        (2, "x --unit packets --rate 5/s --action accept", "accept"),
        (2, "a/b --unit packets --rate 5/s", "a/b"),
        (2, "x", "--unit"),
        (1, "x --unit bytes --quota 900TB/day", "quota"),
        (1, "throttle --key service", "throttle"),
    ] {
        let words_of = ["limit", "set"].into_iter().chain(line.split_whitespace());
        let said = daemon.palisade(&words_of.collect::<Vec<_>>())?;
        said.refused(code, words).with_context(|| line.to_owned())?;
    }
    ensure!(daemon.json(&["limit", "ls"])? == before);
    Ok(())
}

#[test]
fn a_change_of_rate_gives_no_burst_and_locks_nobody_out() -> Result<()> {
    require_privileges!();
    let lab = lab_at_work()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    set(&daemon, "p --unit packets --rate 1/h --burst 10 --service udp/9000")?;
    let number = limit(&daemon, "p")?["number"].clone();
    send(&lab, PEERS[0], 9000, 12)?;
    ensure!(counted(&daemon, "p")? == [10, 2, 0]);
    for rate in ["2/h", "100/d", "30/h"] {
        set(&daemon, &format!("p --rate {rate}"))?;
        send(&lab, PEERS[0], 9000, 2)?;
    }
    ensure!(counted(&daemon, "p")? == [10, 8, 0], "a change of rate is no new burst");
    set(&daemon, "p --burst 15")?;
    send(&lab, PEERS[0], 9000, 10)?;
    ensure!(counted(&daemon, "p")? == [15, 13, 0], "a larger burst is as much larger");
    set(&daemon, "p --rate 1000/s")?;
    wait_until("who is held comes back at the new rate", || {
        send(&lab, PEERS[0], 9000, 1).is_ok() && counted(&daemon, "p").is_ok_and(|p| p[0] >= 20)
    })?;
    ensure!(limit(&daemon, "p")?["number"] == number, "a change of rate is no new profile");
    Ok(())
}

#[test]
fn a_profile_that_a_list_names_stays_and_the_list_follows_its_changes() -> Result<()> {
    require_privileges!();
    let lab = lab_at_work()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    let said = daemon.palisade(&["list", "create", "feed", "--action", "limit:slow"])?;
    said.refused(1, "packets")?;
    set(&daemon, "all --unit packets --rate 5/s --key service --service udp/9003")?;
    daemon.palisade(&["list", "create", "feed", "--action", "limit:all"])?.refused(1, "client")?;
    set(&daemon, "slow --unit packets --rate 1/h --burst 5")?;
    daemon.must(&["list", "create", "feed", "--action", "limit:slow"])?;
    daemon.must(&["list", "add", "feed", PEERS[0]])?;
    ensure!(limit(&daemon, "slow")?["lists"] == serde_json::json!(["feed"]));
    daemon.palisade(&["limit", "del", "slow"])?.refused(1, "feed")?;
    daemon
        .palisade(&["limit", "set", "slow", "--key", "service", "--service", "any"])?
        .refused(1, "feed")?;
    send(&lab, PEERS[0], 9000, 8)?;
    send(&lab, PEERS[1], 9000, 8)?;
    ensure!(counted(&daemon, "slow")? == [5, 3, 0], "the list's clients alone are held");
    let number = limit(&daemon, "slow")?["number"].clone();
    let done = set(&daemon, "slow --quota 10/day")?;
    ensure!(done["notes"].to_string().contains("anew"), "{done}");
    ensure!(limit(&daemon, "slow")?["number"] != number, "old meters count something else");
    send(&lab, PEERS[0], 9000, 12)?;
    ensure!(
        counted(&daemon, "slow")? == [10, 2, 0],
        "the list follows: {}",
        limit(&daemon, "slow")?
    );
    daemon.must(&["list", "drop", "feed"])?;
    daemon.must(&["limit", "del", "slow"])?;
    ensure!(lab.pings(PEERS[0]));
    Ok(())
}

#[test]
fn limits_of_one_service_add_up_as_long_as_there_is_room() -> Result<()> {
    require_privileges!();
    let lab = lab_at_work()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    set(&daemon, "wide --unit packets --rate 1/h --burst 9 --service udp")?;
    set(&daemon, "narrow --unit packets --rate 1/h --burst 4 --service udp/9000-9100")?;
    send(&lab, PEERS[0], 9000, 6)?;
    send(&lab, PEERS[0], 53, 6)?;
    // What an earlier one charged stays charged when a later one refuses.
    ensure!(counted(&daemon, "wide")? == [9, 3, 0], "{}", limit(&daemon, "wide")?);
    ensure!(counted(&daemon, "narrow")? == [4, 2, 0], "{}", limit(&daemon, "narrow")?);
    let rest = "--unit packets --rate 1000/s --service udp/9050";
    let more = (0..14).find(|i| {
        let line = format!("more{i} {rest}");
        let words = ["limit", "set"].into_iter().chain(line.split_whitespace());
        daemon.palisade(&words.collect::<Vec<_>>()).is_ok_and(|said| said.code == 1)
    });
    // The packet limit of all services is one of the fourteen, too.
    ensure!(more == Some(11), "{more:?}");
    let line = format!("limit set more {rest}");
    let words: Vec<_> = line.split_whitespace().collect();
    daemon.palisade(&words)?.refused(1, "udp/9050")?;
    ensure!(limit(&daemon, "more10")?["number"].is_u64());
    daemon.palisade(&["limit", "show", "more"])?.refused(1, "limit ls")?;
    Ok(())
}

#[test]
fn the_busiest_keys_and_an_explanation_say_what_is_used() -> Result<()> {
    require_privileges!();
    let lab = lab_at_work()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    set(&daemon, "quota --unit packets --quota 20/day --service udp/9000")?;
    set(&daemon, "slow --unit packets --rate 1/h --burst 10 --service udp/9001")?;
    set(&daemon, "all --unit packets --rate 1/h --burst 50 --key service --service udp/9002")?;
    send(&lab, PEERS[0], 9000, 15)?;
    send(&lab, PEERS[1], 9000, 5)?;
    send(&lab, PEERS[0], 9001, 4)?;
    send(&lab, PEERS[0], 9002, 5)?;
    let top = daemon.json(&["limit", "top", "--profile", "quota"])?;
    ensure!(top[0]["key"] == "192.0.2.2/32" && top[0]["used"] == 15 && top[0]["of"] == 20, "{top}");
    ensure!(top[0]["percent"] == 75 && top[1]["key"] == "192.0.2.3/32", "{top}");
    let resets = top[0]["resets_in_s"].as_u64().context("no reset")?;
    ensure!((80_000..=86_400).contains(&resets), "{top}");
    let top = daemon.json(&["limit", "top", "-n", "2", "--profile", "slow"])?;
    ensure!(top[0]["used"] == 4 && top[0]["resets_in_s"].is_null(), "{top}");
    let top = daemon.json(&["limit", "top", "--profile", "all"])?;
    ensure!(top[0]["key"] == "all of it" && top[0]["used"] == 5, "{top}");
    ensure!(
        daemon.json(&["limit", "top", "-n", "1"])?.as_array().is_some_and(|top| top.len() == 1)
    );
    daemon.palisade(&["limit", "top", "--profile", "none"])?.refused(1, "no limit profile")?;
    let explained = daemon.json(&["explain", PEERS[0]])?["steps"].to_string();
    for part in ["quota", "15 of 20", "slow", "4 of a burst of 10", "all"] {
        ensure!(explained.contains(part), "{explained} lacks {part}");
    }
    Ok(())
}

#[test]
fn who_goes_over_is_told_of_once_and_not_for_each_packet() -> Result<()> {
    require_privileges!();
    let lab = lab_at_work()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    set(&daemon, "slow --unit packets --rate 1/h --burst 10 --service udp/9001")?;
    set(&daemon, "all --unit packets --rate 1/h --burst 20 --key service --service udp/9002")?;
    let file = lab.dir.path().join("events");
    let mut watch = daemon.question(&["--json", "watch"])?;
    let _watch = lab::Service::start(watch.stdout(std::fs::File::create(&file)?))?;
    let events = || -> Vec<Value> {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    };
    let of = |kind: &str| events().into_iter().filter(|e| e["kind"] == kind).collect::<Vec<_>>();
    wait_until("somebody watches", || {
        let _ = daemon.palisade(&["block", "add", "203.0.113.1"]);
        let _ = daemon.palisade(&["block", "del", "203.0.113.1"]);
        !of("list").is_empty()
    })?;
    for _ in 0..3 {
        send(&lab, PEERS[0], 9001, 200)?;
        send(&lab, PEERS[0], 9002, 200)?;
        std::thread::sleep(Duration::from_millis(400));
    }
    wait_until("both are told of", || !of("limit").is_empty() && !of("guard").is_empty())?;
    let limits = of("limit");
    ensure!(limits.len() == 1 && limits[0]["subject"] == "192.0.2.2/32", "{limits:?}");
    ensure!(limits[0]["text"].to_string().contains("slow"), "{limits:?}");
    let guards = of("guard");
    ensure!(guards.len() == 1 && guards[0]["subject"] == "all", "{guards:?}");
    ensure!(guards[0]["text"].to_string().contains("proved themselves pass first"), "{guards:?}");
    let status = daemon.json(&["status"])?;
    ensure!(status["guards"][0]["name"] == "all", "{status}");
    ensure!(status["limits"].as_array().is_some_and(|limits| limits.len() == 2), "{status}");
    ensure!(daemon.must(&["status"])?.stdout.contains("over its threshold"));
    Ok(())
}
