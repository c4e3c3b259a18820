//! Why a line is no request.

use super::line::MAX_LINE;

/// Why a line is no request.
///
/// Its text names fields and never holds what a client said: it is shown and logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// A field isn't there.
    #[error("{0} is missing; does the server's log format have it?")]
    Missing(&'static str),
    /// A field isn't what the format says.
    #[error("{0} can't be read")]
    Bad(&'static str),
    /// Something follows the last field.
    #[error("something follows the last field")]
    Trailing,
    /// A byte that servers escape.
    #[error("it holds a control byte, which servers escape")]
    Control,
    /// No JSON, or not of this format.
    #[error("at column {column}: {what}")]
    Json {
        /// What is wrong.
        what: &'static str,
        /// Where.
        column: usize,
    },
    /// It goes on and on.
    #[error("it is longer than {MAX_LINE} bytes")]
    TooLong,
    /// The file ended, or was cut off, in the middle of it.
    #[error("the file ended in the middle of it")]
    CutOff,
    /// It starts as a syslog header and doesn't go on as one.
    #[error("its syslog header can't be read")]
    Syslog,
}
