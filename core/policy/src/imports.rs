//! The imports of `wit/host.wit`, bound by hand: the texts that a guest passes are read where they lie, so
//! that a long log line is cut before it is copied.
//!
//! To offer another import: its function in `wit/host.wit`, a line here, an answer in [`crate::HostAnswer`]
//! and its method in [`crate::state`]. Adding is compatible; changing is not.

use wasmtime::{
    Engine, StoreContextMut,
    component::{Linker, WasmStr},
};

use crate::{
    LogLevel,
    bindings::types,
    state::State,
    text::{cut, prefix},
};

/// Interfaces and functions that a policy may import. Everything else is refused at upload.
pub(crate) const OFFERED: [(&str, &[&str]); 2] =
    [(HOST, &["log", "now", "seed", "settings", "history"]), (PATIENT, &["field"])];

/// Longest name that `patient.field` looks at and records, in bytes.
const FIELD_NAME_BYTES: usize = 64;

const HOST: &str = "anteroom:policy/host@1.0.0";
const PATIENT: &str = "anteroom:policy/patient@1.0.0";

/// A linker with every import that there is. Which hook may see the patient is [`State`]'s to judge, call by
/// call, because one component may serve several hooks.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    let mut host = linker.instance(HOST)?;
    host.func_wrap("log", |mut store: StoreContextMut<'_, State>, (level, line): (WasmStr, WasmStr)| {
        let level = LogLevel::parse(&level.to_str(&store)?);
        let line = cut(&line.to_str(&store)?, store.data().log_line_bytes()).into_owned();
        store.data_mut().log(level, line)
    })?;
    host.func_wrap("now", |mut store: StoreContextMut<'_, State>, (): ()| {
        store.data_mut().now().map(|now| (now,))
    })?;
    host.func_wrap("seed", |mut store: StoreContextMut<'_, State>, (): ()| {
        store.data_mut().seed().map(|seed| (seed,))
    })?;
    host.func_wrap("settings", |mut store: StoreContextMut<'_, State>, (): ()| {
        store.data_mut().settings().map(|settings| (settings,))
    })?;
    host.func_wrap("history", |mut store: StoreContextMut<'_, State>, (limit,): (u32,)| {
        let messages = store.data_mut().history(limit)?;
        Ok((messages.iter().map(types::Message::from).collect::<Vec<_>>(),))
    })?;
    let mut patient = linker.instance(PATIENT)?;
    patient.func_wrap("field", |mut store: StoreContextMut<'_, State>, (name,): (WasmStr,)| {
        let name = prefix(&name.to_str(&store)?, FIELD_NAME_BYTES).to_owned();
        store.data_mut().field(name).map(|value| (value,))
    })?;
    Ok(linker)
}
