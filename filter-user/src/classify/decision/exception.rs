//! Whom nothing may happen to, whatever speaks against him.

use super::Whom;
use super::network::overlap;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// An exception that an operator made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// For whom.
    pub whom: Whom,
    /// Why, for people.
    pub reason: String,
    /// When it ends, in milliseconds since 1970; `None` if it doesn't.
    pub ends_ms: Option<u64>,
}

/// No room for another exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there are {EXCEPTIONS} exceptions, which is all there is room for; write networks into the policy"
)]
pub struct Full;

/// All of them. When there is no more room a new one is refused: none may fall out unsaid.
#[derive(Clone, Debug, Default)]
pub struct Exceptions {
    kept: Vec<Exception>,
}

impl Exceptions {
    /// Adds one, in the place of what was said before about the same.
    ///
    /// *Errors*: [`Full`]; nothing was changed.
    pub fn add(&mut self, exception: Exception, now_ms: u64) -> Result<(), Full> {
        self.has_room_for(&exception.whom, now_ms)?;
        self.kept.retain(|kept| kept.whom != exception.whom && kept.holds_at(now_ms));
        self.kept.push(exception);
        Ok(())
    }

    /// Whether one about somebody can be added.
    ///
    /// *Errors*: [`Full`].
    pub fn has_room_for(&self, whom: &Whom, now_ms: u64) -> Result<(), Full> {
        let stays = |kept: &&Exception| kept.whom != *whom && kept.holds_at(now_ms);
        let stay = self.kept.iter().filter(stays).count();
        if stay < EXCEPTIONS { Ok(()) } else { Err(Full) }
    }

    /// Takes one back; whether there was one.
    pub fn remove(&mut self, whom: &Whom) -> bool {
        let before = self.kept.len();
        self.kept.retain(|kept| kept.whom != *whom);
        self.kept.len() < before
    }

    /// The one that shields any address of a network.
    #[must_use]
    pub fn shield(&self, network: &IpNet, now_ms: u64) -> Option<&Exception> {
        self.find(now_ms, |whom| matches!(whom, Whom::Network(kept) if overlap(kept, network)))
    }

    /// The one that shields a fingerprint.
    #[must_use]
    pub fn shield_fingerprint(&self, ja4: &str, now_ms: u64) -> Option<&Exception> {
        self.find(now_ms, |whom| matches!(whom, Whom::Fingerprint(kept) if kept == ja4))
    }

    /// All of them, to be kept.
    #[must_use]
    pub fn all(&self) -> &[Exception] {
        &self.kept
    }

    fn find(&self, now_ms: u64, is_it: impl Fn(&Whom) -> bool) -> Option<&Exception> {
        self.kept.iter().find(|kept| kept.holds_at(now_ms) && is_it(&kept.whom))
    }
}

impl Exception {
    /// Whether it hasn't ended.
    #[must_use]
    pub fn holds_at(&self, now_ms: u64) -> bool {
        self.ends_ms.is_none_or(|ends_ms| ends_ms > now_ms)
    }
}

/// They are looked through for each event.
const EXCEPTIONS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn exception(network: &str, ends_ms: Option<u64>) -> Exception {
        let whom = Whom::Network(network.parse().unwrap());
        Exception { whom, reason: String::new(), ends_ms }
    }

    #[test]
    fn an_exception_shields_what_it_holds_and_what_holds_it_until_it_ends() {
        let mut exceptions = Exceptions::default();
        exceptions.add(exception("192.0.2.0/28", Some(10)), 0).unwrap();
        let shields =
            |network: &str, now_ms| exceptions.shield(&network.parse().unwrap(), now_ms).is_some();
        assert!(shields("192.0.2.7/32", 9) && shields("192.0.2.0/24", 9));
        assert!(!shields("192.0.2.77/32", 9) && !shields("192.0.2.7/32", 10));
    }

    #[test]
    fn a_full_book_refuses_and_keeps_what_it_has() {
        let mut exceptions = Exceptions::default();
        let numbered = |i: usize| exception(&format!("10.0.{}.{}/32", i / 256, i % 256), None);
        (0..EXCEPTIONS).for_each(|i| exceptions.add(numbered(i), 0).unwrap());
        assert_eq!(exceptions.add(numbered(EXCEPTIONS), 0), Err(Full));
        assert_eq!(exceptions.add(numbered(7), 0), Ok(()));
        assert!(exceptions.remove(&numbered(7).whom) && !exceptions.remove(&numbered(7).whom));
    }
}
