//! Rules on hellos over QUIC.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::net::IpAddr;
use tests::captures::{self, frame};
use tests::lab::{Daemon, Events, Lab, PEERS, inject, wait_until};
use tests::require_privileges;

const ON: &str = "mode = \"enforce\"\n[quic]\nports = [443, 4433]\n";

const RULE: &str = "ja4:q13d0307h3_*_1cecd519fee8@udp/443";

fn verdicts(daemon: &Daemon) -> Result<Vec<Value>> {
    Ok(daemon.json(&["verdict", "list"])?.as_array().cloned().unwrap_or_default())
}

#[test]
fn a_rule_only_counts_unless_the_operator_wants_verdicts() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ON)?;
    let events = Events::of(&lab, &daemon)?;
    let said = daemon.must(&["rule", "set", RULE])?.stdout;
    ensure!(said.contains("counted only, as long as `verdicts`"), "{said}");
    ensure!(said.contains("anybody can send"), "{said}");
    let unseen = daemon.must(&["rule", "set", "ja4:q13d0307h3_*_*@udp/8443", "--for", "1h"])?;
    ensure!(unseen.stdout.contains("name its port"), "{unseen:?}");
    let real = captures::one("aioquic.pcap")?;
    inject(&lab, &[frame(PEERS[0].parse()?, (real.port, 443), &real.client[0])?])?;
    wait_until("it is told", || !events.told("hello", PEERS[0]).is_empty())?;
    ensure!(events.told("hello", PEERS[0])[0].contains(RULE), "{:?}", events.all());
    let matched = |daemon: &Daemon| -> Result<Value> {
        let rules = daemon.json(&["rule", "ls"])?;
        let mut rules = rules.as_array().context("no array")?.iter();
        rules.find(|rule| rule["pattern"] == RULE).cloned().context("the rule")
    };
    let rule = matched(&daemon)?;
    ensure!(rule["matched"] == 1 && rule["ended"] == 0, "{rule}");
    ensure!(verdicts(&daemon)?.is_empty() && lab.pings(PEERS[0]));
    daemon.stop()?;
    let daemon = Daemon::start(&lab, ON)?;
    ensure!(matched(&daemon)?["matched"] == 1, "what was counted outlives the daemon");
    Ok(())
}

#[test]
fn a_rule_of_the_wrong_protocol_is_refused() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ON)?;
    for mixed in ["ja4:q13d0307h3_*_*@tcp/443", "ja4:t13d0307h2_*_*@udp/443", "tls:1.0@udp/443"] {
        daemon.palisade(&["rule", "set", mixed])?.refused(2, "mixes TCP and QUIC")?;
    }
    let reset = ["rule", "set", RULE, "--action", "reset"];
    daemon.palisade(&reset)?.refused(1, "only the action block")?;
    Ok(())
}

#[test]
fn with_verdicts_a_rule_blocks_exactly_the_address_for_a_minute() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, &format!("{ON}verdicts = true\n"))?;
    let events = Events::of(&lab, &daemon)?;
    let said = daemon.must(&["rule", "set", RULE])?.stdout;
    ensure!(said.contains("blocks the sender's address for a minute"), "{said}");
    // An operator's word stands, though it is about a wider prefix.
    daemon.must(&["verdict", "add", "198.51.100.0/24", "throttle", "--for", "5m"])?;
    let real = captures::one("aioquic.pcap")?;
    let v6: IpAddr = "2001:db8:0:1::77".parse()?;
    let sources: [IpAddr; 3] = [PEERS[0].parse()?, PEERS[2].parse()?, v6];
    for source in sources {
        inject(&lab, &[frame(source, (real.port, 443), &real.client[0])?])?;
        wait_until("it is told", || !events.told("hello", &source.to_string()).is_empty())?;
    }
    wait_until("the verdicts are there", || verdicts(&daemon).is_ok_and(|all| all.len() == 3))?;
    let all = verdicts(&daemon)?;
    let of = |client: &str| all.iter().find(|verdict| verdict["client"] == client);
    for client in ["192.0.2.2/32", "2001:db8:0:1::77/128"] {
        let made = of(client).with_context(|| format!("{client}: {all:?}"))?;
        ensure!(made["source"] == "fingerprint-rule" && made["action"] == "block", "{made}");
        let ends = made["expires_in_s"].as_u64().context("an end")?;
        ensure!((1..=60).contains(&ends), "{made}");
    }
    ensure!(of("198.51.100.0/24").is_some_and(|made| made["source"] == "operator"), "{all:?}");
    ensure!(!lab.pings(PEERS[0]) && lab.pings(PEERS[1]) && lab.pings(PEERS[2]));
    ensure!(daemon.must(&["explain", PEERS[0]])?.stdout.contains(RULE));
    // An operator lifts it as any other.
    daemon.must(&["verdict", "del", PEERS[0]])?;
    ensure!(lab.pings(PEERS[0]));
    let rules = daemon.json(&["rule", "ls"])?;
    ensure!(rules[0]["matched"] == 3 && rules[0]["ended"] == 2, "{rules}");
    Ok(())
}

#[test]
fn a_rule_in_shadow_makes_a_verdict_in_shadow() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, &format!("{ON}verdicts = true\n"))?;
    daemon.must(&["rule", "set", RULE, "--shadow"])?;
    let real = captures::one("aioquic.pcap")?;
    inject(&lab, &[frame(PEERS[0].parse()?, (real.port, 443), &real.client[0])?])?;
    wait_until("the verdict is there", || verdicts(&daemon).is_ok_and(|all| all.len() == 1))?;
    ensure!(verdicts(&daemon)?[0]["mode"] == "shadow");
    ensure!(lab.pings(PEERS[0]) && daemon.packets("would-drop", "client-verdict")? > 0);
    Ok(())
}
