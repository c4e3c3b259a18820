//! The ring buffers: hellos and datagrams on their way to the daemon.
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
    batch: usize,
}

/// Batches that are taken at once when something waits for them.
const READY_BATCHES: usize = 4;

impl Records {
    /// Takes a ring buffer out of the loaded object, of which up to `batch` records are taken in
    /// one turn, so that commands get theirs.
    ///
    /// *Errors*: the kernel's. Has to be called inside a tokio runtime.
    pub(super) fn take(
        ebpf: &mut Ebpf,
        name: &'static str,
        batch: usize,
    ) -> Result<Self, DatapathError> {
        let map = ebpf.take_map(name).ok_or(DatapathError::Missing(name))?;
        let ring = RingBuf::try_from(map)?;
        // SAFETY: the ring buffer owns its descriptor and keeps it as long as it lives.
        let ring = unsafe { AsyncFd::register(ring) };
        let ring = ring.map_err(|error| MapError::IoError(error.into()))?;
        Ok(Self { ring, batch })
    }

    /// Takes all records that are there, but no more than a few batches: what comes faster than it
    /// can be taken may not keep everything else waiting.
    pub fn ready(&mut self) -> Vec<Bytes> {
        let ring = self.ring.get_mut();
        let mut taken = Vec::new();
        while taken.len() < READY_BATCHES * self.batch {
            let Some(item) = ring.next() else {
                break;
            };
            taken.push(Bytes::copy_from_slice(&item));
        }
        taken
    }

    /// Waits for records and takes a batch of them: each a
    /// [`HelloRecord`](filter_common::abi::hello::HelloRecord) or a
    /// [`DatagramRecord`](filter_common::abi::quic::DatagramRecord), and the bytes that it
    /// counts.
    ///
    /// *Errors*: the runtime's.
    pub async fn next(&mut self) -> io::Result<Vec<Bytes>> {
        let mut guard = self.ring.readable_mut().await?;
        let ring = guard.get_inner_mut();
        let mut batch = Vec::new();
        while batch.len() < self.batch {
            let Some(item) = ring.next() else {
                guard.clear_ready();
                break;
            };
            batch.push(Bytes::copy_from_slice(&item));
        }
        Ok(batch)
    }
}
