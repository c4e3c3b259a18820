//! The image in the kernel, and many look-ups of it at once.

use crate::frame::source::PLAIN_V4;
use anyhow::{Context, Result, ensure};
use aya::maps::Array;
use filter_common::abi::address::AddressClass;
use filter_user::clock::Now;
use filter_user::datapath::ImageMap;
use filter_user::datapath::mapped::MappedArray;
use filter_user::datapath::policy::PolicySlot;
use filter_user::datapath::test_run::TestProgram;
use filter_user::policy::compile::Compiler;
use filter_user::policy::image::{HostMemory, Image};
use ipnet::IpNet;

/// The program that writes classes down, and its maps.
pub(super) struct Kernel {
    program: TestProgram,
    slot: PolicySlot,
    sources: MappedArray<[u64; 2]>,
    classes: MappedArray<u64>,
    frame: Vec<u8>,
}

/// Lines that an image has for changes.
const SPARE_LINES: u32 = 4096;

impl Kernel {
    pub(super) fn open() -> Result<Self> {
        let mut program = TestProgram::lookup("classify")?;
        Ok(Self {
            slot: PolicySlot::take(program.maps())?,
            sources: program.mapped("SOURCES")?,
            classes: program.mapped("CLASSES")?,
            program,
            frame: PLAIN_V4.packet().udp((5000, 443), &[0x2a; 64]).build(),
        })
    }

    /// Seconds of the kernel's clock.
    pub(super) fn now_s() -> u64 {
        Now::read().ktime_ns / 1_000_000_000
    }

    pub(super) fn install(&mut self, image: Image<HostMemory>) -> Result<()> {
        let lines = image.used_lines() + SPARE_LINES;
        Ok(self.slot.install(image, lines)?)
    }

    /// The image in force.
    pub(super) fn image(&mut self) -> Result<&Image<ImageMap>> {
        self.slot.image().map(|image| &*image).context("there is no image")
    }

    /// Changes the image in force as the daemon does; `false` if a whole new one is needed.
    pub(super) fn change(&mut self, compiler: &mut Compiler<'_>, at: &[IpNet]) -> Result<bool> {
        let image = self.slot.image().context("there is no image")?;
        let mut switches = Vec::new();
        for prefix in at {
            let more = match prefix {
                IpNet::V4(net) => {
                    let (first, last) = (net.network().to_bits(), net.broadcast().to_bits());
                    image.prepare(compiler, first, last)
                }
                IpNet::V6(net) => {
                    let (first, last) = (net.network().to_bits(), net.broadcast().to_bits());
                    image.prepare(compiler, first, last)
                }
            };
            let Ok(more) = more else {
                return Ok(false);
            };
            switches.extend(more);
        }
        image.commit(&switches);
        Ok(true)
    }

    /// What the kernel says of each source.
    pub(super) fn classify(&mut self, sources: &[[u64; 2]]) -> Result<Vec<AddressClass>> {
        let mut all = Vec::with_capacity(sources.len());
        for some in sources.chunks(self.classes.len()) {
            self.sources.write(0, some);
            let map = self.program.maps().map_mut("TURN").context("no map TURN")?;
            Array::<_, u64>::try_from(map)?.set(0, u64::try_from(some.len())?, 0)?;
            let outcome = self.program.run(&self.frame, 1)?;
            ensure!(outcome.action == 2, "the program gave up: {outcome:?}");
            for class in self.classes.read(some.len()) {
                all.push(AddressClass(u32::try_from(class)?));
            }
        }
        Ok(all)
    }
}
