//! A service under attack, and what its legitimate clients lose.

mod attack;
mod generator;
mod newcomers;
mod regulars;
mod scene;
mod site;

pub use attack::{Attack, SOURCE};
pub use generator::{Flood, Wave};
pub use newcomers::{Group, Groups};
pub use regulars::Requests;
pub use scene::Outcome;
pub use site::Site;
