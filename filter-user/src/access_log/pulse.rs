//! Whether a log lives, and what came of it.

use super::LineError;

/// How long a log may be silent before hellos say that it shouldn't be.
const SILENCE_MS: u64 = 30_000;

/// Hellos since the last line that say so: some clients say hello and ask for nothing.
const HELLOS: u64 = 20;

/// What came of a log since the daemon started, and whether it goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Lines that were read.
    pub lines: u64,
    /// Those that are no requests.
    pub malformed: u64,
    /// What was wrong with the last of these.
    pub last_error: Option<LineError>,
    /// Lines that there was no time for.
    pub lost: u64,
    /// Requests whose hello is known.
    pub matched: u64,
    /// Requests whose hello isn't.
    pub unmatched: u64,
    /// How much later than its own time the last request was read.
    pub lag_ms: u64,
    /// When the last line was read.
    pub last_unix_ms: Option<u64>,
    stopped: bool,
    hellos: u64,
}

/// A log that stops or goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Hellos come, and no lines any more.
    Stopped,
    /// Lines come again.
    GoesOn,
}

impl Pulse {
    /// Whether hellos come and lines, which used to come, don't.
    #[must_use]
    pub const fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Takes in how many lines were read, of which how many are no requests, and how many were
    /// lost.
    pub fn handle_lines(
        &mut self,
        lines: u64,
        malformed: u64,
        lost: u64,
        now_unix_ms: u64,
    ) -> Option<Change> {
        self.lines += lines;
        self.malformed += malformed;
        self.lost += lost;
        if lines == 0 && lost == 0 {
            return None;
        }
        self.last_unix_ms = Some(now_unix_ms);
        self.hellos = 0;
        std::mem::take(&mut self.stopped).then_some(Change::GoesOn)
    }

    /// A request was read that has a time of its own.
    pub const fn handle_request(&mut self, time_unix_ms: u64, now_unix_ms: u64) {
        self.lag_ms = now_unix_ms.saturating_sub(time_unix_ms);
    }

    /// A request went on, with or without a hello.
    pub const fn handle_joined(&mut self, matched: bool) {
        if matched {
            self.matched += 1;
        } else {
            self.unmatched += 1;
        }
    }

    /// A hello came to a service of the log.
    pub const fn handle_hello(&mut self) {
        self.hellos = self.hellos.saturating_add(1);
    }

    /// Looks whether the log has stopped. One that never brought a line can't.
    pub fn tend(&mut self, now_unix_ms: u64) -> Option<Change> {
        let silent_ms = now_unix_ms.saturating_sub(self.last_unix_ms?);
        if self.stopped || silent_ms < SILENCE_MS || self.hellos < HELLOS {
            return None;
        }
        self.stopped = true;
        Some(Change::Stopped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_is_silent_while_hellos_come_has_stopped() {
        let mut pulse = Pulse::default();
        (0..100).for_each(|_| pulse.handle_hello());
        assert_eq!(pulse.tend(1_000_000), None, "it never brought a line");
        assert_eq!(pulse.handle_lines(1, 0, 0, 1_000_000), None);
        assert_eq!(pulse.tend(1_000_000 + SILENCE_MS), None, "no hellos, no requests");
        (0..HELLOS).for_each(|_| pulse.handle_hello());
        assert_eq!(pulse.tend(1_000_000 + SILENCE_MS - 1), None);
        assert_eq!(pulse.tend(1_000_000 + SILENCE_MS), Some(Change::Stopped));
        assert_eq!(pulse.tend(1_000_001 + SILENCE_MS), None, "it is said once");
        assert!(pulse.is_stopped());
        assert_eq!(pulse.handle_lines(1, 1, 0, 2_000_000), Some(Change::GoesOn));
        assert!(!pulse.is_stopped());
    }

    #[test]
    fn a_log_whose_lines_are_lost_lives() {
        let mut pulse = Pulse::default();
        pulse.handle_lines(1, 0, 0, 1_000_000);
        (0..HELLOS).for_each(|_| pulse.handle_hello());
        assert_eq!(pulse.handle_lines(0, 0, 9, 1_000_000 + SILENCE_MS), None);
        assert_eq!(pulse.tend(1_000_000 + SILENCE_MS), None);
    }

    #[test]
    fn lag_is_how_late_the_last_request_was_read() {
        let mut pulse = Pulse::default();
        pulse.handle_request(1000, 1250);
        assert_eq!(pulse.lag_ms, 250);
        pulse.handle_request(2000, 1999);
        assert_eq!(pulse.lag_ms, 0);
    }
}
