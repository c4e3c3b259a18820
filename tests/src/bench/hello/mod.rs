//! What a ClientHello costs, from its first segment to the packet after it.

mod bed;
mod connections;
mod demand;

use super::Measured;
use super::measure;
use anyhow::Result;
use bed::Bed;

/// Measures hellos of one segment and of two, known and unknown, beside the same bytes through
/// a parser in userspace; and packets of connections whose hello is over.
///
/// # Errors
///
/// The kernel's.
pub(super) fn measure(rounds: usize) -> Result<Measured> {
    let mut bed = Bed::new()?;
    let cases = measure::turns(rounds, &mut |tell| bed.round(tell))?;
    let demands = demand::all(&cases);
    Ok(Measured { cases, demands, ..Measured::default() })
}
