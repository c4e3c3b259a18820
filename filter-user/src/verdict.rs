//! The book of client verdicts: what is in force, until when, and why.

use filter_common::abi::Mode;
use filter_common::abi::client::{ClientKey, ClientVerdict, Source, VERDICT_CAPACITY};
use filter_common::wire::address::Address;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a verdict does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictAction {
    /// Every packet is dropped.
    Block,
    /// The client gets the throttle limit.
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
    /// Whether it stands against one that the classifier would make.
    #[must_use]
    pub fn outweighs(&self, other: &Self) -> bool {
        let as_strong = self.action == other.action || self.action == VerdictAction::Block;
        let acts = !self.shadow || other.shadow;
        self.source == VerdictSource::Operator || (as_strong && acts)
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
    verdicts: HashMap<ClientKey, Verdict>,
}

impl VerdictBook {
    /// Writes a verdict down, replacing what was decided about the client.
    ///
    /// *Errors*: [`Full`]; nothing was changed. Call [`VerdictBook::expire`] first.
    pub fn set(&mut self, client: ClientKey, verdict: Verdict) -> Result<(), Full> {
        let held = u32::try_from(self.verdicts.len()).unwrap_or(u32::MAX);
        if held >= VERDICT_CAPACITY && !self.verdicts.contains_key(&client) {
            return Err(Full);
        }
        self.verdicts.insert(client, verdict);
        Ok(())
    }

    /// Strikes a verdict out; `None` when there was none.
    pub fn remove(&mut self, client: &ClientKey) -> Option<Verdict> {
        self.verdicts.remove(client)
    }

    /// What is in force about a client.
    #[must_use]
    pub fn get(&self, client: &ClientKey, unix_ms: u64) -> Option<&Verdict> {
        self.verdicts.get(client).filter(|verdict| verdict.expires_unix_ms > unix_ms)
    }

    /// Every verdict in force, in the order of clients.
    #[must_use]
    pub fn list(&self, unix_ms: u64) -> Vec<(ClientKey, &Verdict)> {
        let all = self.verdicts.iter().map(|(client, verdict)| (*client, verdict));
        let mut list: Vec<_> = all.filter(|(_, v)| v.expires_unix_ms > unix_ms).collect();
        list.sort_by_key(|(client, _)| *client);
        list
    }

    /// Strikes out what has ended, and says whose it was.
    pub fn expire(&mut self, unix_ms: u64) -> Vec<ClientKey> {
        let ended = self.verdicts.extract_if(|_, verdict| verdict.expires_unix_ms <= unix_ms);
        ended.map(|(client, _)| client).collect()
    }
}

/// The client that an address belongs to.
#[must_use]
pub fn client_of(address: IpAddr) -> ClientKey {
    match address.to_canonical() {
        IpAddr::V4(v4) => Address::v4(v4.to_bits()).client(),
        IpAddr::V6(v6) => {
            let bits = v6.to_bits();
            ClientKey { high: u64::try_from(bits >> 64).unwrap_or(0), low: 0 }
        }
    }
}

/// A client as a prefix: a /32, or a /64.
#[must_use]
pub fn prefix_of(client: &ClientKey) -> IpNet {
    let address = Address { high: client.high, low: client.low };
    if address.is_v4() {
        return IpNet::from(IpAddr::from(Ipv4Addr::from_bits(address.tail())));
    }
    let network = Ipv6Addr::from_bits(u128::from(client.high) << 64);
    ipnet::Ipv6Net::new(network, 64).map_or_else(|_| IpAddr::from(network).into(), IpNet::from)
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
        let client = client_of("192.0.2.1".parse().unwrap());
        book.set(client, verdict(100)).unwrap();
        assert!(book.get(&client, 99).is_some());
        assert!(book.get(&client, 100).is_none() && book.list(100).is_empty());
        assert_eq!(book.expire(100), [client]);
        assert!(book.remove(&client).is_none());
    }

    #[test]
    fn a_full_book_refuses_a_new_client_and_takes_a_known_one() {
        let mut book = VerdictBook::default();
        let client = |i| ClientKey { high: 0, low: u64::from(i) };
        for i in 0..VERDICT_CAPACITY {
            book.set(client(i), verdict(1)).unwrap();
        }
        assert_eq!(book.set(client(VERDICT_CAPACITY), verdict(1)), Err(Full));
        assert_eq!(book.set(client(5), verdict(2)), Ok(()));
    }

    #[test]
    fn a_client_is_an_address_or_a_64() {
        let shown = |text: &str| prefix_of(&client_of(text.parse().unwrap())).to_string();
        assert_eq!(shown("192.0.2.7"), "192.0.2.7/32");
        assert_eq!(shown("::ffff:192.0.2.7"), "192.0.2.7/32");
        assert_eq!(shown("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(shown("::1"), "::/64");
    }
}
