//! Rates and quotas as people write them: "100/s", "1.5GB/h", "10GB/day".

use super::amount::{Amount, AmountError, Short, shortened};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

/// How many units come back in how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RatePer {
    /// Units.
    pub units: NonZeroU64,
    /// In how long.
    pub period: Period,
}

/// A stretch of time that rates are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// Written `s`.
    Second,
    /// Written `m`.
    Minute,
    /// Written `h`.
    Hour,
    /// Written `d`.
    Day,
}

/// How much there is in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QuotaPer {
    /// Units.
    pub cap: NonZeroU64,
    /// How long the window lasts, that begins with a client's first use.
    pub window: Window,
}

/// A quota's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// An hour.
    Hour,
    /// A day.
    Day,
}

impl Period {
    const ALL: [Self; 4] = [Self::Second, Self::Minute, Self::Hour, Self::Day];

    /// Nanoseconds.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        let seconds = match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        };
        seconds * 1_000_000_000
    }

    /// The short name, which is written, and the long one.
    const fn names(self) -> [&'static str; 2] {
        match self {
            Self::Second => ["s", "second"],
            Self::Minute => ["m", "minute"],
            Self::Hour => ["h", "hour"],
            Self::Day => ["d", "day"],
        }
    }
}

impl Window {
    /// The window as the kernel wants it: in units of 2^30 ns, rounded up.
    #[must_use]
    pub const fn ticks(self) -> u32 {
        match self {
            Self::Hour => 3_353,
            Self::Day => 80_467,
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

impl RatePer {
    /// So many units a second.
    #[must_use]
    pub const fn per_sec(units: NonZeroU64) -> Self {
        Self { units, period: Period::Second }
    }

    /// Reads a rate; also says whether it was written in bytes.
    pub(super) fn read(text: &str) -> Result<(Self, bool), AmountError> {
        let said = || AmountError::Period(shortened(text));
        let (amount, period) = text.split_once('/').ok_or_else(said)?;
        let period = period.trim();
        let known = Period::ALL.into_iter().find(|known| known.names().contains(&period));
        let period = known.ok_or_else(said)?;
        let Amount { units, in_bytes } = amount.parse()?;
        Ok((Self { units, period }, in_bytes))
    }
}

impl QuotaPer {
    /// Reads a quota; also says whether it was written in bytes.
    pub(super) fn read(text: &str) -> Result<(Self, bool), AmountError> {
        let said = || AmountError::Window(shortened(text));
        let (amount, window) = text.split_once('/').ok_or_else(said)?;
        let known = [(Window::Hour, Period::Hour), (Window::Day, Period::Day)];
        let found = known.into_iter().find(|(_, period)| period.names().contains(&window.trim()));
        let (window, _) = found.ok_or_else(said)?;
        let Amount { units: cap, in_bytes } = amount.parse()?;
        Ok((Self { cap, window }, in_bytes))
    }
}

impl fmt::Display for RatePer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Short(self.units.get()), self.period.names()[0])
    }
}

impl fmt::Display for QuotaPer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Short(self.cap.get()), self.window.name())
    }
}

macro_rules! as_text {
    ($($type:ty),*) => {$(
        impl FromStr for $type {
            type Err = AmountError;

            fn from_str(text: &str) -> Result<Self, AmountError> {
                Self::read(text).map(|(read, _)| read)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

as_text!(RatePer, QuotaPer);
