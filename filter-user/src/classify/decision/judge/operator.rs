//! What operators ask and say.

use super::row::{Assessed, ClientRow, Row};
use super::{DEFAULT, Judge, Whom, failing_with, network};
use crate::classify::behaviour::count::Count;
use crate::classify::behaviour::distinct::hash;
use crate::classify::behaviour::group::Group;
use crate::classify::behaviour::signals::{About, Look};
use crate::classify::decision::exception::{Exception, Full};
use crate::classify::decision::record::{Key, Record};
use crate::classify::decision::{Decision, Finding};
use crate::classify::judgement::Class;
use filter_common::abi::client::ClientKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// What has to survive a restart.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    /// What was decided about whom.
    pub records: Vec<(Key, Record)>,
    /// What operators excepted.
    pub exceptions: Vec<Exception>,
}

/// What is held of a client at a service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Standing {
    /// The service, as the policy names it.
    pub service: String,
    /// What it is.
    pub class: Class,
    /// What speaks against it now.
    pub findings: Vec<Finding>,
    /// The sum of that, at most 100.
    pub score: u32,
}

/// What is held of all clients with one fingerprint at a service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupStanding {
    /// What they are and do.
    #[serde(flatten)]
    pub standing: Standing,
    /// How many there are, of late; an estimate.
    pub clients: u32,
    /// How many of them belong here, of the last one or two weeks; an estimate.
    pub good: u32,
    /// Requests, halved in an hour.
    pub requests: u32,
    /// Attempts to log in that failed, halved in an hour.
    pub failures: u32,
    /// For how long they have been watched, in milliseconds.
    pub watched_ms: u64,
}

impl Judge {
    /// Lifts all that is in force about somebody, and forgets what led to it.
    pub fn forgive(&mut self, whom: &Whom, now_ms: u64) -> Vec<Decision> {
        match whom {
            Whom::Network(net) => {
                self.clients.retain(|(_, client), _| !network::overlap(&network::of(*client), net));
                self.neighbours.forgive(net);
            }
            Whom::Fingerprint(ja4) => {
                let hash = hash(self.secret, ja4.as_str());
                self.clients.retain(|_, row| row.subject.fingerprint != hash);
                self.groups.retain(|(_, fingerprint), _| *fingerprint != hash);
            }
        }
        self.records.forgive(whom, now_ms)
    }

    /// Forgives, and excepts from now on.
    ///
    /// *Errors*: [`Full`]; nothing was changed.
    pub fn report_false_positive(
        &mut self,
        exception: Exception,
        now_ms: u64,
    ) -> Result<Vec<Decision>, Full> {
        let whom = exception.whom.clone();
        self.exceptions.add(exception, now_ms)?;
        Ok(self.forgive(&whom, now_ms))
    }

    /// What is held of a client now, at each service where it was seen.
    #[must_use]
    pub fn standings(&self, client: ClientKey, now_ms: u64) -> Vec<Standing> {
        let standing = |(number, row): (u16, &ClientRow)| {
            let (mut profile, class) = (row.subject.profile.clone(), row.subject.class());
            profile.age(now_ms);
            let group = self.groups.get(&(number, row.subject.fingerprint));
            let failing = group.and_then(|row| failing_with(&row.subject, &self.policy, now_ms));
            let (failing_together, is_shared) = failing.unzip();
            let look = Look {
                profile: &profile,
                class,
                has_log: self.has_log(number, now_ms),
                failing_together,
                is_shared: is_shared.unwrap_or_default(),
            };
            let Assessed { findings, score } =
                row.marks.clone().assess(&look, About::Client, now_ms);
            Standing { service: self.name(number), class, findings, score }
        };
        self.rows_of(client).map(standing).collect()
    }

    /// What is held of all clients with a fingerprint now, at each service where they were seen.
    #[must_use]
    pub fn group_standings(&self, ja4: &str, now_ms: u64) -> Vec<GroupStanding> {
        let hash = hash(self.secret, ja4);
        let rows =
            self.services().filter_map(|number| Some((number, self.groups.get(&(number, hash))?)));
        let standing = |(number, row): (u16, &Row<Group>)| {
            let mut group = row.subject.clone();
            group.profile.age(now_ms);
            let profile = &group.profile;
            let (class, failing_together) = (group.class(), group.failing_together());
            let look = Look { profile, class, has_log: false, failing_together, is_shared: false };
            let Assessed { findings, score } =
                row.marks.clone().assess(&look, About::Group, now_ms);
            GroupStanding {
                standing: Standing { service: self.name(number), class, findings, score },
                clients: group.clients(),
                good: group.good(),
                requests: profile.counts.of(Count::Requests),
                failures: profile.counts.of(Count::Failures),
                watched_ms: group.watched_ms(now_ms),
            }
        };
        rows.map(standing).collect()
    }

    /// Whether a client behaves as one who belongs here, at any service.
    #[must_use]
    pub fn is_good(&self, client: ClientKey) -> bool {
        self.rows_of(client).any(|(_, row)| row.subject.profile.is_good())
    }

    /// A client at each service where it was seen.
    fn rows_of(&self, client: ClientKey) -> impl Iterator<Item = (u16, &ClientRow)> {
        self.services()
            .filter_map(move |number| Some((number, self.clients.get(&(number, client))?)))
    }

    /// The numbers of all services.
    fn services(&self) -> RangeInclusive<u16> {
        0..=u16::try_from(self.policy.services.len()).unwrap_or(u16::MAX)
    }

    /// Decisions that are new or gone since this was last asked, to be written down.
    pub fn take_changed(&mut self) -> BTreeSet<Key> {
        self.records.take_changed()
    }

    /// What was decided last about somebody at a service.
    #[must_use]
    pub fn record(&self, key: &Key) -> Option<&Record> {
        self.records.get(key)
    }

    /// The records that forgiving somebody takes away.
    #[must_use]
    pub fn about(&self, whom: &Whom) -> Vec<Key> {
        self.records.about(whom)
    }

    /// What was decided last about whom, and how often.
    pub fn records(&self) -> impl Iterator<Item = (&Key, &Record)> {
        self.records.all()
    }

    /// The exceptions that operators made while it ran.
    #[must_use]
    pub fn exceptions(&self) -> &[Exception] {
        self.exceptions.all()
    }

    /// Whether an exception for somebody can be had.
    ///
    /// *Errors*: [`Full`].
    pub fn has_room_for(&self, whom: &Whom, now_ms: u64) -> Result<(), Full> {
        self.exceptions.has_room_for(whom, now_ms)
    }

    /// Takes an exception back; whether there was one.
    pub fn remove_exception(&mut self, whom: &Whom) -> bool {
        self.exceptions.remove(whom)
    }

    /// Takes in what was kept; exceptions beyond their bound are left out.
    pub fn restore(&mut self, saved: Saved, now_ms: u64) {
        for (key, record) in saved.records {
            self.records.restore(&key, record);
        }
        for exception in saved.exceptions {
            if self.exceptions.add(exception, now_ms).is_err() {
                break;
            }
        }
    }

    fn name(&self, number: u16) -> String {
        let index = usize::from(number).checked_sub(1);
        let name = index.and_then(|index| self.policy.services.keys().nth(index));
        name.map_or(DEFAULT, String::as_str).to_owned()
    }
}
