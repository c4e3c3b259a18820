//! Limit profiles and what clients used of them outlive the daemon.

use anyhow::{Context, Result, ensure};
use std::process::Stdio;
use std::time::Duration;
use tests::lab::{Daemon, PEERS};
use tests::limit::{counted, lab_at_work, limit, send, set};
use tests::require_privileges;

const ENFORCE: &str = "mode = \"enforce\"\n";

#[test]
fn what_clients_used_is_known_after_a_crash() -> Result<()> {
    require_privileges!();
    let lab = lab_at_work()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    set(&daemon, "quota --unit packets --quota 20/day --service udp/9000")?;
    set(&daemon, "slow --unit packets --rate 1/h --burst 5 --service udp/9001")?;
    set(
        &daemon,
        "all --unit packets --rate 1/h --burst 6 --key service --service udp/9002 --guard off",
    )?;
    for port in 9000..9003 {
        send(&lab, PEERS[0], port, 25)?;
    }
    let state = || -> Result<_> {
        let names = ["quota", "slow", "all"];
        let of =
            |name: &str| Ok((limit(&daemon, name)?["number"].clone(), counted(&daemon, name)?));
        names.into_iter().map(of).collect::<Result<Vec<_>>>()
    };
    let before = state()?;
    let passed: Vec<_> = before.iter().map(|(_, counted)| counted[0]).collect();
    ensure!(passed == [20, 5, 6], "{before:?}");
    daemon.crash()?;
    send(&lab, PEERS[0], 9000, 3)?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    for port in 9000..9003 {
        send(&lab, PEERS[0], port, 3)?;
    }
    for ((number, counts), name) in before.iter().zip(["quota", "slow", "all"]) {
        ensure!(limit(&daemon, name)?["number"] == *number, "{name} has another number");
        ensure!(counted(&daemon, name)?[0] == counts[0], "{name} gave its clients a new start");
    }
    ensure!(counted(&daemon, "quota")?[1] == before[0].1[1] + 6, "it held without a daemon too");
    send(&lab, PEERS[1], 9000, 1)?;
    ensure!(counted(&daemon, "quota")?[0] == 21, "others still have theirs");
    Ok(())
}

#[test]
fn what_an_operator_says_stands_against_the_configuration_until_it_is_removed() -> Result<()> {
    require_privileges!();
    let lab = lab_at_work()?;
    let config = format!(
        "{ENFORCE}[limits.web]\nunit = \"packets\"\nrate = \"1/h\"\nburst = 5\nservices = [\"udp/9000\"]\n"
    );
    let daemon = Daemon::start(&lab, &config)?;
    ensure!(limit(&daemon, "web")?["origin"] == "config");
    daemon.palisade(&["limit", "del", "web"])?.refused(1, "--action off")?;
    send(&lab, PEERS[0], 9000, 7)?;
    ensure!(counted(&daemon, "web")? == [5, 2, 0]);
    let done = set(&daemon, "web --action off")?;
    ensure!(done["notes"].to_string().contains("limit del web"), "{done}");
    ensure!(limit(&daemon, "web")?["origin"] == "operator");
    daemon.crash()?;
    let daemon = Daemon::start(&lab, &config)?;
    send(&lab, PEERS[0], 9000, 7)?;
    ensure!(counted(&daemon, "web")? == [0, 0, 0], "it is off after a restart, too");
    daemon.must(&["limit", "del", "web"])?;
    ensure!(limit(&daemon, "web")?["origin"] == "config");
    send(&lab, PEERS[0], 9000, 7)?;
    ensure!(counted(&daemon, "web")? == [5, 2, 0], "{}", limit(&daemon, "web")?);
    daemon.palisade(&["limit", "del", "web"])?.refused(1, "--action off")?;
    daemon.palisade(&["limit", "del", "throttle"])?.refused(1, "--action off")?;
    Ok(())
}

#[test]
fn a_profile_that_the_configuration_no_longer_has_is_gone_with_what_was_used() -> Result<()> {
    require_privileges!();
    let lab = lab_at_work()?;
    let config = format!(
        "{ENFORCE}[limits.web]\nunit = \"packets\"\nrate = \"1/h\"\nburst = 5\nservices = [\"udp/9000\"]\n"
    );
    let daemon = Daemon::start(&lab, &config)?;
    send(&lab, PEERS[0], 9000, 7)?;
    daemon.stop()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    daemon.palisade(&["limit", "show", "web"])?.refused(1, "limit ls")?;
    ensure!(daemon.json(&["limit", "top"])?.to_string().contains("web") == false);
    daemon.stop()?;
    let daemon = Daemon::start(&lab, &config)?;
    ensure!(counted(&daemon, "web")? == [0, 0, 0]);
    send(&lab, PEERS[0], 9000, 7)?;
    ensure!(counted(&daemon, "web")? == [5, 2, 0]);
    daemon.stop()?;
    let daemon = Daemon::start(&lab, &config.replace("limits.web", "limits.other"))?;
    ensure!(counted(&daemon, "other")? == [0, 0, 0], "nobody inherits what another used");
    send(&lab, PEERS[0], 9000, 7)?;
    ensure!(counted(&daemon, "other")? == [5, 2, 0]);
    let number = limit(&daemon, "other")?["number"].clone();
    daemon.stop()?;
    let config = config.replace("limits.web", "limits.other").replace("\nburst = 5", "");
    let daemon = Daemon::start(&lab, &config.replace("rate = \"1/h\"", "quota = \"6/day\""))?;
    ensure!(limit(&daemon, "other")?["number"] != number, "it counts something else");
    send(&lab, PEERS[0], 9000, 7)?;
    ensure!(counted(&daemon, "other")? == [6, 1, 0]);
    Ok(())
}

#[test]
fn a_daemon_killed_in_a_change_leaves_the_old_limit_or_the_new_one() -> Result<()> {
    require_privileges!();
    let lab = lab_at_work()?;
    let mut daemon = Daemon::start(&lab, ENFORCE)?;
    set(&daemon, "p --unit packets --rate 1/h --burst 10 --service udp/9000")?;
    send(&lab, PEERS[0], 9000, 12)?;
    for turn in 0..5 {
        let burst = 20 + 10 * turn;
        let mut question =
            daemon.question(&["limit", "set", "p", "--burst", &burst.to_string()])?;
        let mut change = question.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        std::thread::sleep(Duration::from_millis(2 * turn));
        daemon.crash()?;
        let _ = change.wait()?;
        daemon = Daemon::start(&lab, ENFORCE)?;
        let held = limit(&daemon, "p")?["burst"].as_u64().context("no burst")?;
        ensure!(held <= burst && held % 10 == 0, "{held} after {burst}");
        send(&lab, PEERS[0], 9000, 100)?;
        ensure!(counted(&daemon, "p")?[0] == held, "disk and kernel differ");
    }
    Ok(())
}
