//! nginx on the edge, from the lab's own configuration.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};

use super::network::{EDGE_V4, EDGE_V6};
use super::{Process, Site};
use crate::{clock, exec};

/// Starts nginx in the edge's namespace and waits until it accepts connections.
pub(super) fn start(folder: &Path, config: &str) -> Result<Process> {
    certificate(folder)?;
    name_for_the_edge(folder)?;
    fs::write(folder.join("nginx.conf"), config)?;
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
    write_hosts(folder, &[EDGE_V4, EDGE_V6])?;
    let hosts = folder.join("hosts");
    exec::stdout_of(exec::command("mount").arg("--bind").arg(&hosts).arg("/etc/hosts"))?;
    Ok(())
}

/// Says which addresses the edge's name has from now on.
pub(super) fn write_hosts(folder: &Path, addresses: &[&str]) -> Result<()> {
    let lines = addresses.iter().map(|address| format!("{address} {NAME}\n"));
    let text = format!("127.0.0.1 localhost\n{}", lines.collect::<String>());
    fs::write(folder.join("hosts"), text)?;
    Ok(())
}

/// Pages that each client has got, by the server's own log.
pub(super) fn pages(folder: &Path) -> Result<BTreeMap<String, usize>> {
    let log = fs::read_to_string(folder.join("access.log"))?;
    let mut pages = BTreeMap::new();
    for client in log.lines().filter_map(|line| line.strip_suffix(" 200")) {
        *pages.entry(client.to_owned()).or_default() += 1;
    }
    Ok(pages)
}

fn is_listening() -> bool {
    let listed = exec::stdout_of(Site::Edge.command("ss").args(["-Hltn", "sport = :443"]));
    listed.is_ok_and(|listed| listed.lines().count() == 2)
}

/// The edge's name in URLs and in the certificate.
pub(crate) const NAME: &str = "edge.example";

/// The certificate, in the lab's folder.
pub(crate) const CERTIFICATE: &str = "cert.pem";

/// Nothing of the host's own nginx: no include, no path outside of the lab's folder.
pub(super) const CONFIG: &str = include_str!("nginx.conf");
