//! Outcomes as HTTP.

use super::api::Problem;
use super::handle::Refusal;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A reply: JSON, or why not.
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

/// A request's body, or why it wasn't taken.
pub(super) type Body = Result<Bytes, BytesRejection>;

/// The body's bytes.
pub(super) fn bytes(body: Body) -> Result<Bytes, Refusal> {
    body.map_err(|rejection| Refusal::Invalid(format!("the request was not read: {rejection}")))
}

/// The body as a request. An empty one is an empty object.
pub(super) fn parse<T: DeserializeOwned>(body: Body) -> Result<T, Refusal> {
    let bytes = bytes(body)?;
    let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
    serde_json::from_slice(text)
        .map_err(|error| Refusal::Invalid(format!("the request is not understood: {error}")))
}
