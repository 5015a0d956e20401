//! The same call by Wasmtime alone: engine as the policy host sets it up, a fresh store and instance with
//! fuel and an epoch deadline, imports that answer and record nothing, no limits, no checks, no record.

use std::{sync::Arc, thread, time::Duration};

use anteroom_model::hooks::{HistoryMessage, RoutingTurn};
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Store, Strategy,
    WasmBacktraceDetails, WasmFeatures,
    component::{Component, HasSelf, Linker},
};

use self::bindings::{
    RoutingPolicy, RoutingPolicyPre,
    anteroom::policy::{host, patient, types},
    exports::anteroom::policy::routing,
};
use crate::Failure;

mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "anteroom:policy/routing-policy@1.0.0",
    });
}

const FUEL: u64 = 20_000_000;
/// As in `core/policy/src/engine.rs`: places for 40 calls at once, each with room for large toolchains.
const CALLS: u32 = 40;
const TICK: Duration = Duration::from_millis(4);
const FEATURES: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::COMPONENT_MODEL);

/// A component ready to be called, and what its imports answer.
pub(crate) struct Bare {
    engine: Engine,
    pre: RoutingPolicyPre<Answers>,
    settings: Arc<str>,
    history: Vec<HistoryMessage>,
}

/// What the imports answer from.
pub(crate) struct Answers {
    settings: Arc<str>,
    history: Vec<HistoryMessage>,
}

impl Bare {
    pub(crate) fn new(
        component: &[u8],
        settings: &str,
        history: Vec<HistoryMessage>,
    ) -> Result<Self, Failure> {
        let engine = engine()?;
        let component = Component::new(&engine, component)?;
        let mut linker = Linker::new(&engine);
        RoutingPolicy::add_to_linker::<_, HasSelf<_>>(&mut linker, |answers: &mut Answers| answers)?;
        let pre = RoutingPolicyPre::new(linker.instantiate_pre(&component)?)?;
        let ticked = engine.weak();
        // Ends with the engine.
        thread::spawn(move || {
            while let Some(engine) = ticked.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(TICK);
            }
        });
        Ok(Self { engine, pre, settings: settings.into(), history })
    }

    /// What the imports of one call answer from; made outside of what is timed, as the host's `Call` is.
    pub(crate) fn answers(&self) -> Answers {
        Answers { settings: self.settings.clone(), history: self.history.clone() }
    }

    /// One call in a fresh instance.
    pub(crate) fn call(
        &self,
        answers: Answers,
        turn: &routing::Turn,
    ) -> Result<Option<routing::Placement>, Failure> {
        let mut store = Store::new(&self.engine, answers);
        store.set_fuel(FUEL)?;
        store.epoch_deadline_callback(|_| Ok(wasmtime::UpdateDeadline::Continue(1)));
        store.set_epoch_deadline(1);
        let policy = self.pre.instantiate(&mut store)?;
        let answer = policy.anteroom_policy_routing().call_route(&mut store, turn)?;
        answer.map_err(|error| format!("{}: {}", error.code, error.message).into())
    }
}

fn engine() -> wasmtime::Result<Engine> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(CALLS)
        .total_core_instances(CALLS * 64)
        .total_memories(CALLS * 8)
        .total_tables(CALLS * 16)
        .max_core_instances_per_component(64)
        .max_memories_per_component(8)
        .max_memories_per_module(8)
        .max_tables_per_component(16)
        .max_tables_per_module(16)
        .table_elements(64 * 1024)
        .max_memory_size(64 << 20)
        .max_unused_warm_slots(CALLS)
        .linear_memory_keep_resident(256 * 1024)
        .table_keep_resident(16 * 1024);
    let mut config = Config::new();
    config
        .wasm_features(WasmFeatures::all(), false)
        .wasm_features(FEATURES, true)
        .concurrency_support(false)
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .cranelift_nan_canonicalization(true)
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(512 * 1024)
        .memory_init_cow(true)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}

impl types::Host for Answers {}

impl host::Host for Answers {
    fn log(&mut self, _level: String, _line: String) {}

    fn now(&mut self) -> i64 {
        1
    }

    fn seed(&mut self) -> u64 {
        1
    }

    fn settings(&mut self) -> String {
        self.settings.to_string()
    }

    fn history(&mut self, limit: u32) -> Vec<types::Message> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(self.history.len());
        self.history[self.history.len() - limit..].iter().map(message).collect()
    }
}

impl patient::Host for Answers {
    fn field(&mut self, _name: String) -> Option<String> {
        None
    }
}

fn message(message: &HistoryMessage) -> types::Message {
    types::Message {
        direction: message.direction.clone(),
        author: message.author.clone(),
        at: message.at,
        body: message.body.clone(),
    }
}

/// The turn as Wasmtime is given it.
pub(crate) fn turn(turn: &RoutingTurn) -> routing::Turn {
    let local = |time: &anteroom_model::hooks::LocalTime| types::LocalTime {
        date: time.date.clone(),
        weekday: time.weekday.clone(),
        minute: time.minute,
    };
    let (number, hours) = (&turn.number, &turn.hours);
    routing::Turn {
        text: turn.text.clone(),
        media_count: turn.media_count,
        number: types::ClinicNumber {
            address: number.address.clone(),
            kind: number.kind.clone(),
            label: number.label.clone(),
            facility: number.facility.clone(),
            organization: number.organization.clone(),
        },
        hours: types::Hours {
            open: hours.open,
            time_zone: hours.time_zone.clone(),
            local: local(&hours.local),
            holiday: hours.holiday.clone(),
            opens: hours.opens.as_ref().map(local),
            closes: hours.closes.as_ref().map(local),
        },
        turn_number: turn.turn_number,
        identity: turn.identity.clone(),
        teams: turn.teams.clone(),
        facilities: turn.facilities.clone(),
        current: None,
    }
}
