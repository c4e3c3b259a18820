//! The address policy: named lists of prefixes, compiled into one answer per address.
//!
//! What decides about an address, among the entries that hold it and haven't ended:
//!
//! 1. an `allow` list wins over every other, whatever the lengths of their prefixes;
//! 2. then the list of the highest priority does;
//! 3. then the longest prefix;
//! 4. for one and the same prefix, `block` wins over a limit, and the list with the lower
//!    number over the higher.
//!
//! Among allow lists there is nothing to win: the longest prefix is the one that counts.
//!
//! Lists and entries in shadow are left out of that. The same rules with them give what
//! *would* happen, which the kernel counts where it differs.
//!
//! IPv4 packets are looked up among IPv4 prefixes, IPv6 packets among IPv6 ones: `::/0`
//! says nothing of IPv4. An IPv4-mapped IPv6 prefix is taken as the IPv4 prefix it names.

pub mod bits;
pub mod compile;
pub mod entries;
pub mod image;
pub mod import;
pub mod list;
pub mod note;
mod prefix;
pub mod standing;

use compile::Compiler;
use entries::{Entries, Family, Row};
use filter_common::abi::Mode;
use filter_common::abi::address::{AddressClass, LIST_CAPACITY, ListId};
use ipnet::IpNet;
use list::{List, ListAction, ListSettings};
use note::Note;
use std::collections::BTreeMap;
use std::net::IpAddr;

pub use prefix::{Parsed, PrefixError, parse_prefix};

const BLOCK: u8 = AddressClass::BLOCK;

/// The built-in allowlist's name.
pub const ALLOW_LIST: &str = "allow";
/// The built-in blocklist's name.
pub const BLOCK_LIST: &str = "block";

/// A list that can't be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// The name is bad.
    #[error(transparent)]
    Name(#[from] list::NameError),
    /// There is one of that name.
    #[error("there is a list {0:?} already; `palisade list drop` removes it")]
    Exists(String),
    /// There is no number left.
    #[error("there are {LIST_CAPACITY} lists, which is all there is room for; drop one first")]
    Full,
}

/// All lists.
///
/// *Concurrency*: owned by one task.
#[derive(Clone, Debug)]
pub struct AddressPolicy {
    lists: BTreeMap<String, List>,
}

impl Default for AddressPolicy {
    fn default() -> Self {
        let built_in = |id, action| List {
            id,
            settings: ListSettings { action, mode: Mode::ENFORCE, priority: 0 },
            entries: Entries::default(),
        };
        let allow = (ALLOW_LIST.to_owned(), built_in(ListId::ALLOW, ListAction::Allow));
        let block = (BLOCK_LIST.to_owned(), built_in(ListId::BLOCK, ListAction::Block));
        Self { lists: BTreeMap::from([allow, block]) }
    }
}

/// An entry that holds an address.
#[derive(Clone, Debug)]
pub struct Holder<'a> {
    /// Its list's name.
    pub name: &'a str,
    /// Its list.
    pub list: &'a List,
    /// Its prefix.
    pub prefix: IpNet,
    /// What is said of it.
    pub note: &'a Note,
}

impl Holder<'_> {
    /// Whether it only counts.
    #[must_use]
    pub fn is_shadow(&self) -> bool {
        self.list.settings.mode == Mode::SHADOW || self.note.shadow
    }

    /// Sorts the strongest first.
    fn weakness(&self) -> impl Ord + use<> {
        let settings = &self.list.settings;
        let allows = settings.action == ListAction::Allow;
        let priority = if allows { 0 } else { settings.priority };
        let blocks = settings.action == ListAction::Block;
        let strength = (allows, priority, self.prefix.prefix_len(), blocks);
        (std::cmp::Reverse(strength), self.list.id)
    }
}

impl AddressPolicy {
    /// The lists, by name.
    #[must_use]
    pub const fn lists(&self) -> &BTreeMap<String, List> {
        &self.lists
    }

    /// A list.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<&List> {
        self.lists.get(name)
    }

    /// A list, to be changed. Its number must stay what it is.
    pub fn list_mut(&mut self, name: &str) -> Option<&mut List> {
        self.lists.get_mut(name)
    }

    /// The enforced allow entry that holds all of a prefix.
    #[must_use]
    pub fn allowed_around(&self, prefix: &IpNet, unix_s: u64) -> Option<IpNet> {
        let lists = self.lists.iter().filter(|(_, list)| list.settings.action == ListAction::Allow);
        let holders = lists.flat_map(|(name, list)| match prefix.network().to_canonical() {
            IpAddr::V4(v4) => holding(name, list, v4.to_bits()),
            IpAddr::V6(v6) => holding(name, list, v6.to_bits()),
        });
        let allowing = holders.filter(|held| !held.note.has_ended(unix_s) && !held.is_shadow());
        let around = allowing.filter(|held| held.prefix.prefix_len() <= prefix.prefix_len());
        around.map(|held| held.prefix).max_by_key(IpNet::prefix_len)
    }

    /// Enforced allow entries inside a prefix.
    pub fn allowed_inside(&self, prefix: &IpNet) -> impl Iterator<Item = IpNet> {
        let allowing = self.lists.values().filter(|list| {
            list.settings.action == ListAction::Allow && list.settings.mode == Mode::ENFORCE
        });
        let entries = allowing.flat_map(|list| list.entries.iter());
        let enforced = entries.filter(|(_, note)| !note.shadow).map(|(entry, _)| entry);
        enforced.filter(move |entry| prefix.contains(entry))
    }

    /// The lists, by name, to be filled.
    pub fn lists_mut(&mut self) -> impl Iterator<Item = (&str, &mut List)> {
        self.lists.iter_mut().map(|(name, list)| (name.as_str(), list))
    }

    /// The name of a list.
    #[must_use]
    pub fn name_of(&self, id: ListId) -> Option<&str> {
        self.lists.iter().find(|(_, list)| list.id == id).map(|(name, _)| name.as_str())
    }

    /// Whether a list of this name could be made, and which number it would have.
    ///
    /// *Errors*: [`CreateError`].
    pub fn check_new(&self, name: &str) -> Result<ListId, CreateError> {
        list::check_name(name)?;
        if self.lists.contains_key(name) {
            return Err(CreateError::Exists(name.into()));
        }
        let used = |id: &u16| self.lists.values().any(|list| list.id.0 == *id);
        let free = (1..LIST_CAPACITY).filter_map(|id| u16::try_from(id).ok()).find(|id| !used(id));
        free.map(ListId).ok_or(CreateError::Full)
    }

    /// Puts a list in, with the number it has; one of that name is replaced.
    pub fn put(&mut self, name: &str, list: List) {
        self.lists.insert(name.into(), list);
    }

    /// Takes a list out.
    pub fn take(&mut self, name: &str) -> Option<List> {
        self.lists.remove(name)
    }

    /// A compiler of the lists as they are at a time.
    #[must_use]
    pub fn compiler(&self, unix_s: u64) -> Compiler<'_> {
        Compiler::new(self.lists.values(), unix_s)
    }

    /// Every entry that holds an address and hasn't ended, the strongest first.
    #[must_use]
    pub fn holders(&self, address: IpAddr, unix_s: u64) -> Vec<Holder<'_>> {
        let mut holders = match address.to_canonical() {
            IpAddr::V4(v4) => self.holders_of::<u32>(v4.to_bits()),
            IpAddr::V6(v6) => self.holders_of::<u128>(v6.to_bits()),
        };
        holders.retain(|holder| !holder.note.has_ended(unix_s));
        holders.sort_by_key(Holder::weakness);
        holders
    }

    fn holders_of<A: Family>(&self, address: A) -> Vec<Holder<'_>> {
        self.lists.iter().flat_map(|(name, list)| holding(name, list, address)).collect()
    }
}

fn holding<'a, A: Family>(name: &'a str, list: &'a List, address: A) -> Vec<Holder<'a>> {
    let rows = A::rows(&list.entries);
    if rows.is_empty() {
        return Vec::new();
    }
    let holder = |len| {
        let wanted = (address.network(len), len);
        let at = rows.binary_search_by_key(&wanted, |row: &Row<A>| (row.address, row.len)).ok()?;
        let note = list.entries.notes().note(rows[at].note);
        Some(Holder { name, list, prefix: wanted.0.prefix(len), note })
    };
    (0..=A::WIDTH).filter_map(holder).collect()
}

#[cfg(test)]
mod tests;
