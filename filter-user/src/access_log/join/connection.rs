//! A connection, by the name that logs have for it.

use super::{By, Hello, Matched, REST_MS, Several, TOLERANCE_MS};

/// What is known under a name.
#[derive(Debug)]
pub(super) struct Connection {
    hello: Hello,
    requests: u32,
    /// What seems to be earlier isn't its own.
    from_unix_ms: u64,
    used_unix_ms: u64,
    /// Until when requests may as well be of another connection under the same name, to another
    /// address of the server: logs don't say which.
    shared_until_unix_ms: u64,
}

impl Connection {
    /// A connection with the hello that opened it, and what the name stood for before.
    pub(super) fn new(hello: Hello, former: Option<&Self>) -> Self {
        let time = hello.time_unix_ms;
        let is_other = former.is_some_and(|it| it.hello.fingerprint != hello.fingerprint);
        // In a log of whole seconds its first request seems as early as the former's last ones.
        let tolerance = if is_other { 0 } else { TOLERANCE_MS };
        Self {
            hello,
            requests: 0,
            from_unix_ms: time.saturating_sub(tolerance),
            used_unix_ms: time,
            shared_until_unix_ms: former.map_or(0, |former| former.shares_until(&hello)),
        }
    }

    /// Until when the name stands for this connection as well, beside that of a later hello.
    fn shares_until(&self, later: &Hello) -> u64 {
        let is_elsewhere = self.hello.server.ip() != later.server.ip();
        let until = if is_elsewhere { self.until_unix_ms() } else { 0 };
        until.max(self.shared_until_unix_ms)
    }

    const fn until_unix_ms(&self) -> u64 {
        self.used_unix_ms.saturating_add(REST_MS)
    }

    /// Whether a request of that time may be its own.
    pub(super) const fn may_own(&self, time_unix_ms: u64) -> bool {
        self.from_unix_ms <= time_unix_ms && time_unix_ms <= self.until_unix_ms()
    }

    /// Takes in a request that may be its own.
    ///
    /// *Errors*: [`Several`], if it may as well be another's.
    pub(super) fn handle_request(&mut self, time_unix_ms: u64) -> Result<Matched, Several> {
        self.used_unix_ms = self.used_unix_ms.max(time_unix_ms);
        if time_unix_ms <= self.shared_until_unix_ms {
            let until = time_unix_ms.saturating_add(REST_MS);
            self.shared_until_unix_ms = self.shared_until_unix_ms.max(until);
            return Err(Several);
        }
        self.requests = self.requests.saturating_add(1);
        Ok(Matched { hello: self.hello, by: By::Port, requests: self.requests })
    }
}
