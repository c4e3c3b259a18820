//! How the text of an import is written: as it is said to be, or as it looks.

use crate::policy::import::{Format, FormatError};
use std::fmt;
use std::str::FromStr;

/// How the text of an import is written.
///
/// *Shape*: as a text, `auto` or what [`Format`] takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FormatChoice {
    /// As its first lines look.
    #[default]
    Auto,
    /// As it is said to be.
    Said(Format),
}

/// A text that names no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; or auto, to have it found out")]
pub struct ChoiceError(#[from] FormatError);

impl FromStr for FormatChoice {
    type Err = ChoiceError;

    /// *Errors*: [`ChoiceError`], which lists the formats.
    fn from_str(text: &str) -> Result<Self, ChoiceError> {
        if text == AUTO { Ok(Self::Auto) } else { Ok(Self::Said(text.parse()?)) }
    }
}

impl fmt::Display for FormatChoice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => out.write_str(AUTO),
            Self::Said(format) => format.fmt(out),
        }
    }
}

const AUTO: &str = "auto";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_reads_back_as_it_is_shown() {
        for text in ["auto", "plain", "csv:1-2", "json:src_ip"] {
            assert_eq!(text.parse::<FormatChoice>().unwrap().to_string(), text);
        }
        let error = "xml".parse::<FormatChoice>().unwrap_err().to_string();
        assert!(error.contains("csv:COLUMN") && error.contains("auto"), "{error}");
    }
}
