//! Turns a core module into a policy component that describes itself.
//!
//! Guest toolchains that don't make components on their own (Rust on `wasm32-unknown-unknown`, C, hand-written
//! WAT) leave a core module whose custom sections say which WIT world it implements. [`componentize`] wraps it
//! into a component and appends its manifest, so that one file carries everything an upload needs: name,
//! version, hooks, the JSON Schema of its settings and the patient fields it asks for.
//!
//! A component made by another toolchain needs only its manifest: [`attach_manifest`].

mod c;
mod manifest;

use std::path::Path;

use serde_json::Value;
use wasm_encoder::{ComponentSection, CustomSection};
use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, DecodedWasm, StringEncoding};
use wit_parser::{Resolve, WorldId, WorldItem};

pub use c::{File, c_bindings};
pub use manifest::{HOOKS, Manifest, ManifestError, PATIENT_FIELDS};

/// Name of the component-level custom section that holds the manifest, as JSON.
pub const MANIFEST_SECTION: &str = "anteroom:manifest";

/// Why a component could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The manifest is not what the host expects.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The core module does not implement the world that it names.
    #[error("the module can't become a component: {0}")]
    Encode(String),
    /// The WIT package or the world was not found or did not parse.
    #[error("WIT: {0}")]
    Wit(String),
    /// Not a component, or a malformed one.
    #[error("not a component: {0}")]
    NotAComponent(String),
    /// The manifest names a hook whose interface the component does not export, or leaves one out.
    #[error("the manifest's hooks are {manifest:?}, but the component exports {exports:?}")]
    Hooks {
        /// Hooks of the manifest, sorted.
        manifest: Vec<String>,
        /// Hooks whose interface is exported, sorted.
        exports: Vec<String>,
    },
    /// There is a manifest already; two would make it unclear which one counts.
    #[error("the component already has a `{MANIFEST_SECTION}` section")]
    SecondManifest,
}

/// Wraps `core_module` into a validated component and appends `manifest`.
///
/// The module carries its world in `component-type` custom sections (`wit-bindgen` writes them; for a module
/// without, see [`embed_world`]). The manifest's hooks must be exactly those that the component exports.
pub fn componentize(core_module: &[u8], manifest: &Value) -> Result<Vec<u8>, Error> {
    attach_manifest(wrap(core_module)?, manifest)
}

/// Wraps `core_module` into a validated component that has no manifest yet.
pub fn wrap(core_module: &[u8]) -> Result<Vec<u8>, Error> {
    ComponentEncoder::default()
        .validate(true)
        .module(core_module)
        .and_then(ComponentEncoder::encode)
        .map_err(|e| Error::Encode(format!("{e:#}")))
}

/// Appends `manifest` to a component that has none.
pub fn attach_manifest(mut component: Vec<u8>, manifest: &Value) -> Result<Vec<u8>, Error> {
    let manifest = Manifest::parse(manifest)?;
    if read_manifest(&component)?.is_some() {
        return Err(Error::SecondManifest);
    }
    let mut claimed = manifest.hooks.clone();
    claimed.sort();
    let exports = exported_hooks(&component)?;
    if claimed != exports {
        return Err(Error::Hooks { manifest: claimed, exports });
    }
    let json = serde_json::to_vec(&manifest).map_err(|e| Error::NotAComponent(e.to_string()))?;
    CustomSection { name: MANIFEST_SECTION.into(), data: json.into() }.append_to_component(&mut component);
    Ok(component)
}

/// The manifest of a component; `None` where it has none.
pub fn read_manifest(component: &[u8]) -> Result<Option<Value>, Error> {
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(|e| Error::NotAComponent(e.to_string()))? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if depth == 0 && section.name() == MANIFEST_SECTION => {
                return serde_json::from_slice(section.data())
                    .map(Some)
                    .map_err(|e| ManifestError { path: String::new(), problem: e.to_string() }.into());
            }
            _ => {}
        }
    }
    Ok(None)
}

/// The hooks whose interface a component exports, sorted.
pub fn exported_hooks(component: &[u8]) -> Result<Vec<String>, Error> {
    let (resolve, world) = decode(component)?;
    let mut hooks: Vec<_> = resolve.worlds[world]
        .exports
        .keys()
        .filter_map(|key| {
            let name = resolve.name_world_key(key);
            let (interface, _version) = name.split_once('@')?;
            let hook = interface.strip_prefix("anteroom:policy/")?;
            HOOKS.contains(&hook).then(|| hook.to_owned())
        })
        .collect();
    hooks.sort();
    Ok(hooks)
}

/// The functions a component imports, as `interface@version#function`, sorted. Type-only imports are left out.
pub fn imported_functions(component: &[u8]) -> Result<Vec<String>, Error> {
    let (resolve, world) = decode(component)?;
    let mut functions = Vec::new();
    for (key, item) in &resolve.worlds[world].imports {
        let name = resolve.name_world_key(key);
        match item {
            WorldItem::Interface { id, .. } => {
                functions.extend(resolve.interfaces[*id].functions.keys().map(|f| format!("{name}#{f}")));
            }
            WorldItem::Function(_) => functions.push(name),
            WorldItem::Type { .. } => {}
        }
    }
    functions.sort();
    Ok(functions)
}

fn decode(component: &[u8]) -> Result<(Resolve, WorldId), Error> {
    if !Parser::is_component(component) {
        return Err(Error::NotAComponent("no component header".into()));
    }
    match wit_component::decode(component) {
        Ok(DecodedWasm::Component(resolve, world)) => Ok((resolve, world)),
        Ok(DecodedWasm::WitPackage(..)) => Err(Error::NotAComponent("a WIT package".into())),
        Err(error) => Err(Error::NotAComponent(format!("{error:#}"))),
    }
}

/// Writes the world a core module implements into it, for modules whose toolchain doesn't. Accepts WAT, too.
///
/// `wit` is the folder of the WIT package, `world` for example `routing-policy`.
pub fn embed_world(core_module: &[u8], wit: &Path, world: &str) -> Result<Vec<u8>, Error> {
    let mut module = wat::parse_bytes(core_module).map_err(|e| Error::Encode(e.to_string()))?.into_owned();
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit).map_err(|e| Error::Wit(format!("{e:#}")))?;
    let world = resolve.select_world(&[package], Some(world)).map_err(|e| Error::Wit(format!("{e:#}")))?;
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)
        .map_err(|e| Error::Encode(format!("{e:#}")))?;
    Ok(module)
}
