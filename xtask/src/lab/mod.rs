//! A small internet on one machine: a server to protect, clients, and what lies between.
//!
//! Everything here expects to run inside [`crate::isolate`]'s namespaces and leaves the
//! cleaning-up to their end.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::clock;
use client::{Answer, Manner};

pub(crate) mod client;
mod errand;
pub(crate) mod filter;
pub(crate) mod flood;
mod listener;
mod network;
mod process;
mod server;
mod site;
pub(crate) mod visitor;

pub(crate) use errand::Errand;
pub(crate) use listener::Listener;
pub(crate) use network::{
    EDGE_V4, ELSEWHERE_V6, INTERFACE, OFFICE_V4, OFFICE_V6, elsewhere, host, lodge, set_mtu,
    speak_as,
};
pub(crate) use process::Process;
pub(crate) use server::{CERTIFICATE, NAME};
pub(crate) use site::Site;

/// The lab, up and serving.
pub(crate) struct Lab {
    folder: PathBuf,
    server: Process,
}

impl Lab {
    /// Makes networks, certificate and server, and waits until the server answers.
    ///
    /// # Errors
    ///
    /// If a part can't be made, or the server doesn't come up.
    pub(crate) fn set_up() -> Result<Self> {
        Self::with_site(server::CONFIG)
    }

    /// The same with another configuration of nginx, whose paths are relative to the lab's
    /// folder.
    pub(crate) fn with_site(nginx: &str) -> Result<Self> {
        let folder = PathBuf::from(FOLDER);
        fs::create_dir_all(&folder).with_context(|| format!("can't make {FOLDER}"))?;
        network::set_up().context("can't make the lab's networks")?;
        let server = server::start(&folder, nginx).context("can't start the lab's server")?;
        let lab = Self { folder, server };
        clients().iter().try_for_each(|(site, source)| lab.wait_until_served(*site, source))?;
        Ok(lab)
    }

    /// Addresses and routes are there, but the kernel may still be learning neighbours.
    fn wait_until_served(&self, site: Site, source: &str) -> Result<()> {
        clock::poll("the lab's networks carrying traffic", NETWORK_READY, || {
            let answer = client::curl(self, site, source, Manner::Unknown)?;
            Ok((answer == Answer::Page).then_some(()))
        })
    }

    /// A folder that only the lab sees and that vanishes with it.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes the edge's IPv6 address away from its name: small MTUs have no IPv6.
    pub(crate) fn leave_ipv6(&self) -> Result<()> {
        server::write_hosts(&self.folder, &[EDGE_V4])
    }

    /// Pages that each client has got up to now.
    pub(crate) fn pages(&self) -> Result<BTreeMap<String, usize>> {
        server::pages(&self.folder).context("can't read the server's access log")
    }

    /// The end of the server's own log, for a reader who looks for a fault.
    pub(crate) fn server_log(&self) -> String {
        self.server.log_tail()
    }
}

/// A client per site and family.
pub(crate) fn clients() -> [(Site, String); 4] {
    [
        (Site::Office, OFFICE_V4.to_owned()),
        (Site::Office, OFFICE_V6.to_owned()),
        (Site::Elsewhere, elsewhere(host::NEIGHBOUR)),
        (Site::Elsewhere, ELSEWHERE_V6.to_owned()),
    ]
}

const NETWORK_READY: Duration = Duration::from_secs(10);

/// Below `/run`, which is a private file system here.
const FOLDER: &str = "/run/lab";
