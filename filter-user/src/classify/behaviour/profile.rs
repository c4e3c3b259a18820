//! What one client, or all clients with one fingerprint, have done of late.

use super::agent::{claimed, claimed_system, is_at_odds};
use super::count::{Count, Counts};
use super::distinct::{Distinct, hash};
use super::pace::Pace;
use super::rush::Rush;
use super::seen::{Field, Request, Seen, Sni, What};
use super::sequence::Sequence;
use crate::classify::family::Family;

/// How an attempt to log in ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// With the account.
    Passed,
    /// Without.
    Failed,
}

/// A summary that doesn't grow.
///
/// *Shape*: under 900 bytes. Counters halve in an hour, sketches hold the last hour or two.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// How much of each.
    pub counts: Counts,
    /// Paths that were asked for.
    pub paths: Distinct,
    /// Accounts that nobody got into.
    pub failed_accounts: Distinct,
    /// Accounts that somebody got into.
    pub passed_accounts: Distinct,
    /// `User-Agent`s.
    pub agents: Distinct,
    /// Names that hellos asked for.
    pub names: Distinct,
    /// A client's fingerprints, or a fingerprint's clients.
    pub others: Distinct,
    /// How fast new paths are asked for.
    pub rush: Rush,
    /// Intervals between requests.
    pub requests: Pace,
    /// Intervals between handshakes.
    pub handshakes: Pace,
    path_numbers: Sequence,
    account_numbers: Sequence,
}

impl Profile {
    /// Lets time pass.
    pub fn age(&mut self, now_ms: u64) {
        self.counts.age(now_ms);
        for distinct in self.sketches() {
            distinct.age(now_ms, HOUR_MS);
        }
    }

    /// Takes in what was done. `other` is the fingerprint or the client, hashed.
    ///
    /// A name that got in counts only where the log's user is whom the server let in, not whom
    /// the client says it is: `is_sure`.
    pub fn handle(
        &mut self,
        seen: &Seen<'_>,
        login: Option<Login>,
        other: u64,
        (secret, is_sure): (u64, bool),
    ) {
        self.age(seen.at_ms);
        self.others.insert(other);
        match &seen.what {
            What::Handshake(sni) => self.handle_handshake(sni, seen.at_ms, secret),
            What::Request(request) => {
                self.requests.handle(seen.at_ms);
                self.handle_request(request, seen.at_ms, secret);
                self.handle_claim(request, seen);
                if let Some(login) = login {
                    self.handle_login(login, request.account, (secret, is_sure));
                }
            }
        }
    }

    /// Whether it behaves as one who belongs here: it got in and hardly ever failed to, or
    /// it asks for what there is and tries no accounts.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let of = |count| self.counts.of(count);
        let gets_in = of(Count::Successes) > 0 && of(Count::Failures) <= of(Count::Successes);
        let reads = of(Count::Tries) == 0
            && of(Count::Requests) >= 10
            && self.counts.reaches(Count::Fine, 10, 80, Count::Requests);
        gets_in || reads
    }

    /// Whether many people get in through it: an office, a proxy, a CDN.
    #[must_use]
    pub fn is_crowd(&self) -> bool {
        self.passed_accounts.estimate() >= CROWD
    }

    /// Forgets what was held against it, not who got in, nor how many programs came.
    pub fn spend(&mut self) {
        self.counts.clear();
        let kept = [&mut self.passed_accounts, &mut self.agents].map(std::mem::take);
        self.sketches().into_iter().for_each(Distinct::clear);
        [self.passed_accounts, self.agents] = kept;
        self.rush = Rush::default();
        (self.requests, self.handshakes) = Default::default();
    }

    fn handle_handshake(&mut self, sni: &Sni<'_>, now_ms: u64, secret: u64) {
        self.counts.add(Count::Handshakes);
        self.handshakes.handle(now_ms);
        match sni {
            Sni::Name(name) => self.names.insert(hash(secret, name)),
            Sni::Address | Sni::None => self.counts.add(Count::Nameless),
        }
    }

    fn handle_request(&mut self, request: &Request<'_>, now_ms: u64, secret: u64) {
        self.counts.add(Count::Requests);
        match request.status {
            200..=399 => self.counts.add(Count::Fine),
            404 | 410 => self.counts.add(Count::Missing),
            _ => (),
        }
        let path = request.bare_path();
        self.paths.insert(hash(secret, path));
        self.rush.handle(now_ms, self.paths.estimate());
        let follows = self.path_numbers.handle(secret, path);
        self.handle_number(follows);
        if let Some(agent) = request.user_agent.value() {
            self.agents.insert(hash(secret, agent));
        }
    }

    fn handle_claim(&mut self, request: &Request<'_>, seen: &Seen<'_>) {
        let Some(claimed) = request.user_agent.value().and_then(claimed) else {
            return;
        };
        if let Some(tls) = &seen.tls {
            let is_odd = is_at_odds(claimed, tls);
            self.count(Count::Claims, Count::AtOdds, is_odd);
            let named = request.user_agent.value().and_then(claimed_system);
            // Whoever opens TLS in a browser's place opens its connection as well.
            if let (Some(named), Some(found), false) = (named, tls.system, is_odd) {
                self.count(Count::Systems, Count::OtherSystem, named != found);
            }
        }
        self.handle_header(request.accept_language, Count::Speaking, Count::Mute);
        if claimed == Family::Chromium {
            self.handle_header(request.client_hints, Count::Hinting, Count::Unhinted);
        }
    }

    fn handle_header(&mut self, field: Field<'_>, of: Count, without: Count) {
        if field != Field::NotLogged {
            self.count(of, without, field == Field::Absent);
        }
    }

    fn handle_login(
        &mut self,
        login: Login,
        account: Option<&str>,
        (secret, is_sure): (u64, bool),
    ) {
        let has_failed = login == Login::Failed;
        self.count(Count::Tries, Count::Failures, has_failed);
        if !has_failed {
            self.counts.add(Count::Successes);
        }
        let Some(account) = account else { return };
        match login {
            Login::Failed => self.failed_accounts.insert(hash(secret, account)),
            Login::Passed if is_sure => self.passed_accounts.insert(hash(secret, account)),
            Login::Passed => (),
        }
        let follows = self.account_numbers.handle(secret, account);
        self.handle_number(follows);
    }

    const fn handle_number(&mut self, follows: Option<bool>) {
        if let Some(follows) = follows {
            self.count(Count::Numbers, Count::Steps, follows);
        }
    }

    const fn count(&mut self, whole: Count, part: Count, is_part: bool) {
        self.counts.add(whole);
        if is_part {
            self.counts.add(part);
        }
    }

    const fn sketches(&mut self) -> [&mut Distinct; 6] {
        [
            &mut self.paths,
            &mut self.failed_accounts,
            &mut self.passed_accounts,
            &mut self.agents,
            &mut self.names,
            &mut self.others,
        ]
    }
}

const HOUR_MS: u64 = 3_600_000;

/// A family doesn't have as many accounts with one service.
const CROWD: u32 = 8;
