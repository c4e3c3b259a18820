//! A set of prefixes in each of the look-ups, and turns of the programs on it.

use super::sources::Pattern;
use crate::bench::measure::cpu_ns;
use crate::frame::source::{PLAIN_V4, PLAIN_V6};
use crate::output;
use crate::prefixes::{Kept, Prefix, list_id, number_of_list};
use anyhow::{Result, ensure};
use aya::maps::lpm_trie::Key;
use aya::maps::{Array, HashMap, LpmTrie, MapData};
use aya::{Ebpf, Pod};
use filter_common::abi::address::AddressClass;
use filter_user::datapath::mapped::MappedArray;
use filter_user::datapath::policy::PolicySlot;
use filter_user::datapath::test_run::TestProgram;
use filter_user::policy::image::{HostMemory, Image};
use std::collections::HashSet;

/// Programs on maps that hold the same prefixes.
pub(super) struct Bed {
    /// Such as `v4/full`.
    pub(super) name: String,
    program: TestProgram,
    sources: MappedArray<[u64; 2]>,
    classes: MappedArray<u64>,
    frame: Vec<u8>,
    /// In force as long as this is.
    _slot: PolicySlot,
}

/// The look-ups that are compared.
pub(super) const LOOK_UPS: [&str; 4] = ["ours", "lpm_trie", "hash", "none"];

/// Packets in one turn of one case.
const REPEAT: u32 = 1 << 18;

/// Packets before those that count.
const WARM_UP: u32 = 1 << 16;

/// Lines that an image has for changes.
pub(super) const SPARE_LINES: u32 = 4096;

impl Bed {
    /// Loads the programs with an image, and nothing in the kernel's own maps.
    pub(super) fn new<A: Kept>(name: &str, image: Image<HostMemory>) -> Result<Self> {
        let mut program = TestProgram::lookup("classify")?;
        for name in LOOK_UPS {
            program.add(name)?;
        }
        let lines = image.used_lines() + SPARE_LINES;
        let mut slot = PolicySlot::take(program.maps())?;
        slot.install(image, lines)?;
        let source = if A::NAME == "v4" { PLAIN_V4 } else { PLAIN_V6 };
        Ok(Self {
            name: format!("{}/{name}", A::NAME),
            sources: program.mapped("SOURCES")?,
            classes: program.mapped("CLASSES")?,
            program,
            frame: source.packet().udp((5000, 443), &[0x2a; 64]).build(),
            _slot: slot,
        })
    }

    /// Puts the prefixes into the trie, each with the answer of its list, and as many
    /// addresses into the hash. Returns how long the trie took.
    pub(super) fn load<A: Kept>(&mut self, prefixes: &[Prefix<A>], lists: u16) -> Result<u64> {
        let started = cpu_ns();
        let mut trie = Trie::take::<A>(self.program.maps())?;
        for (address, len) in prefixes {
            trie.insert(*address, *len, value(number_of_list(*address, *len, lists)))?;
        }
        let took = cpu_ns() - started;
        self.load_hash(prefixes)?;
        output::progress(&format!("{}: {} prefixes loaded", self.name, prefixes.len()));
        Ok(took)
    }

    fn load_hash<A: Kept>(&mut self, prefixes: &[Prefix<A>]) -> Result<()> {
        let map = self.program.maps().map_mut("HASH").ok_or_else(|| missing("HASH"))?;
        let mut hash = HashMap::<_, [u64; 2], u32>::try_from(map)?;
        let mut taken = HashSet::with_capacity(prefixes.len());
        for (address, _) in prefixes {
            // Prefixes that begin alike get neighbouring addresses.
            let mut address = *address;
            while !taken.insert(address) {
                address = address.next().unwrap_or(A::FIRST);
            }
            hash.insert(address.words(), u32::from(AddressClass::BLOCK), 0)?;
        }
        Ok(())
    }

    /// The trie, to be looked into.
    pub(super) fn trie_map(&mut self, family: &'static str) -> Result<&MapData> {
        let name = if family == "v4" { "TRIE_V4" } else { "TRIE_V6" };
        match self.program.maps().map(name) {
            Some(aya::maps::Map::LpmTrie(map)) => Ok(map),
            _ => Err(missing(name)),
        }
    }

    /// Has packets come from these sources.
    pub(super) fn fill(&mut self, pattern: &Pattern) {
        self.sources.fill(&pattern.sources);
    }

    /// Nanoseconds a packet in one turn of a program, on this thread's CPU time: the
    /// kernel's own figure is a whole number.
    pub(super) fn turn(&mut self, look_up: &'static str) -> Result<f64> {
        self.program.choose(look_up);
        // What the turn before left in the caches is another program's.
        self.program.run(&self.frame, WARM_UP)?;
        let started = cpu_ns();
        let outcome = self.program.run(&self.frame, REPEAT)?;
        let took = cpu_ns() - started;
        ensure!(matches!(outcome.action, 1 | 2), "{} of {} failed", look_up, self.name);
        let took = u32::try_from(took).unwrap_or(u32::MAX);
        Ok(f64::from(took) / f64::from(REPEAT))
    }

    /// Checks that our table and the trie say the same of some sources.
    pub(super) fn verify<A: Kept>(&mut self, pattern: &Pattern) -> Result<()> {
        self.fill(pattern);
        let count = pattern.sources.len().min(VERIFIED);
        let mut turn = Array::<_, u64>::try_from(
            self.program.maps().map_mut("TURN").ok_or_else(|| missing("TURN"))?,
        )?;
        turn.set(0, u64::try_from(count)?, 0)?;
        self.program.choose("classify");
        let outcome = self.program.run(&self.frame, 1)?;
        ensure!(outcome.action == 2, "{}: the program gave up", self.name);
        let ours = self.classes.read(count);
        let trie = Trie::take::<A>(self.program.maps())?;
        for (source, ours) in pattern.sources.iter().zip(ours) {
            let address = A::of_words(*source);
            let ours = AddressClass(u32::try_from(ours)?);
            let ours = u32::from(ours.action()) | u32::from(ours.list()) << 8;
            let theirs = trie.get(address);
            let name = &self.name;
            ensure!(
                ours == theirs,
                "{name}: {address:?} is {ours:#x} to us, {theirs:#x} to the trie"
            );
        }
        Ok(())
    }
}

/// Sources that are verified.
const VERIFIED: usize = 1 << 14;

/// What the trie has of a prefix: its list above the action.
fn value(list: u16) -> u32 {
    u32::from(list_id(list).0) << 8 | u32::from(AddressClass::BLOCK)
}

fn missing(name: &str) -> anyhow::Error {
    anyhow::anyhow!("the object has no map {name} of the right kind")
}

/// The kernel's trie of a family.
enum Trie<'a> {
    V4(LpmTrie<&'a mut MapData, [u8; 4], u32>),
    V6(LpmTrie<&'a mut MapData, [u8; 16], u32>),
}

impl<'a> Trie<'a> {
    fn take<A: Kept>(maps: &'a mut Ebpf) -> Result<Self> {
        if A::NAME == "v4" {
            Ok(Self::V4(trie(maps, "TRIE_V4")?))
        } else {
            Ok(Self::V6(trie(maps, "TRIE_V6")?))
        }
    }

    fn insert<A: Kept>(&mut self, address: A, len: u8, value: u32) -> Result<()> {
        let octets = octets(address);
        match self {
            Self::V4(trie) => trie.insert(&Key::new(len.into(), tail(octets)), value, 0)?,
            Self::V6(trie) => trie.insert(&Key::new(len.into(), octets), value, 0)?,
        }
        Ok(())
    }

    /// Zero if there is nothing.
    fn get<A: Kept>(&self, address: A) -> u32 {
        let octets = octets(address);
        match self {
            Self::V4(trie) => trie.get(&Key::new(32, tail(octets)), 0),
            Self::V6(trie) => trie.get(&Key::new(128, octets), 0),
        }
        .unwrap_or(0)
    }
}

fn trie<'a, K: Pod>(
    maps: &'a mut Ebpf,
    name: &'static str,
) -> Result<LpmTrie<&'a mut MapData, K, u32>> {
    Ok(LpmTrie::try_from(maps.map_mut(name).ok_or_else(|| missing(name))?)?)
}

/// An address in network order; IPv4 in the last four bytes.
fn octets<A: Kept>(address: A) -> [u8; 16] {
    let [high, low] = address.words();
    (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
}

const fn tail(octets: [u8; 16]) -> [u8; 4] {
    [octets[12], octets[13], octets[14], octets[15]]
}
