//! Server and client over a socket, with an owner that only writes down what it is asked.

mod fake;
mod knowledge;
mod limits;
mod lists;
mod transfer;

use super::api::Done;
use super::client::{Client, ClientError};
use super::handle::Handle;
use fake::Fake;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::net::UnixListener;

/// A server, a client of it, and what its owner was asked.
struct Lab {
    client: Client,
    asked: Arc<Mutex<Vec<String>>>,
    dir: TempDir,
}

impl Lab {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("socket");
        let listener = UnixListener::bind(&socket).unwrap();
        let mut owner = Fake::default();
        let asked = Arc::clone(&owner.asked);
        let (handle, mut work) = Handle::<Fake>::new();
        tokio::spawn(async move {
            while let Some(work) = work.recv().await {
                work(&mut owner);
            }
        });
        tokio::spawn(super::server::serve(listener, handle));
        Self { client: Client::new(&socket), asked, dir }
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    async fn import(&self, query: &str, text: &'static str) -> Result<Done, ClientError> {
        let path = format!("/v1/lists/feed/import?{query}");
        self.client.upload(&path, text.as_bytes(), |_| ()).await
    }
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, ClientError>) -> String {
    match outcome {
        Err(ClientError::Refused(text)) => text,
        other => panic!("not refused: {other:?}"),
    }
}
