//! Named lists: what they do to packets, what they count, and that no packet meets half
//! of one.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tests::lab::{Daemon, EDGE, Lab, PEERS, wait_until};
use tests::{fuzz, output, prefixes, require_privileges};

const ENFORCE: &str = "mode = \"enforce\"\n";

#[expect(clippy::disallowed_methods, reason = "the figure is a real duration")]
fn now() -> Instant {
    Instant::now()
}

fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let started = now();
    Ok((work()?, started.elapsed()))
}

/// A file of the lab's.
fn file(lab: &Lab, name: &str, text: &str) -> Result<String> {
    let path: PathBuf = lab.dir.path().join(name);
    std::fs::write(&path, text)?;
    path.into_os_string().into_string().ok().context("no text")
}

fn packets(list: &Value, kind: &str) -> Result<u64> {
    list[kind]["packets"].as_u64().with_context(|| format!("no {kind} in {list}"))
}

/// So many /24s, from a number on, that hold nobody in the lab.
fn many(first: u32, count: u32) -> String {
    let mut text = String::new();
    for i in first..first + count {
        let [_, a, b, c] = (i * 37).to_be_bytes();
        let _ = writeln!(text, "{}.{b}.{c}.0/24", 10 + u32::from(a));
    }
    text
}

#[test]
fn a_list_is_made_filled_shown_exported_replaced_and_dropped() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    let (first, second) = (format!("{}\n2001:db8:9::/48\n", PEERS[0]), format!("{}\n", PEERS[1]));
    let (first, second) = (file(&lab, "first", &first)?, file(&lab, "second", &second)?);
    daemon.must(&["list", "create", "feed", "--action", "block", "--priority", "3"])?;
    daemon.palisade(&["list", "create", "feed", "--action", "block"])?.refused(1, "already")?;
    ensure!(daemon.json(&["list", "import", "feed", &first])?["changed"] == 2);
    ensure!(!lab.pings(PEERS[0]) && lab.pings(PEERS[1]));
    let list = daemon.list("feed")?;
    ensure!(list["v4"] == 1 && list["v6"] == 1 && list["priority"] == 3, "{list}");
    ensure!(packets(&list, "matched")? >= 1 && packets(&list, "dropped")? >= 1, "{list}");
    ensure!(packets(&list, "would_drop")? == 0, "{list}");
    let shown = daemon.json(&["list", "show", "feed"])?;
    ensure!(shown["entries"][0]["prefix"] == "192.0.2.2/32", "{shown}");
    let exported = file(&lab, "exported", "")?;
    daemon.must(&["list", "export", "feed", &exported])?;
    daemon.must(&["list", "replace", "feed", &second])?;
    ensure!(lab.pings(PEERS[0]) && !lab.pings(PEERS[1]));
    daemon.must(&["list", "replace", "feed", &exported])?;
    ensure!(!lab.pings(PEERS[0]) && lab.pings(PEERS[1]), "an export reads back");
    daemon.must(&["list", "drop", "feed"])?;
    ensure!(lab.pings(PEERS[0]) && daemon.list("feed").is_err());
    daemon.must(&["list", "create", "feed", "--action", "block"])?;
    ensure!(packets(&daemon.list("feed")?, "matched")? == 0, "a new list starts at zero");
    Ok(())
}

#[test]
fn a_list_in_shadow_counts_what_it_would_drop_and_drops_nothing() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    daemon.must(&["list", "create", "trial", "--action", "block", "--shadow"])?;
    daemon.must(&["list", "add", "trial", "192.0.2.0/30"])?;
    ensure!(lab.pings(PEERS[0]));
    let list = daemon.list("trial")?;
    ensure!(packets(&list, "would_drop")? >= 1 && packets(&list, "dropped")? == 0, "{list}");
    daemon.must(&["list", "set", "trial", "--mode", "enforce"])?;
    ensure!(!lab.pings(PEERS[0]));
    ensure!(packets(&daemon.list("trial")?, "dropped")? >= 1);
    Ok(())
}

#[test]
fn an_entry_ends_within_two_seconds_of_its_time_also_without_a_daemon() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    daemon.must(&["list", "create", "brief", "--action", "block"])?;
    let passes_again = |what: &str| -> Result<()> {
        let started = now();
        wait_until(what, || lab.pings(PEERS[0]))?;
        let took = started.elapsed();
        ensure!(took < Duration::from_secs(4), "{what}: {took:?} for a span of two seconds");
        Ok(())
    };
    daemon.must(&["list", "add", "brief", PEERS[0], "--for", "2s"])?;
    ensure!(!lab.pings(PEERS[0]));
    passes_again("the entry ends")?;
    wait_until("it is gone from the list", || {
        daemon.list("brief").is_ok_and(|list| list["v4"] == 0)
    })?;
    daemon.must(&["list", "add", "brief", PEERS[0], "--for", "2s"])?;
    daemon.crash()?;
    ensure!(!lab.pings(PEERS[0]), "the filter outlives the daemon");
    passes_again("the entry ends without a daemon")
}

#[test]
fn a_limit_list_holds_a_client_to_its_profile() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let config = format!("{ENFORCE}[limits.profiles.slow]\nper_sec = 1\nburst = 5\n");
    let daemon = Daemon::start(&lab, &config)?;
    daemon.palisade(&["list", "create", "l", "--action", "limit:none"])?.refused(1, "none")?;
    daemon.must(&["list", "create", "slow", "--action", "limit:slow"])?;
    daemon.must(&["list", "add", "slow", PEERS[0]])?;
    let answered = lab.flood(PEERS[0], 30)?;
    ensure!((5..=20).contains(&answered), "{answered} of 30 with a burst of 5 and one a second");
    ensure!(lab.flood(PEERS[1], 30)? == 30, "nobody else is held");
    let list = daemon.list("slow")?;
    ensure!(packets(&list, "dropped")? >= 10, "{list}");
    Ok(())
}

#[test]
fn bad_lists_are_refused_whole_with_what_is_wrong() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    daemon.must(&["list", "create", "feed", "--action", "block"])?;
    let long = "1".repeat(3 << 20);
    let rows = [
        ("192.0.2.2\n192.0.2.0/33\n", "line 2"),
        ("192.0.2.2\n192.0.2.1-2001:db8::1\n", "mixes"),
        ("192.0.2.2\n192.0.2.\09\n", "NUL"),
        (long.as_str(), "4096"),
        ("", "empty"),
        ("# nothing\n", "empty"),
    ];
    for (text, words) in rows {
        let path = file(&lab, "bad", text)?;
        for verb in ["import", "replace"] {
            let said = daemon.palisade(&["list", verb, "feed", &path, "--format", "plain"])?;
            said.refused(1, words)?;
        }
    }
    let list = daemon.list("feed")?;
    ensure!(list["v4"] == 0 && list["v6"] == 0 && lab.pings(PEERS[0]), "{list}");
    let sloppy = file(&lab, "sloppy", "192.0.2.77/30\n")?;
    let done = daemon.json(&["list", "import", "feed", &sloppy])?;
    ensure!(done["notes"].to_string().contains("host bits"), "{done}");
    ensure!(daemon.json(&["list", "show", "feed"])?["entries"][0]["prefix"] == "192.0.2.76/30");
    daemon.palisade(&["list", "import", "feed", &sloppy, "--format", "xml"])?.refused(2, "xml")?;
    daemon.palisade(&["list", "import", "nobody", &sloppy])?.refused(1, "nobody")?;
    let full = file(&lab, "full", &many(0, 1000))?;
    daemon.must(&["list", "import", "feed", &full])?;
    daemon.palisade(&["list", "replace", "feed", &sloppy])?.refused(1, "shrink")?;
    ensure!(daemon.list("feed")?["v4"] == 1001);
    daemon.must(&["list", "replace", "feed", &sloppy, "--force"])?;
    ensure!(daemon.list("feed")?["v4"] == 1);
    daemon.must(&["block", "add", PEERS[0]])?;
    let done = daemon.json(&["list", "drop", "block"])?;
    ensure!(done["notes"].to_string().contains("built in"), "{done}");
    ensure!(lab.pings(PEERS[0]) && daemon.list("block")?["v4"] == 0);
    Ok(())
}

#[test]
fn two_imports_at_once_both_count() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    daemon.must(&["list", "create", "feed", "--action", "block"])?;
    let paths = [file(&lab, "a", &many(0, 50_000))?, file(&lab, "b", &many(50_000, 50_000))?];
    let mut running = Vec::new();
    for path in &paths {
        let mut question = daemon.question(&["list", "import", "feed", path])?;
        running.push(question.stdout(Stdio::null()).spawn()?);
    }
    for mut import in running {
        ensure!(import.wait()?.success());
    }
    let list = daemon.list("feed")?;
    ensure!(list["v4"] == 100_000, "{list}");
    Ok(())
}

#[test]
fn a_daemon_killed_in_an_import_leaves_the_old_list_or_the_new_one() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let old = file(&lab, "old", &format!("{}{}\n", many(0, 150_000), PEERS[0]))?;
    let new =
        file(&lab, "new", &format!("{}{}\n{}\n", many(150_000, 100_000), PEERS[0], PEERS[2]))?;
    let mut daemon = Daemon::start(&lab, ENFORCE)?;
    daemon.must(&["list", "create", "feed", "--action", "block"])?;
    let (_, whole) = timed(|| daemon.must(&["list", "replace", "feed", &new, "--force"]))?;
    let mut outcomes = [0, 0];
    for eighths in 0..=8 {
        daemon.must(&["list", "replace", "feed", &old, "--force"])?;
        let mut question = daemon.question(&["list", "replace", "feed", &new, "--force"])?;
        let mut replace = question.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        std::thread::sleep(whole * eighths / 8);
        // The last one is let through, and must be there.
        let done = eighths == 8 && replace.wait()?.success();
        daemon.crash()?;
        let _ = replace.wait()?;
        ensure!(!lab.pings(PEERS[0]), "what both have is blocked meanwhile");
        daemon = Daemon::start(&lab, ENFORCE)?;
        let count = daemon.list("feed")?["v4"].as_u64().unwrap_or(0);
        let is_new = count == 100_002;
        ensure!(is_new || (count == 150_001 && !done), "{count} entries after {eighths} eighths");
        ensure!(!lab.pings(PEERS[0]) && lab.pings(PEERS[2]) != is_new, "disk and kernel differ");
        outcomes[usize::from(is_new)] += 1;
    }
    output::result(&format!("killed in an import: {} old, {} new", outcomes[0], outcomes[1]));
    Ok(())
}

/// Sends UDP to the edge from each of the addresses in turn, for so many seconds, and says
/// how many from each.
const SEND: &str = "import socket,sys,time\n\
    edge,seconds,names=sys.argv[1],float(sys.argv[2]),sys.argv[3:]\n\
    all=[socket.socket(socket.AF_INET,socket.SOCK_DGRAM) for n in names]\n\
    for s,n in zip(all,names): s.bind((n,0)); s.setsockopt(socket.SOL_SOCKET,socket.SO_SNDBUF,1<<16)\n\
    end=time.time()+seconds; sent=0\n\
    while time.time()<end:\n\
    \x20for i in range(20):\n\
    \x20\x20for s in all: s.sendto(b'x'*64,(edge,9999))\n\
    \x20\x20sent+=1\n\
    \x20time.sleep(0.001)\n\
    print(sent)\n";

#[test]
fn not_one_packet_gets_a_wrong_verdict_while_lists_are_replaced_and_edited() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    let [blocked, allowed, _] = PEERS;
    // One has a prefix around both, the other has not; the allowed one is on it too.
    let wide = format!("{}192.0.2.0/24\n{blocked}\n", many(0, 100_000));
    let narrow = format!("{}{blocked}\n{allowed}\n", many(60_000, 100_000));
    let files = [file(&lab, "wide", &wide)?, file(&lab, "narrow", &narrow)?];
    daemon.must(&["list", "create", "feed", "--action", "block"])?;
    daemon.must(&["list", "replace", "feed", &files[0]])?;
    daemon.must(&["allow", "add", allowed])?;
    let receiver = std::net::UdpSocket::bind((EDGE, 9999))?;
    receiver.set_read_timeout(Some(Duration::from_millis(500)))?;
    // Learns the peer's link address, which a packet that is dropped can't.
    ensure!(lab.pings(allowed));
    let before = [daemon.list("feed")?, daemon.list("allow")?];
    let mut python = lab.at_peer("/usr/bin/python3");
    python.args(["-c", SEND, EDGE, "10", blocked, allowed]).stdout(Stdio::piped());
    let mut sender = python.spawn()?;
    let counted = std::thread::spawn(move || count_sources(&receiver, blocked, allowed));
    let (mut replaced, mut edited) = (0, 0);
    while sender.try_wait()?.is_none() {
        daemon.must(&["list", "replace", "feed", &files[(replaced + 1) % 2]])?;
        replaced += 1;
        for prefix in ["192.0.2.0/30", "192.0.2.2/31", "192.0.0.0/16", "192.0.2.4"] {
            daemon.must(&["list", "add", "feed", prefix, "--for", "1h"])?;
            daemon.must(&["list", "del", "feed", prefix])?;
            edited += 2;
        }
    }
    let sent: u64 = String::from_utf8(sender.wait_with_output()?.stdout)?.trim().parse()?;
    let (wrong, arrived, lost) = counted.join().ok().context("the receiver panicked")??;
    let after = [daemon.list("feed")?, daemon.list("allow")?];
    let more = |at: usize, kind: &str| -> Result<u64> {
        Ok(packets(&after[at], kind)? - packets(&before[at], kind)?)
    };
    let (dropped, matched) = (more(0, "dropped")?, more(1, "matched")?);
    output::result(&format!(
        "{sent} packets of each of two sources during {replaced} replacements and {edited} edits: \
         blocked: {dropped} dropped, {wrong} arrived; allowed: {matched} matched, {arrived} \
         arrived, {lost} found the socket full"
    ));
    ensure!(sent > 10_000 && replaced >= 5, "that was no test");
    ensure!(wrong == 0 && dropped == sent, "a blocked packet passed");
    ensure!(matched == sent && arrived + lost == sent, "an allowed packet was dropped");
    ensure!(more(1, "dropped")? == 0);
    Ok(())
}

/// Packets from the blocked source, from the allowed one, and those that the socket had
/// no room for.
fn count_sources(
    receiver: &std::net::UdpSocket,
    blocked: &str,
    allowed: &str,
) -> Result<(u64, u64, u64)> {
    let (mut wrong, mut arrived) = (0, 0);
    let mut quiet = 0;
    while quiet < 4 || arrived == 0 {
        match receiver.recv_from(&mut [0; 128]) {
            Ok((_, from)) if from.ip().to_string() == blocked => wrong += 1,
            Ok((_, from)) if from.ip().to_string() == allowed => {
                (arrived, quiet) = (arrived + 1, 0);
            }
            Ok((_, from)) => anyhow::bail!("who is {from}?"),
            Err(_) => quiet += 1,
        }
        ensure!(quiet < 40, "nothing arrives");
    }
    let sockets = std::fs::read_to_string("/proc/net/udp")?;
    let ours = sockets.lines().find(|line| line.contains(":270F "));
    let lost = ours.and_then(|line| line.split_whitespace().last()?.parse().ok());
    Ok((wrong, arrived, lost.context("the socket isn't in /proc/net/udp")?))
}

#[test]
fn a_million_prefixes_are_in_force_within_seconds_and_change_within_milliseconds() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    let (all, data) = prefixes::full()?;
    let text = all.text();
    let first = file(&lab, "first", &format!("{text}192.0.2.2\n"))?;
    let second = file(&lab, "second", &format!("{text}198.51.100.9\n"))?;
    daemon.must(&["list", "create", "feed", "--action", "block"])?;
    let (_, import) = timed(|| daemon.must(&["list", "import", "feed", &first]))?;
    ensure!(!lab.pings(PEERS[0]), "the last line bites");
    let (_, replace) = timed(|| daemon.must(&["list", "replace", "feed", &second]))?;
    ensure!(!lab.pings(PEERS[2]));
    let mut adds = Vec::new();
    for i in 0..11 {
        let prefix = format!("203.0.113.{i}");
        adds.push(timed(|| daemon.must(&["list", "add", "feed", &prefix]))?.1);
    }
    adds.sort();
    let (resident_kb, mapped_kb) = memory(daemon.pid())?;
    let beyond_mb = (resident_kb - mapped_kb) / 1024;
    let figures = format!(
        "{} prefixes ({data}) from file to packets {import:?}, replaced {replace:?}; one more \
         {:?}, worst {:?}; {beyond_mb} MB beside {} MB of tables",
        all.len() + 1,
        adds[5],
        adds[10],
        mapped_kb / 1024
    );
    output::result(&figures);
    // The bounds are 2 s, 2 s, 10 ms and 150 MB; slow machines get twice the time.
    ensure!(import < Duration::from_secs(4), "{figures}");
    ensure!(replace < Duration::from_secs(4), "{figures}");
    ensure!(adds[5] < Duration::from_millis(20), "{figures}");
    ensure!(beyond_mb <= 150, "{figures}");
    Ok(())
}

/// Resident memory of a process, and the part of it that are BPF maps, in kB.
fn memory(pid: u32) -> Result<(u64, u64)> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/smaps"))?;
    let (mut all, mut mapped, mut is_map) = (0, 0, false);
    for line in maps.lines() {
        if line.split_whitespace().next().is_some_and(|word| word.contains('-')) {
            is_map = line.contains("bpf-map") || line.contains("bpf_map");
        }
        if let Some(kb) = line.strip_prefix("Rss:") {
            let kb: u64 = kb.trim().trim_end_matches(" kB").trim().parse()?;
            all += kb;
            mapped += if is_map { kb } else { 0 };
        }
    }
    Ok((all, mapped))
}

#[test]
fn random_policies_mean_the_same_to_the_rules_the_host_and_the_kernel() -> Result<()> {
    require_privileges!();
    let target = fuzz::TARGETS.iter().find(|target| target.name == "policy");
    ensure!(fuzz::run(target.context("no target")?, 4, 20_261_122)?, "see above");
    Ok(())
}
