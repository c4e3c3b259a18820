//! The fingerprint that the kernel makes in steps is the one that is made here at once.

use super::*;
use filter_common::abi::hello::{COPY_LEN, HELLO_WINDOW};
use filter_common::abi::rule::Parts;
use filter_common::hello::RECORD_HEADER_LEN;
use filter_common::ja4::{self, Fault, Loop, Memo, Step, Work};
use proptest::collection::vec;

struct Plain;

impl Loop for Plain {
    fn repeat<S: Step>(&self, times: u32, step: &mut S) {
        let _ = (0..times).find(|index| step.step(*index));
    }
}

impl Memo for Plain {
    fn secret(&self) -> u64 {
        7
    }

    fn recall(&self, _name: u64, _parts: &mut Parts) -> bool {
        false
    }

    fn remember(&self, _name: u64, _parts: &Parts) {}
}

/// An extension's type and data, of those that are looked into and of others.
fn extension() -> impl Strategy<Value = (u16, Vec<u8>)> {
    let pair = |value: u16| value.to_be_bytes();
    let numbers = vec(prop_oneof![any::<u16>(), Just(0x1a1a), 0x0300_u16..0x0306], 0..12);
    let long = |values: Vec<u16>| {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
        (u16::try_from(bytes.len()).unwrap(), bytes)
    };
    prop_oneof![
        (any::<u16>(), vec(any::<u8>(), 0..20)),
        Just((0, b"\0\x0c\0\0\x09a.example".to_vec())),
        (prop_oneof![Just(10_u16), Just(13)], numbers.clone()).prop_map(move |(kind, values)| {
            let (len, bytes) = long(values);
            (kind, [&pair(len)[..], &bytes].concat())
        }),
        numbers.prop_map(move |values| {
            let (len, bytes) = long(values);
            (43, [&[len.to_be_bytes()[1]][..], &bytes].concat())
        }),
        (vec(any::<u8>(), 0..6), vec(any::<u8>(), 0..6)).prop_map(move |(name, more)| {
            let mut list = vec![u8::try_from(name.len()).unwrap()];
            list.extend([name, more].concat());
            (16, [&pair(u16::try_from(list.len()).unwrap())[..], &list].concat())
        }),
        Just((16, vec![0, 3, 2, b'h', b'2'])),
    ]
}

fn message(version: u16, ciphers: &[u16], extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend([9; 32]);
    body.extend([3, 1, 2, 3]);
    body.extend(u16::try_from(2 * ciphers.len()).unwrap().to_be_bytes());
    body.extend(ciphers.iter().flat_map(|cipher| cipher.to_be_bytes()));
    body.extend([1, 0]);
    let mut all = Vec::new();
    for (kind, data) in extensions {
        all.extend(kind.to_be_bytes());
        all.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        all.extend(data);
    }
    body.extend(u16::try_from(all.len()).unwrap().to_be_bytes());
    body.extend(all);
    let len = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[1, len[1], len[2], len[3]], &body[..]].concat()
}

#[expect(clippy::large_stack_arrays, reason = "it goes into its box at once")]
/// What the steps make of a message; `None` if they find it malformed.
fn in_steps(message: &[u8]) -> Option<String> {
    let mut work = Box::new(Work::default());
    // What an earlier message left there must not matter.
    let mut stream = Box::new([0x5a; (HELLO_WINDOW + COPY_LEN) as usize]);
    let start = RECORD_HEADER_LEN as usize;
    let held = &message[..message.len().min(HELLO_WINDOW as usize - start)];
    stream[start..start + held.len()].copy_from_slice(held);
    let end = u32::try_from(start + held.len()).unwrap();
    match ja4::fingerprint(&stream, end, &mut work, &Plain) {
        Ok(()) => Some(work.ja4.map(char::from).iter().collect()),
        Err(Fault::Malformed) => None,
        Err(Fault::TooMany) => panic!("there is room for what is tried"),
    }
}

fn at_once(message: &[u8]) -> Option<String> {
    Fingerprint::of(message).ok().map(|fingerprint| fingerprint.ja4.as_str().to_owned())
}

fn messages() -> impl Strategy<Value = Vec<u8>> {
    let cipher = prop_oneof![any::<u16>(), Just(0x2a2a_u16), 0x1301_u16..0x1305];
    let version = prop_oneof![Just(0x0303_u16), any::<u16>()];
    (version, vec(cipher, 0..120), vec(extension(), 0..60))
        .prop_map(|(version, ciphers, extensions)| message(version, &ciphers, &extensions))
}

proptest! {
    #[test]
    fn steps_and_the_whole_agree_on_hellos(message in messages()) {
        prop_assert_eq!(in_steps(&message), at_once(&message));
    }

    #[test]
    fn they_agree_on_hellos_that_were_tampered_with(
        message in messages(), changes in vec((any::<Index>(), any::<u8>()), 1..4),
        cut in any::<Index>(),
    ) {
        let mut message = message;
        for (at, value) in changes {
            let at = at.index(message.len());
            message[at] = value;
        }
        prop_assert_eq!(in_steps(&message), at_once(&message));
        message.truncate(cut.index(message.len()));
        prop_assert_eq!(in_steps(&message), at_once(&message));
    }
}
