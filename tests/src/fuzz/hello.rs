//! ClientHello messages, well made and then spoilt.

use super::Target;
use anyhow::{Result, ensure};
use filter_common::wire::client_hello::{ClientHello, HelloError, Span, parse};
use filter_common::wire::cursor::SliceCursor;
use rand::Rng;
use rand::rngs::StdRng;

/// The parser, which keeps nothing.
pub(super) struct Parser;

impl Target for Parser {
    fn input(&mut self, rng: &mut StdRng) -> Vec<u8> {
        let mut message = hello(rng);
        for _ in 0..rng.random_range(0..5) {
            let at = rng.random_range(0..message.len());
            message[at] = rng.random();
        }
        if rng.random_ratio(1, 4) {
            message.truncate(rng.random_range(0..message.len()));
        }
        message
    }

    fn check(&mut self, input: &[u8]) -> Result<()> {
        let Ok(found) = parse(SliceCursor::new(input)) else {
            return Ok(());
        };
        let end = end_of(input);
        let inside = |span: &Span| usize::try_from(span.start + span.len).is_ok_and(|to| to <= end);
        ensure!(spans(&found).all(|span| inside(&span)), "a part lies outside: {found:?}");
        for len in [end - 1, end / 2, end.saturating_sub(40), 0] {
            let prefix = parse(SliceCursor::new(&input[..len]));
            ensure!(prefix == Err(HelloError::Truncated), "{len} of {end} bytes: {prefix:?}");
        }
        Ok(())
    }
}

/// The end of the message that its header claims.
fn end_of(message: &[u8]) -> usize {
    let len = message.iter().skip(1).take(3).fold(0, |len, byte| len << 8 | usize::from(*byte));
    4 + len
}

fn spans(hello: &ClientHello) -> impl Iterator<Item = Span> {
    let ClientHello { server_name, groups, point_formats, .. } = *hello;
    let rest = [hello.signature_algorithms, hello.alpn, hello.versions, hello.extensions];
    let named = [server_name, groups, point_formats].into_iter().chain(rest).flatten();
    named.chain([hello.ciphers])
}

/// A message whose lengths nest.
pub(super) fn hello(rng: &mut StdRng) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    push_list(&mut body, 1, rng.random_range(0..33), rng);
    let ciphers = rng.random_range(0..40) * 2;
    push_list(&mut body, 2, ciphers, rng);
    push_list(&mut body, 1, 1, rng);
    if rng.random_ratio(9, 10) {
        let mut extensions = Vec::new();
        for _ in 0..rng.random_range(0..20) {
            extensions.extend([0, *pick(&KINDS, rng)]);
            push_list(&mut extensions, 2, rng.random_range(0..30), rng);
        }
        body.extend(u16::try_from(extensions.len()).unwrap_or(0).to_be_bytes());
        body.extend(extensions);
    }
    let mut message = vec![1, 0];
    message.extend(u16::try_from(body.len()).unwrap_or(0).to_be_bytes());
    message.extend(body);
    message
}

const KINDS: [u8; 8] = [0, 10, 11, 13, 16, 43, 51, 0x0a];

fn pick<'a, T>(from: &'a [T], rng: &mut StdRng) -> &'a T {
    &from[rng.random_range(0..from.len())]
}

/// A length in one or two bytes, and as many bytes.
fn push_list(to: &mut Vec<u8>, width: usize, len: u8, rng: &mut StdRng) {
    to.extend(&u16::from(len).to_be_bytes()[2 - width..]);
    to.extend((0..len).map(|_| rng.random::<u8>()));
}
