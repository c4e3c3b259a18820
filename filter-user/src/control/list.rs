//! Routes on lists.

use super::api::{CreateList, Done, ListDetail, ListInfo};
use super::export;
use super::handle::{Handle, Import, Operator, Refusal};
use super::import::{MAX_IMPORT_ENTRIES, Reading};
use super::reply::{Body, Options, Reply, ask, ask_for, options};
use crate::clock::Now;
use axum::Router;
use axum::body::{Body as HttpBody, BodyDataStream};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use tokio_stream::StreamExt;

/// The routes. An import's body has no limit but that of its entries.
pub(super) fn routes<O: Operator>() -> Router<Handle<O>> {
    let import = post(import::<O>).layer(DefaultBodyLimit::disable());
    Router::new()
        .route("/v1/lists", get(lists::<O>).post(create::<O>))
        .route("/v1/lists/{list}", get(show::<O>).patch(set::<O>).delete(drop_list::<O>))
        .route("/v1/lists/{list}/entries", post(add::<O>).delete(remove::<O>))
        .route("/v1/lists/{list}/export", get(export::<O>))
        .route("/v1/lists/{list}/import", import)
}

async fn lists<O: Operator>(State(handle): State<Handle<O>>) -> Reply<Vec<ListInfo>> {
    ask(&handle, O::lists).await
}

async fn create<O: Operator>(State(handle): State<Handle<O>>, body: Body) -> Reply<Done> {
    ask_for(&handle, body, |owner: &mut O, request: CreateList| owner.create_list(request)).await
}

/// How much of a list is shown.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShowOptions {
    /// Entries; more than a hundred thousand are not shown.
    #[serde(default = "default_limit")]
    limit: usize,
}

/// Entries that are shown if nothing is said.
const fn default_limit() -> usize {
    1000
}

/// Entries that are shown at most: each takes 200 bytes of a reply, and the daemon's time.
const MAX_LIMIT: usize = 100_000;

async fn show<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(list): Path<String>,
    asked: Options<ShowOptions>,
) -> Reply<ListDetail> {
    match options(asked) {
        Ok(ShowOptions { limit }) => {
            ask(&handle, move |owner| owner.list(&list, limit.min(MAX_LIMIT))).await
        }
        Err(refusal) => Reply(Err(refusal)),
    }
}

async fn set<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(list): Path<String>,
    body: Body,
) -> Reply<Done> {
    ask_for(&handle, body, move |owner: &mut O, request| owner.set_list(&list, request)).await
}

async fn drop_list<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(list): Path<String>,
) -> Reply<Done> {
    ask(&handle, move |owner| owner.drop_list(&list)).await
}

async fn add<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(list): Path<String>,
    body: Body,
) -> Reply<Done> {
    ask_for(&handle, body, move |owner: &mut O, request| owner.add_entries(&list, request)).await
}

async fn remove<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(list): Path<String>,
    body: Body,
) -> Reply<Done> {
    ask_for(&handle, body, move |owner: &mut O, request| owner.remove_entries(&list, request)).await
}

/// The owner is asked for a copy alone; writing it takes none of its time.
async fn export<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(list): Path<String>,
) -> Response {
    let name = list.clone();
    match ask(&handle, move |owner| owner.export(&list)).await.0 {
        Ok(entries) => {
            let kind = [("content-type", "text/plain; charset=utf-8")];
            (kind, export::body(name, entries)).into_response()
        }
        Err(refusal) => Reply::<()>(Err(refusal)).into_response(),
    }
}

/// How a text is imported.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ImportOptions {
    /// How it is written; found out if not said.
    #[serde(default)]
    format: Option<String>,
    /// Whether it takes the place of what the list has.
    #[serde(default)]
    replace: bool,
    /// Whether the list may shrink by more than the configuration allows.
    #[serde(default)]
    force: bool,
}

async fn import<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(list): Path<String>,
    asked: Options<ImportOptions>,
    body: HttpBody,
) -> Reply<Done> {
    let mut body = body.into_data_stream();
    let import = match options(asked) {
        Ok(asked) => read_import(&handle, &list, asked, &mut body).await,
        Err(refusal) => Err(refusal),
    };
    match import {
        Ok(import) => ask(&handle, move |owner| owner.import(&list, import)).await,
        Err(refusal) => {
            tokio::spawn(drain(body));
            Reply(Err(refusal))
        }
    }
}

async fn read_import<O: Operator>(
    handle: &Handle<O>,
    list: &str,
    asked: ImportOptions,
    body: &mut BodyDataStream,
) -> Result<Import, Refusal> {
    let format = asked.format.as_deref().map(str::parse).transpose();
    let format = format.map_err(|error| Refusal::Invalid(format!("{error}")))?.unwrap_or_default();
    let name = list.to_owned();
    // A list that isn't there is worth knowing before a long text was sent.
    ask(handle, move |owner| owner.list(&name, 0)).await.0?;
    let reading = Reading { format, max_entries: MAX_IMPORT_ENTRIES, now: Now::read() };
    let (entries, report) = reading.read(body).await?;
    if asked.replace && report.entries == 0 {
        let text = "every entry of the new list has ended, which leaves it empty; nothing was \
                    replaced";
        return Err(Refusal::Invalid(text.into()));
    }
    Ok(Import { entries, report, replace: asked.replace, force: asked.force })
}

/// Throws away what is left of a refused text. A client that sends all before it reads
/// would otherwise find the connection closed, and not the reply.
async fn drain(mut body: BodyDataStream) {
    while let Some(Ok(_)) = body.next().await {}
}
