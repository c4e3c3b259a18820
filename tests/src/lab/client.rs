//! Programs that speak TLS, as users run them.

use super::{EDGE, Lab, Outcome};
use anyhow::{Context, Result};
use std::fs;
use std::io::Write;
use std::process::Stdio;

/// A program with a TLS of its own.
///
/// Its line asks `$NAME` at port 443, for which it finds a request on its standard input.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// What people call it.
    pub name: &'static str,
    line: &'static str,
}

impl Client {
    /// Those that every distribution has.
    pub const ALL: [Self; 5] = [
        Self { name: "curl", line: r#"curl -q -sSk "https://$NAME/""# },
        Self {
            name: "wget",
            line: r#"wget --no-config -q -t 1 -O - --no-check-certificate "https://$NAME/""#,
        },
        Self {
            name: "openssl s_client",
            line: r#"openssl s_client -quiet -connect "$NAME:443" -servername "$NAME""#,
        },
        Self { name: "gnutls-cli", line: r#"gnutls-cli --insecure "$NAME""# },
        Self {
            name: "python ssl",
            line: r#"/usr/bin/python3 -I -c '
import os, socket, ssl, sys
name, how = os.environ["NAME"], ssl.create_default_context()
how.check_hostname, how.verify_mode = False, ssl.CERT_NONE
with how.wrap_socket(socket.create_connection((name, 443)), server_hostname=name) as wire:
    wire.sendall(sys.stdin.readline().encode() + b"\r\n")
    while said := wire.recv(65536): print(said.decode())
'"#,
        },
    ];

    /// Asks the edge under a name for its page, from the peer.
    ///
    /// *Errors*: it can't be started. That it fails is in the outcome.
    pub fn ask(self, lab: &Lab, name: &str) -> Result<Outcome> {
        let hosts = lab.dir.path().join("hosts");
        fs::write(&hosts, format!("127.0.0.1 localhost\n{EDGE} {name}\n"))?;
        let mut shell = lab.at_peer("unshare");
        shell.args(["--mount", "timeout", "-k", "5", PATIENCE_S, "sh", "-ec"]);
        shell.arg(format!("mount --bind \"$HOSTS\" /etc/hosts\n{}", self.line));
        shell.env("HOSTS", hosts).env("NAME", name).env("HOME", lab.dir.path());
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = shell.spawn()?;
        // Some hang up when their input ends: it stays open until they do.
        let mut input = child.stdin.take().context("no input")?;
        input.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
        let output = child.wait_with_output()?;
        Ok(Outcome {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

/// Long against what a page takes.
const PATIENCE_S: &str = "10";
