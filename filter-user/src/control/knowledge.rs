//! Routes on what is known of clients.

use super::api::{Done, ImportKnowledge, KnowledgeInfo};
use super::handle::{Handle, Operator};
use super::reply::{Body, Reply, ask, ask_for};
use crate::classify::knowledge::MAX_BYTES;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::get;

/// Bytes of an import: in JSON each quote and line end of its text takes two.
const IMPORT_BYTES: usize = 2 * MAX_BYTES + (64 << 10);

/// The routes.
pub(super) fn routes<O: Operator>() -> Router<Handle<O>> {
    let all = get(show::<O>).put(import::<O>).delete(reset::<O>);
    Router::new().route("/v1/knowledge", all.layer(DefaultBodyLimit::max(IMPORT_BYTES)))
}

async fn show<O: Operator>(State(handle): State<Handle<O>>) -> Reply<KnowledgeInfo> {
    ask(&handle, |owner| Ok(owner.knowledge())).await
}

async fn import<O: Operator>(State(handle): State<Handle<O>>, body: Body) -> Reply<Done> {
    let work = |owner: &mut O, request: ImportKnowledge| owner.import_knowledge(request);
    ask_for(&handle, body, work).await
}

async fn reset<O: Operator>(State(handle): State<Handle<O>>) -> Reply<Done> {
    ask(&handle, O::reset_knowledge).await
}
