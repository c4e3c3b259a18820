//! The address policy: lists of prefixes, compiled into one class per prefix.
//!
//! The kernel answers with the class of the longest prefix alone. So what lists say about
//! one another is resolved here: *allow wins whatever the lengths*, which means that a
//! block entry inside an allow entry is kept in its list and left out of the kernel.

pub mod import;
mod prefix;

use filter_common::abi::Mode;
use filter_common::abi::address::{AddressClass, ListId, POLICY_CAPACITY};
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::IpAddr;

pub use prefix::{Parsed, PrefixError, parse_prefix};

/// One of the built-in lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Prefixes that always pass.
    Allow,
    /// Prefixes that are dropped.
    Block,
}

/// What a list says of one prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whether it acts. Allow entries always do.
    pub mode: Mode,
    /// Why it is there, in an operator's words.
    pub comment: String,
    /// When it was added, in milliseconds since 1970.
    pub added_unix_ms: u64,
}

/// One change to the kernel's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The prefix has this class now.
    Set(IpNet, AddressClass),
    /// The prefix is no longer in the table.
    Clear(IpNet),
}

/// A list that can't take more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address policy holds at most {POLICY_CAPACITY} prefixes a family")]
pub struct Full;

/// All lists, and what they compile to.
///
/// *Concurrency*: owned by one task.
#[derive(Debug, Default)]
pub struct AddressPolicy {
    allow: BTreeMap<IpNet, Entry>,
    block: BTreeMap<IpNet, Entry>,
}

impl AddressPolicy {
    /// A list's entries, in the order of their prefixes.
    #[must_use]
    pub const fn entries(&self, list: List) -> &BTreeMap<IpNet, Entry> {
        match list {
            List::Allow => &self.allow,
            List::Block => &self.block,
        }
    }

    const fn entries_mut(&mut self, list: List) -> &mut BTreeMap<IpNet, Entry> {
        match list {
            List::Allow => &mut self.allow,
            List::Block => &mut self.block,
        }
    }

    /// Whether `more` prefixes still fit, in the worst case all of one family.
    ///
    /// *Errors*: [`Full`]; nothing was changed.
    pub fn check_room(&self, more: usize) -> Result<(), Full> {
        let held = self.allow.len() + self.block.len() + more;
        if u32::try_from(held).is_ok_and(|held| held <= POLICY_CAPACITY) {
            Ok(())
        } else {
            Err(Full)
        }
    }

    /// Adds or replaces an entry, and says what changes in the kernel.
    ///
    /// *Shape*: the prefix has no host bits.
    pub fn add(&mut self, list: List, prefix: IpNet, entry: Entry) -> Vec<Change> {
        self.entries_mut(list).insert(prefix, entry);
        self.changes(list, prefix)
    }

    /// Removes an entry, and says what changes in the kernel; `None` when there was none.
    pub fn remove(&mut self, list: List, prefix: &IpNet) -> Option<Vec<Change>> {
        self.entries_mut(list).remove(prefix)?;
        Some(self.changes(list, *prefix))
    }

    /// Every prefix that the kernel has to hold.
    pub fn compiled(&self) -> impl Iterator<Item = (IpNet, AddressClass)> {
        let blocks = self.block.keys().filter(|prefix| !self.allow.contains_key(*prefix));
        let prefixes = self.allow.keys().chain(blocks);
        prefixes.filter_map(|prefix| Some((*prefix, self.class(prefix)?)))
    }

    /// The class of a prefix in the kernel's table; `None` when it isn't there.
    #[must_use]
    pub fn class(&self, prefix: &IpNet) -> Option<AddressClass> {
        if self.allow.contains_key(prefix) {
            return Some(class(AddressClass::ALLOW, Mode::ENFORCE, ListId::ALLOW));
        }
        let entry = self.block.get(prefix)?;
        if self.holders(List::Allow, prefix).next().is_some() {
            return None;
        }
        Some(class(AddressClass::BLOCK, entry.mode, ListId::BLOCK))
    }

    /// The entry that decides about an address, with its list.
    #[must_use]
    pub fn look_up(&self, address: IpAddr) -> Option<(List, IpNet, &Entry)> {
        let host = IpNet::from(address);
        [List::Allow, List::Block].into_iter().find_map(|list| {
            let (prefix, entry) = self.holders(list, &host).next()?;
            Some((list, prefix, entry))
        })
    }

    /// A list's entries that hold a prefix, the longest first.
    fn holders(&self, list: List, prefix: &IpNet) -> impl Iterator<Item = (IpNet, &Entry)> {
        let entries = self.entries(list);
        let lengths = if entries.is_empty() { None } else { Some((0..=prefix.prefix_len()).rev()) };
        let address = prefix.network();
        lengths.into_iter().flatten().filter_map(move |len| {
            let wider = IpNet::new(address, len).ok()?.trunc();
            Some((wider, entries.get(&wider)?))
        })
    }

    /// What changes when an entry of a prefix came or went: the prefix itself and, for
    /// the allowlist, the block entries inside it.
    fn changes(&self, list: List, prefix: IpNet) -> Vec<Change> {
        let mut changes = vec![self.change(prefix)];
        if list == List::Allow {
            let inside = self.inside(&prefix).filter(|inner| *inner != prefix);
            changes.extend(inside.map(|inner| self.change(inner)));
        }
        changes
    }

    fn change(&self, prefix: IpNet) -> Change {
        self.class(&prefix).map_or(Change::Clear(prefix), |class| Change::Set(prefix, class))
    }

    /// The block entries inside a prefix. An [`IpNet`] sorts by address, then length.
    fn inside(&self, prefix: &IpNet) -> impl Iterator<Item = IpNet> {
        let last = IpNet::from(prefix.broadcast());
        let prefix = *prefix;
        let range = self.block.range(prefix..=last);
        range.map(|(inner, _)| *inner).filter(move |inner| prefix.contains(inner))
    }
}

const fn class(action: u8, mode: Mode, list: ListId) -> AddressClass {
    AddressClass { action, mode: mode.0, list: list.0 }
}

#[cfg(test)]
mod tests;
