//! From uploaded bytes to a [`Policy`], or to a [`Refusal`] that says what to change.

use anteroom_model::hooks::Hook;
use wasmtime::{
    Engine, Store,
    component::{Component, InstancePre, Linker},
};

use crate::{
    Digest, Limits, Policy, Refusal, Settings,
    cache::Cache,
    fault::{Ending, classify},
    hooks::{Hooks, interface},
    inspect::{Inspected, inspect},
    run,
    state::{Facts, State},
};

/// What loading needs of the host.
pub(crate) struct Loader<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) linker: &'a Linker<State>,
    pub(crate) cache: Option<&'a Cache>,
    pub(crate) limits: &'a Limits,
}

impl Loader<'_> {
    pub(crate) fn load(&self, bytes: &[u8]) -> Result<Policy, Refusal> {
        let Inspected { hooks, manifest, imports } = inspect(bytes, self.limits)?;
        let digest = Digest::of(bytes);
        let component = self.compiled(digest, bytes)?;
        let pre = self.linker.instantiate_pre(&component).map_err(|error| {
            Refusal::new(
                "signature",
                "imports",
                "the imports of wit/, with their types",
                format!("{error:#}"),
                "Generate the bindings again from this Anteroom's wit/.",
            )
        })?;
        let linked = Hooks::new(&pre, &hooks).map_err(|(hook, error)| signature(hook, &error))?;
        self.starts(&pre)?;
        for &hook in &hooks {
            linked.start(&mut self.store(hook), hook).map_err(|error| signature(hook, &error))?;
        }
        let imported = |function: &str| imports.iter().any(|import| import == function);
        Ok(Policy {
            digest,
            uses_history: imported("host.history"),
            uses_patient: imported("patient.field"),
            hooks,
            manifest,
            imports,
            component_bytes: bytes.len(),
            pre: linked,
        })
    }

    fn compiled(&self, digest: Digest, bytes: &[u8]) -> Result<Component, Refusal> {
        if let Some(component) = self.cache.and_then(|cache| cache.load(self.engine, digest)) {
            return Ok(component);
        }
        let component = Component::from_binary(self.engine, bytes).map_err(|error| {
            Refusal::new(
                "compile",
                "",
                "a component within the host's limits (64 MiB a memory, 8 memories, 16 tables, 64 core \
                 instances)",
                format!("{error:#}"),
                "Declare less: for C by zig, lower the default stack (`-Wl,-z,stack-size=65536`).",
            )
        })?;
        let compiled = component.serialize().map_err(|error| Refusal::host(format!("{error:#}")))?;
        if compiled.len() > self.limits.compiled_bytes {
            return Err(Refusal::new(
                "compiled_too_large",
                "",
                format!("at most {} bytes once compiled", self.limits.compiled_bytes),
                format!("{} bytes", compiled.len()),
                "Build for size and leave out what the policy doesn't call.",
            ));
        }
        if let Some(cache) = self.cache {
            cache.store(digest, &compiled);
        }
        Ok(component)
    }

    /// Starts it once: a component that can't even start is refused now, and not at a patient's text.
    fn starts(&self, pre: &InstancePre<State>) -> Result<(), Refusal> {
        let Err(error) = pre.instantiate(&mut self.store(Hook::Identity)) else { return Ok(()) };
        match classify(&error) {
            Ending::Overload => Err(Refusal::host("no room in the pool; try again")),
            Ending::Fault(fault) => Err(Refusal::new(
                "instantiate",
                fault.backtrace.first().cloned().unwrap_or_default(),
                format!(
                    "a start within {} bytes of memory and {} fuel",
                    self.limits.memory_bytes, self.limits.fuel
                ),
                format!("{}: {}", fault.kind, fault.message),
                "Do less when the component starts, or declare less initial memory (for C by zig: \
                 `-Wl,-z,stack-size=65536`).",
            )),
        }
    }

    fn store(&self, hook: Hook) -> Store<State> {
        run::store(self.engine, hook, *self.limits, Facts::bare(Settings::from("{}")))
    }
}

fn signature(hook: Hook, error: &wasmtime::Error) -> Refusal {
    Refusal::new(
        "signature",
        interface(hook),
        format!("the functions of wit/{hook}.wit, with their types"),
        format!("{error:#}"),
        "Generate the bindings again from this Anteroom's wit/.",
    )
}
