//! What is wrong with a line, and what to do about it.

use super::super::prefix::PrefixError;
use std::net::IpAddr;

/// A line that is no entry. Each message says what is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    #[error("longer than 4096 bytes: this is no list with an entry a line; fetch it again")]
    TooLong,
    #[error(
        "bytes that are no UTF-8: unpack a compressed list, convert it with iconv, or fetch it again"
    )]
    NotText,
    #[error("a NUL byte: convert UTF-16 with iconv, or fetch the list again, as it is damaged")]
    Nul,
    #[error(transparent)]
    Prefix(#[from] PrefixError),
    #[error("{0:?} is no address: write a range as FIRST-LAST, such as 192.0.2.10-192.0.2.20")]
    RangeEnd(String),
    #[error("the range {0}-{1} ends before it begins: swap its ends")]
    RangeOrder(IpAddr, IpAddr),
    #[error("the range {0}-{1} mixes IPv4 and IPv6: both ends must be of one family")]
    RangeFamilies(IpAddr, IpAddr),
    #[error(
        "the range {0}-{1} cuts through the IPv4-mapped addresses ::ffff:0:0/96: split it there"
    )]
    RangeMapped(IpAddr, IpAddr),
    #[error(
        "{0:?} after the prefix is no time: write 2026-12-01T00:00:00Z, in UTC, or expires=4h; \
         a comment starts with #"
    )]
    NoTime(String),
    #[error("the entry expires after the year 9999: leave the time out for never")]
    TooLate,
    #[error("{0:?}: a netset has addresses and prefixes alone; import it as plain")]
    NotNetset(String),
    #[error(transparent)]
    Ipset(#[from] super::ipset::IpsetProblem),
    #[error(transparent)]
    Csv(#[from] super::csv::CsvProblem),
    #[error(transparent)]
    Json(#[from] super::json::JsonProblem),
}

/// The start of a text that an error repeats.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

/// Characters of a bad text that an error repeats.
const SHOWN: usize = 60;
