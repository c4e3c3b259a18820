//! The kernel side as the daemon sees it: object, maps, programs, links, ring buffer.
//!
//! This module knows map operations. It knows neither the policy nor the classifier.

pub mod attach;
mod class;
pub mod datagrams;
#[cfg(feature = "log")]
mod debug_log;
pub mod fingerprints;
pub mod hello_heads;
mod image_map;
mod kernel_types;
pub mod limits;
pub mod mapped;
pub mod maps;
mod meter_map;
pub mod object;
pub mod pins;
pub mod policy;
pub mod preflight;
pub mod records;
pub mod rules;
pub mod test_run;

pub use image_map::{ImageError, ImageMap};

use attach::{AttachError, Attached};
use aya::maps::MapError;
use aya::programs::{ProgramError, Xdp};
use aya::{Ebpf, EbpfError};
use datagrams::BudgetMap;
use fingerprints::FingerprintMaps;
use hello_heads::HelloHeads;
use limits::LimitMaps;
use maps::Maps;
use pins::{PinDir, PinError};
use policy::PolicySlot;
use preflight::PreflightError;
use records::Records;
use rules::RuleMaps;
use std::path::Path;

/// The filter in the kernel: loaded, attached, pinned.
///
/// Dropping it leaves everything in force: the pins hold it.
pub struct Datapath {
    /// The maps.
    pub maps: Maps,
    /// The limits.
    pub limits: LimitMaps,
    /// The address policy.
    pub policy: PolicySlot,
    /// Rules on `ClientHello`s.
    pub rules: RuleMaps,
    /// Hellos that are being put together.
    pub hellos: HelloHeads,
    /// How many QUIC datagrams are copied.
    pub budget: BudgetMap,
    /// What is remembered of fingerprints.
    pub fingerprints: FingerprintMaps,
    /// Where it is attached.
    pub interfaces: Vec<Attached>,
    /// Whether maps of an earlier daemon were taken over.
    pub taken_over: bool,
    /// Whether the kernel says what its sockets wait for.
    pub knows_sockets: bool,
    ebpf: Ebpf,
    pins: PinDir,
}

/// The ring buffers.
pub struct Rings {
    /// Hellos over TCP.
    pub records: Records,
    /// Datagrams of QUIC clients.
    pub datagrams: Records,
}

/// Hellos over TCP that are taken in one turn.
const RECORDS_BATCH: usize = 512;

/// Datagrams that are taken in one turn: each has to be decrypted.
const DATAGRAMS_BATCH: usize = 64;

/// Why the filter can't be brought up.
#[derive(Debug, thiserror::Error)]
pub enum DatapathError {
    /// Something on the host is missing.
    #[error(transparent)]
    Preflight(#[from] PreflightError),
    /// The pins can't be used.
    #[error(transparent)]
    Pins(#[from] PinError),
    /// An interface can't be attached to.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// The object was refused.
    #[error("the kernel refused the maps or the object: {0}")]
    Load(#[from] EbpfError),
    /// The programs can't be put together.
    #[error(transparent)]
    Link(#[from] object::LinkError),
    /// The program was refused.
    #[error("the kernel refused the program: {0}")]
    Program(#[from] ProgramError),
    /// The program's debug log can't be read.
    #[cfg(feature = "log")]
    #[error("the program's debug log can't be read: {0}")]
    Log(#[from] aya_log::Error),
    /// A map can't be used.
    #[error("a map can't be used: {0}")]
    Map(#[from] MapError),
    /// The object lacks a map or program: a build gone wrong.
    #[error("the embedded object has no {0}")]
    Missing(&'static str),
}

impl Datapath {
    /// Loads the maps from their pins, or makes them. Nothing is attached yet: the maps
    /// can be filled first.
    ///
    /// *Errors*: [`DatapathError`].
    pub fn open(pin_dir: &Path) -> Result<(Self, Rings), DatapathError> {
        preflight::check(pin_dir)?;
        let pins = PinDir::open(pin_dir)?;
        let taken_over = pins.is_complete();
        let mut ebpf = pins.load(object::FILTER)?;
        #[cfg(feature = "log")]
        debug_log::forward(&mut ebpf)?;
        let maps = Maps::take(&mut ebpf)?;
        let limits = LimitMaps::take(&mut ebpf)?;
        let policy = PolicySlot::take(&mut ebpf)?;
        let records = Records::take(&mut ebpf, "RECORDS", RECORDS_BATCH)?;
        let datagrams = Records::take(&mut ebpf, datagrams::DATAGRAMS, DATAGRAMS_BATCH)?;
        let budget = BudgetMap::take(&mut ebpf)?;
        let (rules, hellos) = (RuleMaps::take(&mut ebpf)?, HelloHeads::take(&ebpf)?);
        let fingerprints = FingerprintMaps::take(&mut ebpf)?;
        pins.mark_complete(&mut ebpf)?;
        let datapath = Self {
            maps,
            limits,
            policy,
            rules,
            hellos,
            budget,
            fingerprints,
            interfaces: Vec::new(),
            taken_over,
            knows_sockets: kernel_types::socket_offsets().is_some(),
            ebpf,
            pins,
        };
        Ok((datapath, Rings { records, datagrams }))
    }

    /// Loads the program and attaches it to these interfaces and no others.
    ///
    /// A link that an earlier daemon pinned gets the new program in one step: no packet
    /// passes unfiltered.
    ///
    /// *Errors*: [`DatapathError`]. Links that were pinned before stay, new ones are
    /// released; if nothing was pinned before, nothing is left.
    pub fn attach(&mut self, interfaces: &[(String, u32)]) -> Result<(), DatapathError> {
        let outcome = self.try_attach(interfaces);
        if outcome.is_err() && !self.taken_over {
            // The error that led here says more than one about tidying up would.
            let _ = self.pins.remove();
        }
        outcome
    }

    fn try_attach(&mut self, interfaces: &[(String, u32)]) -> Result<(), DatapathError> {
        self.filter()?.load()?;
        object::link_programs(&mut self.ebpf)?;
        let program = self
            .ebpf
            .program_mut(object::FILTER_PROGRAM)
            .ok_or(DatapathError::Missing("program palisade"))?
            .try_into()?;
        self.interfaces = attach::attach_all(program, &self.pins, interfaces)?;
        Ok(())
    }

    fn filter(&mut self) -> Result<&mut Xdp, DatapathError> {
        let program = self.ebpf.program_mut(object::FILTER_PROGRAM);
        Ok(program.ok_or(DatapathError::Missing("program palisade"))?.try_into()?)
    }

    /// Takes the filter off every interface and removes the pins.
    ///
    /// *Errors*: [`PinError`]; what could not be removed stays in force.
    pub fn detach(self) -> Result<(), PinError> {
        let Self { maps, limits, policy, rules, hellos, budget, fingerprints, ebpf, pins, .. } =
            self;
        drop((maps, limits, policy, rules, hellos, budget, fingerprints, ebpf));
        pins.remove()
    }
}
