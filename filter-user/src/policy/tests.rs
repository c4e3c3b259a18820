//! The compiled table against a naive reading of the lists.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

fn entry(mode: Mode) -> Entry {
    Entry { mode, comment: String::new(), added_unix_ms: 0 }
}

fn net(text: &str) -> IpNet {
    parse_prefix(text).unwrap().prefix
}

/// A kernel table that only does as it is told.
#[derive(Default)]
struct Table(HashMap<IpNet, AddressClass>);

impl Table {
    fn apply(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Set(prefix, class) => self.0.insert(prefix, class),
                Change::Clear(prefix) => self.0.remove(&prefix),
            };
        }
    }

    fn action(&self, address: IpAddr) -> u8 {
        let holds = self.0.iter().filter(|(prefix, _)| prefix.contains(&address));
        let longest = holds.max_by_key(|(prefix, _)| prefix.prefix_len());
        longest.map_or(0, |(_, class)| class.action)
    }
}

fn naive(policy: &AddressPolicy, address: IpAddr) -> u8 {
    let in_list = |list| policy.entries(list).keys().any(|prefix| prefix.contains(&address));
    match (in_list(List::Allow), in_list(List::Block)) {
        (true, _) => AddressClass::ALLOW,
        (false, true) => AddressClass::BLOCK,
        (false, false) => 0,
    }
}

#[test]
fn allow_wins_whatever_the_lengths() {
    let mut policy = AddressPolicy::default();
    policy.add(List::Allow, net("10.0.0.0/8"), entry(Mode::ENFORCE));
    let changes = policy.add(List::Block, net("10.1.0.0/16"), entry(Mode::ENFORCE));
    assert_eq!(changes, [Change::Clear(net("10.1.0.0/16"))]);
    let lifted = policy.remove(List::Allow, &net("10.0.0.0/8")).unwrap();
    assert_eq!(lifted.len(), 2);
    assert!(matches!(lifted[1], Change::Set(_, class) if class.action == AddressClass::BLOCK));
}

#[test]
fn look_up_names_the_list_and_the_longest_prefix() {
    let mut policy = AddressPolicy::default();
    policy.add(List::Block, net("10.0.0.0/8"), entry(Mode::ENFORCE));
    policy.add(List::Block, net("10.1.0.0/16"), entry(Mode::SHADOW));
    let (list, prefix, found) = policy.look_up("10.1.2.3".parse().unwrap()).unwrap();
    assert_eq!((list, prefix, found.mode), (List::Block, net("10.1.0.0/16"), Mode::SHADOW));
    policy.add(List::Allow, net("10.1.2.3"), entry(Mode::ENFORCE));
    assert_eq!(policy.look_up("10.1.2.3".parse().unwrap()).unwrap().0, List::Allow);
    assert!(policy.look_up("192.0.2.1".parse().unwrap()).is_none());
}

#[test]
fn an_entry_that_is_not_there_cannot_be_removed() {
    assert!(AddressPolicy::default().remove(List::Block, &net("192.0.2.1")).is_none());
}

fn small_prefix() -> impl Strategy<Value = IpNet> {
    (any::<bool>(), 0_u8..16, 0_u8..=8).prop_map(|(v6, byte, len)| {
        let text = if v6 { format!("{byte:x}00::/{len}") } else { format!("{byte}.0.0.0/{len}") };
        net(&text)
    })
}

proptest! {
    #[test]
    fn the_kernel_table_says_what_the_lists_say(
        steps in proptest::collection::vec((any::<bool>(), any::<bool>(), small_prefix()), 1..60),
        probes in proptest::collection::vec((any::<bool>(), 0_u8..16), 1..20),
    ) {
        let mut policy = AddressPolicy::default();
        let mut table = Table::default();
        for (allow, add, prefix) in steps {
            let list = if allow { List::Allow } else { List::Block };
            let changes = if add {
                Some(policy.add(list, prefix, entry(Mode::ENFORCE)))
            } else {
                policy.remove(list, &prefix)
            };
            table.apply(changes.unwrap_or_default());
        }
        for (v6, byte) in probes {
            let text = if v6 { format!("{byte:x}00::1") } else { format!("{byte}.0.0.1") };
            let address: IpAddr = text.parse().unwrap();
            prop_assert_eq!(table.action(address), naive(&policy, address));
        }
        let compiled: HashMap<_, _> = policy.compiled().collect();
        prop_assert_eq!(compiled, table.0);
    }
}
