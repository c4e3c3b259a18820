//! A flood out of the peer's interface, by a program on live frames.

use super::site::Site;
use anyhow::{Context, Result};
use filter_common::flood::FloodPlan;
use filter_user::datapath::test_run::TestProgram;
use nix::sched::{CloneFlags, setns};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What a flood sends.
#[derive(Clone, Debug)]
pub struct Wave {
    /// The frame that all are copies of; source, port and sequence number change.
    pub frame: Vec<u8>,
    /// The first source, and how many there are; `None` stands for the whole of IPv4.
    pub sources: Option<(Ipv4Addr, u32)>,
    /// Frames a second; `None` is as many as there can be.
    pub per_sec: Option<u32>,
}

/// A flood that goes on until it is stopped, or for a minute.
pub struct Flood {
    stop: Arc<AtomicBool>,
    senders: Vec<JoinHandle<Result<()>>>,
}

impl Flood {
    /// Starts to send from the lab's peer, on this thread's CPU.
    ///
    /// # Errors
    ///
    /// There is no way to the peer.
    pub fn start(site: &Site, wave: &Wave) -> Result<Self> {
        let interface = site.lab.peer_index()?;
        let stop = Arc::<AtomicBool>::default();
        let start = |_| {
            let (peer, wave, stop) = (site.lab.peer_namespace()?, wave.clone(), Arc::clone(&stop));
            Ok(thread::spawn(move || {
                setns(peer, CloneFlags::CLONE_NEWNET)
                    .context("can't enter the peer's namespace")?;
                send(&wave, interface, &stop)
            }))
        };
        let senders = (0..SENDERS).map(start).collect::<Result<_>>()?;
        Ok(Self { stop, senders })
    }

    /// Ends it.
    ///
    /// # Errors
    ///
    /// Sending failed.
    pub fn stop(mut self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let mut ended = self.senders.drain(..).map(JoinHandle::join);
        ended.try_for_each(|end| end.unwrap_or_else(|_| anyhow::bail!("a sender panicked")))
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn send(wave: &Wave, interface: u32, stop: &AtomicBool) -> Result<()> {
    let plan = FloodPlan::new(&wave.frame, interface).context("not a frame for a flood")?;
    let (first, count) = wave.sources.map_or((0, 0), |(first, count)| (first.to_bits(), count));
    let pace = wave.per_sec.map_or(0, |per_sec| per_sec / SENDERS);
    let mut program = TestProgram::flood()?;
    program.mapped("PLAN")?.fill(&[plan.from(first, count).paced(pace)]);
    #[expect(clippy::disallowed_methods, reason = "a flood goes on in real time")]
    let (start, mut turn) = (Instant::now(), FIRST_TURN);
    let mut frames = 0_u64;
    while !stop.load(Ordering::Relaxed) && start.elapsed() < LONGEST {
        program.run_live(&wave.frame, turn)?;
        frames += u64::from(turn);
        let took = u64::try_from(start.elapsed().as_millis())?.max(1);
        turn = u32::try_from(frames / took * TURN_MS)?.max(FIRST_TURN);
    }
    Ok(())
}

/// One sends while the other one's turn begins or ends, which takes the kernel some 30 ms.
const SENDERS: u32 = 2;

/// How long turns shall be, and how many frames the first has. What isn't due doesn't leave,
/// but counts.
const TURN_MS: u64 = 300;
const FIRST_TURN: u32 = 1 << 15;

/// No flood goes on for longer, whatever became of who started it.
const LONGEST: Duration = Duration::from_mins(1);
