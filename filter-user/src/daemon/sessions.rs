//! Operators aren't locked out: who manages this host is on the allowlist for as long as he does.

use super::engine::Engine;
use super::lists::refused;
use crate::clock::Now;
use crate::control::handle::Refusal;
use crate::policy::ALLOW_LIST;
use crate::policy::note::Note;
use crate::session::{Connection, sockets};
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::thread;
use std::time::Duration;
use tokio::sync::mpsc;

/// What the allowlist says of its entries that are ours. Whoever writes the same of an entry gives
/// it to us.
const COMMENT: &str = "management session";

/// How long an entry lasts if no daemon renews it.
const LASTS_S: u64 = 3600;

/// How often connections are looked at.
const EVERY: Duration = Duration::from_secs(10);

/// What the kernel said of connections to management ports, and when.
#[derive(Debug)]
pub(super) struct Looked {
    connections: io::Result<Vec<Connection>>,
    at_ms: u64,
}

impl Looked {
    /// Asks the kernel.
    pub(super) fn now(ports: &[NonZeroU16]) -> Self {
        let at_ms = Now::read().ktime_ns / 1_000_000;
        Self { connections: sockets::established(ports), at_ms }
    }
}

/// Looks at connections from now on, beside everything else: the kernel walks through all of its
/// sockets for that.
///
/// *Concurrency*: the thread ends when what is given back is dropped.
///
/// *Errors*: a thread can't be started.
pub(super) fn watch(ports: Vec<NonZeroU16>) -> io::Result<mpsc::Receiver<Looked>> {
    let (sender, looked) = mpsc::channel(1);
    let look = move || {
        while !ports.is_empty() {
            thread::sleep(EVERY);
            if sender.blocking_send(Looked::now(&ports)).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().name("sessions".into()).spawn(look)?;
    Ok(looked)
}

impl Engine {
    /// Takes in a look; `None` if there won't be any more.
    pub(super) fn handle_look(&mut self, looked: Option<Looked>, now: Now) {
        match looked {
            Some(looked) => self.handle_sessions(looked, now),
            None if self.config.management.ports.is_empty() => {}
            None => tracing::error!(
                "management sessions aren't looked at any more: restart the daemon to be sure that \
                 you aren't locked out"
            ),
        }
    }

    /// Takes in which connections to management ports there are.
    pub(super) fn handle_sessions(&mut self, looked: Looked, now: Now) {
        let connections = match looked.connections {
            Ok(connections) => connections,
            Err(error) => {
                // Entries that are there stay until they end.
                if !std::mem::replace(&mut self.is_blind_to_sessions, true) {
                    tracing::warn!(
                        %error,
                        "management sessions can't be seen: nobody is kept from locking himself out"
                    );
                }
                return;
            }
        };
        self.is_blind_to_sessions = false;
        let peers = self.sessions.look(connections, looked.at_ms);
        if let Err(error) = self.allow_sessions(&peers, now) {
            tracing::error!(%error, "management sessions can't be put on the allowlist");
        }
    }

    /// Puts peers on the allowlist, and takes those off that were there for the same reason. What an
    /// operator said of an address stands.
    fn allow_sessions(&mut self, peers: &BTreeSet<IpAddr>, now: Now) -> Result<(), Refusal> {
        let now_s = now.unix_ms / 1000;
        let ends_s = now_s + LASTS_S;
        let entries = &self.named(ALLOW_LIST)?.entries;
        let ours = entries.iter().filter(|(_, note)| &*note.comment == COMMENT);
        let gone: Vec<IpNet> = ours
            .map(|(prefix, _)| prefix)
            .filter(|prefix| !peers.contains(&prefix.addr()))
            .collect();
        let fits = |prefix: &IpNet| {
            entries.get(prefix).is_some_and(|note| {
                &*note.comment != COMMENT || note.expires_unix_s > now_s + LASTS_S / 2
            })
        };
        let wanted = peers.iter().map(|peer| IpNet::from(*peer));
        let wanted: Vec<IpNet> = wanted.filter(|prefix| !fits(prefix)).collect();
        if gone.is_empty() && wanted.is_empty() {
            return Ok(());
        }
        let fresh: Vec<_> =
            wanted.iter().filter(|prefix| entries.get(prefix).is_none()).copied().collect();
        let prefixes: Vec<_> = gone.iter().chain(&wanted).copied().collect();
        let note = Note {
            expires_unix_s: ends_s,
            added_unix_ms: now.unix_ms,
            shadow: false,
            comment: COMMENT.into(),
        };
        let leave = gone.iter().map(|prefix| (*prefix, None));
        let enter = wanted.iter().map(|prefix| (*prefix, Some(&note)));
        let changes: Vec<_> = leave.chain(enter).collect();
        // Not on disk: a new daemon looks for itself.
        let before = self.edit(ALLOW_LIST, &changes);
        let done = self.prepare(&prefixes, now).and_then(|prepared| self.release(prepared));
        if done.is_err() {
            let before: Vec<_> =
                before.iter().map(|(prefix, note)| (*prefix, note.as_ref())).collect();
            self.edit(ALLOW_LIST, &before);
        }
        done.map_err(refused)?;
        for prefix in &fresh {
            self.tell_list(ALLOW_LIST, &format!("{prefix} added: {COMMENT}"));
        }
        for prefix in &gone {
            self.tell_list(ALLOW_LIST, &format!("{prefix} removed: its {COMMENT} has ended"));
        }
        Ok(())
    }
}
