//! Server and client over a socket, with an owner that only writes down what it is asked.

use super::api::{
    AddEntries, AddVerdict, BlockFingerprint, CreateList, Done, Event, Explanation,
    FingerprintEntry, ListDetail, ListEntry, ListInfo, RemoveEntries, SetList, SetMode, Status,
    Traffic, VerdictEntry,
};
use super::client::{Client, ClientError, Progress};
use super::handle::{Handle, Import, Operator, Refusal};
use crate::policy::entries::Entries;
use crate::policy::list::ListAction;
use axum::http::Method;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::broadcast;

/// Knows one list, `feed`.
#[derive(Debug, Default)]
struct Fake {
    entries: Entries,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    #[expect(clippy::unnecessary_wraps, reason = "it is the outcome of what was asked")]
    fn note(&self, asked: String) -> Result<Done, Refusal> {
        self.asked.lock().unwrap().push(asked);
        Ok(Done { changed: 1, notes: Vec::new() })
    }

    fn find(name: &str) -> Result<(), Refusal> {
        let missing = || Refusal::NotFound(format!("there is no list {name:?}"));
        (name == "feed").then_some(()).ok_or_else(missing)
    }
}

fn info() -> ListInfo {
    ListInfo {
        name: "feed".into(),
        action: ListAction::Block,
        mode: "enforce".into(),
        priority: 0,
        v4: 2,
        v6: 0,
        matched: Traffic::default(),
        dropped: Traffic::default(),
        would_drop: Traffic::default(),
    }
}

impl Operator for Fake {
    fn status(&mut self) -> Result<Status, Refusal> {
        Err(Refusal::Failed("no status".into()))
    }
    fn lists(&mut self) -> Result<Vec<ListInfo>, Refusal> {
        Ok(vec![info()])
    }
    fn list(&mut self, name: &str, limit: usize) -> Result<ListDetail, Refusal> {
        Self::find(name)?;
        let entry = ListEntry {
            prefix: "192.0.2.1/32".into(),
            mode: "enforce".into(),
            comment: String::new(),
            added_unix_ms: 0,
            expires_unix_s: None,
        };
        Ok(ListDetail { list: info(), entries: vec![entry], more: limit })
    }
    fn create_list(&mut self, request: CreateList) -> Result<Done, Refusal> {
        self.note(format!("create {} {}", request.name, request.action))
    }
    fn set_list(&mut self, name: &str, request: SetList) -> Result<Done, Refusal> {
        self.note(format!("set {name} {:?}", request.priority))
    }
    fn drop_list(&mut self, name: &str) -> Result<Done, Refusal> {
        self.note(format!("drop {name}"))
    }
    fn add_entries(&mut self, list: &str, request: AddEntries) -> Result<Done, Refusal> {
        self.note(format!("add {list} {:?} {:?}", request.prefixes, request.lasts))
    }
    fn remove_entries(&mut self, list: &str, request: RemoveEntries) -> Result<Done, Refusal> {
        self.note(format!("remove {list} {:?}", request.prefixes))
    }
    fn import(&mut self, list: &str, import: Import) -> Result<Done, Refusal> {
        let Import { entries, report, replace, force } = import;
        self.note(format!("import {list} {} {replace} {force}", report.entries))?;
        self.entries = entries.finish().0;
        Ok(Done { changed: self.entries.len(), notes: Vec::new() })
    }
    fn export(&mut self, list: &str) -> Result<Entries, Refusal> {
        Self::find(list)?;
        Ok(self.entries.clone())
    }
    fn verdicts(&mut self) -> Vec<VerdictEntry> {
        Vec::new()
    }
    fn add_verdict(&mut self, _: AddVerdict) -> Result<Done, Refusal> {
        self.note("verdict".into())
    }
    fn remove_verdict(&mut self, _: &str) -> Result<Done, Refusal> {
        self.note("no verdict".into())
    }
    fn fingerprints(&mut self) -> Vec<FingerprintEntry> {
        Vec::new()
    }
    fn block_fingerprint(&mut self, _: &str, _: BlockFingerprint) -> Result<Done, Refusal> {
        self.note("rule".into())
    }
    fn unblock_fingerprint(&mut self, _: &str) -> Result<Done, Refusal> {
        self.note("no rule".into())
    }
    fn explain(&mut self, address: IpAddr) -> Explanation {
        let (address, client) = (address.to_string(), String::new());
        let (effect, reason) = (String::new(), String::new());
        Explanation { address, client, effect, reason, steps: Vec::new(), way_out: None }
    }
    fn set_mode(&mut self, _: SetMode) -> Result<Done, Refusal> {
        self.note("mode".into())
    }
    fn detach(&mut self) -> Result<Done, Refusal> {
        self.note("detach".into())
    }
    fn subscribe(&mut self) -> broadcast::Receiver<Event> {
        broadcast::channel(1).1
    }
}

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
async fn lists_are_made_changed_and_dropped() {
    let lab = Lab::start();
    let lists: Vec<ListInfo> = lab.client.get("/v1/lists").await.unwrap();
    assert_eq!(lists[0].name, "feed");
    let create = serde_json::json!({ "name": "new", "action": "limit:slow" });
    let set = serde_json::json!({ "priority": -3 });
    let add = serde_json::json!({ "prefixes": ["192.0.2.1"], "lasts": "10m" });
    let remove = serde_json::json!({ "prefixes": ["192.0.2.1"] });
    for (method, path, request) in [
        (Method::POST, "/v1/lists", create),
        (Method::PATCH, "/v1/lists/feed", set),
        (Method::POST, "/v1/lists/feed/entries", add),
        (Method::DELETE, "/v1/lists/feed/entries", remove),
        (Method::DELETE, "/v1/lists/feed", serde_json::Value::Null),
    ] {
        let done: Done = lab.client.send(method, path, &request).await.unwrap();
        assert_eq!(done.changed, 1, "{path}");
    }
    let expected = [
        "create new limit:slow",
        "set feed Some(-3)",
        "add feed [\"192.0.2.1\"] Some(\"10m\")",
        "remove feed [\"192.0.2.1\"]",
        "drop feed",
    ];
    assert_eq!(lab.asked(), expected);
}

#[tokio::test]
async fn what_is_misspelt_is_refused() {
    let lab = Lab::start();
    let client = &lab.client;
    let request = serde_json::json!({ "name": "new", "action": "blok" });
    let said = refused(client.send::<Done>(Method::POST, "/v1/lists", &request).await);
    assert!(said.contains("limit:PROFILE"), "{said}");
    let request = serde_json::json!({ "shadwo": true });
    let said = refused(client.send::<Done>(Method::PATCH, "/v1/lists/feed", &request).await);
    assert!(said.contains("shadwo"), "{said}");
    let said = refused(client.send::<Done>(Method::POST, "/v1/lists/feed", &request).await);
    assert!(said.contains("POST"), "{said}");
    for path in ["/v1/lists/feed?limit=x", "/v1/lists/feed?limt=1"] {
        let said = refused(client.get::<ListDetail>(path).await);
        assert!(said.contains("not understood"), "{said}");
    }
    assert_eq!(lab.asked(), [""; 0]);
}

#[tokio::test]
async fn a_list_is_shown_up_to_a_limit() {
    let lab = Lab::start();
    for (query, limit) in [("", 1000), ("?limit=7", 7), ("?limit=999999999", 100_000)] {
        let detail: ListDetail = lab.client.get(&format!("/v1/lists/feed{query}")).await.unwrap();
        assert_eq!(detail.more, limit, "{query}");
    }
    assert!(refused(lab.client.get::<ListDetail>("/v1/lists/x").await).contains("no list"));
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
