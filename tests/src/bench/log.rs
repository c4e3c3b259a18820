//! What a line of an access log costs the daemon: read, parsed, and joined with its hello.

use super::measure::{self, Tell, cpu_ns, tenths};
use super::{Case, Demand, Measure, Measured};
use anyhow::{Context, Result, ensure};
use filter_user::access_log::join::{Hello, Join};
use filter_user::access_log::{Format, Lines};
use filter_user::clock::Now;
use filter_user::config::{Log, LogSource};
use filter_user::logs;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::num::NonZeroU16;
use tokio::runtime::Builder;

/// Connections that the lines are of, each with a hello.
const CONNECTIONS: u32 = 20_000;

/// Requests on each of them in one turn.
const REQUESTS: u32 = 5;

/// Bytes that are handed over at once, as when a file is followed.
const PIECE: usize = 64 << 10;

/// Lines a second on one core that there have to be.
const DEMAND: f64 = 20_000.0;

/// 22 November 2026, 20:50:19 UTC.
const MOMENT: u64 = 1_795_380_619_000;

const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                     Chrome/130.0.0.0 Safari/537.36";

/// Measures lines of each format in memory, nanoseconds a line, and a file that is followed.
///
/// # Errors
///
/// A line that isn't read, or finds no hello.
pub(super) fn measure(rounds: usize) -> Result<Measured> {
    let texts: Vec<_> = Format::ALL.iter().map(|format| (*format, text(*format))).collect();
    let mut round = |tell: &mut Tell<'_>| {
        texts.iter().try_for_each(|(format, text)| {
            let ns = joined_ns(*format, text)? / f64::from(CONNECTIONS * REQUESTS);
            tell(format.name().into(), Format::ALL[0].name().into(), tenths(ns));
            Ok(())
        })
    };
    let cases = measure::turns(rounds, &mut round)?;
    let (_, first) = texts.first().context("no format")?;
    let mut followed: Vec<f64> = Vec::new();
    for _ in 0..rounds.clamp(1, 5) {
        followed.push(followed_per_sec(first)?);
    }
    let followed = measure::median(followed);
    let slowest = cases.iter().map(|case| 1e9 / case.ns).fold(f64::INFINITY, f64::min);
    let demands = vec![demand("of the slowest format", slowest), demand("of a file", followed)];
    Ok(Measured { measures: measures(&cases, followed), cases, demands, ..Measured::default() })
}

fn measures(cases: &[Case], followed: f64) -> Vec<Measure> {
    let of = |measure: String, value| Measure { measure, value: tenths(value), unit: "lines/s" };
    let joined = cases.iter().map(|case| of(format!("{} on one core", case.case), 1e9 / case.ns));
    joined
        .chain([of("combined from a file that is followed, wall clock".into(), followed)])
        .collect()
}

fn demand(whose: &str, lines_per_sec: f64) -> Demand {
    Demand {
        demand: format!("at least {DEMAND} lines a second {whose}"),
        measured: format!("{lines_per_sec:.0}"),
        met: lines_per_sec >= DEMAND,
    }
}

/// Reads a text in memory, and joins it with hellos that came before.
fn joined_ns(format: Format, text: &[u8]) -> Result<f64> {
    let mut join = Join::new(vec![vec![NonZeroU16::new(443).context("no port")?]]);
    for connection in 0..CONNECTIONS {
        join.handle_hello(hello(connection)?);
    }
    let (mut lines, mut matched, mut errors) = (Lines::default(), 0, 0);
    let start = cpu_ns();
    for piece in text.chunks(PIECE) {
        lines.feed(piece, &mut |line| match line.and_then(|line| format.parse(line, MOMENT)) {
            Ok(request) => matched += u32::from(join.handle_request(0, request).hello.is_some()),
            Err(_) => errors += 1,
        });
    }
    let spent = cpu_ns() - start;
    ensure!(errors == 0 && matched == CONNECTIONS * REQUESTS, "{errors} errors, {matched} matched");
    Ok(f64::from(u32::try_from(spent / 1000)?) * 1000.0)
}

/// Lines a second of a file that got all of them at once, with their requests where the engine
/// would take them.
fn followed_per_sec(text: &[u8]) -> Result<f64> {
    let dir = tempfile::TempDir::new()?;
    let path = dir.path().join("access.log");
    let mut file = File::create(&path)?;
    let ports = vec![NonZeroU16::new(443).context("no port")?];
    let source = LogSource::File(path);
    let log = Log { name: "bench".into(), source, format: Format::Combined, ports, http3: true };
    let runtime = Builder::new_current_thread().build()?;
    let mut batches = logs::start(&[log])?;
    let opened = runtime.block_on(batches.recv()).context("no thread")?;
    ensure!(opened.lines == 0, "there is nothing to read yet");
    file.write_all(text)?;
    let start = Now::read().ktime_ns;
    let (mut lines, mut requests) = (0, 0);
    while lines < u64::from(CONNECTIONS * REQUESTS) {
        let batch = runtime.block_on(batches.recv()).context("the thread ended")?;
        lines += batch.lines;
        requests += batch.requests.len();
    }
    let spent_us = u32::try_from((Now::read().ktime_ns - start) / 1000)?;
    ensure!(requests == usize::try_from(lines)?, "{requests} requests of {lines} lines");
    Ok(f64::from(CONNECTIONS * REQUESTS) * 1e6 / f64::from(spent_us))
}

fn hello(connection: u32) -> Result<Hello> {
    let [_, b, c, d] = connection.to_be_bytes();
    let ja4 = "t13d1516h2_8daaf6152771_e5627efa2ab1".parse()?;
    Ok(Hello {
        client: ([10, b, c, d], 40_000).into(),
        server: ([192, 0, 2, 1], 443).into(),
        time_unix_ms: MOMENT,
        fingerprint: Ok(ja4),
        wire: 0,
    })
}

/// The lines of all requests, of all connections in turn.
fn text(format: Format) -> Vec<u8> {
    let mut text = String::new();
    for request in 0..CONNECTIONS * REQUESTS {
        let [_, b, c, d] = (request % CONNECTIONS).to_be_bytes();
        // A text takes all that is written.
        let _ = writeln!(text, "{}", line(format, &format!("10.{b}.{c}.{d}"), request));
    }
    text.into_bytes()
}

fn line(format: Format, address: &str, request: u32) -> String {
    let path = format!("/shop/article/{request}?ref=start%20page");
    match format {
        Format::Combined => format!(
            "{address} - - [22/Nov/2026:20:50:19 +0000] \"GET {path} HTTP/2.0\" 200 51234 \
             \"https://edge.test/\" \"{AGENT}\" 40000 \"en-US,en;q=0.9\" \"edge.test\""
        ),
        Format::NginxJson => format!(
            "{{\"msec\":\"1795380619.123\",\"remote_addr\":\"{address}\",\"remote_port\":\"40000\",\
             \"remote_user\":\"\",\"request_method\":\"GET\",\"request_uri\":\"{path}\",\
             \"status\":\"200\",\"body_bytes_sent\":\"51234\",\"http_user_agent\":\"{AGENT}\",\
             \"http_accept_language\":\"en-US,en;q=0.9\",\"host\":\"edge.test\",\
             \"ssl_server_name\":\"edge.test\"}}"
        ),
        Format::Haproxy => format!(
            "<134>Nov 22 20:50:19 haproxy[77]: {address}:40000 [22/Nov/2026:20:50:19.123] in~ b/s \
             1/0/3/6/10 200 51234 - - ---- 9/9/1/1/0 0/0 {{edge.test|{AGENT}|en-US,en;q=0.9}} \
             \"GET https://edge.test{path} HTTP/2.0\""
        ),
        Format::CaddyJson => format!(
            "{{\"level\":\"info\",\"ts\":1795380619.123,\"logger\":\"http.log.access\",\
             \"msg\":\"handled request\",\"request\":{{\"remote_ip\":\"{address}\",\
             \"remote_port\":\"40000\",\"client_ip\":\"{address}\",\"proto\":\"HTTP/2.0\",\
             \"method\":\"GET\",\"host\":\"edge.test\",\"uri\":\"{path}\",\
             \"headers\":{{\"User-Agent\":[\"{AGENT}\"],\"Accept-Language\":[\"en-US,en;q=0.9\"],\
             \"Accept\":[\"*/*\"]}},\"tls\":{{\"resumed\":false,\"version\":772,\
             \"cipher_suite\":4865,\"proto\":\"h2\",\"server_name\":\"edge.test\"}}}},\
             \"bytes_read\":0,\"user_id\":\"\",\"duration\":0.0009,\"size\":51234,\"status\":200,\
             \"resp_headers\":{{\"Server\":[\"Caddy\"],\"Content-Type\":[\"text/html\"]}}}}"
        ),
        Format::EnvoyJson => format!(
            "{{\"start_time\":\"2026-11-22T20:50:19.123Z\",\
             \"downstream_direct_remote_address\":\"{address}:40000\",\"method\":\"GET\",\
             \"path\":\"{path}\",\"response_code\":200,\"bytes_sent\":51234,\
             \"user_agent\":\"{AGENT}\",\"accept_language\":\"en-US,en;q=0.9\",\
             \"authority\":\"edge.test\",\"requested_server_name\":\"edge.test\"}}"
        ),
    }
}
