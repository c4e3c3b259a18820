//! What the daemon takes in on one core beside an attack, and how soon it decides.
//!
//! Handshakes come in by live frames, lines by a log, for a minute. Meanwhile one attacker after
//! the other tries accounts: from his last line to the verdict in the kernel's map is what counts.

use super::measure::tenths;
use super::{Demand, Measure, Measured};
use crate::captures::first_hello;
use crate::flood::{Flood, Site, Wave};
use crate::lab::{Daemon, wait_until};
use crate::output;
use crate::packet::{Packet, Segment};
use anyhow::{Context, Result, ensure};
use aya::maps::{HashMap, Map, MapData};
use filter_common::abi::client::VERDICT_CAPACITY;
use filter_user::clock::Now;
use nix::unistd::gettid;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Handshakes and lines a second that there have to be.
const PER_SEC: u64 = 20_000;

/// How long both come.
const MS: u64 = 60_000;

/// What all clients say, in one segment: a browser of the time before hellos took two.
const HELLO: &[u8] = include_bytes!("../../corpus/hellos/curl_cffi-chrome110.pcap");

/// Clients: the first address, and how many there are.
const FIRST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 0);
const ADDRESSES: u32 = 1 << 16;

/// To whom they say it. The lab's edge doesn't forward, so what has passed the filter ends there:
/// with the edge's own address, its stack would write a reset for each frame.
const ELSEWHERE: [u8; 4] = [203, 0, 113, 1];

/// An attacker comes every so many milliseconds, once hellos are known of all addresses; his last
/// line comes so much later than the others.
const ATTACK_EVERY_MS: u64 = 100;
const FIRST_ATTACK_MS: u64 = 15_000;
const LAST_LINE_MS: u64 = 50;

/// Lines of an attacker before his last one: then the built-in policy blocks.
const LINES_BEFORE: u64 = 9;

/// From the last evidence to the verdict, at the 99th percentile.
const DEMAND_MS: f64 = 50.0;

/// Measures once: what it shows are hundreds of decisions, and millions of events.
///
/// # Errors
///
/// The lab's, the daemon's or the kernel's.
pub(super) fn measure(_rounds: usize) -> Result<Measured> {
    let site = Site::set_up()?;
    // In real traffic a CPU takes many packets at once; here each would interrupt the daemon.
    site.keep_packets()?;
    let log = site.lab.dir.path().join("load.log");
    File::create(&log)?;
    let daemon = site.at_server(|lab| Daemon::start(lab, &config(&log.display().to_string())))?;
    wait_until("the log is read", || {
        daemon.json(&["status"]).is_ok_and(|status| status["logs"][0]["state"] == "reading")
    })?;
    let (spent, stolen) = (cpu_ms(daemon.pid())?, stolen_ms()?);
    let flood = Flood::start(&site, &wave()?)?;
    urgent()?;
    let mut play = Play::new(&daemon, File::options().append(true).open(&log)?)?;
    play.run()?;
    flood.stop()?;
    let spent = cpu_ms(daemon.pid())? - spent;
    let stolen = stolen_ms()? - stolen;
    thread::sleep(Duration::from_secs(2));
    let status = daemon.json(&["status"])?;
    figures(&play, &status, spent, stolen)
}

/// No local socket knows the connections of live frames.
fn config(log: &str) -> String {
    format!(
        "[classify]\nrequire_socket = false\n[[logs]]\nname = \"load\"\npath = \"{log}\"\n\
         format = \"nginx-json\"\n[limits.connections]\nper_sec = 1000000\nburst = 1000000\n"
    )
}

fn wave() -> Result<Wave> {
    let hello = first_hello(HELLO)?;
    let segment = Segment::data((40_000, 443), 7, &hello);
    let frame = Packet::v4(FIRST.octets(), ELSEWHERE).tcp(segment).build();
    // More, as pauses of the sender are made up for only in part.
    let per_sec = u32::try_from(PER_SEC * 11 / 10)?;
    Ok(Wave { frame, sources: Some((FIRST, ADDRESSES)), per_sec: Some(per_sec) })
}

/// Has this thread go before those that flood.
fn urgent() -> Result<()> {
    let status = Command::new("chrt").args(["-f", "-p", "10", &gettid().to_string()]).status()?;
    ensure!(status.success(), "chrt refuses");
    Ok(())
}

/// An attacker whose verdict isn't there yet.
struct Pending {
    key: [u64; 3],
    sent_ns: u64,
}

struct Play {
    verdicts: HashMap<MapData, [u64; 3], [u64; 2]>,
    log: File,
    lines: u64,
    attacks: u64,
    /// Attackers that still have to send their last line, and when.
    poised: Vec<(u64, Ipv4Addr)>,
    pending: Vec<Pending>,
    latencies_ms: Vec<f64>,
}

impl Play {
    fn new(daemon: &Daemon, log: File) -> Result<Self> {
        let map = MapData::from_pin(daemon.pins().join("VERDICTS"))?;
        let verdicts = HashMap::try_from(Map::HashMap(map))?;
        let (poised, pending, latencies_ms) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { verdicts, log, lines: 0, attacks: 0, poised, pending, latencies_ms })
    }

    /// Writes as many lines as are due, a thousand times a second.
    fn run(&mut self) -> Result<()> {
        let start = Now::read();
        let mut second = 0;
        loop {
            let now = Now::read();
            let at_ms = (now.ktime_ns - start.ktime_ns) / 1_000_000;
            if at_ms >= MS {
                break;
            }
            if at_ms / 10_000 > second {
                second = at_ms / 10_000;
                output::progress(&format!("{} of {} s", second * 10, MS / 1000));
            }
            let mut text = String::new();
            self.attack(&mut text, at_ms, now)?;
            while self.lines < PER_SEC * at_ms / 1000 {
                self.line(&mut text, reader(self.lines), None, now)?;
            }
            self.log.write_all(text.as_bytes())?;
            self.look(now)?;
            thread::sleep(Duration::from_micros(500));
        }
        let end = Now::read().ktime_ns + 1_000_000_000;
        while !self.pending.is_empty() && Now::read().ktime_ns < end {
            self.look(Now::read())?;
        }
        Ok(())
    }

    fn attack(&mut self, text: &mut String, at_ms: u64, now: Now) -> Result<()> {
        let due = at_ms.saturating_sub(FIRST_ATTACK_MS) / ATTACK_EVERY_MS;
        if self.attacks < due && at_ms + 1000 < MS {
            let address = attacker(self.attacks)?;
            self.attacks += 1;
            for account in 0..LINES_BEFORE {
                self.line(text, address, Some(account), now)?;
            }
            self.poised.push((at_ms + LAST_LINE_MS, address));
        }
        while let Some((_, address)) = self.poised.first().copied().filter(|(due, _)| *due <= at_ms)
        {
            self.poised.remove(0);
            self.line(text, address, Some(LINES_BEFORE), now)?;
            let low = u64::from(address.to_bits()) | 0xffff << 32;
            self.pending.push(Pending { key: [0, low, 128], sent_ns: now.ktime_ns });
        }
        Ok(())
    }

    /// A page that is read or, with an account, an attempt to log in.
    fn line(
        &mut self,
        text: &mut String,
        address: Ipv4Addr,
        account: Option<u64>,
        now: Now,
    ) -> Result<()> {
        let (seconds, ms) = (now.unix_ms / 1000, now.unix_ms % 1000);
        let (method, path, status, user) = match account {
            Some(account) => ("POST", "/login".to_owned(), 401, format!("user{}", account * 7)),
            None => ("GET", format!("/page{}", self.lines % 97), 200, String::new()),
        };
        self.lines += 1;
        Ok(writeln!(
            text,
            "{{\"msec\":\"{seconds}.{ms:03}\",\"remote_addr\":\"{address}\",\
             \"remote_user\":\"{user}\",\"request_method\":\"{method}\",\"request_uri\":\"{path}\",\
             \"status\":\"{status}\",\"body_bytes_sent\":\"1234\",\
             \"http_user_agent\":\"client/1.0\",\"host\":\"edge.test\"}}"
        )?)
    }

    /// Looks whose verdict is there.
    fn look(&mut self, now: Now) -> Result<()> {
        let mut waiting = Vec::new();
        for pending in self.pending.drain(..) {
            let block = u64::from(filter_common::abi::client::ClientVerdict::BLOCK);
            match self.verdicts.get(&pending.key, 0) {
                Ok([_, what]) if what & 0xff == block => {
                    let us = u32::try_from((now.ktime_ns - pending.sent_ns) / 1000)?;
                    self.latencies_ms.push(f64::from(us) / 1000.0);
                }
                _ => waiting.push(pending),
            }
        }
        self.pending = waiting;
        Ok(())
    }
}

/// Who reads pages: any of the first half of the addresses.
fn reader(line: u64) -> Ipv4Addr {
    let mixed = u32::try_from(line.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40).unwrap_or(0);
    Ipv4Addr::from_bits(FIRST.to_bits() + mixed % (ADDRESSES / 2))
}

/// Each attacker has an address of the second half, in a network of its own.
fn attacker(number: u64) -> Result<Ipv4Addr> {
    let number = u32::try_from(number)?;
    let (net, host) = (number % 128, number / 128 + 1);
    Ok(Ipv4Addr::from_bits(FIRST.to_bits() + ADDRESSES / 2 + net * 256 + host))
}

/// Milliseconds of CPU that a process has taken.
fn cpu_ms(pid: u32) -> Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| -> Result<u64> { Ok(fields.get(at).context("stat")?.parse()?) };
    Ok((ticks(12)? + ticks(13)?) * 10)
}

/// Milliseconds in which other machines of the same host had this one's CPUs; *source*:
/// `proc_stat(5)`.
fn stolen_ms() -> Result<u64> {
    let stat = fs::read_to_string("/proc/stat")?;
    let ticks: u64 = stat.split_whitespace().nth(8).context("stat")?.parse()?;
    Ok(ticks * 10)
}

fn figures(play: &Play, status: &Value, cpu_ms: u64, stolen_ms: u64) -> Result<Measured> {
    let of = |value: &Value| value.as_u64().context("no count");
    let (told, lost) = (of(&status["hellos"]["told"])?, of(&status["hellos"]["lost"])?);
    let fingerprinted = of(&status["hellos"]["fingerprinted"])?;
    let log = &status["logs"][0];
    let (lines, malformed) = (of(&log["lines"])?, of(&log["malformed"])?);
    let (matched, unmatched) = (of(&log["matched"])?, of(&log["unmatched"])?);
    let mut sorted = play.latencies_ms.clone();
    sorted.sort_by(f64::total_cmp);
    let at = |percent: usize| {
        let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
        sorted.get(index).copied().unwrap_or(f64::INFINITY)
    };
    let count = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let seconds = count(MS) / 1000.0;
    let rows = [
        ("handshakes told by the kernel", count(told) / seconds, "/s"),
        ("handshakes that the kernel couldn't tell, counted", count(lost), ""),
        ("lines", count(lines) / seconds, "/s"),
        ("lines whose hello is known", count(matched) * 100.0 / count(lines), "%"),
        ("the daemon's share of one core", count(cpu_ms) / count(MS) * 100.0, "%"),
        ("of one core, other machines took", count(stolen_ms) / count(MS) * 100.0, "%"),
        ("last evidence to verdict, median", at(50), "ms"),
        ("last evidence to verdict, 99th percentile", at(99), "ms"),
        ("last evidence to verdict, longest", at(100), "ms"),
    ];
    let measures = rows.map(|(measure, value, unit)| Measure {
        measure: measure.into(),
        value: tenths(value),
        unit,
    });
    let total = told + lost;
    let rate = |rate: f64| format!("{rate:.0}/s");
    let demand = |demand: String, measured: String, met| Demand { demand, measured, met };
    let least = count(PER_SEC) * 0.99;
    let demands = vec![
        demand(
            format!("{PER_SEC} handshakes a second"),
            rate(count(total) / seconds),
            count(total) / seconds >= least,
        ),
        demand(
            format!("{PER_SEC} lines a second"),
            rate(count(lines) / seconds),
            lines == play.lines,
        ),
        demand(
            "no handshake lost without being counted".into(),
            format!("{fingerprinted} of {told} told, {lost} counted as lost"),
            fingerprinted == told,
        ),
        demand(
            "no line lost".into(),
            format!(
                "{lines} of {}, {malformed} malformed, {} went on",
                play.lines,
                matched + unmatched
            ),
            lines == play.lines && malformed == 0,
        ),
        demand(
            format!("a verdict at most {DEMAND_MS} ms after the last evidence, 99th percentile"),
            format!("{:.1} ms", at(99)),
            at(99) <= DEMAND_MS,
        ),
        demand(
            "a verdict about each attacker".into(),
            format!("{} of {}", sorted.len(), play.attacks),
            u64::try_from(sorted.len())? == play.attacks,
        ),
    ];
    ensure!(play.attacks < u64::from(VERDICT_CAPACITY));
    Ok(Measured { measures: measures.into(), demands, ..Measured::default() })
}
