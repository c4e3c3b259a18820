//! What clients are held for, by the hellos and SYNs of real connections.

use anyhow::{Context, Result, ensure};
use tests::captures::first_hello;
use tests::lab::raw::{self, Listener, Sent};
use tests::lab::{self, Daemon, EDGE, EDGE_V6, Lab, PEER_V6, PEERS, wait_until};
use tests::require_privileges;

const PORT: u16 = 8443;

fn class_of(daemon: &Daemon, address: &str) -> Result<serde_json::Value> {
    Ok(daemon.json(&["explain", address])?["class"].clone())
}

#[test]
fn a_library_is_known_by_its_stack_and_its_system_by_its_syn() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, "")?;
    let _server = lab::tls_server(&lab, PORT)?;
    for peer in [PEERS[0], PEERS[2], PEER_V6] {
        let host = if peer.contains(':') { format!("[{EDGE_V6}]") } else { EDGE.to_owned() };
        let mut curl = lab.at_peer("curl");
        curl.args(["-sk", "--http1.1", "--max-time", "2", "--interface", peer]);
        lab::run(curl.arg(format!("https://{host}:{PORT}/")))?.success()?;
        wait_until("a class is known", || class_of(&daemon, peer).is_ok_and(|c| !c.is_null()))?;
        let class = class_of(&daemon, peer)?;
        ensure!(class["class"] == "library" && class["system"] == "Linux", "{peer}: {class}");
        let signal = &class["signals"][0];
        ensure!(signal["weight"].as_u64() >= Some(50) && signal["evidence"].is_string(), "{class}");
    }
    let said = daemon.must(&["explain", PEERS[0]])?.stdout;
    ensure!(said.contains("class by its hellos: library, on Linux"), "{said}");
    Ok(())
}

#[test]
fn an_impersonator_is_blocked_where_operators_say_so() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let hello = first_hello(include_bytes!("../corpus/hellos/curl_cffi-firefox147.pcap"))?;
    let sent = [Sent::at(0, &hello[..1400]), Sent::at(1400, &hello[1400..])];
    let server = Listener::start(&lab, PORT, 16)?;
    let whole = i64::try_from(hello.len())?;
    for (action, own, is_blocked) in [("watch", 35_001, false), ("block", 35_002, true)] {
        let policy = format!(
            "[services.default]\nenforce = true\n\
             [[lines]]\nname = 'disguise'\nclasses = ['impersonator']\naction = '{action}'\n"
        );
        let daemon = Daemon::start_with_policy(&lab, "mode = \"enforce\"\n", &policy)?;
        let answered = raw::send(&lab, &server, own, true, &sent)?;
        ensure!(i64::from(answered.acknowledged) >= whole, "{action}: {answered:?}");
        wait_until("a class is known", || {
            class_of(&daemon, raw::RAW).is_ok_and(|class| class["class"] == "impersonator")
        })?;
        let verdicts = daemon.json(&["verdict", "list"])?;
        let verdicts = verdicts.as_array().context("no list")?;
        ensure!(verdicts.len() == usize::from(is_blocked), "{action}: {verdicts:?}");
        ensure!(
            !is_blocked || verdicts[0]["reason"].as_str().is_some_and(|r| r.contains("disguise"))
        );
        if is_blocked {
            // What is known of it holds for its next connection too.
            daemon.must(&["forgive", raw::RAW])?;
            raw::send(&lab, &server, own + 10, true, &sent)?;
            wait_until("it is blocked again", || {
                daemon.json(&["verdict", "list"]).is_ok_and(|verdicts| !verdicts[0].is_null())
            })?;
        }
        daemon.stop()?;
    }
    Ok(())
}

#[test]
fn a_second_hello_on_a_connection_is_told_and_not_judged() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, "")?;
    let server = Listener::start(&lab, PORT, 16)?;
    let first = first_hello(include_bytes!("../corpus/hellos/curl-openssl.pcap"))?;
    let second = first_hello(include_bytes!("../corpus/hellos/curl_cffi-firefox147.pcap"))?;
    let behind = i64::try_from(first.len())?;
    let (start, rest) = second.split_at(1400);
    let sent = [Sent::at(0, &first), Sent::at(behind, start), Sent::at(behind + 1400, rest)];
    raw::send(&lab, &server, 35_003, true, &sent)?;
    wait_until("both are told", || {
        let seen = daemon.json(&["fingerprint", "list"]).unwrap_or_default();
        seen.as_array().is_some_and(|seen| seen.len() == 2)
    })?;
    let class = class_of(&daemon, raw::RAW)?;
    ensure!(class["class"] == "library", "{class}");
    Ok(())
}
