//! Who manages this host: peers of TCP connections to its management ports.
//!
//! A connection alone proves nobody's right: anyone may open one to an SSH server and say nothing.
//! But servers hang up on who doesn't log in, sshd after two minutes (`LoginGraceTime`), so one
//! that lasts longer is an operator's.

pub mod sockets;

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

/// A connection to a management port that is there now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The kernel's number of the socket, which no other one gets.
    pub cookie: u64,
    /// Who is at the other end.
    pub peer: IpAddr,
}

/// How long a connection has to last: `LoginGraceTime`, and what it may take to hang up.
pub const PROVEN_MS: u64 = 150_000;

/// For how long who has gone is still held for an operator: connections that break come back.
const LINGER_MS: u64 = 15_000;

/// Connections that are remembered. Beyond, new ones are passed over until others have ended.
const MAX_CONNECTIONS: usize = 4096;

/// Operators at once. Beyond, those who came first are.
const MAX_PEERS: usize = 32;

/// Connections to management ports.
///
/// *Units*: milliseconds of a clock that doesn't go back. *Concurrency*: owned by one task.
#[derive(Debug, Default)]
pub struct Sessions {
    known: HashMap<u64, Known>,
    has_looked: bool,
}

#[derive(Debug)]
struct Known {
    peer: IpAddr,
    /// When it will be a session.
    proven_ms: u64,
    last_ms: u64,
}

impl Sessions {
    /// Takes in the connections that are there, and says whose are sessions.
    ///
    /// Those that are there at the first look are sessions at once: somebody has just started the
    /// daemon through one.
    pub fn look(
        &mut self,
        connections: impl IntoIterator<Item = Connection>,
        now_ms: u64,
    ) -> BTreeSet<IpAddr> {
        let proven_after = if self.has_looked { PROVEN_MS } else { 0 };
        self.has_looked = true;
        for Connection { cookie, peer } in connections {
            let peer = peer.to_canonical();
            // Loopback isn't filtered.
            if peer.is_loopback() {
                continue;
            }
            let has_room = self.known.len() < MAX_CONNECTIONS;
            if let Some(known) = self.known.get_mut(&cookie) {
                known.last_ms = now_ms;
            } else if has_room {
                let proven_ms = now_ms + proven_after;
                self.known.insert(cookie, Known { peer, proven_ms, last_ms: now_ms });
            }
        }
        self.known.retain(|_, known| now_ms.saturating_sub(known.last_ms) < LINGER_MS);
        let sessions = self.known.values().filter(|known| known.last_ms >= known.proven_ms);
        let mut sessions: Vec<_> = sessions.map(|known| (known.proven_ms, known.peer)).collect();
        sessions.sort_unstable();
        let mut peers = BTreeSet::new();
        for (_, peer) in sessions {
            if peers.len() < MAX_PEERS {
                peers.insert(peer);
            }
        }
        peers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(cookie: u64, peer: &str) -> Connection {
        Connection { cookie, peer: peer.parse().unwrap() }
    }

    fn peers(set: &BTreeSet<IpAddr>) -> Vec<String> {
        set.iter().map(ToString::to_string).collect()
    }

    /// Looks every ten seconds, from one time to another.
    fn look_often(
        sessions: &mut Sessions,
        connections: &[Connection],
        from_ms: u64,
        until_ms: u64,
    ) -> Vec<String> {
        let mut last = BTreeSet::new();
        for now_ms in (from_ms..=until_ms).step_by(10_000) {
            last = sessions.look(connections.iter().copied(), now_ms);
        }
        peers(&last)
    }

    #[test]
    fn who_only_connects_is_nobody_until_he_would_have_been_thrown_out() {
        let mut sessions = Sessions::default();
        assert!(sessions.look([], 0).is_empty());
        let there = [from(1, "192.0.2.1"), from(2, "2001:db8::1")];
        assert!(look_often(&mut sessions, &there, 1000, PROVEN_MS).is_empty());
        let proven = look_often(&mut sessions, &there, PROVEN_MS, PROVEN_MS + 10_000);
        assert_eq!(proven, ["192.0.2.1", "2001:db8::1"]);
    }

    #[test]
    fn one_connection_after_the_other_is_no_session() {
        let mut sessions = Sessions::default();
        sessions.look([], 0);
        for number in 1..100 {
            let now_ms = number * 10_000;
            assert!(sessions.look([from(number, "192.0.2.1")], now_ms).is_empty());
        }
    }

    #[test]
    fn through_whom_the_daemon_was_started_counts_at_once_and_as_long_as_he_is_there() {
        let mut sessions = Sessions::default();
        let there = [from(1, "::ffff:192.0.2.1"), from(2, "127.0.0.1"), from(3, "::1")];
        assert_eq!(peers(&sessions.look(there, 0)), ["192.0.2.1"]);
        assert_eq!(look_often(&mut sessions, &there, 10_000, 90_000), ["192.0.2.1"]);
        assert_eq!(peers(&sessions.look([], 90_000 + LINGER_MS - 1)), ["192.0.2.1"]);
        assert!(sessions.look([], 90_000 + LINGER_MS).is_empty());
        assert!(sessions.look(there, 200_000).is_empty(), "a new one has to last");
    }

    #[test]
    fn who_came_first_stays_when_there_are_too_many() {
        let mut sessions = Sessions::default();
        sessions.look([from(0, "192.0.2.99")], 0);
        let there: Vec<_> =
            (0..100).map(|number| from(number, &format!("192.0.2.{}", 99 - number))).collect();
        let held = look_often(&mut sessions, &there, 10_000, 200_000);
        assert_eq!(held.len(), MAX_PEERS);
        assert!(held.contains(&"192.0.2.99".to_owned()));
    }

    #[test]
    fn a_flood_of_connections_displaces_nobody() {
        let mut sessions = Sessions::default();
        sessions.look([from(0, "192.0.2.1")], 0);
        let flood = (1..100_000).map(|cookie| from(cookie, "198.51.100.1"));
        assert_eq!(peers(&sessions.look(flood, 10_000)), ["192.0.2.1"]);
        assert_eq!(sessions.known.len(), MAX_CONNECTIONS);
    }
}
