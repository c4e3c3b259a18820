//! When a limit of everybody together is under pressure, and when it is over.

use std::collections::BTreeMap;

/// Nanoseconds without a refusal after which it is over.
pub const GUARD_CALM_NS: u64 = 10_000_000_000;

/// Which guarded limits are under pressure.
///
/// *Concurrency*: owned by one task.
#[derive(Debug, Default)]
pub struct Guard {
    limits: BTreeMap<String, State>,
}

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardEvent {
    /// From now on some are refused, and those who proved themselves pass first.
    Entered,
    /// Nobody was refused for a while.
    Left,
}

/// A limit, when it was looked at last.
#[derive(Clone, Copy, Debug)]
struct State {
    refused: u64,
    preferred: u64,
    /// Since when it is under pressure, and when it was seen to be last.
    pressed: Option<(u64, u64)>,
}

impl Guard {
    /// Takes in what a limit has counted so far: packets that it refused, and packets that
    /// passed because their client had proved itself.
    ///
    /// The first look only says where counting starts. A refusal begins it; refusals and
    /// preferences keep it up: a moment of calm in a flood ends nothing.
    pub fn handle(
        &mut self,
        name: &str,
        refused: u64,
        preferred: u64,
        now_ns: u64,
    ) -> Option<GuardEvent> {
        let Some(state) = self.limits.get_mut(name) else {
            self.limits.insert(name.into(), State { refused, preferred, pressed: None });
            return None;
        };
        // Counters that were cleared go back.
        let over = refused > state.refused;
        let near = preferred > state.preferred;
        (state.refused, state.preferred) = (refused, preferred);
        match &mut state.pressed {
            None if over => {
                state.pressed = Some((now_ns, now_ns));
                Some(GuardEvent::Entered)
            }
            Some((_, last_ns)) if over || near => {
                *last_ns = now_ns;
                None
            }
            Some((_, last_ns)) if now_ns.saturating_sub(*last_ns) >= GUARD_CALM_NS => {
                state.pressed = None;
                Some(GuardEvent::Left)
            }
            _ => None,
        }
    }

    /// Since when a limit is under pressure.
    #[must_use]
    pub fn since_ns(&self, name: &str) -> Option<u64> {
        self.limits.get(name)?.pressed.map(|(since_ns, _)| since_ns)
    }

    /// The limits that are under pressure, and since when.
    pub fn pressed(&self) -> impl Iterator<Item = (&str, u64)> {
        let each = self.limits.iter();
        each.filter_map(|(name, state)| Some((name.as_str(), state.pressed?.0)))
    }

    /// Forgets a limit that is gone or counts something else.
    pub fn forget(&mut self, name: &str) {
        self.limits.remove(name);
    }
}
