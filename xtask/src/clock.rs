//! The only place that reads the clock or waits.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// A moment on the monotonic clock.
pub(crate) type Moment = Instant;

/// The present moment.
#[expect(clippy::disallowed_methods, reason = "the one place of xtask that reads the clock")]
pub(crate) fn now() -> Moment {
    Instant::now()
}

/// `12.3 s`, the time since `start`.
pub(crate) fn since(start: Moment) -> String {
    format!("{:.1} s", start.elapsed().as_secs_f64())
}

/// Asks `probe` again and again until it has an answer.
///
/// # Errors
///
/// What the probe itself fails with, or, at the limit, that `what` didn't happen.
pub(crate) fn poll<T>(
    what: &str,
    limit: Duration,
    mut probe: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let start = now();
    loop {
        if let Some(answer) = probe()? {
            return Ok(answer);
        }
        if start.elapsed() > limit {
            bail!("{what}: not within {} s", limit.as_secs_f32());
        }
        thread::sleep(PAUSE);
    }
}

/// Between two questions of [`poll`]: short against what a person notices,
/// long against what a question costs.
const PAUSE: Duration = Duration::from_millis(10);
