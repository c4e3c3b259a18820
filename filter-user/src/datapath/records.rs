//! The ring buffer: hellos on their way to the daemon.
#![expect(unsafe_code, reason = "a descriptor is registered with the runtime")]

use super::DatapathError;
use aya::Ebpf;
use aya::maps::{MapData, MapError, RingBuf};
use bytes::Bytes;
use std::io;
use tokio::io::unix::AsyncFd;

/// Reads records as they come.
pub struct Records {
    ring: AsyncFd<RingBuf<MapData>>,
}

/// Records taken in one turn, so that commands get theirs.
const BATCH: usize = 512;

impl Records {
    /// Takes the ring buffer out of the loaded object.
    ///
    /// *Errors*: the kernel's. Has to be called inside a tokio runtime.
    pub(super) fn take(ebpf: &mut Ebpf) -> Result<Self, DatapathError> {
        let map = ebpf.take_map("RECORDS").ok_or(DatapathError::Missing("map RECORDS"))?;
        let ring = RingBuf::try_from(map)?;
        // SAFETY: the ring buffer owns its descriptor and keeps it as long as it lives.
        let ring = unsafe { AsyncFd::register(ring) };
        let ring = ring.map_err(|error| MapError::IoError(error.into()))?;
        Ok(Self { ring })
    }

    /// Waits for records and takes a batch of them: each a
    /// [`HelloRecord`](filter_common::abi::hello::HelloRecord) and the bytes that it
    /// counts.
    ///
    /// *Errors*: the runtime's.
    pub async fn next(&mut self) -> io::Result<Vec<Bytes>> {
        let mut guard = self.ring.readable_mut().await?;
        let ring = guard.get_inner_mut();
        let mut batch = Vec::new();
        while batch.len() < BATCH {
            let Some(item) = ring.next() else {
                guard.clear_ready();
                break;
            };
            batch.push(Bytes::copy_from_slice(&item));
        }
        Ok(batch)
    }
}
