//! What rules say of a hello.

use super::Hellos;
use crate::abi::Mode;
use crate::abi::counter::{Reason, Verdict};
use crate::abi::hello::Cause;
use crate::abi::rule::{Parts, Rule, RuleKey};
use crate::ja4::Step;
use crate::wire::frame::Frame;

/// Where rules are looked for, and what was found.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Search {
    key: RuleKey,
    /// The JA4, or the cause.
    parts: Parts,
    is_cause: u32,
    /// What was found: an action.
    action: u32,
}

/// Says what rules do about a hello: the most exact one first, and of two alike the one for
/// the service alone. A rule in shadow doesn't hide a later one.
#[inline(always)]
pub(super) fn judge<H: Hellos>(
    hellos: &H,
    frame: &mut Frame,
    search: &mut Search,
    parts: Parts,
    cause: Cause,
) {
    let kinds = hellos.rule_kinds();
    if kinds == 0 {
        return;
    }
    search.action = 0;
    search.is_cause = u32::from(cause != Cause::NONE);
    search.parts = parts;
    if search.is_cause != 0 {
        search.parts = RuleKey::cause(cause);
    }
    hellos.repeat(2 * RuleKey::KINDS, &mut Look { hellos, frame, search, kinds });
    if search.action != 0 {
        frame.refused = Reason::HELLO_RULE;
        let is_reset = search.action == u32::from(Rule::RESET) && frame.is_resettable();
        frame.refusal = if is_reset { Verdict::RESET } else { Verdict::DROP };
    }
}

/// Looks for a rule of one kind.
struct Look<'a, H> {
    hellos: &'a H,
    frame: &'a mut Frame,
    search: &'a mut Search,
    kinds: u32,
}

impl<H: Hellos> Step for Look<'_, H> {
    fn step(&mut self, index: u32) -> bool {
        let Self { hellos, frame, search, kinds } = self;
        // All of a JA4 first, then two of its parts, then one.
        let kind = match index / 2 {
            0 => RuleKey::WHOLE,
            1 => RuleKey::B | RuleKey::C,
            2 => RuleKey::A | RuleKey::C,
            3 => RuleKey::A | RuleKey::B,
            4 => RuleKey::C,
            5 => RuleKey::B,
            6 => RuleKey::A,
            7 => RuleKey::VERSION,
            _ => RuleKey::CAUSE,
        };
        let is_wanted = (kind == RuleKey::CAUSE) == (search.is_cause != 0);
        if *kinds >> kind & 1 == 0 || !is_wanted {
            return false;
        }
        search.key.kind = kind;
        let is_for_any = !index.is_multiple_of(2);
        search.key.service = if is_for_any { RuleKey::ANY_SERVICE } else { frame.service };
        search.key.parts = match kind {
            RuleKey::CAUSE => search.parts,
            RuleKey::VERSION => RuleKey::version(&search.parts),
            _ => search.parts.masked(kind),
        };
        let rule = hellos.rule(&search.key);
        let is_known = rule.action == Rule::BLOCK || rule.action == Rule::RESET;
        if !is_known || rule.expires_ns <= hellos.coarse_ns() {
            return false;
        }
        let acts = frame.monitor == 0 && Mode(rule.mode) != Mode::SHADOW;
        hellos.count_rule(rule.number, acts);
        if !acts {
            if frame.shadowed == Reason::NO_RULE {
                frame.shadowed = Reason::HELLO_RULE;
            }
            return false;
        }
        search.action = u32::from(rule.action);
        true
    }
}
