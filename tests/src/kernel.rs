//! The filter in the kernel, on maps of its own and attached nowhere.

use crate::rules::Rules;
use anyhow::{Context, Result, bail};
use aya::maps::{MapData, RingBuf};
use filter_common::abi::counter::{Count, Counters, Reason, Verdict};
use filter_common::abi::hello::HelloRecord;
use filter_common::abi::quic::DatagramRecord;
use filter_common::decide::Decision;
use filter_user::clock::Now;
use filter_user::datapath::datagrams::{BudgetMap, DATAGRAMS};
use filter_user::datapath::limits::LimitMaps;
use filter_user::datapath::maps::Maps;
use filter_user::datapath::policy::PolicySlot;
use filter_user::datapath::rules::RuleMaps;
use filter_user::datapath::test_run::TestProgram;
use zerocopy::FromBytes;

/// A private copy of the filter.
pub struct KernelFilter {
    /// Its maps, to be filled and read.
    pub maps: Maps,
    /// Its limits.
    pub limits: LimitMaps,
    /// Its address policy.
    pub policy: PolicySlot,
    /// Its rules on hellos.
    pub rules: RuleMaps,
    /// How many QUIC datagrams are copied.
    pub budget: BudgetMap,
    /// The program alone, to be measured.
    pub program: TestProgram,
    records: RingBuf<MapData>,
    datagrams: RingBuf<MapData>,
}

/// Lines that a filter's image has for changes.
const SPARE_LINES: u32 = 4096;

/// What the kernel did with a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// An XDP action.
    pub action: u32,
    /// What the frame was counted under.
    pub decision: Decision,
    /// What the daemon was told of hellos.
    pub told: Vec<Told>,
    /// The datagram, if the daemon got a copy of it.
    pub copied: Vec<Copied>,
}

/// A datagram that the daemon got a copy of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    record: DatagramRecord,
    bytes: Vec<u8>,
}

impl Copied {
    /// A copy without what tests can't foresee: time and interface.
    #[must_use]
    pub fn new(record: &DatagramRecord, bytes: &[u8]) -> Self {
        let record = DatagramRecord { time_ns: 0, ifindex: 0, ..*record };
        Self { record, bytes: bytes.to_vec() }
    }
}

/// What the daemon is told of a hello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    record: HelloRecord,
    stream: Vec<u8>,
}

impl Told {
    /// A record without what tests can't foresee: time and interface.
    #[must_use]
    pub fn new(record: &HelloRecord, stream: &[u8]) -> Self {
        // Without a fingerprint there are leftovers in its place.
        let has_print = record.stream_len != 0;
        let ja4 = if has_print { record.ja4 } else { [0; 36] };
        let record = HelloRecord { time_ns: 0, ifindex: 0, ja4, ..*record };
        Self { record, stream: stream.to_vec() }
    }
}

impl KernelFilter {
    /// Loads the program.
    ///
    /// # Errors
    ///
    /// Usually a missing privilege.
    pub fn load() -> Result<Self> {
        let mut program = TestProgram::filter()?;
        let records = program.take_records()?;
        let maps = Maps::take(program.maps())?;
        let limits = LimitMaps::take(program.maps())?;
        let policy = PolicySlot::take(program.maps())?;
        let rules = RuleMaps::take(program.maps())?;
        let budget = BudgetMap::take(program.maps())?;
        let datagrams = program.maps().take_map(DATAGRAMS).context(DATAGRAMS)?;
        let datagrams = RingBuf::try_from(datagrams)?;
        Ok(Self { maps, limits, policy, rules, budget, program, records, datagrams })
    }

    /// Fills the maps.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn fill(&mut self, rules: &Rules) -> Result<()> {
        self.maps.set_config(rules.config)?;
        self.rules.replace(&rules.hellos)?;
        self.budget.set(rules.budget)?;
        self.limits.apply(rules.limits.compile(), Now::read().ktime_ns)?;
        for (list, limit) in rules.list_limits() {
            self.limits.set_list_limit(list, limit)?;
        }
        let image = rules.image()?;
        let lines = image.used_lines() + SPARE_LINES;
        self.policy.install(image, lines)?;
        for (key, verdict) in &rules.verdicts {
            self.maps.set_verdict(*key, *verdict)?;
        }
        Ok(())
    }

    /// Puts a frame through the program once.
    ///
    /// # Errors
    ///
    /// The kernel's, and a frame that wasn't counted exactly once.
    pub fn run(&mut self, frame: &[u8]) -> Result<Seen> {
        let before = self.maps.counters()?;
        let outcome = self.program.run(frame, 1).context("the kernel refused the frame")?;
        let decision = only_difference(&before, &self.maps.counters()?, frame.len())?;
        let (told, copied) = (self.take_told()?, self.take_copied()?);
        Ok(Seen { action: outcome.action, decision, told, copied })
    }

    /// Throws away what was told of hellos.
    pub fn drain(&mut self) {
        while self.records.next().is_some() {}
    }

    fn take_copied(&mut self) -> Result<Vec<Copied>> {
        let mut copied = Vec::new();
        while let Some(item) = self.datagrams.next() {
            let (record, bytes) = DatagramRecord::read_from_prefix(&item)
                .map_err(|_| anyhow::anyhow!("a copy of {} bytes has no header", item.len()))?;
            let len = usize::try_from(record.copied)?;
            copied.push(Copied::new(&record, bytes.get(..len).context("a copy is cut short")?));
        }
        Ok(copied)
    }

    fn take_told(&mut self) -> Result<Vec<Told>> {
        let mut told = Vec::new();
        while let Some(item) = self.records.next() {
            let (record, stream) = HelloRecord::read_from_prefix(&item)
                .map_err(|_| anyhow::anyhow!("a record of {} bytes has no header", item.len()))?;
            let len = usize::try_from(record.stream_len)?;
            told.push(Told::new(&record, stream.get(..len).context("a record is cut short")?));
        }
        Ok(told)
    }
}

/// The one cell of the counters that has moved, by one packet of `len` bytes.
fn only_difference(before: &Counters, after: &Counters, len: usize) -> Result<Decision> {
    let cells = after.by.as_flattened().iter().zip(before.by.as_flattened());
    let mut moved = cells.enumerate().filter(|(_, (after, before))| after != before);
    let (cell, (after, before)) = moved.next().context("the frame was not counted")?;
    let by = Count { packets: after.packets - before.packets, bytes: after.bytes - before.bytes };
    if moved.next().is_some() || by != (Count { packets: 1, bytes: u64::try_from(len)? }) {
        bail!("the frame was not counted exactly once: {by:?}");
    }
    Ok(Decision {
        verdict: Verdict(u8::try_from(cell % Verdict::COUNT)?),
        reason: Reason(u8::try_from(cell / Verdict::COUNT)?),
    })
}
