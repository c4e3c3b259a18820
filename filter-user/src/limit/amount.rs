//! Amounts as people write them: "100", "20k", "1.5GB", "64KiB".

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

/// Units, with or without a B at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub units: NonZeroU64,
    /// Whether it was written as bytes.
    pub in_bytes: bool,
}

/// An amount that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// It is no number.
    #[error("{0:?} is no amount such as 100, 20k, 1.5GB or 64KiB")]
    NotANumber(String),
    /// It is below zero.
    #[error("{0:?} is negative")]
    Negative(String),
    /// It is zero.
    #[error("{0:?} is zero, which would refuse everything; to refuse everything, use a blocklist")]
    Zero(String),
    /// It isn't whole.
    #[error("{0:?} is no whole number; a longer period may help: 90/m is 1.5 a second")]
    Fraction(String),
    /// It doesn't fit into 64 bits.
    #[error("{0:?} is too large for any limit")]
    TooLarge(String),
    /// What stands behind the number isn't known.
    #[error(
        "{0:?} has an unknown suffix; there are k, M, G, T, Ki, Mi, Gi and Ti, with or without B"
    )]
    Suffix(String),
    /// A rate without a period, or with an unknown one.
    #[error("{0:?} is no rate such as 100/s, 10/m, 5/h, 1/d or 10MB/s")]
    Period(String),
    /// A quota without a window, or with an unknown one.
    #[error("{0:?} is no quota such as 10GB/hour or 500/day")]
    Window(String),
}

/// Suffixes, the larger of a kind first.
const SUFFIXES: [(&str, u64); 9] = [
    ("T", 1_000_000_000_000),
    ("G", 1_000_000_000),
    ("M", 1_000_000),
    ("k", 1_000),
    ("K", 1_000),
    ("Ti", 1 << 40),
    ("Gi", 1 << 30),
    ("Mi", 1 << 20),
    ("Ki", 1 << 10),
];

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let said = |error: fn(String) -> AmountError| error(shortened(text));
        let digits = text.trim();
        if digits.starts_with('-') {
            return Err(said(AmountError::Negative));
        }
        let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
        let (number, suffix) = digits.split_at(end);
        let (scale, in_bytes) = scale(suffix.trim()).ok_or_else(|| said(AmountError::Suffix))?;
        let units = scaled(number, scale).map_err(said)?;
        let units = NonZeroU64::new(units).ok_or_else(|| said(AmountError::Zero))?;
        Ok(Self { units, in_bytes })
    }
}

/// What a suffix multiplies by, and whether it says bytes.
fn scale(suffix: &str) -> Option<(u64, bool)> {
    let (name, in_bytes) = match suffix.strip_suffix('B') {
        Some(name) => (name, true),
        None => (suffix, false),
    };
    if name.is_empty() {
        return Some((1, in_bytes));
    }
    let found = SUFFIXES.iter().find(|(known, _)| *known == name);
    found.map(|(_, scale)| (*scale, in_bytes))
}

/// A decimal number times a scale; it has to come out whole.
fn scaled(number: &str, scale: u64) -> Result<u64, fn(String) -> AmountError> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let has_point = number.contains('.');
    if whole.is_empty() || fraction.contains('.') || (has_point && fraction.is_empty()) {
        return Err(AmountError::NotANumber);
    }
    let fraction = fraction.trim_end_matches('0');
    let places = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
    let digits: u128 =
        format!("{whole}{fraction}").parse().map_err(|_| AmountError::TooLarge as fn(_) -> _)?;
    let below = 10_u128.checked_pow(places).ok_or(AmountError::Fraction as fn(_) -> _)?;
    let product =
        digits.checked_mul(u128::from(scale)).ok_or(AmountError::TooLarge as fn(_) -> _)?;
    if product % below != 0 {
        return Err(AmountError::Fraction);
    }
    u64::try_from(product / below).map_err(|_| AmountError::TooLarge as fn(_) -> _)
}

pub(super) fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Units with the largest suffix that leaves them whole.
pub(super) struct Short(pub(super) u64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |scale: u64| self.0 != 0 && self.0.is_multiple_of(scale);
        match SUFFIXES[..4].iter().find(|(_, scale)| fits(*scale)) {
            Some((suffix, scale)) => write!(f, "{}{suffix}", self.0 / scale),
            None => write!(f, "{}", self.0),
        }
    }
}
