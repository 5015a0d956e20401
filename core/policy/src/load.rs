//! From uploaded bytes to a [`Policy`], or to a [`Refusal`] that says what to change.

use anteroom_model::hooks::Hook;
use wasmtime::{
    Engine, Store,
    component::{Component, InstancePre, Linker},
};

use crate::{
    Digest, Limits, Policy, Refusal, Settings, Step,
    cache::Cache,
    compile::{Compilers, broken, too_large},
    fault::{Ending, classify},
    hooks::{Hooks, interface},
    inspect::{Inspected, first_look, inspect},
    run,
    state::{Facts, State},
    trusted,
};

/// What loading needs of the host.
pub(crate) struct Loader<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) linker: &'a Linker<State>,
    pub(crate) cache: Option<&'a Cache>,
    /// Without them it is compiled here.
    pub(crate) compilers: Option<&'a Compilers>,
    /// Never seen before, and nobody's text waits for it.
    pub(crate) is_upload: bool,
    pub(crate) limits: &'a Limits,
}

/// A component that was inspected and compiled.
pub(crate) struct Compiled {
    digest: Digest,
    component_bytes: usize,
    inspected: Inspected,
    component: Component,
}

impl Loader<'_> {
    /// Everything that needs no instance.
    pub(crate) fn compile(&self, bytes: &[u8], on_step: &mut dyn FnMut(Step)) -> Result<Compiled, Refusal> {
        on_step(Step::Component);
        first_look(bytes, self.limits)?;
        let digest = Digest::of(bytes);
        let (inspected, component) =
            if let Some(component) = self.cache.and_then(|cache| cache.load(self.engine, digest)) {
                // It has been accepted before, and so can be inspected here.
                let inspected = inspect(bytes, on_step)?;
                on_step(Step::Compile);
                (inspected, component)
            } else if let Some(compilers) = self.compilers {
                self.elsewhere(compilers, digest, bytes, on_step)?
            } else {
                self.here(digest, bytes, on_step)?
            };
        Ok(Compiled { digest, component_bytes: bytes.len(), inspected, component })
    }

    /// Links it and starts it once.
    pub(crate) fn link(&self, compiled: Compiled, on_step: &mut dyn FnMut(Step)) -> Result<Policy, Refusal> {
        on_step(Step::Link);
        let Compiled { digest, component_bytes, inspected, component } = compiled;
        let Inspected { hooks, manifest, imports } = inspected;
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
        let image = component.image_range();
        let imported = |function: &str| imports.iter().any(|import| import == function);
        Ok(Policy {
            digest,
            uses_history: imported("host.history"),
            uses_patient: imported("patient.field"),
            hooks,
            manifest,
            imports,
            component_bytes,
            compiled_bytes: image.end.addr() - image.start.addr(),
            probe: None,
            pre: linked,
        })
    }

    /// In a process of its own.
    fn elsewhere(
        &self,
        compilers: &Compilers,
        digest: Digest,
        bytes: &[u8],
        on_step: &mut dyn FnMut(Step),
    ) -> Result<(Inspected, Component), Refusal> {
        let (inspected, form) =
            compilers.compile(bytes, self.limits.compiled_bytes, self.is_upload, on_step)?;
        let component = trusted::fresh(self.engine, &form).map_err(|error| unloadable(&error))?;
        if let Some(cache) = self.cache {
            cache.store(digest, form.bytes());
        }
        Ok((inspected, component))
    }

    /// In this process, for programs that start no others.
    fn here(
        &self,
        digest: Digest,
        bytes: &[u8],
        on_step: &mut dyn FnMut(Step),
    ) -> Result<(Inspected, Component), Refusal> {
        let inspected = inspect(bytes, on_step)?;
        on_step(Step::Compile);
        let component = Component::from_binary(self.engine, bytes).map_err(|error| {
            if is_over_the_pool(&error) { unloadable(&error) } else { broken(format!("{error:#}")) }
        })?;
        let compiled = component.serialize().map_err(|error| Refusal::host(format!("{error:#}")))?;
        if compiled.len() > self.limits.compiled_bytes {
            return Err(too_large(compiled.len() as u64, self.limits.compiled_bytes));
        }
        if let Some(cache) = self.cache {
            cache.store(digest, &compiled);
        }
        Ok((inspected, component))
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

/// Does it want more than a place of the pool holds? Wasmtime has no type for that, only words.
fn is_over_the_pool(error: &wasmtime::Error) -> bool {
    format!("{error:#}").contains("exceeds")
}

/// Compiled, yet nothing that this host can run.
fn unloadable(error: &wasmtime::Error) -> Refusal {
    let found = format!("{error:#}");
    if !is_over_the_pool(error) {
        return Refusal::host(found);
    }
    Refusal::new(
        "resources",
        "",
        "a component within what a place holds: 64 MiB a memory, 8 memories, 16 tables of 65,536 elements, 64 \
         core instances",
        found,
        "Declare less: for C by zig, lower the default stack (`-Wl,-z,stack-size=65536`).",
    )
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
