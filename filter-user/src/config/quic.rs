//! What is done about QUIC clients.

use filter_common::abi::quic::QUIC_PORTS;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::num::NonZeroU16;

/// What is done about QUIC clients.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quic {
    /// UDP ports whose clients' Initial packets are copied to the daemon; none: QUIC isn't looked
    /// at.
    #[serde(deserialize_with = "ports")]
    pub ports: Vec<NonZeroU16>,
    /// Datagrams a second that are copied, of everybody.
    #[serde(deserialize_with = "per_sec")]
    pub datagrams_per_sec: u32,
    /// Whether a hello that a rule is about has its client's address blocked, though anybody can
    /// write that address.
    pub verdicts: bool,
}

/// More is refused: it would be more than a core can take.
const MAX_PER_SEC: u32 = 100_000;

impl Default for Quic {
    fn default() -> Self {
        Self { ports: Vec::new(), datagrams_per_sec: 4000, verdicts: false }
    }
}

impl Quic {
    /// The ports as the kernel wants them.
    #[must_use]
    pub fn kernel_ports(&self) -> [u16; QUIC_PORTS] {
        let mut kernel = [0; QUIC_PORTS];
        for (there, port) in kernel.iter_mut().zip(&self.ports) {
            *there = port.get();
        }
        kernel
    }
}

fn ports<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<NonZeroU16>, D::Error> {
    let mut ports = Vec::<NonZeroU16>::deserialize(deserializer)?;
    ports.sort_unstable();
    ports.dedup();
    if ports.len() > QUIC_PORTS {
        let text = format!("{} ports are more than the {QUIC_PORTS} there can be", ports.len());
        return Err(D::Error::custom(text));
    }
    Ok(ports)
}

fn per_sec<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let per_sec = u32::deserialize(deserializer)?;
    if !(1..=MAX_PER_SEC).contains(&per_sec) {
        return Err(D::Error::custom(format!("{per_sec} is not between 1 and {MAX_PER_SEC}")));
    }
    Ok(per_sec)
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn error(text: &str) -> String {
        toml::from_str::<Config>(text).unwrap_err().to_string()
    }

    #[test]
    fn ports_go_to_the_kernel_each_once() {
        let config: Config = toml::from_str("[quic]\nports = [8443, 443, 443]\n").unwrap();
        assert_eq!(config.quic.kernel_ports(), [443, 8443, 0, 0]);
        assert!(!config.quic.verdicts);
        assert_eq!(Config::default().quic.kernel_ports(), [0; 4]);
    }

    #[test]
    fn what_there_can_not_be_is_refused_with_its_line() {
        let many = error("[quic]\nports = [1, 2, 3, 4, 5]\n");
        assert!(many.contains("line 2") && many.contains("more than the 4"), "{many}");
        assert!(error("[quic]\nports = [0]\n").contains("line 2"));
        assert!(error("[quic]\ndatagrams_per_sec = 0\n").contains("between 1 and"));
        assert!(error("[quic]\nverdict = true\n").contains("verdict"));
    }
}
