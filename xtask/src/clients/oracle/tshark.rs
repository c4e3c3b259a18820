//! Wireshark's fingerprints, by tshark 4.2 or later.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::grease::{third_part_without, with_third_part};
use super::{Hello, Oracle};
use crate::clients::kind::version_in;
use crate::exec;
use crate::setup::Apt;

/// The host's tshark, or Debian's below `folder`, which is fetched if it isn't there.
///
/// # Errors
///
/// If none knows JA4, and none that does can be fetched.
pub(super) fn find_or_fetch(folder: &Path) -> Result<Oracle> {
    let unpacked = folder.join("tshark");
    if let Some(own) = exec::find("tshark")
        && let Ok(oracle) = examine(vec![own])
    {
        return Ok(oracle);
    }
    if let Ok(oracle) = examine(command_in(&unpacked)) {
        return Ok(oracle);
    }
    ensure!(cfg!(target_arch = "x86_64"), "the one that could be fetched is for x86-64");
    let apt = Apt::beside_the_hosts(&folder.join("apt"), &["trixie"])?;
    apt.unpack(&["tshark"], &unpacked)?;
    examine(command_in(&unpacked))
}

/// A tshark with all its libraries, run where it was unpacked.
fn command_in(unpacked: &Path) -> Vec<PathBuf> {
    vec![
        unpacked.join("usr/lib64/ld-linux-x86-64.so.2"),
        "--library-path".into(),
        unpacked.join("usr/lib/x86_64-linux-gnu"),
        unpacked.join("usr/bin/tshark"),
    ]
}

/// Takes it if it knows JA4.
fn examine(command: Vec<PathBuf>) -> Result<Oracle> {
    let fields = exec::stdout_of(run(&command)?.args(["-G", "fields"]))?;
    ensure!(fields.contains("\ttls.handshake.ja4\t"), "this tshark has no tls.handshake.ja4");
    let said = exec::stdout_of(run(&command)?.arg("--version"))?;
    let version = version_in(&said).unwrap_or("?").trim_end_matches('.').to_owned();
    Ok(Oracle::Tshark { command, version })
}

fn run(command: &[PathBuf]) -> Result<Command> {
    let (program, arguments) = command.split_first().context("no program")?;
    let mut run = exec::command(program);
    run.args(arguments);
    Ok(run)
}

/// Every first hello of a connection to the server.
pub(super) fn hellos(command: &[PathBuf], capture: &Path, server: &str) -> Result<Vec<Hello>> {
    let mut tshark = run(command)?;
    let filter = format!("tls.handshake.type == 1 && ip.dst == {server}");
    tshark.arg("-r").arg(capture).args(["-Y", &filter, "-T", "fields", "-E", "occurrence=f"]);
    tshark.args(FIELDS.iter().flat_map(|field| ["-e", field]));
    let found = read(&exec::stdout_of(&mut tshark)?)?;
    found.into_iter().map(Found::put_right).collect()
}

/// A hello with its raw JA4.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    hello: Hello,
    raw: String,
}

impl Found {
    fn put_right(self) -> Result<Hello> {
        let Some(third) = third_part_without(&self.raw) else {
            return Ok(self.hello);
        };
        let ja4 = with_third_part(&self.hello.ja4, &sha256_start(&third)?);
        Ok(Hello { ja4, grease_removed: true, ..self.hello })
    }
}

/// Reads [`FIELDS`], line by line. A second hello of a connection answers a
/// HelloRetryRequest, and isn't the client's fingerprint.
fn read(lines: &str) -> Result<Vec<Found>> {
    let mut streams = BTreeSet::new();
    let mut found = Vec::new();
    for line in lines.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [client, stream, ja4, raw, ja3, segments] = fields[..] else {
            anyhow::bail!("tshark said {line:?}");
        };
        if streams.insert(stream.to_owned()) {
            // No count is one that needn't be put together.
            let segments = if segments.is_empty() { 1 } else { segments.parse()? };
            let [client, ja4, ja3] = [client, ja4, ja3].map(str::to_owned);
            let hello = Hello { client, ja4, ja3, segments, grease_removed: false };
            found.push(Found { hello, raw: raw.to_owned() });
        }
    }
    Ok(found)
}

/// The first twelve digits, as JA4 has them.
fn sha256_start(text: &str) -> Result<String> {
    let mut hash = exec::command("sha256sum");
    let mut hash = hash.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    hash.stdin.take().context("sha256sum reads nothing")?.write_all(text.as_bytes())?;
    let output = hash.wait_with_output()?;
    let digits = String::from_utf8_lossy(&output.stdout).into_owned();
    digits.get(..12).map(str::to_owned).context("sha256sum printed no hash")
}

const FIELDS: [&str; 6] = [
    "ip.src",
    "tcp.stream",
    "tls.handshake.ja4",
    "tls.handshake.ja4_r",
    "tls.handshake.ja3",
    "tcp.segment.count",
];

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "203.0.113.11\t0\tt13_aa_bb\tt13_1301_000d_0403\tabc\t";

    #[test]
    fn a_hello_without_a_count_came_in_one_segment() {
        let found = read(&format!("{LINE}\n{}4\n", LINE.replace("\t0\t", "\t1\t"))).unwrap();
        let segments: Vec<u32> = found.iter().map(|found| found.hello.segments).collect();
        assert_eq!(segments, [1, 4]);
        assert_eq!(found[0].hello.client, "203.0.113.11");
        assert_eq!(
            (found[0].hello.ja4.as_str(), found[0].hello.ja3.as_str()),
            ("t13_aa_bb", "abc")
        );
    }

    #[test]
    fn the_answer_to_a_retry_request_is_no_further_hello() {
        assert_eq!(read(&format!("{LINE}\n{LINE}\n")).unwrap().len(), 1);
    }

    #[test]
    fn other_lines_are_refused() {
        assert!(read("203.0.113.11\t0\n").is_err());
    }

    #[test]
    fn grease_is_left_out_of_the_hash() {
        let raw = "t13_1301_000d_0a0a,0403".to_owned();
        let mut found = read(LINE).unwrap();
        let plain = found.remove(0);
        assert!(
            !Found { hello: plain.hello.clone(), raw: plain.raw }
                .put_right()
                .unwrap()
                .grease_removed
        );
        let right = Found { hello: plain.hello, raw }.put_right().unwrap();
        assert!(right.grease_removed);
        assert_eq!(right.ja4, format!("t13_aa_{}", sha256_start("000d_0403").unwrap()));
    }

    #[test]
    fn the_hash_is_sha256() {
        assert_eq!(sha256_start("abc").unwrap(), "ba7816bf8f01");
    }
}
