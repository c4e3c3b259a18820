//! What a limit costs: our meters, a token bucket in the kernel's LRU hash, and none; and
//! the whole filter with a limit and without.
//!
//! Sources are one, 65,536 in turn, or fully random. Those that pass are never the same
//! again, as in a flood; those that are dropped are a quarter of a million that have used
//! their limit up, as nobody is refused at once. Both tables have half a million entries.

mod bed;
mod demand;
mod filter;
mod sources;

use super::measure::{self, Tell};
use super::{Measure, Measured};
use anyhow::Result;
use bed::Bed;
use filter::Filters;
use sources::{FAMILIES, Family, Pattern};

/// Measures everything.
///
/// # Errors
///
/// The kernel's, and programs that don't do what they are measured for.
pub(super) fn measure(rounds: usize) -> Result<Measured> {
    let mut fields = FAMILIES.map(Field::new).into_iter().collect::<Result<Vec<_>>>()?;
    let mut filters = Filters::load()?;
    let cases = measure::turns(rounds, &mut |tell| {
        fields.iter_mut().try_for_each(|field| field.turns(tell))?;
        filters.turns(tell)
    })?;
    let full = fields.into_iter().flat_map(|field| field.measures);
    let measures = full.chain(demand::clock(&cases)).collect();
    let demands = demand::all(&cases);
    Ok(Measured { data: None, cases, measures, demands })
}

/// The programs for addresses of one family.
struct Field {
    family: Family,
    passing: Bed,
    precise: Bed,
    dropping: Bed,
    measures: Vec<Measure>,
}

impl Field {
    fn new(family: Family) -> Result<Self> {
        let mut passing = Bed::passing(family)?;
        let (precise, mut dropping) = (Bed::precise(family)?, Bed::dropping(family)?);
        let mut measures = vec![passing.fill_up()?];
        measures.extend(dropping.use_up()?);
        Ok(Self { family, passing, precise, dropping, measures })
    }

    /// One turn of each case.
    fn turns(&mut self, tell: &mut Tell) -> Result<()> {
        for pattern in Pattern::ALL {
            let prefix = format!("{}{}", self.family.prefix, pattern.name());
            let against = |other: &str| format!("{prefix}/{other}");
            let ns = self.passing.turn(pattern, "ours")?;
            tell(against("ours"), against("lru_hash"), ns);
            let ns = self.precise.turn(pattern, "ours")?;
            tell(against("ours-precise"), against("lru_hash"), ns);
            let ns = self.passing.turn(pattern, "lru_hash")?;
            tell(against("lru_hash"), against("none"), ns);
            let ns = self.passing.turn(pattern, "none")?;
            tell(against("none"), against("none"), ns);
            for (meter, baseline) in [("ours", "lru_hash/drop"), ("lru_hash", "none")] {
                let ns = self.dropping.turn(pattern, meter)?;
                tell(against(&format!("{meter}/drop")), against(baseline), ns);
            }
        }
        Ok(())
    }
}
