//! What is printed of an evaluation.

use super::{Evaluation, Judged, Kind};
use filter_user::classify::judgement::{Class, Judgement};
use filter_user::classify::signals::SIGNALS;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The evaluation as one object.
#[derive(Serialize)]
struct Object<'a> {
    clients: Vec<ClientObject<'a>>,
    matrix: BTreeMap<&'a str, BTreeMap<&'a str, usize>>,
    signals: BTreeMap<&'a str, SignalObject>,
}

#[derive(Serialize)]
struct ClientObject<'a> {
    client: &'a str,
    kind: &'a str,
    class: &'a str,
    score: u32,
    signals: Vec<&'a str>,
}

#[derive(Serialize)]
struct SignalObject {
    weight: u32,
    /// Clients at which it fired.
    fired: usize,
    /// Clients that are judged right without it.
    without: usize,
}

/// How an evaluation judges: honestly, or knowing the clients.
type Choice = fn(&Judged) -> &Judgement;

const HONEST: Choice = |judged| &judged.honest;
const INFORMED: Choice = |judged| &judged.informed;

impl Evaluation {
    /// One line of JSON.
    ///
    /// # Errors
    ///
    /// None that could be met.
    pub fn json(&self) -> serde_json::Result<String> {
        let clients = self.clients.iter().map(|judged| ClientObject {
            client: &judged.client.name,
            kind: judged.client.kind.name(),
            class: judged.honest.class.name(),
            score: judged.honest.score,
            signals: judged.honest.signals.iter().map(|fired| fired.name).collect(),
        });
        let matrix = Kind::ALL.map(|kind| {
            let counts = Class::ALL.map(|class| (class.name(), self.count(kind, class, HONEST)));
            (kind.name(), counts.into_iter().collect())
        });
        let signals = SIGNALS.iter().zip(&self.without).map(|(signal, &without)| {
            let fired = self.fired(signal.name);
            (signal.name, SignalObject { weight: signal.weight, fired, without })
        });
        let (clients, signals) = (clients.collect(), signals.collect());
        serde_json::to_string(&Object { clients, matrix: matrix.into_iter().collect(), signals })
    }

    /// Tables for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text).map(|()| text).unwrap_or_default()
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "without the client's own fingerprints and its kin:\n")?;
        self.write_matrix(out, HONEST)?;
        writeln!(out, "\nwith all that is known, the clients themselves included:\n")?;
        self.write_matrix(out, INFORMED)?;
        writeln!(out, "\nerrors, the worst first:\n")?;
        self.write_errors(out)?;
        let right = self.right(|_| true, HONEST);
        let all = self.clients.len();
        writeln!(out, "\n{right} of {all} are judged right; without one signal:\n")?;
        for (signal, without) in SIGNALS.iter().zip(&self.without) {
            let (name, weight, fired) = (signal.name, signal.weight, self.fired(signal.name));
            writeln!(out, "{name:20} weight {weight:3}  fired {fired:3}  without it {without:3}")?;
        }
        Ok(())
    }

    fn write_matrix(&self, out: &mut String, choice: Choice) -> std::fmt::Result {
        write!(out, "{:20}", "kind")?;
        for class in Class::ALL {
            write!(out, "{:>13}", class.name())?;
        }
        for kind in Kind::ALL {
            write!(out, "\n{:20}", kind.name())?;
            for class in Class::ALL {
                write!(out, "{:>13}", self.count(kind, class, choice))?;
            }
        }
        writeln!(out, "\n")?;
        self.write_figures(out, choice)
    }

    fn write_figures(&self, out: &mut String, choice: Choice) -> std::fmt::Result {
        let harmed = |judged: &&Judged| {
            let class = choice(judged).class;
            judged.client.kind.is_browser() && matches!(class, Class::Tool | Class::Impersonator)
        };
        let harmed = self.clients.iter().filter(harmed).count();
        writeln!(out, "browsers taken for tools or impersonators: {harmed}")?;
        let machine = |kind| matches!(kind, Kind::Library | Kind::BotTool);
        let impersonator = |kind| kind == Kind::Impersonator;
        let (found, all) = (self.right(machine, choice), self.all(machine));
        writeln!(out, "tools and libraries recognised: {found} of {all}")?;
        let (found, all) = (self.right(impersonator, choice), self.all(impersonator));
        writeln!(out, "impersonators told from browsers: {found} of {all}")
    }

    fn write_errors(&self, out: &mut String) -> std::fmt::Result {
        let wrong = |judged: &&Judged| !judged.client.kind.is_right(judged.honest.class);
        let mut wrong: Vec<&Judged> = self.clients.iter().filter(wrong).collect();
        wrong.sort_by_key(|judged| badness(judged));
        for judged in wrong {
            let signals: Vec<&str> = judged.honest.signals.iter().map(|fired| fired.name).collect();
            let (client, class) = (&judged.client, judged.honest.class.name());
            let (kind, score) = (client.kind.name(), judged.honest.score);
            let signals = signals.join(", ");
            writeln!(out, "{:30} {kind:20} {class:13} {score:3}  {signals}", client.name)?;
        }
        Ok(())
    }

    fn count(&self, kind: Kind, class: Class, choice: Choice) -> usize {
        let of = |judged: &&Judged| judged.client.kind == kind && choice(judged).class == class;
        self.clients.iter().filter(of).count()
    }

    fn right(&self, of: impl Fn(Kind) -> bool, choice: Choice) -> usize {
        let right = |judged: &&Judged| {
            of(judged.client.kind) && judged.client.kind.is_right(choice(judged).class)
        };
        self.clients.iter().filter(right).count()
    }

    fn all(&self, of: impl Fn(Kind) -> bool) -> usize {
        self.clients.iter().filter(|judged| of(judged.client.kind)).count()
    }

    fn fired(&self, name: &str) -> usize {
        let has = |judged: &&Judged| judged.honest.signals.iter().any(|fired| fired.name == name);
        self.clients.iter().filter(has).count()
    }
}

/// Worst is a browser that would be blocked, then what passes for one, then doubt.
fn badness(judged: &Judged) -> (u8, u32) {
    let class = judged.honest.class;
    let rank = match (judged.client.kind.is_browser(), class) {
        (_, Class::Unknown) => 2,
        (true, _) => 0,
        (false, _) => 1,
    };
    (rank, judged.honest.score)
}
