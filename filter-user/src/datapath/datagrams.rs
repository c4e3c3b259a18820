//! How many QUIC datagrams the program may copy.

use super::DatapathError;
use aya::Ebpf;
use aya::maps::{Array, MapData, MapError};
use filter_common::abi::quic::DatagramBudget;
use zerocopy::transmute;

type BudgetWords = [u64; size_of::<DatagramBudget>() / 8];

/// The map of the budget.
pub struct BudgetMap(Array<MapData, BudgetWords>);

/// The ring buffer of the copies.
pub const DATAGRAMS: &str = "DATAGRAMS";

impl BudgetMap {
    /// Takes the map out of a loaded object.
    ///
    /// *Errors*: [`DatapathError`], when the object isn't the filter's.
    pub fn take(ebpf: &mut Ebpf) -> Result<Self, DatapathError> {
        let name = "QUIC_BUDGET";
        let map = ebpf.take_map(name).ok_or(DatapathError::Missing(name))?;
        Ok(Self(Array::try_from(map)?))
    }

    /// Puts a budget in the place of what there is, with nothing of it used.
    ///
    /// *Errors*: the kernel's.
    pub fn set(&mut self, budget: DatagramBudget) -> Result<(), MapError> {
        let words: BudgetWords = transmute!(budget);
        self.0.set(0, words, 0)
    }
}
