//! Packets out of pcap and pcapng files, one after the other.

use super::error::{Damage, FileError};
use super::link::LinkType;
use super::pcapng::PcapNg;
use pcap_file::pcap::{PcapReader, RawPcapPacket};
use pcap_file::{PcapError, TsResolution};
use std::borrow::Cow;
use std::fs::File;
use std::io::{Chain, Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// A packet as the file has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    /// Nanoseconds since 1970.
    pub(super) time_ns: u64,
    /// What its first bytes are.
    pub(super) link: LinkType,
    /// As much of it as was captured.
    pub(super) bytes: &'a [u8],
    /// Its length on the wire.
    pub(super) wire_len: usize,
}

/// The bytes that told the format, and the rest of the file.
pub(super) type Source = Chain<Cursor<Vec<u8>>, File>;

/// An open capture. It is read through a buffer, so a file may be of any size, and a
/// packet that claims more than eight megabytes is damaged.
pub(super) struct Capture {
    path: PathBuf,
    /// Packets read.
    packets: u64,
    /// Where the next packet or block starts.
    offset: u64,
    reader: Reader,
}

enum Reader {
    Pcap { reader: PcapReader<Source>, link: LinkType, fraction_ns: u64 },
    PcapNg(PcapNg),
}

/// Bytes that tell the format.
const START_LEN: usize = 4;
const PCAP_HEADER_LEN: u64 = 24;
const PCAP_PACKET_HEADER_LEN: u64 = 16;

impl Capture {
    /// Opens a file and reads its first header.
    ///
    /// *Errors*: [`FileError`].
    pub(super) fn open(path: &Path) -> Result<Self, FileError> {
        let failed = |damage| FileError { path: path.to_owned(), packet: 1, offset: 0, damage };
        let (reader, offset) = open(path).map_err(failed)?;
        Ok(Self { path: path.to_owned(), packets: 0, offset, reader })
    }

    /// The next packet; `None` at the end of the file.
    ///
    /// *Errors*: [`FileError`]; nothing can be read behind it.
    pub(super) fn next_packet(&mut self) -> Result<Option<Packet<'_>>, FileError> {
        let Self { path, packets, offset, reader } = self;
        let found = match reader {
            Reader::Pcap { reader, link, fraction_ns } => reader
                .next_raw_packet()
                .map(|found| found.map(|raw| pcap_packet(&raw, *link, *fraction_ns, offset)))
                .transpose()
                .map_err(damage),
            Reader::PcapNg(reader) => reader.next_packet(offset),
        };
        match found {
            Ok(found) => {
                *packets += u64::from(found.is_some());
                Ok(found)
            }
            Err(damage) => {
                Err(FileError { path: path.clone(), packet: *packets + 1, offset: *offset, damage })
            }
        }
    }

    /// The error of the packet that was read last.
    pub(super) fn damaged(&self, damage: Damage) -> FileError {
        let (packet, offset) = (self.packets, self.offset);
        FileError { path: self.path.clone(), packet, offset, damage }
    }
}

fn open(path: &Path) -> Result<(Reader, u64), Damage> {
    let mut file = File::open(path).map_err(Damage::Io)?;
    let mut start = Vec::with_capacity(START_LEN);
    let limit = u64::try_from(START_LEN).unwrap_or(u64::MAX);
    file.by_ref().take(limit).read_to_end(&mut start).map_err(Damage::Io)?;
    let kind: [u8; START_LEN] = *start.first_chunk().ok_or(Damage::Empty)?;
    let source = Cursor::new(start).chain(file);
    match kind {
        [0xa1, 0xb2, 0xc3, 0xd4]
        | [0xd4, 0xc3, 0xb2, 0xa1]
        | [0xa1, 0xb2, 0x3c, 0x4d]
        | [0x4d, 0x3c, 0xb2, 0xa1] => open_pcap(source),
        [0x0a, 0x0d, 0x0d, 0x0a] => Ok((Reader::PcapNg(PcapNg::new(source)), 0)),
        other => Err(Damage::Format(other)),
    }
}

fn open_pcap(source: Source) -> Result<(Reader, u64), Damage> {
    let reader = PcapReader::new(source).map_err(damage)?;
    let header = reader.header();
    // The upper bits tell of check sequences behind the frames.
    let [_, _, high, low] = u32::from(header.datalink).to_be_bytes();
    let link = LinkType(u16::from_be_bytes([high & 0x03, low]));
    let micro = header.ts_resolution == TsResolution::MicroSecond;
    let fraction_ns = if micro { 1000 } else { 1 };
    Ok((Reader::Pcap { reader, link, fraction_ns }, PCAP_HEADER_LEN))
}

/// A packet as it lies in a pcap file. Neither its lengths nor its time are held against
/// the file's header: writers disagree about what these mean.
fn pcap_packet<'a>(
    raw: &RawPcapPacket<'a>,
    link: LinkType,
    fraction_ns: u64,
    offset: &mut u64,
) -> Packet<'a> {
    let bytes = match raw.data {
        Cow::Borrowed(bytes) => bytes,
        Cow::Owned(_) => &[],
    };
    *offset += PCAP_PACKET_HEADER_LEN + u64::from(raw.incl_len);
    let time_ns = u64::from(raw.ts_sec) * 1_000_000_000 + u64::from(raw.ts_frac) * fraction_ns;
    let wire_len = usize::try_from(raw.orig_len).unwrap_or(usize::MAX);
    Packet { time_ns, link, bytes, wire_len }
}

/// What the reader's error means to whoever has the file.
fn damage(error: PcapError) -> Damage {
    match error {
        PcapError::IncompleteBuffer => Damage::Truncated,
        PcapError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => Damage::Truncated,
        PcapError::IoError(error) => Damage::Io(error),
        other => Damage::Field(other),
    }
}
