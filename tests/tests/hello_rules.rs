//! Rules on hellos, on real connections: what they are about, and what reaches the server.

use anyhow::{Context, Result, ensure};
use tests::lab::raw;
use tests::lab::{self, Daemon, EDGE, Lab, PEERS, wait_until};
use tests::require_privileges;

const ENFORCE: &str = "mode = \"enforce\"\n";
const PORT: u16 = 8443;

/// A JA4 that no client of the lab has.
const STRANGER: &str = "t13d0000h2_000000000000_000000000000";

/// Fetches a page from the server under a name, or under its address.
fn curl(lab: &Lab, from: &str, name: &str, more: &[&str]) -> Result<lab::Outcome> {
    let mut curl = lab.at_peer("curl");
    curl.args(["-sk", "--http1.1", "--max-time", "2", "--interface", from]);
    curl.args(["--resolve", &format!("{name}:{PORT}:{EDGE}")]).args(more);
    lab::run(curl.arg(format!("https://{name}:{PORT}/")))
}

#[test]
fn names_of_servers_and_protocols_are_ruled_on_from_the_first_hello_on() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    let _server = lab::tls_server(&lab, PORT)?;
    let rows: [(&str, &str, &[&str], bool); 11] = [
        ("sni:api.example.test", "api.example.test", &[], true),
        ("sni:API.example.test", "api.EXAMPLE.test", &[], true),
        ("sni:example.test", "api.example.test", &[], false),
        ("sni:*.example.test", "api.example.test", &[], true),
        ("sni:*.example.test@tcp/8443", "a.b.example.test", &[], true),
        ("sni:*.example.test@tcp/443", "api.example.test", &[], false),
        ("sni:*.example.test", "example.test", &[], false),
        ("sni:*.example.test", "badexample.test", &[], false),
        ("sni:none", EDGE, &[], true),
        ("alpn:http/1.1", EDGE, &[], true),
        ("alpn:none", EDGE, &["--no-alpn"], true),
    ];
    for (pattern, name, more, is_ended) in rows {
        daemon.must(&["rule", "set", pattern, "--action", "reset"])?;
        let outcome = curl(&lab, PEERS[0], name, more)?;
        let said = format!("{pattern} for {name}");
        let outcome = if is_ended { outcome.failed() } else { outcome.success() };
        outcome.context(said.clone())?;
        let rules = daemon.json(&["rule", "ls"])?;
        ensure!(rules[0]["ended"] == u64::from(is_ended), "{said}: {rules}");
        daemon.must(&["rule", "del", pattern])?;
    }
    curl(&lab, PEERS[0], "api.example.test", &[])?.success().map(drop)
}

#[test]
fn a_ja3_is_learned_from_its_first_hello() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    let _server = lab::tls_server(&lab, PORT)?;
    curl(&lab, PEERS[0], EDGE, &[])?.success()?;
    wait_until("a hello is told", || {
        daemon.json(&["fingerprint", "list"]).is_ok_and(|seen| seen[0]["ja3"].is_string())
    })?;
    let seen = daemon.json(&["fingerprint", "list"])?;
    let pattern = format!("ja3:{}", seen[0]["ja3"].as_str().unwrap_or_default());
    let said = daemon.must(&["rule", "set", &pattern, "--action", "reset"])?.stdout;
    ensure!(said.contains("from the second such ClientHello on"), "{said}");
    ensure!(daemon.json(&["rule", "ls"])?[0]["note"].is_string());
    curl(&lab, PEERS[0], EDGE, &[])?.success()?;
    wait_until("the rule has learned", || {
        daemon.json(&["rule", "ls"]).is_ok_and(|rules| rules[0]["note"].is_null())
    })?;
    for peer in PEERS {
        curl(&lab, peer, EDGE, &[])?.failed()?;
    }
    curl(&lab, PEERS[0], EDGE, &["--no-alpn"])?.success().context("another JA3")?;
    ensure!(daemon.json(&["rule", "ls"])?[0]["ended"] == 3);
    // What it has learned and counted is known to the next daemon, and in force meanwhile.
    daemon.crash()?;
    curl(&lab, PEERS[0], EDGE, &[])?.failed()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    curl(&lab, PEERS[0], EDGE, &[])?.failed()?;
    let rules = daemon.json(&["rule", "ls"])?;
    ensure!(rules[0]["ended"] == 5 && rules[0]["note"].is_null(), "{rules}");
    daemon.must(&["rule", "del", &pattern])?;
    curl(&lab, PEERS[0], EDGE, &[])?.success().map(drop)
}

#[test]
fn hellos_are_held_to_limits_by_fingerprint_and_by_client() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    let _server = lab::tls_server(&lab, PORT)?;
    let few = ["--unit", "handshakes", "--rate", "1/h", "--burst", "2", "--action", "reset"];
    for (name, key) in [("each", "fingerprint"), ("pair", "fingerprint+client")] {
        daemon.must(&[&["limit", "set", name, "--key", key], &few[..]].concat())?;
    }
    daemon
        .palisade(&["rule", "set", "any", "--action", "limit:packets"])?
        .refused(1, "each, pair")?;
    daemon
        .palisade(&["rule", "set", "any", "--action", "limit:nobody"])?
        .refused(1, "isn't there")?;
    daemon.must(&["rule", "set", "any@tcp/8443", "--action", "limit:pair"])?;
    daemon.palisade(&["limit", "del", "pair"])?.refused(1, "the rule on any@tcp/8443")?;
    for peer in [PEERS[0], PEERS[1]] {
        for _ in 0..2 {
            curl(&lab, peer, EDGE, &[])?.success()?;
        }
        curl(&lab, peer, EDGE, &[])?.failed()?;
        curl(&lab, peer, EDGE, &["--no-alpn"])?.success().context("another fingerprint")?;
    }
    daemon.must(&["rule", "set", "any@tcp/8443", "--action", "limit:each"])?;
    for _ in 0..2 {
        curl(&lab, PEERS[2], EDGE, &[])?.success()?;
    }
    for peer in PEERS {
        curl(&lab, peer, EDGE, &[])?.failed()?;
    }
    let top = daemon.json(&["limit", "top", "--profile", "each"])?;
    let seen = daemon.json(&["fingerprint", "list"])?;
    ensure!(top[0]["key"] == seen[0]["ja4"], "{top} {seen}");
    let limits = daemon.json(&["limit", "show", "each"])?;
    ensure!(limits["refused"]["packets"] == 3, "{limits}");
    daemon.must(&["rule", "del", "any@tcp/8443"])?;
    curl(&lab, PEERS[0], EDGE, &[])?.success()?;
    daemon.must(&["limit", "del", "pair"])?;
    Ok(())
}

#[test]
fn what_is_remembered_of_fingerprints_is_shown_named_and_survives_the_daemon() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    let _server = lab::tls_server(&lab, PORT)?;
    for peer in PEERS {
        curl(&lab, peer, "api.example.test", &[])?.success()?;
    }
    curl(&lab, PEERS[0], "api.example.test", &["--no-alpn"])?.success()?;
    wait_until("four hellos are told", || {
        daemon.json(&["status"]).is_ok_and(|status| status["hellos"]["fingerprinted"] == 4)
    })?;
    let seen = daemon.json(&["fingerprint", "list"])?;
    let ja4 = seen[0]["ja4"].as_str().context("no JA4")?;
    ensure!(seen[0]["hellos"] == 3 && seen[0]["clients"] == 3, "{seen}");
    ensure!(seen[0]["wire_orders"] == 1 && seen[0]["last_sni"] == "api.example.test", "{seen}");
    daemon.must(&["fingerprint", "label", ja4, "the lab's curl"])?;
    let shown = daemon.json(&["fingerprint", "show", ja4])?;
    ensure!(shown["label"] == "the lab's curl" && shown["forms"]["ja4"] == ja4, "{shown}");
    let stable = shown["forms"]["stable"].as_str().unwrap_or_default();
    ensure!(stable.len() == 36 && stable != ja4, "curl offers session tickets: {shown}");
    let top = daemon.json(&["fingerprint", "top", "--count", "1", "--by", "clients"])?;
    ensure!(top.as_array().is_some_and(|top| top.len() == 1) && top[0]["ja4"] == ja4, "{top}");
    let csv = daemon.must(&["fingerprint", "export"])?.stdout;
    ensure!(csv.lines().count() == 3 && csv.contains("the lab's curl"), "{csv}");
    let client = daemon.json(&["explain", PEERS[0]])?["fingerprints"].clone();
    ensure!(client.as_array().is_some_and(|known| known.len() == 2), "{client}");
    daemon.palisade(&["fingerprint", "show", "nonsense"])?.refused(2, "36 characters")?;
    daemon.palisade(&["fingerprint", "show", STRANGER])?.refused(1, "isn't remembered")?;
    daemon.crash()?;
    curl(&lab, PEERS[0], "api.example.test", &[])?.success()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    let seen = daemon.json(&["fingerprint", "list"])?;
    ensure!(seen[0]["hellos"] == 4 && seen[0]["label"] == "the lab's curl", "{seen}");
    Ok(())
}

#[test]
fn a_reset_leaves_nginx_no_connection() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    let _server = lab::nginx(&lab, PORT, "edge.test")?;
    let fetched = |peer: &str| -> Result<lab::Outcome> {
        let to = if peer.contains(':') { format!("[{}]", lab::EDGE_V6) } else { EDGE.to_owned() };
        let mut curl = lab.at_peer("curl");
        curl.args(["-sk", "--http1.1", "--max-time", "2", "--interface", peer]);
        lab::run(curl.arg(format!("https://{to}:{PORT}/")))
    };
    fetched(PEERS[0])?.success()?;
    daemon.must(&["rule", "set", "any", "--action", "reset"])?;
    for mtu in [1500, 300] {
        // Hellos of one segment, and of several.
        if mtu != 1500 {
            lab.limit_mtu(mtu)?;
        }
        let peers = if mtu == 1500 { vec![PEERS[0], lab::PEER_V6] } else { vec![PEERS[0]] };
        for peer in peers {
            fetched(peer)?.failed()?;
            let held = raw::sockets("established", &format!("sport = :{PORT}"))?;
            ensure!(held == 0, "{peer}, MTU {mtu}: nginx holds {held} connections");
        }
    }
    ensure!(daemon.packets("reset", "hello-rule")? == 3);
    Ok(())
}
