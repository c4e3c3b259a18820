//! What a request makes of a limit profile, and what an operator should know of that.

use crate::config::HostMode;
use crate::control::api::SetLimit;
use crate::limit::{Allowance, LimitAction, LimitSettings, SettingsError, Unit};

/// A profile with what a request says of it; what the request doesn't say stays.
///
/// *Errors*: a new profile without unit, rate or quota; what makes no sense.
pub(super) fn merged(
    before: Option<&LimitSettings>,
    request: SetLimit,
) -> Result<LimitSettings, SettingsError> {
    let Some(before) = before else {
        return request.settings();
    };
    let held = SetLimit::from(before.clone());
    let becomes_quota = request.quota.is_some();
    let rate = request.rate.or(if becomes_quota { None } else { held.rate });
    let burst = request.burst.or(if becomes_quota { None } else { held.burst });
    let quota = request.quota.or(if request.rate.is_some() { None } else { held.quota });
    let key = request.key.or(held.key);
    // There is no guard over single clients and quotas; what was said before says nothing
    // about what can have one from now on.
    let guard = held.guard.filter(|_| can_guard(before) && key == held.key && !becomes_quota);
    SetLimit {
        unit: request.unit.or(held.unit),
        rate,
        burst,
        quota,
        key,
        services: request.services.or(held.services),
        action: request.action.or(held.action),
        guard: request.guard.or(guard),
    }
    .settings()
}

const fn can_guard(settings: &LimitSettings) -> bool {
    settings.key.is_service() && !settings.is_quota()
}

/// Where a profile stands when it has been set.
pub(super) struct Standing<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// What it was before, if it was there.
    pub(super) before: Option<&'a LimitSettings>,
    /// Whether something names it: a list, or throttle verdicts.
    pub(super) is_named: bool,
    /// Whether the configuration has a profile of this name, or it is built in.
    pub(super) is_configured: bool,
    /// Whether rules act on this host.
    pub(super) mode: HostMode,
}

/// What an operator should know of a profile that he set.
pub(super) fn notes(settings: &LimitSettings, standing: &Standing<'_>) -> Vec<String> {
    let Standing { name, before, is_named, is_configured, mode } = standing;
    let anew = before.filter(|before| !before.counts_like(settings)).map(|before| {
        format!("every client starts anew: what was used so far was counted {}", manner(before))
    });
    let idle = (settings.services.is_empty() && !is_named).then(|| {
        format!(
            "it applies to nothing yet: {}",
            if settings.key.needs_fingerprint() {
                format!(
                    "`palisade rule set any --action limit:{name}` holds all ClientHellos to it"
                )
            } else {
                format!(
                    "say --service, or name it in a list with `palisade list create LIST --action \
                     limit:{name}`"
                )
            }
        )
    });
    let over = is_configured.then(|| {
        format!(
            "it stands in the place of the configuration's; `palisade limit del {name}` goes \
             back to that"
        )
    });
    let acts = match (settings.action, mode) {
        (LimitAction::Off, _) => Some(
            "it is off: it refuses and counts nothing, and what was used of it is forgotten"
                .to_owned(),
        ),
        (LimitAction::Shadow, _) => Some("it only counts, until --action drop".to_owned()),
        (_, HostMode::Monitor) => Some(
            "the host is in monitor mode: it only counts, until `palisade mode enforce`".to_owned(),
        ),
        _ => None,
    };
    [anew, idle, small_burst(settings), over, acts].into_iter().flatten().collect()
}

/// In which unit and of whom.
fn manner(settings: &LimitSettings) -> String {
    let kind = if settings.is_quota() { "quota" } else { "rate" };
    let whose = if settings.key.is_service() {
        "everybody together".to_owned()
    } else {
        format!("each {}", settings.key)
    };
    format!("as a {kind} of {} of {whose}", settings.unit)
}

/// A burst that clients meet who keep to the rate.
fn small_burst(settings: &LimitSettings) -> Option<String> {
    let Allowance::Rate { rate, burst } = settings.allowance else {
        return None;
    };
    let units_in =
        |ms: u128| u128::from(rate.units.get()) * ms * 1_000_000 / u128::from(rate.period.nanos());
    let burst = burst.get();
    if settings.unit == Unit::Connections && burst < BROWSER_CONNECTIONS {
        return Some(format!(
            "a browser opens up to {BROWSER_CONNECTIONS} connections at once, and the burst is \
             {burst}"
        ));
    }
    (u128::from(burst) < units_in(SHORT_MS)).then(|| {
        format!(
            "the burst of {burst} is less than what comes in {SHORT_MS} ms at {rate}: clients that \
             keep to the rate but send in bursts are refused"
        )
    })
}

/// Connections to one host that browsers open at once.
const BROWSER_CONNECTIONS: u64 = 6;

/// Traffic that is even over a second comes in bursts of so many milliseconds.
const SHORT_MS: u128 = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::{LimitKey, RatePer};
    use serde_json::{Value, json};

    fn settings(written: Value) -> LimitSettings {
        serde_json::from_value(written).unwrap()
    }

    fn request(written: Value) -> SetLimit {
        serde_json::from_value(written).unwrap()
    }

    fn base() -> LimitSettings {
        settings(json!({
            "unit": "packets", "rate": "100/s", "burst": 300, "services": ["tcp/443"],
            "action": "shadow",
        }))
    }

    fn standing(before: Option<&LimitSettings>) -> Standing<'_> {
        let mode = HostMode::Enforce;
        Standing { name: "web", before, is_named: false, is_configured: false, mode }
    }

    #[test]
    fn what_is_not_said_stays() {
        let merged = merged(Some(&base()), request(json!({ "rate": "7/m" }))).unwrap();
        let rate: RatePer = "7/m".parse().unwrap();
        let expected = LimitSettings {
            allowance: Allowance::Rate { rate, burst: 300.try_into().unwrap() },
            ..base()
        };
        assert_eq!(merged, expected);
        assert_eq!(super::merged(Some(&base()), SetLimit::default()).unwrap(), base());
    }

    #[test]
    fn a_rate_becomes_a_quota_and_a_rate_again() {
        let quota = merged(Some(&base()), request(json!({ "quota": "500/day" }))).unwrap();
        assert!(quota.is_quota());
        assert!(merged(Some(&quota), request(json!({ "burst": 5 }))).is_err());
        let rate = merged(Some(&quota), request(json!({ "rate": "5/s" }))).unwrap();
        assert_eq!(rate.allowance.to_string(), "5/s, burst 5");
        let both = request(json!({ "rate": "5/s", "quota": "500/day" }));
        assert!(merged(Some(&base()), both).is_err());
    }

    #[test]
    fn a_guard_comes_with_what_can_have_one_and_goes_with_it() {
        let service = merged(Some(&base()), request(json!({ "key": "service" }))).unwrap();
        assert!(service.guard);
        let bare = merged(Some(&service), request(json!({ "guard": false }))).unwrap();
        let slower = merged(Some(&bare), request(json!({ "rate": "1/s" }))).unwrap();
        assert!(!slower.guard, "what was said stays");
        let client = merged(Some(&service), request(json!({ "key": "client" }))).unwrap();
        assert_eq!((client.guard, client.key), (false, LimitKey::CLIENT));
        let quota = merged(Some(&service), request(json!({ "quota": "5k/hour" }))).unwrap();
        assert!(!quota.guard);
        assert!(merged(Some(&client), request(json!({ "guard": true }))).is_err());
    }

    #[test]
    fn a_new_profile_says_what_is_missing() {
        for (written, says) in [
            (json!({}), "unit"),
            (json!({ "rate": "5/s" }), "unit"),
            (json!({ "unit": "packets" }), "rate"),
            (json!({ "unit": "packets", "burst": 5 }), "rate"),
            (json!({ "unit": "packets", "rate": "5MB/s" }), "bytes"),
            (json!({ "unit": "packets", "rate": "5/s", "key": "service" }), "services"),
        ] {
            let error = merged(None, request(written.clone())).unwrap_err().to_string();
            assert!(error.contains(says), "{written} gave {error}");
        }
    }

    #[test]
    fn an_operator_is_told_what_he_may_not_have_meant() {
        let before = base();
        let bytes = settings(json!({ "unit": "bytes", "rate": "1MB/s" }));
        let said = notes(&bytes, &standing(Some(&before)));
        assert!(said[0].contains("anew") && said[0].contains("packets"), "{said:?}");
        assert!(said[1].contains("applies to nothing") && said[1].contains("limit:web"));
        assert_eq!(said.len(), 2);
        let mut named = standing(None);
        named.is_named = true;
        assert!(notes(&bytes, &named).is_empty());
        named.is_configured = true;
        named.mode = HostMode::Monitor;
        let said = notes(&bytes, &named);
        assert!(said[0].contains("limit del web") && said[1].contains("mode enforce"), "{said:?}");
        assert!(notes(&before, &named)[1].contains("--action drop"));
        for (written, says) in [
            (json!({ "unit": "packets", "rate": "20k/s", "burst": 10 }), "20 ms"),
            (json!({ "unit": "connections", "rate": "5/s", "burst": 2 }), "browser"),
        ] {
            let said = notes(&settings(written), &named);
            assert!(said[0].contains(says), "{said:?}");
        }
    }
}
