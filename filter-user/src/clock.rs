//! The one place that reads a clock. Everywhere else time is a parameter.
#![expect(clippy::disallowed_methods, reason = "this is the place")]

use nix::time::{ClockId, clock_gettime};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The same moment on two clocks.
///
/// The kernel side lives on the monotonic clock; what is stored or shown lives on the
/// wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Nanoseconds on the clock of `bpf_ktime_get_ns`.
    pub ktime_ns: u64,
    /// Milliseconds since 1970.
    pub unix_ms: u64,
}

impl Now {
    /// Reads both clocks.
    #[must_use]
    pub fn read() -> Self {
        Self { ktime_ns: monotonic_ns(), unix_ms: unix_ms() }
    }

    /// A moment of the wall clock on the kernel's clock; now, if it is past.
    #[must_use]
    pub fn ktime_of(&self, unix_ms: u64) -> u64 {
        let ahead_ms = unix_ms.saturating_sub(self.unix_ms);
        self.ktime_ns.saturating_add(ahead_ms.saturating_mul(1_000_000))
    }

    /// A moment of the kernel's clock on the wall clock; now, if it is past.
    #[must_use]
    pub fn unix_ms_of(&self, ktime_ns: u64) -> u64 {
        self.unix_ms.saturating_add(ktime_ns.saturating_sub(self.ktime_ns) / 1_000_000)
    }

    /// A moment that has passed on the kernel's clock, on the wall clock.
    #[must_use]
    pub const fn unix_ms_before(&self, ktime_ns: u64) -> u64 {
        self.unix_ms.saturating_sub(self.ktime_ns.saturating_sub(ktime_ns) / 1_000_000)
    }

    /// The moment on the wall clock after a while.
    #[must_use]
    pub fn unix_ms_after(&self, lasts: Duration) -> u64 {
        let lasts_ms = u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX);
        self.unix_ms.saturating_add(lasts_ms)
    }
}

fn monotonic_ns() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from);
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_ahead_is_as_far_ahead_on_both_clocks() {
        let now = Now { ktime_ns: 5_000_000_000, unix_ms: 1_000_000 };
        assert_eq!(now.ktime_of(1_002_000), 7_000_000_000);
        assert_eq!(now.unix_ms_of(7_000_000_000), 1_002_000);
        assert_eq!(now.ktime_of(0), now.ktime_ns);
    }

    #[test]
    fn a_far_future_does_not_overflow() {
        assert_eq!(Now::default().ktime_of(u64::MAX), u64::MAX);
        assert_eq!(Now { ktime_ns: 1, unix_ms: 1 }.unix_ms_after(Duration::MAX), u64::MAX);
    }
}
