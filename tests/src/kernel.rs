//! The filter in the kernel, on maps of its own and attached nowhere.

use crate::rules::Rules;
use anyhow::{Context, Result, bail};
use aya::maps::{MapData, RingBuf};
use filter_common::abi::counter::{Count, Counters, Reason, Verdict};
use filter_common::abi::record::SegmentRecord;
use filter_common::decide::Decision;
use filter_user::clock::Now;
use filter_user::datapath::limits::LimitMaps;
use filter_user::datapath::maps::Maps;
use filter_user::datapath::policy::PolicySlot;
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
    /// The program alone, to be measured.
    pub program: TestProgram,
    records: RingBuf<MapData>,
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
    /// The segment that was handed to the daemon, if one was.
    pub segment: Option<Recorded>,
}

/// A segment of a ClientHello as the daemon gets it.
///
/// *Shape*: without time, interface and evidence, which tests can't foresee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Source address.
    pub source: [u64; 2],
    /// Destination address.
    pub destination: [u64; 2],
    /// Sequence number at which the hello starts.
    pub stream_start: u32,
    /// Bytes of the whole segment.
    pub segment_len: u32,
    /// Those that were copied.
    pub bytes: Vec<u8>,
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
        Ok(Self { maps, limits, policy, program, records })
    }

    /// Fills the maps.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn fill(&mut self, rules: &Rules) -> Result<()> {
        self.maps.set_config(rules.config)?;
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
        let segment = self.take_segment()?;
        Ok(Seen { action: outcome.action, decision, segment })
    }

    fn take_segment(&mut self) -> Result<Option<Recorded>> {
        let Some(item) = self.records.next() else {
            return Ok(None);
        };
        let (record, bytes) = SegmentRecord::read_from_prefix(&item)
            .map_err(|_| anyhow::anyhow!("a record of {} bytes has no header", item.len()))?;
        let recorded = recorded(&record, bytes)?;
        drop(item);
        if self.records.next().is_some() {
            bail!("one frame was recorded twice");
        }
        Ok(Some(recorded))
    }
}

fn recorded(record: &SegmentRecord, bytes: &[u8]) -> Result<Recorded> {
    let copied = usize::try_from(record.copied)?;
    Ok(Recorded {
        source: record.source,
        destination: record.destination,
        stream_start: record.stream_start,
        segment_len: record.segment_len,
        bytes: bytes.get(..copied).context("a record is cut short")?.to_vec(),
    })
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
