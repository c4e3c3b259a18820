//! nginx on the edge, from the lab's own configuration.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};

use super::network::{EDGE_V4, EDGE_V6};
use super::{Process, Site};
use crate::{clock, exec};

/// Starts nginx in the edge's namespace and waits until it accepts connections.
pub(super) fn start(folder: &Path) -> Result<Process> {
    certificate(folder)?;
    name_for_the_edge(folder)?;
    fs::write(folder.join("nginx.conf"), CONFIG)?;
    let program = exec::find("nginx").unwrap_or_else(|| "nginx".into());
    let log = folder.join("nginx.log");
    let mut nginx = Site::Edge.command(program);
    nginx.arg("-p").arg(folder).arg("-c").arg("nginx.conf").arg("-e").arg(&log);
    let mut server = Process::start(&mut nginx, log)?;
    clock::poll("nginx listening", Duration::from_secs(10), || {
        if let Some(status) = server.ended()? {
            bail!("nginx ended with {status}:\n{}", server.log_tail());
        }
        Ok(is_listening().then_some(()))
    })?;
    Ok(server)
}

/// Self-signed; the lab's clients trust it and no other.
fn certificate(folder: &Path) -> Result<()> {
    let names = format!("subjectAltName=DNS:{NAME}");
    let mut openssl = exec::command("openssl");
    openssl
        .current_dir(folder)
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj", &format!("/CN={NAME}"), "-addext", &names])
        .args(["-keyout", "key.pem", "-out", CERTIFICATE]);
    exec::stdout_of(&mut openssl)?;
    Ok(())
}

/// Clients find the edge by its name, as clients do, in a hosts file that only the lab sees.
fn name_for_the_edge(folder: &Path) -> Result<()> {
    let hosts = folder.join("hosts");
    fs::write(&hosts, format!("127.0.0.1 localhost\n{EDGE_V4} {NAME}\n{EDGE_V6} {NAME}\n"))?;
    exec::stdout_of(exec::command("mount").arg("--bind").arg(&hosts).arg("/etc/hosts"))?;
    Ok(())
}

fn is_listening() -> bool {
    let listed = exec::stdout_of(Site::Edge.command("ss").args(["-Hltn", "sport = :443"]));
    listed.is_ok_and(|listed| listed.lines().count() == 2)
}

/// The edge's name in URLs and in the certificate.
pub(super) const NAME: &str = "edge.example";

/// The certificate, in the lab's folder.
pub(super) const CERTIFICATE: &str = "cert.pem";

/// Nothing of the host's own nginx: no include, no path outside of the lab's folder.
const CONFIG: &str = include_str!("nginx.conf");
