//! The policy host: what the rest of the workspace calls.

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc};

use anteroom_model::{
    hooks::{HistoryMessage, HookInput},
    ids::OrganizationId,
};
use wasmtime::{Engine, component::Linker};

use crate::{
    BadLimit, CallRecord, Compiler, Digest, Fault, FaultKind, Limits, Outcome, Policy, Refusal, Replay,
    Rerun, Settings, Step,
    admission::Admission,
    cache::Cache,
    compile::Compilers,
    engine::{Ticker, compatibility, engine},
    imports::linker,
    load::Loader,
    probe::probe,
    replay::replay,
    rerun::{moment, rerun},
    run::{Ran, run},
    settings_schema,
    state::{Facts, State},
    telemetry,
};

/// Wasmtime's version as the workspace pins it; a test compares it with `Cargo.lock`.
const WASMTIME: &str = "48.0.8";
/// Most calls at once of all organizations.
const GLOBAL_CEILING: usize = 512;
/// Places of the pool that no call can take: for uploads and replays, which must not wait for patients'
/// texts, nor the other way round.
const SPARE: usize = 8;

/// How a policy host is set up.
#[derive(Clone)]
pub struct HostConfig {
    /// What one call may use.
    pub limits: Limits,
    /// Where compiled forms are kept; without it every start compiles again.
    pub cache_dir: Option<PathBuf>,
    /// Signs compiled forms. Whoever has it and can write to `cache_dir` can run native code here.
    pub cache_key: [u8; 32],
    /// Compiles in a process of its own; without it, in this one, where a hostile component takes what it
    /// wants.
    pub compiler: Option<Compiler>,
    /// Calls at once, of all organizations: 1 to 512.
    pub global_concurrency: usize,
    /// Calls at once of one organization: 1 to 32.
    pub per_organization_concurrency: usize,
}

impl HostConfig {
    /// The design's defaults, without a cache and without a compiler of its own.
    pub fn new(cache_key: [u8; 32]) -> Self {
        Self {
            limits: Limits::default(),
            cache_dir: None,
            cache_key,
            compiler: None,
            global_concurrency: 32,
            per_organization_concurrency: 8,
        }
    }
}

impl fmt::Debug for HostConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the key.
        f.debug_struct("HostConfig")
            .field("limits", &self.limits)
            .field("cache_dir", &self.cache_dir)
            .field("compiler", &self.compiler)
            .field("global_concurrency", &self.global_concurrency)
            .field("per_organization_concurrency", &self.per_organization_concurrency)
            .finish_non_exhaustive()
    }
}

/// Why there is no policy host.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A limit is nothing, or over its ceiling.
    #[error(transparent)]
    Limit(#[from] BadLimit),
    /// Wasmtime can't start on this machine (too little address space, most likely).
    #[error("can't start WebAssembly: {0}")]
    Engine(String),
    /// No thread for the clock of running policies.
    #[error("can't start the policy clock")]
    Ticker(#[source] std::io::Error),
    /// The cache's directory can't be made.
    #[error("can't open the directory for compiled policies")]
    Cache(#[source] std::io::Error),
}

/// One call of a hook. Everything that the policy can learn is in here.
#[derive(Clone, Debug)]
pub struct Call {
    /// Whose places it takes.
    pub organization: OrganizationId,
    /// The settings of the binding.
    pub settings: Settings,
    /// The time of the turn, in microseconds since 1970-01-01T00:00:00Z.
    pub now: i64,
    /// Derived from the event's id.
    pub seed: u64,
    /// Messages before this turn, oldest first; the newest 50 are what a policy can see. Needed only where
    /// [`Policy::uses_history`].
    pub history: Vec<HistoryMessage>,
    /// The linked patient's fields that were granted to this policy, by their names in `wit/host.wit`.
    /// Identity and replies see none of them, whatever is here.
    pub patient: BTreeMap<String, String>,
    /// Which function, and what it is given.
    pub input: HookInput,
}

/// What a record keeps of a call beside its input and what came of it.
#[derive(Clone, Copy)]
struct About {
    settings: Digest,
    now: i64,
    seed: u64,
}

/// A call, taken apart: what its record keeps, and what its imports answer from.
struct Asked {
    about: About,
    facts: Facts,
    input: HookInput,
}

impl From<Call> for Asked {
    fn from(call: Call) -> Self {
        let Call { organization: _, settings, now, seed, history, patient, input } = call;
        let about = About { settings: settings.digest(), now, seed };
        Self { about, facts: Facts { settings, now, seed, history, patient, script: None }, input }
    }
}

/// Runs policies: one engine, a pool of instances, and the limits that hold for all of them.
pub struct PolicyHost {
    engine: Engine,
    linker: Linker<State>,
    cache: Option<Cache>,
    compilers: Option<Compilers>,
    limits: Limits,
    admission: Admission,
    name: Arc<str>,
    _ticker: Ticker,
}

impl PolicyHost {
    /// Starts a host. Threads that run policies need 1 MiB of stack or more (tokio's have 2).
    pub fn new(config: HostConfig) -> Result<Arc<Self>, HostError> {
        config.limits.validate()?;
        bounded("global_concurrency", config.global_concurrency, GLOBAL_CEILING)?;
        let (name, ceiling) = ("per_organization_concurrency", Limits::PER_ORGANIZATION_CEILING);
        bounded(name, config.per_organization_concurrency, ceiling)?;
        let broken = |error: wasmtime::Error| HostError::Engine(format!("{error:#}"));
        let engine = engine(config.global_concurrency + SPARE).map_err(broken)?;
        let linker = linker(&engine).map_err(broken)?;
        let ticker = Ticker::start(&engine).map_err(HostError::Ticker)?;
        let open = |directory| Cache::open(directory, config.cache_key, compatibility(&engine));
        let cache = config.cache_dir.map(open).transpose().map_err(HostError::Cache)?;
        let compilers = config.compiler.map(|compiler| Compilers::new(compiler, compatibility(&engine)));
        telemetry::describe();
        Ok(Arc::new(Self {
            linker,
            cache,
            compilers,
            limits: config.limits,
            admission: Admission::new(config.global_concurrency, config.per_organization_concurrency, SPARE),
            name: format!("anteroom-policy {}, wasmtime {WASMTIME}", env!("CARGO_PKG_VERSION")).into(),
            engine,
            _ticker: ticker,
        }))
    }

    /// The limits of every call.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The host's and Wasmtime's version, as records name them.
    pub fn engine_name(&self) -> &str {
        &self.name
    }

    /// Readies a component that was accepted before: 100 ms to seconds for one never compiled here, a few
    /// milliseconds for one in the cache. Blocks; call it where that is allowed.
    pub fn load(&self, bytes: &[u8]) -> Result<Arc<Policy>, Refusal> {
        self.linked(bytes, false, &mut |_| {}).map(Arc::new)
    }

    /// What an upload goes through: what [`load`](Self::load) does, and every hook is called on sample turns
    /// with the manifest's default settings, twice each. The policy then says what that cost. `on_step` is
    /// told each step as it begins; the step of a refusal is the last one told. Blocks, for seconds; a large
    /// component takes up to the compiler's time.
    pub fn judge(&self, bytes: &[u8], on_step: &mut dyn FnMut(Step)) -> Result<Arc<Policy>, Refusal> {
        let mut policy = self.linked(bytes, true, on_step)?;
        settings_schema::check_manifest(&policy.manifest.settings_schema, &policy.manifest.default_settings)?;
        on_step(Step::Probe);
        let _place = self.admission.spare_blocking();
        policy.probe = Some(probe(&self.engine, &policy, self.limits)?);
        Ok(Arc::new(policy))
    }

    fn linked(
        &self,
        bytes: &[u8],
        is_upload: bool,
        on_step: &mut dyn FnMut(Step),
    ) -> Result<Policy, Refusal> {
        let loader = Loader {
            engine: &self.engine,
            linker: &self.linker,
            cache: self.cache.as_ref(),
            compilers: self.compilers.as_ref(),
            is_upload,
            limits: &self.limits,
        };
        let compiled = loader.compile(bytes, on_step)?;
        let _place = self.admission.spare_blocking();
        loader.link(compiled, on_step)
    }

    /// Under which label hosts with the same key and engine share a compiled form; `None` without a cache.
    pub fn form_label(&self, digest: Digest) -> Option<String> {
        Some(self.cache.as_ref()?.label(digest))
    }

    /// The signed compiled form of a component, if it is in the cache. Blocks.
    pub fn signed_form(&self, digest: Digest) -> Option<Vec<u8>> {
        self.cache.as_ref()?.signed(digest)
    }

    /// Puts a form that another host has signed into the cache. One that isn't what it says is compiled again
    /// when it is loaded. Blocks.
    pub fn adopt_form(&self, digest: Digest, signed: &[u8]) {
        if let Some(cache) = &self.cache {
            cache.adopt(digest, signed);
        }
    }

    /// Calls a hook in a fresh instance, on a thread that may block. Waits at most `limits.wait_ms` for a
    /// place. Never fails: what goes wrong is the record's outcome.
    pub async fn call(self: &Arc<Self>, policy: &Arc<Policy>, call: Call) -> CallRecord {
        let Some(place) = self.admission.enter(call.organization, self.limits.wait()).await else {
            let Asked { about, input, .. } = call.into();
            return self.record(policy, about, input, Ran::nothing(Outcome::Overload));
        };
        let Asked { about, facts, input } = call.into();
        let input = Arc::new(input);
        let running = {
            let (host, policy, input) = (Arc::clone(self), Arc::clone(policy), Arc::clone(&input));
            tokio::task::spawn_blocking(move || {
                let ran = host.run(&policy, &input, facts);
                drop(place);
                ran
            })
        };
        let ran = running.await.unwrap_or_else(|error| {
            // Its panics are caught in `run`; this is a runtime that is shutting down.
            let fault = Fault::new(FaultKind::Host, format!("the call was abandoned: {error}"));
            Ran::nothing(Outcome::Fault(fault))
        });
        self.record(policy, about, Arc::unwrap_or_clone(input), ran)
    }

    /// The same on the calling thread, which it blocks. For the command line, benchmarks and threads that
    /// are already allowed to block.
    pub fn call_blocking(&self, policy: &Arc<Policy>, call: Call) -> CallRecord {
        let place = self.admission.enter_blocking(call.organization, self.limits.wait());
        let Asked { about, facts, input } = call.into();
        let ran = match place {
            Some(_place) => self.run(policy, &input, facts),
            None => Ran::nothing(Outcome::Overload),
        };
        self.record(policy, about, input, ran)
    }

    /// Runs a record again, with the answers it recorded in their order, and compares to the bit: outcome,
    /// host calls, log, fuel and memory. Blocks for as long as a call may run. `settings` is the text that
    /// was bound then.
    pub fn replay(&self, policy: &Policy, settings: &Settings, record: &CallRecord) -> Replay {
        let _place = self.admission.spare_blocking();
        replay(&self.engine, &self.name, policy, self.limits, settings, record)
    }

    /// Runs `policy` on the input of a recorded call, with its time and seed, and the patient's fields that
    /// the record holds; `history` are the messages before that turn, oldest first. For backtests: it takes
    /// none of the places of live calls, and is counted with none of them. Blocks for as long as a call may
    /// run.
    pub fn rerun(
        &self,
        policy: &Policy,
        settings: &Settings,
        recorded: &CallRecord,
        history: &[HistoryMessage],
    ) -> Rerun {
        let _place = self.admission.spare_blocking();
        let (now, seed) = moment(recorded);
        let (ran, unknown_fields) = rerun(&self.engine, policy, self.limits, settings, recorded, history);
        let about = About { settings: settings.digest(), now, seed };
        Rerun { record: self.written(policy, about, recorded.input.clone(), ran), unknown_fields }
    }

    /// Calls a hook on a made-up turn, with all the limits of a live call. It takes none of the places of live calls,
    /// and is counted with none of them. Blocks for as long as a call may run.
    pub fn try_out(&self, policy: &Policy, call: Call) -> CallRecord {
        let _place = self.admission.spare_blocking();
        let Asked { about, facts, input } = call.into();
        let ran = run(&self.engine, policy, self.limits, &input, facts);
        self.written(policy, about, input, ran)
    }

    fn run(&self, policy: &Policy, input: &HookInput, facts: Facts) -> Ran {
        let _in_flight = telemetry::in_flight();
        run(&self.engine, policy, self.limits, input, facts)
    }

    fn record(&self, policy: &Policy, about: About, input: HookInput, ran: Ran) -> CallRecord {
        let record = self.written(policy, about, input, ran);
        telemetry::called(&record);
        record
    }

    fn written(&self, policy: &Policy, about: About, input: HookInput, ran: Ran) -> CallRecord {
        let About { settings, now, seed } = about;
        CallRecord {
            hook: input.hook(),
            policy: policy.digest,
            settings,
            engine: Arc::clone(&self.name),
            input,
            now,
            seed,
            answers: ran.answers,
            history: ran.history,
            log: ran.log,
            outcome: ran.outcome,
            fuel: ran.fuel,
            memory_peak: ran.memory_peak,
            micros: ran.micros,
        }
    }
}

impl fmt::Debug for PolicyHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyHost")
            .field("engine", &self.name)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

fn bounded(limit: &'static str, asked: usize, ceiling: usize) -> Result<(), BadLimit> {
    if (1..=ceiling).contains(&asked) {
        return Ok(());
    }
    Err(BadLimit { limit, asked: asked as u64, ceiling: ceiling as u64 })
}
