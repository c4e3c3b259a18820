//! Clients: limits, verdicts, and hellos that lead to them.

use anyhow::{Result, ensure};
use filter_common::wire::cursor::SlicePacket;
use filter_common::wire::frame::{self, Frame};
use pcap_file::pcap::PcapReader;
use std::process::{Command, Stdio};
use tests::lab::{self, Daemon, EDGE, EDGE_V6, Lab, PEER_V6, PEERS, wait_until};
use tests::packet::{Packet, Segment};
use tests::require_privileges;

/// A JA4 that no client of the lab has.
const STRANGER: &str = "t13d0000h2_000000000000_000000000000";

#[test]
fn a_client_over_its_packet_limit_is_held_to_it_and_others_are_not() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let limits = "mode = \"enforce\"\n[limits.packets]\nper_sec = 20\nburst = 50\n";
    let daemon = Daemon::start(&lab, limits)?;
    let answered = lab.flood(PEERS[0], 300)?;
    ensure!((50..290).contains(&answered), "{answered} of 300 passed a burst of 50");
    ensure!(daemon.packets("drop", "packet-limit")? > 0);
    ensure!(lab.pings(PEERS[1]), "another client must pass");
    Ok(())
}

#[test]
fn a_client_over_its_connection_limit_is_held_to_it() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let limits = "mode = \"enforce\"\n[limits.connections]\nper_sec = 1\nburst = 3\n";
    let daemon = Daemon::start(&lab, limits)?;
    let connect = "import socket,sys\nfor _ in range(12):\n s=socket.socket();s.settimeout(0.05)\n \
                   try: s.connect(('192.0.2.1',9))\n except OSError: pass\n";
    lab::run(lab.at_peer("/usr/bin/python3").args(["-c", connect]))?.success()?;
    ensure!(daemon.packets("drop", "connection-limit")? > 0);
    ensure!(lab.pings(PEERS[0]), "what opens no connection passes");
    Ok(())
}

#[test]
fn a_verdict_ends_by_itself_without_a_daemon() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, "mode = \"enforce\"\n")?;
    daemon.must(&["verdict", "add", PEERS[0], "block", "--for", "2s", "--reason", "test"])?;
    ensure!(daemon.json(&["verdict", "list"])?[0]["client"] == "192.0.2.2/32");
    daemon.crash()?;
    ensure!(!lab.pings(PEERS[0]), "it is in force without a daemon");
    wait_until("the verdict ends", || lab.pings(PEERS[0]))
}

#[test]
fn a_throttled_client_gets_its_share_and_no_more() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let config = "mode = \"enforce\"\n[limits.throttle]\nper_sec = 10\nburst = 20\n";
    let daemon = Daemon::start(&lab, config)?;
    daemon.must(&["verdict", "add", PEERS[0], "throttle", "--for", "5m"])?;
    let answered = lab.flood(PEERS[0], 200)?;
    ensure!((20..190).contains(&answered), "{answered} of 200 passed a burst of 20");
    ensure!(daemon.packets("drop", "throttle")? > 0);
    // Its burst is used up, or a packet of it has come back already.
    let effect = daemon.json(&["explain", PEERS[0]])?["effect"].clone();
    ensure!(effect == "limited" || effect == "drop", "{effect}");
    daemon.must(&["verdict", "del", PEERS[0]])?;
    daemon.palisade(&["verdict", "del", PEERS[0]])?.refused(1, "no verdict")?;
    Ok(())
}

/// A /48 of IPv6 beside the lab's own, and the peer's address in it.
const OTHER_V6: &str = "2001:db8:1::/48";
const OTHER_PEER_V6: &str = "2001:db8:1::2";

fn lab_with_another_48() -> Result<Lab> {
    let lab = Lab::new()?;
    let address = format!("{OTHER_PEER_V6}/48");
    lab::run(lab.at_peer("ip").args(["addr", "add", &address, "nodad", "dev", "eth0"]))?
        .success()?;
    let mut route = Command::new("ip");
    lab::run(route.args(["-6", "route", "add", OTHER_V6, "dev", &lab.interface]))?.success()?;
    Ok(lab)
}

#[test]
fn a_verdict_on_a_prefix_bites_inside_of_it_alone_and_ends_by_itself() -> Result<()> {
    require_privileges!();
    let lab = lab_with_another_48()?;
    let daemon = Daemon::start(&lab, "mode = \"enforce\"\n")?;
    ensure!(lab.pings(PEER_V6) && lab.pings(OTHER_PEER_V6));
    for prefix in ["192.0.2.0/24", "2001:db8::/48"] {
        daemon.must(&["verdict", "add", prefix, "block", "--for", "8s"])?;
    }
    for inside in [PEERS[0], PEERS[1], PEER_V6] {
        ensure!(!lab.pings(inside), "{inside} is inside");
    }
    for outside in [PEERS[2], OTHER_PEER_V6] {
        ensure!(lab.pings(outside), "{outside} is outside");
    }
    let shown = daemon.json(&["verdict", "list"])?;
    ensure!(shown[0]["client"] == "192.0.2.0/24" && shown[1]["client"] == "2001:db8::/48");
    daemon.crash()?;
    ensure!(!lab.pings(PEERS[0]), "it is in force without a daemon");
    for inside in [PEERS[0], PEER_V6] {
        wait_until("the verdict ends", || lab.pings(inside))?;
    }
    Ok(())
}

#[test]
fn a_new_daemon_keeps_a_verdict_on_a_prefix_in_force_and_can_lift_it() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, "mode = \"enforce\"\n")?;
    daemon.must(&["verdict", "add", "192.0.2.0/24", "block", "--for", "5m"])?;
    daemon.must(&["verdict", "add", PEERS[0], "throttle", "--for", "5m"])?;
    daemon.crash()?;
    let mut ping = lab.at_peer("ping");
    ping.args(["-q", "-i", "0.002", "-w", "2", "-I", PEERS[0], EDGE]).stdout(Stdio::piped());
    let pinging = ping.spawn()?;
    let daemon = Daemon::start(&lab, "mode = \"enforce\"\n")?;
    let said = String::from_utf8(pinging.wait_with_output()?.stdout)?;
    ensure!(said.contains(" 0 received"), "the take-over let some through: {said}");
    ensure!(!lab.pings(PEERS[1]) && daemon.json(&["status"])?["taken_over"] == true);
    daemon.must(&["verdict", "del", PEERS[0]])?;
    ensure!(!lab.pings(PEERS[0]), "the narrow one was lifted, the wide one stands");
    daemon.must(&["verdict", "del", "192.0.2.0/24"])?;
    ensure!(lab.pings(PEERS[0]) && lab.pings(PEERS[1]));
    Ok(())
}

#[test]
fn what_is_said_of_verdicts_on_prefixes() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, "mode = \"enforce\"\n")?;
    let add = |target| daemon.palisade(&["verdict", "add", target, "block", "--for", "5m"]);
    for bad in ["192.0.2.0/23", "2001:db8::/32"] {
        add(bad)?.refused(2, "/64, /56 or /48")?;
    }
    daemon.must(&["allow", "add", PEERS[0], "198.51.100.0/23"])?;
    add(PEERS[2])?.refused(1, "allowlist (198.51.100.0/23)")?;
    add("198.51.100.0/24")?.refused(1, "allowlist (198.51.100.0/23)")?;
    let said = add("192.0.2.77/24")?.success()?.stdout;
    ensure!(said.contains("taken as 192.0.2.0/24"), "{said}");
    ensure!(said.contains("192.0.2.2/32 inside is on the allowlist"), "{said}");
    ensure!(lab.pings(PEERS[0]) && !lab.pings(PEERS[1]), "allow wins");
    daemon.must(&["verdict", "add", PEERS[1], "throttle", "--for", "5m"])?;
    let told = daemon.json(&["explain", PEERS[1]])?;
    let steps = told["steps"].to_string();
    ensure!(steps.contains("of 192.0.2.0/24") && steps.contains("of 192.0.2.3/32"), "{steps}");
    ensure!(told["effect"] == "drop", "{told}");
    ensure!(told["way_out"] == "palisade verdict del 192.0.2.0/24", "{told}");
    daemon.palisade(&["verdict", "del", "192.0.2.9"])?.refused(1, "but one on 192.0.2.0/24")?;
    let mut curl = Command::new("curl");
    curl.args(["-s", "-X", "DELETE", "--unix-socket"]).arg(daemon.socket());
    let lifted = lab::run(curl.arg("http://palisade/v1/verdicts/192.0.2.0/24"))?;
    ensure!(lifted.json()?["changed"] == 1, "{lifted:?}");
    Ok(())
}

fn curl(lab: &Lab, from: &str, port: u16) -> Result<lab::Outcome> {
    let edge = if from.contains(':') { format!("[{EDGE_V6}]") } else { EDGE.to_owned() };
    let mut curl = lab.at_peer("curl");
    curl.args(["-sk", "--http1.1", "--max-time", "2", "--interface", from]);
    lab::run(curl.arg(format!("https://{edge}:{port}/")))
}

#[test]
fn a_real_client_is_fingerprinted_and_a_rule_on_it_bites() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, "mode = \"enforce\"\n")?;
    let _server = lab::tls_server(&lab, 8443)?;
    for peer in [PEERS[0], PEER_V6] {
        curl(&lab, peer, 8443)?.success()?;
    }
    wait_until("two hellos are recorded", || {
        let list = daemon.json(&["fingerprint", "list"]).unwrap_or_default();
        list[0]["hellos"].as_u64() >= Some(2)
    })?;
    let seen = daemon.json(&["fingerprint", "list"])?;
    let ja4 = seen[0]["ja4"].as_str().unwrap_or_default().to_owned();
    ensure!(ja4.starts_with("t13i") && seen[0]["clients"] == 2, "{seen}");
    // The server takes one connection at a time, and has to get rid of each.
    let reset = ["--action", "reset", "--for", "5m", "--comment", "test"];
    daemon.must(&[&["fingerprint", "block", &ja4], &reset[..]].concat())?;
    for (ended, peer) in [PEERS[1], PEERS[0], PEER_V6].into_iter().enumerate() {
        curl(&lab, peer, 8443)?.failed()?;
        let rules = daemon.json(&["rule", "ls"])?;
        ensure!(rules[0]["matched"] == ended + 1 && rules[0]["ended"] == ended + 1, "{rules}");
    }
    ensure!(daemon.packets("reset", "hello-rule")? == 3, "one packet each ends a connection");
    ensure!(lab.pings(PEERS[1]), "a connection was ended, and not its client");
    daemon.must(&["fingerprint", "unblock", &ja4])?;
    curl(&lab, PEERS[1], 8443)?.success()?;
    daemon.must(&["fingerprint", "block", &ja4])?;
    curl(&lab, PEERS[1], 8443)?.failed()?;
    ensure!(daemon.packets("drop", "hello-rule")? == 1);
    ensure!(daemon.packets("drop", "ended-connection")? > 0, "what it sends again is dropped");
    daemon.must(&["fingerprint", "unblock", &ja4])?;
    daemon.palisade(&["fingerprint", "unblock", STRANGER])?.refused(1, "no rule")?;
    daemon.palisade(&["fingerprint", "block", "nonsense"])?.refused(2, "no JA4")?;
    Ok(())
}

#[test]
fn rules_bite_by_parts_version_and_service_and_count_alone_in_shadow() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, "mode = \"enforce\"\n")?;
    let _server = lab::tls_server(&lab, 8443)?;
    curl(&lab, PEERS[0], 8443)?.success()?;
    wait_until("a hello is recorded", || {
        daemon.json(&["fingerprint", "list"]).is_ok_and(|list| list[0]["hellos"] == 1)
    })?;
    let seen = daemon.json(&["fingerprint", "list"])?;
    let ja4 = seen[0]["ja4"].as_str().unwrap_or_default();
    let [a, b, c] = <[&str; 3]>::try_from(ja4.split('_').collect::<Vec<_>>())
        .map_err(|_| anyhow::anyhow!("{ja4}"))?;
    let patterns = [
        format!("ja4:{a}_*_*"),
        format!("ja4:*_{b}_*"),
        format!("ja4:*_*_{c}"),
        format!("ja4:{a}_{b}_*"),
        format!("ja4:{a}_*_{c}"),
        format!("ja4:*_{b}_{c}"),
        format!("ja4:{ja4}"),
        "tls:1.3".to_owned(),
        "tls:1.3@tcp/8443".to_owned(),
    ];
    for pattern in &patterns {
        daemon.must(&["rule", "set", pattern, "--action", "reset"])?;
        for _ in 0..2 {
            curl(&lab, PEERS[0], 8443)?.failed()?;
        }
        let rules = daemon.json(&["rule", "ls"])?;
        ensure!(rules[0]["pattern"] == **pattern && rules[0]["ended"] == 2, "{rules}");
        daemon.must(&["rule", "set", pattern, "--shadow"])?;
        curl(&lab, PEERS[0], 8443)?.success()?;
        let rules = daemon.json(&["rule", "ls"])?;
        ensure!(rules[0]["matched"] == 3 && rules[0]["ended"] == 2, "{rules}");
        daemon.must(&["rule", "del", pattern])?;
    }
    let count = u64::try_from(patterns.len())?;
    ensure!(daemon.packets("reset", "hello-rule")? == 2 * count);
    ensure!(daemon.packets("would-drop", "hello-rule")? == count);
    for other in ["tls:1.2", "tls:1.3@tcp/443", "cause:malformed"] {
        daemon.must(&["rule", "set", other])?;
    }
    curl(&lab, PEERS[0], 8443)?.success()?;
    daemon.must(&["rule", "set", "tls:1.3", "--action", "reset", "--for", "1s"])?;
    wait_until("the rule ends", || {
        curl(&lab, PEERS[0], 8443).is_ok_and(|outcome| outcome.success().is_ok())
    })
}

#[test]
fn a_hello_in_several_segments_has_the_fingerprint_of_one_in_a_single_segment() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, "")?;
    let _server = lab::tls_server(&lab, 8443)?;
    curl(&lab, PEERS[0], 8443)?.success()?;
    lab.limit_mtu(300)?;
    curl(&lab, PEERS[0], 8443)?.success()?;
    wait_until("two hellos were put together", || {
        let status = daemon.json(&["status"]).unwrap_or_default();
        status["hellos"]["fingerprinted"].as_u64() >= Some(2)
    })?;
    let status = daemon.json(&["status"])?;
    ensure!(status["hellos"]["unfingerprintable"] == 0, "{status}");
    let seen = daemon.json(&["fingerprint", "list"])?;
    ensure!(seen.as_array().is_some_and(|seen| seen.len() == 1), "one JA4 for both: {seen}");
    Ok(())
}

/// The ClientHello that nmap sends, as a segment from another address.
fn forged_hello(source: [u8; 4], port: u16) -> Result<Vec<u8>> {
    let capture = include_bytes!("../corpus/hellos/nmap-http-title.pcap").as_slice();
    let mut reader = PcapReader::new(capture)?;
    while let Some(packet) = reader.next_packet() {
        let data = packet?.data;
        let mut frame = Frame::default();
        frame::parse(&SlicePacket::new(&data), &mut frame);
        let payload = frame.tcp.offset + u32::from(frame.tcp.header_len);
        let payload = &data[usize::try_from(payload)?..];
        if !payload.is_empty() {
            let segment = Segment::data((port, 8443), 7, payload);
            return Ok(Packet::v4(source, [192, 0, 2, 1]).tcp(segment).build());
        }
    }
    anyhow::bail!("the capture holds no hello")
}

#[test]
fn a_spoofed_hello_is_held_against_nobody() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let policy = "[services.default]\nenforce = true\n\
                  [[lines]]\nname = 'tools'\nclasses = ['tool']\naction = 'block'\n";
    let daemon = Daemon::start_with_policy(&lab, "mode = \"enforce\"\n", policy)?;
    let _server = lab::tls_server(&lab, 8443)?;
    let frames: Result<Vec<_>> =
        (20_000..20_050).map(|port| forged_hello([198, 51, 100, 9], port)).collect();
    lab::inject(&lab, &frames?)?;
    wait_until("the forged hellos were looked at", || {
        let status = daemon.json(&["status"]).unwrap_or_default();
        status["hellos"]["unproven"].as_u64() >= Some(50)
    })?;
    let victim = "import socket,time\ns=socket.socket();s.bind(('192.0.2.2',30000))\n\
                  s.connect(('192.0.2.1',8443));s.recv(1)\n";
    let mut victim = lab.at_peer("/usr/bin/python3").args(["-c", victim]).spawn()?;
    let shown = || lab::run(Command::new("ss").args(["-Htn", "state", "established"]));
    wait_until("the victim is connected", || {
        shown().is_ok_and(|shown| shown.stdout.contains(":30000"))
    })?;
    let before = daemon.json(&["status"])?["hellos"]["unproven"].as_u64();
    let frames: Result<Vec<_>> = (0..50).map(|_| forged_hello([192, 0, 2, 2], 30_000)).collect();
    lab::inject(&lab, &frames?)?;
    wait_until("hellos in a connected client's name were looked at", || {
        let status = daemon.json(&["status"]).unwrap_or_default();
        status["hellos"]["unproven"].as_u64() >= before.map(|before| before + 50)
    })?;
    victim.kill()?;
    victim.wait()?;
    for list in ["verdict", "fingerprint"] {
        let entries = daemon.json(&[list, "list"])?;
        ensure!(entries == serde_json::json!([]), "{list}: {entries}");
    }
    ensure!(lab.pings(PEERS[2]));
    Ok(())
}
