//! Times and memory.

use super::bed::{Bed, SPARE_LINES};
use super::{Field, LISTS, image, plain};
use crate::bench::Measure;
use crate::bench::measure::{cpu_ns, tenths};
use crate::output;
use crate::prefixes::Prefixes;
use anyhow::{Context, Result};
use aya::maps::{Array, MapData};
use filter_common::policy::{LINE_WORDS, Line};
use filter_user::clock::Now;
use filter_user::datapath::ImageMap;
use filter_user::datapath::policy::PolicySlot;
use filter_user::datapath::test_run::TestProgram;
use filter_user::policy::image::{HostMemory, Image};
use filter_user::policy::note::Note;
use ipnet::IpNet;
use std::os::fd::{AsFd, AsRawFd};

/// Our table's.
///
/// # Errors
///
/// The kernel's.
pub(super) fn of(full: &Prefixes) -> Result<Vec<Measure>> {
    let mut all = memory(full)?;
    all.extend(times(full)?);
    Ok(all)
}

/// The name of the measure that is held against the bound on memory.
pub(super) const MEMORY: &str = "our table of both families, 16 lists";
/// The name of the measure that is held against the bound on time in the kernel.
pub(super) const LONGEST_STEP: &str = "longest step of an install in the kernel";

fn memory(full: &Prefixes) -> Result<Vec<Measure>> {
    let v4 = Prefixes { v4: full.v4.clone(), v6: Vec::new() };
    let v6 = Prefixes { v4: Vec::new(), v6: full.v6.clone() };
    let mut all = Vec::new();
    for (lists, name) in [(LISTS, "16 lists"), (1, "one list")] {
        for (set, families) in [(&v4, "IPv4"), (&v6, "IPv6"), (full, "both families")] {
            let lines = image(&plain(set, lists))?.used_lines();
            let bytes = f64::from(lines) * f64::from(u32::try_from(size_of::<Line>())?);
            all.push(megabytes(format!("our table of {families}, {name}"), bytes));
        }
    }
    Ok(all)
}

fn times(full: &Prefixes) -> Result<Vec<Measure>> {
    let mut policy = plain(full, LISTS);
    let mut all = Vec::new();
    let (built, ns) = timed(|| image(&policy))?;
    all.push(millis("our table: compiled", ns));
    let mut program = TestProgram::lookup("ours")?;
    let mut slot = PolicySlot::take(program.maps())?;
    all.extend(steps(&built)?);
    let lines = built.used_lines() + SPARE_LINES;
    let ((), ns) = timed(|| Ok(slot.install(built, lines)?))?;
    all.push(millis("our table: installed", ns));
    let ((), ns) = timed(|| Ok(slot.install(image(&policy)?, lines)?))?;
    all.push(millis("our table: compiled and replaced whole", ns));
    let mut each = Vec::new();
    for number in 0..ADDED {
        let prefix = IpNet::new(std::net::Ipv4Addr::from_bits(number * SPREAD).into(), 32)?;
        let list = policy.list_mut("list0").context("no list")?;
        list.entries.insert(&prefix, Note::default());
        let ((), ns) = timed(|| {
            let mut compiler = policy.compiler(0);
            let image = slot.image().context("no image")?;
            let switches = image.prepare(&mut compiler, number * SPREAD, number * SPREAD)?;
            image.commit(&switches);
            Ok(())
        })?;
        each.push(ns);
    }
    each.sort_unstable();
    let at = |index: usize| each.get(index).copied().unwrap_or(0);
    all.push(micros("our table: one entry added, median of 200", at(each.len() / 2)));
    all.push(micros("our table: one entry added, worst of 200", at(each.len() - 1)));
    Ok(all)
}

const ADDED: u32 = 200;
/// Odd, so that the entries are all over the space.
const SPREAD: u32 = 20_971_521;

/// CPU time that the steps of an install take in the kernel. A step is a system call, or
/// two that are measured as one.
fn steps(built: &Image<HostMemory>) -> Result<Vec<Measure>> {
    let lines = built.used_lines() + SPARE_LINES;
    let empty = HostMemory::new(0);
    let mut steps = [0_u64; 3];
    for _ in 0..5 {
        let (map, create) =
            cpu(|| Ok(Array::<MapData, [u8; 4 * LINE_WORDS]>::create(lines, FLAGS)?))?;
        let ((), free) = cpu(|| {
            drop(map);
            Ok(())
        })?;
        let (map, both) = cpu(|| Ok(ImageMap::new(&empty, lines)?))?;
        let ((), unmap) = cpu(|| {
            drop(map);
            Ok(())
        })?;
        let now = [create, both.saturating_sub(create), free.max(unmap)];
        steps = std::array::from_fn(|at| steps[at].max(now[at]));
    }
    let mut program = TestProgram::lookup("ours")?;
    let mut slot = PolicySlot::take(program.maps())?;
    slot.install(image(&plain(&Prefixes::default(), 1))?, 1)?;
    let (map, copy) = cpu(|| Ok(ImageMap::new(built.memory(), lines)?))?;
    drop(map);
    let longest = steps.into_iter().max().unwrap_or(0);
    Ok(vec![
        millis("CPU: the map created (worst of 5)", steps[0]),
        millis("CPU: mapped into memory (worst of 5)", steps[1]),
        millis("CPU: unmapped and given back (worst of 5)", steps[2]),
        millis("CPU: created, mapped and filled, in all", copy),
        millis(LONGEST_STEP, longest),
    ])
}

/// `BPF_F_MMAPABLE` and `BPF_F_INNER_MAP`.
const FLAGS: u32 = 0x1400;

/// The kernel's tries: how long they took to load, what they take, and how long until
/// they are freed.
///
/// # Errors
///
/// The kernel's.
pub(super) fn of_tries(fields: Vec<&mut Field>) -> Result<Vec<Measure>> {
    let mut all = Vec::new();
    for field in fields {
        let family = if field.bed.name.starts_with("v4") { "v4" } else { "v6" };
        let name = field.bed.name.clone();
        all.push(millis(&format!("LPM trie {name}: loaded, CPU"), field.trie_ns));
        let bytes = trie_bytes(&mut field.bed, family)?;
        all.push(megabytes(format!("LPM trie {name}: memlock"), bytes));
    }
    Ok(all)
}

fn trie_bytes(bed: &mut Bed, family: &'static str) -> Result<f64> {
    let map = bed.trie_map(family)?;
    let fd = map.fd().as_fd().as_raw_fd();
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}"))?;
    let bytes = info.lines().find_map(|line| line.strip_prefix("memlock:"));
    Ok(bytes.context("the kernel says nothing of the trie's memory")?.trim().parse()?)
}

fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, u64)> {
    let started = Now::read().ktime_ns;
    let done = work()?;
    Ok((done, Now::read().ktime_ns - started))
}

fn cpu<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, u64)> {
    let started = cpu_ns();
    let done = work()?;
    Ok((done, cpu_ns() - started))
}

fn millis(measure: &str, ns: u64) -> Measure {
    let value = f64::from(u32::try_from(ns / 1000).unwrap_or(u32::MAX)) / 1000.0;
    output::progress(&format!("{measure}: {value} ms"));
    Measure { measure: measure.to_owned(), value, unit: "ms" }
}

fn micros(measure: &str, ns: u64) -> Measure {
    let value = f64::from(u32::try_from(ns).unwrap_or(u32::MAX)) / 1000.0;
    output::progress(&format!("{measure}: {value} us"));
    Measure { measure: measure.to_owned(), value, unit: "us" }
}

fn megabytes(measure: String, bytes: f64) -> Measure {
    let value = tenths(bytes / f64::from(1 << 20));
    output::progress(&format!("{measure}: {value} MiB"));
    Measure { measure, value, unit: "MiB" }
}
