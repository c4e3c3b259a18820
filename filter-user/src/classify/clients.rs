//! What each client has shown lately.

use super::evidence::{Evidence, Hello};
use super::judgement::{Class, Judgement};
use crate::recent::Recent;
use filter_common::abi::client::ClientKey;
use filter_common::wire::syn::Syn;

/// Clients whose evidence is kept. At the limit the one that was quiet for longest is forgotten:
/// it takes as many addresses with real connections as this to have others forgotten.
///
/// *Units*: some 20 KiB for a client that sends the longest hellos that are read, so 80 MiB for
/// as many of those; usual ones take a tenth.
pub const CLIENTS: usize = 4096;

/// Hellos of one wire form that are kept of a client.
const ALIKE: usize = 4;

/// For how long evidence is kept, from the first of it on: addresses change hands.
const KEPT_MS: u64 = 3_600_000;

/// What a client has shown.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// Its hellos.
    pub evidence: Evidence,
    /// Names of its hellos' wire forms and what their connections started with, in the order
    /// of [`Evidence::hellos`].
    names: Vec<Name>,
    /// When it was first and last heard of, in milliseconds since 1970.
    pub first_unix_ms: u64,
    /// See [`first_unix_ms`](Self::first_unix_ms).
    pub last_unix_ms: u64,
    /// What was last held of it.
    class: Option<Class>,
}

impl Shown {
    /// Its last hello with this JA4.
    #[must_use]
    pub fn hello(&self, ja4: &str) -> Option<&Hello> {
        self.evidence.hellos.iter().rev().find(|hello| hello.ja4 == ja4)
    }

    /// Says of the last hello, and of those that are akin to it, what sends them: `whole` unless
    /// there are others.
    fn place(&mut self, whole: Class, judge: impl Fn(&Evidence) -> Judgement) {
        let hellos = &self.evidence.hellos;
        let Some(last) = hellos.last() else {
            return;
        };
        let akin: Vec<bool> = hellos.iter().map(|hello| hello.is_akin(last)).collect();
        let class = if akin.iter().all(|is_akin| *is_akin) {
            whole
        } else {
            let last = last.clone();
            let mut evidence = self.evidence.clone();
            evidence.hellos.retain(|hello| hello.is_akin(&last));
            judge(&evidence).class
        };
        let hellos = self.evidence.hellos.iter_mut().zip(akin);
        hellos.filter(|(_, is_akin)| *is_akin).for_each(|(hello, _)| hello.class = class);
    }
}

/// A hello's wire form, and its connection's SYN.
type Name = (u64, Option<Syn>);

/// All of them.
///
/// *Shape*: at most [`CLIENTS`], each with [`Evidence::ENOUGH`] hellos and causes, the last
/// ones.
#[derive(Debug)]
pub struct Clients {
    shown: Recent<ClientKey, Shown>,
}

impl Default for Clients {
    fn default() -> Self {
        Self { shown: Recent::new(CLIENTS) }
    }
}

impl Clients {
    /// What a client has shown; `None` if nothing is known of it.
    #[must_use]
    pub fn get(&self, client: &ClientKey) -> Option<&Shown> {
        self.shown.look(client)
    }

    /// Takes in a hello, made only if it tells something new of its client: `wire` names its wire
    /// form, and its connection began with `syn`. `true` if it did. Of one wire form a few are
    /// kept: that a program writes the same again tells something, and what it makes up differs.
    pub fn show_hello(
        &mut self,
        client: ClientKey,
        (wire, syn): (u64, Option<Syn>),
        unix_ms: u64,
        hello: impl FnOnce() -> Option<Hello>,
    ) -> bool {
        let shown = self.enter(client, unix_ms);
        // Hops come and go.
        let name = (wire, syn.map(|syn| Syn { ttl: 0, ..syn }));
        if shown.names.iter().filter(|known| **known == name).count() >= ALIKE {
            return false;
        }
        let Some(hello) = hello() else {
            return false;
        };
        push(&mut shown.names, name);
        push(&mut shown.evidence.hellos, hello);
        true
    }

    /// Takes in why a hello has no fingerprint. `true` if it is new for its client.
    pub fn show_cause(&mut self, client: ClientKey, cause: &str, unix_ms: u64) -> bool {
        let shown = self.enter(client, unix_ms);
        if shown.evidence.causes.iter().any(|known| known == cause) {
            return false;
        }
        push(&mut shown.evidence.causes, cause.to_owned());
        true
    }

    /// Judges a client anew, and its last hello with those that are akin to it. What is held of
    /// the client, if its class is another than before.
    pub fn hold(
        &mut self,
        client: &ClientKey,
        judge: impl Fn(&Evidence) -> Judgement,
    ) -> Option<Judgement> {
        let shown = self.shown.look_mut(client)?;
        let judgement = judge(&shown.evidence);
        shown.place(judgement.class, &judge);
        let changed = shown.class.replace(judgement.class) != Some(judgement.class);
        changed.then_some(judgement)
    }

    /// The client's place, made if need be.
    fn enter(&mut self, client: ClientKey, unix_ms: u64) -> &mut Shown {
        let new = || Shown { first_unix_ms: unix_ms, ..Shown::default() };
        let shown = self.shown.entry(client, new);
        if unix_ms.saturating_sub(shown.first_unix_ms) > KEPT_MS {
            *shown = Shown { class: shown.class, ..new() };
        }
        shown.last_unix_ms = unix_ms;
        shown
    }
}

/// Puts an item behind the others; the first one goes if there are enough.
fn push<T>(items: &mut Vec<T>, item: T) {
    if items.len() >= Evidence::ENOUGH {
        items.remove(0);
    }
    items.push(item);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::shape::Shape;

    const LINUX: Option<Syn> = Some(Syn {
        options: 0x3_1842,
        window: 64_240,
        mss: 1460,
        ttl: 60,
        scale: 8,
        quirks: 0,
        reserved: 0,
    });

    fn client(number: u32) -> ClientKey {
        ClientKey { high: 0, low: number.into() }
    }

    fn show(clients: &mut Clients, wire: u64, syn: Option<Syn>, unix_ms: u64) -> bool {
        let hello = || Some(Hello::new("t13".into(), Shape::default(), syn));
        clients.show_hello(client(1), (wire, syn), unix_ms, hello)
    }

    #[test]
    fn a_few_of_a_wire_form_are_kept_and_the_last_ones_stay() {
        let mut clients = Clients::default();
        assert!((0..ALIKE).all(|_| show(&mut clients, 1, None, 5)));
        assert!(!show(&mut clients, 1, None, 6));
        assert!((2..20).all(|wire| show(&mut clients, wire, None, 7)));
        let shown = clients.get(&client(1)).unwrap();
        assert_eq!(shown.evidence.hellos.len(), Evidence::ENOUGH);
        assert_eq!((shown.first_unix_ms, shown.last_unix_ms), (5, 7));
        assert!((1..ALIKE).all(|_| show(&mut clients, 19, None, 8)));
        assert!(!show(&mut clients, 19, None, 8));
        assert!(show(&mut clients, 1, None, 8));
    }

    #[test]
    fn a_syn_with_another_number_of_hops_is_the_same() {
        let mut clients = Clients::default();
        let with = |change: fn(&mut Syn)| {
            let mut syn = LINUX.unwrap();
            change(&mut syn);
            Some(syn)
        };
        assert!((0..ALIKE).all(|_| show(&mut clients, 1, LINUX, 0)));
        assert!(!show(&mut clients, 1, with(|syn| syn.ttl = 59), 0));
        assert!(show(&mut clients, 1, with(|syn| syn.window = 1), 0));
        assert_eq!(clients.get(&client(1)).unwrap().evidence.hellos[0].syn, LINUX);
    }

    #[test]
    fn after_an_hour_evidence_begins_anew() {
        let mut clients = Clients::default();
        assert!((0..ALIKE).all(|_| show(&mut clients, 1, None, 5)));
        assert!(!show(&mut clients, 1, None, 5 + KEPT_MS));
        assert!(show(&mut clients, 2, None, 6 + KEPT_MS));
        assert_eq!(clients.get(&client(1)).unwrap().evidence.hellos.len(), 1);
    }

    #[test]
    fn the_quietest_goes_first() {
        let mut clients = Clients::default();
        let most = u32::try_from(CLIENTS).unwrap();
        assert!((0..most).all(|number| clients.show_cause(client(number), "gap", 0)));
        clients.show_cause(client(0), "gap", 1);
        clients.show_cause(client(most), "gap", 2);
        assert!(clients.get(&client(1)).is_none() && clients.get(&client(0)).is_some());
        assert_eq!(clients.shown.len(), CLIENTS);
    }
}
