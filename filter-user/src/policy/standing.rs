//! What stands at an address: which entries could decide about it, and what that makes.

use super::list::List;
use super::note::Note;
use filter_common::abi::Mode;
use filter_common::abi::address::{AddressClass, ListId};
use std::collections::HashMap;

/// The number of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClassNumber(pub u32);

impl ClassNumber {
    /// No rule.
    pub const NONE: Self = Self(0);
}

/// An answer: what the kernel is told, with its times on the wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Class {
    /// What the enforced lists say, and which.
    pub enforced: Answer,
    /// What they would say with the lists in shadow; the same if they change nothing.
    pub shadow: Answer,
    /// When it ends, in seconds since 1970; zero is never.
    pub expires_unix_s: u64,
    /// What holds then.
    pub next: ClassNumber,
}

/// What a list says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Answer {
    /// [`AddressClass::ALLOW`] and its like.
    pub action: u8,
    /// Which list says so.
    pub list: ListId,
}

/// The number of something that an entry can bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Contender(u32);

/// The number of what stands at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Standing(u32);

impl Standing {
    /// No list says anything.
    pub const NOTHING: Self = Self(0);
}

/// What an entry brings; the same for all entries of a list that end at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Claim {
    answer: Answer,
    shadow: bool,
    priority: i32,
    /// `u64::MAX` is never.
    expires_unix_s: u64,
}

impl Claim {
    /// Which of two wins, apart from the length of their prefixes.
    const fn rank(&self) -> (bool, i32) {
        let allows = self.answer.action == AddressClass::ALLOW;
        (allows, if allows { 0 } else { self.priority })
    }

    /// Whether `other`, which is weaker, can never decide beside this one.
    const fn outlasts(&self, other: &Self) -> bool {
        self.expires_unix_s >= other.expires_unix_s && (!self.shadow || other.shadow)
    }
}

/// Every standing that was met, each once.
#[derive(Debug)]
pub struct Standings {
    claims: Vec<Claim>,
    claim_numbers: HashMap<Claim, Contender>,
    /// Contenders, the strongest first.
    contenders: Vec<Vec<Contender>>,
    numbers: HashMap<Vec<Contender>, Standing>,
    joined: HashMap<(Standing, Contender), Standing>,
    classes: Vec<Class>,
    class_numbers: HashMap<Class, ClassNumber>,
    class_of: Vec<Option<ClassNumber>>,
}

impl Default for Standings {
    fn default() -> Self {
        Self {
            claims: Vec::new(),
            claim_numbers: HashMap::new(),
            contenders: vec![Vec::new()],
            numbers: HashMap::from([(Vec::new(), Standing::NOTHING)]),
            joined: HashMap::new(),
            classes: vec![Class::default()],
            class_numbers: HashMap::from([(Class::default(), ClassNumber::NONE)]),
            class_of: vec![Some(ClassNumber::NONE)],
        }
    }
}

impl Standings {
    /// What an entry of a list brings.
    pub fn contender(&mut self, list: &List, note: &Note) -> Contender {
        let claim = Claim {
            answer: Answer { action: list.settings.action.number(), list: list.id },
            shadow: list.settings.mode == Mode::SHADOW || note.shadow,
            priority: list.settings.priority,
            expires_unix_s: if note.expires_unix_s == 0 { u64::MAX } else { note.expires_unix_s },
        };
        let next = Contender(number(self.claims.len()));
        *self.claim_numbers.entry(claim).or_insert_with(|| {
            self.claims.push(claim);
            next
        })
    }

    /// What stands where, inside a prefix with this standing, an entry is added.
    pub fn with(&mut self, outside: Standing, contender: Contender) -> Standing {
        if let Some(known) = self.joined.get(&(outside, contender)) {
            return *known;
        }
        let joined = self.join(outside, contender);
        let standing = self.standing(joined);
        self.joined.insert((outside, contender), standing);
        standing
    }

    fn join(&self, outside: Standing, contender: Contender) -> Vec<Contender> {
        let mut all = self.contenders[index(outside.0)].clone();
        // The later one is inside the earlier ones: among equals it wins.
        let rank = self.claim(contender).rank();
        let at = all.partition_point(|held| self.claim(*held).rank() > rank);
        all.insert(at, contender);
        self.without_outlasted(&all)
    }

    fn without_outlasted(&self, all: &[Contender]) -> Vec<Contender> {
        let mut kept: Vec<Contender> = Vec::with_capacity(all.len());
        for weaker in all {
            let claim = self.claim(*weaker);
            if !kept.iter().any(|stronger| self.claim(*stronger).outlasts(claim)) {
                kept.push(*weaker);
            }
        }
        kept
    }

    fn standing(&mut self, contenders: Vec<Contender>) -> Standing {
        let next = Standing(number(self.contenders.len()));
        *self.numbers.entry(contenders).or_insert_with_key(|contenders| {
            self.contenders.push(contenders.clone());
            self.class_of.push(None);
            next
        })
    }

    /// The answer that a standing makes.
    pub fn class(&mut self, standing: Standing) -> ClassNumber {
        if let Some(known) = self.class_of[index(standing.0)] {
            return known;
        }
        let class = self.decide(standing);
        let next = ClassNumber(number(self.classes.len()));
        let number = *self.class_numbers.entry(class).or_insert_with(|| {
            self.classes.push(class);
            next
        });
        self.class_of[index(standing.0)] = Some(number);
        number
    }

    fn decide(&mut self, standing: Standing) -> Class {
        let contenders = self.contenders[index(standing.0)].clone();
        let claims = || contenders.iter().map(|contender| self.claim(*contender));
        let strongest = claims().next().copied();
        let enforced = claims().find(|claim| !claim.shadow).copied();
        let ends = [strongest, enforced].into_iter().flatten().map(|claim| claim.expires_unix_s);
        let ends = ends.min().unwrap_or(u64::MAX);
        let answer = |claim: Option<Claim>| claim.map_or(Answer::default(), |claim| claim.answer);
        let (enforced, shadow) = (answer(enforced), answer(strongest));
        if ends == u64::MAX {
            return Class { enforced, shadow, expires_unix_s: 0, next: ClassNumber::NONE };
        }
        let rest = contenders.iter().copied();
        let rest = rest.filter(|contender| self.claim(*contender).expires_unix_s > ends).collect();
        let rest = self.standing(rest);
        let next = self.class(rest);
        Class { enforced, shadow, expires_unix_s: ends, next }
    }

    /// An answer.
    #[must_use]
    pub fn look_up(&self, number: ClassNumber) -> &Class {
        &self.classes[index(number.0)]
    }

    fn claim(&self, contender: Contender) -> &Claim {
        &self.claims[index(contender.0)]
    }
}

/// At most one of each for each entry, of which there are fewer than 2^32.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
