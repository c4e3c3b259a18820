//! Stacks by what their sources write.

use super::*;
use crate::classify::sample;

fn placed(shape: &Shape) -> Option<Stack> {
    Stack::place(shape).map(|(stack, _)| stack)
}

fn extensions(extensions: &[u16]) -> Shape {
    let versions = if extensions.contains(&43) { vec![0x0304] } else { Vec::new() };
    Shape { extensions: extensions.to_vec(), versions, ..Shape::default() }
}

fn signatures(signatures: &[u16]) -> Shape {
    Shape { signatures: signatures.to_vec(), ..extensions(&[0, 10, 13, 43]) }
}

fn ciphers(ciphers: &[u16]) -> Shape {
    Shape { ciphers: ciphers.to_vec(), ..extensions(&[0, 10, 13, 43]) }
}

#[test]
fn each_stack_is_placed_by_its_mark() {
    let mbed = signatures(&[0x0603, 0x0601, 0x0503, 0x0501]);
    let jsse = Shape { ciphers: vec![0x1302, 0x1301], ..extensions(&[0, 5, 10, 11, 13, 17, 43]) };
    let mut soup = signatures(&[0x0401, 0x0809, 0x0804, 0x0403]);
    soup.protocols = [&b"h2"[..], b"http/1.1", b"http/1.0"].map(<[u8]>::to_vec).to_vec();
    for (shape, stack) in [
        (signatures(&[0x0804, 0x0403, 0x0807, 0x0805, 0x0806, 0x0401]), Stack::Go),
        (signatures(&[0x0401, 0x0809, 0x0804, 0x0403]), Stack::GnuTls),
        (ciphers(&[0x1302, 0x1303, 0x1301, 0x1304]), Stack::GnuTls),
        (soup, Stack::LibSoup),
        (extensions(&[0, 11, 10, 35, 22, 23, 13, 43, 45, 51]), Stack::OpenSsl),
        (extensions(&[65281, 0, 11, 10, 16, 22, 23, 13, 43]), Stack::OpenSsl),
        (extensions(&[0, 11, 10, 35, 13, 15]), Stack::OldOpenSsl),
        (jsse, Stack::Jsse),
        (ciphers(&[0x1302, 0x1301, 0x1303, 0xc02c, 0xc02b, 0x00ff]), Stack::Rustls),
        (ciphers(&[0xc02c, 0xc02b, 0xc030, 0xc02f, 0xc024, 0xc023]), Stack::Schannel),
        (
            ciphers(&[0x1302, 0x1301, 0xc02c, 0xc02b, 0xc030, 0xc02f, 0x009f, 0x009e]),
            Stack::Schannel,
        ),
        (mbed, Stack::MbedTls),
        (ciphers(&[0x1301, 0x1303, 0x1302, 0xc02b, 0xc02f]), Stack::Nss),
        (extensions(&[0, 23, 65281, 10, 11, 35, 16, 5, 13, 51, 45, 43]), Stack::BoringSsl),
        (ciphers(&[0x1301, 0xc02b, 0xccaa]), Stack::Other),
    ] {
        assert_eq!(placed(&shape), Some(stack), "{shape:?}");
    }
}

#[test]
fn browsers_come_first() {
    for family in Family::ALL {
        assert_eq!(placed(&sample::hello(family, 0)), Some(Stack::Browser(family)));
    }
}

#[test]
fn webkit_on_linux_is_no_library() {
    assert!(!Stack::LibSoup.is_library() && Stack::GnuTls.is_library());
}

#[test]
fn grease_and_ciphers_of_nobody_are_not_placed() {
    let mut shape = ciphers(&[0x1301, 0xc02f]);
    sample::add_grease(&mut shape);
    assert_eq!(placed(&shape), None);
}
