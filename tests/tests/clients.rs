//! Clients: limits, verdicts, and hellos that lead to them.

use anyhow::{Result, ensure};
use filter_common::wire::cursor::SlicePacket;
use filter_common::wire::frame::{self, Frame};
use pcap_file::pcap::PcapReader;
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
    ensure!(daemon.json(&["explain", PEERS[0]])?["effect"] == "limited");
    daemon.must(&["verdict", "del", PEERS[0]])?;
    daemon.palisade(&["verdict", "del", PEERS[0]])?.refused(1, "no verdict")?;
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
    daemon.must(&["fingerprint", "block", &ja4, "--for", "5m", "--comment", "test"])?;
    let _ = curl(&lab, PEERS[1], 8443)?;
    wait_until("the client is blocked", || !lab.pings(PEERS[1]))?;
    let verdict = daemon.json(&["verdict", "list"])?;
    ensure!(verdict[0]["source"] == "fingerprint-rule", "{verdict}");
    ensure!(lab.pings(PEERS[0]), "a client from before the rule passes until its next hello");
    daemon.must(&["fingerprint", "unblock", &ja4])?;
    daemon.palisade(&["fingerprint", "unblock", STRANGER])?.refused(1, "no rule")?;
    daemon.palisade(&["fingerprint", "block", "nonsense"])?.refused(1, "looks like t13d")?;
    Ok(())
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
    ensure!(status["hellos"]["recorded"].as_u64() >= Some(3), "it must be split: {status}");
    ensure!(status["hellos"]["unfingerprintable"] == 0, "{status}");
    let seen = daemon.json(&["fingerprint", "list"])?;
    ensure!(seen.as_array().is_some_and(|seen| seen.len() == 1), "one JA4 for both: {seen}");
    Ok(())
}

#[test]
fn too_many_handshakes_lead_to_a_throttle() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let config = "mode = \"enforce\"\n[classify]\nhandshake_per_sec = 1\nhandshake_burst = 3\n";
    let daemon = Daemon::start(&lab, config)?;
    let _server = lab::tls_server(&lab, 8443)?;
    for _ in 0..8 {
        curl(&lab, PEERS[0], 8443)?;
    }
    wait_until("a verdict is made", || {
        let list = daemon.json(&["verdict", "list"]).unwrap_or_default();
        list[0]["action"] == "throttle" && list[0]["source"] == "classifier"
    })
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
    let daemon = Daemon::start(&lab, "mode = \"enforce\"\n")?;
    let frames: Result<Vec<_>> =
        (20_000..20_050).map(|port| forged_hello([198, 51, 100, 9], port)).collect();
    lab::inject(&lab, &frames?)?;
    wait_until("the forged hellos were looked at", || {
        let status = daemon.json(&["status"]).unwrap_or_default();
        status["hellos"]["unproven"].as_u64() >= Some(50)
    })?;
    for list in ["verdict", "fingerprint"] {
        let entries = daemon.json(&[list, "list"])?;
        ensure!(entries == serde_json::json!([]), "{list}: {entries}");
    }
    ensure!(lab.pings(PEERS[2]));
    Ok(())
}
