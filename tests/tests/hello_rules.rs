//! Rules on hellos, on real connections: what they are about, and what reaches the server.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::process::{Command, Stdio};
use tests::captures::first_hello;
use tests::lab::raw::{self, Listener, Sent};
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

/// A real hello of two segments and its JA4.
fn browser() -> Result<(Vec<u8>, &'static str)> {
    let capture = include_bytes!("../corpus/hellos/curl_cffi-chrome136.pcap");
    Ok((first_hello(capture)?, BROWSER))
}

const BROWSER: &str = "t13d1516h2_8daaf6152771_d8a2da3f94cd";

/// Where the hello is cut.
const CUT: usize = 1400;

#[test]
fn nothing_reaches_a_server_of_a_hello_that_a_rule_is_about() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    let server = Listener::start(&lab, PORT, 16)?;
    let (hello, ja4) = browser()?;
    let (first, rest) = (Sent::at(0, &hello[..CUT]), Sent::at(1400, &hello[CUT..]));
    let pieces: Vec<_> =
        (0..).zip(hello.chunks(300)).map(|(turn, piece)| Sent::at(300 * turn, piece)).collect();
    let more = Sent::at(i64::try_from(hello.len())?, b"GET / HTTP/1.1\r\n");
    let rows: [(&str, u16, &[Sent]); 9] = [
        ("in order", 1, &[first.clone(), rest.clone(), more.clone()]),
        ("swapped", 2, &[rest.clone(), first.clone(), more.clone()]),
        ("with a pause", 3, &[first.clone().then_wait(0.2), rest.clone(), more.clone()]),
        ("with an old acknowledgement", 4, &[first.clone(), rest.clone().acknowledging(-900)]),
        (
            "sent again",
            5,
            &[first.clone(), rest.clone().then_wait(0.1), rest.clone(), more.clone()],
        ),
        (
            "behind a byte that begins a hello",
            6,
            &[first.clone().then_wait(0.1), Sent::at(4000, &[0x16]), rest.clone()],
        ),
        (
            "behind a spoiled start",
            7,
            &[first.clone().then_wait(0.1), Sent::at(0, b"GET / HTTP/1.1").spoiled(), rest.clone()],
        ),
        (
            "behind its own SYN",
            8,
            &[first.clone().then_wait(0.1), Sent::at(20_000, b"").flags(0x02), rest.clone()],
        ),
        ("in small pieces", 9, &pieces),
    ];
    // Without the rule all of it arrives: the stack takes what is sent here. (Newer ones don't
    // take old acknowledgements of a young connection.)
    for (way, own, sent) in rows.iter().filter(|(way, ..)| *way != "with an old acknowledgement") {
        let answered = raw::send(&lab, &server, 20_000 + own, true, sent)?;
        let seen = usize::try_from(answered.acknowledged)?;
        ensure!(seen >= hello.len(), "{way}, without a rule: the server has {seen} bytes");
    }
    daemon.must(&["rule", "set", &format!("ja4:{ja4}")])?;
    for (way, own, sent) in rows {
        for bare in [true, false] {
            let own = 30_000 + 2 * own + u16::from(bare);
            let answered = raw::send(&lab, &server, own, bare, sent)?;
            let seen = usize::try_from(answered.acknowledged)?;
            ensure!(seen < hello.len(), "{way}, bare: {bare}: the server has {seen} bytes");
        }
    }
    let rules = daemon.json(&["rule", "ls"])?;
    ensure!(rules[0]["ended"] == 18, "{rules}");
    Ok(())
}

#[test]
fn strange_segments_are_causes_that_a_rule_can_be_about() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    let server = Listener::start(&lab, PORT, 16)?;
    let (hello, _) = browser()?;
    let mut other = hello.clone();
    other[CUT + 20] ^= 0xff;
    let (first, rest) = (Sent::at(0, &hello[..CUT]), Sent::at(1400, &hello[CUT..]));
    let conflict = [rest.clone(), Sent::at(1400, &other[CUT..]), first.clone()];
    let urgent = [first.clone(), rest.clone().flags(0x38)];
    // The stack takes one byte of the stream out that the last segment alone doesn't call urgent.
    let hidden = [Sent::at(0, b"").flags(0x30), Sent::at(0, b"?"), Sent::at(1, &hello[..CUT])];
    let framed = [Sent::at(0, &[&[0x16, 3, 1, 0, 0], &hello[..CUT]].concat())];
    let rows = [
        ("conflict", 1, &conflict[..]),
        ("urgent", 2, &urgent[..]),
        ("urgent", 3, &hidden[..]),
        ("malformed", 4, &framed[..]),
    ];
    for (cause, own, sent) in rows {
        let pattern = format!("cause:{cause}");
        daemon.must(&["rule", "set", &pattern])?;
        let answered = raw::send(&lab, &server, 31_000 + own, true, sent)?;
        ensure!(answered.acknowledged <= 1400, "{cause}: {answered:?}");
        let rules = daemon.json(&["rule", "ls"])?;
        ensure!(rules[0]["ended"] == 1, "{cause}: {rules}");
        daemon.must(&["rule", "del", &pattern])?;
    }
    let causes = daemon.json(&["status"])?["causes"].clone();
    let names: Vec<_> =
        causes.as_array().context("none")?.iter().map(|c| c["cause"].clone()).collect();
    ensure!(names == ["conflict", "malformed", "urgent"], "{causes}");
    Ok(())
}

#[test]
fn the_same_numbers_on_the_same_ports_are_another_hello() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    let server = Listener::start(&lab, PORT, 16)?;
    let (hello, _) = browser()?;
    let end = i64::try_from(hello.len())?;
    let reset = Sent::at(end, b"").flags(0x04);
    let sent = [Sent::at(0, &hello[..CUT]), Sent::at(1400, &hello[CUT..]).then_wait(0.2), reset];
    for turn in 1..=3 {
        raw::send(&lab, &server, 33_000, true, &sent)?;
        let status = daemon.json(&["status"])?;
        ensure!(status["hellos"]["fingerprinted"] == turn, "turn {turn}: {status}");
    }
    Ok(())
}

#[test]
fn a_hello_that_brings_a_syn_cookie_back_is_evidence() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    let server = Listener::start(&lab, PORT, 16)?;
    fs::write("/proc/sys/net/ipv4/tcp_syncookies", "2")?;
    let (hello, ja4) = browser()?;
    let sent = [Sent::at(0, &hello[..CUT]), Sent::at(1400, &hello[CUT..])];
    let through = raw::send(&lab, &server, 32_000, false, &sent)?;
    daemon.must(&["rule", "set", &format!("ja4:{ja4}")])?;
    let ended = raw::send(&lab, &server, 32_001, false, &sent)?;
    fs::write("/proc/sys/net/ipv4/tcp_syncookies", "1")?;
    ensure!(usize::try_from(through.acknowledged)? == hello.len(), "{through:?}");
    ensure!(usize::try_from(ended.acknowledged)? <= CUT, "{ended:?}");
    let status = daemon.json(&["status"])?;
    ensure!(
        status["hellos"]["fingerprinted"] == 2 && status["hellos"]["unproven"] == 0,
        "{status}"
    );
    Ok(())
}

#[test]
fn a_reset_leaves_nginx_no_connection() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    let _server = nginx(&lab)?;
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

/// An nginx on the edge.
fn nginx(lab: &Lab) -> Result<lab::Service> {
    let dir = lab.dir.path();
    let (key, certificate) = (dir.join("key.pem"), dir.join("cert.pem"));
    let mut make = Command::new("openssl");
    make.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]);
    make.args(["-days", "2", "-subj", "/CN=edge.test", "-keyout"]).arg(&key);
    lab::run(make.arg("-out").arg(&certificate))?.success()?;
    let config = format!(
        "daemon off; master_process off; user root; pid {dir}/pid; error_log {dir}/error.log;\nevents {{}}\n\
         http {{ access_log off; client_body_temp_path {dir}/b; proxy_temp_path {dir}/p;\n\
         fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;\n\
         server {{ listen {PORT} ssl; listen [::]:{PORT} ssl; ssl_certificate {};\n\
         ssl_certificate_key {}; return 200 'a page'; }} }}\n",
        certificate.display(),
        key.display(),
        dir = dir.display(),
    );
    let file = dir.join("nginx.conf");
    fs::write(&file, config)?;
    let mut nginx = Command::new("nginx");
    nginx.arg("-c").arg(&file).arg("-p").arg(dir).stderr(Stdio::null());
    let server = lab::Service::start(&mut nginx)?;
    let listening = format!("sport = :{PORT}");
    wait_until("nginx listens", || raw::sockets("listening", &listening).is_ok_and(|n| n > 0))?;
    Ok(server)
}
