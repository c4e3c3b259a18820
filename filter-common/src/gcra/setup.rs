//! Rates from what people write.

use super::Rate;

impl Rate {
    /// The most units a second.
    pub const MAX_PER_SEC: u64 = 100_000_000_000;
    /// A tick is at least a 256th of a unit: what a packet more or less comes to.
    pub const FINE: u32 = 8;
    /// Units up to this rate, in units a second, can have fine ticks.
    pub const MAX_FINE_PER_SEC: u64 = 100_000_000;

    /// `units` in `period_ns`, of which `burst` may come at once. Its clock starts at zero.
    ///
    /// *Shape*: no rate at all, which limits nothing, if any of the three is zero. What is
    /// above [`Rate::MAX_PER_SEC`] is taken for that. A burst is at most 2^62 ticks.
    #[must_use]
    pub const fn new(units: u64, period_ns: u64, burst: u64, unit_bits: u32) -> Self {
        let none = Self { origin_ns: 0, origin: 0, factor: 0, burst: 0, shift: 0, unit_bits };
        if units == 0 || period_ns == 0 || burst == 0 {
            return none;
        }
        let most = period_ns as u128 * Self::MAX_PER_SEC as u128 / 1_000_000_000;
        let units = if units as u128 > most && most > 0 { most } else { units as u128 };
        let ticks = units << unit_bits;
        // Rounded up: who keeps to the rate must never be refused. The error is below one
        // in two thousand million, or below a tick in 292 years.
        let zeros = ticks.leading_zeros();
        let mut shift = if zeros < 63 { zeros } else { 63 };
        while shift > 0 && (ticks << shift).div_ceil(period_ns as u128) >> 32 != 0 {
            shift -= 1;
        }
        let factor = low_half((ticks << shift).div_ceil(period_ns as u128));
        let burst = (burst as u128) << unit_bits;
        let burst = if burst > 1 << 62 { 1 << 62 } else { low_half(burst) };
        Self { origin_ns: 0, origin: 0, factor, burst, shift, unit_bits }
    }

    /// This rate, with its clock going on from where another one's stands: what was used
    /// stays used, in units.
    ///
    /// *Shape*: a clock that changes its speed loses what part of a tick it had gone. One
    /// that doesn't goes on as it did, however often it is set up again.
    #[must_use]
    pub const fn continuing(self, former: &Self, now_ns: u64) -> Self {
        if self.factor == former.factor && self.shift == former.shift {
            return Self { origin_ns: former.origin_ns, origin: former.origin, ..self };
        }
        Self { origin_ns: now_ns, origin: former.clock(now_ns), ..self }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the caller has seen that it fits")]
const fn low_half(number: u128) -> u64 {
    number as u64
}
