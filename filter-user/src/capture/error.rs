//! What can go wrong with a capture.

use super::link::LinkType;
use crate::datapath::preflight::PreflightError;
use crate::datapath::test_run::TestRunError;
use crate::fingerprint::RecordError;
use std::path::PathBuf;

/// Nothing more can be done.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The output is gone.
    #[error("can't write the rows: {0}")]
    Write(#[from] std::io::Error),
    /// The kernel engine needs what this host hasn't.
    #[error(transparent)]
    Preflight(#[from] PreflightError),
    /// The kernel engine can't be had.
    #[error(
        "the kernel engine needs root (or CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON): {0}; try --engine host"
    )]
    Kernel(#[from] TestRunError),
    /// The kernel engine wrote what can't be.
    #[error("the kernel engine wrote a broken record: {0}")]
    Record(#[from] RecordError),
}

/// A file that was not read to its end. The rows before that point are right.
#[derive(Debug, thiserror::Error)]
#[error("{}: packet {packet} at byte {offset}: {damage}", path.display())]
pub struct FileError {
    /// The file as it was named.
    pub path: PathBuf,
    /// The number of the packet that could not be read, from 1.
    pub packet: u64,
    /// Where in the file it starts.
    pub offset: u64,
    /// What is wrong with it.
    #[source]
    pub damage: Damage,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// It can't be opened or read.
    #[error("can't be read: {0}")]
    Io(#[source] std::io::Error),
    /// It is empty, or shorter than the mark that tells its format.
    #[error("the file is empty or ends within its first four bytes; it is no capture")]
    Empty,
    /// It is another kind of file.
    #[error("no pcap or pcapng file: it starts with {0:02x?}{hint}", hint = hint(*.0))]
    Format([u8; 4]),
    /// The file ends within a packet, or a length in it is wrong.
    #[error("the file ends within it, or its length is damaged")]
    Truncated,
    /// A field has an impossible value.
    #[error("{0}")]
    Field(#[source] pcap_file::PcapError),
    /// A pcapng block is shorter than its fields, or names an interface that isn't there.
    #[error("a block contradicts itself or names an interface that was not described")]
    Block,
    /// Frames of a kind that isn't known.
    #[error("link type {0} is not known; known are Ethernet, raw IP, Linux cooked and loopback")]
    LinkType(LinkType),
}

const fn hint(start: [u8; 4]) -> &'static str {
    match start {
        [0x1f, 0x8b, ..] => "; it is compressed, try gunzip first",
        [0x28, 0xb5, 0x2f, 0xfd] => "; it is compressed, try unzstd first",
        _ => "",
    }
}
