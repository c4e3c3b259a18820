//! What looking an address up costs: our table, the kernel's LPM trie, an exact hash, and
//! nothing.
//!
//! Prefixes of one list answer alike, so neighbours merge and our table is small: that is
//! what an imported feed comes to. `-16lists` deals the same prefixes over 16 lists, so
//! that nearly nothing merges. The trie always holds every prefix by itself.

mod adversary;
mod bed;
mod demand;
mod figures;
mod sources;

use super::Measured;
use super::measure::{self, Tell};
use crate::output;
use crate::prefixes::{self, Kept, Prefixes};
use anyhow::{Context, Result};
use bed::{Bed, LOOK_UPS};
use filter_user::clock::Now;
use filter_user::policy::AddressPolicy;
use filter_user::policy::image::{HostMemory, Image};
use filter_user::policy::note::Note;
use sources::Pattern;

/// Lists over which prefixes are dealt.
const LISTS: u16 = 16;

/// Lines that the daemon gives an image at most unless it is told otherwise: 64 MB.
const MAX_LINES: u32 = 1 << 20;

/// Measures everything.
///
/// # Errors
///
/// The kernel's, and look-ups that don't agree.
pub(super) fn measure(rounds: usize) -> Result<Measured> {
    let (full, data) = prefixes::full()?;
    output::progress(&format!("{data}: {} IPv4, {} IPv6", full.v4.len(), full.v6.len()));
    let mut measures = figures::of(&full)?;
    let mut fields = Vec::new();
    for (size, count) in [("1k", 1_000), ("100k", 100_000), ("full", usize::MAX)] {
        let set = full.sample(count);
        fields.push(Field::compared::<u32>(size, &set)?);
        fields.push(Field::compared::<u128>(size, &set)?);
    }
    fields.push(Field::adverse::<u32>(&adversary::v4(full.v4.len()))?);
    fields.push(Field::adverse::<u128>(&adversary::v6(full.v6.len()))?);
    let cases = measure::turns(rounds, &mut |tell| {
        fields.iter_mut().try_for_each(|field| field.turns(tell))
    })?;
    let last = fields.iter_mut().filter(|field| field.one.is_some()).skip(4);
    measures.extend(figures::of_tries(last.collect())?);
    let demands = demand::all(&cases, &measures);
    Ok(Measured { data: Some(data), cases, measures, demands })
}

/// A set, the programs that look it up, and whom they are asked for.
struct Field {
    bed: Bed,
    /// The same prefixes in one list, in our table alone; the bed has them in 16.
    one: Option<Bed>,
    patterns: Vec<Pattern>,
    look_ups: &'static [&'static str],
    /// What cases of a pattern are held against: `{}` stands for it.
    baseline: String,
    trie_ns: u64,
}

impl Field {
    fn compared<A: Kept>(size: &str, set: &Prefixes) -> Result<Self> {
        let prefixes = A::of(set);
        let mut bed = Bed::new::<A>(size, image(&plain(set, LISTS))?)?;
        let mut one = Bed::new::<A>(size, image(&plain(set, 1))?)?;
        let trie_ns = bed.load(prefixes, LISTS)?;
        let patterns = sources::patterns(prefixes);
        for pattern in &patterns {
            bed.verify::<A>(pattern)?;
        }
        let covered = patterns.last().context("no pattern")?;
        one.fill(covered);
        let baseline = format!("{}/{size}/{{}}/lpm_trie", A::NAME);
        Ok(Self { bed, one: Some(one), patterns, look_ups: &LOOK_UPS, baseline, trie_ns })
    }

    fn adverse<A: Kept>(set: &Prefixes) -> Result<Self> {
        let now_s = Now::read().unix_ms / 1000;
        let policy = set.policy(1, |entry| adversary::note(entry, now_s));
        let bed = Bed::new::<A>("adversarial", image(&policy)?)?;
        let patterns = vec![sources::covered_everywhere(A::of(set))];
        let baseline = format!("{}/full/{{}}/ours", A::NAME);
        Ok(Self { bed, one: None, patterns, look_ups: &LOOK_UPS[..1], baseline, trie_ns: 0 })
    }

    /// One turn of each case.
    fn turns(&mut self, tell: &mut Tell) -> Result<()> {
        for pattern in &self.patterns {
            let baseline = self.baseline.replace("{}", pattern.name);
            let name = |bed: &Bed, look_up| format!("{}/{}/{look_up}", bed.name, pattern.name);
            let dealt = |bed: &Bed| format!("{}-{LISTS}lists/{}/ours", bed.name, pattern.name);
            let compared = self.one.is_some();
            self.bed.fill(pattern);
            for look_up in self.look_ups {
                let ns = self.bed.turn(look_up)?;
                let ours = compared && *look_up == "ours";
                let case = if ours { dealt(&self.bed) } else { name(&self.bed, look_up) };
                tell(case, baseline.clone(), ns);
            }
            if let Some(one) = &mut self.one {
                one.fill(pattern);
                let ns = one.turn("ours")?;
                tell(name(one, &"ours"), baseline, ns);
            }
        }
        Ok(())
    }
}

fn plain(set: &Prefixes, lists: u16) -> AddressPolicy {
    set.policy(lists, |_| Note::default())
}

fn image(policy: &AddressPolicy) -> Result<Image<HostMemory>> {
    let now = Now::read();
    let epoch_s = (now.unix_ms - now.ktime_ns / 1_000_000) / 1000;
    let mut compiler = policy.compiler(now.unix_ms / 1000);
    Ok(Image::build(HostMemory::new(MAX_LINES), &mut compiler, epoch_s)?)
}
