//! Random changes to frames.

use super::{Named, SHORTEST};
use rand::Rng;

/// A frame of the corpus with a few changes, or now and then nothing but noise behind
/// an Ethernet header.
pub fn mutated(corpus: &[Named], rng: &mut impl Rng) -> Vec<u8> {
    let Some((_, frame)) = corpus.get(rng.random_range(0..corpus.len().max(1))) else {
        return noise(rng);
    };
    if rng.random_ratio(1, 20) {
        return noise(rng);
    }
    let mut frame = frame.clone();
    for _ in 0..rng.random_range(1..6) {
        change(&mut frame, rng);
    }
    frame.resize(frame.len().max(SHORTEST), 0);
    frame
}

/// Most changes hit the headers, which is where the cases are.
fn change(frame: &mut Vec<u8>, rng: &mut impl Rng) {
    let end = frame.len().clamp(1, if rng.random_ratio(9, 10) { 100 } else { 2000 });
    let at = rng.random_range(0..end);
    match rng.random_range(0..8) {
        0 => frame.truncate(at.max(SHORTEST)),
        1 => frame.resize(frame.len() + at, 0x16),
        2 => drop(frame.splice(at..at, [rng.random(); 4])),
        3 => drop(frame.splice(at..(at + 4).min(end), [])),
        4..6 => with_byte(frame, at, |byte| byte ^ 1 << rng.random_range(0..8)),
        _ => with_byte(frame, at, |_| rng.random()),
    }
}

fn with_byte(frame: &mut [u8], at: usize, change: impl FnOnce(u8) -> u8) {
    if let Some(byte) = frame.get_mut(at) {
        *byte = change(*byte);
    }
}

fn noise(rng: &mut impl Rng) -> Vec<u8> {
    let mut frame = vec![0; rng.random_range(SHORTEST..200)];
    rng.fill_bytes(&mut frame);
    let types: [[u8; 3]; 4] = [[8, 0, 0x45], [0x86, 0xdd, 0x60], [0x81, 0, 0], [8, 6, 0]];
    let start = types[rng.random_range(0..types.len())];
    frame.iter_mut().skip(12).zip(start).for_each(|(byte, value)| *byte = value);
    frame
}
