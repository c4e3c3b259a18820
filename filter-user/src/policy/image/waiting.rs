//! Entries of a next window that aren't placed yet.

use super::build::Entry;
use filter_common::policy::{DOUBLE_ENTRIES, Ref};

/// Small windows, by the references that stand for them meanwhile.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    windows: Vec<Option<Vec<Entry>>>,
}

/// A leaf's form that no image has.
const FORM: u32 = 31;

impl Waiting {
    /// Has a window's entries wait.
    pub(super) fn put(&mut self, entries: Vec<Entry>) -> Ref {
        self.windows.push(Some(entries));
        let number = u32::try_from(self.windows.len() - 1).unwrap_or(u32::MAX);
        Ref(Ref::leaf(number).0 | FORM << 3).in_next_window()
    }

    /// What waits behind a reference, which is then no longer of use; `None` if nothing
    /// does.
    pub(super) fn take(&mut self, reference: Ref) -> Option<Vec<Entry>> {
        let at = index(reference)?;
        let entries = self.windows.get_mut(at)?.take();
        // The last to come is mostly the first to go.
        self.windows
            .truncate(self.windows.iter().rposition(Option::is_some).map_or(0, |at| at + 1));
        entries
    }

    /// Entries with those that wait behind them, by the keys of both windows; `None` if
    /// none waits, or they are too many for a double leaf.
    pub(super) fn flattened(&self, entries: &[Entry]) -> Option<Vec<(u64, Ref)>> {
        let mut flat: Vec<(u64, Ref)> = Vec::new();
        let mut any = false;
        for entry in entries {
            let first = u64::from(entry.key) << 32;
            let inner = index(entry.reference).and_then(|at| self.windows.get(at)?.as_ref());
            any |= inner.is_some();
            let Some(inner) = inner else {
                // One window was passed already.
                push(&mut flat, first, entry.reference.in_this_window());
                continue;
            };
            for entry in inner {
                push(&mut flat, first | u64::from(entry.key), entry.reference);
            }
        }
        (any && flat.len() <= DOUBLE_ENTRIES).then_some(flat)
    }
}

fn push(flat: &mut Vec<(u64, Ref)>, key: u64, reference: Ref) {
    if flat.last().is_none_or(|last| last.1 != reference) {
        flat.push((key, reference));
    }
}

fn index(reference: Ref) -> Option<usize> {
    let waits = reference.kind() == Ref::LEAF && reference.bits() == FORM;
    waits.then(|| usize::try_from(reference.line()).ok()).flatten()
}
