//! Legitimate clients beside an attack.

use super::generator::{Flood, Wave};
use super::newcomers::{Groups, Newcomers};
use super::regulars::{Regulars, Requests};
use super::site::Site;
use anyhow::Result;
use std::thread;
use std::time::{Duration, Instant};

/// What became of everybody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    /// Requests on connections that were there before the attack.
    pub requests: Requests,
    /// Connections that were opened during the attack.
    pub newcomers: Groups,
    /// Frames that arrived at the edge, whoever sent them.
    pub received: u64,
    /// How long that took.
    pub took: Duration,
}

/// New connections a second of each group.
const RATE: u32 = 100;

/// Seconds in which the regulars connect.
const CONNECTING: u32 = 2;

impl Site {
    /// Has legitimate clients come for some seconds, while waves of frames go on.
    ///
    /// *Shape*: the regulars are there before the attack, which goes on until the last
    /// client was served or gave up.
    ///
    /// # Errors
    ///
    /// A client or a flood fails in another way than by not being served.
    pub fn play(&mut self, waves: &[&Wave], seconds: u32) -> Result<Outcome> {
        let start = now();
        let regulars = Regulars::start(self, CONNECTING + seconds)?;
        let mut newcomers = Newcomers::ready(self, RATE, seconds, self.strangers)?;
        self.strangers += RATE * (seconds + 1);
        let connecting = Duration::from_secs(u64::from(CONNECTING));
        thread::sleep(connecting.saturating_sub(start.elapsed()));
        let (start, before) = (now(), self.received()?);
        let floods =
            waves.iter().map(|wave| Flood::start(self, wave)).collect::<Result<Vec<_>>>()?;
        newcomers.go()?;
        let newcomers = newcomers.finish()?;
        let requests = regulars.finish()?;
        for flood in floods {
            flood.stop()?;
        }
        let (received, took) = (self.received()? - before, start.elapsed());
        Ok(Outcome { requests, newcomers, received, took })
    }
}

#[expect(clippy::disallowed_methods, reason = "clients come in real time")]
fn now() -> Instant {
    Instant::now()
}
