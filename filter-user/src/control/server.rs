//! The server side: routes, and nothing that decides.

use super::api::{ImportLine, SetMode};
use super::handle::{Handle, Operator, Refusal};
use super::reply::{Body, Reply, bytes, parse, problem};
use crate::policy::List;
use axum::Router;
use axum::body::Body as HttpBody;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use serde::Serialize;
use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::{BroadcastStream, UnboundedReceiverStream};

/// Bytes of a request; a longer one is refused.
const REQUEST_BYTES: usize = 1 << 20;

/// Bytes of a list: three million lines of twenty.
const IMPORT_BYTES: usize = 64 << 20;

/// Serves the API until the listener fails.
///
/// *Errors*: the listener's.
pub async fn serve<O: Operator>(listener: UnixListener, handle: Handle<O>) -> io::Result<()> {
    axum::serve(listener, router(handle)).await
}

fn router<O: Operator>(handle: Handle<O>) -> Router {
    let import = post(import::<O>).layer(DefaultBodyLimit::max(IMPORT_BYTES));
    Router::new()
        .route("/v1/status", get(status::<O>))
        .route("/v1/lists/{list}", get(entries::<O>).post(add::<O>).delete(remove::<O>))
        .route("/v1/verdicts", get(verdicts::<O>).post(add_verdict::<O>))
        .route("/v1/verdicts/{address}", delete(remove_verdict::<O>))
        .route("/v1/fingerprints", get(fingerprints::<O>))
        .route("/v1/fingerprints/{ja4}/rule", put(block::<O>).delete(unblock::<O>))
        .route("/v1/explain/{address}", get(explain::<O>))
        .route("/v1/events", get(events::<O>))
        .route("/v1/mode", put(set_mode::<O>))
        .route("/v1/detach", post(detach::<O>))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES))
        .route("/v1/lists/{list}/import", import)
        .fallback(unknown)
        .with_state(handle)
}

async fn unknown(uri: Uri) -> Response {
    problem(StatusCode::NOT_FOUND, format!("there is no {uri} here; see `palisade --help`"))
}

/// Has the owner do something that can be refused.
async fn ask<O: Operator, R: Send + 'static>(
    handle: &Handle<O>,
    work: impl FnOnce(&mut O) -> Result<R, Refusal> + Send + 'static,
) -> Reply<R> {
    Reply(handle.call(work).await.and_then(|outcome| outcome))
}

async fn status<O: Operator>(State(handle): State<Handle<O>>) -> impl IntoResponse {
    ask(&handle, O::status).await
}

fn parse_list(name: &str) -> Result<List, Refusal> {
    match name {
        "allow" => Ok(List::Allow),
        "block" => Ok(List::Block),
        _ => {
            Err(Refusal::NotFound(format!("there is no list {name:?}; there are allow and block")))
        }
    }
}

async fn entries<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(list): Path<String>,
) -> impl IntoResponse {
    ask(&handle, move |owner| Ok(owner.entries(parse_list(&list)?))).await
}

async fn add<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(list): Path<String>,
    body: Body,
) -> impl IntoResponse {
    ask(&handle, move |owner| owner.add_entries(parse_list(&list)?, parse(body)?)).await
}

async fn remove<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(list): Path<String>,
    body: Body,
) -> impl IntoResponse {
    ask(&handle, move |owner| owner.remove_entries(parse_list(&list)?, parse(body)?)).await
}

/// Replies with a line of JSON for each step, so that a person can be shown progress.
async fn import<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(list): Path<String>,
    body: Body,
) -> Response {
    let (list, text) = match (parse_list(&list), bytes(body)) {
        (Ok(list), Ok(text)) => (list, text),
        (Err(refusal), _) | (_, Err(refusal)) => return Reply::<()>(Err(refusal)).into_response(),
    };
    let (lines, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let report = lines.clone();
        let outcome = handle.call(move |owner| {
            owner.import(list, &text, &mut |done, total| {
                // Nobody may be listening; the import goes on.
                let _ = report.send(ImportLine::Progress { done, total });
            })
        });
        let ending = match outcome.await.and_then(|outcome| outcome) {
            Ok(done) => ImportLine::Done(done),
            Err(refusal) => ImportLine::Error(refusal.to_string()),
        };
        let _ = lines.send(ending);
    });
    stream(UnboundedReceiverStream::new(receiver))
}

async fn verdicts<O: Operator>(State(handle): State<Handle<O>>) -> impl IntoResponse {
    ask(&handle, |owner| Ok(owner.verdicts())).await
}

async fn add_verdict<O: Operator>(
    State(handle): State<Handle<O>>,
    body: Body,
) -> impl IntoResponse {
    ask(&handle, move |owner| owner.add_verdict(parse(body)?)).await
}

/// Reads an address out of a path.
fn parse_address(text: &str) -> Result<IpAddr, Refusal> {
    let bad = || Refusal::Invalid(format!("{text:?} is no address, such as 192.0.2.1"));
    text.parse().map_err(|_| bad())
}

async fn remove_verdict<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(address): Path<String>,
) -> impl IntoResponse {
    ask(&handle, move |owner| owner.remove_verdict(parse_address(&address)?)).await
}

async fn fingerprints<O: Operator>(State(handle): State<Handle<O>>) -> impl IntoResponse {
    ask(&handle, |owner| Ok(owner.fingerprints())).await
}

async fn block<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(ja4): Path<String>,
    body: Body,
) -> impl IntoResponse {
    ask(&handle, move |owner| owner.block_fingerprint(&ja4, parse(body)?)).await
}

async fn unblock<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(ja4): Path<String>,
) -> impl IntoResponse {
    ask(&handle, move |owner| owner.unblock_fingerprint(&ja4)).await
}

async fn explain<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(address): Path<String>,
) -> impl IntoResponse {
    ask(&handle, move |owner| Ok(owner.explain(parse_address(&address)?))).await
}

async fn set_mode<O: Operator>(State(handle): State<Handle<O>>, body: Body) -> impl IntoResponse {
    ask(&handle, move |owner| owner.set_mode(parse::<SetMode>(body)?)).await
}

async fn detach<O: Operator>(State(handle): State<Handle<O>>) -> impl IntoResponse {
    ask(&handle, O::detach).await
}

/// A line of JSON for each event. A reader that is too slow misses some.
async fn events<O: Operator>(State(handle): State<Handle<O>>) -> Response {
    match handle.call(O::subscribe).await {
        Ok(receiver) => stream(BroadcastStream::new(receiver).filter_map(Result::ok)),
        Err(refusal) => Reply::<()>(Err(refusal)).into_response(),
    }
}

fn stream<T: Serialize>(lines: impl tokio_stream::Stream<Item = T> + Send + 'static) -> Response {
    let lines = lines.map(|line| {
        let mut text = serde_json::to_vec(&line).unwrap_or_default();
        text.push(b'\n');
        Ok::<_, Infallible>(text)
    });
    ([("content-type", "application/x-ndjson")], HttpBody::from_stream(lines)).into_response()
}
