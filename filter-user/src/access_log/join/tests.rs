//! Requests and hellos, in time.

use super::*;
use crate::access_log::Header;
use proptest::prelude::*;

const JA4: [&str; 2] =
    ["t13d1516h2_8daaf6152771_e5627efa2ab1", "t13d1715h2_5b57614c22b0_3d5424432f57"];
const NOW: u64 = 1_800_000_000_000;

fn join() -> Join {
    Join::new(vec![vec![NonZeroU16::new(443).unwrap()]])
}

fn hello(host: u8, port: u16, kind: usize, time_unix_ms: u64) -> Hello {
    Hello {
        client: ([192, 0, 2, host], port).into(),
        server: ([192, 0, 2, 1], 443).into(),
        time_unix_ms,
        fingerprint: Ok(JA4[kind].parse().unwrap()),
        wire: 7,
    }
}

fn request(host: u8, port: u16, time_unix_ms: u64) -> Request {
    Request {
        user_agent: Header::Sent("curl".into()),
        ..Request::new(time_unix_ms, [192, 0, 2, host].into(), NonZeroU16::new(port))
    }
}

/// What became of a request, after all patience.
fn told(join: &mut Join, request: Request) -> Option<Matched> {
    join.handle_request(0, request, NOW);
    let joined = join.poll(NOW + PATIENCE_MS).unwrap();
    assert!(join.poll(NOW + PATIENCE_MS).is_none());
    joined.hello
}

fn kind(matched: Option<Matched>) -> Option<(String, By, u32)> {
    let Matched { hello, by, requests } = matched?;
    Some((hello.fingerprint.unwrap().to_string(), by, requests))
}

#[test]
fn a_connection_brings_many_requests() {
    let mut join = join();
    join.handle_hello(hello(2, 4000, 0, NOW));
    join.handle_hello(hello(2, 4001, 1, NOW));
    for nth in 1..=3 {
        let matched = told(&mut join, request(2, 4000, NOW + u64::from(nth)));
        assert_eq!(kind(matched), Some((JA4[0].into(), By::Port, nth)));
    }
    assert_eq!(told(&mut join, request(2, 4002, NOW)), None);
    assert_eq!(told(&mut join, request(3, 4000, NOW)), None);
}

#[test]
fn a_request_that_comes_before_its_hello_waits_for_it() {
    let mut join = join();
    join.handle_request(0, request(2, 4000, NOW), NOW);
    assert!(join.poll(NOW + PATIENCE_MS - 1).is_none());
    join.handle_hello(hello(2, 4000, 0, NOW));
    let joined = join.poll(NOW + PATIENCE_MS).unwrap();
    assert!(joined.hello.is_some());
}

#[test]
fn a_clock_that_is_set_back_keeps_nobody_waiting() {
    let mut join = join();
    join.handle_request(0, request(2, 4000, NOW), NOW);
    assert!(join.poll(NOW - 10_000).is_some());
}

#[test]
fn a_port_that_is_used_again_is_another_connection() {
    let mut join = join();
    join.handle_hello(hello(2, 4000, 0, NOW - 60_000));
    join.handle_hello(hello(2, 4000, 1, NOW));
    assert_eq!(told(&mut join, request(2, 4000, NOW - 50_000)), None, "it was the first one's");
    // The log has whole seconds.
    let matched = told(&mut join, request(2, 4000, NOW - 999));
    assert_eq!(kind(matched), Some((JA4[1].into(), By::Port, 1)));
    assert_eq!(told(&mut join, request(2, 4000, NOW + REST_MS + 1)), None);
}

#[test]
fn without_a_port_all_hellos_of_that_time_have_to_look_alike() {
    let mut join = join();
    join.handle_hello(hello(2, 4000, 0, NOW));
    join.handle_hello(hello(2, 4001, 0, NOW + 1000));
    let matched = told(&mut join, request(2, 0, NOW + 2000));
    assert_eq!(kind(matched), Some((JA4[0].into(), By::Time, 0)));
    join.handle_hello(hello(2, 4002, 1, NOW + 3000));
    assert_eq!(told(&mut join, request(2, 0, NOW + 3000)), None);
    assert!(join.counts().ambiguous > 0);
    // Long after, only one of them has spoken again.
    join.handle_hello(hello(2, 4003, 1, NOW + 200_000));
    let matched = told(&mut join, request(2, 0, NOW + 200_000));
    assert_eq!(kind(matched), Some((JA4[1].into(), By::Time, 0)));
    assert_eq!(told(&mut join, request(2, 0, NOW - 10_000)), None, "no hello had come");
}

#[test]
fn a_port_that_does_not_fit_is_not_made_good_by_the_time() {
    let mut join = join();
    join.handle_hello(hello(2, 4000, 0, NOW));
    assert_eq!(told(&mut join, request(2, 4001, NOW)), None);
}

#[test]
fn a_request_over_quic_has_no_hello_and_does_not_wait_for_one() {
    let mut join = join();
    join.handle_hello(hello(2, 4000, 0, NOW));
    join.handle_request(0, Request { over_quic: true, ..request(2, 4000, NOW) }, NOW);
    assert_eq!(join.poll(NOW).map(|joined| joined.hello), Some(None));
}

#[test]
fn a_hello_to_another_service_is_not_remembered() {
    let mut join = join();
    let other = ([192, 0, 2, 1], 8443).into();
    join.handle_hello(Hello { server: other, ..hello(2, 4000, 0, NOW) });
    assert_eq!(join.counts().connections, 0);
    assert_eq!(join.logs_of(443).collect::<Vec<_>>(), [0]);
}

#[test]
fn what_is_remembered_is_bounded_and_counted() {
    let mut join = join();
    for number in 0..MAX_CONNECTIONS + 10 {
        let [_, _, high, low] = u32::try_from(number).unwrap().to_be_bytes();
        let client = ([10, 0, high, low], if number >= 65_536 { 1 } else { 2 }).into();
        join.handle_hello(Hello { client, ..hello(2, 4000, 0, NOW) });
    }
    let counts = join.counts();
    assert_eq!((counts.connections, counts.forgotten), (MAX_CONNECTIONS, 10));
    assert_eq!(join.clients.len(), MAX_CLIENTS);
    for _ in 0..MAX_WAITING + 5 {
        join.handle_request(0, request(9, 1, NOW), NOW);
    }
    assert_eq!((join.counts().waiting, join.counts().hurried), (MAX_WAITING, 5));
    assert_eq!(std::iter::from_fn(|| join.poll(NOW)).count(), 5);
    assert_eq!(std::iter::from_fn(|| join.poll(NOW + PATIENCE_MS)).count(), MAX_WAITING);
}

proptest! {
    #[test]
    fn each_request_comes_out_once_and_by_port_only_with_its_own_connection(
        steps in proptest::collection::vec((any::<bool>(), 2..4_u8, 0..3_u16, 0..2_usize, 0..5000_u64), 0..60),
    ) {
        let mut join = join();
        let (mut now, mut given, mut taken) = (NOW, 0, 0);
        for (is_hello, host, port, kind, later_ms) in steps {
            now += later_ms;
            if is_hello {
                join.handle_hello(hello(host, 4000 + port, kind, now));
            } else {
                join.handle_request(0, request(host, 4000 + port, now), now);
                given += 1;
            }
            while let Some(joined) = join.poll(now) {
                taken += 1;
                if let Some(matched) = joined.hello {
                    prop_assert_eq!(matched.hello.client.ip(), joined.request.address);
                    prop_assert_eq!(matched.hello.client.port(), joined.request.port.unwrap().get());
                }
            }
        }
        taken += std::iter::from_fn(|| join.poll(now + PATIENCE_MS)).count();
        prop_assert_eq!(taken, given);
    }
}
