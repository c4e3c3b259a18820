//! Programs from the distribution.
//!
//! Looked for by what they provide, not by the package's name, so that any distribution
//! will do that has them already; only what is missing asks for apt.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::services;
use crate::{exec, progress, term};

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
    PerlModule(&'static str),
}

impl Need {
    /// A package for the sake of one of its programs.
    pub(crate) const fn program(package: &'static str, program: &'static str) -> Self {
        Self { package, proof: Proof::Program(program) }
    }

    /// A package for the sake of a module of the distribution's Python.
    pub(crate) const fn python_module(package: &'static str, module: &'static str) -> Self {
        Self { package, proof: Proof::PythonModule(module) }
    }

    /// A package for the sake of a module of the distribution's Perl.
    pub(crate) const fn perl_module(package: &'static str, module: &'static str) -> Self {
        Self { package, proof: Proof::PerlModule(module) }
    }

    /// The package's name.
    pub(crate) const fn package(&self) -> &'static str {
        self.package
    }

    /// Whether it is there.
    pub(crate) fn is_met(&self) -> bool {
        match self.proof {
            Proof::Program(program) => exec::find(program).is_some(),
            Proof::PythonModule(module) => {
                let import = format!("import {module}");
                exec::succeeds(exec::command("/usr/bin/python3").args(["-c", &import]))
            }
            Proof::PerlModule(module) => {
                exec::succeeds(exec::command("perl").arg(format!("-M{module}")).args(["-e", "1"]))
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
    Need::python_module("python3-requests", "requests"),
];

/// Further clients that the tests use.
pub(crate) const TESTS: &[Need] = &[
    Need::program("gnutls-bin", "gnutls-cli"),
    Need::program("iputils-ping", "ping"),
    Need::program("wget", "wget"),
    Need::program("wrk", "wrk"),
    Need::python_module("python3", "ssl"),
];

/// What looks at real clients in the lab, beside those clients.
pub(crate) const CAPTURE: &[Need] =
    &[Need::program("tcpdump", "tcpdump"), Need::program("coreutils", "timeout")];

/// Bots and visitors, and what their programs need.
pub(crate) const BOTS: &[Need] = &[
    Need::program("hydra", "hydra"),
    Need::program("chromium", "chromium"),
    Need::python_module("python3", "ssl"),
    Need::python_module("python3-venv", "ensurepip"),
    Need::program("coreutils", "timeout"),
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
    let missing = missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if exec::find("apt-get").is_none() {
        bail!("missing, and there is no apt-get: install what your system calls {list}");
    }
    exec::require_root(&format!("installing {list}"))?;
    let had_nginx = exec::find(NGINX).is_some();
    update()?;
    install_packages(&missing)?;
    if !had_nginx && exec::find(NGINX).is_some() {
        services::keep_from_booting(NGINX);
    }
    check(needs)
}

/// Installs what is missing and can be had: all at once, or else one by one.
/// What couldn't be is said; [`Need::is_met`] tells it from the rest.
pub(crate) fn install_if_possible(needs: &[Need]) {
    let Err(error) = install(needs) else {
        return;
    };
    term::status(&format!("{error:#}"));
    if exec::find("apt-get").is_some() {
        let errors = missing(needs).into_iter().filter_map(|one| install_packages(&[one]).err());
        errors.for_each(|error| term::status(&format!("{error:#}")));
    }
}

/// Names of packages, each once.
fn missing(needs: &[Need]) -> Vec<&'static str> {
    let missing = needs.iter().filter(|need| !need.is_met()).map(Need::package);
    missing.collect::<BTreeSet<_>>().into_iter().collect()
}

fn update() -> Result<()> {
    let mut update = exec::command("apt-get");
    progress::quietly("set-up: apt-get update", update.args(["-qq", "update"]))?;
    Ok(())
}

fn install_packages(packages: &[&str]) -> Result<()> {
    let name = format!("set-up: installing {}", packages.join(" "));
    progress::quietly(&name, &mut services::install_without_starting(packages))?;
    Ok(())
}

fn check(needs: &[Need]) -> Result<()> {
    match needs.iter().find(|need| !need.is_met()) {
        None => Ok(()),
        Some(need) => bail!("{} is installed, but what it should bring isn't there", need.package),
    }
}

const NGINX: &str = "nginx";
