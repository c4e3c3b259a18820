//! Who manages the host isn't locked out.

use anyhow::{Result, ensure};
use std::net::{TcpListener, TcpStream};
use tests::lab::{Daemon, EDGE, Lab, PEERS, Service, wait_until};
use tests::require_privileges;

const PORT: u16 = 2222;

const CONFIG: &str = "mode = \"enforce\"\n[management]\nports = [2222]\n";

/// Connects from an address of the peer, and stays.
fn connect(lab: &Lab, listener: &TcpListener, from: &str) -> Result<(Service, TcpStream)> {
    let script = format!(
        "import socket,time\n\
         held = socket.create_connection(('{EDGE}', {PORT}), 5, ('{from}', 0))\ntime.sleep(120)"
    );
    let client = Service::start(lab.at_peer("/usr/bin/python3").args(["-c", &script]))?;
    Ok((client, listener.accept()?.0))
}

#[test]
fn who_has_a_session_passes_whatever_is_decided_until_it_ends() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let listener = TcpListener::bind((EDGE, PORT))?;
    let session = connect(&lab, &listener, PEERS[0])?;
    let daemon = Daemon::start(&lab, CONFIG)?;
    // Who comes later has yet to show that he can log in.
    let _stranger = connect(&lab, &listener, PEERS[1])?;
    daemon.must(&["block", "add", "192.0.2.0/24"])?;
    ensure!(lab.pings(PEERS[0]) && !lab.pings(PEERS[1]));

    let add = |target| daemon.palisade(&["verdict", "add", target, "block", "--for", "5m"]);
    add(PEERS[0])?.refused(1, "on the allowlist")?;
    ensure!(daemon.must(&["explain", PEERS[0]])?.stdout.contains("management session"));
    let entries = daemon.json(&["list", "show", "allow"])?["entries"].clone();
    ensure!(entries.as_array().is_some_and(|all| all.len() == 1), "{entries}");
    ensure!(entries[0]["prefix"] == format!("{}/32", PEERS[0]), "{entries}");

    // A new daemon looks for itself, and forgets who has gone meanwhile.
    daemon.stop()?;
    ensure!(lab.pings(PEERS[0]));
    drop(session);
    let daemon = Daemon::start(&lab, CONFIG)?;
    wait_until("the session's end is seen", || !lab.pings(PEERS[0]))?;
    ensure!(lab.pings(PEERS[1]), "what is there when the daemon starts is a session");
    daemon.must(&["allow", "add", PEERS[0], "--comment", "by hand"])?;
    ensure!(lab.pings(PEERS[0]));
    Ok(())
}
