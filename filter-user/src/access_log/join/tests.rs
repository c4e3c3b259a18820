//! Requests and hellos, in time.

mod truth;

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

fn told(join: &mut Join, request: Request) -> Option<Matched> {
    join.handle_request(0, request).hello
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
fn a_port_that_is_used_again_is_another_connection() {
    let mut join = join();
    join.handle_hello(hello(2, 4000, 0, NOW - 60_000));
    join.handle_hello(hello(2, 4000, 1, NOW));
    assert_eq!(told(&mut join, request(2, 4000, NOW - 50_000)), None, "it was the first one's");
    assert_eq!(told(&mut join, request(2, 4000, NOW - 999)), None, "nobody knows whose it was");
    let matched = told(&mut join, request(2, 4000, NOW));
    assert_eq!(kind(matched), Some((JA4[1].into(), By::Port, 1)));
    assert_eq!(told(&mut join, request(2, 4000, NOW + REST_MS + 1)), None);
}

#[test]
fn a_log_of_whole_seconds_seems_to_be_earlier_than_the_hello() {
    let mut join = join();
    join.handle_hello(hello(2, 4000, 1, NOW));
    let matched = told(&mut join, request(2, 4000, NOW - 999));
    assert_eq!(kind(matched), Some((JA4[1].into(), By::Port, 1)));
}

#[test]
fn one_port_of_a_client_towards_two_addresses_of_the_server_names_neither() {
    let mut join = join();
    join.handle_hello(hello(2, 4000, 0, NOW));
    let server = ([192, 0, 2, 9], 443).into();
    join.handle_hello(Hello { server, ..hello(2, 4000, 1, NOW + 1000) });
    assert_eq!(told(&mut join, request(2, 4000, NOW + 2000)), None);
    assert_eq!(join.counts().ambiguous, 1);
    // As long as the name is in use, either may be.
    assert_eq!(told(&mut join, request(2, 4000, NOW + REST_MS)), None);
    assert_eq!(told(&mut join, request(2, 4000, NOW + REST_MS + 3000)), None);
    join.handle_hello(Hello { server, ..hello(2, 4000, 1, NOW + 3 * REST_MS) });
    let matched = told(&mut join, request(2, 4000, NOW + 3 * REST_MS));
    assert_eq!(kind(matched), Some((JA4[1].into(), By::Port, 1)));
}

#[test]
fn one_port_of_a_client_towards_two_ports_of_a_log_names_neither() {
    let ports = [443, 8443].map(|port| NonZeroU16::new(port).unwrap());
    let mut join = Join::new(vec![ports.to_vec(), vec![ports[1]]]);
    join.handle_hello(hello(2, 4000, 0, NOW));
    let server = ([192, 0, 2, 1], 8443).into();
    join.handle_hello(Hello { server, ..hello(2, 4000, 1, NOW) });
    assert_eq!(told(&mut join, request(2, 4000, NOW + 1000)), None);
    assert_eq!(join.counts().ambiguous, 1);
    let joined = join.handle_request(1, request(2, 4000, NOW + 1000));
    assert_eq!(kind(joined.hello).map(|(ja4, ..)| ja4), Some(JA4[1].into()), "the log has one");
}

#[test]
fn a_hello_that_is_not_proven_ends_what_its_name_stood_for() {
    let mut join = join();
    let said = hello(2, 4000, 0, NOW);
    join.handle_hello(said);
    join.handle_unproven(said.client, said.server, NOW + 1000);
    assert_eq!(told(&mut join, request(2, 4000, NOW + 2000)), None);
    assert_eq!(told(&mut join, request(2, 0, NOW + 2000)), None, "it may be of the unknown one");
    assert_eq!(join.counts().connections, 0);
}

#[test]
fn a_hello_that_is_lost_takes_the_place_of_the_former_one() {
    let mut join = join();
    join.handle_hello(hello(2, 4000, 0, NOW));
    let fingerprint = Err(Cause::TableFull);
    join.handle_hello(Hello { fingerprint, ..hello(2, 4000, 0, NOW + 1000) });
    let matched = told(&mut join, request(2, 4000, NOW + 2000)).unwrap();
    assert_eq!(matched.hello.fingerprint, fingerprint);
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
    assert_eq!(join.counts().ambiguous, 1);
    assert_eq!(told(&mut join, request(2, 0, NOW - 10_000)), None, "no hello had come");
}

#[test]
fn without_a_port_a_kept_connection_of_another_kind_is_not_forgotten() {
    let mut join = join();
    join.handle_hello(hello(2, 4000, 0, NOW));
    join.handle_hello(hello(2, 4001, 1, NOW + 200_000));
    assert_eq!(told(&mut join, request(2, 0, NOW + 200_000)), None, "the first may still be used");
    // It was perhaps used by that request, so its hour begins anew.
    assert_eq!(told(&mut join, request(2, 0, NOW + REST_MS + 100_000)), None);
    let later = NOW + 2 * REST_MS + 100_001;
    join.handle_hello(hello(2, 4002, 1, later));
    assert_eq!(kind(told(&mut join, request(2, 0, later))), Some((JA4[1].into(), By::Time, 0)));
    // A line that is read late is of a time of which not all is known any more.
    assert_eq!(told(&mut join, request(2, 0, NOW + 200_000)), None);
}

#[test]
fn without_a_port_a_kind_that_had_to_make_room_may_still_be_used() {
    let mut join = join();
    for kind in 0..10 {
        let ja4 = JA4[0].replace("1516", &format!("151{kind}"));
        let fingerprint = Ok(ja4.parse().unwrap());
        join.handle_hello(Hello { fingerprint, ..hello(2, 4000, 0, NOW + kind) });
    }
    let used = NOW + REST_MS;
    assert_eq!(told(&mut join, request(2, 0, used)), None);
    join.handle_hello(hello(2, 4000, 1, used + 2));
    assert_eq!(told(&mut join, request(2, 0, used + 2)), None);
    join.handle_hello(hello(2, 4000, 1, used + 2 * REST_MS));
    assert!(told(&mut join, request(2, 0, used + 2 * REST_MS)).is_some());
}

#[test]
fn without_a_port_an_address_that_had_to_make_room_is_not_taken_for_a_new_one() {
    let mut join = join();
    join.handle_hello(hello(2, 4000, 0, NOW));
    for number in 0..MAX_CLIENTS {
        let [_, _, high, low] = u32::try_from(number).unwrap().to_be_bytes();
        let client = ([10, 0, high, low], 4000).into();
        join.handle_hello(Hello { client, ..hello(2, 4000, 0, NOW) });
    }
    join.handle_hello(hello(2, 4001, 1, NOW + 1000));
    assert_eq!(told(&mut join, request(2, 0, NOW + 1000)), None, "the first may still be used");
    let later = NOW + 1000 + 2 * REST_MS;
    join.handle_hello(hello(2, 4001, 1, later));
    assert!(told(&mut join, request(2, 0, later)).is_some());
}

#[test]
fn a_port_that_does_not_fit_is_not_made_good_by_the_time() {
    let mut join = join();
    join.handle_hello(hello(2, 4000, 0, NOW));
    assert_eq!(told(&mut join, request(2, 4001, NOW)), None);
}

#[test]
fn a_request_over_quic_has_no_hello() {
    let mut join = join();
    join.handle_hello(hello(2, 4000, 0, NOW));
    let over_quic = Request { over_quic: true, ..request(2, 4000, NOW) };
    assert_eq!(told(&mut join, over_quic), None);
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
}

proptest! {
    #[test]
    fn a_request_with_a_port_has_the_hello_of_its_own_connection_or_none(
        steps in proptest::collection::vec((any::<bool>(), 2..4_u8, 0..3_u16, 0..2_usize, 0..5000_u64), 0..60),
    ) {
        let mut join = join();
        let mut now = NOW;
        for (is_hello, host, port, kind, later_ms) in steps {
            now += later_ms;
            if is_hello {
                join.handle_hello(hello(host, 4000 + port, kind, now));
            } else if let Some(matched) = told(&mut join, request(host, 4000 + port, now)) {
                prop_assert_eq!(matched.hello.client, ([192, 0, 2, host], 4000 + port).into());
            }
        }
    }
}
