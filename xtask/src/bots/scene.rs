//! Everybody comes at once, and each does what it came for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result};

use super::actor::{ALL, Actor};
use super::judge::{Row, Visit};
use super::log::{self, Asked};
use super::told::{self, Told};
use crate::clock::{self, Moment};
use crate::lab::filter::Filter;
use crate::lab::{Errand, Lab, Listener, Process, lodge, speak_as};
use crate::term;

/// Where they come.
pub(super) struct Scene<'a> {
    pub(super) lab: &'a Lab,
    pub(super) filter: &'a Filter,
    /// Folder with the virtual environment.
    pub(super) tools: &'a Path,
}

/// An actor that has been started.
struct Guest {
    actor: &'static Actor,
    addresses: Vec<String>,
    process: Process,
    ended: Option<ExitStatus>,
}

impl Scene<'_> {
    /// Lets everybody come and waits for the last one; gives what came of each.
    ///
    /// # Errors
    ///
    /// If the lab fails. That an actor fails is in its row.
    pub(super) fn play(&self) -> Result<Vec<Row>> {
        let old = log::wait_for_reader(self.lab, self.filter)?;
        let listener = Listener::start(self.lab, self.filter)?;
        let guests = ALL.iter().map(|actor| self.start(actor)).collect::<Result<Vec<_>>>()?;
        let guests = self.wait_for(guests)?;
        log::wait_until_read(self.lab, self.filter, old)?;
        let asked = log::read(self.lab)?;
        let rows = guests.into_iter().map(|guest| self.judge(guest, &asked, &listener));
        rows.collect()
    }

    fn start(&self, actor: &'static Actor) -> Result<Guest> {
        let dwell = if actor.by_route { speak_as } else { lodge };
        let hosts = actor.host..actor.host + actor.addresses;
        let addresses = hosts.map(|host| dwell(actor.site, host)).collect::<Result<Vec<_>>>()?;
        let name = actor.name.replace(' ', "-");
        let script = self.lab.folder().join(format!("{name}.py"));
        fs::write(&script, actor.script)?;
        let errand = Errand::new(self.lab, actor.site, &name, actor.line, PATIENCE_S)?;
        let errand = errand.told("TOOLS", self.tools).told("SCRIPT", script);
        let process = errand.told("FROM", addresses.join(" ")).start()?;
        term::status(&format!("{}: {} ...", actor.name, actor.does));
        Ok(Guest { actor, addresses, process, ended: None })
    }

    fn wait_for(&self, mut guests: Vec<Guest>) -> Result<Vec<Guest>> {
        let (start, mut said) = (clock::now(), 0);
        clock::poll("the end of all actors", GIVEN_UP, || {
            for guest in guests.iter_mut().filter(|guest| guest.ended.is_none()) {
                guest.look(start)?;
            }
            if start.elapsed().as_secs() / HEARTBEAT_S > said {
                said += 1;
                self.tell_progress(start, &guests)?;
            }
            Ok(guests.iter().all(|guest| guest.ended.is_some()).then_some(()))
        })?;
        Ok(guests)
    }

    fn tell_progress(&self, start: Moment, guests: &[Guest]) -> Result<()> {
        let asked = log::read(self.lab)?;
        let still = guests.iter().filter(|guest| guest.ended.is_none());
        let still = still.map(|guest| {
            format!("{} ({} requests)", guest.actor.name, guest.asked(&asked).requests)
        });
        let still: Vec<String> = still.collect();
        term::status(&format!("{}: at it: {} ...", clock::since(start), still.join(", ")));
        Ok(())
    }

    fn judge(
        &self,
        guest: Guest,
        asked: &BTreeMap<String, Asked>,
        listener: &Listener,
    ) -> Result<Row> {
        let clients = guest.addresses.iter().map(|address| told::client(self.filter, address));
        let clients = clients.collect::<Result<Vec<_>>>()?;
        let ja4: BTreeSet<String> = clients.iter().flat_map(told::Client::fingerprints).collect();
        let groups = ja4.iter().map(|ja4| told::fingerprint(self.filter, ja4));
        let groups = groups.collect::<Result<Vec<_>>>()?;
        let told = Told::new(clients, groups);
        let whom = guest.addresses.iter().map(|address| format!("{address}/32"));
        let heard = listener.heard()?;
        let first_decision_ms = told::first_decision_ms(&heard, &whom.chain(ja4).collect());
        let visit = Visit {
            actor: guest.actor,
            asked: guest.asked(asked),
            ended: guest.ended.context("it hasn't ended")?,
            said: guest.process.log_tail(),
            addresses: guest.addresses,
        };
        Ok(Row::new(visit, told, first_decision_ms))
    }
}

impl Guest {
    fn look(&mut self, start: Moment) -> Result<()> {
        self.ended = self.process.ended()?;
        if let Some(status) = self.ended {
            let (name, after) = (self.actor.name, clock::since(start));
            term::status(&format!("{name}: ended after {after} with {status}"));
        }
        Ok(())
    }

    /// What all of its addresses have asked for.
    fn asked(&self, asked: &BTreeMap<String, Asked>) -> Asked {
        let of = self.addresses.iter().filter_map(|address| asked.get(address));
        let first_ms = of.clone().map(|asked| asked.first_ms).min().unwrap_or_default();
        Asked { first_ms, requests: of.map(|asked| asked.requests).sum() }
    }
}

/// The visitors need a minute; a browser on a busy machine may need another.
const PATIENCE_S: &str = "120";

/// After `timeout` has killed the last one.
const GIVEN_UP: Duration = Duration::from_secs(130);

const HEARTBEAT_S: u64 = 10;
