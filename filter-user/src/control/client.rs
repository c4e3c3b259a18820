//! The client side: one request over the socket, one reply or a stream.

use super::api::Problem;
use super::upload::Upload;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tokio::io::AsyncRead;
use tokio::net::UnixStream;

pub use super::upload::Progress;

/// A daemon, by its socket.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers.
    #[error(
        "no daemon answers at {}; start one with: palisaded --interface IF",
        socket.display()
    )]
    NoDaemon {
        /// Where.
        socket: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The daemon said no.
    #[error("{0}")]
    Refused(String),
    /// The daemon went away in the middle, or isn't one.
    #[error("the daemon's reply was cut short or not understood: {0}")]
    Garbled(String),
    /// What is sent can't be read, or what arrives can't be written.
    #[error(transparent)]
    Local(io::Error),
}

impl Client {
    /// A client of the daemon at a socket.
    #[must_use]
    pub fn new(socket: &Path) -> Self {
        Self { socket: socket.into() }
    }

    /// Asks for something.
    ///
    /// *Errors*: [`ClientError`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.request(Method::GET, path, Body::empty()).await
    }

    /// Sends something.
    ///
    /// *Errors*: [`ClientError`].
    pub async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        request: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(request).map_err(garbled)?;
        self.request(method, path, body.into()).await
    }

    async fn request<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Body,
    ) -> Result<T, ClientError> {
        let response = self.open(method, path, body).await?;
        let bytes = response.into_body().collect().await.map_err(garbled)?.to_bytes();
        serde_json::from_slice(&bytes).map_err(garbled)
    }

    /// Sends whatever a source has, of any length, and tells how far that is.
    ///
    /// *Errors*: [`ClientError`]; the daemon's refusal may come before all was sent.
    pub async fn upload<T: DeserializeOwned>(
        &self,
        path: &str,
        source: impl AsyncRead + Send + Unpin + 'static,
        tell: impl FnMut(Progress) + Send + Unpin + 'static,
    ) -> Result<T, ClientError> {
        let body = Body::from_stream(Upload::new(source, tell));
        self.request(Method::POST, path, body).await
    }

    /// Writes a reply of any length to `out` as it arrives, and says how many bytes it had.
    ///
    /// *Errors*: [`ClientError`]; what was written by then isn't the whole.
    pub async fn download(&self, path: &str, out: &mut impl Write) -> Result<u64, ClientError> {
        let mut body = self.open(Method::GET, path, Body::empty()).await?.into_body();
        let mut written: u64 = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(garbled)?;
            let data = frame.data_ref().map_or(&[][..], |data| data);
            out.write_all(data).map_err(ClientError::Local)?;
            written += u64::try_from(data.len()).unwrap_or_default();
        }
        out.flush().map_err(ClientError::Local)?;
        Ok(written)
    }

    /// Hands each line of a reply to `each` until it says stop.
    ///
    /// *Errors*: [`ClientError`].
    pub async fn lines<T: DeserializeOwned>(
        &self,
        path: &str,
        mut each: impl FnMut(T) -> bool,
    ) -> Result<(), ClientError> {
        let mut body = self.open(Method::GET, path, Body::empty()).await?.into_body();
        let mut pending = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(garbled)?;
            pending.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
            while let Some(end) = pending.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = pending.drain(..=end).collect();
                if !each(serde_json::from_slice(&line).map_err(garbled)?) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn open(
        &self,
        method: Method,
        path: &str,
        body: Body,
    ) -> Result<Response<Incoming>, ClientError> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|source| ClientError::NoDaemon { socket: self.socket.clone(), source })?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
        let (mut sender, connection) = handshake.await.map_err(garbled)?;
        let connection = tokio::spawn(connection);
        let request = Request::builder().method(method).uri(path).header("host", "palisade");
        let request = request.body(body).map_err(garbled)?;
        let response = sender.send_request(request).await.map_err(lost)?;
        if response.status() == StatusCode::OK {
            return Ok(response);
        }
        let bytes = response.into_body().collect().await.map_err(garbled)?.to_bytes();
        // What isn't sent by now need not be.
        connection.abort();
        let problem: Problem = serde_json::from_slice(&bytes).map_err(garbled)?;
        Err(ClientError::Refused(problem.error))
    }
}

/// Why a request got no reply: a body that can't be read is our own fault.
fn lost(error: hyper::Error) -> ClientError {
    if !error.is_user() {
        return garbled(error);
    }
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let mut own = causes.filter_map(|cause| cause.downcast_ref::<io::Error>());
    match own.next() {
        Some(cause) => ClientError::Local(copy(cause)),
        None => garbled(error),
    }
}

/// An error like another, which is only lent.
fn copy(error: &io::Error) -> io::Error {
    let number = error.raw_os_error();
    number.map_or_else(
        || io::Error::new(error.kind(), error.to_string()),
        io::Error::from_raw_os_error,
    )
}

fn garbled(error: impl std::fmt::Display) -> ClientError {
    ClientError::Garbled(error.to_string())
}
