//! Packets out of pcapng blocks.
//!
//! The reader in the `pcap-file` crate refuses files over options that don't matter here,
//! such as names that aren't UTF-8, so blocks are read by hand.
//!
//! *Source*: draft-ietf-opsawg-pcapng sections 4.1 to 4.4 and appendix A.

use super::error::Damage;
use super::file::{Packet, Source};
use super::link::LinkType;
use std::io::{BufRead, BufReader, ErrorKind, Read};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// The section header's first field, which tells the byte order.
const MAGIC: [u8; 4] = [0x1a, 0x2b, 0x3c, 0x4d];

const END_OF_OPTIONS: u16 = 0;
const TIME_RESOLUTION: u16 = 9;

/// Bytes of a block's type and length, and of the length again behind its body.
const HEADER_LEN: usize = 8;
const TRAILER_LEN: usize = 4;

/// Bytes that a block may take; a longer one is taken for damage.
const MAX_BLOCK_LEN: usize = 16 << 20;

const BUFFER_BYTES: usize = 256 << 10;

/// A file, and what the section that is being read has described so far.
pub(super) struct PcapNg {
    source: BufReader<Source>,
    big_endian: bool,
    interfaces: Vec<Interface>,
    /// The body of the block that was read last.
    body: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Interface {
    link: LinkType,
    snap_len: u32,
    ticks_per_sec: u64,
}

/// A packet block's fields.
struct Fields {
    interface: Interface,
    time_ns: u64,
    captured: usize,
    wire_len: u32,
    /// Where its bytes start in the block's body.
    at: usize,
}

impl PcapNg {
    /// A file that starts with a section header.
    pub(super) fn new(source: Source) -> Self {
        let source = BufReader::with_capacity(BUFFER_BYTES, source);
        Self { source, big_endian: false, interfaces: Vec::new(), body: Vec::new() }
    }

    /// The next packet; `None` at the end of the file. `offset` moves behind each block.
    pub(super) fn next_packet(&mut self, offset: &mut u64) -> Result<Option<Packet<'_>>, Damage> {
        while let Some(kind) = self.read_block()? {
            let found = self.handle(kind)?;
            let len = HEADER_LEN + self.body.len() + TRAILER_LEN;
            *offset += u64::try_from(len).unwrap_or(u64::MAX);
            if let Some(Fields { interface, time_ns, captured, wire_len, at }) = found {
                let bytes = &self.body[at..at + captured];
                let wire_len = usize::try_from(wire_len).unwrap_or(usize::MAX);
                return Ok(Some(Packet { time_ns, link: interface.link, bytes, wire_len }));
            }
        }
        Ok(None)
    }

    /// Reads a block into [`body`](Self::body); its type, or `None` at the end.
    fn read_block(&mut self) -> Result<Option<u32>, Damage> {
        if self.source.fill_buf().map_err(Damage::Io)?.is_empty() {
            return Ok(None);
        }
        self.read_body(0, HEADER_LEN)?;
        let kind = self.u32(&self.body, 0).ok_or(Damage::Block)?;
        if kind == SECTION_HEADER {
            self.read_body(HEADER_LEN, MAGIC.len())?;
            self.big_endian = self.body.ends_with(&MAGIC);
        }
        let read = self.body.len() - HEADER_LEN;
        let len = self.u32(&self.body, 4).and_then(|len| usize::try_from(len).ok());
        let fits = |len: &usize| len.is_multiple_of(4) && *len <= MAX_BLOCK_LEN;
        let rest =
            len.filter(fits).and_then(|len| len.checked_sub(HEADER_LEN + TRAILER_LEN + read));
        let rest = rest.ok_or(Damage::Block)?;
        self.body.drain(..HEADER_LEN);
        self.read_body(read, rest + TRAILER_LEN)?;
        self.body.truncate(read + rest);
        Ok(Some(kind))
    }

    /// Reads so many bytes behind the first `keep` of the body.
    fn read_body(&mut self, keep: usize, count: usize) -> Result<(), Damage> {
        self.body.resize(keep + count, 0);
        self.source.read_exact(&mut self.body[keep..]).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => Damage::Truncated,
            _ => Damage::Io(error),
        })
    }

    /// Takes a block; `None` if it holds no packet.
    fn handle(&mut self, kind: u32) -> Result<Option<Fields>, Damage> {
        match kind {
            SECTION_HEADER => self.interfaces.clear(),
            INTERFACE => {
                let interface = self.interface(&self.body).ok_or(Damage::Block)?;
                self.interfaces.push(interface);
            }
            ENHANCED_PACKET | OBSOLETE_PACKET | SIMPLE_PACKET => {
                return self.fields(kind, &self.body).map(Some).ok_or(Damage::Block);
            }
            _ => {}
        }
        Ok(None)
    }

    /// A packet's fields; `None` if they contradict the block or one another.
    fn fields(&self, kind: u32, body: &[u8]) -> Option<Fields> {
        let fields = match kind {
            ENHANCED_PACKET => self.packet(body, usize::try_from(self.u32(body, 0)?).ok()?)?,
            OBSOLETE_PACKET => self.packet(body, self.u16(body, 0)?.into())?,
            _ => self.simple_packet(body)?,
        };
        body.get(fields.at..)?.get(..fields.captured)?;
        Some(fields)
    }

    fn interface(&self, body: &[u8]) -> Option<Interface> {
        let (link, snap_len) = (LinkType(self.u16(body, 0)?), self.u32(body, 4)?);
        Some(Interface { link, snap_len, ticks_per_sec: self.ticks_per_sec(body.get(8..)?) })
    }

    /// The time resolution among an interface's options; microseconds if it isn't there.
    fn ticks_per_sec(&self, mut options: &[u8]) -> u64 {
        while let (Some(code), Some(len)) = (self.u16(options, 0), self.u16(options, 2)) {
            if code == TIME_RESOLUTION {
                return options.get(4).map_or(1_000_000, |&value| resolution(value));
            }
            let padded = usize::from(len).next_multiple_of(4);
            match options.get(4 + padded..) {
                Some(rest) if code != END_OF_OPTIONS => options = rest,
                _ => break,
            }
        }
        1_000_000
    }

    fn packet(&self, body: &[u8], interface: usize) -> Option<Fields> {
        let interface = *self.interfaces.get(interface)?;
        let ticks = u64::from(self.u32(body, 4)?) << 32 | u64::from(self.u32(body, 8)?);
        Some(Fields {
            interface,
            time_ns: interface.time_ns(ticks),
            captured: usize::try_from(self.u32(body, 12)?).ok()?,
            wire_len: self.u32(body, 16)?,
            at: 20,
        })
    }

    /// A block without a time, for the first interface; its captured length has to be
    /// worked out.
    fn simple_packet(&self, body: &[u8]) -> Option<Fields> {
        let interface = *self.interfaces.first()?;
        let wire_len = self.u32(body, 0)?;
        let snap_len = if interface.snap_len == 0 { u32::MAX } else { interface.snap_len };
        let captured = usize::try_from(wire_len.min(snap_len)).ok()?.min(body.len() - 4);
        Some(Fields { interface, time_ns: 0, captured, wire_len, at: 4 })
    }

    fn u16(&self, bytes: &[u8], at: usize) -> Option<u16> {
        let field = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u16::from_be_bytes(field) } else { u16::from_le_bytes(field) })
    }

    fn u32(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let field = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u32::from_be_bytes(field) } else { u32::from_le_bytes(field) })
    }
}

impl Interface {
    fn time_ns(&self, ticks: u64) -> u64 {
        let ns = u128::from(ticks) * 1_000_000_000 / u128::from(self.ticks_per_sec);
        u64::try_from(ns).unwrap_or(u64::MAX)
    }
}

/// Ticks in a second: a power of ten, or of two if the highest bit is set.
fn resolution(value: u8) -> u64 {
    let exponent = u32::from(value & 0x7f);
    let base: u64 = if value & 0x80 == 0 { 10 } else { 2 };
    base.checked_pow(exponent).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> PcapNg {
        let none = std::fs::File::open("/dev/null").unwrap();
        PcapNg::new(std::io::Cursor::new(Vec::new()).chain(none))
    }

    #[test]
    fn resolutions_are_powers_of_ten_or_two() {
        assert_eq!((resolution(6), resolution(9)), (1_000_000, 1_000_000_000));
        assert_eq!((resolution(0x8a), resolution(0xff)), (1024, u64::MAX));
    }

    #[test]
    fn the_resolution_is_found_behind_other_options() {
        let options = [2, 0, 3, 0, b'e', b't', b'h', 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(empty().ticks_per_sec(&options), 1_000_000_000);
        for len in 0..12 {
            assert_eq!(empty().ticks_per_sec(&options[..len]), 1_000_000);
        }
    }
}
