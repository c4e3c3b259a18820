//! What clients have shown of themselves, and what is held of them.

use super::engine::{Engine, sanction};
use crate::classify::evidence::{Hello, View};
use crate::classify::judgement::{Class, Judgement, judge};
use crate::classify::knowledge::Day;
use crate::classify::shape::Shape;
use crate::classify::syn::System;
use crate::classify::{Request, Sanction};
use crate::clock::Now;
use crate::control::api::{ClientClass, SignalEntry};
use crate::fingerprint::{Cause, Outcome};
use crate::verdict::client_of;
use filter_common::abi::client::ClientKey;
use std::net::IpAddr;

impl Engine {
    /// Takes in what a client shows, of which a local socket has proved that it is the sender,
    /// and says what follows. Only what is new for it has it judged; a class that changes is
    /// told.
    pub(super) fn take_in(&mut self, outcome: &Outcome, now: Now) -> Option<Request> {
        let address = outcome.flow.source.ip();
        let (client, unix_ms) = (client_of(address), now.unix_ms);
        let is_new = match &outcome.result {
            // Behind a HelloRetryRequest stacks leave out what they would else make up.
            Ok(_) if !outcome.is_first => return None,
            Ok(hello) => {
                self.clients.show_hello(client, (outcome.wire, outcome.syn), unix_ms, || {
                    let ja4 = hello.fingerprint.ja4.to_string();
                    Some(Hello::new(ja4, Shape::read(&hello.message).ok()?, outcome.syn))
                })
            }
            // Floods of others and bad lines bring these about.
            Err(Cause::TableFull | Cause::TimedOut) => return None,
            Err(cause) => self.clients.show_cause(client, cause.name(), unix_ms),
        };
        if is_new {
            let judgement = self.judge(&client, now)?;
            let text = format!("{}{}", judgement.class.name(), because(&judgement));
            if self.clients.hold(&client, judgement) {
                self.tell(now, "class", Some(address.to_string()), text);
            }
        }
        self.sanction_for(client)
    }

    /// What follows for a client from what is held of it.
    fn sanction_for(&self, client: ClientKey) -> Option<Request> {
        let held = self.clients.get(&client)?.held.as_ref()?;
        let sanction = match held.class {
            Class::Impersonator => sanction(self.config.classify.impersonator_action),
            _ => Sanction::Watch,
        };
        (sanction != Sanction::Watch).then(|| Request {
            client,
            sanction,
            lasts: self.config.classify.verdict_for,
            reason: format!("impersonator{}", because(held)),
        })
    }

    /// What is held of a client; `None` if it has shown nothing.
    fn judge(&self, client: &ClientKey, now: Now) -> Option<Judgement> {
        let evidence = &self.clients.get(client)?.evidence;
        let today = Day::of_seconds(now.unix_ms / 1000);
        Some(judge(&View { evidence, knowledge: &self.classifier.knowledge, today }))
    }

    /// What is held of an address's client, and why.
    pub(super) fn report_class(&self, address: IpAddr, now: Now) -> Option<ClientClass> {
        let client = client_of(address);
        let Judgement { class, score, signals } = self.judge(&client, now)?;
        let shown = self.clients.get(&client)?;
        let syns = shown.evidence.hellos.iter().rev().find_map(|hello| hello.syn.as_ref());
        let system = syns.and_then(System::of);
        let signals = signals.into_iter().map(|fired| SignalEntry {
            name: fired.name.into(),
            weight: fired.weight,
            evidence: fired.evidence,
        });
        Some(ClientClass {
            class: class.name().into(),
            score,
            signals: signals.collect(),
            system: system.map(|system| system.name().into()),
            first_unix_ms: shown.first_unix_ms,
            last_unix_ms: shown.last_unix_ms,
        })
    }
}

/// What a judgement rests on, for people.
fn because(judgement: &Judgement) -> String {
    let signals = judgement.signals.iter();
    let said: Vec<_> =
        signals.map(|fired| format!("{} ({})", fired.name, fired.evidence)).collect();
    if said.is_empty() { String::new() } else { format!(": {}", said.join(", ")) }
}
