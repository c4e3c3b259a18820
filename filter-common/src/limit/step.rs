//! A step of a packet's plan: one profile, and what it makes of the packet.

use super::key;
use super::meter::{self, Charge, Meters, NO_WAY, Scale, Word};
use super::proof::is_proven;
use super::{ATTEMPTS, Limits, Outcome, has_steps};
use crate::abi::address::AddressClass;
use crate::abi::counter::{Reason, Verdict};
use crate::abi::limit::{Plan, Profile, THROTTLE_PROFILE};
use crate::wire::frame::{Frame, Kind};

/// Takes the next step of a frame's plan. `true` when it was the last, or refused the packet
/// for good.
#[inline(always)]
pub fn step<L: Limits>(limits: &L, frame: &mut Frame) -> bool {
    let left = (frame.plan, frame.own_steps);
    let step = take_next(frame);
    let outcome = take(limits, step, frame);
    if outcome == Outcome::LOST {
        frame.lost += 1;
        (frame.plan, frame.own_steps) = left;
        return false;
    }
    outcome == Outcome::REFUSED || !has_steps(frame)
}

/// Takes a step. What was refused for good is left in the frame.
#[inline(always)]
fn take<L: Limits>(limits: &L, step: u64, frame: &mut Frame) -> Outcome {
    let (number, role) = ((step & Plan::NUMBER) as u32, step & !Plan::NUMBER);
    let Some(profile) = limits.profile(number) else {
        return Outcome::PASSED;
    };
    let units = units(profile, frame);
    let acts = acts(profile, role, frame);
    let applies = profile.is_on() && units != 0 && !is_replaced(profile, number, role, frame);
    if !applies || (role == Plan::LOOK && !acts) {
        // What doesn't act will be told at the charge.
        return Outcome::PASSED;
    }
    let scale = Scale::new(profile, now_ns(limits, profile, frame));
    let this = Step { limits, scale, number, units, role };
    let outcome = this.charge(frame);
    this.tell(outcome, acts, frame)
}

/// The next step: what only looks, then what is the client's own, then the others. Zero is
/// none.
#[inline(always)]
const fn take_next(frame: &mut Frame) -> u64 {
    let (own, step) = (frame.own_steps, frame.plan.low & 0xff);
    if own != 0 && step & !Plan::NUMBER != Plan::LOOK {
        frame.own_steps = own >> 8;
        return own as u64 & 0xff;
    }
    frame.plan.low = frame.plan.low >> 8 | frame.plan.high << 56;
    frame.plan.high >>= 8;
    step
}

/// Whether a list's profile stands in the place of this one, which the service names.
#[inline(always)]
fn is_replaced(profile: &Profile, number: u32, role: u64, frame: &Frame) -> bool {
    let of_service = role == Plan::CHARGE && number != THROTTLE_PROFILE;
    of_service && profile.key == Profile::BY_CLIENT && profile.unit == frame.replaced_unit
}

/// Units that a packet is charged; zero when the profile has nothing to say about it.
#[inline(always)]
fn units(profile: &Profile, frame: &Frame) -> u64 {
    let is_tcp = frame.kind == Kind::Tcp;
    if profile.unit == Profile::PACKETS {
        1
    } else if profile.unit == Profile::BYTES {
        u64::from(frame.bytes)
    } else if profile.unit == Profile::CONNECTIONS {
        u64::from(is_tcp && frame.tcp.flags.opens())
    } else {
        u64::from(is_tcp && (frame.hello.len != 0 || frame.is_fingerprinted != 0))
    }
}

/// The time, by the clock that suits the profile. The precise one is read once a packet.
#[inline(always)]
fn now_ns<L: Limits>(limits: &L, profile: &Profile, frame: &mut Frame) -> u64 {
    if profile.flags & Profile::COARSE != 0 {
        return limits.coarse_ns();
    }
    if frame.now_ns == 0 {
        frame.now_ns = limits.precise_ns();
    }
    frame.now_ns
}

/// Whether a refusal is carried out.
#[inline(always)]
fn acts(profile: &Profile, role: u64, frame: &Frame) -> bool {
    let held = role != Plan::LIST || frame.class.action() == AddressClass::LIMIT;
    frame.monitor == 0 && profile.action != Profile::SHADOW && role != Plan::SHADOW && held
}

/// One step with all that it needs.
struct Step<'a, L> {
    limits: &'a L,
    scale: Scale<'a>,
    number: u32,
    units: u64,
    role: u64,
}

impl<L: Limits> Step<'_, L> {
    #[inline(always)]
    fn charge(&self, frame: &mut Frame) -> Outcome {
        if self.scale.profile.key == Profile::TOGETHER {
            self.charge_together(frame)
        } else {
            self.charge_key(frame)
        }
    }

    #[inline(always)]
    fn charge_key(&self, frame: &Frame) -> Outcome {
        let secrets = self.limits.secrets();
        let place =
            key::place(&secrets, self.scale.profile, self.number, &frame.source, frame.fingerprint);
        let Some(meters) = self.limits.meters(place.set) else {
            return Outcome::UNTRACKED;
        };
        let found = meter::find(&meters, place.tag);
        let is_new = found == NO_WAY;
        let way = if is_new { self.room(&meters) } else { found };
        if way == NO_WAY {
            return Outcome::UNTRACKED;
        }
        let way = meters.way(way);
        let charge = Charge { is_new, ..self.of(self.scale.profile.rate.burst) };
        let outcome = meter::charge(&meters.word(way), &charge);
        if is_new && outcome == Outcome::PASSED {
            meters.tag(way).store(place.tag);
        }
        if outcome == Outcome::REFUSED {
            self.limits.note_offender(&place, self.scale.now_ns);
        }
        outcome
    }

    #[inline(always)]
    fn room(&self, meters: &L::Meters) -> u32 {
        self.limits.room(meters, &self.scale.own(self.number), self.scale.now_ns)
    }

    #[inline(always)]
    fn charge_together(&self, frame: &mut Frame) -> Outcome {
        let Some(word) = self.limits.aggregate(self.number) else {
            return Outcome::UNTRACKED;
        };
        let burst = self.scale.profile.rate.burst;
        let guarded = self.scale.profile.flags & Profile::GUARDED != 0;
        let outcome = self.charge_word(&word, if guarded { burst >> 1 } else { burst });
        if outcome != Outcome::REFUSED
            || !guarded
            || !is_proven(self.limits, frame, self.scale.now_ns)
        {
            return outcome;
        }
        let outcome = self.charge_word(&word, burst);
        if outcome == Outcome::PASSED { Outcome::PREFERRED } else { outcome }
    }

    #[inline(always)]
    fn charge_word(&self, word: &L::Word, burst: u64) -> Outcome {
        if self.role != Plan::LOOK {
            return meter::charge(word, &self.of(burst));
        }
        if self.limits.look(word, &self.of(burst)) { Outcome::PASSED } else { Outcome::REFUSED }
    }

    #[inline(always)]
    const fn of(&self, burst: u64) -> Charge<'_> {
        let Self { scale, units, .. } = *self;
        Charge { scale, units, burst, is_new: false }
    }

    /// Counts what became of the packet, and leaves in the frame what refused it.
    #[inline(always)]
    fn tell(&self, outcome: Outcome, acts: bool, frame: &mut Frame) -> Outcome {
        let mut counted = outcome;
        if outcome == Outcome::REFUSED {
            self.refuse(acts, frame);
            counted = if acts { Outcome::REFUSED } else { Outcome::WOULD_REFUSE };
        } else if outcome == Outcome::LOST {
            if frame.lost < ATTEMPTS {
                return Outcome::LOST;
            }
            counted = Outcome::UNTRACKED;
        }
        if self.role != Plan::LOOK || counted == Outcome::REFUSED {
            self.limits.count_limit(self.number, counted, frame.bytes);
        }
        counted
    }

    /// The packet was refused: why, and what happens to it.
    #[inline(always)]
    fn refuse(&self, acts: bool, frame: &mut Frame) {
        let mut reason = self.scale.profile.reason();
        if self.role == Plan::LIST {
            reason = Reason::LIST_LIMIT;
            let held = frame.class.action() == AddressClass::LIMIT;
            let list = if held { frame.class.list() } else { frame.class.shadow_list() };
            // What would have dropped it first is what it is counted under.
            if acts || frame.refused_by == 0 {
                frame.refused_by = list;
            }
        }
        if acts {
            let resets = self.scale.profile.action == Profile::RESET && frame.is_resettable();
            frame.refused = reason;
            frame.refusal = if resets { Verdict::RESET } else { Verdict::DROP };
        } else if frame.shadowed == Reason::NO_RULE {
            frame.shadowed = reason;
        }
    }
}
