//! The engine: what the daemon knows, and what it does about it.

use super::evidence::Unfinished;
use super::logs::AccessLogs;
use super::quic::QuicHellos;
use super::saving::{Saving, Unsaved};
use crate::classify::decision::judge::Judge;
use crate::classify::decision::policy::Policy;
use crate::classify::detector::Detector;
use crate::classify::knowledge::Provenance;
use crate::clock::Now;
use crate::config::{Config, HostMode};
use crate::control::api::{Event, Hellos};
use crate::datapath::limits::LimitMaps;
use crate::datapath::maps::Maps;
use crate::datapath::{Datapath, DatapathError};
use crate::limit::LimitBook;
use crate::limit::guard::Guard;
use crate::limit::offence::Offences;
use crate::policy::AddressPolicy;
use crate::rule::RuleBook;
use crate::session::Sessions;
use crate::store::Store;
use crate::verdict::{Verdict, VerdictAction, VerdictBook, prefix_of};
use aya::maps::MapError;
use filter_common::abi::config::HostConfig;
use filter_common::abi::width::VerdictKey;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::broadcast;

/// Everything that the daemon owns.
pub(super) struct Engine {
    pub(super) config: Config,
    /// `None` once the filter was taken off.
    pub(super) datapath: Option<Datapath>,
    pub(super) store: Arc<Store>,
    pub(super) policy: AddressPolicy,
    pub(super) limits: LimitBook,
    pub(super) guard: Guard,
    pub(super) offences: Offences,
    /// Whether the kernel refused the limits as they are now.
    pub(super) limits_pending: bool,
    pub(super) verdicts: VerdictBook,
    pub(super) detector: Detector,
    pub(super) unsaved: Unsaved,
    pub(super) saving: Option<Saving>,
    /// Where the knowledge came from; `None` if the program was shipped with it.
    pub(super) knowledge_from: Option<Provenance>,
    pub(super) rules: RuleBook,
    /// What operators call fingerprints.
    pub(super) labels: BTreeMap<String, String>,
    pub(super) hellos: Hellos,
    pub(super) events: broadcast::Sender<Event>,
    pub(super) started: Now,
    pub(super) mode: HostMode,
    pub(super) unfinished: Unfinished,
    pub(super) quic: QuicHellos,
    pub(super) access_logs: AccessLogs,
    pub(super) sessions: Sessions,
    /// Whether the kernel didn't say what sessions there are.
    pub(super) is_blind_to_sessions: bool,
}

/// Events that a slow reader may lag behind.
const EVENTS: usize = 1024;

impl Engine {
    /// An engine that knows nothing yet.
    pub(super) fn new(config: Config, policy: Policy, datapath: Datapath, store: Store) -> Self {
        let detector = Detector::new(Judge::new(policy, rand::random()));
        let access_logs = AccessLogs::new(&config.logs);
        Self {
            mode: config.mode,
            config,
            datapath: Some(datapath),
            store: Arc::new(store),
            policy: AddressPolicy::default(),
            limits: LimitBook::default(),
            guard: Guard::default(),
            offences: Offences::default(),
            limits_pending: false,
            verdicts: VerdictBook::default(),
            detector,
            unsaved: Unsaved::default(),
            saving: None,
            knowledge_from: None,
            rules: RuleBook::default(),
            labels: BTreeMap::new(),
            hellos: Hellos::default(),
            events: broadcast::channel(EVENTS).0,
            started: Now::default(),
            unfinished: Unfinished::default(),
            quic: QuicHellos::default(),
            access_logs,
            sessions: Sessions::default(),
            is_blind_to_sessions: false,
        }
    }

    /// Attaches the filter, once its maps are filled.
    ///
    /// *Errors*: [`DatapathError`].
    pub(super) fn attach(&mut self, interfaces: &[(String, u32)]) -> Result<(), DatapathError> {
        let Some(datapath) = &mut self.datapath else {
            return Ok(());
        };
        datapath.attach(interfaces)?;
        super::announce(datapath);
        Ok(())
    }

    /// Whether rules act.
    pub(super) const fn mode(&self) -> HostMode {
        self.mode
    }

    /// Whether the filter was taken off.
    pub(super) const fn is_detached(&self) -> bool {
        self.datapath.is_none()
    }

    pub(super) fn maps(&mut self) -> Result<&mut Maps, MapError> {
        let gone = || MapError::InvalidName { name: "the filter was taken off".into() };
        self.datapath.as_mut().map(|datapath| &mut datapath.maps).ok_or_else(gone)
    }

    /// Switches between counting and acting, in the kernel.
    pub(super) fn switch(&mut self, mode: HostMode) -> Result<(), MapError> {
        let before = std::mem::replace(&mut self.mode, mode);
        self.write_config().inspect_err(|_| self.mode = before)
    }

    /// Keys what is hashed, unless an earlier daemon did.
    pub(super) fn write_secret(&mut self) -> Result<(), MapError> {
        let maps = self.maps()?;
        let present = maps.config()?;
        let limit_secrets = [rand::random(), rand::random()];
        maps.set_config(HostConfig { secret: rand::random(), limit_secrets, ..present })
    }

    pub(super) fn limit_maps(&mut self) -> Result<&mut LimitMaps, MapError> {
        let gone = || MapError::InvalidName { name: "the filter was taken off".into() };
        self.datapath.as_mut().map(|datapath| &mut datapath.limits).ok_or_else(gone)
    }

    pub(super) fn write_config(&mut self) -> Result<(), MapError> {
        let mode = match self.mode {
            HostMode::Monitor => HostConfig::MONITOR,
            HostMode::Enforce => HostConfig::ENFORCE,
        };
        let proof = self.config.classify.require_socket;
        let evidence = if proof { HostConfig::SOCKET } else { 0 };
        let rule_kinds = self.rules.kinds();
        let quic_ports = self.config.quic.kernel_ports();
        let config = HostConfig { mode, evidence, rule_kinds, quic_ports, ..HostConfig::default() };
        self.maps()?.set_config(config)
    }

    /// Puts a verdict into the book and into the kernel. `false` when there is no room.
    pub(super) fn enforce(
        &mut self,
        key: VerdictKey,
        verdict: Verdict,
        now: Now,
    ) -> Result<bool, MapError> {
        let kernel = verdict.to_kernel(now.ktime_of(verdict.expires_unix_ms));
        if self.verdicts.set(key, verdict).is_err() {
            self.hellos.verdicts_refused += 1;
            return Ok(false);
        }
        let written = self.maps()?.set_verdict(key, kernel);
        written.inspect_err(|_| drop(self.verdicts.remove(&key)))?;
        Ok(true)
    }

    /// Clears away what has ended.
    pub(super) fn handle_tick(&mut self, now: Now) {
        self.tend_hellos(now);
        self.tend_quic(now);
        self.tend_rules(now);
        self.tend_fingerprints();
        self.tend_logs(now);
        self.tend_policy(now);
        self.tend_limits(now);
        let ended = self.verdicts.expire(now.unix_ms);
        for key in &ended {
            if !self.quic.forgets(key) {
                self.tell(now, "verdict", Some(prefix_of(key).to_string()), "ended".into());
            }
            if let Err(error) = self.maps().and_then(|maps| maps.clear_verdict(*key)) {
                tracing::warn!(%error, "an ended verdict stays in the kernel, which ignores it");
            }
        }
        self.unsaved.verdicts.extend(ended);
        self.tend_saving();
    }

    /// Whether anybody watches.
    pub(super) fn is_watched(&self) -> bool {
        self.events.receiver_count() > 0
    }

    /// Tells whoever watches.
    pub(super) fn tell(&self, now: Now, kind: &str, subject: Option<String>, text: String) {
        // Nobody may be watching.
        let _ =
            self.events.send(Event { unix_ms: now.unix_ms, kind: kind.to_owned(), subject, text });
    }
}

/// An action's name.
pub(super) const fn action_name(action: VerdictAction) -> &'static str {
    match action {
        VerdictAction::Block => "block",
        VerdictAction::Throttle => "throttle",
    }
}
