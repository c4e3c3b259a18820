//! Random input for a bounded time, repeatable by its seed.

mod frame;
mod hello;
mod policy;
mod stream;

use crate::output;
use anyhow::Result;
use filter_user::clock::Now;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::panic::{self, AssertUnwindSafe};

/// Something that takes any input.
pub trait Target {
    /// The next input.
    fn input(&mut self, rng: &mut StdRng) -> Vec<u8>;

    /// Feeds it.
    ///
    /// # Errors
    ///
    /// What went wrong.
    fn check(&mut self, input: &[u8]) -> Result<()>;

    /// How much was done so far, if inputs alone don't say.
    fn summary(&self) -> Option<String> {
        None
    }
}

/// A target's name and how it is made ready.
pub struct Entry {
    /// The name.
    pub name: &'static str,
    /// Makes it ready.
    pub open: fn() -> Result<Box<dyn Target>>,
}

/// All targets.
pub const TARGETS: &[Entry] = &[
    Entry { name: "frame", open: || Ok(Box::new(frame::Both::open()?)) },
    Entry { name: "hello", open: || Ok(Box::new(hello::Parser)) },
    Entry { name: "stream", open: || Ok(Box::new(stream::Engines::open()?)) },
    Entry { name: "policy", open: || Ok(Box::new(policy::Policies::open()?)) },
];

/// Feeds a target until the time is up; `false` when an input failed, which is then
/// printed in hex.
///
/// # Errors
///
/// The target can't be made ready.
pub fn run(entry: &Entry, seconds: u64, seed: u64) -> Result<bool> {
    let mut target = (entry.open)()?;
    let mut rng = StdRng::seed_from_u64(seed);
    output::progress(&format!("{}: seed {seed}, {seconds} s", entry.name));
    let end_ns = Now::read().ktime_ns + seconds * 1_000_000_000;
    let mut count = 0_u64;
    while Now::read().ktime_ns < end_ns {
        let input = target.input(&mut rng);
        count += 1;
        if let Err(error) = feed(target.as_mut(), &input) {
            output::progress(&format!("{}: input {count} failed: {error:#}", entry.name));
            output::result(&hex(&input));
            return Ok(false);
        }
        if count.is_multiple_of(PROGRESS) {
            output::progress(&format!("{}: {count} inputs", entry.name));
        }
    }
    output::result(&format!("{}: {count} inputs held, seed {seed}", entry.name));
    if let Some(summary) = target.summary() {
        output::result(&format!("{}: {summary}", entry.name));
    }
    Ok(true)
}

/// Inputs between two lines of progress.
const PROGRESS: u64 = 200_000;

/// Feeds one input; a panic is an error like any other.
///
/// # Errors
///
/// What went wrong.
pub fn feed(target: &mut dyn Target, input: &[u8]) -> Result<()> {
    let caught = panic::catch_unwind(AssertUnwindSafe(|| target.check(input)));
    caught.unwrap_or_else(|_| anyhow::bail!("it panicked"))
}

/// Bytes as crash files have them.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

/// The bytes of a crash file: hex, over any number of lines, with `#` remarks.
///
/// # Errors
///
/// Anything else.
pub fn unhex(text: &str) -> Result<Vec<u8>> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let digits: Vec<u32> = lines
        .flat_map(str::chars)
        .filter(|digit| !digit.is_whitespace())
        .map(|digit| digit.to_digit(16).ok_or_else(|| anyhow::anyhow!("{digit} is no hex digit")))
        .collect::<Result<_>>()?;
    let (pairs, odd) = digits.as_chunks::<2>();
    anyhow::ensure!(odd.is_empty(), "half a byte at the end");
    pairs.iter().map(|[high, low]| Ok(u8::try_from(high << 4 | low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_reads_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(unhex(&hex(&bytes)).unwrap(), bytes);
        assert_eq!(unhex("# why\n0a 0B # end\n\nff\n").unwrap(), [10, 11, 255]);
        assert!(unhex("0").is_err() && unhex("zz").is_err());
    }
}
