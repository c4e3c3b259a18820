//! The loaded program on single frames, through `BPF_PROG_TEST_RUN`, attached nowhere.

use super::hello_heads::HelloHeads;
use super::kernel_types;
use super::mapped::MappedArray;
use super::object;
use aya::maps::{Map, MapData, ProgramArray, RingBuf};
use aya::programs::{ProgramError, TestRun, TestRunAttrs, TestRunOptions, Xdp};
use aya::{Ebpf, EbpfError, EbpfLoader};
use filter_common::abi::flow::FlowSlot;
use std::time::Duration;

/// A private copy of a program and its maps.
#[derive(Debug)]
pub struct TestProgram {
    ebpf: Ebpf,
    name: &'static str,
}

/// What one run of the program said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestOutcome {
    /// An XDP action: 1 drops, 2 passes.
    pub action: u32,
    /// Mean time of one repetition.
    pub per_frame: Duration,
}

/// Why a program could not be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum TestRunError {
    /// The object, its maps or its programs were refused.
    #[error("the kernel refused the XDP program: {0}; root and CAP_BPF are needed")]
    Load(#[from] EbpfError),
    /// The verifier refused the program, or the frame can't be run.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The filter's programs can't be put together.
    #[error(transparent)]
    Link(#[from] object::LinkError),
    /// The object holds no such program or map.
    #[error("the embedded object has no {0}")]
    Missing(&'static str),
}

impl TestProgram {
    /// Loads the filter with maps of its own.
    ///
    /// *Errors*: [`TestRunError`]; usually a missing privilege.
    pub fn filter() -> Result<Self, TestRunError> {
        let mut program = Self::load(object::FILTER, object::FILTER_PROGRAM)?;
        object::link_programs(&mut program.ebpf)?;
        Ok(program)
    }

    /// Loads one of the baseline's programs.
    ///
    /// *Errors*: as [`TestProgram::filter`].
    pub fn baseline(name: &'static str) -> Result<Self, TestRunError> {
        Self::load(object::BASELINE, name)
    }

    /// Loads one of the programs that differ only in how they look an address up.
    ///
    /// *Errors*: as [`TestProgram::filter`].
    pub fn lookup(name: &'static str) -> Result<Self, TestRunError> {
        Self::load(object::LOOKUP, name)
    }

    /// Loads the program that sends frames.
    ///
    /// *Errors*: as [`TestProgram::filter`].
    pub fn flood() -> Result<Self, TestRunError> {
        Self::load(object::FLOOD, "flood")
    }

    /// Loads one of the programs that differ only in how they meter a client.
    ///
    /// *Errors*: as [`TestProgram::filter`].
    pub fn metering(name: &'static str) -> Result<Self, TestRunError> {
        Self::load(object::METERING, name)
    }

    /// Loads the program that stamps frames and goes on with this one.
    ///
    /// *Errors*: as [`TestProgram::filter`].
    pub fn feeding(target: &mut Self) -> Result<Self, TestRunError> {
        let mut feeding = Self::load(object::FEEDING, "feed")?;
        let target = program(&mut target.ebpf, target.name)?;
        let target = target.fd()?.try_clone().map_err(ProgramError::from)?;
        let map = feeding.ebpf.map_mut("TARGET").ok_or(TestRunError::Missing("map TARGET"))?;
        let refused = |_| TestRunError::Missing("array TARGET of XDP programs");
        let mut map = ProgramArray::try_from(map).map_err(refused)?;
        map.set(0, &target, 0).map_err(refused)?;
        Ok(feeding)
    }

    fn load(object: &[u8], name: &'static str) -> Result<Self, TestRunError> {
        let mut loader = EbpfLoader::new();
        let offsets = kernel_types::socket_offsets();
        for (name, offset) in offsets.iter().flatten() {
            loader.override_global(name, offset, false);
        }
        let mut ebpf = loader.load(object)?;
        program(&mut ebpf, name)?.load()?;
        Ok(Self { ebpf, name })
    }

    /// Loads another program of the same object, on the same maps.
    ///
    /// *Errors*: as [`TestProgram::filter`].
    pub fn add(&mut self, name: &'static str) -> Result<(), TestRunError> {
        Ok(program(&mut self.ebpf, name)?.load()?)
    }

    /// From now on it is this program that runs.
    pub const fn choose(&mut self, name: &'static str) {
        self.name = name;
    }

    /// A mapped array of the object.
    ///
    /// *Errors*: [`TestRunError::Missing`] when there is none of this name.
    pub fn mapped<W>(&mut self, name: &'static str) -> Result<MappedArray<W>, TestRunError> {
        match self.ebpf.map(name) {
            Some(Map::Array(map)) => MappedArray::new(map).map_err(|_| TestRunError::Missing(name)),
            _ => Err(TestRunError::Missing(name)),
        }
    }

    /// The maps, to be filled and read.
    pub fn maps(&mut self) -> &mut Ebpf {
        &mut self.ebpf
    }

    /// The ring buffer that segments arrive in.
    ///
    /// *Errors*: [`TestRunError::Missing`] when it was taken before.
    pub fn take_records(&mut self) -> Result<RingBuf<MapData>, TestRunError> {
        let map = self.ebpf.take_map("RECORDS").ok_or(TestRunError::Missing("map RECORDS"))?;
        RingBuf::try_from(map).map_err(|_| TestRunError::Missing("ring buffer RECORDS"))
    }

    /// The hellos that are being put together.
    ///
    /// *Errors*: [`TestRunError::Missing`], when the object isn't the filter's.
    pub fn hello_heads(&self) -> Result<HelloHeads, TestRunError> {
        HelloHeads::take(&self.ebpf).map_err(|_| TestRunError::Missing("map HELLO_SETS"))
    }

    /// Forgets all connections.
    ///
    /// *Errors*: [`TestRunError::Missing`], when the object isn't the filter's.
    pub fn clear_flows(&mut self) -> Result<(), TestRunError> {
        self.mapped::<FlowSlot>("FLOWS").map(|mut flows| flows.fill(&[FlowSlot::default()]))
    }

    /// Instructions that the verifier visited.
    pub fn verified_instructions(&mut self) -> Option<u32> {
        program(&mut self.ebpf, self.name).ok()?.info().ok()?.verified_instruction_count()
    }

    /// Puts a frame through the program `repeat` times. Several threads may do so at once,
    /// each on its CPU.
    ///
    /// *Errors*: [`TestRunError::Program`]; the kernel takes frames of 14 bytes to about
    /// 64 KiB.
    pub fn run(&self, frame: &[u8], repeat: u32) -> Result<TestOutcome, TestRunError> {
        let options = TestRunOptions { data_in: Some(frame), repeat, ..TestRunOptions::new() };
        let program = self.ebpf.program(self.name).ok_or(TestRunError::Missing("such program"))?;
        let program: &Xdp = program.try_into()?;
        let result = program.test_run(options)?;
        Ok(TestOutcome { action: result.return_value, per_frame: result.duration })
    }

    /// Puts a frame through the program `repeat` times, and carries out what it says of each:
    /// a frame that it redirects is sent. The thread's network namespace is where the frames
    /// are.
    ///
    /// *Errors*: as [`TestProgram::run`].
    pub fn run_live(&mut self, frame: &[u8], repeat: u32) -> Result<(), TestRunError> {
        let attrs = TestRunAttrs::new().xdp_live_frames(LIVE_BATCH);
        let options =
            TestRunOptions { data_in: Some(frame), repeat, attrs, ..TestRunOptions::new() };
        program(&mut self.ebpf, self.name)?.test_run(options)?;
        Ok(())
    }
}

/// Frames that are sent at once: what a device is asked for in one poll.
const LIVE_BATCH: u32 = 64;

fn program<'a>(ebpf: &'a mut Ebpf, name: &'static str) -> Result<&'a mut Xdp, TestRunError> {
    let program = ebpf.program_mut(name).ok_or(TestRunError::Missing("such program"))?;
    Ok(program.try_into()?)
}
