//! Programs from the distribution.
//!
//! Looked for by what they provide, not by the package's name, so that any distribution
//! will do that has them already; only what is missing asks for apt.

use anyhow::{Result, bail};

use super::services;
use crate::{exec, progress};

/// Something that a package provides.
#[derive(Clone, Copy)]
pub(crate) struct Need {
    package: &'static str,
    proof: Proof,
}

/// How to see that a package's content is there.
#[derive(Clone, Copy)]
enum Proof {
    Program(&'static str),
    /// A module of the distribution's Python: the one on the path may be another.
    PythonModule(&'static str),
}

impl Need {
    const fn program(package: &'static str, program: &'static str) -> Self {
        Self { package, proof: Proof::Program(program) }
    }

    fn is_met(&self) -> bool {
        match self.proof {
            Proof::Program(program) => exec::find(program).is_some(),
            Proof::PythonModule(module) => {
                let import = format!("import {module}");
                exec::succeeds(exec::command("/usr/bin/python3").args(["-c", &import]))
            }
        }
    }
}

/// Servers, clients and tools of the lab.
pub(crate) const LAB: &[Need] = &[
    Need::program("util-linux", "unshare"),
    Need::program("iproute2", "ip"),
    Need::program("procps", "sysctl"),
    Need::program("ethtool", "ethtool"),
    Need::program("openssl", "openssl"),
    Need::program("nginx", NGINX),
    Need::program("curl", "curl"),
    Need { package: "python3-requests", proof: Proof::PythonModule("requests") },
];

/// Further clients that the tests use.
pub(crate) const TESTS: &[Need] = &[
    Need::program("gnutls-bin", "gnutls-cli"),
    Need::program("wget", "wget"),
    Need::program("wrk", "wrk"),
];

/// What boots another kernel with a file system of ours.
pub(crate) const VM: &[Need] = &[
    Need::program("util-linux", "setpriv"),
    Need::program("busybox-static", "busybox"),
    Need::program("cpio", "cpio"),
    Need::program("qemu-system-x86", "qemu-system-x86_64"),
];

/// Installs the packages whose content is missing.
///
/// # Errors
///
/// If something is missing and there is no root or no apt, naming the packages.
pub(crate) fn install(needs: &[Need]) -> Result<()> {
    let missing: Vec<&str> =
        needs.iter().filter(|need| !need.is_met()).map(|need| need.package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if exec::find("apt-get").is_none() {
        bail!("missing, and there is no apt-get: install what your system calls {list}");
    }
    exec::require_root(&format!("installing {list}"))?;
    let had_nginx = exec::find(NGINX).is_some();
    progress::quietly("set-up: apt-get update", exec::command("apt-get").args(["-qq", "update"]))?;
    let name = format!("set-up: installing {list}");
    progress::quietly(&name, &mut services::install_without_starting(&missing))?;
    if !had_nginx && exec::find(NGINX).is_some() {
        services::keep_from_booting(NGINX);
    }
    check(needs)
}

fn check(needs: &[Need]) -> Result<()> {
    match needs.iter().find(|need| !need.is_met()) {
        None => Ok(()),
        Some(need) => bail!("{} is installed, but what it should bring isn't there", need.package),
    }
}

const NGINX: &str = "nginx";
