use super::*;
use crate::abi::hello::{COPY_LEN, HELLO_WINDOW};

/// Takes steps as a host does.
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

/// A hello with so many ciphers and extensions, which descend.
fn hello(ciphers: u16, extensions: u16) -> std::vec::Vec<u8> {
    let mut body = std::vec![3, 3];
    body.extend([9; 32]);
    body.push(0);
    body.extend((2 * ciphers).to_be_bytes());
    (0..ciphers).rev().for_each(|cipher| body.extend((cipher * 5).to_be_bytes()));
    body.extend([1, 0]);
    body.extend((4 * extensions).to_be_bytes());
    (0..extensions).rev().for_each(|kind| {
        body.extend((kind * 3 + 50).to_be_bytes());
        body.extend([0, 0]);
    });
    let mut message = std::vec![1, 0];
    message.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    message.extend(body);
    message
}

#[expect(clippy::large_stack_arrays, reason = "it goes into its box at once")]
fn stream() -> std::boxed::Box<StreamBytes> {
    std::boxed::Box::new([0; (HELLO_WINDOW + COPY_LEN) as usize])
}

fn fingerprinted(message: &[u8]) -> Result<std::string::String, Fault> {
    let mut work = std::boxed::Box::new(Work::default());
    let mut stream = stream();
    stream[5..5 + message.len()].copy_from_slice(message);
    fingerprint(&stream, u32::try_from(5 + message.len()).unwrap(), &mut work, &Plain)?;
    Ok(work.ja4.map(char::from).iter().collect())
}

#[test]
fn as_many_as_there_is_room_for_and_no_more() {
    assert!(fingerprinted(&hello(256, 256)).is_ok());
    assert!(fingerprinted(&hello(510, 2)).is_ok());
    assert_eq!(fingerprinted(&hello(513, 0)), Err(Fault::TooMany));
    assert_eq!(fingerprinted(&hello(256, 257)), Err(Fault::TooMany));
}

#[test]
fn a_cut_hello_is_none() {
    let whole = hello(20, 9);
    for len in 0..whole.len() {
        assert_eq!(fingerprinted(&whole[..len]), Err(Fault::Malformed), "{len} bytes");
    }
}
