//! The command `echosim`.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Both take the colours out where they could not be seen.
    let mut out = anstream::stdout().lock();
    let mut err = anstream::stderr().lock();
    echosim::cli::run(std::env::args_os(), &mut out, &mut err)
}
