//! What a privileged test needs before it can say anything.

use nix::unistd::geteuid;

/// Why this process can't load programs, or nothing if it can try.
#[must_use]
pub fn missing() -> Option<&'static str> {
    (!geteuid().is_root()).then_some("only root may load XDP programs; `cargo xtask test` does")
}

/// Leaves a test that can't run, saying why in the form that the runner counts. The test
/// returns a `Result`.
#[macro_export]
macro_rules! require_privileges {
    () => {
        if let Some(reason) = $crate::privilege::missing() {
            $crate::output::result(&format!("SKIP: {reason}"));
            return Ok(());
        }
    };
}
