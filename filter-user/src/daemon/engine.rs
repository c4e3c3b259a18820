//! The engine: what the daemon knows, and what it does about it.

use crate::classify::{Classifier, HelloSeen, Request, Rule, Sanction, Settings};
use crate::clock::Now;
use crate::config::{Action, Config, HostMode};
use crate::control::api::{Event, Hellos};
use crate::datapath::Datapath;
use crate::datapath::maps::Maps;
use crate::fingerprint::{Assembler, Outcome, Segment};
use crate::policy::{AddressPolicy, Change};
use crate::store::{Saved, Store, Write};
use crate::verdict::{Verdict, VerdictAction, VerdictBook, VerdictSource, client_of, prefix_of};
use aya::maps::MapError;
use bytes::Bytes;
use filter_common::abi::client::ClientKey;
use filter_common::abi::config::HostConfig;
use filter_common::gcra::Limit;
use std::collections::HashMap;
use tokio::sync::broadcast;

/// Everything that the daemon owns.
pub(super) struct Engine {
    pub(super) config: Config,
    /// `None` once the filter was taken off.
    pub(super) datapath: Option<Datapath>,
    pub(super) store: Store,
    pub(super) policy: AddressPolicy,
    pub(super) verdicts: VerdictBook,
    pub(super) classifier: Classifier,
    pub(super) hellos: Hellos,
    pub(super) events: broadcast::Sender<Event>,
    pub(super) started: Now,
    mode: HostMode,
    assembler: Assembler,
}

/// Events that a slow reader may lag behind.
const EVENTS: usize = 1024;

impl Engine {
    /// An engine that knows nothing yet.
    pub(super) fn new(config: Config, datapath: Datapath, store: Store) -> Self {
        let classifier = Classifier::new(settings(&config), std::collections::BTreeMap::new());
        Self {
            mode: config.mode,
            config,
            datapath: Some(datapath),
            store,
            policy: AddressPolicy::default(),
            verdicts: VerdictBook::default(),
            classifier,
            hellos: Hellos::default(),
            events: broadcast::channel(EVENTS).0,
            started: Now::default(),
            assembler: Assembler::default(),
        }
    }

    /// Takes in what was stored, and makes the kernel agree with it.
    ///
    /// *Errors*: the kernel's.
    pub(super) fn restore(
        &mut self,
        saved: Saved,
        mode: Option<HostMode>,
        now: Now,
    ) -> Result<(), MapError> {
        self.started = now;
        self.mode = mode.or(saved.mode).unwrap_or(self.config.mode);
        for (list, prefix, entry) in saved.entries {
            self.policy.add(list, prefix, entry);
        }
        for (ja4, rule) in saved.rules {
            let rule = Rule { lasts: rule.lasts(), comment: rule.comment };
            self.classifier.add_rule(ja4, rule);
        }
        self.restore_policy()?;
        self.restore_verdicts(saved.verdicts, now)?;
        self.write_config()
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

    fn write_config(&mut self) -> Result<(), MapError> {
        let limits = &self.config.limits;
        let limits = [limits.packets.limit(), limits.connections.limit(), limits.throttle.limit()];
        let mode = match self.mode {
            HostMode::Monitor => HostConfig::MONITOR,
            HostMode::Enforce => HostConfig::ENFORCE,
        };
        let maps = self.maps()?;
        // An earlier daemon's secret stays: the flows in the kernel are keyed by it.
        let secret = match maps.config()?.secret {
            0 => rand::random(),
            secret => secret,
        };
        maps.set_config(HostConfig { mode, reserved: 0, secret, limits })
    }

    /// Compares the kernel's table with the lists, and mends the differences.
    fn restore_policy(&mut self) -> Result<(), MapError> {
        let wanted: HashMap<_, _> = self.policy.compiled().collect();
        let maps = self.maps()?;
        let present: HashMap<_, _> = maps.classes()?.into_iter().collect();
        for (prefix, class) in &wanted {
            if present.get(prefix) != Some(class) {
                maps.set_class(prefix, *class)?;
            }
        }
        for prefix in present.keys().filter(|prefix| !wanted.contains_key(*prefix)) {
            maps.clear_class(prefix)?;
        }
        Ok(())
    }

    /// The store knows why, the kernel knows what is in force: a verdict that only the
    /// kernel has is kept, one that only the store has is made again.
    fn restore_verdicts(
        &mut self,
        saved: Vec<(ipnet::IpNet, Verdict)>,
        now: Now,
    ) -> Result<(), MapError> {
        for (client, kernel) in self.maps()?.verdicts()? {
            let ends = now.unix_ms_of(kernel.expires_ns);
            if kernel.expires_ns > now.ktime_ns {
                let _ = self.verdicts.set(client, Verdict::from_kernel(&kernel, ends));
            } else {
                self.maps()?.clear_verdict(client)?;
            }
        }
        for (prefix, verdict) in saved {
            if verdict.expires_unix_ms > now.unix_ms {
                self.enforce(client_of(prefix.addr()), verdict, now)?;
            }
        }
        Ok(())
    }

    /// Puts a verdict into the book and into the kernel. `false` when there is no room.
    pub(super) fn enforce(
        &mut self,
        client: ClientKey,
        verdict: Verdict,
        now: Now,
    ) -> Result<bool, MapError> {
        let kernel = verdict.to_kernel(now.ktime_of(verdict.expires_unix_ms));
        if self.verdicts.set(client, verdict).is_err() {
            self.hellos.verdicts_refused += 1;
            return Ok(false);
        }
        let written = self.maps()?.set_verdict(client, kernel);
        written.inspect_err(|_| drop(self.verdicts.remove(&client)))?;
        Ok(true)
    }

    pub(super) fn apply(&mut self, changes: &[Change]) -> Result<(), MapError> {
        let maps = self.maps()?;
        for change in changes {
            match change {
                Change::Set(prefix, class) => maps.set_class(prefix, *class)?,
                Change::Clear(prefix) => maps.clear_class(prefix)?,
            }
        }
        Ok(())
    }

    /// Takes in segments from the ring buffer.
    pub(super) fn handle_records(&mut self, records: &[Bytes], now: Now) {
        for record in records {
            match Segment::from_record(record) {
                Ok(segment) => self.assembler.handle_segment(&segment),
                Err(error) => tracing::error!(%error, "kernel and daemon disagree about records"),
            }
        }
        self.handle_outcomes(now);
    }

    fn handle_outcomes(&mut self, now: Now) {
        let mut made = Vec::new();
        while let Some(outcome) = self.assembler.poll_outcome() {
            made.extend(self.handle_outcome(&outcome, now));
        }
        self.remember(&made);
    }

    /// Clears away what has ended.
    pub(super) fn handle_tick(&mut self, now: Now) {
        self.assembler.expire(now.ktime_ns);
        self.handle_outcomes(now);
        let ended = self.verdicts.expire(now.unix_ms);
        for client in &ended {
            self.tell(now, "verdict", Some(prefix_of(client).to_string()), "ended".into());
            if let Err(error) = self.maps().and_then(|maps| maps.clear_verdict(*client)) {
                tracing::warn!(%error, "an ended verdict stays in the kernel, which ignores it");
            }
        }
        let writes = ended.iter().map(|client| Write::Verdict(prefix_of(client), None));
        self.commit_later(writes.collect());
    }

    /// Writes down verdicts that the classifier made. They are in force already, and
    /// after a crash the kernel still has them.
    fn remember(&mut self, made: &[ClientKey]) {
        let verdicts = made.iter().filter_map(|client| {
            let verdict = self.verdicts.get(client, 0)?;
            Some(Write::Verdict(prefix_of(client), Some(verdict)))
        });
        let writes: Vec<_> = verdicts.collect();
        if !writes.is_empty()
            && let Err(error) = self.store.commit(writes)
        {
            tracing::error!(%error, "verdicts can't be stored; a reboot would lose them");
        }
    }

    fn commit_later(&self, writes: Vec<Write>) {
        if !writes.is_empty()
            && let Err(error) = self.store.commit(writes)
        {
            tracing::error!(%error, "the store can't be written");
        }
    }

    /// What became of a hello. Returns the client if a verdict was made.
    fn handle_outcome(&mut self, outcome: &Outcome, now: Now) -> Option<ClientKey> {
        let address = outcome.flow.source.ip();
        let hello = match &outcome.result {
            Ok(hello) => hello,
            Err(cause) => {
                self.hellos.unfingerprintable += 1;
                let text = format!("a ClientHello could not be put together: {cause}");
                self.tell(now, "unfingerprintable", Some(address.to_string()), text);
                return None;
            }
        };
        let proven = outcome.proven || !self.config.classify.require_socket;
        self.hellos.fingerprinted += 1;
        self.hellos.unproven += u64::from(!proven);
        let (ja4, ja3) =
            (hello.fingerprint.ja4.to_string(), hello.fingerprint.ja3.to_string());
        let sni = hello.sni.as_deref();
        let text = format!("{ja4} for {}{}", sni.unwrap_or("no name"), unproven(proven));
        self.tell(now, "hello", Some(address.to_string()), text);
        let client = client_of(address);
        let alpn = hello.alpn.as_deref();
        let seen = HelloSeen { client, ja4: &ja4, ja3: &ja3, sni, alpn, proven };
        let request = self.classifier.handle_hello(&seen, now.ktime_ns, now.unix_ms)?;
        self.carry_out(request, now)
    }

    fn carry_out(&mut self, request: Request, now: Now) -> Option<ClientKey> {
        let Request { client, sanction, lasts, reason, by_rule } = request;
        let mode = self.config.classify.mode.mode()?;
        let action = match sanction {
            Sanction::Block => VerdictAction::Block,
            Sanction::Throttle => VerdictAction::Throttle,
            Sanction::Watch => return None,
        };
        let source =
            if by_rule { VerdictSource::FingerprintRule } else { VerdictSource::Classifier };
        let shadow = mode == filter_common::abi::Mode::SHADOW && !by_rule;
        // An operator's word stands; a verdict that already does as much is kept.
        let present = self.verdicts.get(&client, now.unix_ms);
        if present.is_some_and(|v| v.source == VerdictSource::Operator || v.action == action) {
            return None;
        }
        let expires_unix_ms = now.unix_ms_after(lasts);
        let text = format!("{}: {reason}", action_name(action));
        let verdict = Verdict { action, shadow, source, reason, expires_unix_ms };
        match self.enforce(client, verdict, now) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => {
                tracing::error!(%error, "the kernel refused a verdict");
                return None;
            }
        }
        self.tell(now, "verdict", Some(prefix_of(&client).to_string()), text);
        Some(client)
    }

    /// Tells whoever watches.
    pub(super) fn tell(&self, now: Now, kind: &str, subject: Option<String>, text: String) {
        // Nobody may be watching.
        let _ =
            self.events.send(Event { unix_ms: now.unix_ms, kind: kind.to_owned(), subject, text });
    }
}

const fn unproven(proven: bool) -> &'static str {
    if proven { "" } else { " (sender not proven)" }
}

/// An action's name.
pub(super) const fn action_name(action: VerdictAction) -> &'static str {
    match action {
        VerdictAction::Block => "block",
        VerdictAction::Throttle => "throttle",
    }
}

fn settings(config: &Config) -> Settings {
    let classify = &config.classify;
    let fingerprints = classify.fingerprints.iter();
    Settings {
        tool: sanction(classify.tool_action),
        library: sanction(classify.library_action),
        fingerprints: fingerprints.map(|(ja4, action)| (ja4.clone(), sanction(*action))).collect(),
        handshakes: Limit::new(classify.handshake_per_sec.get(), classify.handshake_burst.get()),
        lasts: classify.verdict_for,
    }
}

const fn sanction(action: Action) -> Sanction {
    match action {
        Action::Block => Sanction::Block,
        Action::Throttle => Sanction::Throttle,
        Action::Watch => Sanction::Watch,
    }
}
