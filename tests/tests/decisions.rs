//! What clients do, from a real server's log to verdicts and rules, and what operators say to that.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::ops::Range;
use std::path::Path;
use tests::lab::{self, Daemon, EDGE, Lab, Outcome, PEERS, Service, run, wait_until};
use tests::require_privileges;

const PORT: u16 = 443;

const FORMAT: &str = r#"log_format palisade '$remote_addr - $remote_user [$time_local] "$request" $status '
    '$body_bytes_sent "$http_referer" "$http_user_agent" '
    '$remote_port "$http_accept_language" "$host"';"#;

fn config(dir: &Path) -> String {
    format!(
        "mode = \"enforce\"\n[[logs]]\nname = \"web\"\npath = \"{}/access.log\"\n\
         format = \"combined\"\n",
        dir.display()
    )
}

fn server(lab: &Lab) -> Result<Service> {
    let dir = lab.dir.path().display();
    lab::nginx_with_log(
        lab,
        PORT,
        "edge.test",
        &format!("{FORMAT} access_log {dir}/access.log palisade;"),
    )
}

/// A request of curl's from an address of the peer.
fn ask(lab: &Lab, from: &str, path: &str, more: &[&str]) -> Result<Outcome> {
    let mut curl = lab.at_peer("curl");
    curl.args(["-q", "-sSk", "--max-time", "1", "--interface", from]).args(more);
    curl.args(["--resolve", &format!("edge.test:{PORT}:{EDGE}")]);
    run(curl.arg(format!("https://edge.test/{path}")))
}

fn is_served(lab: &Lab, from: &str) -> Result<bool> {
    Ok(ask(lab, from, "", &[])?.stdout == "a page")
}

/// Tries accounts in vain until nothing is answered any more; how often something was.
fn stuff(lab: &Lab, from: &str, accounts: Range<usize>) -> Result<usize> {
    for (tried, account) in accounts.clone().enumerate() {
        let account = format!("person{from}-{account}x:secret");
        if ask(lab, from, "login", &["-X", "POST", "-u", &account])?.stdout.is_empty() {
            return Ok(tried);
        }
    }
    Ok(accounts.len())
}

fn verdict(daemon: &Daemon, client: &str) -> Result<Option<Value>> {
    let verdicts = daemon.json(&["verdict", "list"])?;
    let verdicts = verdicts.as_array().context("no list")?;
    Ok(verdicts.iter().find(|one| one["client"] == client).cloned())
}

const ENFORCE: &str = "[services.default]\nenforce = true\n";

#[test]
fn who_tries_accounts_is_blocked_until_an_operator_says_otherwise() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start_with_policy(&lab, &config(lab.dir.path()), ENFORCE)?;
    let _server = server(&lab)?;
    let client = format!("{}/32", PEERS[0]);
    ensure!(is_served(&lab, PEERS[0])?);
    stuff(&lab, PEERS[0], 0..40)?;
    wait_until("the client is blocked", || {
        verdict(&daemon, &client).is_ok_and(|found| found.is_some_and(|v| v["action"] == "block"))
    })?;
    ensure!(!is_served(&lab, PEERS[0])? && is_served(&lab, PEERS[1])?);

    let said = daemon.must(&["explain", PEERS[0]])?.stdout;
    for part in ["login-failures", "many-accounts", "attempts to log in failed", "palisade forgive"]
    {
        ensure!(said.contains(part), "no {part}: {said}");
    }
    let explained = daemon.json(&["explain", PEERS[0]])?;
    let decided = &explained["behaviour"]["decisions"][0];
    ensure!(decided["line"] == "abuse" && decided["class"] == "library", "{explained}");
    ensure!(decided["ja4"].as_str().is_some_and(|ja4| ja4.starts_with("t13")), "{decided}");

    // What was decided outlives the daemon, with its reasons.
    daemon.stop()?;
    let daemon = Daemon::start_with_policy(&lab, &config(lab.dir.path()), ENFORCE)?;
    let explained = daemon.json(&["explain", PEERS[0]])?;
    ensure!(explained["behaviour"]["decisions"][0]["line"] == "abuse", "{explained}");
    ensure!(!is_served(&lab, PEERS[0])?);

    daemon.must(&["forgive", PEERS[0]])?;
    ensure!(is_served(&lab, PEERS[0])? && verdict(&daemon, &client)?.is_none());
    daemon.must(&["report-false-positive", PEERS[0], "--reason", "our own probe"])?;
    let exceptions = daemon.json(&["exception", "ls"])?;
    ensure!(exceptions[0]["reason"] == "our own probe", "{exceptions}");
    ensure!(stuff(&lab, PEERS[0], 0..20)? == 20 && is_served(&lab, PEERS[0])?);
    ensure!(daemon.must(&["explain", PEERS[0]])?.stdout.contains("our own probe"));
    daemon.must(&["exception", "del", PEERS[0]])?;
    daemon.palisade(&["exception", "del", PEERS[0]])?.refused(1, "no exception")?;
    daemon.palisade(&["forgive", "nobody"])?.refused(2, "neither an address")?;
    stuff(&lab, PEERS[0], 0..40)?;
    wait_until("it is blocked again", || !is_served(&lab, PEERS[0]).unwrap_or(true))?;
    Ok(())
}

#[test]
fn after_installation_decisions_only_count_and_can_be_reviewed() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, &config(lab.dir.path()))?;
    let _server = server(&lab)?;
    ensure!(daemon.must(&["policy", "review"])?.stdout.contains("nothing was decided yet"));
    ensure!(stuff(&lab, PEERS[0], 0..20)? == 20, "nobody is blocked in shadow");
    wait_until("it is decided", || {
        let rows = daemon.json(&["policy", "review"]).unwrap_or_default();
        rows[0]["action"] == "block" && rows[0]["mode"] == "shadow"
    })?;
    let row = daemon.json(&["policy", "review"])?[0].clone();
    ensure!(row["subjects"] == 1 && row["good"] == 0 && row["line"] == "abuse", "{row}");
    ensure!(row["examples"][0] == format!("{}/32", PEERS[0]), "{row}");
    let said = daemon.must(&["policy", "review"])?.stdout;
    ensure!(said.contains("would block") && said.contains("enforce = true"), "{said}");
    ensure!(is_served(&lab, PEERS[0])? && daemon.packets("would-drop", "client-verdict")? > 0);
    daemon.palisade(&["policy", "reload"])?.refused(1, "names no policy")?;
    Ok(())
}

/// Addresses of one network, with one program.
fn crowd(lab: &Lab) -> Result<Vec<String>> {
    let addresses: Vec<String> = (100..114).map(|i| format!("192.0.2.{i}")).collect();
    for address in &addresses {
        let address = format!("{address}/24");
        run(lab.at_peer("ip").args(["addr", "add", &address, "dev", "eth0"]))?.success()?;
    }
    Ok(addresses)
}

#[test]
fn a_fingerprint_whose_clients_fail_together_is_blocked_for_its_service() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let crowd = crowd(&lab)?;
    let policy =
        "learn_minutes = 0\noffenders_v4 = 250\n[services.web]\nports = [443]\nenforce = true\n";
    let daemon = Daemon::start_with_policy(&lab, &config(lab.dir.path()), policy)?;
    let _server = server(&lab)?;
    for round in 0..4 {
        for from in &crowd {
            stuff(&lab, from, round..round + 1)?;
        }
    }
    let rules = || daemon.json(&["rule", "ls"]).unwrap_or_default();
    wait_until("there is a rule on the fingerprint", || rules()[0]["action"] == "block")?;
    let pattern = rules()[0]["pattern"].as_str().context("no pattern")?.to_owned();
    let ja4 = pattern.strip_prefix("ja4:").and_then(|text| text.strip_suffix("@tcp/443"));
    let ja4 = ja4.with_context(|| pattern.clone())?;
    ensure!(!is_served(&lab, PEERS[2])?, "whoever comes with it");

    let said = daemon.must(&["explain", ja4])?.stdout;
    for part in ["failing-together", "at web: library", "the classifier", "palisade forgive t13"] {
        ensure!(said.contains(part), "no {part}: {said}");
    }
    let explained = daemon.json(&["explain", ja4])?;
    let group = &explained["groups"][0];
    ensure!(
        explained["decisions"][0]["action"] == "block" && group["service"] == "web",
        "{explained}"
    );
    ensure!(explained["rules"][0]["automatic"] == true && explained["share_permille"].is_u64());

    daemon.must(&["forgive", ja4])?;
    ensure!(rules() == serde_json::json!([]) && is_served(&lab, PEERS[2])?);
    Ok(())
}
