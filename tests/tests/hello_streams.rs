//! What a client may do to its stream, and what reaches the server then: connections made of raw
//! frames.

use anyhow::{Context, Result, ensure};
use std::fs;
use tests::captures::first_hello;
use tests::lab::raw::{self, Listener, Sent};
use tests::lab::{Daemon, Lab};
use tests::require_privileges;

const ENFORCE: &str = "mode = \"enforce\"\n";
const PORT: u16 = 8443;

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

/// A server that reads anything would have the filter sum as many hellos as fit into its window.
#[test]
fn of_one_connection_four_hellos_are_looked_at() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    let server = Listener::start(&lab, PORT, 16)?;
    let (hello, _) = browser()?;
    let len = i64::try_from(hello.len())?;
    let sent: Vec<_> = (0..6)
        .flat_map(|turn| {
            let cut = turn * len + 1400;
            [Sent::at(turn * len, &hello[..CUT]), Sent::at(cut, &hello[CUT..]).then_wait(0.05)]
        })
        .collect();
    for (connection, most) in [(1, 4), (2, 8)] {
        let answered = raw::send(&lab, &server, 34_000 + connection, true, &sent)?;
        ensure!(i64::from(answered.acknowledged) >= 6 * len, "{answered:?}");
        let hellos = daemon.json(&["status"])?["hellos"].clone();
        ensure!(hellos["fingerprinted"] == most, "connection {connection}: {hellos}");
    }
    Ok(())
}
