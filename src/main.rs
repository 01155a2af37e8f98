//! The program: runs the library and ends with its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    procward::cli::main().into()
}
