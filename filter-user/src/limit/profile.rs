//! One limit as the kernel wants it.

use super::key::LimitKey;
use super::settings::{Allowance, LimitAction, LimitSettings};
use filter_common::abi::counter::Reason;
use filter_common::abi::limit::{Profile, THROTTLE_PROFILE};
use filter_common::gcra::Rate;

impl LimitSettings {
    /// The limit as the kernel wants it, under a number. Its clock starts at zero.
    #[must_use]
    pub fn profile(&self, number: u32) -> Profile {
        let (rate, window, coarse) = match self.allowance {
            Allowance::Rate { rate, burst } => {
                let (units, period_ns) = (rate.units.get(), rate.period.nanos());
                let rate = Rate::new(units, period_ns, burst.get(), self.unit.bits());
                let refill_ns = u128::from(burst.get()) * u128::from(period_ns) / u128::from(units);
                (rate, 0, refill_ns >= COARSE_FROM_NS)
            }
            Allowance::Quota { cap, window } => {
                (Rate { burst: cap.get(), ..Rate::default() }, window.ticks(), true)
            }
        };
        let (v4, v6) = match self.key {
            LimitKey::Client { v4, v6 } | LimitKey::FingerprintOfClient { v4, v6 } => (v4, v6),
            LimitKey::Service | LimitKey::Fingerprint => (0, 0),
        };
        let guarded = if self.guard { Profile::GUARDED } else { 0 };
        Profile {
            rate,
            v6_mask: u64::MAX.checked_shl(64 - u32::from(v6)).unwrap_or(0),
            v4_mask: u32::MAX.checked_shl(32 - u32::from(v4)).unwrap_or(0),
            window,
            unit: self.unit.number(),
            action: action(self.action),
            key: match self.key {
                LimitKey::Client { .. } => Profile::BY_CLIENT,
                LimitKey::Service => Profile::TOGETHER,
                LimitKey::Fingerprint => Profile::BY_FINGERPRINT,
                LimitKey::FingerprintOfClient { .. } => Profile::BY_FINGERPRINT_OF_CLIENT,
            },
            flags: guarded | if coarse { Profile::COARSE } else { 0 },
            reason: reason(number, self).0,
            reserved: [0; 3],
        }
    }
}

/// From this burst on, in time, a clock that is a few milliseconds late will do.
const COARSE_FROM_NS: u128 = 1_000_000_000;

const fn action(action: LimitAction) -> u8 {
    match action {
        LimitAction::Drop => Profile::DROP,
        LimitAction::Reset => Profile::RESET,
        LimitAction::Shadow | LimitAction::Off => Profile::SHADOW,
    }
}

const fn reason(number: u32, settings: &LimitSettings) -> Reason {
    if number == THROTTLE_PROFILE {
        Reason::THROTTLE
    } else if settings.key.is_service() {
        Reason::SERVICE_LIMIT
    } else if settings.is_quota() {
        Reason::QUOTA
    } else {
        settings.unit.reason()
    }
}
