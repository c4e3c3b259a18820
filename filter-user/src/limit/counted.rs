//! Amounts as keys of a table have them.

use super::amount::{Amount, AmountError};
use super::check::SettingsError;
use super::per::{QuotaPer, RatePer};
use super::unit::Unit;
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU64;
use std::str::FromStr;

/// Something with an amount in it, and whether that was written in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted<T> {
    /// It.
    pub value: T,
    /// Whether it was written in bytes.
    pub in_bytes: bool,
}

impl<T> From<T> for Counted<T> {
    fn from(value: T) -> Self {
        Self { value, in_bytes: false }
    }
}

impl<T: Copy> Counted<T> {
    /// It, if it may be in that unit.
    pub(super) fn of(&self, unit: Unit, field: &'static str) -> Result<T, SettingsError> {
        if self.in_bytes && unit != Unit::Bytes {
            return Err(SettingsError::NotBytes { field, unit });
        }
        Ok(self.value)
    }
}

/// What an amount can be read into.
trait Read: Sized {
    fn read_text(text: &str) -> Result<Counted<Self>, AmountError>;

    fn read_number(number: NonZeroU64) -> Option<Self>;
}

impl Read for RatePer {
    fn read_text(text: &str) -> Result<Counted<Self>, AmountError> {
        Self::read(text).map(|(value, in_bytes)| Counted { value, in_bytes })
    }

    fn read_number(_: NonZeroU64) -> Option<Self> {
        None
    }
}

impl Read for QuotaPer {
    fn read_text(text: &str) -> Result<Counted<Self>, AmountError> {
        Self::read(text).map(|(value, in_bytes)| Counted { value, in_bytes })
    }

    fn read_number(_: NonZeroU64) -> Option<Self> {
        None
    }
}

impl Read for NonZeroU64 {
    fn read_text(text: &str) -> Result<Counted<Self>, AmountError> {
        text.parse().map(|Amount { units, in_bytes }| Counted { value: units, in_bytes })
    }

    fn read_number(number: NonZeroU64) -> Option<Self> {
        Some(number)
    }
}

impl<T: fmt::Display> fmt::Display for Counted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.value.to_string();
        let (amount, per) = text.split_at(text.find('/').unwrap_or(text.len()));
        write!(f, "{amount}{}{per}", if self.in_bytes { "B" } else { "" })
    }
}

impl<T: Read> FromStr for Counted<T> {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        T::read_text(text)
    }
}

impl<T: Serialize + fmt::Display> Serialize for Counted<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.in_bytes { serializer.collect_str(self) } else { self.value.serialize(serializer) }
    }
}

impl<'de, T: Read> Deserialize<'de> for Counted<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader(PhantomData))
    }
}

/// Reads a text, or a number where a bare number says enough.
struct Reader<T>(PhantomData<T>);

impl<T: Read> Visitor<'_> for Reader<T> {
    type Value = Counted<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount such as \"100/s\", \"10GB/day\" or 64")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Counted<T>, E> {
        T::read_text(text).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Counted<T>, E> {
        let text = || AmountError::Zero(number.to_string());
        let units = NonZeroU64::new(number).ok_or_else(|| E::custom(text()))?;
        let unexpected = Unexpected::Unsigned(number);
        let value = T::read_number(units).ok_or_else(|| E::invalid_type(unexpected, &self))?;
        Ok(Counted { value, in_bytes: false })
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Counted<T>, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::custom(AmountError::Negative(number.to_string()))),
        }
    }
}
