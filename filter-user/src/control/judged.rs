//! Routes about what the classifier holds and decided.

use super::api::{FalsePositive, Forgive};
use super::handle::{Handle, Operator};
use super::reply::{Body, ask, ask_for};
use axum::Router;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::routing::{delete, get, post};

pub(super) fn routes<O: Operator>() -> Router<Handle<O>> {
    Router::new()
        .route("/v1/explain/fingerprint/{ja4}", get(explain::<O>))
        .route("/v1/forgive", post(forgive::<O>))
        .route("/v1/exceptions", get(exceptions::<O>).post(report_false_positive::<O>))
        .route("/v1/exceptions/{*whom}", delete(remove_exception::<O>))
        .route("/v1/policy", get(policy::<O>))
        .route("/v1/policy/review", get(review::<O>))
        .route("/v1/policy/reload", post(reload::<O>))
}

async fn explain<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(ja4): Path<String>,
) -> impl IntoResponse {
    ask(&handle, move |owner| owner.explain_fingerprint(&ja4)).await
}

async fn forgive<O: Operator>(State(handle): State<Handle<O>>, body: Body) -> impl IntoResponse {
    ask_for(&handle, body, |owner: &mut O, request: Forgive| owner.forgive(&request.whom)).await
}

async fn report_false_positive<O: Operator>(
    State(handle): State<Handle<O>>,
    body: Body,
) -> impl IntoResponse {
    let report = |owner: &mut O, request: FalsePositive| owner.report_false_positive(request);
    ask_for(&handle, body, report).await
}

async fn exceptions<O: Operator>(State(handle): State<Handle<O>>) -> impl IntoResponse {
    ask(&handle, |owner| Ok(owner.exceptions())).await
}

async fn remove_exception<O: Operator>(
    State(handle): State<Handle<O>>,
    Path(whom): Path<String>,
) -> impl IntoResponse {
    ask(&handle, move |owner| owner.remove_exception(&whom)).await
}

async fn policy<O: Operator>(State(handle): State<Handle<O>>) -> impl IntoResponse {
    ask(&handle, |owner| Ok(owner.policy())).await
}

async fn review<O: Operator>(State(handle): State<Handle<O>>) -> impl IntoResponse {
    ask(&handle, |owner| Ok(owner.review())).await
}

async fn reload<O: Operator>(State(handle): State<Handle<O>>) -> impl IntoResponse {
    ask(&handle, O::reload_policy).await
}
