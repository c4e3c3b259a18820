//! What follows from a class and a score, for each service.
//!
//! The first line that fits decides. A class alone decides nothing, except where a line or
//! a service that is for browsers only says so.

use super::Action;
use crate::classify::behaviour::profile::Login;
use crate::classify::behaviour::seen::{Request, Seen, What};
use crate::classify::behaviour::signals::SIGNALS;
use crate::classify::judgement::Class;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The policy, as a file holds it. What isn't said is as [`Policy::default`] has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Services that are named. All others are as the one that is called `default` or, if none
    /// is, as [`Service::default`].
    pub services: BTreeMap<String, Service>,
    /// What follows, the first that fits.
    pub lines: Vec<Line>,
    /// What happens the first time, the second time and so on; the last one from then on.
    pub ladder: Vec<Rung>,
    /// How many clients make a group; fewer answer each for itself.
    pub group_clients: u32,
    /// The limit profile that a fingerprint gets that is limited; without one that is only noted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_limit: Option<String>,
    /// From how many good clients on a fingerprint isn't blocked.
    pub shared_from: u32,
    /// How long a library's fingerprint has to be watched before it is blocked: good clients
    /// have to be able to show themselves.
    pub learn_minutes: u32,
    /// How many different clients of an IPv4 /24 have to be blocked before it is.
    pub offenders_v4: u32,
    /// How many /64 of an IPv6 /56, or /56 of a /48.
    pub offenders_v6: u32,
    /// Who is never judged: probes, CDNs, proxies of one's own.
    pub except: Vec<IpNet>,
    /// Fingerprints that are never judged as such.
    pub except_fingerprints: Vec<String>,
}

/// A service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Service {
    /// The server's ports; none said, any.
    pub ports: Vec<u16>,
    /// Names of hosts, as clients ask for them; `*.example.com` stands for all below it. None
    /// said, any.
    pub hosts: Vec<String>,
    /// Whether decisions act or are only counted.
    pub enforce: bool,
    /// Whether what is surely no browser is limited, and blocked if it goes on.
    pub browsers_only: bool,
    /// Where one logs in; a star at the end stands for anything.
    pub login_paths: Vec<String>,
    /// What is answered to those who fail.
    pub login_failures: Vec<u16>,
    /// Whether the user in the log is whom the server let in, as Caddy writes it. nginx writes
    /// whatever a client says. Only then do many accounts that get in stand up for an address.
    pub accounts: bool,
}

/// What follows from a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Its name, for explanations.
    pub name: String,
    /// For which services; none said, for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// For which classes; none said, for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<Class>,
    /// Only if one of these signals fired; none said, whichever did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<String>,
    /// From which score on.
    #[serde(default)]
    pub score: u32,
    /// What follows.
    pub action: Action,
}

/// What happens at a repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// What.
    pub action: Action,
    /// How long.
    pub minutes: u32,
}

/// A policy that can't be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A line names a signal that there isn't.
    #[error("line {line:?} names the signal {signal:?}, which there isn't")]
    Signal {
        /// The line.
        line: String,
        /// What it names.
        signal: String,
    },
    /// A line would act on everybody.
    #[error("line {0:?} acts on everybody: give it a score, classes or signals")]
    Everybody(String),
    /// A line names a service that there isn't.
    #[error("line {line:?} names the service {service:?}, which there isn't")]
    Service {
        /// The line.
        line: String,
        /// What it names.
        service: String,
    },
    /// A service's name is none.
    #[error("{0:?} is no name of a service: letters, digits, '-', '_' and '.', at most 64 of them")]
    Name(String),
    /// A service is nowhere.
    #[error(
        "the service {0:?} names neither ports nor hosts; what holds for all others is said under \
         the name \"default\""
    )]
    Nowhere(String),
    /// No ladder, or one that leads nowhere.
    #[error("the ladder needs rungs that limit or block, each for some minutes")]
    Ladder,
}

impl Default for Policy {
    fn default() -> Self {
        let rung = |action, minutes| Rung { action, minutes };
        let line = |name: &str, score, action| Line {
            name: name.to_owned(),
            services: Vec::new(),
            classes: Vec::new(),
            signals: Vec::new(),
            score,
            action,
        };
        let disguise =
            Line { classes: vec![Class::Impersonator], ..line("disguise", 70, Action::Block) };
        Self {
            services: BTreeMap::new(),
            lines: vec![
                disguise,
                line("abuse", 80, Action::Block),
                line("suspicion", 50, Action::Limit),
                line("doubt", 30, Action::Watch),
            ],
            ladder: vec![
                rung(Action::Limit, 10),
                rung(Action::Block, 10),
                rung(Action::Block, 60),
                rung(Action::Block, 360),
                rung(Action::Block, 1440),
            ],
            group_clients: 10,
            group_limit: None,
            shared_from: 1,
            learn_minutes: 60,
            offenders_v4: 8,
            offenders_v6: 4,
            except: Vec::new(),
            except_fingerprints: Vec::new(),
        }
    }
}

impl Default for Service {
    fn default() -> Self {
        let paths = ["/login*", "/signin*", "/wp-login.php", "/api/login*", "/oauth/token"];
        Self {
            ports: Vec::new(),
            hosts: Vec::new(),
            enforce: false,
            browsers_only: false,
            login_paths: paths.map(str::to_owned).to_vec(),
            login_failures: vec![400, 401, 403, 422, 429],
            accounts: false,
        }
    }
}

impl Policy {
    /// Whether it can be meant.
    ///
    /// *Errors*: [`PolicyError`]; the operator mends the file.
    pub fn check(&self) -> Result<(), PolicyError> {
        let leads = |rung: &Rung| rung.action > Action::Watch && rung.minutes > 0;
        if self.ladder.is_empty() || !self.ladder.iter().all(leads) {
            return Err(PolicyError::Ladder);
        }
        let is_name = |name: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            (1..=64).contains(&name.len()) && name.chars().all(fits)
        };
        if let Some(name) = self.services.keys().find(|name| !is_name(name)) {
            return Err(PolicyError::Name(name.clone()));
        }
        let has_no_place = |(name, service): &(&String, &Service)| {
            *name != DEFAULT && service.ports.is_empty() && service.hosts.is_empty()
        };
        if let Some((name, _)) = self.services.iter().find(has_no_place) {
            return Err(PolicyError::Nowhere(name.clone()));
        }
        let unknown = |line: &Line| {
            let is_known = |name: &&String| *name == DEFAULT || self.services.contains_key(*name);
            line.services.iter().find(|name| !is_known(name)).cloned()
        };
        if let Some((line, service)) =
            self.lines.iter().find_map(|line| Some((line, unknown(line)?)))
        {
            return Err(PolicyError::Service { line: line.name.clone(), service });
        }
        self.lines.iter().try_for_each(Line::check)
    }

    /// The service at a port under a name: of those that fit one that names hosts, then one that
    /// names ports.
    #[must_use]
    pub fn service_of(&self, port: u16, host: Option<&str>) -> &str {
        let named = self.services.iter().filter(|(name, _)| *name != DEFAULT);
        let fitting = named.filter(|(_, service)| service.is_at(port, host));
        let narrow = |service: &Service| (service.hosts.is_empty(), service.ports.is_empty());
        fitting.min_by_key(|(_, service)| narrow(service)).map_or(DEFAULT, |(name, _)| name)
    }

    /// What is said of a service that none of the others is.
    #[must_use]
    pub fn default_service(&self) -> Service {
        self.services.get(DEFAULT).cloned().unwrap_or_default()
    }

    /// The first line that fits.
    #[must_use]
    pub fn line(&self, service: &str, class: Class, score: u32, fired: &[&str]) -> Option<&Line> {
        self.lines.iter().find(|line| line.fits(service, class, score, fired))
    }
}

impl Line {
    fn check(&self) -> Result<(), PolicyError> {
        let is_known = |name: &String| SIGNALS.iter().any(|signal| signal.name == name);
        if let Some(signal) = self.signals.iter().find(|name| !is_known(name)) {
            let (line, signal) = (self.name.clone(), signal.clone());
            return Err(PolicyError::Signal { line, signal });
        }
        let fits_all = self.score == 0 && self.classes.is_empty() && self.signals.is_empty();
        let acts = fits_all && self.action > Action::Watch;
        if acts { Err(PolicyError::Everybody(self.name.clone())) } else { Ok(()) }
    }

    /// Whether it asks for nothing but a class.
    #[must_use]
    pub const fn is_by_class(&self) -> bool {
        self.score == 0 && self.signals.is_empty()
    }

    fn fits(&self, service: &str, class: Class, score: u32, fired: &[&str]) -> bool {
        score >= self.score
            && (self.classes.is_empty() || self.classes.contains(&class))
            && (self.services.is_empty() || self.services.iter().any(|name| name == service))
            && (self.signals.is_empty()
                || self.signals.iter().any(|name| fired.contains(&name.as_str())))
    }
}

/// The name of all services that have none.
pub const DEFAULT: &str = "default";

impl Service {
    fn is_at(&self, port: u16, host: Option<&str>) -> bool {
        let is_named = |pattern: &String| host.is_some_and(|host| is_host(pattern, host));
        (self.ports.is_empty() || self.ports.contains(&port))
            && (self.hosts.is_empty() || self.hosts.iter().any(is_named))
    }

    /// How an attempt to log in ended; `None` if it is none. Looking at the form is none.
    #[must_use]
    pub fn login(&self, seen: &Seen<'_>) -> Option<Login> {
        let What::Request(request) = &seen.what else {
            return None;
        };
        let has_failed = self.login_failures.contains(&request.status);
        let is_try = self.is_login(request)
            && (!matches!(request.method, "GET" | "HEAD" | "OPTIONS") || request.status == 401);
        let has_passed = (200..400).contains(&request.status);
        match (is_try, has_failed, has_passed) {
            (true, true, _) => Some(Login::Failed),
            (true, false, true) => Some(Login::Passed),
            _ => None,
        }
    }

    fn is_login(&self, request: &Request<'_>) -> bool {
        let path = request.bare_path();
        let is_it = |pattern: &String| match pattern.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == pattern,
        };
        self.login_paths.iter().any(is_it)
    }
}

/// Whether a host as a client names it, with or without a port, is what a pattern says.
fn is_host(pattern: &str, host: &str) -> bool {
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let host = host.strip_suffix('.').unwrap_or(host);
    match pattern.strip_prefix('*') {
        Some(below) => {
            let split = host.len().checked_sub(below.len()).filter(|at| *at > 0);
            split.and_then(|at| host.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(below))
        }
        None => host.eq_ignore_ascii_case(pattern),
    }
}

#[cfg(test)]
mod tests;
