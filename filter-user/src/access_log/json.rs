//! What the JSON formats share.

use super::LineError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use std::str::FromStr;

/// Reads a line as one JSON object. Keys that aren't known are ignored; one that comes twice is
/// an error.
///
/// Bytes that are no UTF-8 are U+FFFD: nginx writes them as they came, and no client shall be
/// able to make its lines malformed. A quote or a backslash is never part of such bytes.
pub(super) fn object<T: DeserializeOwned>(line: &[u8]) -> Result<T, LineError> {
    let text = String::from_utf8_lossy(line);
    serde_json::from_str(&text).map_err(|error| {
        let what = match error.classify() {
            Category::Data => "a field is of the wrong kind or comes twice",
            Category::Eof => "the object has no end",
            Category::Syntax | Category::Io => "this is no JSON",
        };
        LineError::Json { what, column: error.column() }
    })
}

/// A number, or a text that may hold one: servers differ, and so do those who configure them.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Whole(i64),
    Float(f64),
    Text(String),
}

impl Scalar {
    /// A whole number.
    ///
    /// *Errors*: something else.
    pub(super) fn number<T: FromStr>(&self, what: &'static str) -> Result<T, LineError> {
        let bad = LineError::Bad(what);
        match self {
            Self::Whole(number) => number.to_string().parse().map_err(|_| bad),
            Self::Text(text) => super::scan::number(text.as_bytes(), what),
            Self::Float(_) => Err(bad),
        }
    }
}

/// A number that is zero when it isn't there.
pub(super) fn number_or_zero<T: FromStr + Default>(
    scalar: Option<&Scalar>,
    what: &'static str,
) -> Result<T, LineError> {
    match scalar {
        None => Ok(T::default()),
        Some(Scalar::Text(text)) if matches!(text.as_str(), "" | "-") => Ok(T::default()),
        Some(scalar) => scalar.number(what),
    }
}

/// A field that has to be there.
pub(super) fn needed<T>(field: Option<T>, what: &'static str) -> Result<T, LineError> {
    field.ok_or(LineError::Missing(what))
}
