//! QUIC on the wire: real clients' datagrams, what is none of theirs, and floods.

use anyhow::{Context, Result, ensure};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use tests::captures::{self, Capture, frame, frames};
use tests::lab::{self, Daemon, EDGE, Events, Lab, PEERS, inject, wait_until};
use tests::require_privileges;

const ON: &str = "mode = \"enforce\"\n[quic]\nports = [443, 4433]\n";

/// A source of its own for a capture.
fn source(capture: &Capture, number: usize) -> Result<IpAddr> {
    let last = u8::try_from(20 + number)?;
    Ok(if capture.is_v6 {
        Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, last.into()).into()
    } else {
        Ipv4Addr::new(203, 0, 113, last).into()
    })
}

fn count(daemon: &Daemon, name: &str) -> Result<u64> {
    daemon.json(&["status"])?["quic"][name].as_u64().context(name.to_owned())
}

#[test]
fn real_clients_are_told_with_their_fingerprints() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ON)?;
    let events = Events::of(&lab, &daemon)?;
    let mut hellos = 0;
    for (number, capture) in captures::all()?.iter().enumerate() {
        let source = source(capture, number)?;
        inject(&lab, &frames(source, (capture.port, 443), &capture.client)?)?;
        let seen = || events.told("hello", &source.to_string());
        wait_until(&capture.name, || seen().len() >= capture.ja4.len())?;
        let told: Vec<String> =
            seen().iter().filter_map(|text| Some(text.split(' ').next()?.to_owned())).collect();
        ensure!(told == capture.ja4, "{}: {told:?}, not {:?}", capture.name, capture.ja4);
        ensure!(seen().iter().all(|text| text.contains("not proven")), "{:?}", seen());
        hellos += u64::try_from(told.len())?;
    }
    let status = daemon.json(&["status"])?;
    let quic = &status["quic"];
    ensure!(quic["fingerprinted"] == hellos && hellos == 10, "{quic}");
    ensure!(quic["unfingerprintable"] == 0 && quic["lost"] == 0, "{quic}");
    ensure!(quic["over_budget"] == 0 && quic["bad_checksum"] == 0, "{quic}");
    ensure!(status["fingerprints"] == 0 && status["verdicts"] == 0, "nothing rests on them");
    let text = daemon.must(&["status"])?.stdout;
    ensure!(text.contains("QUIC on udp/443 udp/4433:"), "{text}");
    Ok(())
}

#[test]
fn without_ports_nothing_is_looked_at() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, "mode = \"enforce\"\n")?;
    let real = captures::one("aioquic.pcap")?;
    let before = daemon.packets("pass", "no-rule")?;
    let sent = frames(PEERS[0].parse()?, (real.port, 443), &real.client)?;
    inject(&lab, &sent)?;
    let all = before + u64::try_from(sent.len())?;
    wait_until("they are counted", || daemon.packets("pass", "no-rule").is_ok_and(|n| n >= all))?;
    ensure!(count(&daemon, "copied")? == 0 && count(&daemon, "fingerprinted")? == 0);
    Ok(())
}

/// A long header of a version and kind, with the names of a client's packet.
fn headed(first: u8, version: u32, real: &[u8], rest: &[u8]) -> Vec<u8> {
    let names_len = 2 + usize::from(real[5]) + usize::from(real[6 + usize::from(real[5])]);
    let mut payload = vec![first];
    payload.extend(version.to_be_bytes());
    payload.extend(&real[5..5 + names_len]);
    payload.extend(rest);
    payload
}

/// Datagrams that no hello is in, around a client's first one.
fn strange(real: &Capture, rng: &mut StdRng) -> Vec<(&'static str, Vec<u8>)> {
    let hello = real.client[0].as_slice();
    let mut noise = vec![0; 1200];
    rng.fill(noise.as_mut_slice());
    let mut short = noise.clone();
    short[0] = 0x40 | short[0] & 0x3f;
    // No token, and a length that takes the rest.
    let body = [&[0, 0x44, 0x80][..], &noise[..0x480]].concat();
    vec![
        ("version negotiation", headed(0xc0, 0, hello, &[0, 0, 0, 1, 0x6b, 0x33, 0x43, 0xcf])),
        ("version negotiation, padded", headed(0xc0, 0, hello, &noise)),
        ("an unknown version", headed(0xc0, 0x1a2a_3a4a, hello, &body)),
        ("a Retry", headed(0xf0, 1, hello, &noise[..40])),
        ("a Retry, padded", headed(0xf0, 1, hello, &noise)),
        ("a Retry of version 2", headed(0xc0, 0x6b33_43cf, hello, &noise)),
        ("a short header", short),
        ("noise", noise.clone()),
        ("an Initial of noise with the client's names", headed(0xc3, 1, hello, &body)),
        ("an Initial without an end", headed(0xc3, 1, hello, &[0, 0x7f, 0xff, 1])),
        ("0-RTT of noise", headed(0xd3, 1, hello, &body)),
        ("a handshake packet of noise", headed(0xe3, 1, hello, &body)),
    ]
}

#[test]
fn what_is_no_clients_initial_changes_nothing() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ON)?;
    let events = Events::of(&lab, &daemon)?;
    let mut rng = StdRng::seed_from_u64(11);
    // One of two datagrams, and one of one.
    for (name, address) in [("chromium.pcap", "203.0.113.9"), ("aioquic.pcap", "203.0.113.10")] {
        let real = captures::one(name)?;
        let (source, ports) = (address.parse()?, (real.port, 443));
        let around: Vec<Vec<u8>> =
            strange(&real, &mut rng).into_iter().map(|(_, payload)| payload).collect();
        let mut sent = frames(source, ports, &around)?;
        sent.extend(frames(source, ports, &real.server)?);
        for datagram in &real.client {
            sent.push(frame(source, ports, datagram)?);
            sent.extend(frames(source, ports, &around)?);
        }
        inject(&lab, &sent)?;
        wait_until(name, || !events.told("hello", address).is_empty())?;
        let [told] = &events.told("hello", address)[..] else {
            anyhow::bail!("{:?}", events.told("hello", address));
        };
        ensure!(told.starts_with(&real.ja4[0]), "{name}: {told}");
    }
    let quic = daemon.json(&["status"])?["quic"].clone();
    ensure!(quic["fingerprinted"] == 2 && quic["unfingerprintable"] == 0, "{quic}");
    ensure!(quic["foreign"].as_u64() > Some(0), "the noise was looked at: {quic}");
    Ok(())
}

#[test]
fn coalesced_packets_hide_no_hello() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ON)?;
    let events = Events::of(&lab, &daemon)?;
    let real = captures::one("aioquic.pcap")?;
    let hello = &real.client[0];
    let behind = [
        ("203.0.113.1", headed(0xe3, 1, hello, &[20, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7])),
        ("203.0.113.2", headed(0xd3, 1, hello, &[&[60][..], &[7; 60]].concat())),
        ("203.0.113.3", headed(0xc3, 1, hello, &[&[0, 60][..], &[7; 60]].concat())),
        ("203.0.113.4", headed(0xc3, 0, hello, &[0, 0, 0, 1])),
        ("203.0.113.5", vec![0x47; 100]),
        ("203.0.113.6", vec![0; 100]),
        ("203.0.113.7", hello[..200].to_vec()),
    ];
    for (address, more) in &behind {
        let both = [hello.as_slice(), more].concat();
        inject(&lab, &[frame(address.parse()?, (real.port, 443), &both)?])?;
    }
    for (address, _) in &behind {
        wait_until(address, || !events.told("hello", address).is_empty())?;
        let told = events.told("hello", address);
        ensure!(told.len() == 1 && told[0].starts_with(&real.ja4[0]), "{address}: {told:?}");
    }
    ensure!(count(&daemon, "fingerprinted")? == 7);
    Ok(())
}

const FLOOD: &str = "mode = \"enforce\"\n[quic]\nports = [443]\ndatagrams_per_sec = 400\n";

/// Initial packets of sources that nobody has, with noise in them.
fn flood(count: u16) -> Result<Vec<Vec<u8>>> {
    let real = captures::one("aioquic.pcap")?;
    let flood = (0..count).map(|number| {
        let [high, low] = number.to_be_bytes();
        frame(Ipv4Addr::new(10, 9, high, low).into(), (5000, 443), &real.client[0])
    });
    flood.collect()
}

#[test]
fn a_flood_beyond_the_budget_is_counted_and_leaves_tls_alone() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, FLOOD)?;
    let _server = lab::tls_server(&lab, 8443)?;
    let sent = flood(3000)?;
    let before = daemon.json(&["status"])?["hellos"].clone();
    let handshakes = std::thread::scope(|scope| {
        let flooding = scope.spawn(|| inject(&lab, &sent));
        let mut done = 0;
        for _ in 0..HANDSHAKES {
            let mut curl = lab.at_peer("curl");
            curl.args(["-sk", "-m", "5", "-o", "/dev/null", &format!("https://{EDGE}:8443/")]);
            done += u64::from(curl.status().is_ok_and(|status| status.success()));
        }
        flooding.join().map_err(|_| anyhow::anyhow!("the flood failed"))??;
        anyhow::Ok(done)
    })?;
    ensure!(handshakes == HANDSHAKES, "{handshakes} of {HANDSHAKES}");
    let total = u64::try_from(sent.len())?;
    wait_until("all are counted", || {
        let of = |name| count(&daemon, name).unwrap_or(0);
        of("copied") + of("over_budget") + of("lost") == total
    })?;
    let status = daemon.json(&["status"])?;
    let (quic, hellos) = (&status["quic"], &status["hellos"]);
    let told = |hellos: &Value| hellos["fingerprinted"].as_u64().unwrap_or(0);
    ensure!(told(hellos) == told(&before) + HANDSHAKES, "{hellos}");
    ensure!(hellos["lost"] == 0 && hellos["unfingerprintable"] == 0, "{hellos}");
    ensure!(quic["over_budget"].as_u64() > Some(1000), "{quic}");
    ensure!(quic["copied"].as_u64() >= Some(100), "{quic}");
    Ok(())
}

const HANDSHAKES: u64 = 10;

/// One address can't use up what others need.
#[test]
fn a_flood_from_one_source_leaves_others_their_fingerprints() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, FLOOD)?;
    let events = Events::of(&lab, &daemon)?;
    let real = captures::one("aioquic.pcap")?;
    let one = frame("203.0.113.66".parse()?, (5000, 443), &real.client[0])?;
    inject(&lab, &vec![one; 1000])?;
    for last in 70..80 {
        let address = format!("203.0.113.{last}");
        inject(&lab, &[frame(address.parse()?, (real.port, 443), &real.client[0])?])?;
    }
    // Each of the ten has the flood's share with a chance of one in 256.
    let seen = || (70..80).filter(|n| !events.told("hello", &format!("203.0.113.{n}")).is_empty());
    wait_until("others are seen", || seen().count() >= 8)?;
    ensure!(count(&daemon, "over_budget")? > 500, "{}", daemon.json(&["status"])?["quic"]);
    Ok(())
}
