//! The book of client verdicts: what is in force, until when, and why.

mod index;
mod target;

pub use index::{VerdictIndex, Word};
pub use target::{Target, TargetError, address_of, client_of, key_of, prefix_of};

use filter_common::abi::Mode;
use filter_common::abi::client::{ClientVerdict, Source, VERDICT_CAPACITY};
use filter_common::abi::width::{VerdictKey, Width};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::net::IpAddr;

/// What a verdict does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictAction {
    /// Every packet is dropped.
    Block,
    /// Each client gets the throttle limit.
    Throttle,
}

/// Who made a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictSource {
    /// An operator's command.
    Operator,
    /// The classifier.
    Classifier,
    /// A rule on a fingerprint.
    FingerprintRule,
}

/// A verdict as the daemon keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What it does.
    pub action: VerdictAction,
    /// Whether it only counts.
    pub shadow: bool,
    /// Who made it.
    pub source: VerdictSource,
    /// Why, for people.
    pub reason: String,
    /// When it ends, in milliseconds since 1970.
    pub expires_unix_ms: u64,
}

impl Verdict {
    /// Whether it stands against one that the classifier would make: an operator's does, one that
    /// acts against one in shadow, a block against a throttle, and of the same kind one that lasts
    /// as long.
    #[must_use]
    pub fn outweighs(&self, other: &Self) -> bool {
        let strength = |verdict: &Self| (!verdict.shadow, verdict.action == VerdictAction::Block);
        let (own, others) = (strength(self), strength(other));
        let lasts = self.expires_unix_ms >= other.expires_unix_ms;
        self.source == VerdictSource::Operator || own > others || own == others && lasts
    }

    /// The verdict as the kernel wants it.
    #[must_use]
    pub fn to_kernel(&self, expires_ns: u64) -> ClientVerdict {
        let action = match self.action {
            VerdictAction::Block => ClientVerdict::BLOCK,
            VerdictAction::Throttle => ClientVerdict::THROTTLE,
        };
        let source = match self.source {
            VerdictSource::Operator => Source::OPERATOR,
            VerdictSource::Classifier => Source::CLASSIFIER,
            VerdictSource::FingerprintRule => Source::FINGERPRINT_RULE,
        };
        let mode = if self.shadow { Mode::SHADOW } else { Mode::ENFORCE };
        ClientVerdict { expires_ns, action, mode: mode.0, source: source.0, reserved: 0 }
    }

    /// A verdict that only the kernel remembers.
    #[must_use]
    pub fn from_kernel(kernel: &ClientVerdict, expires_unix_ms: u64) -> Self {
        let action = match kernel.action {
            ClientVerdict::THROTTLE => VerdictAction::Throttle,
            _ => VerdictAction::Block,
        };
        let source = match Source(kernel.source) {
            Source::OPERATOR => VerdictSource::Operator,
            Source::FINGERPRINT_RULE => VerdictSource::FingerprintRule,
            _ => VerdictSource::Classifier,
        };
        let reason = "made before the daemon's last start".into();
        let shadow = Mode(kernel.mode) == Mode::SHADOW;
        Self { action, shadow, source, reason, expires_unix_ms }
    }
}

/// No room for another verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{VERDICT_CAPACITY} client verdicts are in force, which is all there is room for")]
pub struct Full;

/// Every verdict in force.
///
/// *Concurrency*: owned by one task; the kernel's map follows it.
#[derive(Debug, Default)]
pub struct VerdictBook {
    verdicts: HashMap<VerdictKey, Verdict>,
}

impl VerdictBook {
    /// Writes a verdict down, replacing what was decided about the same prefix.
    ///
    /// *Errors*: [`Full`]; nothing was changed. Call [`VerdictBook::expire`] first.
    pub fn set(&mut self, key: VerdictKey, verdict: Verdict) -> Result<(), Full> {
        let held = u32::try_from(self.verdicts.len()).unwrap_or(u32::MAX);
        if held >= VERDICT_CAPACITY && !self.verdicts.contains_key(&key) {
            return Err(Full);
        }
        self.verdicts.insert(key, verdict);
        Ok(())
    }

    /// Strikes a verdict out; `None` when there was none.
    pub fn remove(&mut self, key: &VerdictKey) -> Option<Verdict> {
        self.verdicts.remove(key)
    }

    /// What is in force about exactly this prefix.
    #[must_use]
    pub fn get(&self, key: &VerdictKey, unix_ms: u64) -> Option<&Verdict> {
        self.verdicts.get(key).filter(|verdict| verdict.expires_unix_ms > unix_ms)
    }

    /// Every verdict in force that holds an address: those that act before those in
    /// shadow, a block before a throttle, a narrow one before a wide one.
    #[must_use]
    pub fn holding(&self, address: IpAddr, unix_ms: u64) -> Vec<(VerdictKey, &Verdict)> {
        let address = address_of(address);
        let widths = Width::ALL.into_iter();
        let widths = widths.filter(|width| width.bit & Width::bits_of(&address) != 0);
        let found = widths.filter_map(|width| {
            let key = width.key(&address);
            Some((key, self.get(&key, unix_ms)?))
        });
        let mut found: Vec<_> = found.collect();
        found.sort_by_key(|(_, verdict)| (verdict.shadow, verdict.action != VerdictAction::Block));
        found
    }

    /// Every verdict in force, in the order of addresses.
    #[must_use]
    pub fn list(&self, unix_ms: u64) -> Vec<(VerdictKey, &Verdict)> {
        let all = self.verdicts.iter().map(|(key, verdict)| (*key, verdict));
        let mut list: Vec<_> = all.filter(|(_, v)| v.expires_unix_ms > unix_ms).collect();
        list.sort_by_key(|(key, _)| *key);
        list
    }

    /// Strikes out what has ended, and says whose it was.
    pub fn expire(&mut self, unix_ms: u64) -> Vec<VerdictKey> {
        let ended = self.verdicts.extract_if(|_, verdict| verdict.expires_unix_ms <= unix_ms);
        ended.map(|(key, _)| key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(expires_unix_ms: u64) -> Verdict {
        Verdict {
            action: VerdictAction::Throttle,
            shadow: true,
            source: VerdictSource::FingerprintRule,
            reason: "made before the daemon's last start".into(),
            expires_unix_ms,
        }
    }

    fn key(text: &str) -> VerdictKey {
        key_of(&text.parse().unwrap()).unwrap()
    }

    #[test]
    fn what_holds_an_address_is_found_in_every_width_the_strongest_first() {
        let mut book = VerdictBook::default();
        let throttle = |shadow| Verdict { shadow, ..verdict(9) };
        let block = |shadow| Verdict { action: VerdictAction::Block, ..throttle(shadow) };
        let rows = [
            ("2001:db8::1/128", throttle(true)),
            ("2001:db8::/64", block(true)),
            ("2001:db8::/56", throttle(false)),
            ("2001:db8::/48", block(false)),
            ("2001:db8:1::/48", block(false)),
            ("192.0.2.0/24", block(false)),
        ];
        for (prefix, verdict) in rows {
            book.set(key(prefix), verdict).unwrap();
        }
        let shown = |address: &str| {
            let found = book.holding(address.parse().unwrap(), 8);
            found.iter().map(|(key, _)| prefix_of(key).to_string()).collect::<Vec<_>>()
        };
        let all = ["2001:db8::/48", "2001:db8::/56", "2001:db8::/64", "2001:db8::1/128"];
        assert_eq!(shown("2001:db8::1"), all);
        assert_eq!(shown("2001:db8:0:100::1"), ["2001:db8::/48"]);
        assert_eq!(shown("192.0.2.77"), ["192.0.2.0/24"]);
        assert!(book.holding("192.0.2.77".parse().unwrap(), 9).is_empty());
    }

    #[test]
    fn a_verdict_survives_the_way_through_the_kernel() {
        let kernel = verdict(7).to_kernel(99);
        assert_eq!(kernel.expires_ns, 99);
        assert_eq!(Verdict::from_kernel(&kernel, 7), verdict(7));
    }

    #[test]
    fn a_shadow_does_not_stand_against_a_verdict_that_acts() {
        let block =
            |shadow, source| Verdict { action: VerdictAction::Block, shadow, source, ..verdict(9) };
        let shadow = block(true, VerdictSource::Classifier);
        let rule = block(false, VerdictSource::FingerprintRule);
        assert!(!shadow.outweighs(&rule) && rule.outweighs(&shadow));
        assert!(rule.outweighs(&verdict(9)) && !verdict(9).outweighs(&rule));
        assert!(block(true, VerdictSource::Operator).outweighs(&rule));
    }

    #[test]
    fn what_has_ended_is_not_shown_and_is_struck_out() {
        let mut book = VerdictBook::default();
        let key = key("192.0.2.1/32");
        book.set(key, verdict(100)).unwrap();
        assert!(book.get(&key, 99).is_some());
        assert!(book.get(&key, 100).is_none() && book.list(100).is_empty());
        assert_eq!(book.expire(100), [key]);
        assert!(book.remove(&key).is_none());
    }

    #[test]
    fn a_full_book_refuses_a_new_client_and_takes_a_known_one() {
        let mut book = VerdictBook::default();
        let client = |i| VerdictKey { high: 0, low: u64::from(i), len: 128 };
        for i in 0..VERDICT_CAPACITY {
            book.set(client(i), verdict(1)).unwrap();
        }
        assert_eq!(book.set(client(VERDICT_CAPACITY), verdict(1)), Err(Full));
        assert_eq!(book.set(client(5), verdict(2)), Ok(()));
    }
}
