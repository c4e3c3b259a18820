//! The client side: one request over the socket, one reply or a stream of lines.

use super::api::Problem;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use tokio::net::UnixStream;

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
        source: std::io::Error,
    },
    /// The daemon said no.
    #[error("{0}")]
    Refused(String),
    /// The daemon went away in the middle, or isn't one.
    #[error("the daemon's reply was cut short or not understood: {0}")]
    Garbled(String),
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

    /// Sends bytes and hands each line of the reply to `each` until it says stop.
    ///
    /// *Errors*: [`ClientError`].
    pub async fn lines<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        mut each: impl FnMut(T) -> bool,
    ) -> Result<(), ClientError> {
        let mut body = self.open(method, path, body.into()).await?.into_body();
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
        tokio::spawn(connection);
        let request = Request::builder().method(method).uri(path).header("host", "palisade");
        let request = request.body(body).map_err(garbled)?;
        let response = sender.send_request(request).await.map_err(garbled)?;
        if response.status() == StatusCode::OK {
            return Ok(response);
        }
        let bytes = response.into_body().collect().await.map_err(garbled)?.to_bytes();
        let problem: Problem = serde_json::from_slice(&bytes).map_err(garbled)?;
        Err(ClientError::Refused(problem.error))
    }
}

fn garbled(error: impl std::fmt::Display) -> ClientError {
    ClientError::Garbled(error.to_string())
}
