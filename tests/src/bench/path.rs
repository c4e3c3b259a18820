//! What a packet costs on its way through the filter.

use super::Case;
use super::measure::{self, Subject};
use crate::frame::source::{CONVICTED, PLAIN_V4, PLAIN_V6, Source};
use crate::kernel::KernelFilter;
use crate::packet::{Packet, Segment};
use crate::rules::{self, Rules};
use anyhow::Result;
use filter_common::abi::Mode;
use filter_common::abi::address::AddressClass;
use filter_common::abi::client::ClientVerdict;
use filter_common::gcra::Limit;
use filter_user::datapath::test_run::TestProgram;
use ipnet::IpNet;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Measures an empty program, and the filter by what becomes of the packet.
///
/// # Errors
///
/// The kernel's.
pub(super) fn measure(rounds: usize) -> Result<Vec<Case>> {
    let mut programs = vec![
        TestProgram::baseline("empty")?,
        filter(&rules::nothing())?,
        filter(&blocking())?,
        filter(&convicting())?,
        filter(&limiting())?,
    ];
    let mut subjects = family("v4", PLAIN_V4, CONVICTED[0]);
    subjects.extend(family("v6", PLAIN_V6, CONVICTED[1]));
    measure::cases(&mut programs, &subjects, rounds)
}

fn family(family: &'static str, plain: Source, convicted: Source) -> Vec<Subject> {
    let udp = |source: &Source| source.packet().udp((5000, 443), &[0x2a; 64]);
    let tcp = |segment| plain.packet().tcp(segment);
    let (open, new) = ((40_000, 443), (40_001, 443));
    let rows: [(&str, usize, Packet, u32); 8] = [
        ("empty", 0, udp(&plain), PASS),
        ("pass", 1, udp(&plain), PASS),
        ("pass_tcp", 1, tcp(Segment::data(open, 9000, &[0x2a; 64])), PASS),
        ("pass_ack", 1, tcp(Segment::data(open, 9000, &[])), PASS),
        ("pass_syn", 1, tcp(Segment::syn(new, 1)), PASS),
        ("block", 2, udp(&plain), DROP),
        ("verdict", 3, udp(&convicted), DROP),
        ("limited", 4, udp(&plain), PASS),
    ];
    let subject = |(case, program, packet, action): (_, _, Packet, _)| Subject {
        name: format!("{family}/{case}"),
        baseline: format!("{family}/empty"),
        program,
        frame: packet.build(),
        action,
    };
    rows.map(subject).into()
}

fn filter(rules: &Rules) -> Result<TestProgram> {
    let mut kernel = KernelFilter::load()?;
    kernel.fill(rules)?;
    Ok(kernel.program)
}

/// A thousand prefixes in each family, neighbours of the one around the client, so that
/// the look-up goes as deep as it can.
fn blocking() -> Rules {
    let class = AddressClass { action: AddressClass::BLOCK, mode: Mode::ENFORCE.0, list: 2 };
    let mut prefixes = vec![around(PLAIN_V4, 24), around(PLAIN_V6, 64)];
    for i in 1_u16..1000 {
        let [high, low] = i.to_be_bytes();
        let v4 = IpNet::new(Ipv4Addr::new(192, high, low, 0).into(), 24);
        let v6 = IpNet::new(Ipv6Addr::new(0x2001, 0xdb8, i, 7, 0, 0, 0, 0).into(), 64);
        prefixes.extend([v4, v6].into_iter().flatten());
    }
    let policy = prefixes.into_iter().map(|prefix| (prefix, class)).collect();
    Rules { policy, ..rules::nothing() }
}

fn around(source: Source, len: u8) -> IpNet {
    IpNet::new(source.address, len).unwrap_or_default().trunc()
}

fn convicting() -> Rules {
    let verdict = ClientVerdict {
        expires_ns: u64::MAX,
        action: ClientVerdict::BLOCK,
        ..ClientVerdict::default()
    };
    let verdicts = CONVICTED.map(|source| (rules::client(source.address), verdict)).into();
    Rules { verdicts, ..rules::nothing() }
}

/// A packet limit that nobody reaches.
fn limiting() -> Rules {
    let mut rules = rules::nothing();
    rules.config.limits[0] = Limit::new(1_000_000_000, 1_000_000_000);
    rules
}

const DROP: u32 = 1;
const PASS: u32 = 2;
