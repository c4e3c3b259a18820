//! Bytes to lists, their entries, and changes to them.

use super::COMPILED_S;
use super::oracle::Oracle;
use filter_common::abi::Mode;
use filter_common::abi::address::{AddressClass, ListId};
use filter_user::policy::AddressPolicy;
use filter_user::policy::bits::Bits;
use filter_user::policy::entries::Entries;
use filter_user::policy::list::{List, ListAction, ListSettings};
use filter_user::policy::note::Note;
use ipnet::IpNet;

/// What a list is.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListKind {
    pub(super) id: u16,
    pub(super) action: u8,
    pub(super) priority: i32,
    pub(super) shadow: bool,
}

/// An entry that comes, or goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edit {
    pub(super) list: usize,
    pub(super) prefix: IpNet,
    /// When it ends, and whether it is in shadow; `None` if it goes.
    note: Option<(u64, bool)>,
}

/// How a change reaches the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// By words of the image in force.
    Entry,
    /// By a whole new image.
    Whole,
}

/// One update.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) change: Change,
    pub(super) edits: Vec<Edit>,
    /// A list that becomes something else.
    pub(super) list: Option<(usize, ListKind)>,
}

/// A policy and what happens to it.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) lists: Vec<ListKind>,
    pub(super) first: Vec<Edit>,
    pub(super) steps: Vec<Step>,
    /// When lists are compiled, in seconds since 1970.
    pub(super) compiled_s: u64,
    /// When the kernel looks addresses up; in the middle between ends of entries.
    pub(super) seen_s: u64,
    pub(super) seed: u64,
}

const LISTS: u8 = 8;

/// Entries between ends of which there are this many seconds.
const BETWEEN_S: u64 = 100;

/// Changes that the daemon doesn't make one by one.
const MAX_SINGLE: usize = 256;

impl Script {
    pub(super) fn read(input: &[u8]) -> Self {
        let mut reader = Reader { rest: input, present: Vec::new() };
        let lists = (0..LISTS).map(|number| reader.list(number)).collect();
        let [elapsed, late, runs, singles] = reader.bytes();
        let seen_s = COMPILED_S + u64::from(elapsed % 10) * BETWEEN_S + BETWEEN_S / 2;
        let compiled_s = if late.is_multiple_of(4) { seen_s } else { COMPILED_S };
        let seed = u64::from_le_bytes(reader.bytes());
        let mut first = Vec::new();
        for _ in 0..runs % 4 {
            first.extend(reader.run(2000));
        }
        for _ in 0..singles {
            let edit = reader.entry();
            first.push(edit);
        }
        let mut steps = Vec::new();
        while !reader.rest.is_empty() {
            steps.push(reader.step());
        }
        Self { lists, first, steps, compiled_s, seen_s, seed }
    }

    /// The lists, without entries.
    pub(super) fn policy(&self) -> AddressPolicy {
        let mut policy = AddressPolicy::default();
        for (number, kind) in self.lists.iter().enumerate() {
            policy.put(&name(number), kind.list(Entries::default()));
        }
        // The built-in ones have names of their own.
        policy.take(filter_user::policy::ALLOW_LIST);
        policy.take(filter_user::policy::BLOCK_LIST);
        policy
    }
}

fn name(list: usize) -> String {
    format!("list{list}")
}

impl ListKind {
    fn list(self, entries: Entries) -> List {
        let action = match self.action {
            AddressClass::ALLOW => ListAction::Allow,
            AddressClass::BLOCK => ListAction::Block,
            _ => ListAction::Limit(String::from("x")),
        };
        let mode = if self.shadow { Mode::SHADOW } else { Mode::ENFORCE };
        let settings = ListSettings { action, mode, priority: self.priority };
        List { id: ListId(self.id), settings, entries }
    }
}

impl Step {
    /// Makes the change to lists and oracle alike.
    pub(super) fn apply(&self, policy: &mut AddressPolicy, oracle: &mut Oracle) {
        if let Some((number, kind)) = &self.list {
            let entries = policy.take(&name(*number)).map(|list| list.entries);
            policy.put(&name(*number), kind.list(entries.unwrap_or_default()));
            oracle.set_list(*number, *kind);
        }
        self.edits.iter().for_each(|edit| edit.apply(policy, oracle));
    }
}

impl Edit {
    /// Makes the change to lists and oracle alike.
    pub(super) fn apply(&self, policy: &mut AddressPolicy, oracle: &mut Oracle) {
        oracle.put(self.list, &self.prefix, self.note);
        let Some(list) = policy.list_mut(&name(self.list)) else {
            return;
        };
        let note = self.note.map(|(expires_unix_s, shadow)| Note {
            expires_unix_s,
            shadow,
            ..Note::default()
        });
        match note {
            Some(note) => drop(list.entries.insert(&self.prefix, note)),
            None => drop(list.entries.remove(&self.prefix)),
        }
    }
}

/// Reads bytes; behind the last there are zeroes.
struct Reader<'a> {
    rest: &'a [u8],
    /// Entries that there are.
    present: Vec<(usize, IpNet)>,
}

impl Reader<'_> {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let (taken, rest) = self.rest.split_at(N.min(self.rest.len()));
        bytes[..taken.len()].copy_from_slice(taken);
        self.rest = rest;
        bytes
    }

    fn list(&mut self, number: u8) -> ListKind {
        let [action, settings] = self.bytes();
        let action = 1 + action % 3;
        ListKind {
            id: u16::from(number) + 1,
            action,
            priority: i32::from(settings % 3) - 1,
            shadow: settings >= 192,
        }
    }

    fn note(&mut self) -> (u64, bool) {
        let [note] = self.bytes();
        let ends = COMPILED_S + (1 + u64::from(note >> 2) % 8) * BETWEEN_S;
        (if note.is_multiple_of(4) { ends } else { 0 }, note >= 224)
    }

    fn entry(&mut self) -> Edit {
        let [list] = self.bytes();
        let prefix = self.prefix();
        let list = usize::from(list % LISTS);
        self.present.push((list, prefix));
        Edit { list, prefix, note: Some(self.note()) }
    }

    fn prefix(&mut self) -> IpNet {
        let [kind, len] = self.bytes();
        match kind % 8 {
            0..3 => {
                let bits = u32::from_le_bytes(self.bytes());
                // Few bits, so that prefixes hold one another.
                (0x0a00_0000 | bits & 0x8107_01f3).network(len % 33).prefix(len % 33)
            }
            3 => u32::from_le_bytes(self.bytes()).network(len % 33).prefix(len % 33),
            4..6 => {
                let bits = u128::from_le_bytes(self.bytes());
                let bits = 0x2001_0db8 << 96 | bits & 0xe001_0000_8000_0003_8000_0000_c000_0101;
                bits.network(len % 129).prefix(len % 129)
            }
            _ => self.near(len),
        }
    }

    /// A prefix inside or around one that there is.
    fn near(&mut self, len: u8) -> IpNet {
        let [bits, longer] = self.bytes();
        let Some((_, prefix)) = self.pick() else {
            return 0x0a00_0000_u32.prefix(8);
        };
        let of = prefix.prefix_len();
        let len = if len >= 192 { of.saturating_sub(len % 8) } else { of + longer % 12 };
        match prefix {
            IpNet::V4(net) => {
                let len = len.min(32);
                let inside =
                    net.network().to_bits() | spread32(bits) & u32::MAX.unbounded_shr(of.into());
                inside.network(len).prefix(len)
            }
            IpNet::V6(net) => {
                let len = len.min(128);
                let low = u128::from(spread32(bits));
                let bits = low << 96 | low << 64 | low << 32 | low;
                let inside = net.network().to_bits() | bits & u128::MAX.unbounded_shr(of.into());
                inside.network(len).prefix(len)
            }
        }
    }

    /// An entry that there is.
    fn pick(&mut self) -> Option<(usize, IpNet)> {
        let [low, high] = self.bytes();
        let at = usize::from(u16::from_le_bytes([low, high]));
        self.present.get(at.checked_rem(self.present.len())?).copied()
    }

    /// Entries in a row, of several lists: many make direct nodes and trees.
    fn run(&mut self, most: usize) -> Vec<Edit> {
        let [family, lists, step, len, window] = self.bytes();
        let count = usize::from(u16::from_le_bytes(self.bytes())) % most;
        let first = u32::from_le_bytes(self.bytes());
        let note = self.note();
        let one = |at: u32| {
            let key = first.wrapping_add(at.wrapping_mul(1 + u32::from(step % 8)));
            let prefix = if family.is_multiple_of(2) {
                let len = 32 - len % 3;
                key.network(len).prefix(len)
            } else {
                // In one of the four windows; below it, a network or an address.
                let window = u32::from(window % 4);
                let above = 0x2001_0db8_0000_0007_0000_0009_0000_000b_u128;
                let shift = 96 - 32 * window;
                let above = above & !(u128::from(u32::MAX) << shift);
                let len =
                    if len.is_multiple_of(4) { 128 } else { 32 * (u8_of(window) + 1) - len % 3 };
                (above | u128::from(key) << shift).network(len).prefix(len)
            };
            let list = usize::from(lists % LISTS) + usize::try_from(at).unwrap_or(0);
            let list = if lists >= 128 { list } else { usize::from(lists) };
            Edit { list: list % usize::from(LISTS), prefix, note: Some(note) }
        };
        let run: Vec<Edit> = (0..).take(count).map(one).collect();
        self.present.extend(run.iter().map(|edit| (edit.list, edit.prefix)));
        run
    }

    fn step(&mut self) -> Step {
        let [kind] = self.bytes();
        let edits = match kind % 16 {
            0..5 => vec![self.entry()],
            5..9 => self.removal().into_iter().collect(),
            9..11 => {
                let note = self.note();
                let again = self.pick().into_iter();
                again.map(|(list, prefix)| Edit { list, prefix, note: Some(note) }).collect()
            }
            11..13 => (0..=kind / 16).map(|_| self.entry()).collect(),
            13 => (0..=kind / 8).filter_map(|_| self.removal()).collect(),
            14 => self.run(300),
            _ => return self.whole(),
        };
        let change = if edits.len() > MAX_SINGLE { Change::Whole } else { Change::Entry };
        Step { change, edits, list: None }
    }

    fn removal(&mut self) -> Option<Edit> {
        let (list, prefix) = self.pick()?;
        self.present.retain(|other| *other != (list, prefix));
        Some(Edit { list, prefix, note: None })
    }

    /// A list is replaced, or becomes something else.
    fn whole(&mut self) -> Step {
        let [kind, number] = self.bytes();
        let number = number % LISTS;
        let list = usize::from(number);
        if kind.is_multiple_of(2) {
            let list = Some((list, self.list(number)));
            return Step { change: Change::Whole, edits: Vec::new(), list };
        }
        let (gone, kept) = self.present.iter().partition(|(of, _)| *of == list);
        self.present = kept;
        let gone: Vec<(usize, IpNet)> = gone;
        let mut edits: Vec<Edit> =
            gone.into_iter().map(|(list, prefix)| Edit { list, prefix, note: None }).collect();
        edits.extend(self.run(600));
        Step { change: Change::Whole, edits, list: None }
    }
}

/// A byte at several places of a number.
const fn spread32(bits: u8) -> u32 {
    u32::from_be_bytes([bits & 3, bits >> 2 & 3, bits >> 4 & 3, bits])
}

fn u8_of(window: u32) -> u8 {
    u8::try_from(window).unwrap_or(0)
}
