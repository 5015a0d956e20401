//! `anteroom compile-policy`: how this program compiles a policy, in a process that it can limit and kill.

use std::{ffi::OsString, process::ExitCode};

/// The command: it is no part of [`super::Cli`], because nobody types it, and its process limits itself
/// before it does anything else.
const COMMAND: &str = "compile-policy";

/// Compiles if the arguments (without the program's name) say so.
pub(super) fn asked(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.into_iter();
    (arguments.next()? == COMMAND).then(|| anteroom_policy::compile_policy(arguments))
}
