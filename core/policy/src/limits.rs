//! What a policy may use: the defaults and the ceilings of the design's table.

use std::time::Duration;

use serde::{Deserialize, Serialize};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Messages that `history` hands out at most, as `wit/host.wit` promises.
pub(crate) const HISTORY_MESSAGES: usize = 50;
/// What a guest may copy to the host in one crossing, in bytes: bounds what is lifted before it is measured.
pub(crate) const HOSTCALL_FUEL: usize = MIB;
/// Component-model handles alive at once. Our interfaces have no resources, so this is for adapters only.
pub(crate) const HANDLES: usize = 1_000;
/// Stack of the guest, in bytes. Threads that run policies need this and some 512 KiB for the host.
pub(crate) const STACK_BYTES: usize = 512 * KIB;

/// What one call of a policy may use. `Limits::default()` is right for nearly everybody; what an
/// organization asks for beyond it is checked with [`Limits::validate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Size of a component, in bytes.
    pub component_bytes: usize,
    /// Size of its compiled form, in bytes.
    pub compiled_bytes: usize,
    /// Linear memories and tables of all its instances, summed, in bytes.
    pub memory_bytes: usize,
    /// Instructions, roughly; the cost that authors see.
    pub fuel: u64,
    /// CPU time of the calling thread, in milliseconds.
    pub cpu_ms: u64,
    /// Time on the wall including host calls, in milliseconds.
    pub wall_ms: u64,
    /// What the hook is given (turn, settings, patient fields), in bytes; `history` is cut to this too.
    pub input_bytes: usize,
    /// What the hook returns, in bytes.
    pub output_bytes: usize,
    /// Log lines kept of one call, summed, in bytes.
    pub log_bytes: usize,
    /// One log line, in bytes; the rest is cut and marked.
    pub log_line_bytes: usize,
    /// Calls of `log`, kept or not; one more is a fault.
    pub log_calls: u32,
    /// Calls of every other import; one more is a fault.
    pub host_calls: u32,
    /// How long a call waits for a free place before it is refused as overload, in milliseconds.
    pub wait_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Python's interpreter is 18 MB, and twice that compiled.
            component_bytes: 20 * MIB,
            compiled_bytes: 64 * MIB,
            memory_bytes: 32 * MIB,
            fuel: 20_000_000,
            cpu_ms: 50,
            wall_ms: 250,
            input_bytes: 256 * KIB,
            output_bytes: 64 * KIB,
            log_bytes: 16 * KIB,
            log_line_bytes: KIB,
            log_calls: 1_000,
            host_calls: 200,
            wait_ms: 2_000,
        }
    }
}

/// A limit outside of 1 to its ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{limit}` is {asked}; it can be 1 to {ceiling}")]
pub struct BadLimit {
    /// The limit's name.
    pub limit: &'static str,
    /// What was asked for.
    pub asked: u64,
    /// The most there is.
    pub ceiling: u64,
}

impl Limits {
    /// The most that any organization can be given.
    pub const CEILING: Self = Self {
        component_bytes: 20 * MIB,
        compiled_bytes: 64 * MIB,
        memory_bytes: 64 * MIB,
        fuel: 200_000_000,
        cpu_ms: 250,
        wall_ms: 1_000,
        input_bytes: MIB,
        output_bytes: 256 * KIB,
        log_bytes: 64 * KIB,
        log_line_bytes: 4 * KIB,
        log_calls: 5_000,
        host_calls: 1_000,
        wait_ms: 10_000,
    };

    /// Places of one organization: at most this many calls at once.
    pub const PER_ORGANIZATION_CEILING: usize = 32;

    /// Refuses a limit of nothing and one over its ceiling, naming the first that is wrong.
    pub fn validate(&self) -> Result<(), BadLimit> {
        let pairs = self.named().into_iter().zip(Self::CEILING.named());
        for ((limit, asked), (_, ceiling)) in pairs {
            if asked == 0 || asked > ceiling {
                return Err(BadLimit { limit, asked, ceiling });
            }
        }
        Ok(())
    }

    pub(crate) const fn cpu(&self) -> Duration {
        Duration::from_millis(self.cpu_ms)
    }

    pub(crate) const fn wall(&self) -> Duration {
        Duration::from_millis(self.wall_ms)
    }

    pub(crate) const fn wait(&self) -> Duration {
        Duration::from_millis(self.wait_ms)
    }

    fn named(&self) -> [(&'static str, u64); 13] {
        [
            ("component_bytes", self.component_bytes as u64),
            ("compiled_bytes", self.compiled_bytes as u64),
            ("memory_bytes", self.memory_bytes as u64),
            ("fuel", self.fuel),
            ("cpu_ms", self.cpu_ms),
            ("wall_ms", self.wall_ms),
            ("input_bytes", self.input_bytes as u64),
            ("output_bytes", self.output_bytes as u64),
            ("log_bytes", self.log_bytes as u64),
            ("log_line_bytes", self.log_line_bytes as u64),
            ("log_calls", u64::from(self.log_calls)),
            ("host_calls", u64::from(self.host_calls)),
            ("wait_ms", self.wait_ms),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_and_ceilings_are_valid_and_nothing_beyond_is() {
        assert_eq!(Limits::default().validate(), Ok(()));
        assert_eq!(Limits::CEILING.validate(), Ok(()));
        let over = Limits { fuel: 200_000_001, ..Limits::default() };
        let error = BadLimit { limit: "fuel", asked: 200_000_001, ceiling: 200_000_000 };
        assert_eq!(over.validate(), Err(error));
        let none = Limits { host_calls: 0, ..Limits::default() };
        assert_eq!(none.validate().unwrap_err().limit, "host_calls");
    }
}
