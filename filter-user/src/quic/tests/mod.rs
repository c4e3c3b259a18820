mod bounds;
mod garbage;
mod hello;
mod route;
mod vector;
mod wire;

use super::*;
use crate::fingerprint::Cause;
use wire::Client;

fn told(assembler: &mut Assembler) -> Vec<Outcome> {
    std::iter::from_fn(|| assembler.poll_outcome()).collect()
}

/// Everything that comes of datagrams and their end.
fn run(datagrams: &[Datagram]) -> Vec<Outcome> {
    let mut assembler = Assembler::new();
    for datagram in datagrams {
        assembler.handle_datagram(datagram);
    }
    assembler.finish();
    told(&mut assembler)
}

/// What it ended as: JA4 before hashing, or the cause.
fn verdict(outcomes: &[Outcome]) -> Result<String, Cause> {
    match &outcomes.last().unwrap().result {
        Ok(hello) => Ok(hello.ja4_r()),
        Err(cause) => Err(*cause),
    }
}
