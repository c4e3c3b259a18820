//! A client that asks one thing after the other, and when it was answered.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use super::client::{Answer, script};
use super::{Lab, Site};
use crate::clock::{self, Moment};

/// A visitor, at it until dropped.
pub(crate) struct Visitor {
    child: Child,
    seen: Arc<Mutex<Vec<(Moment, Answer)>>>,
}

impl Visitor {
    /// Starts a visitor and waits until it is served steadily.
    ///
    /// # Errors
    ///
    /// If it can't be started or isn't served.
    pub(crate) fn start(lab: &Lab, site: Site, source: &str) -> Result<Self> {
        let mut python = script(site, include_str!("script/visitor.py"), lab.folder());
        python
            .args([source, &PAUSE.as_millis().to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = python.spawn().context("can't start python3")?;
        let output = child.stdout.take().context("the visitor has no output")?;
        let seen = Arc::default();
        let visitor = Self { child, seen: Arc::clone(&seen) };
        thread::spawn(move || note(output, &seen));
        visitor.wait_for_answers()?;
        Ok(visitor)
    }

    /// Waits until the visitor has had some answers from now on.
    pub(crate) fn wait_for_answers(&self) -> Result<()> {
        let start = clock::now();
        clock::poll("a visitor being served", PATIENCE, || {
            Ok((self.count(Answer::Page, start) >= STEADY).then_some(()))
        })
    }

    /// Waits until the visitor has given up on a request that was sent after `start`.
    pub(crate) fn wait_for_silence(&self, start: Moment) -> Result<()> {
        clock::poll("a visitor being cut off", PATIENCE, || {
            Ok((self.count(Answer::Silence, start) > 0).then_some(()))
        })
    }

    /// How often the visitor has had this answer since `start`.
    pub(crate) fn count(&self, answer: Answer, start: Moment) -> usize {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let since = seen.iter().rev().take_while(|(when, _)| *when >= start);
        since.filter(|(_, what)| *what == answer).count()
    }

    /// When the visitor last got the page.
    pub(crate) fn last_page(&self) -> Option<Moment> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut latest = seen.iter().rev();
        latest.find_map(|(when, what)| (*what == Answer::Page).then_some(*when))
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        // An error says that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Times are taken when the line arrives here, a little after the answer did.
fn note(output: impl Read, seen: &Mutex<Vec<(Moment, Answer)>>) {
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        let answer = if line == "answer" { Answer::Page } else { Answer::Silence };
        seen.lock().unwrap_or_else(PoisonError::into_inner).push((clock::now(), answer));
    }
}

/// Between two requests: short, so that the moment of a change is known closely, and long
/// enough to stay far below the lab's packet limit.
pub(crate) const PAUSE: Duration = Duration::from_millis(1);

/// Answers after which a visitor counts as served.
const STEADY: usize = 20;

const PATIENCE: Duration = Duration::from_secs(10);
