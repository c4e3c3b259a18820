//! One client after the other, at one MTU.

use std::time::Duration;

use anyhow::{Context, Result};

use super::capture::Capture;
use super::judge::{Row, Visit};
use super::kind::{Kind, version_in};
use super::plan::Plan;
use super::told::{Watch, ja3_of};
use crate::lab::filter::Filter;
use crate::lab::{EDGE_V4, Errand, Lab, Site, set_mtu, speak_as};
use crate::{clock, term};

/// Where clients are tried.
pub(super) struct Scene<'a> {
    pub(super) plan: &'a Plan,
    pub(super) lab: &'a Lab,
    pub(super) filter: &'a Filter,
    pub(super) watch: &'a Watch,
}

impl Scene<'_> {
    /// Lets each client ask at this MTU and judges what was said of it; clients get
    /// addresses whose last numbers follow `host`.
    ///
    /// # Errors
    ///
    /// If the lab fails, or the capture can't be read. That a client fails is in its row.
    pub(super) fn play(&self, mtu: u16, host: u8) -> Result<Vec<Row>> {
        set_mtu(mtu).with_context(|| format!("can't set the MTU {mtu}"))?;
        let capture = Capture::start(self.lab.folder(), &format!("mtu-{mtu}"))?;
        let kinds = self.plan.kinds().zip(host..);
        let visits = kinds.map(|(kind, host)| self.visit(kind, mtu, host));
        let visits = visits.collect::<Result<Vec<Visit>>>()?;
        let hellos = self.plan.oracle.hellos(&capture.finish()?, EDGE_V4, &self.plan.programs)?;
        let pages = self.lab.pages()?;
        let rows = visits.into_iter().map(|visit| {
            let theirs = hellos.iter().filter(|hello| hello.client == visit.address);
            let hellos: Vec<_> = theirs.cloned().collect();
            let told = self.watch.told_of(&visit.address, hellos.len(), ALL_TOLD)?;
            let page = pages.contains_key(&visit.address);
            Ok(Row::new(visit, &hellos, told, page))
        });
        rows.collect()
    }

    /// One client, from an address of its own.
    fn visit(&self, kind: &'static Kind, mtu: u16, host: u8) -> Result<Visit> {
        let address = speak_as(Site::Elsewhere, host)
            .with_context(|| format!("can't add a client {host}"))?;
        let (_, version) = self.run(&format!("{host}-version"), kind.version, SHORT_S)?;
        let version = version_in(&version).unwrap_or("?").to_owned();
        term::status(&format!("MTU {mtu}: {} {version} ...", kind.name));
        let (ended, said) = self.run(&host.to_string(), kind.fetch, LONG_S)?;
        let told = self.watch.told_of(&address, 1, FIRST_TOLD)?;
        let ja3 = ja3_of(self.filter, &told)?;
        let said = format!("{ended}\n{said}");
        Ok(Visit { client: kind.name, browser: kind.browser, version, mtu, address, said, ja3 })
    }

    /// Runs one of a client's lines to its end, or to the end of patience; gives how it
    /// ended and the end of what it said.
    fn run(&self, name: &str, line: &str, patience_s: &str) -> Result<(String, String)> {
        let errand = Errand::new(self.lab, Site::Elsewhere, name, line, patience_s)?;
        let errand = errand.told("TOOLS", &self.plan.tools).told("REQUEST", REQUEST);
        let mut process = errand.start()?;
        let ended = clock::poll("the end of a client", GIVEN_UP, || process.ended())?;
        let ended = match ended.code() {
            Some(TIMED_OUT) => format!("timed out after {patience_s} s"),
            _ => ended.to_string(),
        };
        Ok((ended, process.log_tail()))
    }
}

/// A page for those that only connect, for `printf`.
const REQUEST: &str = r"GET / HTTP/1.0\r\nHost: edge.example\r\n\r\n";

/// The exit code of `timeout` for what it ended.
const TIMED_OUT: i32 = 124;

/// A browser's start takes seconds, on a busy machine tens of them.
const LONG_S: &str = "60";

/// To say a version.
const SHORT_S: &str = "10";

/// After `timeout` has killed the client and all of its group.
const GIVEN_UP: Duration = Duration::from_secs(70);

/// Long against the milliseconds that it takes.
const FIRST_TOLD: Duration = Duration::from_secs(3);

/// Of a hello that comes to no end the daemon tells after ten seconds.
const ALL_TOLD: Duration = Duration::from_secs(13);
