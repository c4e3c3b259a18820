//! Which packets belong to which connection.

use super::hello::{chromium, hellos, over_quic};
use super::wire::crypto;
use super::*;
use bytes::Bytes;

/// A hello that fits a datagram, and its fingerprint over QUIC.
fn small() -> (Bytes, String) {
    let hello = hellos("curl-openssl.pcap").swap_remove(0);
    let raw = over_quic(&hello.ja4_r());
    (hello.message, raw)
}

fn client() -> Client {
    Client::new(Version::V1)
}

#[test]
fn packets_of_other_kinds_lie_around_an_initial() {
    let (message, raw) = small();
    for version in [Version::V1, Version::V2] {
        let client = Client::new(version);
        let [a, b] = [&message[..200], &message[200..]];
        let packets = [
            client.other(1, 30),
            client.initial(0, &crypto(200, b), 0),
            client.other(2, 30),
            client.initial(1, &crypto(0, a), 700),
            client.other(1, 300),
        ];
        let outcomes = run(&[client.datagram(packets.concat())]);
        assert_eq!((verdict(&outcomes), outcomes[0].datagrams), (Ok(raw.clone()), 1));
    }
}

#[test]
fn a_short_header_or_zeroes_end_a_datagram() {
    let (message, raw) = small();
    let first = client().initial(0, &crypto(0, &message), 0);
    for tail in [&[0x40; 500][..], &[0; 500], &[0xff; 500], &[0xc0, 0, 0, 0, 0, 8]] {
        let mut payload = [&first, tail].concat();
        payload.resize(1300, 0);
        assert_eq!(verdict(&run(&[client().datagram(payload)])), Ok(raw.clone()));
    }
}

#[test]
fn a_super_packet_is_read_across_its_padding() {
    let hello = chromium();
    let raw = over_quic(&hello.ja4_r());
    let parts = client().says_all(&hello.message).into_iter().map(|part| part.payload);
    let padded: Vec<u8> = parts.flat_map(|part| [&part[..], &[0; 40]].concat()).collect();
    assert_eq!(verdict(&run(&[client().datagram(padded)])), Ok(raw.clone()));
    // On the wire, nothing behind zeroes is read.
    let (message, _) = small();
    let hidden = [&[0][..], &client().initial(0, &crypto(0, &message), 1200)].concat();
    assert!(run(&[client().datagram(hidden)]).is_empty());
}

#[test]
fn a_packet_for_another_connection_in_the_datagram_is_passed_over() {
    let (message, raw) = small();
    let other = client().renamed(&[8; 8]).initial(0, &crypto(0, &message), 0);
    let payload = [client().initial(0, &crypto(0, &message), 1200), other].concat();
    let outcomes = run(&[client().datagram(payload)]);
    assert_eq!((outcomes.len(), verdict(&outcomes)), (1, Ok(raw.clone())));
    // So is one of another version.
    let second = Client::new(Version::V2).initial(0, &crypto(0, &message), 1200);
    let payload = [second, client().initial(0, &crypto(0, &message), 1200)].concat();
    let outcomes = run(&[client().datagram(payload)]);
    assert_eq!((outcomes.len(), outcomes[0].version), (1, Version::V2));
}

#[test]
fn junk_in_front_of_a_packet_does_not_hide_it() {
    let (message, raw) = small();
    let mut junk = client().initial(0, &[1], 0);
    junk[30] ^= 1;
    let payload = [junk.clone(), junk, client().initial(1, &crypto(0, &message), 1200)].concat();
    assert_eq!(verdict(&run(&[client().datagram(payload)])), Ok(raw.clone()));
}

#[test]
fn what_is_no_initial_of_a_known_version_is_ignored() {
    let (message, _) = small();
    let initial = client().initial(0, &crypto(0, &message), 1200);
    let mut negotiation = initial.clone();
    negotiation[1..5].fill(0);
    let mut draft = initial.clone();
    draft[1..5].copy_from_slice(&[0xff, 0, 0, 0x1d]);
    let mut short = initial.clone();
    short[0] &= 0x7f;
    let mut second = initial.clone();
    second[1..5].copy_from_slice(&Version::V2.number().to_be_bytes());
    let retry = client().retry(&[9; 1200]);
    for payload in [negotiation, draft, short, second, retry, vec![], vec![0xc0]] {
        assert!(run(&[client().datagram(payload)]).is_empty());
    }
}

#[test]
fn the_fixed_bit_may_be_zero() {
    let (message, raw) = small();
    let mut bytes = client().initial(0, &crypto(0, &message), 1200);
    bytes[0] &= !0x40;
    // It is authenticated, so that a packet which lost it on its way is not one.
    assert!(run(&[client().datagram(bytes)]).is_empty());
    assert_eq!(verdict(&run(&[client().says(0, &crypto(0, &message))])), Ok(raw.clone()));
}

#[test]
fn a_small_datagram_opens_nothing_but_may_go_on() {
    let (message, raw) = small();
    let small = |number, at: usize, part: &[u8]| {
        client().datagram(client().initial(number, &crypto(at, part), 0))
    };
    assert!(run(&[small(0, 0, &message)]).is_empty());
    let datagrams = [client().says(0, &crypto(0, &message[..90])), small(1, 90, &message[90..])];
    assert_eq!(verdict(&run(&datagrams)), Ok(raw.clone()));
}

#[test]
fn a_short_name_without_a_token_opens_nothing() {
    let (message, raw) = small();
    let short = client().renamed(&[7; 7]);
    assert!(run(&short.says_all(&message)).is_empty());
    let answered = Client { token: vec![1; 70], ..short };
    assert_eq!(verdict(&run(&answered.says_all(&message))), Ok(raw.clone()));
}

#[test]
fn keys_stay_when_the_server_names_itself() {
    let hello = chromium();
    let parts = client().says_all(&hello.message);
    let renamed = Client { destination: vec![0xab; 5], ..client() };
    let datagrams = [parts[0].clone(), renamed.says(1, &crypto(1100, &hello.message[1100..]))];
    let outcomes = run(&datagrams);
    assert_eq!((outcomes.len(), outcomes[0].datagrams), (1, 2));
    assert_eq!(verdict(&outcomes), Ok(over_quic(&hello.ja4_r())));
}

#[test]
fn a_retry_changes_the_keys_and_repeats_the_hello() {
    let hello = chromium();
    let raw = over_quic(&hello.ja4_r());
    let retried = Client { token: vec![3; 40], ..client().renamed(&[0xcd; 4]) };
    let [before, after] = [client(), retried].map(|client| client.says_all(&hello.message));
    // The whole flight before the Retry, a part of it, none of it.
    for kept in [2, 1, 0] {
        let outcomes = run(&[&before[..kept], &after[..]].concat());
        let [outcome] = &outcomes[..] else { unreachable!("{outcomes:?}") };
        assert_eq!((verdict(&outcomes), outcome.datagrams), (Ok(raw.clone()), 2), "{kept} kept");
    }
    // Parts under different keys are not put together.
    let outcomes = run(&[&before[..1], &after[1..]].concat());
    assert_eq!(outcomes.len(), 2);
    assert!(outcomes.iter().all(|outcome| outcome.result.is_err()));
}

#[test]
fn a_stranger_with_the_clients_address_does_not_meddle() {
    let hello = chromium();
    let parts = client().says_all(&hello.message);
    let stranger = Client { token: vec![3; 40], ..client().renamed(&[9; 8]) };
    let meddling = stranger.says(0, &crypto(1100, &[0x5a; 300]));
    let renamed = Client { destination: vec![0xab; 5], ..client() };
    let junk = Client { first: vec![1; 8], ..renamed }.says(7, &crypto(1100, &[0x5a; 300]));
    let datagrams = [parts[0].clone(), meddling, junk, parts[1].clone()];
    let outcomes = run(&datagrams);
    let good: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.result.is_ok()).collect();
    assert_eq!((outcomes.len(), good.len()), (2, 1));
    assert_eq!(good[0].destination.as_bytes(), client().destination);
}

#[test]
fn another_hello_with_a_token_is_another_connection() {
    let (message, raw) = small();
    let hello = chromium();
    let next = Client { token: vec![3; 40], ..client().renamed(&[9; 8]) };
    let datagrams = [client().says_all(&hello.message), next.says_all(&message)].concat();
    let outcomes = run(&datagrams);
    assert_eq!((outcomes.len(), verdict(&outcomes)), (2, Ok(raw.clone())));
    assert!(outcomes.iter().all(|outcome| outcome.result.is_ok()));
}

#[test]
fn one_flow_has_several_connections_at_a_time() {
    let hello = chromium();
    let clients = [1, 2, 3].map(|name| client().renamed(&[name; 8]));
    let parts: Vec<Vec<Datagram>> = clients.iter().map(|c| c.says_all(&hello.message)).collect();
    let firsts = parts.iter().map(|datagrams| datagrams[0].clone());
    let seconds = parts.iter().map(|datagrams| datagrams[1].clone());
    let outcomes = run(&firsts.chain(seconds).collect::<Vec<_>>());
    assert_eq!(outcomes.len(), 3);
    assert!(outcomes.iter().all(|outcome| outcome.result.is_ok() && outcome.datagrams == 2));
}

#[test]
fn a_repetition_says_nothing_and_a_late_conflict_takes_the_fingerprint_back() {
    let (message, _) = small();
    let first = client().says(0, &crypto(0, &message));
    assert_eq!(run(&[first.clone(), first.clone()]).len(), 1);
    let mut other = message.to_vec();
    other[60] ^= 1;
    let outcomes = run(&[first, client().says(1, &crypto(0, &other))]);
    assert_eq!((outcomes.len(), verdict(&outcomes)), (2, Err(Cause::Conflict)));
    assert_eq!(outcomes[0].connection, outcomes[1].connection);
}

#[test]
fn a_second_hello_after_the_first_is_left_alone() {
    let (message, raw) = small();
    let both = [&message[..], &[1, 0, 0, 90], &[3; 90]].concat();
    let outcomes = run(&[
        client().says(0, &crypto(0, &both[..message.len()])),
        client().says(1, &crypto(message.len(), &both[message.len()..])),
    ]);
    assert_eq!((outcomes.len(), verdict(&outcomes)), (1, Ok(raw.clone())));
    assert_eq!(verdict(&run(&client().says_all(&both))), Ok(raw.clone()));
}
