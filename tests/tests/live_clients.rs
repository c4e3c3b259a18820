//! Clients as they are: programs that users run, and browsers' hellos on real connections.

use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use tests::browsers::{self, Browser};
use tests::lab::raw::{self, Listener, Sent};
use tests::lab::{self, Capture, Client, Daemon, EDGE, Lab, Said, wait_until};
use tests::{output, require_privileges};

const PORT: u16 = 443;

/// MTU, and the last number of the first client's address: a kernel remembers what it has
/// learned of an address.
const ROUNDS: [(u16, u8); 2] = [(1500, 21), (576, 41)];

/// What the filter said of a client.
struct Visit {
    client: &'static str,
    address: String,
    ja4: String,
    ja3: String,
}

#[test]
fn live_clients_have_the_fingerprints_that_tshark_says() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, "")?;
    let _server = lab::nginx(&lab, PORT, &long_name())?;
    let mut last = None;
    for (mtu, host) in ROUNDS {
        lab.limit_mtu(mtu)?;
        let capture = Capture::start(&lab, PORT)?;
        let visits = (host..).zip(Client::ALL).map(|(host, client)| {
            visit((&lab, &daemon), client, format!("192.0.2.{host}"))
                .with_context(|| format!("{} at MTU {mtu}", client.name))
        });
        let visits: Vec<Visit> = visits.collect::<Result<_>>()?;
        let Some(said) = Said::of(&capture.finish()?, EDGE)? else {
            output::result("SKIP: `cargo xtask test` brings a reader of captures");
            return Ok(());
        };
        for visit in &visits {
            compare(visit, &said, mtu)?;
        }
        last = Some(said);
    }
    let status = daemon.json(&["status"])?;
    let hellos = &status["hellos"];
    ensure!(hellos["fingerprinted"] == 10 && hellos["unfingerprintable"] == 0, "{status}");
    if let Some(said) = last.filter(|said| !said.independent) {
        output::result(&format!("SKIP: only {} was there to ask", said.by));
    }
    Ok(())
}

/// A name that makes every client's hello longer than a packet of 576 bytes.
fn long_name() -> String {
    let label = "a".repeat(60);
    format!("{label}.{label}.{label}.{label}.test")
}

/// One client, from an address of its own, and what the filter has of it then.
fn visit((lab, daemon): (&Lab, &Daemon), client: Client, address: String) -> Result<Visit> {
    lab.speak_as(&address)?;
    let said = client.ask(lab, &long_name())?;
    ensure!(said.stdout.contains("a page"), "{said:?}");
    let mut ja4 = Vec::new();
    wait_until("the filter knows the client", || {
        ja4 = fingerprints(daemon, &address).unwrap_or_default();
        !ja4.is_empty()
    })?;
    let [ja4] = <[String; 1]>::try_from(ja4).map_err(|all| anyhow::anyhow!("{all:?}"))?;
    let mut ja3 = None;
    wait_until("the filter has its JA3", || {
        let shown = daemon.json(&["fingerprint", "show", &ja4]).unwrap_or_default();
        ja3 = shown["ja3"].as_str().map(str::to_owned);
        ja3.is_some()
    })?;
    Ok(Visit { client: client.name, address, ja4, ja3: ja3.context("no JA3")? })
}

/// What the kernel remembers of an address's client.
fn fingerprints(daemon: &Daemon, address: &str) -> Result<Vec<String>> {
    let told = daemon.json(&["explain", address])?;
    let all = told["fingerprints"].as_array().context("no array")?;
    Ok(all.iter().filter_map(|one| Some(one["fingerprint"].as_str()?.to_owned())).collect())
}

fn compare(visit: &Visit, said: &Said, mtu: u16) -> Result<()> {
    let context = format!("{} at MTU {mtu}, by {}", visit.client, said.by);
    let hellos = said.by_client(&visit.address);
    let [hello] = hellos[..] else { anyhow::bail!("{context}: {hellos:?}") };
    ensure!(visit.ja4 == hello.ja4, "{context}: {} is {hello:?}", visit.ja4);
    ensure!(visit.ja3 == hello.ja3, "{context}: {} is {hello:?}", visit.ja3);
    ensure!(mtu == 1500 || hello.segments > 1, "{context}: {hello:?} in one segment");
    Ok(())
}

/// The most that a segment holds at an MTU.
fn most(mtu: u16) -> usize {
    usize::from(mtu) - 40
}

/// Segments that a client makes of its hello.
fn segments(browser: &Browser, mtu: u16) -> Vec<Sent> {
    let at = (0..).step_by(most(mtu));
    at.zip(browser.hello.chunks(most(mtu))).map(|(at, piece)| Sent::at(at, piece)).collect()
}

/// Bytes in front of the last segment.
fn before_the_last(browser: &Browser, mtu: u16) -> usize {
    (browser.hello.len() - 1) / most(mtu) * most(mtu)
}

#[test]
fn hellos_of_browsers_sent_live_have_the_fingerprints_of_their_labels() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, "")?;
    let server = Listener::nginx(&lab, PORT)?;
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    let mut own = 20_000;
    for mtu in [1500, 576] {
        lab.limit_mtu(mtu)?;
        for browser in &browsers::all()? {
            own += 1;
            raw::send(&lab, &server, own, true, &segments(browser, mtu))?;
            let context = format!("{} at MTU {mtu}", browser.name);
            let received = server.received(own).context(context.clone())?;
            ensure!(received == browser.hello.len(), "{context}: nginx has {received} bytes");
            *expected.entry(browser.ja4.clone()).or_default() += 1;
            wait_until("the filter has recorded it and nothing else", || {
                recorded(&daemon).is_ok_and(|recorded| recorded == expected)
            })
            .with_context(|| format!("{context}: {:?}, not {expected:?}", recorded(&daemon)))?;
            let shown = daemon.json(&["fingerprint", "show", &browser.ja4])?;
            ensure!(shown["ja3"] == *browser.ja3, "{context}: not {}: {shown}", browser.ja3);
        }
    }
    let status = daemon.json(&["status"])?;
    ensure!(status["hellos"]["unfingerprintable"] == 0, "{status}");
    Ok(())
}

/// Each JA4 that the filter remembers, and how many hellos had it.
fn recorded(daemon: &Daemon) -> Result<BTreeMap<String, u64>> {
    let list = daemon.json(&["fingerprint", "list"])?;
    let rows = list.as_array().context("no array")?.iter();
    Ok(rows
        .filter_map(|row| Some((row["ja4"].as_str()?.into(), row["hellos"].as_u64()?)))
        .collect())
}

#[test]
fn nginx_gets_nothing_of_a_live_hellos_last_segment_when_a_rule_is_about_its_ja4() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, "mode = \"enforce\"\n")?;
    let server = Listener::nginx(&lab, PORT)?;
    let mut own = 30_000;
    for mtu in [1500, 576] {
        lab.limit_mtu(mtu)?;
        for browser in &browsers::all()? {
            own += 1;
            let pattern = format!("ja4:{}", browser.ja4);
            daemon.must(&["rule", "set", &pattern])?;
            let answered = raw::send(&lab, &server, own, true, &segments(browser, mtu))?;
            let context = format!("{} at MTU {mtu}", browser.name);
            let received = server.received(own).context(context.clone())?;
            let before = before_the_last(browser, mtu);
            ensure!(received == before, "{context}: nginx has {received} bytes, not {before}");
            ensure!(usize::try_from(answered.acknowledged)? == before, "{context}: {answered:?}");
            let rules = daemon.json(&["rule", "ls"])?;
            ensure!(rules[0]["ended"] == 1, "{context}: {rules}");
            daemon.must(&["rule", "del", &pattern])?;
        }
    }
    Ok(())
}
