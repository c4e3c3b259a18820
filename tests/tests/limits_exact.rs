//! What passes is exact, on several CPUs and whatever addresses an owner makes up.

use anyhow::{Context, Result, ensure};
use filter_common::limit::key;
use filter_user::clock::Now;
use filter_user::datapath::test_run::TestProgram;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::ops::Range;
use std::sync::Barrier;
use std::thread;
use tests::kernel::KernelFilter;
use tests::output;
use tests::packet::Packet;
use tests::{require_privileges, rules};

/// Packets a second, far fewer than a CPU can look at.
const RATE: u64 = 200_000;
/// So little in time that the precise clock is read.
const BURST: u64 = 80_000;
/// Packets that a thread sends: for some hundred milliseconds, and far beyond the burst.
const PACKETS: u32 = 1_500_000;

/// Says when the last packet came, by the kernel's clock: it refuses nearly
/// all of them, in shadow.
const WATCH: &str =
    "unit = 'packets'\nrate = '1000/s'\nburst = 1\naction = 'shadow'\nservices = ['any']";

fn frame() -> Vec<u8> {
    Packet::v4([192, 0, 2, 1], [198, 51, 100, 7]).udp((5000, 443), &[0x2a; 64]).build()
}

/// Sends packets from a CPU of its own once all are ready; from when to when it did.
fn send(program: &TestProgram, cpu: usize, ready: &Barrier) -> Result<Range<u64>> {
    let mut cpus = CpuSet::new();
    cpus.set(cpu)?;
    sched_setaffinity(Pid::from_raw(0), &cpus)?;
    ready.wait();
    let from_ns = Now::read().ktime_ns;
    program.run(&frame(), PACKETS)?;
    Ok(from_ns..Now::read().ktime_ns)
}

/// For how long both of two threads were at it, in nanoseconds.
fn send_from_two_cpus(program: &TestProgram) -> Result<u64> {
    let ready = Barrier::new(2);
    let run = |cpu| send(program, cpu, &ready);
    let [one, other] = thread::scope(|scope| {
        let threads = [0, 1].map(|cpu| scope.spawn(move || run(cpu)));
        threads.map(|thread| thread.join().expect("a thread that doesn't panic"))
    });
    let (one, other) = (one?, other?);
    Ok(one.end.min(other.end).saturating_sub(one.start.max(other.start)))
}

/// What has passed and when the last packet came.
struct Seen {
    passed: u64,
    last_ns: u64,
}

/// A filter with one limit, and the numbers of that and of the watch.
struct Bed {
    filter: KernelFilter,
    limit: u32,
    watch: u32,
}

impl Bed {
    fn new(name: &str, more: &str) -> Result<Self> {
        let mut rules = rules::nothing();
        rules.limit("watch", WATCH);
        let settings = format!("unit = 'packets'\nrate = '{RATE}/s'\nburst = {BURST}\n{more}");
        rules.limit(name, &settings);
        let number =
            |name| rules.limits.get(name).map(|limit| limit.number).context("no such limit");
        let (watch, limit) = (number("watch")?, number(name)?);
        let mut filter = KernelFilter::load()?;
        filter.fill(&rules)?;
        Ok(Self { filter, limit, watch })
    }

    fn look(&self) -> Result<Seen> {
        let offenders = self.filter.limits.offenders();
        let seen = offenders.iter().find(|offender| key::number(offender.tag) == self.watch);
        let last_ns = seen.context("the watch has noted nothing")?.last_ns;
        let counters = self.filter.limits.counters(self.limit)?;
        ensure!(counters.untracked == 0, "{counters:?}");
        Ok(Seen { passed: counters.passed.packets, last_ns })
    }
}

/// Has two CPUs send far too much under one limit, and counts what passed.
///
/// It is counted from one moment at which nothing is left of the burst to another one: then
/// what passed in between is what the rate gave, to a packet.
fn check(name: &str, more: &str) -> Result<()> {
    let bed = Bed::new(name, more)?;
    let from_ns = Now::read().ktime_ns;
    bed.filter.program.run(&frame(), PACKETS)?;
    let before = bed.look()?;
    let both_ns = send_from_two_cpus(&bed.filter.program)?;
    let after = bed.look()?;
    let whole_ns = Now::read().ktime_ns - from_ns;
    let elapsed_ns = after.last_ns - before.last_ns;
    let (passed, due) = (after.passed - before.passed, rated(elapsed_ns));
    let line = format!(
        "{name}: {passed} packets passed in {} ms, {due} are due; both CPUs for {} ms",
        elapsed_ns / 1_000_000,
        both_ns / 1_000_000,
    );
    output::result(&line);
    ensure!(both_ns > elapsed_ns / 2, "{line}");
    ensure!(passed.abs_diff(due) <= due / 1000, "{line}");
    ensure!(after.passed <= BURST + rated(whole_ns) + 1, "{} passed in all", after.passed);
    ensure!(after.passed >= BURST + rated(elapsed_ns) / 1000 * 999, "{} in all", after.passed);
    Ok(())
}

/// Packets that the rate gives in a time.
fn rated(ns: u64) -> u64 {
    ns * RATE / 1_000_000_000
}

fn has_two_cpus() -> bool {
    let has = thread::available_parallelism().is_ok_and(|cpus| cpus.get() > 1);
    if !has {
        output::result("SKIP: two CPUs are needed");
    }
    has
}

#[test]
fn what_a_client_gets_from_two_cpus_is_exact() -> Result<()> {
    require_privileges!();
    if has_two_cpus() { check("client", "services = ['any']") } else { Ok(()) }
}

#[test]
fn what_everybody_together_gets_from_two_cpus_is_exact() -> Result<()> {
    require_privileges!();
    let more = "key = 'service'\nservices = ['udp/443']\nguard = false";
    if has_two_cpus() { check("service", more) } else { Ok(()) }
}

#[test]
fn the_owner_of_a_64_gets_one_clients_rate() -> Result<()> {
    require_privileges!();
    let mut rules = rules::nothing();
    rules.limit("client", "unit = 'packets'\nrate = '1/h'\nburst = 40\nservices = ['any']");
    let mut filter = KernelFilter::load()?;
    filter.fill(&rules)?;
    let mut rng = StdRng::seed_from_u64(7);
    for owner in [1, 2, 3_u8] {
        let mut passed = 0;
        for _ in 0..1000 {
            let mut source = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, owner, 0, 0, 0, 0, 0, 0, 0, 0];
            rng.fill(&mut source[8..]);
            let packet = Packet::v6(source, [0x2a; 16]).udp((5000, 443), b"?").build();
            passed += u32::from(filter.run(&packet)?.action == PASS);
        }
        ensure!(passed == 40, "{passed} packets of owner {owner} passed");
    }
    let meters = filter.limits.meters().count();
    ensure!(meters == 3, "{meters} meters are in use for three owners");
    Ok(())
}

const PASS: u32 = 2;
