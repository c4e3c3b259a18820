//! The kernel side as the daemon sees it: object, maps, programs, links, ring buffer.
//!
//! This module knows map operations. It knows neither the policy nor the classifier.

pub mod object;
pub mod test_run;
