//! What the program tells of hellos.

use super::{Cause, Flow, Hello, Ja4, Outcome};
use crate::replay::ip_addr;
use bytes::Bytes;
use filter_common::abi::counter::Verdict;
use filter_common::abi::hello::{HelloHead, HelloRecord};
use filter_common::hello::RECORD_HEADER_LEN;
use filter_common::wire::syn;
use zerocopy::FromBytes;

/// Why a record can't be read: program and daemon disagree about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// It ends too early.
    #[error("a record of a ClientHello ends before its {0} bytes do")]
    Short(usize),
    /// Neither a fingerprint nor a cause is in it.
    #[error("a record of a ClientHello names neither a fingerprint nor a cause")]
    Empty,
    /// The hello that was fingerprinted can't be read.
    #[error("a record holds no ClientHello that can be read")]
    Hello,
}

impl Outcome {
    /// What the program wrote to the ring buffer.
    ///
    /// *Shape*: a [`HelloRecord`] and the bytes that it counts. The JA4 is the program's.
    ///
    /// *Errors*: [`RecordError`]; any bytes are fit to be tried.
    pub fn of_record(record: &[u8]) -> Result<Self, RecordError> {
        let (header, rest) = HelloRecord::read_from_prefix(record)
            .map_err(|_| RecordError::Short(size_of::<HelloRecord>()))?;
        let result = match Cause::of_kernel(header.cause) {
            Some(cause) => Err(cause),
            None => Ok(hello(&header, rest)?),
        };
        Ok(Self {
            flow: Flow {
                source: (ip_addr(&header.source), header.source_port).into(),
                destination: (ip_addr(&header.destination), header.destination_port).into(),
            },
            stream_start: header.start,
            segments: header.segments,
            proven: header.evidence & HelloRecord::PROVEN != 0,
            time_ns: header.time_ns,
            wire: header.wire,
            is_first: header.is_first != 0,
            syn: syn::of_headers(&header.syn, header.source.is_v4()),
            verdict: header.verdict,
            result,
        })
    }

    /// The end of a hello that was never whole.
    #[must_use]
    pub fn of_unfinished(head: &HelloHead, time_ns: u64, proven: bool) -> Self {
        Self {
            flow: Flow {
                source: (ip_addr(&head.source), head.source_port).into(),
                destination: (ip_addr(&head.destination), head.destination_port).into(),
            },
            stream_start: head.start,
            segments: head.segments,
            proven,
            time_ns,
            wire: 0,
            is_first: false,
            syn: None,
            verdict: Verdict::PASS,
            result: Err(Cause::of_kernel(head.unfinished()).unwrap_or(Cause::TimedOut)),
        }
    }
}

fn hello(header: &HelloRecord, rest: &[u8]) -> Result<Hello, RecordError> {
    let len = usize::try_from(header.stream_len).unwrap_or(usize::MAX);
    let stream = rest.get(..len).ok_or(RecordError::Short(len))?;
    let start = usize::try_from(RECORD_HEADER_LEN).unwrap_or_default();
    let message = stream.get(start..).ok_or(RecordError::Empty)?;
    let ja4 = Ja4::of_kernel(header.ja4).ok_or(RecordError::Hello)?;
    Hello::told(Bytes::copy_from_slice(message), ja4).map_err(|_| RecordError::Hello)
}
