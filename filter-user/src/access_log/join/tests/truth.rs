//! Clients that do what clients may do: a request is joined with its own hello, or with none.

use super::*;

/// A connection that is open, as the server sees it.
struct Open {
    hello: Hello,
    used_unix_ms: u64,
}

const KINDS: usize = 6;

/// One address with many hellos, of which the join is told, and requests on any connection that
/// hasn't rested for too long.
fn is_never_wrong(steps: &[(usize, u16, u8, u64)], with_port: bool) -> Result<(), TestCaseError> {
    let (mut join, mut open, mut now) = (join(), Vec::<Open>::new(), NOW);
    for &(what, port, server, later_ms) in steps {
        now += later_ms;
        open.retain(|open| open.used_unix_ms + REST_MS > now);
        if what < KINDS {
            let hello = said(what, 4000 + port, server, now);
            // The same four again: the earlier connection is over.
            let flow = (hello.client, hello.server);
            open.retain(|open| (open.hello.client, open.hello.server) != flow);
            open.push(Open { hello, used_unix_ms: now });
            join.handle_hello(hello);
        } else if let Some(at) = what.checked_rem(open.len()) {
            let open = &mut open[at];
            open.used_unix_ms = now;
            let port = if with_port { open.hello.client.port() } else { 0 };
            if let Some(matched) = told(&mut join, request(2, port, now)) {
                prop_assert_eq!(matched.hello.fingerprint, open.hello.fingerprint);
            }
        }
    }
    Ok(())
}

fn said(kind: usize, port: u16, server: u8, now: u64) -> Hello {
    let ja4 = JA4[0].replace("1516", &format!("151{kind}"));
    let server = ([192, 0, 2, server], 443).into();
    Hello { server, fingerprint: Ok(ja4.parse().unwrap()), ..hello(2, port, 0, now) }
}

fn steps() -> impl Strategy<Value = Vec<(usize, u16, u8, u64)>> {
    let later_ms = prop_oneof![1..2000_u64, 1..REST_MS, REST_MS..2 * REST_MS];
    proptest::collection::vec((0..20_usize, 0..2_u16, 1..3_u8, later_ms), 0..80)
}

proptest! {
    #[test]
    fn a_request_with_a_port_is_never_joined_with_the_hello_of_another(steps in steps()) {
        is_never_wrong(&steps, true)?;
    }

    #[test]
    fn a_request_without_a_port_is_never_joined_with_a_hello_of_another_kind(steps in steps()) {
        is_never_wrong(&steps, false)?;
    }
}
