//! Requests to the owner, and outcomes as HTTP.

use super::api::Problem;
use super::handle::{Handle, Operator, Refusal};
use axum::Json;
use axum::body::Bytes;
use axum::extract::Query;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A reply: JSON, or why not.
#[derive(Debug)]
pub(super) struct Reply<T>(pub(super) Result<T, Refusal>);

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        match self.0 {
            Ok(value) => Json(value).into_response(),
            Err(refusal) => problem(status_of(&refusal), refusal.to_string()),
        }
    }
}

/// A refusal that isn't the owner's.
pub(super) fn problem(status: StatusCode, error: String) -> Response {
    (status, Json(Problem { error })).into_response()
}

const fn status_of(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Invalid(_) => StatusCode::BAD_REQUEST,
        Refusal::NotFound(_) => StatusCode::NOT_FOUND,
        Refusal::Conflict(_) => StatusCode::CONFLICT,
        Refusal::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Has the owner do something that can be refused.
pub(super) async fn ask<O: Operator, R: Send + 'static>(
    handle: &Handle<O>,
    work: impl FnOnce(&mut O) -> Result<R, Refusal> + Send + 'static,
) -> Reply<R> {
    Reply(handle.call(work).await.and_then(|outcome| outcome))
}

/// Has the owner do what a body asks for.
pub(super) async fn ask_for<O, T, R>(
    handle: &Handle<O>,
    body: Body,
    work: impl FnOnce(&mut O, T) -> Result<R, Refusal> + Send + 'static,
) -> Reply<R>
where
    O: Operator,
    T: DeserializeOwned + Send + 'static,
    R: Send + 'static,
{
    match parse(body) {
        Ok(request) => ask(handle, move |owner| work(owner, request)).await,
        Err(refusal) => Reply(Err(refusal)),
    }
}

/// A request's body, or why it wasn't taken.
pub(super) type Body = Result<Bytes, BytesRejection>;

/// The body as a request. An empty one is an empty object.
fn parse<T: DeserializeOwned>(body: Body) -> Result<T, Refusal> {
    let bytes = body
        .map_err(|rejection| Refusal::Invalid(format!("the request was not read: {rejection}")))?;
    let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
    serde_json::from_slice(text).map_err(|error| not_understood(&error))
}

/// What follows a path's `?`, or why it wasn't taken.
pub(super) type Options<T> = Result<Query<T>, QueryRejection>;

/// The options as a request.
pub(super) fn options<T>(options: Options<T>) -> Result<T, Refusal> {
    options.map(|Query(options)| options).map_err(|rejection| not_understood(&rejection))
}

fn not_understood(error: &impl std::fmt::Display) -> Refusal {
    Refusal::Invalid(format!("the request is not understood: {error}"))
}
