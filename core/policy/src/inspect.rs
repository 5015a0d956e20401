//! Looks at uploaded bytes without running or compiling them.

use anteroom_model::hooks::Hook;
use serde::{Deserialize, Serialize};
use wasmparser::{
    KnownCustom, Parser, Payload, Validator,
    component_types::{ComponentEntityType, ComponentItem},
    types::Types,
};

use crate::{
    Limits, Manifest, Refusal, Step, engine::FEATURES, features, hooks::interface, imports::OFFERED,
    manifest::MANIFEST_SECTION,
};

/// What can be told of a component from its bytes.
#[derive(Serialize, Deserialize)]
pub(crate) struct Inspected {
    /// Hooks whose interface it exports, and its manifest names (if it names any).
    pub(crate) hooks: Vec<Hook>,
    pub(crate) manifest: Manifest,
    /// Functions it imports: `host.history`.
    pub(crate) imports: Vec<String>,
}

/// What the binary holds beside code.
#[derive(Default)]
struct Contents {
    imports: Vec<String>,
    exports: Vec<String>,
    manifest: Option<Vec<u8>>,
    tools: Vec<String>,
}

/// What a look at the first bytes tells, and their number.
pub(crate) fn first_look(bytes: &[u8], limits: &Limits) -> Result<(), Refusal> {
    if bytes.len() > limits.component_bytes {
        return Err(Refusal::too_large(limits.component_bytes, format!("{} bytes", bytes.len())));
    }
    is_component(bytes)
}

/// Judges the bytes after [`first_look`]; every other reason to refuse them that needs no compiler is found
/// here.
pub(crate) fn inspect(bytes: &[u8], on_step: &mut dyn FnMut(Step)) -> Result<Inspected, Refusal> {
    on_step(Step::Features);
    let types = Validator::new_with_features(FEATURES)
        .validate_all(bytes)
        .map_err(|error| features::refuse(bytes, &error))?;
    let contents = contents(bytes).map_err(|error| {
        Refusal::new("invalid", "", "a readable component", error.to_string(), "Build it again.")
    })?;
    on_step(Step::Imports);
    let imports = judge_imports(&types, &contents)?;
    on_step(Step::Hooks);
    let exported: Vec<Hook> =
        Hook::ALL.into_iter().filter(|&hook| exports(&types, &contents, hook)).collect();
    if exported.is_empty() {
        let found = match contents.exports.as_slice() {
            [] => "no exports".to_owned(),
            exports => exports.join(", "),
        };
        return Err(Refusal::new(
            "no_hook",
            "exports",
            Hook::ALL.map(interface).join(" or "),
            found,
            "Build for one of the worlds in wit/: identity-policy, routing-policy, replies-policy or \
             shortcuts-policy.",
        ));
    }
    let manifest = match &contents.manifest {
        Some(section) => Manifest::parse(section, &exported)?,
        None => Manifest::default(),
    };
    let meant = |hook: &Hook| manifest.hooks.is_empty() || manifest.hooks.contains(hook);
    let hooks = exported.into_iter().filter(meant).collect();
    Ok(Inspected { hooks, manifest, imports })
}

/// Says what a thing that is no component is, and how to make it one.
fn is_component(bytes: &[u8]) -> Result<(), Refusal> {
    if Parser::is_component(bytes) {
        return Ok(());
    }
    let text_start = bytes.trim_ascii_start();
    let is_text = text_start.starts_with(b"(component") || text_start.starts_with(b"(module");
    let is_compiled = wasmtime::Engine::detect_precompiled(bytes).is_some() || bytes.starts_with(b"\x7fELF");
    let (code, found, fix) = if bytes.is_empty() {
        ("empty", "no bytes at all", "Upload the `.wasm` file that your build made.")
    } else if Parser::is_core_wasm(bytes) {
        (
            "core_module",
            "a core module",
            "Wrap it: `wasm-tools component new module.wasm -o component.wasm` (Rust: build with \
             `wit-bindgen` for wasm32-unknown-unknown first).",
        )
    } else if is_text {
        ("text_format", "WebAssembly text", "Assemble it: `wasm-tools parse policy.wat -o policy.wasm`.")
    } else if is_compiled {
        (
            "precompiled",
            "compiled code",
            "Upload the component itself (`.wasm`): the host compiles what it runs.",
        )
    } else if b"\0asm".starts_with(bytes) || (bytes.starts_with(b"\0asm") && bytes.len() < 8) {
        ("truncated", "the first bytes of one", "Upload the whole file: the copy was cut short.")
    } else {
        ("not_a_component", "something else", "Upload the `.wasm` file that your build made.")
    };
    Err(Refusal::new(code, "", "a WebAssembly component (`\\0asm`, layer 1)", found, fix))
}

/// Imports are judged by their functions and resources. Toolchains add type-only imports: those are fine.
fn judge_imports(types: &Types, contents: &Contents) -> Result<Vec<String>, Refusal> {
    let mut wanted = Vec::new();
    for import in &contents.imports {
        let Some(item) = types.component_item_for_import(import) else { continue };
        for member in members(types, item) {
            if offered(import, &member) {
                let interface = import.split(['/', '@']).nth(1).unwrap_or(import);
                wanted.push(format!("{interface}.{member}"));
            } else {
                let path = if member.is_empty() { import.clone() } else { format!("{import}#{member}") };
                return Err(Refusal::new(
                    "import",
                    path,
                    "only anteroom:policy/host@1.0.0 (log, now, seed, settings, history) and \
                     anteroom:policy/patient@1.0.0 (field)",
                    format!("an import that policies don't have (built with {})", tools(contents)),
                    import_fix(import, contents),
                ));
            }
        }
    }
    Ok(wanted)
}

/// Names of what an import asks the host for; an empty name for the import itself.
fn members(types: &Types, item: &ComponentItem) -> Vec<String> {
    let asks = |item: &ComponentItem| match item.ty {
        ComponentEntityType::Type { created, .. } => {
            matches!(created, wasmparser::component_types::ComponentAnyTypeId::Resource(_))
        }
        _ => true,
    };
    match item.ty {
        ComponentEntityType::Instance(id) => {
            let exports = types[id].exports.iter();
            exports.filter(|(_, item)| asks(item)).map(|(name, _)| name.clone()).collect()
        }
        _ if asks(item) => vec![String::new()],
        _ => Vec::new(),
    }
}

fn offered(import: &str, member: &str) -> bool {
    OFFERED.iter().any(|(interface, functions)| *interface == import && functions.contains(&member))
}

fn exports(types: &Types, contents: &Contents, hook: Hook) -> bool {
    let name = interface(hook);
    contents.exports.iter().any(|export| export == name)
        && types
            .component_item_for_export(name)
            .is_some_and(|item| matches!(item.ty, ComponentEntityType::Instance(_)))
}

/// The exact flag that takes the import away, for the toolchain that made the component.
fn import_fix(import: &str, contents: &Contents) -> String {
    let made_with = |tool: &str| contents.tools.iter().any(|name| name.contains(tool));
    if !import.starts_with("wasi:") {
        return "Remove the import: a policy gets what it needs through its turn and \
                anteroom:policy/host. For another version of anteroom:policy, build with this \
                Anteroom's wit/."
            .to_owned();
    }
    if made_with("componentize-py") {
        "Build with `componentize-py componentize --stub-wasi …`.".to_owned()
    } else if made_with("componentize-js") || made_with("ComponentizeJS") || made_with("jco") {
        "Build with `jco componentize --disable all …`, or `componentize-qjs --sync --stub-wasi`.".to_owned()
    } else if made_with("qjs") || made_with("quickjs") {
        "Build with `componentize-qjs --sync --stub-wasi …`.".to_owned()
    } else if made_with("rustc") || made_with("Rust") {
        "Build with `cargo build --target wasm32-unknown-unknown` instead of wasm32-wasip1 or wasip2."
            .to_owned()
    } else if made_with("clang") || made_with("zig") {
        "Build with `zig cc -target wasm32-freestanding -nostdlib` instead of wasm32-wasi.".to_owned()
    } else {
        "Policies run without WASI. Rust: `--target wasm32-unknown-unknown`; Python: `componentize-py \
         componentize --stub-wasi`; JavaScript: `componentize-qjs --sync --stub-wasi`; C: `zig cc -target \
         wasm32-freestanding`."
            .to_owned()
    }
}

fn tools(contents: &Contents) -> String {
    if contents.tools.is_empty() { "an unnamed toolchain".to_owned() } else { contents.tools.join(", ") }
}

/// Walks the binary once. Names of imports and exports are the outermost component's; the manifest is the
/// outermost that there is.
fn contents(bytes: &[u8]) -> wasmparser::Result<Contents> {
    let mut contents = Contents::default();
    let mut depth = 0_usize;
    let mut manifest_depth = usize::MAX;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(imports) if depth == 0 => {
                for import in imports {
                    contents.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(exports) if depth == 0 => {
                for export in exports {
                    contents.exports.push(export?.name.name.to_owned());
                }
            }
            Payload::CustomSection(section)
                if section.name() == MANIFEST_SECTION && depth < manifest_depth =>
            {
                manifest_depth = depth;
                contents.manifest = Some(section.data().to_vec());
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Producers(producers) = section.as_known() {
                    for field in producers.into_iter().flatten() {
                        for value in field.values.into_iter().flatten() {
                            let name = value.name.to_owned();
                            if contents.tools.len() < 8 && !contents.tools.contains(&name) {
                                contents.tools.push(name);
                            }
                        }
                    }
                }
            }
            _ => {}
        }
    }
    Ok(contents)
}
