//! What happens at each bound, and what is no hello.

use super::hello::{chromium, over_quic};
use super::wire::crypto;
use super::*;

fn client() -> Client {
    Client::new(Version::V1)
}

/// A client of its own.
fn another(number: u32) -> Client {
    let [.., a, b, c, d] = number.to_be_bytes();
    client().renamed(&[a, b, c, d, 1, 2, 3, 4])
}

/// A message of that length, all in all.
fn message(len: usize) -> Vec<u8> {
    let body = u32::try_from(len - 4).unwrap().to_be_bytes();
    let mut message = vec![1, body[1], body[2], body[3]];
    message.resize(len, 3);
    message
}

#[test]
fn bytes_behind_a_hole_are_a_gap() {
    let message = chromium().message;
    let rest = client().says(0, &crypto(100, &message[100..1100]));
    assert_eq!(verdict(&run(&[rest])), Err(Cause::Gap));
    let start = client().says(0, &crypto(0, &message[..100]));
    assert_eq!(verdict(&run(&[start])), Err(Cause::TimedOut));
}

#[test]
fn a_hello_times_out_and_what_still_comes_is_swallowed() {
    let datagrams = client().says_all(&chromium().message);
    let mut assembler = Assembler::new();
    assembler.handle_datagram(&datagrams[0]);
    assembler.expire(TIMEOUT_NS - 1);
    assert!(told(&mut assembler).is_empty());
    assembler.expire(TIMEOUT_NS);
    assert_eq!(verdict(&told(&mut assembler)), Err(Cause::TimedOut));
    assembler.handle_datagram(&datagrams[0]);
    assembler.handle_datagram(&datagrams[1]);
    assembler.finish();
    assert!(told(&mut assembler).is_empty());
    assembler.expire(TIMEOUT_NS + LINGER_NS);
    for datagram in &datagrams {
        assembler.handle_datagram(datagram);
    }
    assert!(verdict(&told(&mut assembler)).is_ok(), "forgotten, and told again");
}

#[test]
fn a_full_table_gives_up_the_oldest() {
    let mut assembler = Assembler::new();
    for number in 0..=u32::try_from(MAX_PENDING).unwrap() {
        let port = u16::try_from(number % 50_000).unwrap();
        let client = Client { port, ..another(number) };
        assembler.handle_datagram(&client.says(0, &crypto(0, &message(900)[..100])));
    }
    let outcomes = told(&mut assembler);
    assert_eq!((outcomes.len(), verdict(&outcomes)), (1, Err(Cause::TableFull)));
    assert_eq!((outcomes[0].connection, outcomes[0].flow.source.port()), (1, 0));
}

#[test]
fn a_flow_that_opens_too_many_pays_alone() {
    let mut assembler = Assembler::new();
    let neighbour = Client { port: 9, ..client() };
    assembler.handle_datagram(&neighbour.says(0, &crypto(0, &[1])));
    for number in 0..10 {
        assembler.handle_datagram(&another(number).says(0, &crypto(0, &[1])));
    }
    let outcomes = told(&mut assembler);
    let numbers: Vec<u64> = outcomes.iter().map(|outcome| outcome.connection).collect();
    assert_eq!((numbers, verdict(&outcomes)), (vec![2, 3], Err(Cause::TableFull)));
}

#[test]
fn bytes_that_are_held_have_a_bound() {
    let mut assembler = Assembler::new();
    let filler = crypto(1, &message(15_000));
    let needed = u32::try_from(MAX_HELD_BYTES / 15_000 + 2).unwrap();
    for number in 0..needed {
        let client = Client { port: u16::try_from(number).unwrap(), ..client() };
        assembler.handle_datagram(&client.says(0, &filler));
    }
    let outcomes = told(&mut assembler);
    assert!((1..4).contains(&outcomes.len()), "{}", outcomes.len());
    assert_eq!(verdict(&outcomes), Err(Cause::TableFull));
}

#[test]
fn sixteen_kibibytes_are_the_most() {
    let fits = |len: usize| {
        let message = message(len);
        let parts = message.chunks(9000).enumerate();
        let datagrams: Vec<Datagram> = parts
            .map(|(at, part)| client().says(u32::try_from(at).unwrap(), &crypto(at * 9000, part)))
            .collect();
        run(&datagrams)
    };
    // It is whole and holds no hello.
    assert_eq!(verdict(&fits(MAX_MESSAGE_BYTES)), Err(Cause::Malformed));
    assert_eq!(verdict(&fits(MAX_MESSAGE_BYTES + 1)), Err(Cause::TooLong));
}

#[test]
fn too_many_packets_or_frames_have_a_cause() {
    let hello = chromium();
    let raw = over_quic(&hello.ja4_r());
    let in_packets = |count: usize| {
        let len = hello.message.len().div_ceil(count);
        let parts = hello.message.chunks(len).enumerate();
        let says = |(at, part)| client().says(u32::try_from(at).unwrap(), &crypto(at * len, part));
        run(&parts.map(says).collect::<Vec<_>>())
    };
    assert_eq!(verdict(&in_packets(60)), Ok(raw.clone()));
    assert_eq!(verdict(&in_packets(70)), Err(Cause::TooManySegments));
    let in_frames = |len: usize| {
        let parts = hello.message.chunks(len).enumerate();
        let frames: Vec<u8> = parts.flat_map(|(at, part)| crypto(at * len, part)).collect();
        run(&[client().says(0, &frames)])
    };
    assert_eq!(verdict(&in_frames(4)), Ok(raw.clone()));
    assert_eq!(verdict(&in_frames(2)), Err(Cause::TooManySegments));
}

#[test]
fn packets_behind_a_hello_are_looked_at_so_often_only() {
    let message = chromium().message;
    let mut assembler = Assembler::new();
    for datagram in client().says_all(&message) {
        assembler.handle_datagram(&datagram);
    }
    for number in 2..200 {
        assembler.handle_datagram(&client().says(number, &[1]));
    }
    let foreign = assembler.counts().foreign;
    assert_eq!(foreign, 200 - u64::from(MAX_PACKETS) - 1);
    assert_eq!(told(&mut assembler).len(), 1);
}

#[test]
fn a_datagram_of_many_packets_is_read_in_part() {
    let packets: Vec<u8> = (0..40).flat_map(|number| client().initial(number, &[1], 0)).collect();
    let mut assembler = Assembler::new();
    assembler.handle_datagram(&client().datagram(packets));
    let most = u64::try_from(MAX_OPENED).unwrap();
    assert_eq!(assembler.counts(), Counts { initials: most, foreign: most });
}

#[test]
fn what_no_client_may_say_is_malformed() {
    let hello = chromium().message;
    let frames = [crypto(0, &hello[..900]), vec![0x08, 0, 0]].concat();
    assert_eq!(verdict(&run(&[client().says(0, &frames)])), Err(Cause::Malformed));
    let finished = client().says(0, &crypto(0, &[20, 0, 0, 2, 1, 1]));
    assert_eq!(verdict(&run(&[finished])), Err(Cause::Malformed));
}

#[test]
fn a_packet_without_any_of_a_hello_takes_no_place() {
    for frames in [&[1][..], &[0; 9], &[2, 0, 0, 0, 0], &[0x1c, 0, 0, 0], &[6, 9, 0], &[0xff]] {
        assert!(run(&[client().says(0, frames)]).is_empty());
    }
}
