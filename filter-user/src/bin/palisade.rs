//! Palisade's command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    filter_user::cli::main()
}
