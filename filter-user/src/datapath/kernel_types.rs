//! Where members lie in the running kernel's structures.
//!
//! The program compares a segment with the sequence numbers of the socket that it is for. These
//! lie elsewhere in each kernel, which says where by its own type information (BTF). The crate
//! that loads the program reads it too and shows no members.
//!
//! *Source*: the kernel's `Documentation/bpf/btf.rst`.

use std::fs;
use std::path::Path;
use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

/// Where the running kernel's types are.
const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

const MAGIC: u16 = 0xeb9f;
const STRUCT: u32 = 4;

#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Header {
    magic: U16,
    version: u8,
    flags: u8,
    len: U32,
    types_at: U32,
    types_len: U32,
    names_at: U32,
    names_len: U32,
}

#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Type {
    name: U32,
    info: U32,
    size: U32,
}

#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Member {
    name: U32,
    kind: U32,
    offset: U32,
}

/// Offsets in bytes that the program needs: its globals by name.
///
/// `None` if the kernel doesn't tell one of them.
pub(super) fn socket_offsets() -> Option<[(&'static str, u32); 8]> {
    static WANTED: [(&str, &str, &str); 8] = [
        ("TCP_RCV_NXT", "tcp_sock", "rcv_nxt"),
        ("TCP_BYTES_RECEIVED", "tcp_sock", "bytes_received"),
        ("TCP_BYTES_ACKED", "tcp_sock", "bytes_acked"),
        ("TCP_MAX_WINDOW", "tcp_sock", "max_window"),
        ("TCP_SND_UNA", "tcp_sock", "snd_una"),
        ("TCP_SND_NXT", "tcp_sock", "snd_nxt"),
        ("REQUEST_RCV_ISN", "tcp_request_sock", "rcv_isn"),
        ("REQUEST_SND_ISN", "tcp_request_sock", "snt_isn"),
    ];
    let bytes = fs::read(Path::new(VMLINUX)).ok()?;
    let types = Types::parse(&bytes)?;
    let mut found = WANTED.map(|(global, ..)| (global, 0));
    for (into, (_, of, member)) in found.iter_mut().zip(WANTED) {
        into.1 = types.offset(of, member)?;
    }
    Some(found)
}

/// Type information in memory.
struct Types<'a> {
    types: &'a [u8],
    names: &'a [u8],
}

impl<'a> Types<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (header, _) = Header::ref_from_prefix(bytes).ok()?;
        let behind = bytes.get(at(header.len)..)?;
        let part = |from: U32, len: U32| behind.get(at(from)..)?.get(..at(len));
        let (types, names) =
            (part(header.types_at, header.types_len)?, part(header.names_at, header.names_len)?);
        (header.magic == MAGIC).then_some(Self { types, names })
    }

    fn name(&self, from: U32) -> Option<&'a [u8]> {
        self.names.get(at(from)..)?.split(|&byte| byte == 0).next()
    }

    /// Where a structure has a member, in bytes.
    fn offset(&self, of: &str, member: &str) -> Option<u32> {
        let mut rest = self.types;
        while !rest.is_empty() {
            let (found, behind) = Type::ref_from_prefix(rest).ok()?;
            let (kind, count) = (found.info.get() >> 24 & 0x1f, found.info.get() & 0xffff);
            let (details, behind) =
                behind.split_at_checked(details_len(kind, at(count.into()))?)?;
            rest = behind;
            // A declaration alone has no members.
            if kind != STRUCT || count == 0 || self.name(found.name)? != of.as_bytes() {
                continue;
            }
            let members = <[Member]>::ref_from_bytes(details).ok()?;
            let named = |m: &&Member| self.name(m.name) == Some(member.as_bytes());
            let bits = members.iter().find(named)?.offset.get();
            return Some((bits & 0xff_ffff) / 8);
        }
        None
    }
}

fn at(number: U32) -> usize {
    usize::try_from(number.get()).unwrap_or(usize::MAX)
}

/// Bytes behind a type of this kind; `None` if it isn't known.
const fn details_len(kind: u32, count: usize) -> Option<usize> {
    Some(match kind {
        // Integers, variables, and tags of declarations.
        1 | 14 | 17 => 4,
        // Arrays.
        3 => 12,
        // Structures, unions, sections, and enumerations of 64 bits.
        4 | 5 | 15 | 19 => 12 * count,
        // Enumerations, and parameters of functions.
        6 | 13 => 8 * count,
        // Pointers, forwards, names, qualifiers, functions, floats, and tags of types.
        2 | 7..=12 | 16 | 18 => 0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// An integer, a structure of two of them, and their names.
    fn types() -> Vec<u8> {
        let names = b"\0u32\0pair\0first\0second\0";
        let types = words(
            &[[1, 1 << 24, 4, 32].as_slice(), &[5, 4 << 24 | 2, 8, 10, 1, 0, 16, 1, 32]].concat(),
        );
        let lens = [types.len(), names.len()].map(|len| u32::try_from(len).unwrap());
        let header = words(&[24, 0, lens[0], lens[0], lens[1]]);
        [&[0x9f, 0xeb, 1, 0], &header[..], &types, names].concat()
    }

    #[test]
    fn members_are_found_by_name() {
        let bytes = types();
        let types = Types::parse(&bytes).unwrap();
        assert_eq!(types.offset("pair", "second"), Some(4));
        assert_eq!(types.offset("pair", "first"), Some(0));
        assert_eq!(types.offset("pair", "third"), None);
        assert_eq!(types.offset("u32", "first"), None);
    }

    #[test]
    fn what_is_cut_has_no_members() {
        let bytes = types();
        for len in 0..bytes.len() {
            let found = Types::parse(&bytes[..len]).map(|types| types.offset("pair", "second"));
            assert_eq!(found.flatten(), None, "{len} bytes");
        }
    }
}
