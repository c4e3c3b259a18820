//! Access logs: what is read of them, joined with hellos.

use super::engine::Engine;
use crate::access_log::join::{Hello, Join, Joined};
use crate::access_log::{Change, Pulse};
use crate::clock::Now;
use crate::config::Log;
use crate::control::api;
use crate::fingerprint::Outcome;
use crate::logs::{Batch, State};

/// All logs, and the hellos that their requests may belong to. Without logs nothing is kept.
#[derive(Debug)]
pub(super) struct AccessLogs {
    join: Join,
    logs: Vec<Followed>,
}

/// A log, and what came of it.
#[derive(Debug, Default)]
struct Followed {
    pulse: Pulse,
    state: State,
}

impl AccessLogs {
    pub(super) fn new(logs: &[Log]) -> Self {
        let ports = logs.iter().map(|log| log.ports.clone()).collect();
        Self { join: Join::new(ports), logs: logs.iter().map(|_| Followed::default()).collect() }
    }

    /// Takes in what became of a hello.
    pub(super) fn handle_hello(&mut self, outcome: &Outcome, proven: bool, now: Now) {
        let time_unix_ms = now.unix_ms_before(outcome.time_ns);
        let (client, server) = (outcome.flow.source, outcome.flow.destination);
        if !proven {
            return self.join.handle_unproven(client, server, time_unix_ms);
        }
        for log in self.join.logs_of(server.port()) {
            if let Some(followed) = self.logs.get_mut(log) {
                followed.pulse.handle_hello();
            }
        }
        self.join.handle_hello(Hello::of(outcome, time_unix_ms));
    }
}

impl Engine {
    /// Takes in what was read of a log.
    pub(super) fn handle_log(&mut self, batch: Batch, now: Now) {
        let Some(followed) = self.access_logs.logs.get_mut(batch.log) else {
            return;
        };
        let pulse = &mut followed.pulse;
        let change = pulse.handle_lines(batch.lines, batch.malformed, batch.lost, now.unix_ms);
        pulse.last_error = batch.last_error.or(pulse.last_error);
        let fared = std::mem::replace(&mut followed.state, batch.state);
        let mut all = Vec::with_capacity(batch.requests.len());
        for request in batch.requests {
            pulse.handle_request(request.time_unix_ms, now.unix_ms);
            let joined = self.access_logs.join.handle_request(batch.log, request);
            pulse.handle_joined(joined.hello.is_some());
            all.push(joined);
        }
        self.tell_source(batch.log, &fared, now);
        self.tell_pulse(batch.log, change, now);
        for joined in &all {
            self.handle_request(joined, now);
        }
    }

    /// Notices logs that stopped.
    pub(super) fn tend_logs(&mut self, now: Now) {
        for log in 0..self.access_logs.logs.len() {
            let followed = self.access_logs.logs.get_mut(log);
            let change = followed.and_then(|followed| followed.pulse.tend(now.unix_ms));
            self.tell_pulse(log, change, now);
        }
    }

    /// Takes in a request, with its hello if that is known. Each request of each log comes here
    /// once, and in the order of its log.
    ///
    /// What a log says is the server's word, and what is in it mostly the client's: nothing here
    /// is about another address than the one that the server saw.
    fn handle_request(&mut self, joined: &Joined, now: Now) {
        if self.is_allowed(joined.request.address, now) {
            return;
        }
        let port = self.config.logs.get(joined.log).and_then(|log| log.ports.first());
        let port = port.map_or(0, |port| port.get());
        let decisions = self.detector.handle_request(joined, port, now.unix_ms);
        self.carry_out(&decisions, now);
    }

    fn tell_pulse(&self, log: usize, change: Option<Change>, now: Now) {
        let text = match change {
            None => return,
            Some(Change::Stopped) => "it has stopped: hellos come, and no lines any more",
            Some(Change::GoesOn) => "lines come again",
        };
        tracing::warn!(log = self.log_name(log), "{text}");
        self.tell(now, "log", Some(self.log_name(log).to_owned()), text.into());
    }

    /// Tells how a log's source fares, if that has changed.
    fn tell_source(&self, log: usize, before: &State, now: Now) {
        let state = self.access_logs.logs.get(log).map(|followed| &followed.state);
        let name = self.log_name(log);
        let Some(state) = state.filter(|state| *state != before) else {
            return;
        };
        let text = match state {
            State::Failed(error) => {
                tracing::error!(log = name, error, "a log can't be read; it is tried again");
                format!("it can't be read: {error}")
            }
            State::Reading => {
                tracing::info!(log = name, "a log is read");
                "it is read".into()
            }
            State::Waiting => return,
        };
        self.tell(now, "log", Some(name.to_owned()), text);
    }

    fn log_name(&self, log: usize) -> &str {
        self.config.logs.get(log).map_or("", |log| &log.name)
    }

    pub(super) fn report_logs(&self) -> Vec<api::LogInfo> {
        let logs = self.config.logs.iter().zip(&self.access_logs.logs);
        logs.map(|(log, followed)| info(log, followed)).collect()
    }

    pub(super) fn report_joined(&self) -> api::JoinedInfo {
        let counts = self.access_logs.join.counts();
        api::JoinedInfo {
            connections: counts.connections,
            forgotten: counts.forgotten,
            ambiguous: counts.ambiguous,
        }
    }
}

fn info(log: &Log, Followed { pulse, state }: &Followed) -> api::LogInfo {
    let (state, error) = match state {
        State::Failed(error) => ("failed", Some(error.clone())),
        State::Waiting => ("waiting", None),
        State::Reading if pulse.is_stopped() => ("stopped", None),
        State::Reading => ("reading", None),
    };
    api::LogInfo {
        name: log.name.clone(),
        source: log.source.kind().into(),
        path: log.source.path().display().to_string(),
        format: log.format.name().into(),
        ports: log.ports.clone(),
        state: state.into(),
        error,
        lines: pulse.lines,
        malformed: pulse.malformed,
        last_malformed: pulse.last_error.map(|error| error.to_string()),
        matched: pulse.matched,
        unmatched: pulse.unmatched,
        lost: pulse.lost,
        lag_ms: pulse.lag_ms,
        last_unix_ms: pulse.last_unix_ms,
    }
}
