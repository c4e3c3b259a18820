//! Shapes out of hand-made hellos.

use super::*;
use proptest::prelude::*;

fn extension_bytes(kind: u16, data: &[u8]) -> Vec<u8> {
    let len = u16::try_from(data.len()).unwrap();
    [&kind.to_be_bytes()[..], &len.to_be_bytes(), data].concat()
}

fn message(extensions: &[Vec<u8>]) -> Vec<u8> {
    let extensions = extensions.concat();
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([2, 9, 9, 0, 4, 0x0a, 0x0a, 0x13, 0x01, 2, 1, 0]);
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    let mut message = vec![1, 0];
    message.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    message.extend(body);
    message
}

fn share(group: u16, key: &[u8]) -> Vec<u8> {
    extension_bytes(group, key)
}

fn listed(entries: &[u8]) -> Vec<u8> {
    [&u16::try_from(entries.len()).unwrap().to_be_bytes()[..], entries].concat()
}

#[test]
fn every_part_is_read() {
    let ech = [&[0, 0, 1, 0, 3, 5, 0, 2, 8, 8, 0, 3][..], &[1; 3]].concat();
    let shape = Shape::read(&message(&[
        extension_bytes(10, &[0, 4, 0x1a, 0x1a, 0, 0x1d]),
        extension_bytes(16, b"\0\x0c\x02h2\x08http/1.1"),
        extension_bytes(17613, b"\0\x03\x02h2"),
        extension_bytes(27, &[2, 0, 2]),
        extension_bytes(43, &[4, 3, 4, 3, 3]),
        extension_bytes(0xfe0d, &ech),
        extension_bytes(13, &[0, 2, 4, 3]),
    ]))
    .unwrap();
    assert_eq!((shape.session_id_bytes, shape.compressions.as_slice()), (2, &[1, 0][..]));
    assert_eq!(shape.ciphers, [0x0a0a, 0x1301]);
    assert_eq!(shape.groups, [0x1a1a, 0x1d]);
    assert!(shape.offers(b"h2") && shape.offers(b"http/1.1") && !shape.offers(b"h3"));
    assert_eq!(shape.settings, [b"h2"]);
    assert_eq!(shape.certificate_compressions, [2]);
    assert_eq!(shape.versions, [0x0304, 0x0303]);
    assert_eq!(shape.ech, Some(Ech { kdf: 1, aead: 3, payload_bytes: 3 }));
    assert_eq!(shape.order(), [10, 16, 17613, 27, 43, 0xfe0d, 13]);
}

#[test]
fn a_key_used_twice_is_seen() {
    let hybrid = [&[1; 1184][..], &[2; 32]].concat();
    let read = |plain: u8| {
        let shares = [share(group::X25519_MLKEM768, &hybrid), share(group::X25519, &[plain; 32])];
        let data = listed(&shares.concat());
        Shape::read(&message(&[extension_bytes(51, &data)])).unwrap()
    };
    assert_eq!(read(2).reuses_x25519, Some(true));
    assert_eq!(read(3).reuses_x25519, Some(false));
    assert_eq!(read(3).key_shares, [group::X25519_MLKEM768, group::X25519]);
    let alone = listed(&share(group::X25519, &[2; 32]));
    let alone = Shape::read(&message(&[extension_bytes(51, &alone)])).unwrap();
    assert_eq!(alone.reuses_x25519, None);
}

#[test]
fn every_strict_prefix_is_an_error() {
    let message = message(&[extension_bytes(43, &[2, 3, 4])]);
    assert!((0..message.len()).all(|len| Shape::read(&message[..len]).is_err()));
}

proptest! {
    #[test]
    fn any_extension_data_is_read(
        kind in prop::sample::select(vec![10_u16, 13, 16, 27, 43, 51, 17613, 0xfe0d]),
        data in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let shape = Shape::read(&message(&[extension_bytes(kind, &data)])).unwrap();
        prop_assert!(shape.has(kind));
    }
}
