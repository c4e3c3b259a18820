//! What a SYN tells of the system that sent it.
//!
//! *Source*: the fields that p0f looks at; RFC 9293 section 3.2 for the options.

use super::cursor::{Cursor, Packet, SliceCursor};
use super::frame::{Frame, Kind};
use super::header::{Ipv4, Ipv6, TCP_HEADER_LEN, TcpHeader};
use crate::abi::syn::SynHeaders;
use zerocopy::IntoBytes;

/// A SYN's own choices: what the sending system fills in and no application asks for.
///
/// *Shape*: 16 bytes without padding. What the SYN doesn't say is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Syn {
    /// The kinds of its options in their order, four bits each, the first in the lowest; see
    /// [`Syn::END`] and [`Syn::OTHER`]. Those behind the sixteenth are left out.
    pub options: u64,
    /// Receive window, before scaling.
    pub window: u16,
    /// Maximum segment size.
    pub mss: u16,
    /// Hops left when it came: the sender's initial value is the next of 64, 128 and 255.
    pub ttl: u8,
    /// Window scale.
    pub scale: u8,
    /// [`Syn::DONT_FRAGMENT`] and [`Syn::ECN`].
    pub quirks: u8,
    /// Zero.
    pub reserved: u8,
}

impl Syn {
    /// Stands for the end of the option list in [`Syn::options`], as zero means no option.
    pub const END: u64 = 0xe;
    /// Stands for options whose kind is above 13.
    pub const OTHER: u64 = 0xf;
    /// A bit of [`Syn::quirks`]: IPv4's "don't fragment".
    pub const DONT_FRAGMENT: u8 = 1;
    /// A bit of [`Syn::quirks`]: it offers explicit congestion notification.
    pub const ECN: u8 = 2;
}

/// Options that have a place in [`Syn::options`].
const MAX_OPTIONS: u32 = 16;

const NOP: u8 = 1;
const MSS: u8 = 2;
const WINDOW_SCALE: u8 = 3;
/// Kinds from here on share a number.
const FIRST_OTHER: u8 = 14;
/// ECE and CWR, RFC 3168 section 6.1.1.
const ECN_FLAGS: u8 = 0b1100_0000;
/// The flag in [`Ipv4::flags_offset`].
const DONT_FRAGMENT: u16 = 0x4000;

/// Reads the SYN in a frame that was parsed; `None` if there is none, or it isn't all there.
///
/// *Shape*: options that contradict their lengths end the list where they stand, as receivers
/// do.
#[must_use]
pub fn parse<P: Packet>(packet: &P, frame: &Frame) -> Option<Syn> {
    if frame.kind != Kind::Tcp || !frame.tcp.flags.opens() {
        return None;
    }
    let mut syn = Syn::default();
    read_ip(packet, frame, &mut syn)?;
    let mut cursor = packet.cursor();
    cursor.skip(frame.tcp.offset)?;
    let tcp: TcpHeader = cursor.read()?;
    syn.window = tcp.window.get();
    if tcp.flags & ECN_FLAGS == ECN_FLAGS {
        syn.quirks |= Syn::ECN;
    }
    let options_len = frame.tcp.header_len.checked_sub(TCP_HEADER_LEN)?;
    read_options(&mut cursor, options_len, &mut syn)?;
    Some(syn)
}

/// Reads what the program kept of a SYN; `None` if it kept nothing.
#[must_use]
pub fn of_headers(headers: &SynHeaders, is_v4: bool) -> Option<Syn> {
    let [length, flags, rest @ ..] = headers.segment.as_bytes() else {
        return None;
    };
    let options_len = (length >> 4).checked_mul(4)?.checked_sub(TCP_HEADER_LEN)?;
    let mut cursor = SliceCursor::new(rest);
    let window = u16::from_be_bytes(cursor.read()?);
    let mut syn = Syn { window, ..Syn::default() };
    // Its checksum and its urgent pointer.
    cursor.skip(4)?;
    if flags & ECN_FLAGS == ECN_FLAGS {
        syn.quirks |= Syn::ECN;
    }
    let network = headers.network.as_bytes();
    let &[_, _, _, _, fragment, _, v4_ttl, v6_ttl] = network.first_chunk()?;
    syn.ttl = if is_v4 { v4_ttl } else { v6_ttl };
    if is_v4 && u16::from(fragment) << 8 & DONT_FRAGMENT != 0 {
        syn.quirks |= Syn::DONT_FRAGMENT;
    }
    read_options(&mut cursor, options_len, &mut syn)?;
    Some(syn)
}

fn read_ip<P: Packet>(packet: &P, frame: &Frame, syn: &mut Syn) -> Option<()> {
    let mut cursor = packet.cursor();
    cursor.skip(u32::from(frame.network_offset))?;
    if frame.version == 6 {
        syn.ttl = cursor.read::<Ipv6>()?.hop_limit;
        return Some(());
    }
    let ip: Ipv4 = cursor.read()?;
    syn.ttl = ip.ttl;
    if ip.flags_offset.get() & DONT_FRAGMENT != 0 {
        syn.quirks |= Syn::DONT_FRAGMENT;
    }
    Some(())
}

/// Reads options until their room, their end or their numbers are used up.
fn read_options<C: Cursor>(cursor: &mut C, len: u8, syn: &mut Syn) -> Option<()> {
    let mut left = len;
    for place in 0..MAX_OPTIONS {
        if left == 0 {
            break;
        }
        let kind: u8 = cursor.read()?;
        syn.options |= number(kind) << (place * 4);
        if kind == 0 {
            break;
        }
        let used = if kind == NOP { 1 } else { read_option(cursor, kind, left, syn)? };
        if used == 0 {
            break;
        }
        left -= used;
    }
    Some(())
}

/// Reads what follows an option's kind. Its whole length; zero if it doesn't fit.
fn read_option<C: Cursor>(cursor: &mut C, kind: u8, left: u8, syn: &mut Syn) -> Option<u8> {
    if left < 2 {
        return Some(0);
    }
    let len: u8 = cursor.read()?;
    if len < 2 || len > left {
        return Some(0);
    }
    match (kind, len) {
        (MSS, 4) => syn.mss = u16::from_be_bytes(cursor.read()?),
        (WINDOW_SCALE, 3) => syn.scale = cursor.read()?,
        _ => cursor.skip(u32::from(len) - 2)?,
    }
    Some(len)
}

fn number(kind: u8) -> u64 {
    match kind {
        0 => Syn::END,
        FIRST_OTHER.. => Syn::OTHER,
        _ => u64::from(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::syn::{NETWORK_V4, SEGMENT_FROM};
    use crate::wire::cursor::SlicePacket;
    use crate::wire::frame;
    use proptest::prelude::*;
    use std::vec::Vec;

    const LINUX: [u8; 20] = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 10];

    fn syn_frame(flags: u8, options: &[u8]) -> Vec<u8> {
        let len = 20 + options.len();
        let mut bytes = std::vec![0; 12];
        bytes.extend([8, 0, 0x45, 0, 0, u8::try_from(20 + len).unwrap(), 0, 0, 0x40, 0, 57, 6]);
        bytes.extend([0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 0, 80, 1, 187]);
        bytes.extend([0; 8]);
        bytes.extend([u8::try_from(len / 4).unwrap() << 4, flags, 0xfa, 0xf0, 0, 0, 0, 0]);
        bytes.extend(options);
        bytes
    }

    fn parsed(bytes: &[u8]) -> Option<Syn> {
        let packet = SlicePacket::new(bytes);
        let mut frame = Frame::default();
        frame::parse(&packet, &mut frame);
        parse(&packet, &frame)
    }

    fn options(bytes: &[u8]) -> Option<Syn> {
        let mut syn = Syn::default();
        read_options(&mut SliceCursor::new(bytes), u8::try_from(bytes.len()).unwrap(), &mut syn)?;
        Some(syn)
    }

    #[test]
    fn a_syn_tells_its_choices() {
        let syn = parsed(&syn_frame(2, &LINUX)).unwrap();
        assert_eq!((syn.ttl, syn.window, syn.mss, syn.scale), (57, 64_240, 1460, 10));
        assert_eq!((syn.options, syn.quirks), (0x0003_1842, Syn::DONT_FRAGMENT));
        assert_eq!(parsed(&syn_frame(0xc2, &LINUX)).unwrap().quirks, 3);
    }

    #[test]
    fn what_is_kept_of_a_syn_tells_the_same() {
        for flags in [2, 0xc2] {
            let bytes = syn_frame(flags, &LINUX);
            let mut kept = SynHeaders::default();
            let network = 14 + NETWORK_V4 as usize;
            kept.network.as_mut_bytes().copy_from_slice(&bytes[network..network + 8]);
            let segment = &bytes[34 + SEGMENT_FROM as usize..];
            kept.segment.as_mut_bytes()[..segment.len()].copy_from_slice(segment);
            assert_eq!(of_headers(&kept, true), parsed(&bytes));
        }
        assert_eq!(of_headers(&SynHeaders::default(), true), None);
    }

    #[test]
    fn only_a_syn_is_read() {
        assert_eq!(parsed(&syn_frame(0x12, &LINUX)), None);
        assert_eq!(parsed(&syn_frame(0x10, &LINUX)), None);
    }

    #[test]
    fn every_strict_prefix_is_none() {
        let bytes = syn_frame(2, &LINUX);
        assert!((0..bytes.len()).all(|len| parsed(&bytes[..len]).is_none()));
    }

    #[test]
    fn a_list_ends_at_its_end_and_at_a_wrong_length() {
        assert_eq!(options(&[1, 0, 2, 4]).unwrap().options, 0xe1);
        assert_eq!(options(&[1, 2, 9, 0]).unwrap().options, 0x21);
        assert_eq!(options(&[254, 2, 1]).unwrap().options, 0x1f);
        assert_eq!(options(&[3]).unwrap(), Syn { options: 3, ..Syn::default() });
        assert_eq!(options(&[1; 40]).unwrap().options, 0x1111_1111_1111_1111);
    }

    proptest! {
        #[test]
        fn any_options_are_read_or_end(bytes in proptest::collection::vec(any::<u8>(), 0..41)) {
            let _ = options(&bytes);
        }
    }
}
