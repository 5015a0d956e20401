//! One call: a fresh store and instance, the function, and what is left when it ends.

use std::panic::{AssertUnwindSafe, catch_unwind};

use anteroom_model::hooks::{HistoryMessage, Hook, HookInput, HookOutput};
use wasmtime::{Engine, Store};

use crate::{
    Fault, FaultKind, HostAnswer, Limits, LogLine, Outcome, Policy,
    bindings::types::PolicyError,
    fault::{Ending, classify},
    hooks::{self, Answer, Size},
    limits::{HANDLES, HOSTCALL_FUEL},
    state::{Facts, State},
};

/// What a call left behind.
pub(crate) struct Ran {
    pub(crate) outcome: Outcome,
    pub(crate) answers: Vec<HostAnswer>,
    pub(crate) history: Vec<HistoryMessage>,
    pub(crate) log: Vec<LogLine>,
    pub(crate) fuel: u64,
    pub(crate) memory_peak: u64,
    pub(crate) micros: u64,
    /// In a replay: where it left the record.
    pub(crate) divergence: Option<String>,
    /// In a replay: recorded answers that nobody asked for.
    pub(crate) unasked: usize,
}

impl Ran {
    /// Of a call that never started.
    pub(crate) fn nothing(outcome: Outcome) -> Self {
        Self {
            outcome,
            answers: Vec::new(),
            history: Vec::new(),
            log: Vec::new(),
            fuel: 0,
            memory_peak: 0,
            micros: 0,
            divergence: None,
            unasked: 0,
        }
    }
}

/// A store with every limit set.
pub(crate) fn store(engine: &Engine, hook: Hook, limits: Limits, facts: Facts) -> Store<State> {
    let mut store = Store::new(engine, State::new(hook, limits, facts));
    store.limiter(|state| &mut state.memory);
    store.set_hostcall_fuel(HOSTCALL_FUEL);
    store.set_max_component_handles(HANDLES);
    store.epoch_deadline_callback(|context| context.data().tick());
    store.set_epoch_deadline(1);
    if store.set_fuel(limits.fuel).is_err() {
        // Only an engine without fuel refuses it; ours has it (crate::engine), and without it nothing runs.
        tracing::error!("the engine counts no fuel");
    }
    store
}

/// Runs `policy` on this thread, within `limits`.
pub(crate) fn run(engine: &Engine, policy: &Policy, limits: Limits, input: &HookInput, facts: Facts) -> Ran {
    let hook = input.hook();
    if !policy.serves(hook) {
        let fault = Fault::new(FaultKind::Host, format!("bound to `{hook}`, which it doesn't serve"));
        return Ran::nothing(Outcome::Fault(fault));
    }
    let given = input.size() + facts.settings.text().len();
    if given > limits.input_bytes {
        let message = format!("{given} bytes of input; the limit is {}", limits.input_bytes);
        return Ran::nothing(Outcome::Fault(Fault::new(FaultKind::InputTooLarge, message)));
    }
    let mut store = store(engine, hook, limits, facts);
    // A panic of ours must not take the pipeline's task, and the record, with it.
    let answered = catch_unwind(AssertUnwindSafe(|| policy.pre.call(&mut store, input)));
    let fuel = limits.fuel - store.get_fuel().unwrap_or(0).min(limits.fuel);
    let outcome = match answered {
        Ok(Ok(answer)) => judge(input, answer, limits.output_bytes),
        Ok(Err(error)) => match classify(&error) {
            Ending::Fault(fault) => Outcome::Fault(fault),
            Ending::Overload => Outcome::Overload,
        },
        Err(_) => Outcome::Fault(Fault::new(FaultKind::Host, "the policy host panicked")),
    };
    let mut state = store.into_data();
    Ran {
        outcome,
        history: state.take_history(),
        fuel,
        memory_peak: state.memory.peak as u64,
        micros: u64::try_from(state.elapsed().as_micros()).unwrap_or(u64::MAX),
        unasked: state.script_left(),
        answers: state.answers,
        log: state.log,
        divergence: state.divergence,
    }
}

/// What the host makes of an answer.
fn judge(input: &HookInput, answer: Answer<HookOutput>, most: usize) -> Outcome {
    let size = match &answer {
        Ok(output) => output.as_ref().map_or(0, Size::size),
        Err(PolicyError { code, message }) => code.size() + message.size(),
    };
    if size > most {
        let message = format!("returned {size} bytes; the limit is {most}");
        return Outcome::Fault(Fault::new(FaultKind::OutputTooLarge, message));
    }
    match answer {
        Ok(None) => Outcome::NoOpinion,
        Ok(Some(output)) => match hooks::check(input, &output) {
            Ok(()) => Outcome::Decided(output),
            Err(fault) => Outcome::Fault(fault),
        },
        Err(PolicyError { code, message }) if code == "settings" => {
            Outcome::Fault(Fault::new(FaultKind::Settings, message))
        }
        Err(PolicyError { code, message }) => {
            Outcome::Fault(Fault::new(FaultKind::PolicyError, format!("{code}: {message}")))
        }
    }
}
