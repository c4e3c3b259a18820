//! Access logs: each request of a real server's log finds its hello, whatever is done to the log
//! meanwhile and whatever clients put into it.

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tests::lab::{self, Daemon, EDGE, Events, Lab, PEERS, run, wait_until};
use tests::require_privileges;

const PORT: u16 = 443;

/// The lines of the README.
const FORMATS: &str = r#"
    log_format palisade '$remote_addr - $remote_user [$time_local] "$request" $status '
                        '$body_bytes_sent "$http_referer" "$http_user_agent" '
                        '$remote_port "$http_accept_language" "$host"';
    log_format palisade_json escape=json
        '{"msec":"$msec","remote_addr":"$remote_addr","remote_port":"$remote_port",'
        '"remote_user":"$remote_user","request_method":"$request_method",'
        '"request_uri":"$request_uri","server_protocol":"$server_protocol","status":"$status",'
        '"body_bytes_sent":"$body_bytes_sent","http_user_agent":"$http_user_agent",'
        '"http_accept_language":"$http_accept_language","host":"$host",'
        '"ssl_server_name":"$ssl_server_name"}';
"#;

/// Header values that try to be something else. nginx refuses control bytes itself.
const HOSTILE: [&str; 4] = [
    r#"" 200 1 "-" "x" 1 "-" "-"#,
    r#"","remote_addr":"198.51.100.1","x":""#,
    r"x\",
    "\u{e9}[22/Nov/2026:00:00:00 +0000] \"",
];

/// The same log in three ways: two files, one of which isn't there yet, and a socket.
fn config(dir: &Path) -> String {
    let dir = dir.display();
    format!(
        "[[logs]]\nname = \"plain\"\npath = \"{dir}/access.log\"\nformat = \"combined\"\n\
         [[logs]]\nname = \"json\"\npath = \"{dir}/json.log\"\nformat = \"nginx-json\"\n\
         [[logs]]\nname = \"syslog\"\nsocket = \"{dir}/log.sock\"\nformat = \"nginx-json\"\n"
    )
}

fn access_log(dir: &Path) -> String {
    let dir = dir.display();
    format!(
        "{FORMATS} access_log {dir}/access.log palisade; access_log {dir}/json.log palisade_json;\n\
         access_log syslog:server=unix:{dir}/log.sock,nohostname palisade_json;\n"
    )
}

/// Three requests on one connection, from each address of the peer.
fn ask(lab: &Lab, hostile: &str) -> Result<u64> {
    let mut requests = 0;
    for from in PEERS {
        let mut curl = lab.at_peer("curl");
        curl.args(["-q", "-sSk", "--max-time", "10", "--interface", from, "-A", hostile]);
        curl.args(["-H", &format!("Accept-Language: {hostile}"), "-u", &format!("{hostile}:x")]);
        curl.args(["a", "b?q=%22", "c"].map(|path| format!("https://{EDGE}/{path}")));
        let said = run(&mut curl)?.success()?;
        ensure!(said.stdout == "a page".repeat(3), "{said:?}");
        requests += 3;
    }
    Ok(requests)
}

/// What the daemon says of a log.
fn log(daemon: &Daemon, name: &str) -> Result<Value> {
    let status = daemon.json(&["status"])?;
    let logs = status["logs"].as_array().context("no logs")?;
    logs.iter().find(|log| log["name"] == name).cloned().with_context(|| format!("no log {name}"))
}

/// Waits until each log has brought so many requests, all of them good and matched.
fn all_matched(daemon: &Daemon, requests: u64) -> Result<()> {
    for name in ["plain", "json", "syslog"] {
        let matched = |log: &Value| log["matched"] == requests;
        let good = wait_until("all requests have their hello", || {
            log(daemon, name).is_ok_and(|log| matched(&log))
        });
        let log = log(daemon, name)?;
        good.with_context(|| format!("{requests} requests: {log}"))?;
        let clean = log["malformed"] == 0 && log["unmatched"] == 0 && log["lost"] == 0;
        ensure!(clean && log["lines"] == requests && log["state"] == "reading", "{log}");
    }
    Ok(())
}

/// Tells nginx to open its logs again.
fn reopen(lab: &Lab) -> Result<()> {
    let pid = fs::read_to_string(lab.dir.path().join("pid"))?;
    kill(Pid::from_raw(pid.trim().parse()?), Signal::SIGUSR1)?;
    let log = lab.dir.path().join("access.log");
    wait_until("nginx opens a new log", || log.exists())
}

#[test]
fn each_request_of_a_log_finds_its_hello_through_rotation_and_truncation() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let dir = lab.dir.path();
    // What was there before the daemon isn't its business.
    fs::write(dir.join("access.log"), "an old line\n")?;
    let daemon = Daemon::start(&lab, &config(dir))?;
    wait_until("the socket is there", || {
        log(&daemon, "syslog").is_ok_and(|log| log["state"] == "reading")
    })?;
    ensure!(log(&daemon, "json")?["state"] == "waiting", "{}", log(&daemon, "json")?);
    let _server = lab::nginx_with_log(&lab, PORT, "edge.test", &access_log(dir))?;

    let mut requests = ask(&lab, "curl")?;
    all_matched(&daemon, requests)?;

    for hostile in HOSTILE {
        requests += ask(&lab, hostile)?;
    }
    all_matched(&daemon, requests)?;

    // logrotate's way: nginx writes to the renamed file until it is told.
    fs::rename(dir.join("access.log"), dir.join("access.log.1"))?;
    requests += ask(&lab, "renamed")?;
    reopen(&lab)?;
    requests += ask(&lab, "reopened")? + ask(&lab, "reopened")?;
    all_matched(&daemon, requests)?;

    // copytruncate's way, once what was written is read.
    fs::File::options().write(true).open(dir.join("access.log"))?.set_len(0)?;
    requests += ask(&lab, "truncated")?;
    all_matched(&daemon, requests)?;

    let text = daemon.must(&["status"])?.stdout;
    ensure!(text.contains("syslog") && text.contains("reading"), "{text}");
    Ok(())
}

#[test]
fn what_is_wrong_with_a_log_is_told() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let dir = lab.dir.path();
    let daemon = Daemon::start(&lab, &config(dir))?;
    let events = Events::of(&lab, &daemon)?;
    fs::write(dir.join("access.log"), "192.0.2.7 - - junk\n")?;
    wait_until("the line is malformed", || {
        log(&daemon, "plain").is_ok_and(|log| log["malformed"] == 1)
    })?;
    let plain = log(&daemon, "plain")?;
    let error = plain["last_malformed"].as_str().context("no error")?;
    ensure!(error.contains("missing"), "{plain}");
    fs::create_dir(dir.join("json.log"))?;
    wait_until("a folder is no log", || {
        log(&daemon, "json").is_ok_and(|log| log["state"] == "failed")
    })?;
    wait_until("it is told", || {
        events.told("log", "json").iter().any(|text| text.contains("no regular file"))
    })?;
    let text = daemon.must(&["status"])?.stdout;
    ensure!(text.contains("the last malformed line") && text.contains("regular file"), "{text}");
    Ok(())
}
