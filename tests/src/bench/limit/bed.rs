//! The programs with one limit, their tables as full as they get, and turns on them.

use super::sources::{Family, Pattern};
use crate::bench::Measure;
use crate::bench::measure::{cpu_ns, tenths};
use crate::output;
use anyhow::{Context, Result, ensure};
use aya::maps::{Array, PerCpuArray};
use filter_common::abi::limit::{RATE_SETS, UDP_PORTS, WAYS};
use filter_user::clock::Now;
use filter_user::datapath::limits::LimitMaps;
use filter_user::datapath::test_run::TestProgram;
use filter_user::limit::{LimitBook, LimitSettings, Origin};

/// The programs on maps of their own.
pub(super) struct Bed {
    family: Family,
    program: TestProgram,
    limits: LimitMaps,
    /// Whether clients have used their limit up.
    drops: bool,
    /// Sources that nobody has seen yet begin here.
    strangers: u64,
}

/// Packets in one turn of one case.
const REPEAT: u32 = 1 << 18;

/// Packets before those that count.
const WARM_UP: u32 = 1 << 16;

/// A limit that comes back so slowly that no meter rests any more, and each new key has to
/// look at a whole set. It has the coarse clock, and a burst that is made larger than
/// operators can, so that nobody reaches it.
const GENEROUS: &str = "rate = '1/h'\nburst = 1";
const GENEROUS_TICKS: Option<u64> = Some(1 << 40);

/// One that comes back at once, and has the precise clock.
const PRECISE: &str = "rate = '100000000/s'\nburst = 50000000";

/// Such a bucket's price of a packet, and what it can save up.
const GENEROUS_PRICE: [u64; 2] = [10, 2_000_000_000];

/// One packet an hour.
const STRICT: &str = "rate = '1/h'\nburst = 1";
const STRICT_PRICE: [u64; 2] = [3_600_000_000_000; 2];

impl Bed {
    /// Everything passes.
    pub(super) fn passing(family: Family) -> Result<Self> {
        Self::new(family, GENEROUS, GENEROUS_TICKS, GENEROUS_PRICE)
    }

    /// Everything passes by the precise clock. Its meters are for themselves: those that rest
    /// would spare others the look at a whole set.
    pub(super) fn precise(family: Family) -> Result<Self> {
        Self::new(family, PRECISE, None, GENEROUS_PRICE)
    }

    /// Everything is dropped, once [`Bed::use_up`] has been.
    pub(super) fn dropping(family: Family) -> Result<Self> {
        Ok(Self { drops: true, ..Self::new(family, STRICT, None, STRICT_PRICE)? })
    }

    fn new(family: Family, limit: &str, burst: Option<u64>, price: [u64; 2]) -> Result<Self> {
        let mut program = TestProgram::metering("unmetered")?;
        program.add("metered")?;
        program.add("lru_hash")?;
        set(&mut program, "PRICE", price)?;
        set(&mut program, "CONFIG", [1, SECRET, SECRET, !SECRET, 0, 0])?;
        let mut book = LimitBook::default();
        let settings = format!("unit = 'packets'\n{limit}\nservices = ['udp/443']");
        let settings: LimitSettings = toml::from_str(&settings)?;
        book.put("limit", settings, Origin::Operator, Some(NUMBER))?;
        let mut limits = LimitMaps::take(program.maps())?;
        let mut compiled = book.compile().clone();
        if let (Some(burst), Some((_, profile))) = (burst, compiled.profiles.first_mut()) {
            profile.rate.burst = burst;
        }
        limits.apply(&compiled, Now::read().ktime_ns)?;
        Ok(Self { family, drops: false, program, limits, strangers: 1 << 30 })
    }

    /// Has more strangers come than there is room for in any table. Says how full ours is.
    pub(super) fn fill_up(&mut self) -> Result<Measure> {
        for program in ["metered", "lru_hash"] {
            self.run(program, Sources::Strangers, 8 * METERS)?;
        }
        let taken = f64::from(u32::try_from(self.limits.meters().count())?);
        let share = tenths(100.0 * taken / f64::from(METERS));
        ensure!(share > 99.0, "only {share} % of the meters are in use");
        Ok(self.measure("meters in use in a flood", share))
    }

    /// Has each client use up its limit. Says how many are refused from then on: those that
    /// the table has room for.
    pub(super) fn use_up(&mut self) -> Result<Vec<Measure>> {
        // Those that are measured by themselves come first, and find room.
        for pattern in Pattern::ALL {
            let sources = Sources::Clients(pattern.clients());
            for program in ["metered", "lru_hash"] {
                self.run(program, sources, 2 * pattern.clients())?;
            }
        }
        let mut measures = Vec::new();
        for program in ["metered", "lru_hash"] {
            let before = self.refused(program)?;
            self.run(program, Sources::Clients(Pattern::MOST), Pattern::MOST)?;
            let refused = f64::from(u32::try_from(self.refused(program)? - before)?);
            let share = tenths(100.0 * refused / f64::from(Pattern::MOST));
            let name = format!("{program}: of half as many clients as meters, held to a limit");
            measures.push(self.measure(&name, share));
        }
        Ok(measures)
    }

    fn measure(&self, what: &str, value: f64) -> Measure {
        let measure = format!("{}: {what}", self.family.name);
        output::progress(&format!("{measure}: {value} %"));
        Measure { measure, value, unit: "%" }
    }

    /// Packets that a program has refused.
    fn refused(&mut self, program: &str) -> Result<u64> {
        if program == "metered" {
            return Ok(self.limits.counters(NUMBER)?.refused.packets);
        }
        let map = self.program.maps().map("REFUSED").context("no map REFUSED")?;
        let counts = PerCpuArray::<_, u64>::try_from(map)?.get(&0, 0)?;
        Ok(counts.iter().sum())
    }

    /// Nanoseconds a packet in one turn of a meter, on this thread's CPU time.
    pub(super) fn turn(&mut self, pattern: Pattern, meter: &str) -> Result<f64> {
        let program = match meter {
            "ours" => "metered",
            "lru_hash" => "lru_hash",
            _ => "unmetered",
        };
        let sources = if pattern == Pattern::Random && !self.drops {
            Sources::Strangers
        } else {
            Sources::Clients(pattern.clients())
        };
        self.run(program, sources, WARM_UP)?;
        let before = self.refused(program)?;
        let started = cpu_ns();
        let action = self.run(program, sources, REPEAT)?;
        let took = u32::try_from(cpu_ns() - started)?;
        let refused = self.refused(program)? - before;
        ensure!(action != 0, "{program} gave up");
        // Of so many clients some find their set full, and go untracked.
        let most = u64::from(REPEAT / 100 * 99);
        let is_right = match (self.drops, pattern) {
            (false, _) => refused == 0,
            (true, Pattern::Random) => refused >= u64::from(REPEAT / 10 * 9),
            (true, _) => refused >= most,
        };
        ensure!(is_right || program == "unmetered", "{program} refused {refused} of {REPEAT}");
        Ok(f64::from(took) / f64::from(REPEAT))
    }

    /// Puts so many packets through a program; returns what it says of the last.
    fn run(&mut self, program: &'static str, sources: Sources, packets: u32) -> Result<u32> {
        let (turns, seed) = match sources {
            Sources::Clients(clients) => (u64::from(clients) - 1, 0),
            Sources::Strangers => (u64::MAX, self.strangers),
        };
        if sources == Sources::Strangers {
            self.strangers += u64::from(packets);
        }
        let service = u64::from(UDP_PORTS) + PORT;
        let is_v6 = u64::from(self.family.is_v6) << 32;
        set(&mut self.program, "TRAFFIC", [0, turns, seed, service | is_v6])?;
        self.program.choose(program);
        Ok(self.program.run(&FRAME, packets)?.action)
    }
}

/// Whom packets come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sources {
    /// From each of so many in turn, a power of two.
    Clients(u32),
    /// From sources that nobody has seen yet.
    Strangers,
}

/// What the programs are given, and read nothing of.
const FRAME: [u8; 100] = [0; 100];

/// The limit's number, and the port that it is for.
const NUMBER: u32 = 2;
const PORT: u64 = 443;

const SECRET: u64 = 0x0123_4567_89ab_cdef;

/// As many has each table.
const METERS: u32 = WAYS * RATE_SETS;

/// Sets the one element of an array of words.
fn set<const N: usize>(program: &mut TestProgram, name: &'static str, words: [u64; N]) -> Result<()>
where
    [u64; N]: aya::Pod,
{
    let map = program.maps().map_mut(name).with_context(|| format!("no map {name}"))?;
    Ok(Array::<_, [u64; N]>::try_from(map)?.set(0, words, 0)?)
}
