//! Who puts hellos together: this process, or the filter in the kernel.

use super::error::CaptureError;
use super::link::Frame;
use super::opening::{Openings, flow_of, parsed};
use crate::datapath::hello_heads::HelloHeads;
use crate::datapath::preflight;
use crate::datapath::test_run::TestProgram;
use crate::fingerprint::{Assembler, Cause, Flow, Outcome, Segment};
use crate::replay::{HostTables, ip_addr};
use aya::maps::{MapData, RingBuf};
use bytes::Bytes;
use filter_common::abi::hello::SEGMENT_CAPACITY;
use std::collections::{HashSet, VecDeque};
use std::fmt;

/// Where the filter runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineKind {
    /// In this process.
    #[default]
    Host,
    /// In the kernel, by test runs of the loaded program; needs root.
    Kernel,
}

impl EngineKind {
    /// Starts the engine.
    ///
    /// *Errors*: as [`KernelEngine::new`].
    pub fn start(self) -> Result<Box<dyn Engine>, CaptureError> {
        Ok(match self {
            Self::Host => Box::new(HostEngine::default()),
            Self::Kernel => Box::new(KernelEngine::new()?),
        })
    }
}

/// The filter, as far as captures are concerned.
pub trait Engine {
    /// Puts a frame through the filter.
    ///
    /// *Errors*: [`CaptureError`]; never for anything that is in the frame.
    fn handle_frame(&mut self, frame: Frame<'_>, time_ns: u64) -> Result<(), CaptureError>;

    /// The next thing to tell.
    fn poll_outcome(&mut self) -> Option<Outcome>;

    /// Gives up whatever is unfinished, and forgets all flows: nothing more will come of this
    /// capture.
    ///
    /// *Errors*: [`CaptureError::Kernel`].
    fn finish(&mut self) -> Result<(), CaptureError>;
}

/// The filter in this process selects the segments, and the assembler puts them together: two
/// implementations that have nothing but the parser in common.
///
/// It tells of a hello how its connection began, if that is in the capture.
#[derive(Debug, Default)]
pub struct HostEngine {
    tables: HostTables,
    assembler: Assembler,
    openings: Openings,
    /// The last words of a capture's assembler.
    outcomes: VecDeque<Outcome>,
}

impl HostEngine {
    fn segment(&self, frame: Frame<'_>, time_ns: u64) -> Option<(Segment, u64, u32)> {
        let (parsed, stream_start) = self.tables.run(frame.bytes, time_ns).segment?;
        let (tcp, addresses) = (parsed.tcp, [parsed.source, parsed.destination]);
        let start = usize::try_from(tcp.offset).unwrap_or(usize::MAX);
        // As the program looks at no more of a segment, the engines agree about it.
        let len = usize::try_from(tcp.len.min(SEGMENT_CAPACITY)).unwrap_or(usize::MAX);
        let captured = frame.bytes.get(start..frame.captured).unwrap_or_default();
        let bytes = Bytes::copy_from_slice(captured.get(..len).unwrap_or(captured));
        let made = Segment::new(addresses.map(|a| ip_addr(&a)), stream_start, &bytes, tcp.len);
        // A capture may end within the TCP header: nothing is known of the segment then.
        made.ok().map(|segment| (segment.at(time_ns), parsed.flow, stream_start))
    }
}

impl HostEngine {
    pub(super) fn take(&mut self, frame: Frame<'_>, time_ns: u64) {
        self.tables.hellos.is_off = true;
        self.assembler.expire(time_ns);
        self.openings.handle_frame(frame);
        if let Some((segment, flow, start)) = self.segment(frame, time_ns)
            && let Some(len) = self.assembler.handle_segment(&segment)
        {
            self.tables.hold_no_hello(flow, start, len);
        }
    }

    pub(super) fn end(&mut self) {
        let Self { mut assembler, openings, mut outcomes, .. } = std::mem::take(self);
        assembler.finish();
        let last = std::iter::from_fn(|| assembler.poll_outcome());
        outcomes.extend(last.map(|outcome| openings.complete(outcome)));
        self.outcomes = outcomes;
    }
}

impl Engine for HostEngine {
    fn handle_frame(&mut self, frame: Frame<'_>, time_ns: u64) -> Result<(), CaptureError> {
        self.take(frame, time_ns);
        Ok(())
    }

    fn poll_outcome(&mut self) -> Option<Outcome> {
        let next = || Some(self.openings.complete(self.assembler.poll_outcome()?));
        self.outcomes.pop_front().or_else(next)
    }

    fn finish(&mut self) -> Result<(), CaptureError> {
        self.end();
        Ok(())
    }
}

/// The filter in the kernel, attached nowhere: the program itself puts hellos together.
pub struct KernelEngine {
    program: TestProgram,
    records: RingBuf<MapData>,
    heads: HelloHeads,
    outcomes: VecDeque<Outcome>,
    /// Flows with segments that the capture has cut.
    cut: HashSet<Flow>,
}

impl fmt::Debug for KernelEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KernelEngine").field("program", &self.program).finish_non_exhaustive()
    }
}

impl KernelEngine {
    /// Loads the filter with maps of its own.
    ///
    /// *Errors*: [`CaptureError::Preflight`] and [`CaptureError::Kernel`].
    pub fn new() -> Result<Self, CaptureError> {
        preflight::check_kernel()?;
        let mut program = TestProgram::filter()?;
        let records = program.take_records()?;
        let heads = program.hello_heads()?;
        let (outcomes, cut) = Default::default();
        Ok(Self { program, records, heads, outcomes, cut })
    }

    /// What is missing of a hello because the capture has cut it came as zeroes, which the
    /// program takes for a wrong checksum.
    fn push(&mut self, mut outcome: Outcome) {
        if self.cut.contains(&outcome.flow) && outcome.result == Err(Cause::BadChecksum) {
            outcome.result = Err(Cause::Truncated);
        }
        self.outcomes.push_back(outcome);
    }
}

impl Engine for KernelEngine {
    fn handle_frame(&mut self, frame: Frame<'_>, time_ns: u64) -> Result<(), CaptureError> {
        self.cut.extend(cut_flow(&frame));
        self.program.run(frame.bytes, 1)?;
        let mut told = Vec::new();
        while let Some(record) = self.records.next() {
            told.push(Outcome::of_record(&record)?);
        }
        for outcome in told {
            self.push(Outcome { time_ns, ..outcome });
        }
        Ok(())
    }

    fn poll_outcome(&mut self) -> Option<Outcome> {
        self.outcomes.pop_front()
    }

    fn finish(&mut self) -> Result<(), CaptureError> {
        let mut unfinished = self.heads.open();
        unfinished.sort_by_key(|head| head.since_ns);
        for head in unfinished {
            self.push(Outcome::of_unfinished(&head, 0, false));
        }
        self.heads.clear();
        self.cut.clear();
        self.program.clear_flows()?;
        Ok(())
    }
}

/// The flow of a segment that isn't all there.
fn cut_flow(frame: &Frame<'_>) -> Option<Flow> {
    if frame.captured == frame.bytes.len() {
        return None;
    }
    parsed(*frame).map(|parsed| flow_of(&parsed))
}
