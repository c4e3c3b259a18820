//! Host and kernel say the same of every frame.

use anyhow::{Context, Result, ensure};
use filter_common::abi::client::ClientVerdict;
use filter_common::abi::counter::{Reason, Verdict};
use filter_common::decide::Decision;
use filter_user::clock::Now;
use filter_user::verdict::key_of;
use ipnet::IpNet;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::net::IpAddr;
use tests::frame::source::{PLAIN_V4, PLAIN_V6, RELEASED, Source};
use tests::frame::{self, Named, mutation};
use tests::fuzz::hex;
use tests::kernel::KernelFilter;
use tests::packet::{Segment, hello};
use tests::require_privileges;
use tests::rules::{self, Rules};
use tests::twin::Twins;

/// What host and kernel both decided about a frame, and whether both told of a hello.
fn both(twins: &mut Twins, name: &str, bytes: &[u8]) -> Result<(Decision, bool)> {
    let pair = twins.run(bytes).with_context(|| format!("{name}: {}", hex(bytes)))?;
    ensure!(pair.agrees(), "{name}: {pair:#?}\n{}", hex(bytes));
    Ok((pair.kernel.decision, !pair.kernel.told.is_empty()))
}

/// What the corpus comes to under these rules.
fn agreed(rules: &Rules) -> Result<Vec<Decision>> {
    agreed_on(rules, &frame::corpus())
}

fn agreed_on(rules: &Rules, corpus: &[Named]) -> Result<Vec<Decision>> {
    let mut twins = Twins::new(rules)?;
    let decide = |(name, bytes): &(String, Vec<u8>)| Ok(both(&mut twins, name, bytes)?.0);
    corpus.iter().map(decide).collect()
}

#[test]
fn without_rules() -> Result<()> {
    require_privileges!();
    agreed(&Rules::default())?;
    agreed(&rules::nothing())?;
    Ok(())
}

#[test]
fn with_and_without_limits_and_each_reason_is_reached() -> Result<()> {
    require_privileges!();
    let sets = [rules::lists(), rules::everything(), rules::further()];
    let mut reached = sets.iter().map(agreed).collect::<Result<Vec<_>>>()?.concat();
    // What a rule has ended comes again.
    let twice = [frame::corpus(), frame::corpus()].concat();
    reached.extend(agreed_on(&rules::hellos(), &twice)?);
    for reason in (0..=u8::MAX).map(Reason).take(Reason::COUNT) {
        let found = reached.iter().any(|decision| decision.reason == reason);
        assert!(found, "no frame is counted under {}", reason.name());
    }
    let resets = |decision: &Decision| decision.verdict == Verdict::RESET;
    assert!(reached.iter().any(resets), "no frame became a reset");
    Ok(())
}

#[test]
fn with_every_rule_in_shadow_of_which_none_drops() -> Result<()> {
    require_privileges!();
    let reached = agreed(&rules::shadowed())?;
    for reason in SHADOWABLE {
        assert!(reached.contains(&Decision { verdict: Verdict::WOULD_DROP, reason }));
    }
    assert!(reached.iter().all(|decision| decision.verdict != Verdict::DROP));
    Ok(())
}

const SHADOWABLE: [Reason; 6] = [
    Reason::BLOCKLIST,
    Reason::LIST_LIMIT,
    Reason::CLIENT_VERDICT,
    Reason::THROTTLE,
    Reason::PACKET_LIMIT,
    Reason::CONNECTION_LIMIT,
];

#[test]
fn in_monitor_mode_which_drops_nothing() -> Result<()> {
    require_privileges!();
    let reached = agreed(&rules::monitored())?;
    assert!(reached.iter().all(|decision| decision.verdict != Verdict::DROP));
    Ok(())
}

#[test]
fn on_thousands_of_mutations() -> Result<()> {
    require_privileges!();
    let corpus = frame::corpus();
    let mut rng = StdRng::seed_from_u64(SEED);
    for rules in [rules::lists(), rules::everything(), rules::further()] {
        let mut twins = Twins::new(&rules)?;
        for i in 0..MUTATIONS {
            let frame = mutation::mutated(&corpus, &mut rng);
            both(&mut twins, &format!("mutation {i}"), &frame)?;
        }
    }
    Ok(())
}

const SEED: u64 = 7;
const MUTATIONS: u32 = 5_000;

#[test]
fn a_verdict_ends_in_the_kernel_by_itself() -> Result<()> {
    require_privileges!();
    let mut kernel = KernelFilter::load()?;
    kernel.fill(&rules::nothing())?;
    let ends_ns = Now::read().ktime_ns + 50_000_000;
    let action = ClientVerdict::BLOCK;
    let verdict = ClientVerdict { expires_ns: ends_ns, action, ..ClientVerdict::default() };
    kernel.maps.set_verdict(rules::client(PLAIN_V4.address), verdict)?;
    let frame = PLAIN_V4.packet().udp((5000, 53), b"?").build();
    let mut last_ns = 0;
    while kernel.run(&frame)?.decision.reason == Reason::CLIENT_VERDICT {
        ensure!(last_ns < ends_ns, "it outlived its end");
        last_ns = Now::read().ktime_ns;
    }
    ensure!(last_ns > 0, "it was never in force");
    ensure!(Now::read().ktime_ns >= ends_ns, "it ended early");
    Ok(())
}

#[test]
fn on_a_verdict_that_has_ended() -> Result<()> {
    require_privileges!();
    let mut twins = Twins::new(&rules::everything())?;
    for source in RELEASED {
        let frame = source.packet().udp((5000, 53), b"?").build();
        assert_eq!(both(&mut twins, source.name, &frame)?.0.reason, Reason::NO_RULE);
    }
    Ok(())
}

/// Prefixes of all widths, some inside others, and addresses in all of them and outside.
const PREFIXES: [&str; 12] = [
    "192.0.2.0/32",
    "192.0.2.1/32",
    "192.0.2.0/24",
    "192.0.3.0/24",
    "2001:db8::/128",
    "2001:db8::5/128",
    "2001:db8::/64",
    "2001:db8:0:1::/64",
    "2001:db8::/56",
    "2001:db8:0:100::/56",
    "2001:db8::/48",
    "::/48",
];
const ADDRESSES: [&str; 9] = [
    "192.0.2.0",
    "192.0.2.1",
    "192.0.2.9",
    "192.0.3.1",
    "2001:db8::",
    "2001:db8::5",
    "2001:db8:0:1::1",
    "2001:db8:0:100::1",
    "2001:db8:1::1",
];

#[test]
fn on_verdicts_of_all_widths_that_come_and_go() -> Result<()> {
    require_privileges!();
    let mut twins = Twins::new(&rules::nothing())?;
    let mut rng = StdRng::seed_from_u64(SEED);
    let mut held: BTreeMap<IpNet, ClientVerdict> = BTreeMap::new();
    for turn in 0..600 {
        let prefix: IpNet = PREFIXES[rng.random_range(0..PREFIXES.len())].parse()?;
        let key = key_of(&prefix).context("a width")?;
        if rng.random_range(0..5) < 3 {
            let now_ns = Now::read().ktime_ns;
            let expires_ns = if rng.random() { now_ns + 3_600_000_000_000 } else { now_ns };
            let action = rng.random_range(1..4);
            let verdict = ClientVerdict { expires_ns, action, ..ClientVerdict::default() };
            held.insert(prefix, verdict);
            twins.set_verdict(key, verdict)?;
        } else {
            held.remove(&prefix);
            twins.clear_verdict(key)?;
        }
        let address: IpAddr = ADDRESSES[rng.random_range(0..ADDRESSES.len())].parse()?;
        let frame = Source { name: "any", address }.packet().udp((5000, 53), b"?").build();
        let (decision, _) = both(&mut twins, &format!("turn {turn}, {address}"), &frame)?;
        let blocks = |verdict: &ClientVerdict| {
            verdict.action == ClientVerdict::BLOCK && verdict.expires_ns > Now::read().ktime_ns
        };
        let blocked = held.iter().any(|(net, verdict)| net.contains(&address) && blocks(verdict));
        let wanted = if blocked { Reason::CLIENT_VERDICT } else { Reason::NO_RULE };
        ensure!(decision.reason == wanted, "turn {turn}, {address}: {decision:?} among {held:?}");
    }
    Ok(())
}

#[test]
fn on_the_packet_at_which_a_limit_bites() -> Result<()> {
    require_privileges!();
    let mut twins = Twins::new(&rules::everything())?;
    for source in [PLAIN_V4, PLAIN_V6] {
        let frame = source.packet().tcp(Segment::syn((40_000, 443), 1)).build();
        let decide = |_| Ok(both(&mut twins, source.name, &frame)?.0.reason);
        let reasons: Vec<Reason> = (0..100).map(decide).collect::<Result<_>>()?;
        let first = |reason| reasons.iter().position(|seen| *seen == reason);
        assert_eq!(first(Reason::CONNECTION_LIMIT), Some(1));
        assert_eq!(first(Reason::PACKET_LIMIT), Some(25));
    }
    Ok(())
}

/// The kernel keeps the larger ones in several buffers.
#[test]
fn on_frames_of_up_to_sixty_thousand_bytes() -> Result<()> {
    require_privileges!();
    let mut twins = Twins::new(&rules::nothing())?;
    for source in [PLAIN_V4, PLAIN_V6] {
        for (port, len) in (40_000..).zip([1514, 3500, 3520, 4096, 9014, 20_000, 60_000]) {
            let (hello, datagram) = large(source, port, len);
            let name = format!("{len} bytes from {}", source.name);
            let is_whole = len >= 20_000;
            assert_eq!(both(&mut twins, &name, &hello)?.1, is_whole, "{name}: what was told");
            both(&mut twins, &name, &datagram)?;
        }
    }
    Ok(())
}

/// A segment with a hello, or the start of one, and a datagram, in frames of `len` bytes.
fn large(source: Source, port: u16, len: usize) -> (Vec<u8>, Vec<u8>) {
    let headers = source.packet().tcp(Segment::syn((1, 2), 3)).build().len();
    let mut payload = hello(16_000);
    payload.resize(len - headers, 0x77);
    let segment = Segment::data((port, 443), 7, &payload);
    let datagram = [payload.as_slice(), &[0; 12]].concat();
    (source.packet().tcp(segment).build(), source.packet().udp((5000, 443), &datagram).build())
}
