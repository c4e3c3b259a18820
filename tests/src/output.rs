//! What the programs of this package print: the only place that does.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "results are for other programs to read, progress for people"
)]

/// Prints a line of the result.
pub fn result(line: &str) {
    println!("{line}");
}

/// Says how far the work is.
pub fn progress(line: &str) {
    eprintln!("{line}");
}
