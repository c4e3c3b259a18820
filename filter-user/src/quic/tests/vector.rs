//! Packets that the RFCs print.

use super::*;
use std::path::Path;

const NAME: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

/// The packet in a file of hex digits; what follows a `#` is said about it.
fn packet(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/quic");
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    let lines = text.lines().map(|line| line.split('#').next().unwrap().trim());
    let digits: String = lines.collect();
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// Computed by another program from the bytes that RFC 9001 appendix A.2 prints before
/// protection; `tests/corpus/quic/README.md` says which.
const JA4: &str = "q13d0211an_62ed6f6ca7ad_4d634acda6c0";
const JA3: &str = "41bc9ae914d6cb3bd0bd0a5453ab7d7f";
const RAW: &str = "q13d0211an_1301,1302_\
    0005,000a,000d,001c,002b,002d,0033,0039,ff01_0403,0503,0603,0203,0804,0805,0806";

#[test]
fn the_clients_packets_of_both_rfcs_hold_the_same_hello() {
    for (name, version) in [("rfc9001-a2.hex", Version::V1), ("rfc9369-a2.hex", Version::V2)] {
        let outcomes = run(&[Client::new(version).datagram(packet(name))]);
        let [outcome] = &outcomes[..] else { unreachable!("{outcomes:?}") };
        assert_eq!((outcome.version, outcome.datagrams, outcome.proven), (version, 1, false));
        assert_eq!(outcome.destination.as_bytes(), NAME);
        let hello = outcome.result.as_ref().unwrap();
        assert_eq!(hello.fingerprint.ja4.as_str(), JA4);
        assert_eq!(hello.ja4_r(), RAW);
        assert_eq!(hello.fingerprint.ja3.to_string(), JA3);
        assert_eq!(hello.message.len(), 241);
        assert_eq!(
            (hello.sni.as_deref(), hello.alpn.as_deref()),
            (Some("example.com"), Some("alpn"))
        );
    }
}

#[test]
fn the_servers_packets_say_nothing() {
    for (name, version) in [("rfc9001-a3.hex", Version::V1), ("rfc9369-a3.hex", Version::V2)] {
        let client = Client::new(version);
        assert!(run(&[client.datagram(packet(name))]).is_empty());
        // A client that names itself gets its packets under a name that keys could derive
        // from.
        let server = client.protected(rustls::Side::Server, 0, &wire::crypto(0, &[2; 90]), 1200);
        let mut assembler = Assembler::new();
        assembler.handle_datagram(&client.datagram(server));
        assert_eq!(assembler.counts(), Counts { initials: 1, foreign: 1 });
        assert!(told(&mut assembler).is_empty());
    }
}

#[test]
fn the_packets_of_this_module_are_those_of_the_rfc() {
    let client = Client::new(Version::V1).renamed(&NAME);
    let whole = packet("rfc9001-a2.hex");
    let outcomes = run(&[client.datagram(whole.clone())]);
    let message = &outcomes[0].result.as_ref().unwrap().message;
    let frame = [&[6, 0, 0x40, 0xf1], &message[..]].concat();
    assert_eq!(client.initial(2, &frame, 1200), whole);
}

#[test]
fn every_strict_prefix_of_a_datagram_has_no_fingerprint() {
    let whole = packet("rfc9001-a2.hex");
    let client = Client::new(Version::V1);
    for len in 0..whole.len() {
        assert!(run(&[client.datagram(whole[..len].to_vec())]).is_empty(), "{len} bytes");
        let cut = Datagram { payload_len: whole.len(), ..client.datagram(whole[..len].to_vec()) };
        // 18 bytes tell the connection and the packet's length.
        let expected = if len < 18 { None } else { Some(Cause::Truncated) };
        let outcomes = run(&[cut]);
        let cause = outcomes.first().and_then(|outcome| outcome.result.as_ref().err()).copied();
        assert_eq!((cause, outcomes.len()), (expected, usize::from(expected.is_some())));
    }
}
