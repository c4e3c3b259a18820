//! What is judged: what one client has shown, and what is known.

use super::family::Family;
use super::judgement::Class;
use super::knowledge::{Day, Knowledge};
use super::shape::Shape;
use super::stack::Stack;
use super::syn::System;
use filter_common::wire::syn::Syn;

/// What a client has shown.
///
/// *Shape*: whoever collects it bounds it; [`Evidence::ENOUGH`] of each tell as much as all.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Its hellos, in the order in which they came.
    pub hellos: Vec<Hello>,
    /// Why others of its hellos have no fingerprint.
    pub causes: Vec<String>,
}

/// A hello over TCP, and what its structure says at once.
#[derive(Clone, Debug)]
pub struct Hello {
    /// Its JA4.
    pub ja4: String,
    shape: Shape,
    family: Option<Family>,
    stack: Option<(Stack, &'static str)>,
    /// What its connection started with, if that is known.
    pub syn: Option<Syn>,
    /// What sends it, as far as it and the client's others of its kind tell.
    pub class: Class,
}

impl Hello {
    /// A hello with this JA4 and structure, whose connection began with this SYN.
    #[must_use]
    pub fn new(ja4: String, shape: Shape, syn: Option<Syn>) -> Self {
        let (family, stack) = (Family::worn_by(&shape), Stack::place(&shape));
        Self { ja4, shape, family, stack, syn, class: Class::Unknown }
    }

    /// The system that opened its connection, if that is known.
    #[must_use]
    pub fn system(&self) -> Option<System> {
        System::of(self.syn.as_ref()?)
    }

    /// Whether one program may have sent both: they wear the same clothes or, if they wear none,
    /// have the same JA4.
    #[must_use]
    pub fn is_akin(&self, other: &Self) -> bool {
        self.family == other.family && (self.family.is_some() || self.ja4 == other.ja4)
    }

    /// The stack that wrote it, if that can be told.
    #[must_use]
    pub fn stack(&self) -> Option<Stack> {
        self.stack.map(|(stack, _)| stack)
    }

    /// Its structure.
    #[must_use]
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The browsers whose clothes it wears.
    #[must_use]
    pub const fn family(&self) -> Option<Family> {
        self.family
    }
}

impl Evidence {
    /// How many hellos of a client are worth keeping.
    pub const ENOUGH: usize = 8;
}

/// What signals look at.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// What the client has shown.
    pub evidence: &'a Evidence,
    /// What is known.
    pub knowledge: &'a Knowledge,
    /// The day on which it is judged.
    pub today: Day,
}

impl<'a> View<'a> {
    /// The hellos that wear a family's clothes.
    pub fn worn(&self) -> impl Iterator<Item = (Family, &'a Hello)> + use<'a> {
        let hellos = self.evidence.hellos.iter();
        hellos.filter_map(|hello| Some((hello.family?, hello)))
    }

    /// The hellos of a family.
    #[must_use]
    pub fn of(&self, family: Family) -> Vec<&'a Shape> {
        let own = self.worn().filter(|(worn, _)| *worn == family);
        own.map(|(_, hello)| &hello.shape).collect()
    }

    /// The family that all hellos wear; `None` if there are none, or several.
    #[must_use]
    pub fn family(&self) -> Option<Family> {
        let mut families = self.evidence.hellos.iter().map(|hello| hello.family);
        let first = families.next()??;
        families.all(|family| family == Some(first)).then_some(first)
    }

    /// The stacks of its hellos, with what shows them.
    pub fn stacks(&self) -> impl Iterator<Item = (Stack, &'static str)> + use<'a> {
        self.evidence.hellos.iter().filter_map(|hello| hello.stack)
    }
}
