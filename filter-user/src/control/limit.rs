//! Routes on limit profiles.

use super::api::{Done, LimitInfo, SetLimit, TopEntry};
use super::handle::{Handle, Operator, Refusal};
use super::reply::{Body, Options, Reply, ask, ask_for, options};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use serde::Deserialize;

/// The routes. A profile that is called `top` can be set and removed like any other.
pub(super) fn routes<O: Operator>() -> Router<Handle<O>> {
    let one = get(top::<O>).put(set::<O>).delete(remove::<O>);
    Router::new().route("/v1/limits", get(limits::<O>)).route("/v1/limits/{limit}", one)
}

async fn limits<O: Operator>(State(handle): State<Handle<O>>) -> Reply<Vec<LimitInfo>> {
    ask(&handle, O::limits).await
}

async fn set<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(limit): Path<String>,
    body: Body,
) -> Reply<Done> {
    let work = move |owner: &mut O, request: SetLimit| owner.set_limit(&limit, request);
    ask_for(&handle, body, work).await
}

async fn remove<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(limit): Path<String>,
) -> Reply<Done> {
    ask(&handle, move |owner| owner.remove_limit(&limit)).await
}

/// Which keys are shown.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TopOptions {
    /// How many; more than ten thousand are not shown.
    #[serde(default = "default_count")]
    n: usize,
    /// Of which profile; of all if not said.
    #[serde(default)]
    profile: Option<String>,
}

/// Keys that are shown if nothing is said.
const fn default_count() -> usize {
    20
}

/// Keys that are shown at most.
const MAX_COUNT: usize = 10_000;

async fn top<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(asked_for): Path<String>,
    asked: Options<TopOptions>,
) -> Reply<Vec<TopEntry>> {
    if asked_for != "top" {
        let text = "only /v1/limits and /v1/limits/top can be read".to_owned();
        return Reply(Err(Refusal::NotFound(text)));
    }
    match options(asked) {
        Ok(TopOptions { n, profile }) => {
            ask(&handle, move |owner| owner.top(n.min(MAX_COUNT), profile.as_deref())).await
        }
        Err(refusal) => Reply(Err(refusal)),
    }
}
