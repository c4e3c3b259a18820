//! How well clients of a labelled corpus are classified: `cargo xtask eval`.
//!
//! A client is one capture with all of its hellos. Before it is judged, its fingerprints and
//! what is known of its kin are taken out of the knowledge, so that it is as new as a client
//! of tomorrow.

mod corpus;
mod kin;
mod report;

pub use corpus::Client;

use anyhow::Result;
use filter_user::classify::evidence::View;
use filter_user::classify::judgement::{Class, Judgement, judge, judge_by};
use filter_user::classify::knowledge::{Day, Knowledge};
use filter_user::classify::signals::SIGNALS;
use std::path::Path;

/// What came of a corpus.
#[derive(Debug)]
pub struct Evaluation {
    /// Its clients.
    pub clients: Vec<Judged>,
    /// For each of [`SIGNALS`], how many clients are judged right without it.
    pub without: Vec<usize>,
}

/// A client and what was held of it.
#[derive(Debug)]
pub struct Judged {
    /// The client.
    pub client: Client,
    /// What was held of it without its kin.
    pub honest: Judgement,
    /// What was held of it with all that is known.
    pub informed: Judgement,
}

/// Judges every client of the corpus in a folder.
///
/// # Errors
///
/// The corpus can't be read.
pub fn run(folder: &Path, at: Option<Day>) -> Result<Evaluation> {
    let knowledge = Knowledge::default();
    let today = at.unwrap_or(knowledge.as_of());
    let clients = corpus::read(folder)?;
    let unknowing: Vec<Knowledge> =
        clients.iter().map(|client| unknowing(&knowledge, client)).collect();
    let without = SIGNALS.iter().map(|left_out| {
        let judged = clients.iter().zip(&unknowing).filter(|(client, knowledge)| {
            let view = View { evidence: &client.evidence, knowledge, today };
            client.kind.is_right(judge_by(&view, |signal| signal.name != left_out.name).class)
        });
        judged.count()
    });
    let without = without.collect();
    let judged = clients.into_iter().zip(&unknowing).map(|(client, unknowing)| {
        let view = |knowledge| View { evidence: &client.evidence, knowledge, today };
        let (honest, informed) = (judge(&view(unknowing)), judge(&view(&knowledge)));
        Judged { client, honest, informed }
    });
    Ok(Evaluation { clients: judged.collect(), without })
}

/// The knowledge of somebody who has never met the client nor its kin.
fn unknowing(knowledge: &Knowledge, client: &Client) -> Knowledge {
    let ja4s: Vec<&str> = client.evidence.hellos.iter().map(|hello| hello.ja4.as_str()).collect();
    knowledge.without(&ja4s, |program| kin::are_kin(program, &client.name))
}

/// What a label says of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A browser.
    Browser,
    /// One that a program steers.
    BrowserAutomation,
    /// An HTTP library.
    Library,
    /// A program that is no browser.
    BotTool,
    /// A program that looks like a browser.
    Impersonator,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Browser, Self::BrowserAutomation, Self::Library, Self::BotTool, Self::Impersonator];

    /// Its name in labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::BrowserAutomation => "browser-automation",
            Self::Library => "library",
            Self::BotTool => "bot-tool",
            Self::Impersonator => "impersonator",
        }
    }

    /// Whether it is a browser's TLS stack that speaks.
    #[must_use]
    pub const fn is_browser(self) -> bool {
        matches!(self, Self::Browser | Self::BrowserAutomation)
    }

    /// Whether a class does it justice: an impersonator that is held for the library that it
    /// is has been told from a browser, too.
    #[must_use]
    pub const fn is_right(self, class: Class) -> bool {
        match self {
            Self::Browser | Self::BrowserAutomation => {
                matches!(class, Class::Browser | Class::Automation)
            }
            Self::Library | Self::BotTool => matches!(class, Class::Library | Class::Tool),
            Self::Impersonator => {
                matches!(class, Class::Impersonator | Class::Library | Class::Tool)
            }
        }
    }
}

#[cfg(test)]
mod tests;
