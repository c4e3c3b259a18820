//! Limits as operators name them: what they say, what packets make of them, who is over.
//!
//! Pure: nothing here reads a clock, a file or a map. [`LimitSettings`] is one limit,
//! [`LimitBook`] holds all of them under their names and compiles them to what the kernel
//! wants.

pub mod amount;
pub mod book;
pub mod built_in;
mod check;
pub mod compile;
mod counted;
pub mod guard;
mod key;
pub mod offence;
pub mod per;
mod profile;
pub mod service;
pub mod settings;
pub mod top;
pub mod transition;
pub mod unit;
pub mod whom;
mod written;

pub use amount::{Amount, AmountError};
pub use book::{BookError, Change, LimitBook, NamedLimit, Origin};
pub use check::SettingsError;
pub use compile::Compiled;
pub use counted::Counted;
pub use key::{KeyError, LimitKey};
pub use per::{Period, QuotaPer, RatePer, Window};
pub use service::{Protocol, Service, ServiceError};
pub use settings::{Allowance, LimitAction, LimitSettings};
pub use unit::Unit;
pub use written::Written;

#[cfg(test)]
mod tests;
