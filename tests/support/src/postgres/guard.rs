//! What ends a cluster whose test can't.

use std::{
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
};

/// Waits for the end of its standard input, which comes when the test drops it or is gone, however it went.
/// Then ends what still runs in the data folder and removes the whole.
const SCRIPT: &str = r#"
cat >/dev/null
for process in /proc/[0-9]*; do
    if [ "$(readlink "$process/cwd")" = "$1" ]; then
        kill -KILL "${process#/proc/}"
    fi
done
rm -rf -- "$2"
"#;

/// A shell that waits for the test's end.
#[derive(Debug)]
pub(super) struct Guard(Child);

impl Guard {
    /// Over the cluster whose processes run in `data`, all of it below `home`.
    pub(super) fn over(data: &Path, home: &Path) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", SCRIPT, "postgres-guard"]).args([data, home]).current_dir("/");
        // It must not keep the pipe open that somebody reads our output from.
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Out of reach of the terminal's ^C, which would end it before its work.
        Self(shell.process_group(0).spawn().expect("a shell"))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}
