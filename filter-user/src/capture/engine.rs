//! What selects the segments: the filter on the host, or in the kernel.

use super::error::CaptureError;
use super::link::Frame;
use crate::datapath::test_run::{TestProgram, TestRunError};
use crate::fingerprint::Segment;
use crate::replay::{HostTables, ip_addr};
use aya::maps::{Array, MapData, RingBuf};
use bytes::Bytes;
use filter_common::abi::flow::{FLOW_SLOTS, FlowSlot};
use filter_common::abi::record::RECORD_CAPACITY;
use filter_common::wire::cursor::SlicePacket;
use filter_common::wire::frame::{self, Kind};
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
    /// *Errors*: [`CaptureError::Kernel`].
    pub fn start(self) -> Result<Box<dyn Engine>, CaptureError> {
        Ok(match self {
            Self::Host => Box::new(HostEngine::default()),
            Self::Kernel => Box::new(KernelEngine::new()?),
        })
    }
}

/// The filter, as far as captures are concerned.
pub trait Engine {
    /// Puts a frame through the filter; the segment that it selected, if any.
    ///
    /// *Errors*: [`CaptureError`]; never for anything that is in the frame.
    fn segment(&mut self, frame: Frame<'_>, time_ns: u64) -> Result<Option<Segment>, CaptureError>;

    /// Forgets all flows: another capture begins.
    ///
    /// *Errors*: [`CaptureError::Kernel`].
    fn reset(&mut self) -> Result<(), CaptureError>;
}

/// The filter in this process.
#[derive(Debug, Default)]
pub struct HostEngine {
    tables: HostTables,
}

impl Engine for HostEngine {
    fn segment(&mut self, frame: Frame<'_>, time_ns: u64) -> Result<Option<Segment>, CaptureError> {
        let Some((parsed, stream_start)) = self.tables.run(frame.bytes, time_ns).segment else {
            return Ok(None);
        };
        let (tcp, addresses) = (parsed.tcp, [parsed.source, parsed.destination]);
        let start = usize::try_from(tcp.offset).unwrap_or(usize::MAX);
        // As the program copies no more of a segment, the engines agree about it.
        let len = usize::try_from(tcp.len.min(RECORD_CAPACITY)).unwrap_or(usize::MAX);
        let captured = frame.bytes.get(start..frame.captured).unwrap_or_default();
        let bytes = Bytes::copy_from_slice(captured.get(..len).unwrap_or(captured));
        let made = Segment::new(addresses.map(|a| ip_addr(&a)), stream_start, &bytes, tcp.len);
        // A capture may end within the TCP header: nothing is known of the segment then.
        Ok(made.ok().map(|segment| segment.at(time_ns)))
    }

    fn reset(&mut self) -> Result<(), CaptureError> {
        self.tables = HostTables::default();
        Ok(())
    }
}

/// The filter in the kernel, attached nowhere.
pub struct KernelEngine {
    program: TestProgram,
    records: RingBuf<MapData>,
}

impl fmt::Debug for KernelEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KernelEngine").field("program", &self.program).finish_non_exhaustive()
    }
}

impl KernelEngine {
    /// Loads the filter with maps of its own.
    ///
    /// *Errors*: [`CaptureError::Kernel`]; usually a missing privilege.
    pub fn new() -> Result<Self, CaptureError> {
        let mut program = TestProgram::filter()?;
        let records = program.take_records()?;
        Ok(Self { program, records })
    }
}

impl Engine for KernelEngine {
    fn segment(&mut self, frame: Frame<'_>, time_ns: u64) -> Result<Option<Segment>, CaptureError> {
        self.program.run(frame.bytes, 1)?;
        let mut found = None;
        while let Some(record) = self.records.next() {
            found = Some(match captured_of_segment(&frame) {
                None => Segment::from_record(&record)?,
                Some(captured) => match Segment::from_cut_record(&record, captured) {
                    Ok(segment) => segment,
                    Err(_) => continue,
                },
            });
        }
        Ok(found.map(|segment| segment.at(time_ns)))
    }

    fn reset(&mut self) -> Result<(), CaptureError> {
        let missing = TestRunError::Missing("map FLOWS");
        let flows = self.program.maps().map_mut("FLOWS").ok_or(missing)?;
        let mut flows: Array<_, [u32; 4]> =
            flows.try_into().map_err(|_| TestRunError::Missing("array FLOWS"))?;
        for slot in 0..FLOW_SLOTS {
            flows.set(slot, [0; 4], 0).map_err(|_| TestRunError::Missing("slot in FLOWS"))?;
        }
        Ok(())
    }
}

const _: () = assert!(size_of::<FlowSlot>() == size_of::<[u32; 4]>());

/// How many bytes from the TCP header on are real; `None` if all are.
fn captured_of_segment(frame: &Frame<'_>) -> Option<u32> {
    if frame.captured == frame.bytes.len() {
        return None;
    }
    let mut parsed = frame::Frame::default();
    frame::parse(&SlicePacket::new(frame.bytes), &mut parsed);
    let offset = if parsed.kind == Kind::Tcp { parsed.tcp.offset } else { 0 };
    u32::try_from(frame.captured).ok().map(|captured| captured.saturating_sub(offset))
}
