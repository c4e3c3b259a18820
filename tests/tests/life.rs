//! A daemon's life: crash, restart, upgrade, refusal, end.

use anyhow::{Context, Result, ensure};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;
use tests::lab::{self, Daemon, Lab, PEERS, wait_until};
use tests::require_privileges;

const ENFORCE: &str = "mode = \"enforce\"\n";

#[test]
fn the_filter_outlives_the_daemon_and_the_next_one_knows_all() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, "")?;
    daemon.must(&["mode", "enforce"])?;
    daemon.must(&["block", "add", PEERS[0], "--comment", "kept"])?;
    daemon.must(&["verdict", "add", PEERS[1], "block", "--for", "5m", "--reason", "kept"])?;
    let rule = "t13d0000h2_000000000000_000000000000";
    daemon.must(&["fingerprint", "block", rule])?;
    let counted = daemon.packets("drop", "blocklist")?;
    daemon.crash()?;
    ensure!(!lab.pings(PEERS[0]) && !lab.pings(PEERS[1]) && lab.pings(PEERS[2]));
    let daemon = Daemon::start(&lab, "")?;
    let status = daemon.json(&["status"])?;
    ensure!(status["mode"] == "enforce" && status["taken_over"] == true, "{status}");
    ensure!(daemon.packets("drop", "blocklist")? > counted, "the counters went on");
    ensure!(daemon.json(&["block", "list"])?[0]["comment"] == "kept");
    ensure!(daemon.json(&["verdict", "list"])?[0]["reason"] == "kept");
    ensure!(daemon.json(&["rule", "ls"])?[0]["pattern"] == format!("ja4:{rule}"));
    ensure!(!lab.pings(PEERS[0]) && !lab.pings(PEERS[1]) && lab.pings(PEERS[2]));
    Ok(())
}

#[test]
fn a_terminated_daemon_leaves_the_filter_and_detach_takes_it_off() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    daemon.must(&["block", "add", PEERS[0]])?;
    daemon.stop()?;
    ensure!(!lab.pings(PEERS[0]));
    let mut daemon = Daemon::start(&lab, ENFORCE)?;
    daemon.must(&["detach"])?;
    daemon.ends()?;
    ensure!(lab.pings(PEERS[0]) && !daemon.pins().exists());
    let shown = lab::run(Command::new("ip").args(["link", "show", &lab.interface]))?.success()?;
    ensure!(!shown.stdout.contains("xdp"), "{}", shown.stdout);
    let daemon = Daemon::start(&lab, ENFORCE)?;
    ensure!(!lab.pings(PEERS[0]), "lists stay on disk");
    let pins = daemon.pins().to_owned();
    daemon.crash()?;
    let mut detach = Command::new(lab::binary("palisade")?);
    let socket = lab.dir.path().join("run/control.sock");
    detach.arg("--socket").arg(socket).args(["detach", "--pins"]).arg(&pins);
    lab::run(&mut detach)?.success()?;
    ensure!(lab.pings(PEERS[0]) && !pins.exists(), "detach works without a daemon");
    Ok(())
}

#[test]
fn pins_of_another_version_are_refused_with_the_way_out() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    daemon.must(&["block", "add", PEERS[0]])?;
    let pins = daemon.pins().to_owned();
    daemon.stop()?;
    let version = pins.join("ABI");
    let map = aya::maps::MapData::from_pin(&version)?;
    aya::maps::Array::<_, u32>::try_from(aya::maps::Map::Array(map))?.set(0, 999, 0)?;
    let said = refusal(&lab, ENFORCE)?;
    ensure!(said.contains("999") && said.contains("palisade detach --pins"), "{said}");
    ensure!(!lab.pings(PEERS[0]), "the foreign filter stays in force");
    Ok(())
}

/// Starts a daemon that must not start, and says what it logged.
fn refusal(lab: &Lab, config: &str) -> Result<String> {
    let before = std::fs::read_to_string(lab.dir.path().join("log")).unwrap_or_default();
    let status = Daemon::command(lab, config)?.status()?;
    ensure!(status.code() == Some(1), "it must be refused: {status}");
    let log = std::fs::read_to_string(lab.dir.path().join("log"))?;
    Ok(log[before.len()..].to_owned())
}

#[test]
fn a_second_daemon_is_refused() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let _daemon = Daemon::start(&lab, ENFORCE)?;
    let said = refusal(&lab, ENFORCE)?;
    ensure!(said.contains("another palisaded runs already"), "{said}");
    Ok(())
}

#[test]
fn a_bad_configuration_is_refused_with_its_line() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let said = refusal(&lab, "mode = \"enforce\"\nmodus = 1\n")?;
    ensure!(said.contains("line 2") && said.contains("modus"), "{said}");
    let file = lab.dir.path().join("palisade.toml");
    let mut check = Command::new(lab::binary("palisade")?);
    lab::run(check.args(["config", "check"]).arg(&file))?.refused(1, "line 2")?;
    std::fs::write(&file, ENFORCE)?;
    lab::run(&mut check)?.success()?;
    Ok(())
}

#[test]
fn an_interface_that_is_not_there_is_refused() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let mut command = Daemon::command(&lab, ENFORCE)?;
    let status = command.args(["--interface", "nowhere0"]).status()?;
    let log = std::fs::read_to_string(lab.dir.path().join("log"))?;
    ensure!(status.code() == Some(1) && log.contains("nowhere0"), "{log}");
    Ok(())
}

#[test]
fn an_interface_without_native_mode_is_attached_generically_with_a_warning() -> Result<()> {
    require_privileges!();
    let mut lab = Lab::new()?;
    let veth = std::mem::replace(&mut lab.interface, "lo".into());
    let daemon = Daemon::start(&lab, ENFORCE)?;
    let status = daemon.json(&["status"])?;
    ensure!(status["interfaces"][0]["attach"] == "generic", "{status}");
    ensure!(daemon.log().contains("generic mode"), "{}", daemon.log());
    daemon.must(&["detach"])?;
    lab.interface = veth;
    Ok(())
}

#[test]
fn missing_privileges_and_a_missing_bpffs_are_named() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::command(&lab, ENFORCE)?;
    let mut without = Command::new("setpriv");
    without.args(["--bounding-set=-bpf", "--inh-caps=-bpf", "--"]);
    without.arg(daemon.get_program()).args(daemon.get_args());
    let said = lab::run(&mut without)?;
    ensure!(said.code == 1 && said.stderr.contains("CAP_BPF"), "{said:?}");
    let elsewhere = lab.dir.path().join("pins");
    let mut astray = Daemon::command(&lab, ENFORCE)?;
    let status = astray.arg("--pin-dir").arg(elsewhere).status()?;
    let log = std::fs::read_to_string(lab.dir.path().join("log"))?;
    ensure!(status.code() != Some(0) && log.contains("mount -t bpf"), "{log}");
    Ok(())
}

#[test]
fn garbage_and_oversized_requests_leave_the_daemon_standing() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    let long = vec![b'a'; 2 << 20];
    let requests: [&[u8]; 5] = [
        b"\0\x01\x02\xff\xfe\r\n\r\n",
        b"GET /v1/status HTTP/9.9\r\n\r\n",
        b"POST /v1/lists/block/entries HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{\"a\": 1}}",
        b"POST /v1/lists/block/entries HTTP/1.1\r\nhost: x\r\ncontent-length: 4294967296\r\n\r\n",
        &long,
    ];
    for request in requests {
        let mut stream = UnixStream::connect(daemon.socket())?;
        // The daemon may hang up before it has read everything.
        let _ = stream.write_all(request);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    }
    let curl = |path: &str, body: &str| {
        let mut curl = Command::new("curl");
        curl.args(["-s", "-w", " %{http_code}", "--unix-socket"]).arg(daemon.socket());
        lab::run(curl.args(["-d", body]).arg(format!("http://palisade{path}")))
    };
    let said =
        curl("/v1/lists/block/entries", "{\"prefixes\": [\"192.0.2.9\"], \"shadwo\": true}")?
            .stdout;
    ensure!(said.contains("shadwo") && said.ends_with("400"), "{said}");
    let said = curl("/v1/nothing", "")?.stdout;
    ensure!(said.contains("error") && said.ends_with("404"), "{said}");
    let said = curl("/v1/lists/block/entries", "{\"prefixes\": [\"192.0.2.9\"]}")?.stdout;
    ensure!(said.ends_with("200"), "a script can do what the command line can: {said}");
    daemon.must(&["status"])?;
    Ok(())
}

#[test]
fn who_watches_sees_what_happens() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, ENFORCE)?;
    let file = lab.dir.path().join("events");
    let mut watch = Command::new(lab::binary("palisade")?);
    watch.arg("--socket").arg(daemon.socket()).args(["--json", "watch"]);
    let _watch = lab::Service::start(watch.stdout(std::fs::File::create(&file)?))?;
    let seen = || std::fs::read_to_string(&file).unwrap_or_default();
    wait_until("an event arrives", || {
        let _ = daemon.palisade(&["block", "add", PEERS[0]]);
        let _ = daemon.palisade(&["block", "del", PEERS[0]]);
        seen().contains("192.0.2.2/32 added")
    })?;
    let text = seen();
    let first = text.lines().next().context("no line")?;
    ensure!(serde_json::from_str::<serde_json::Value>(first)?["kind"] == "list");
    Ok(())
}

#[test]
fn without_a_daemon_the_exit_code_is_three_and_wrong_usage_is_two() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let palisade = |arguments: &[&str]| {
        let mut command = Command::new(lab::binary("palisade")?);
        command.arg("--socket").arg(lab.dir.path().join("none")).args(arguments);
        lab::run(&mut command)
    };
    palisade(&["status"])?.refused(3, "no daemon answers")?;
    palisade(&["block", "import", "/dev/null"])?.refused(3, "no daemon answers")?;
    palisade(&["frobnicate"])?.refused(2, "frobnicate")?;
    palisade(&["explain", "not-an-address"])?.refused(2, "not-an-address")?;
    Ok(())
}
