//! What rules say of a hello.

use super::Hellos;
use super::name::{Names, SUFFIXES};
use crate::abi::Mode;
use crate::abi::counter::{Reason, Verdict};
use crate::abi::hello::{Cause, StreamBytes};
use crate::abi::limit::{Plan, Profile};
use crate::abi::rule::{Parts, Rule, RuleKey};
use crate::ja4::{Step, Work};
use crate::wire::frame::Frame;

/// Where rules are looked for, and what was found.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Search {
    key: RuleKey,
    /// The JA4, or the cause.
    parts: Parts,
    /// What its JA3 is made of.
    wire: u64,
    names: Names,
    /// A bit for each kind that is still to be looked for.
    left: u32,
    /// How many suffixes of the server's name are.
    suffixes: u32,
    /// What was found: an action.
    action: u32,
    /// What it did: pass, would-drop, drop or reset.
    pub(super) verdict: Verdict,
    reserved: [u8; 3],
}

/// The bit of causes: the last kind that is looked for.
const CAUSES: u32 = 1 << 13;
const SERVERS: u32 = 1 << 8 | 1 << 9;
const PROTOCOLS: u32 = 1 << 10;

const _: () = assert!(
    RuleKey::ORDER[13] == RuleKey::CAUSE
        && RuleKey::ORDER[8] == RuleKey::SERVER
        && RuleKey::ORDER[9] == RuleKey::SUFFIX
        && RuleKey::ORDER[10] == RuleKey::PROTOCOL
);

/// Says what rules do about a hello that has a fingerprint: the most exact one first, and of two
/// alike the one for the service alone. A rule in shadow doesn't hide a later one, nor does one
/// that limits.
#[inline(always)]
pub(super) fn judge<H: Hellos>(
    hellos: &H,
    frame: &mut Frame,
    search: &mut Search,
    bytes: &StreamBytes,
    work: &Work,
) {
    search.verdict = Verdict::PASS;
    let kinds = hellos.rule_kinds() & !CAUSES;
    if kinds == 0 {
        return;
    }
    (search.parts, search.wire) = (work.parts, work.wire());
    search.suffixes = 0;
    if kinds & SERVERS != 0 {
        search.names.read_server(hellos.secret(), bytes, work.server_name(bytes), hellos);
        search.suffixes = search.names.count;
    }
    if kinds & PROTOCOLS != 0 {
        search.names.read_protocol(hellos.secret(), bytes, work.protocol(bytes), hellos);
    }
    look(hellos, frame, search, kinds);
}

/// Says what rules do about a hello that has none.
#[inline(always)]
pub(super) fn judge_cause<H: Hellos>(
    hellos: &H,
    frame: &mut Frame,
    search: &mut Search,
    cause: Cause,
) {
    search.verdict = Verdict::PASS;
    let kinds = hellos.rule_kinds() & CAUSES;
    if kinds == 0 {
        return;
    }
    search.parts = RuleKey::cause(cause);
    look(hellos, frame, search, kinds);
}

#[inline(always)]
fn look<H: Hellos>(hellos: &H, frame: &mut Frame, search: &mut Search, kinds: u32) {
    (search.left, search.action) = (kinds, 0);
    frame.own_steps = 0;
    frame.replaced_unit = Profile::NO_UNIT;
    hellos.repeat(MOST, &mut Look { hellos, frame, search });
    if search.action != 0 {
        frame.own_steps = 0;
        frame.refused = Reason::HELLO_RULE;
        let is_reset = search.action == u32::from(Rule::RESET) && frame.is_resettable();
        frame.refusal = if is_reset { Verdict::RESET } else { Verdict::DROP };
        search.verdict = frame.refusal;
    }
}

/// Keys that are looked for at most, one for the service alone and one for any.
#[expect(clippy::cast_possible_truncation, reason = "a few")]
const MOST: u32 = 2 * (RuleKey::ORDER.len() + SUFFIXES) as u32;

/// Looks for a rule of one kind.
struct Look<'a, H> {
    hellos: &'a H,
    frame: &'a mut Frame,
    search: &'a mut Search,
}

impl<H: Hellos> Step for Look<'_, H> {
    fn step(&mut self, index: u32) -> bool {
        let Self { hellos, frame, search } = self;
        if search.left == 0 {
            return true;
        }
        let is_for_any = !index.is_multiple_of(2);
        if !is_for_any {
            aim(search);
        }
        search.key.service = if is_for_any { RuleKey::ANY_SERVICE } else { frame.service };
        let rule = hellos.rule(&search.key);
        if is_for_any {
            search.go_on();
        }
        let is_known = matches!(rule.action, Rule::BLOCK | Rule::RESET | Rule::LIMIT);
        if !is_known || rule.expires_ns <= hellos.coarse_ns() {
            return false;
        }
        let acts = frame.monitor == 0 && Mode(rule.mode) != Mode::SHADOW;
        let ends = acts && rule.action != Rule::LIMIT;
        hellos.count_rule(rule.number, ends);
        if rule.action == Rule::LIMIT {
            let charge = if acts { Plan::CHARGE } else { Plan::SHADOW };
            frame.charge_hello(charge, rule.profile);
            return false;
        }
        if !acts {
            search.verdict = Verdict::WOULD_DROP;
            if frame.shadowed == Reason::NO_RULE {
                frame.shadowed = Reason::HELLO_RULE;
            }
            return false;
        }
        search.action = u32::from(rule.action);
        true
    }
}

/// Makes the key of the next kind.
#[inline(always)]
fn aim(search: &mut Search) {
    let kind = RuleKey::ORDER[search.left.trailing_zeros() as usize & (RuleKey::ORDER.len() - 1)];
    search.key.kind = kind;
    search.key.parts = match kind {
        RuleKey::CAUSE => search.parts,
        RuleKey::VERSION => RuleKey::version(&search.parts),
        RuleKey::WIRE => RuleKey::hash(search.wire),
        RuleKey::SERVER => RuleKey::hash(search.names.server),
        // The longest first; the last one may be none, and nobody's.
        RuleKey::SUFFIX => RuleKey::hash(search.names.suffix(search.suffixes)),
        RuleKey::PROTOCOL => RuleKey::hash(search.names.protocol),
        RuleKey::ANY => Parts::default(),
        _ => search.parts.masked(kind),
    };
}

impl Search {
    /// The kind was looked for: on to the next one, or the next suffix.
    #[inline(always)]
    const fn go_on(&mut self) {
        if self.key.kind == RuleKey::SUFFIX && self.suffixes > 1 {
            self.suffixes -= 1;
        } else {
            self.left &= self.left - 1;
        }
    }
}

impl Frame {
    /// Has its hello charged to a profile, once; one that is the third isn't.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "a byte")]
    const fn charge_hello(&mut self, role: u64, profile: u16) {
        let step = (role | profile as u64 & Plan::NUMBER) as u16;
        if self.own_steps <= 0xff && self.own_steps != step {
            self.own_steps = self.own_steps << 8 | step;
        }
    }
}

#[cfg(test)]
mod tests;
