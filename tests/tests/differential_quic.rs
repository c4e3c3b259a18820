//! Host and kernel copy the same datagrams of QUIC clients.

use anyhow::{Context, Result, ensure};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tests::captures;
use tests::frame;
use tests::frame::source::{PLAIN_V4, PLAIN_V6, Source};
use tests::fuzz::hex;
use tests::packet::{Packet, proto};
use tests::require_privileges;
use tests::rules;
use tests::twin::Twins;

/// Whether a frame is copied, on which both agree.
fn is_copied(twins: &mut Twins, name: &str, frame: &[u8]) -> Result<bool> {
    let pair = twins.run(frame).with_context(|| format!("{name}: {}", hex(frame)))?;
    ensure!(pair.agrees(), "{name}: {pair:#?}\n{}", hex(frame));
    Ok(!pair.kernel.copied.is_empty())
}

/// The start of a packet with a long header, and noise.
fn long(first: u8, version: u32, name_len: u8, len: usize) -> Vec<u8> {
    let mut payload = vec![first];
    payload.extend(version.to_be_bytes());
    payload.push(name_len);
    payload.extend((6..len).map(|at| at.to_le_bytes()[0]));
    payload
}

/// More than any of these tests uses.
const PLENTY: [u64; 2] = [1 << 20; 2];

/// Where each byte may be chosen.
const FIRST: [u8; 9] = [0x00, 0x40, 0x80, 0xc0, 0xcf, 0xd0, 0xe3, 0xf0, 0xff];
const VERSIONS: [u32; 5] = [0, 1, 2, 0x6b33_43cf, 0xff00_001d];
const NAMES: [u8; 6] = [0, 7, 8, 20, 21, 255];
const LENS: [usize; 5] = [6, 1199, 1200, 1350, 1472];

#[test]
fn on_every_kind_of_first_bytes() -> Result<()> {
    require_privileges!();
    let mut copied = 0;
    for source in [PLAIN_V4, PLAIN_V6] {
        let mut twins = Twins::new(&rules::quic(PLENTY))?;
        for first in FIRST {
            for (version, name_len) in
                VERSIONS.into_iter().flat_map(|v| NAMES.into_iter().map(move |n| (v, n)))
            {
                for len in LENS {
                    let payload = long(first, version, name_len, len);
                    let frame = source.packet().udp((5000, 443), &payload).build();
                    let name = format!("{first:x} {version:x} {name_len} {len} {}", source.name);
                    copied += u32::from(is_copied(&mut twins, &name, &frame)?);
                }
            }
        }
    }
    // Of each family: four first bytes with the right kind, two names, three lengths.
    assert_eq!(copied, 2 * 4 * 2 * 3);
    Ok(())
}

fn wrapped(source: Source) -> Vec<(&'static str, Packet, bool)> {
    let packet = source.packet();
    vec![
        ("alone", packet.clone(), true),
        ("one tag", packet.clone().vlan(proto::VLAN), true),
        ("two tags", packet.clone().vlan(proto::SERVICE_VLAN).vlan(proto::VLAN), true),
        ("an extension", packet.clone().extension(proto::DESTINATION, 3), true),
        ("a first fragment", packet.clone().fragment(0, true), false),
        ("a later fragment", packet.clone().fragment(5, true), false),
        ("padding", packet.padding(30), true),
    ]
}

#[test]
fn on_what_is_around_them_and_how_long_they_are() -> Result<()> {
    require_privileges!();
    for source in [PLAIN_V4, PLAIN_V6] {
        let mut twins = Twins::new(&rules::quic(PLENTY))?;
        for (name, packet, expected) in wrapped(source) {
            for (ports, is_named) in [((1, 443), true), ((443, 8443), true), ((443, 53), false)] {
                let frame = packet.clone().udp(ports, &long(0xc0, 1, 8, 1200)).build();
                let copied = is_copied(&mut twins, name, &frame)?;
                ensure!(copied == (expected && is_named), "{name}, {ports:?}");
            }
        }
        // The kernel keeps the larger ones in several buffers.
        for len in [3500, 4088, 4089, 9000, 20_000] {
            let frame = source.packet().udp((1, 443), &long(0xc0, 1, 8, len)).build();
            ensure!(is_copied(&mut twins, &format!("{len} bytes"), &frame)?, "{len} bytes");
        }
    }
    Ok(())
}

#[test]
fn on_the_datagram_at_which_the_budget_is_used_up() -> Result<()> {
    require_privileges!();
    let mut twins = Twins::new(&rules::quic([200, 40]))?;
    let payload = long(0xc0, 1, 8, 1200);
    let mut run = |source: Packet| {
        let frame = source.udp((5000, 443), &payload).build();
        is_copied(&mut twins, "one of many", &frame)
    };
    let copied: Vec<bool> = (0..50).map(|_| run(PLAIN_V4.packet())).collect::<Result<_>>()?;
    let first = copied.iter().position(|copied| !copied);
    ensure!(first == Some(40), "a share: {first:?}");
    let from = |number: u16| {
        let [high, low] = number.to_be_bytes();
        Packet::v4([10, 7, high, low], [198, 51, 100, 7])
    };
    let copied: Vec<bool> = (0..400).map(|number| run(from(number))).collect::<Result<_>>()?;
    let passed = copied.iter().filter(|copied| **copied).count();
    ensure!(passed == 160, "all together: {passed}");
    Ok(())
}

#[test]
fn on_real_clients_and_mutations_of_what_they_send() -> Result<()> {
    require_privileges!();
    let mut frames = Vec::new();
    for capture in captures::all()? {
        let source = if capture.is_v6 { PLAIN_V6 } else { PLAIN_V4 };
        let all = capture.client.iter().chain(&capture.server);
        frames.extend(all.map(|payload| {
            let frame = source.packet().udp((capture.port, 443), payload).build();
            (capture.name.clone(), frame)
        }));
    }
    let mut twins = Twins::new(&rules::quic(PLENTY))?;
    let mut rng = StdRng::seed_from_u64(3);
    for turn in 0..3000 {
        let (name, frame) = &frames[rng.random_range(0..frames.len())];
        let mut frame = frame.clone();
        for _ in 0..rng.random_range(0..3) {
            let at = rng.random_range(frame::SHORTEST..90.min(frame.len()));
            frame[at] = rng.random();
        }
        let short = rng.random_range(frame::SHORTEST..=frame.len());
        if rng.random_range(0..8) == 0 {
            frame.truncate(short);
        }
        is_copied(&mut twins, &format!("{name}, turn {turn}"), &frame)?;
    }
    Ok(())
}
