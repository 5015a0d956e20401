//! Calls every hook of an upload on made-up turns, twice each: a fault is found by its author, and not by a
//! patient's text.

use std::time::{Duration, Instant};

use anteroom_model::hooks::{Hook, HookInput};
use serde::{Deserialize, Serialize};
use wasmtime::Engine;

use crate::{
    Fault, FaultKind, Limits, Outcome, Policy, Refusal, Settings,
    fixtures::{self, Fixture},
    hooks,
    run::{Ran, run},
    state::Facts,
};

/// All calls together. Calls within their own limits come nowhere near it on a machine that isn't overrun.
const TIME: Duration = Duration::from_secs(30);
/// Functions of a backtrace that a refusal names.
const FRAMES: usize = 8;

/// The most that a hook took on any of the sample turns, so that its author sees what is left of the limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Probe {
    /// Which hook.
    #[cfg_attr(feature = "utoipa", schema(value_type = String))]
    pub hook: Hook,
    /// Sample turns it answered.
    pub turns: u32,
    /// Most fuel of one call.
    pub fuel: u64,
    /// Most memory of one call, in bytes.
    pub memory_peak: u64,
    /// Longest call, in microseconds.
    pub micros: u64,
}

/// Probes all hooks of `policy`, in their order.
pub(crate) fn probe(engine: &Engine, policy: &Policy, limits: Limits) -> Result<Vec<Probe>, Refusal> {
    let prober = Prober { engine, policy, limits, ends: Instant::now() + TIME };
    policy.hooks.iter().map(|&hook| prober.hook(hook)).collect()
}

struct Prober<'a> {
    engine: &'a Engine,
    policy: &'a Policy,
    limits: Limits,
    ends: Instant,
}

impl Prober<'_> {
    fn hook(&self, hook: Hook) -> Result<Probe, Refusal> {
        let mut probe = Probe { hook, turns: 0, fuel: 0, memory_peak: 0, micros: 0 };
        let mut turns = fixtures::first(hook);
        turns.reverse();
        while let Some(turn) = turns.pop() {
            let ran = self.twice(&turn)?;
            probe.turns += 1;
            probe.fuel = probe.fuel.max(ran.fuel);
            probe.memory_peak = probe.memory_peak.max(ran.memory_peak);
            probe.micros = probe.micros.max(ran.micros);
            if let Outcome::Decided(output) = &ran.outcome {
                turns.extend(fixtures::next(&turn.input, output));
            }
        }
        Ok(probe)
    }

    fn twice(&self, turn: &Fixture) -> Result<Ran, Refusal> {
        let path = format!("{}: {}", turn.input.hook(), turn.name);
        let mut first = self.once(&path, &turn.input)?;
        let second = self.once(&path, &turn.input)?;
        first.micros = first.micros.max(second.micros);
        match difference(&first, &second) {
            None => Ok(first),
            Some(what) => Err(Refusal::new(
                "not_deterministic",
                path,
                "the same answer, log, host calls, fuel and memory at the same turn",
                format!("another {what} the second time"),
                "Build without anything whose result may vary, and take time and chance from \
                 anteroom:policy/host (`now`, `seed`) only.",
            )),
        }
    }

    fn once(&self, path: &str, input: &HookInput) -> Result<Ran, Refusal> {
        if Instant::now() > self.ends {
            return Err(Refusal::host("a machine too busy to probe the policy in time"));
        }
        let manifest = &self.policy.manifest;
        let facts = Facts {
            now: fixtures::NOW,
            seed: fixtures::SEED,
            history: fixtures::history(),
            patient: fixtures::patient(&manifest.patient_fields),
            ..Facts::bare(Settings::from(manifest.default_settings.to_string()))
        };
        let ran = run(self.engine, self.policy, self.limits, input, facts);
        match &ran.outcome {
            Outcome::Fault(fault) if !passes(fault) => Err(refuse(path, fault, &self.limits)),
            Outcome::Overload => Err(Refusal::host("no room in the pool")),
            _ => Ok(ran),
        }
    }
}

/// What a policy says of itself is an answer. So is a name that only the real organization has.
fn passes(fault: &Fault) -> bool {
    match fault.kind {
        FaultKind::Settings | FaultKind::PolicyError => true,
        FaultKind::InvalidOutput => hooks::is_unknown_name(fault),
        _ => false,
    }
}

fn refuse(path: &str, fault: &Fault, limits: &Limits) -> Refusal {
    let Fault { kind, message, backtrace } = fault;
    if matches!(kind, FaultKind::Host | FaultKind::WallTime) {
        return Refusal::host(format!("{kind} in the probe: {message}"));
    }
    let mut found = format!("{kind}: {message}");
    if !backtrace.is_empty() {
        let frames: Vec<_> = backtrace.iter().take(FRAMES).map(String::as_str).collect();
        found = format!("{found}, in {}", frames.join(" < "));
    }
    let Limits { fuel, cpu_ms, memory_bytes, output_bytes, host_calls, log_calls, .. } = limits;
    let (expected, fix) = match kind {
        FaultKind::Fuel => (
            format!("an answer within {fuel} fuel"),
            "Do less for each turn: parse tables and settings lazily, and look for loops that a text can keep \
             going.",
        ),
        FaultKind::CpuTime => (
            format!("an answer within {cpu_ms} ms of CPU time"),
            "Do less for each turn: parse tables and settings lazily.",
        ),
        FaultKind::Memory => (
            format!("an answer within {memory_bytes} bytes of memory"),
            "Keep less at once; for Python and JavaScript, import fewer modules.",
        ),
        FaultKind::Stack => (
            "an answer without endless recursion".to_owned(),
            "Turn the recursion into a loop, or bound its depth.",
        ),
        FaultKind::OutputTooLarge => {
            (format!("an answer of at most {output_bytes} bytes"), "Shorten what the hook returns.")
        }
        FaultKind::InputTooLarge => (
            "default settings that leave room for a turn".to_owned(),
            "Shorten default_settings in the manifest.",
        ),
        FaultKind::HostCalls => (
            format!("at most {host_calls} calls of the host"),
            "Ask the host once for each fact, and keep the answer.",
        ),
        FaultKind::Log => (format!("at most {log_calls} calls of `log`"), "Log less."),
        FaultKind::InvalidOutput => (
            "an answer that the hook allows".to_owned(),
            "See the hook's file in wit/ for what its fields may hold.",
        ),
        _ => (
            "an answer to every turn, also to unusual texts".to_owned(),
            "Find the cause by the functions named (build with names: no `strip`), and return `none` or an \
             error for what the policy can't answer.",
        ),
    };
    Refusal::new("probe_fault", path, expected, found, fix)
}

/// What two calls have not in common, though they should.
fn difference(first: &Ran, second: &Ran) -> Option<&'static str> {
    [
        ("outcome", first.outcome == second.outcome),
        ("log", first.log == second.log),
        ("list of host calls", first.answers == second.answers),
        ("fuel", first.fuel == second.fuel),
        ("memory", first.memory_peak == second.memory_peak),
    ]
    .into_iter()
    .find_map(|(what, is_same)| (!is_same).then_some(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_calls_differ_by_what_the_policy_did_and_not_by_time() {
        let ran = |fuel, micros| Ran { fuel, micros, ..Ran::nothing(Outcome::NoOpinion) };
        assert_eq!(difference(&ran(1, 1), &ran(1, 2)), None);
        assert_eq!(difference(&ran(1, 1), &ran(2, 1)), Some("fuel"));
        assert_eq!(difference(&ran(1, 1), &Ran::nothing(Outcome::Overload)), Some("outcome"));
    }

    #[test]
    fn refusals_of_the_probe_say_where_and_what_to_do() {
        let backtrace = vec!["parse".to_owned(), "route".to_owned()];
        let trap = Fault { backtrace, ..Fault::new(FaultKind::Trap, "unreachable") };
        let refusal = refuse("routing: empty text", &trap, &Limits::default());
        assert_eq!((refusal.code.as_str(), refusal.path.as_str()), ("probe_fault", "routing: empty text"));
        assert_eq!(refusal.found, "trap: unreachable, in parse < route");
        assert!(!refuse("", &Fault::new(FaultKind::WallTime, ""), &Limits::default()).is_authors());
    }
}
