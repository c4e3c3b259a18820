//! Signals of behaviour: what speaks against a client or a group, each with a weight and
//! its evidence.
//!
//! A signal is one function and one line in [`SIGNALS`].

mod identity;
mod login;
mod reading;
mod rhythm;

use super::profile::Profile;
use crate::classify::judgement::Class;

/// What signals look at.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// What was done of late.
    pub profile: &'a Profile,
    /// What does it.
    pub class: Class,
    /// Whether the service's log is being read: silence says something only then.
    pub has_log: bool,
    /// How many fail together who have the client's fingerprint.
    pub failing_together: Option<u32>,
    /// Whether good clients have it too.
    pub is_shared: bool,
}

/// Whom a signal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// A client.
    Client,
    /// All clients with one fingerprint.
    Group,
    /// Both.
    Both,
}

/// A signal.
#[derive(Clone, Copy, Debug)]
pub struct Signal {
    /// Its stable name.
    pub name: &'static str,
    /// What it counts.
    pub weight: u32,
    /// Whom it is about.
    pub about: About,
    /// Whether it fires; what it saw, for people.
    pub look: fn(&Look<'_>) -> Option<String>,
}

use About::{Both, Client, Group};

const fn signal(
    name: &'static str,
    weight: u32,
    about: About,
    look: fn(&Look<'_>) -> Option<String>,
) -> Signal {
    Signal { name, weight, about, look }
}

/// All of them. None reaches the score of a block by itself, and what health checks, probes
/// and proxies do doesn't even add up to that of a limit.
pub const SIGNALS: &[Signal] = &[
    signal("agent-at-odds", 40, Client, identity::agent_at_odds),
    signal("system-at-odds", 15, Client, identity::system_at_odds),
    signal("no-language", 20, Client, identity::no_language),
    signal("no-client-hints", 20, Client, identity::no_client_hints),
    signal("many-fingerprints", 15, Client, identity::many_fingerprints),
    signal("many-names", 30, Client, identity::many_names),
    signal("no-names", 10, Client, identity::no_names),
    signal("silent-handshakes", 15, Client, rhythm::silent_handshakes),
    signal("handshake-rate", 20, Client, rhythm::handshake_rate),
    signal("regular", 15, Client, rhythm::regular),
    signal("login-failures", 40, Client, login::failures),
    signal("login-hammering", 30, Client, login::hammering),
    signal("many-accounts", 40, Client, login::many_accounts),
    signal("failing-group", 50, Client, login::failing_group),
    signal("failing-browsers", 30, Client, login::failing_browsers),
    signal("failing-together", 60, Group, login::failing_together),
    signal("accounts-together", 40, Group, login::accounts_together),
    signal("enumeration", 40, Both, reading::enumeration),
    signal("not-found", 50, Both, reading::not_found),
    signal("breadth", 30, Client, reading::breadth),
    signal("rush", 25, Client, reading::rush),
    signal("breadth-together", 30, Group, reading::breadth_together),
];

impl Signal {
    /// Whether it is about those.
    #[must_use]
    pub fn is_about(&self, about: About) -> bool {
        self.about == about || self.about == Both
    }
}

#[cfg(test)]
mod tests;
