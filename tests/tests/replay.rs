//! `palisade replay`: captures and logs through the classifier, without a daemon.

use anyhow::{Context, Result, ensure};
use filter_user::classify::judgement::Class;
use filter_user::classify::knowledge::Day;
use pcap_file::pcap::{PcapPacket, PcapReader, PcapWriter};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt::Write;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use tests::eval;
use tests::lab::{self, Outcome};

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus/hellos")
}

fn replay(arguments: &[&str]) -> Result<Outcome> {
    lab::run(Command::new(lab::binary("palisade")?).args(["--json", "replay"]).args(arguments))
}

fn replayed(arguments: &[&str]) -> Result<Value> {
    replay(arguments)?.success()?.json()
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("no text")
}

/// Attempts to log in as one account after the other, a second apart, from the moment at which the
/// captures of the corpus begin.
fn attack(address: &str, port: u16) -> Result<String> {
    let mut log = String::new();
    for second in 20..32 {
        writeln!(
            log,
            "{address} - user{second} [14/Nov/2023:22:13:{second} +0000] \"POST /login HTTP/1.1\" \
             401 5 \"-\" \"curl/8\" {port} \"-\" \"shop.test\""
        )?;
    }
    Ok(log)
}

fn names<'a>(values: &'a Value, key: &str) -> Vec<&'a str> {
    let values = values.as_array().into_iter().flatten();
    values.filter_map(|value| value[key].as_str()).collect()
}

#[test]
fn the_corpus_has_the_classes_that_its_evaluation_says() -> Result<()> {
    let on_that_day = Day::of_seconds(1_700_000_000);
    let evaluation = eval::run(&corpus(), Some(on_that_day))?;
    let mut classes = HashMap::new();
    for judged in &evaluation.clients {
        let name = judged.client.name.as_str();
        let path = corpus().join(format!("{name}.pcap"));
        let report = replayed(&["--unproven", "--pcap", text(&path)?])?;
        let (said, class) = (&report["clients"][0]["class"], judged.informed.class);
        ensure!(*said == class.name(), "{name} is {said} in place of {class:?}");
        classes.insert(name, class);
    }
    for (name, class) in [
        ("curl-openssl", Class::Library),
        ("nmap-http-title", Class::Tool),
        ("hydra-https", Class::Library),
        ("chromium", Class::Browser),
        ("impit-py-chrome", Class::Impersonator),
    ] {
        ensure!(classes.get(name) == Some(&class), "{name}: {:?}", classes.get(name));
    }
    Ok(())
}

#[test]
fn a_log_alone_has_the_attack_decided_about_and_nobody_else() -> Result<()> {
    let home = TempDir::new()?;
    let path = home.path().join("access.log");
    let reader = "198.51.100.4 - - [14/Nov/2023:22:13:21 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \
                  \"Mozilla/5.0\" 5000 \"en\" \"shop.test\"\n";
    std::fs::write(&path, format!("junk\n{}{reader}", attack("203.0.113.9", 4000)?))?;
    let report = replayed(&["--log", text(&path)?])?;
    let decisions = report["decisions"].as_array().context("no decisions")?;
    let last = decisions.last().context("no decision")?;
    ensure!(["limit", "block"].contains(&last["action"].as_str().unwrap_or_default()), "{last}");
    ensure!(last["shadow"] == true && last["at_ms"] == 1_700_000_009_000_u64, "{last}");
    ensure!(names(&last["findings"], "name") == ["login-failures", "many-accounts"], "{last}");
    for decision in decisions {
        ensure!(decision["whom"]["network"] == "203.0.113.9/32", "{decision}");
    }
    let summary = &report["summary"];
    ensure!(summary["log_format"] == "combined" && summary["requests"] == 13, "{summary}");
    ensure!(summary["malformed"] == 1 && summary["lines"] == 14, "{summary}");
    let first = summary["first_malformed"].as_str().context("no line")?;
    ensure!(first.starts_with("line 1: "), "{first}");
    ensure!(replayed(&["--log", text(&path)?])? == report, "it comes out otherwise");
    Ok(())
}

/// A capture of the corpus with the server's answers, and the client's port.
fn answered(name: &str, into: &Path) -> Result<u16> {
    let mut reader = PcapReader::new(File::open(corpus().join(name))?)?;
    let mut writer = PcapWriter::with_header(File::create(into)?, reader.header())?;
    let mut port = 0;
    while let Some(packet) = reader.next_packet() {
        let packet = packet?;
        let frame = packet.data.as_ref();
        if port == 0 {
            port = u16::from_be_bytes(frame[34..36].try_into()?);
        }
        if frame[47] & 2 == 0 {
            let answer = answer(frame)?;
            let len = u32::try_from(answer.len())?;
            let before = packet.timestamp.saturating_sub(Duration::from_micros(9));
            writer.write_packet(&PcapPacket::new_owned(before, len, answer))?;
        }
        writer.write_packet(&packet)?;
    }
    Ok(port)
}

/// The SYN-ACK that a client's first segment with data acknowledges.
fn answer(frame: &[u8]) -> Result<Vec<u8>> {
    let number =
        |at: usize| Ok::<_, anyhow::Error>(u32::from_be_bytes(frame[at..at + 4].try_into()?));
    let (first, acknowledged) = (number(38)?, number(42)?);
    let mut answer = frame[..26].to_vec();
    answer[16..18].copy_from_slice(&40_u16.to_be_bytes());
    answer.extend([&frame[30..34], &frame[26..30], &frame[36..38], &frame[34..36]].concat());
    answer.extend(acknowledged.wrapping_sub(1).to_be_bytes());
    answer.extend(first.to_be_bytes());
    answer.extend([0x50, 0x12, 1, 0, 0, 0, 0, 0]);
    Ok(answer)
}

#[test]
fn a_request_is_joined_with_its_hello_if_its_sender_is_proven() -> Result<()> {
    let home = TempDir::new()?;
    let (log, pcap) = (home.path().join("access.log"), home.path().join("answered.pcap"));
    let port = answered("curl-openssl.pcap", &pcap)?;
    std::fs::write(&log, attack("127.0.0.1", port)?)?;
    let report = replayed(&["--pcap", text(&pcap)?, "--log", text(&log)?])?;
    let (summary, last) = (&report["summary"], &report["decisions"][1]);
    ensure!(summary["joined"] == 12 && summary["unproven"] == 0, "{summary}");
    ensure!(last["ja4"] == "t13d3112h2_e8f1e7e78f70_b26ce05bbdd6", "{last}");
    ensure!(last["class"] == "library" && last["action"] != "watch", "{last}");
    let one_way = corpus().join("curl-openssl.pcap");
    let report = replayed(&["--pcap", text(&one_way)?, "--log", text(&log)?])?;
    let summary = &report["summary"];
    ensure!(summary["joined"] == 0 && summary["unproven"] == 3, "{summary}");
    ensure!(report["decisions"][1]["ja4"].is_null() && report["clients"] == Value::Array(vec![]));
    Ok(())
}

#[test]
fn captures_are_read_as_one_in_the_order_of_their_times() -> Result<()> {
    let [curl, nmap] =
        ["curl-openssl.pcap", "nmap-http-title.pcap"].map(|name| corpus().join(name));
    let report = replayed(&["--unproven", "--pcap", text(&curl)?, text(&nmap)?])?;
    let summary = &report["summary"];
    ensure!(summary["packets"] == 8 && summary["hellos"] == 4, "{summary}");
    ensure!(summary["classes"]["tool"] == 1, "{summary}");
    Ok(())
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_said() -> Result<()> {
    let home = TempDir::new()?;
    let broken = home.path().join("broken.pcap");
    let curl = corpus().join("curl-openssl.pcap");
    let bytes = std::fs::read(&curl)?;
    std::fs::write(&broken, &bytes[..bytes.len() - 1])?;
    let cut =
        replay(&["--unproven", "--pcap", text(&broken)?])?.refused(1, "broken.pcap: packet 6")?;
    ensure!(cut.json()?["summary"]["hellos"] == 2, "{cut:?}");
    let gone = home.path().join("gone");
    replay(&["--pcap", text(&gone)?])?.refused(1, "gone")?;
    replay(&["--log", text(&gone)?])?.refused(1, "gone: line 1: can't be read")?;
    replay(&["--log", text(&curl)?])?.refused(1, "known format")?;
    replay(&["--pcap", text(&curl)?, "--policy", text(&gone)?])?.refused(1, "gone")?;
    replay(&[])?.refused(2, "--pcap")?;
    Ok(())
}
