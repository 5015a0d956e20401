//! The one engine, and the thread that ticks its epoch.

use std::{
    fmt::Write as _,
    hash::{Hash as _, Hasher},
    sync::mpsc::{self, RecvTimeoutError, SyncSender},
    thread::{self, JoinHandle},
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use wasmparser::WasmFeatures;
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy,
    WasmBacktraceDetails,
};

use crate::limits::{Limits, STACK_BYTES};

/// How often running guests are asked whether they have time left.
const TICK: Duration = Duration::from_millis(4);

/// Most of each that one component's instances may have together. Python's runtime needs some twenty core
/// instances; a few memories admit guests linked of several languages.
const CORE_INSTANCES: u32 = 64;
const MEMORIES: u32 = 8;
const TABLES: u32 = 16;
const TABLE_ELEMENTS: usize = 64 * 1024;

/// What a component may be made of: fixed here, and not by what Wasmtime comes to support, so that an
/// upload means the same in five years. The same set validates and compiles. Threads, 64-bit memories,
/// garbage collection, exceptions, relaxed SIMD (its results differ by machine) and async are not among it.
pub(crate) const FEATURES: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
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

/// An engine whose pool has room for `calls` at once.
pub(crate) fn engine(calls: usize) -> wasmtime::Result<Engine> {
    let calls = u32::try_from(calls).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls.saturating_mul(CORE_INSTANCES))
        .total_memories(calls.saturating_mul(MEMORIES))
        .total_tables(calls.saturating_mul(TABLES))
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_memories_per_module(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_tables_per_module(TABLES)
        .table_elements(TABLE_ELEMENTS)
        .max_memory_size(Limits::CEILING.memory_bytes)
        .max_unused_warm_slots(calls)
        // Zeroing what a small guest dirtied is cheaper than giving its pages back and faulting them in.
        .linear_memory_keep_resident(256 * 1024)
        .table_keep_resident(16 * 1024);
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}

/// An engine that only compiles: without the pool, whose address space no limited process could reserve, and
/// on one thread, so that the same component takes the same memory. [`compatibility`] is that of [`engine`].
pub(crate) fn compiling_engine() -> wasmtime::Result<Engine> {
    Engine::new(config().parallel_compilation(false))
}

/// What decides the code that is made.
fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_features(WasmFeatures::all(), false)
        .wasm_features(FEATURES, true)
        .concurrency_support(false)
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        // Which bits a NaN has differs by machine; a replay must not.
        .cranelift_nan_canonicalization(true)
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES)
        .memory_init_cow(true)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .parallel_compilation(true);
    config
}

/// Names what can run the engine's compiled forms: the same for the same Wasmtime, settings and CPU.
pub(crate) fn compatibility(engine: &Engine) -> String {
    struct Sha(Sha256);
    impl Hasher for Sha {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            // Whole digests are taken below; `Hash` itself never asks.
            0
        }
    }
    let mut sha = Sha(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut sha);
    sha.0.finalize().iter().take(16).fold(String::new(), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Ticks the engine's epoch from a thread of its own, because a spinning guest can starve an async timer.
/// Stops when dropped.
pub(crate) struct Ticker {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::sync_channel(0);
        let engine = engine.weak();
        let thread = thread::Builder::new().name("policy-epoch".to_owned()).spawn(move || {
            while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                let Some(engine) = engine.upgrade() else { return };
                engine.increment_epoch();
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed, and there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_child_compiles_the_host_can_run() {
        let [host, child] = [engine(1).unwrap(), compiling_engine().unwrap()];
        assert_eq!(compatibility(&host), compatibility(&child));
    }
}
