//! The server side: routes, and nothing that decides.

use super::api::{AddVerdict, SetMode};
use super::handle::{Handle, Operator, Refusal};
use super::reply::{Body, Reply, ask, ask_for, problem};
use super::{judged, knowledge, limit, list};
use axum::Router;
use axum::body::Body as HttpBody;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use serde::Serialize;
use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use tokio::net::UnixListener;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::BroadcastStream;

/// Bytes of a request; a longer one is refused.
const REQUEST_BYTES: usize = 1 << 20;

/// Serves the API until the listener fails.
///
/// *Errors*: the listener's.
pub async fn serve<O: Operator>(listener: UnixListener, handle: Handle<O>) -> io::Result<()> {
    axum::serve(listener, router(handle)).await
}

fn router<O: Operator>(handle: Handle<O>) -> Router {
    Router::new()
        .route("/v1/status", get(status::<O>))
        .route("/v1/verdicts", get(verdicts::<O>).post(add_verdict::<O>))
        .route("/v1/verdicts/{*target}", delete(remove_verdict::<O>))
        .route("/v1/fingerprints", get(fingerprints::<O>))
        .route("/v1/fingerprints/{ja4}", get(fingerprint::<O>).put(label::<O>))
        .route("/v1/rules", get(rules::<O>))
        .route("/v1/rules/{*pattern}", put(set_rule::<O>).delete(remove_rule::<O>))
        .route("/v1/explain/{address}", get(explain::<O>))
        .route("/v1/events", get(events::<O>))
        .route("/v1/mode", put(set_mode::<O>))
        .route("/v1/detach", post(detach::<O>))
        .merge(judged::routes())
        .merge(knowledge::routes())
        .merge(limit::routes())
        .merge(list::routes())
        .layer(DefaultBodyLimit::max(REQUEST_BYTES))
        .fallback(unknown)
        .method_not_allowed_fallback(not_allowed)
        .with_state(handle)
}

async fn unknown(uri: Uri) -> Response {
    problem(StatusCode::NOT_FOUND, format!("there is no {uri} here; see `palisade --help`"))
}

async fn not_allowed(method: Method, uri: Uri) -> Response {
    let text = format!("{method} is nothing that {uri} takes; see `palisade --help`");
    problem(StatusCode::METHOD_NOT_ALLOWED, text)
}

async fn status<O: Operator>(State(handle): State<Handle<O>>) -> impl IntoResponse {
    ask(&handle, O::status).await
}

async fn verdicts<O: Operator>(State(handle): State<Handle<O>>) -> impl IntoResponse {
    ask(&handle, |owner| Ok(owner.verdicts())).await
}

async fn add_verdict<O: Operator>(
    State(handle): State<Handle<O>>,
    body: Body,
) -> impl IntoResponse {
    ask_for(&handle, body, |owner: &mut O, request: AddVerdict| owner.add_verdict(request)).await
}

/// Reads an address out of a path.
fn parse_address(text: &str) -> Result<IpAddr, Refusal> {
    let bad = || Refusal::Invalid(format!("{text:?} is no address, such as 192.0.2.1"));
    text.parse().map_err(|_| bad())
}

async fn remove_verdict<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(target): Path<String>,
) -> impl IntoResponse {
    ask(&handle, move |owner| owner.remove_verdict(&target)).await
}

async fn fingerprints<O: Operator>(State(handle): State<Handle<O>>) -> impl IntoResponse {
    ask(&handle, O::fingerprints).await
}

async fn fingerprint<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(ja4): Path<String>,
) -> impl IntoResponse {
    ask(&handle, move |owner| owner.fingerprint(&ja4)).await
}

async fn label<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(ja4): Path<String>,
    body: Body,
) -> impl IntoResponse {
    ask_for(&handle, body, move |owner: &mut O, request| owner.label(&ja4, request)).await
}

async fn rules<O: Operator>(State(handle): State<Handle<O>>) -> impl IntoResponse {
    ask(&handle, O::rules).await
}

async fn set_rule<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(pattern): Path<String>,
    body: Body,
) -> impl IntoResponse {
    ask_for(&handle, body, move |owner: &mut O, request| owner.set_rule(&pattern, request)).await
}

async fn remove_rule<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(pattern): Path<String>,
) -> impl IntoResponse {
    ask(&handle, move |owner| owner.remove_rule(&pattern)).await
}

async fn explain<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(address): Path<String>,
) -> impl IntoResponse {
    ask(&handle, move |owner| Ok(owner.explain(parse_address(&address)?))).await
}

async fn set_mode<O: Operator>(State(handle): State<Handle<O>>, body: Body) -> impl IntoResponse {
    ask_for(&handle, body, |owner: &mut O, request: SetMode| owner.set_mode(request)).await
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
