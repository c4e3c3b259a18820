//! The maps, typed.

use super::DatapathError;
use aya::Ebpf;
use aya::maps::lpm_trie::{Key, LpmTrie};
use aya::maps::{Array, HashMap, MapData, MapError, PerCpuArray};
use filter_common::abi::address::AddressClass;
use filter_common::abi::client::{ClientKey, ClientMeters, ClientVerdict};
use filter_common::abi::config::HostConfig;
use filter_common::abi::counter::Counters;
use ipnet::IpNet;
use zerocopy::transmute;

/// Handles on the maps that the daemon writes or reads.
///
/// Values cross as plain words: the ABI types are checked against their sizes.
pub struct Maps {
    config: Array<MapData, ConfigWords>,
    policy_v4: LpmTrie<MapData, [u8; 4], [u8; 4]>,
    policy_v6: LpmTrie<MapData, [u8; 16], [u8; 4]>,
    verdicts: HashMap<MapData, [u64; 2], [u64; 2]>,
    clients: HashMap<MapData, [u64; 2], [u64; 3]>,
    counters: PerCpuArray<MapData, CounterWords>,
}

type ConfigWords = [u64; size_of::<HostConfig>() / 8];
type CounterWords = [u64; size_of::<Counters>() / 8];

impl Maps {
    /// Takes the maps out of a loaded object.
    ///
    /// *Errors*: [`DatapathError`], when the object isn't the filter's.
    pub fn take(ebpf: &mut Ebpf) -> Result<Self, DatapathError> {
        let mut take = |name| ebpf.take_map(name).ok_or(DatapathError::Missing(name));
        Ok(Self {
            config: Array::try_from(take("CONFIG")?)?,
            policy_v4: LpmTrie::try_from(take("POLICY_V4")?)?,
            policy_v6: LpmTrie::try_from(take("POLICY_V6")?)?,
            verdicts: HashMap::try_from(take("VERDICTS")?)?,
            clients: HashMap::try_from(take("CLIENTS")?)?,
            counters: PerCpuArray::try_from(take("COUNTERS")?)?,
        })
    }

    /// Replaces the host's settings. Whether there are verdicts is kept here: once set,
    /// [`HostConfig::verdicts`] stays.
    ///
    /// *Errors*: the kernel's.
    pub fn set_config(&mut self, mut config: HostConfig) -> Result<(), MapError> {
        config.verdicts |= self.config()?.verdicts;
        let words: ConfigWords = transmute!(config);
        self.config.set(0, words, 0)
    }

    /// The host's settings.
    ///
    /// *Errors*: the kernel's.
    pub fn config(&self) -> Result<HostConfig, MapError> {
        self.config.get(&0, 0).map(|words| transmute!(words))
    }

    /// Gives a prefix a class, replacing the one it had.
    ///
    /// *Errors*: the kernel's; a full map is one.
    pub fn set_class(&mut self, prefix: &IpNet, class: AddressClass) -> Result<(), MapError> {
        let value: [u8; 4] = transmute!(class);
        match prefix {
            IpNet::V4(net) => self.policy_v4.insert(&v4_key(*net), value, 0),
            IpNet::V6(net) => self.policy_v6.insert(&v6_key(*net), value, 0),
        }
    }

    /// Takes a prefix out; one that isn't there is no error.
    ///
    /// *Errors*: the kernel's.
    pub fn clear_class(&mut self, prefix: &IpNet) -> Result<(), MapError> {
        absent_is_fine(match prefix {
            IpNet::V4(net) => self.policy_v4.remove(&v4_key(*net)),
            IpNet::V6(net) => self.policy_v6.remove(&v6_key(*net)),
        })
    }

    /// Every prefix in the kernel and its class.
    ///
    /// *Errors*: the kernel's.
    pub fn classes(&self) -> Result<Vec<(IpNet, AddressClass)>, MapError> {
        let mut classes = Vec::new();
        for element in &self.policy_v4 {
            let (key, class) = element?;
            classes.extend(v4_net(key).map(|net| (net, transmute!(class))));
        }
        for element in &self.policy_v6 {
            let (key, class) = element?;
            classes.extend(v6_net(&key).map(|net| (net, transmute!(class))));
        }
        Ok(classes)
    }

    /// Decides about a client, replacing what was decided before. The program asks for
    /// verdicts from the first one on.
    ///
    /// *Errors*: the kernel's; a full map is one.
    pub fn set_verdict(&mut self, client: ClientKey, v: ClientVerdict) -> Result<(), MapError> {
        let config = self.config()?;
        if config.verdicts == 0 {
            self.set_config(HostConfig { verdicts: 1, ..config })?;
        }
        let (key, value): ([u64; 2], [u64; 2]) = (transmute!(client), transmute!(v));
        self.verdicts.insert(key, value, 0)
    }

    /// Lifts what was decided about a client; nothing to lift is no error.
    ///
    /// *Errors*: the kernel's.
    pub fn clear_verdict(&mut self, client: ClientKey) -> Result<(), MapError> {
        absent_is_fine(self.verdicts.remove(&transmute!(client)))
    }

    /// Every verdict in the kernel, expired ones too.
    ///
    /// *Errors*: the kernel's.
    pub fn verdicts(&self) -> Result<Vec<(ClientKey, ClientVerdict)>, MapError> {
        let pairs = self.verdicts.iter();
        pairs.map(|pair| pair.map(|(key, value)| (transmute!(key), transmute!(value)))).collect()
    }

    /// What a client has used of its limits; `None` when the kernel doesn't know it.
    #[must_use]
    pub fn meters(&self, client: ClientKey) -> Option<ClientMeters> {
        let words = self.clients.get(&transmute!(client), 0).ok()?;
        Some(transmute!(words))
    }

    /// What all CPUs have counted.
    ///
    /// *Errors*: the kernel's.
    pub fn counters(&self) -> Result<Counters, MapError> {
        let mut sum = Counters::default();
        for words in self.counters.get(&0, 0)?.iter() {
            sum.add(&transmute!(*words));
        }
        Ok(sum)
    }
}

fn absent_is_fine(outcome: Result<(), MapError>) -> Result<(), MapError> {
    match outcome {
        Err(MapError::KeyNotFound) => Ok(()),
        Err(MapError::SyscallError(error))
            if error.io_error.raw_os_error() == Some(libc::ENOENT) =>
        {
            Ok(())
        }
        other => other,
    }
}

fn v4_key(net: ipnet::Ipv4Net) -> Key<[u8; 4]> {
    Key::new(u32::from(net.prefix_len()), net.network().octets())
}

fn v6_key(net: ipnet::Ipv6Net) -> Key<[u8; 16]> {
    Key::new(u32::from(net.prefix_len()), net.network().octets())
}

fn v4_net(key: Key<[u8; 4]>) -> Option<IpNet> {
    let len = u8::try_from(key.prefix_len()).ok()?;
    ipnet::Ipv4Net::new(key.data().into(), len).ok().map(IpNet::from)
}

fn v6_net(key: &Key<[u8; 16]>) -> Option<IpNet> {
    let len = u8::try_from(key.prefix_len()).ok()?;
    ipnet::Ipv6Net::new(key.data().into(), len).ok().map(IpNet::from)
}
