//! What is sent piece by piece: a file, or whatever else can be read.

use axum::body::Bytes;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, ReadBuf};
use tokio_stream::Stream;

/// How far sending is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many bytes more are on their way.
    Sent(usize),
    /// That was all; the daemon works on it.
    Waiting,
}

/// A source as the pieces of a body.
pub(super) struct Upload<R, F> {
    source: R,
    tell: F,
    buffer: Vec<u8>,
}

/// Bytes of a piece.
const PIECE_BYTES: usize = 256 << 10;

impl<R, F: FnMut(Progress)> Upload<R, F> {
    pub(super) fn new(source: R, tell: F) -> Self {
        Self { source, tell, buffer: vec![0; PIECE_BYTES] }
    }
}

impl<R: AsyncRead + Unpin, F: FnMut(Progress) + Unpin> Stream for Upload<R, F> {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { source, tell, buffer } = self.get_mut();
        let mut piece = ReadBuf::new(buffer);
        if let Err(error) = ready!(Pin::new(source).poll_read(context, &mut piece)) {
            return Poll::Ready(Some(Err(error)));
        }
        let piece = Bytes::copy_from_slice(piece.filled());
        let progress =
            if piece.is_empty() { Progress::Waiting } else { Progress::Sent(piece.len()) };
        tell(progress);
        Poll::Ready((!piece.is_empty()).then_some(Ok(piece)))
    }
}
