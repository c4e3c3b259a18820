//! From one profile to the next under the same number, while packets are charged.

use filter_common::abi::limit::Profile;

/// Whether what was counted under one profile means the same under another.
#[must_use]
pub fn counts_like(one: &Profile, other: &Profile) -> bool {
    let kind = |p: &Profile| (p.unit, p.key, p.v4_mask, p.v6_mask, p.is_quota());
    kind(one) == kind(other)
}

/// Whether there is more between two profiles than where their clocks began.
#[must_use]
pub fn differs(one: &Profile, other: &Profile) -> bool {
    let timeless = |profile: &Profile| {
        let mut profile = *profile;
        (profile.rate.origin_ns, profile.rate.origin) = (0, 0);
        profile
    };
    timeless(one) != timeless(other)
}

/// A profile whose clock goes on from where the present one's stands: what was used stays
/// used, in units.
#[must_use]
pub fn continued(present: &Profile, wanted: &Profile, now_ns: u64) -> Profile {
    let goes_on = present.is_on() && wanted.is_on() && !wanted.is_quota();
    let rate = if goes_on { wanted.rate.continuing(&present.rate, now_ns) } else { wanted.rate };
    Profile { rate, ..*wanted }
}
