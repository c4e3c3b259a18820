//! Lists on their way in and out.

use super::{Lab, refused};
use crate::control::api::{Done, ListInfo};
use crate::control::client::{ClientError, Progress};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::UnixStream;

/// A line without end.
struct Endless(&'static [u8]);

impl AsyncRead for Endless {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        while buffer.remaining() >= self.0.len() {
            buffer.put_slice(self.0);
        }
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn what_is_imported_is_exported() {
    let lab = Lab::start();
    let text = "192.0.2.0/24 2099-12-01T00:00:00Z # why\n2001:db8::/32\n192.0.2.1 # a\n";
    let done = lab.import("format=plain&replace=true&force=true", text).await.unwrap();
    assert_eq!(done.changed, 3);
    assert_eq!(lab.asked(), ["import feed 3 true true"]);
    let mut out = Vec::new();
    let count = lab.client.download("/v1/lists/feed/export", &mut out).await.unwrap();
    assert_eq!(count, u64::try_from(out.len()).unwrap());
    let text = String::from_utf8(out).unwrap();
    let expected = "# palisade list feed, 3 entries\n192.0.2.0/24 2099-12-01T00:00:00Z # why\n\
                    192.0.2.1/32 # a\n2001:db8::/32\n";
    assert_eq!(text, expected);
    let path = "/v1/lists/feed/import";
    let done: Done =
        lab.client.upload(path, std::io::Cursor::new(text.into_bytes()), |_| ()).await.unwrap();
    assert_eq!((done.changed, lab.asked().remove(0).as_str()), (3, "import feed 3 false false"));
    assert!(
        refused(lab.client.download("/v1/lists/x/export", &mut Vec::new()).await).contains('x')
    );
}

#[tokio::test]
async fn a_bad_text_reaches_nobody() {
    let lab = Lab::start();
    for (query, text, says) in [
        ("format=plain", "192.0.2.1\n192.0.2.999\n", "line 2"),
        ("", "", "empty"),
        ("", "<html>", "csv:COLUMN"),
        ("format=xml", "192.0.2.1\n", "xml"),
        ("formt=plain", "192.0.2.1\n", "not understood"),
        ("replace=true", "192.0.2.1 2001-01-01T00:00:00Z\n", "has ended"),
    ] {
        let said = refused(lab.import(query, text).await);
        assert!(said.contains(says), "{query} gave {said}");
    }
    assert_eq!(lab.asked(), [""; 0]);
    lab.import("", "192.0.2.1 2001-01-01T00:00:00Z\n").await.unwrap();
    assert_eq!(lab.asked(), ["import feed 0 false false"]);
}

#[tokio::test]
async fn a_refusal_comes_before_all_was_sent() {
    let lab = Lab::start();
    for (path, line, says) in [
        ("/v1/lists/x/import", "192.0.2.1\n", "there is no list"),
        ("/v1/lists/feed/import?format=xml", "192.0.2.1\n", "xml"),
        ("/v1/lists/feed/import", "<html>\n", "csv:COLUMN"),
    ] {
        let source = Endless(line.as_bytes());
        let said = refused(lab.client.upload::<Done>(path, source, |_| ()).await);
        assert!(said.contains(says), "{path} gave {said}");
    }
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_sends_all_first() {
    let lab = Lab::start();
    let mut stream = UnixStream::connect(lab.dir.path().join("socket")).await.unwrap();
    let text = vec![b'\n'; 4 << 20];
    let head = format!(
        "POST /v1/lists/x/import HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n",
        text.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&text).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 404") && reply.contains("no list"), "{reply}");
}

#[tokio::test]
async fn a_client_that_goes_away_changes_nothing() {
    let lab = Lab::start();
    let mut stream = UnixStream::connect(lab.dir.path().join("socket")).await.unwrap();
    let part =
        "POST /v1/lists/feed/import HTTP/1.1\r\nhost: x\r\ncontent-length: 20\r\n\r\n192.0.2.1\n";
    stream.write_all(part.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut reply = Vec::new();
    // The server closes, with or without a word.
    let _ = stream.read_to_end(&mut reply).await;
    assert!(!reply.starts_with(b"HTTP/1.1 200"), "{}", reply.escape_ascii());
    lab.client.get::<Vec<ListInfo>>("/v1/lists").await.unwrap();
    assert_eq!(lab.asked(), [""; 0]);
}

#[tokio::test]
async fn a_source_that_fails_is_named_as_such() {
    let lab = Lab::start();
    let folder = tokio::fs::File::open(lab.dir.path()).await.unwrap();
    let outcome = lab.client.upload::<Done>("/v1/lists/feed/import", folder, |_| ()).await;
    assert!(matches!(outcome, Err(ClientError::Local(_))), "{outcome:?}");
    assert_eq!(lab.asked(), [""; 0]);
}

#[tokio::test]
async fn sending_tells_how_far_it_is() {
    let lab = Lab::start();
    let told = Arc::new(Mutex::new(Vec::new()));
    let teller = Arc::clone(&told);
    let tell = move |progress| teller.lock().unwrap().push(progress);
    let text: &[u8] = b"192.0.2.1\n";
    lab.client.upload::<Done>("/v1/lists/feed/import", text, tell).await.unwrap();
    assert_eq!(*told.lock().unwrap(), [Progress::Sent(10), Progress::Waiting]);
}
