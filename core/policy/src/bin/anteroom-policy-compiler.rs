//! What `anteroom compile-policy` is, for tests.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    anteroom_policy::compile_policy(env::args_os().skip(1))
}
