//! What a packet costs on its way through the filter.

use super::Measured;
use super::measure::{self, Subject};
use crate::frame::source::{CONVICTED, NEIGHBOUR, PLAIN_V4, PLAIN_V6, Source};
use crate::kernel::KernelFilter;
use crate::packet::{Packet, Segment};
use crate::rules::{self, Rules};
use anyhow::Result;
use filter_common::abi::client::ClientVerdict;
use filter_common::abi::width::Width;
use filter_user::datapath::test_run::TestProgram;
use filter_user::policy::BLOCK_LIST;
use filter_user::policy::note::Note;
use filter_user::verdict::address_of;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Measures an empty program, and the filter by what becomes of the packet.
///
/// # Errors
///
/// The kernel's.
pub(super) fn measure(rounds: usize) -> Result<Measured> {
    let mut programs = vec![
        TestProgram::baseline("empty")?,
        filter(&rules::nothing())?,
        filter(&blocking())?,
        filter(&convicting())?,
        filter(&limiting())?,
    ];
    let mut subjects = family("v4", PLAIN_V4, CONVICTED[0]);
    subjects.push(wide("v4", "24", NEIGHBOUR[0]));
    subjects.extend(family("v6", PLAIN_V6, CONVICTED[1]));
    subjects.push(wide("v6", "48", NEIGHBOUR[1]));
    let cases = measure::cases(&mut programs, &subjects, rounds)?;
    Ok(Measured { cases, ..Measured::default() })
}

fn udp(source: &Source) -> Packet {
    source.packet().udp((5000, 443), &[0x2a; 64])
}

/// A client whose only verdict is one on the prefix of this length around it.
fn wide(family: &str, len: &str, source: Source) -> Subject {
    Subject {
        name: format!("{family}/verdict_{len}"),
        baseline: format!("{family}/empty"),
        program: 3,
        frame: udp(&source).build(),
        action: DROP,
    }
}

fn family(family: &'static str, plain: Source, convicted: Source) -> Vec<Subject> {
    let elsewhere = if family == "v4" { ELSEWHERE[0] } else { ELSEWHERE[1] };
    let tcp = |segment| plain.packet().tcp(segment);
    let (open, new) = ((40_000, 443), (40_001, 443));
    let rows: [(&str, usize, Packet, u32); 10] = [
        ("empty", 0, udp(&plain), PASS),
        ("pass", 1, udp(&plain), PASS),
        ("pass_tcp", 1, tcp(Segment::data(open, 9000, &[0x2a; 64])), PASS),
        ("pass_ack", 1, tcp(Segment::data(open, 9000, &[])), PASS),
        ("pass_syn", 1, tcp(Segment::syn(new, 1)), PASS),
        ("block", 2, udp(&plain), DROP),
        ("verdict", 3, udp(&convicted), DROP),
        ("verdict_none_in_bucket", 3, udp(&elsewhere), PASS),
        ("verdict_none_of_client", 3, udp(&plain), PASS),
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
    let mut prefixes = vec![around(PLAIN_V4, 24), around(PLAIN_V6, 64)];
    for i in 1_u16..1000 {
        let [high, low] = i.to_be_bytes();
        let v4 = IpNet::new(Ipv4Addr::new(192, high, low, 0).into(), 24);
        let v6 = IpNet::new(Ipv6Addr::new(0x2001, 0xdb8, i, 7, 0, 0, 0, 0).into(), 64);
        prefixes.extend([v4, v6].into_iter().flatten());
    }
    let mut rules = rules::nothing();
    if let Some(list) = rules.policy.list_mut(BLOCK_LIST) {
        for prefix in prefixes {
            list.entries.insert(&prefix, Note::default());
        }
    }
    rules
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
    let clients = CONVICTED.map(|source| (rules::client(source.address), verdict));
    let [v4, v6] = NEIGHBOUR.map(|source| address_of(source.address));
    let around = [Width::V4_24.key(&v4), Width::V6_48.key(&v6)].map(|key| (key, verdict));
    Rules { verdicts: [clients, around].concat(), ..rules::nothing() }
}

/// A packet limit that nobody reaches.
fn limiting() -> Rules {
    let mut rules = rules::nothing();
    rules.limit("packets", "unit = 'packets'\nrate = '100M/s'\nburst = '100M'\nservices = ['any']");
    rules
}

/// Clients in whose bucket there is no verdict, while others have some.
const ELSEWHERE: [Source; 2] = [
    Source { name: "elsewhere", address: IpAddr::V4(Ipv4Addr::new(198, 18, 0, 1)) },
    Source {
        name: "elsewhere",
        address: IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0x18, 1, 0, 0, 0, 1)),
    },
];

const DROP: u32 = 1;
const PASS: u32 = 2;
