//! Address policies, of which the lists' text book, the host and the kernel must say the
//! same after every change.

mod kernel;
mod oracle;
mod script;

use super::Target;
use crate::prefixes::Kept;
use anyhow::{Result, ensure};
use filter_common::abi::address::AddressClass;
use filter_common::policy::look_up;
use filter_common::wire::address::Address;
use filter_user::policy::AddressPolicy;
use filter_user::policy::image::{HostMemory, Image};
use ipnet::IpNet;
use kernel::Kernel;
use oracle::{Answer, Oracle};
use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};
use script::{Change, Script};

/// The policy in the kernel, and what was compared so far.
pub(super) struct Policies {
    kernel: Kernel,
    on_host: u64,
    in_kernel: u64,
    changes: u64,
    whole: u64,
}

impl Policies {
    pub(super) fn open() -> Result<Self> {
        let kernel = Kernel::open()?;
        Ok(Self { kernel, on_host: 0, in_kernel: 0, changes: 0, whole: 0 })
    }
}

impl Target for Policies {
    fn input(&mut self, rng: &mut StdRng) -> Vec<u8> {
        let mut input = vec![0; rng.random_range(40..MAX_INPUT)];
        rng.fill_bytes(&mut input);
        input
    }

    fn check(&mut self, input: &[u8]) -> Result<()> {
        let script = Script::read(input);
        let mut world = World::new(&script, Kernel::now_s());
        self.build(&mut world)?;
        self.compare(&mut world, &[])?;
        for step in script.steps {
            step.apply(&mut world.policy, &mut world.oracle);
            let touched: Vec<IpNet> = step.edits.iter().map(|edit| edit.prefix).collect();
            match step.change {
                Change::Entry => self.change(&mut world, &touched)?,
                Change::Whole => self.build(&mut world)?,
            }
            self.compare(&mut world, &touched)?;
        }
        Ok(())
    }

    fn summary(&self) -> Option<String> {
        let Self { on_host, in_kernel, changes, whole, .. } = self;
        Some(format!(
            "{on_host} look-ups compared on the host, {in_kernel} in the kernel, after {changes} \
             changes and {whole} whole images"
        ))
    }
}

const MAX_INPUT: usize = 2_500;

/// When the lists are from, in seconds since 1970.
const COMPILED_S: u64 = 1_000_000_000;

/// The policy under test, and what ought to come of it.
struct World {
    policy: AddressPolicy,
    oracle: Oracle,
    /// When lists are compiled, in seconds since 1970.
    compiled_s: u64,
    /// The wall clock as the kernel has it: entries may have ended since they were compiled.
    seen_s: u64,
    /// When the kernel's clock was zero, on that wall clock.
    epoch_s: u64,
    rng: StdRng,
}

impl World {
    fn new(script: &Script, kernel_s: u64) -> Self {
        let mut world = Self {
            policy: script.policy(),
            oracle: Oracle::new(&script.lists),
            compiled_s: script.compiled_s,
            seen_s: script.seen_s,
            epoch_s: script.seen_s - kernel_s,
            rng: StdRng::seed_from_u64(script.seed),
        };
        for edit in &script.first {
            edit.apply(&mut world.policy, &mut world.oracle);
        }
        world
    }
}

impl Policies {
    /// A whole new image.
    fn build(&mut self, world: &mut World) -> Result<()> {
        let mut compiler = world.policy.compiler(world.compiled_s);
        let image = Image::build(HostMemory::new(MAX_LINES), &mut compiler, world.epoch_s)?;
        self.whole += 1;
        self.kernel.install(image)
    }

    /// The image in force is changed as the daemon changes it.
    fn change(&mut self, world: &mut World, touched: &[IpNet]) -> Result<()> {
        let mut compiler = world.policy.compiler(world.compiled_s);
        if self.kernel.change(&mut compiler, touched)? {
            self.changes += 1;
            return Ok(());
        }
        drop(compiler);
        self.build(world)
    }

    /// Compares at the edges of every prefix, or of those that were touched and some
    /// others, and at random.
    fn compare(&mut self, world: &mut World, touched: &[IpNet]) -> Result<()> {
        let mut probes = Vec::new();
        world.oracle.probes(touched, &mut world.rng, &mut probes);
        let image = self.kernel.image()?;
        let now_ns = (world.seen_s - world.epoch_s) * 1_000_000_000;
        let mut host = Vec::with_capacity(probes.len());
        for source in &probes {
            let [high, low] = *source;
            let class = look_up(image.memory(), &Address { high, low }, || now_ns);
            let expected = world.oracle.answer(*source, world.seen_s);
            let found = Answer::of(class);
            ensure!(found == expected, "host, {}: {found:?}, not {expected:?}", shown(*source));
            host.push(class);
        }
        self.on_host += u64::try_from(probes.len())?;
        let kernel = self.kernel.classify(&probes)?;
        for ((source, host), kernel) in probes.iter().zip(&host).zip(&kernel) {
            let same = host == kernel;
            ensure!(same, "{}: host {host:?}, kernel {kernel:?}", shown(*source));
        }
        self.in_kernel += u64::try_from(kernel.len())?;
        Ok(())
    }
}

const MAX_LINES: u32 = 1 << 18;

fn shown(source: [u64; 2]) -> String {
    let bits = u128::of_words(source);
    std::net::IpAddr::V6(bits.into()).to_canonical().to_string()
}

impl Answer {
    /// What a class says.
    fn of(class: AddressClass) -> Self {
        let enforced = (class.action(), class.list());
        if class.shadow_action() == AddressClass::NONE {
            return Self { enforced, shadow: enforced };
        }
        Self { enforced, shadow: (class.shadow_action(), class.shadow_list()) }
    }
}
