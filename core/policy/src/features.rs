//! Bytes that don't validate: cut short, damaged, or made with a feature that policies don't have?

use wasmparser::{BinaryReaderError, Validator, WasmFeatures};

use crate::{Refusal, engine::FEATURES};

/// A feature that is off, and how to build without it. Together with those before it, so that a feature
/// which needs another is named after it.
struct Off {
    features: WasmFeatures,
    name: &'static str,
    fix: &'static str,
}

const OFF: [Off; 8] = [
    Off {
        features: WasmFeatures::RELAXED_SIMD,
        name: "relaxed SIMD, whose results differ by machine",
        fix: "Rust: `-C target-feature=-relaxed-simd`; C: `-mno-relaxed-simd`.",
    },
    Off {
        features: WasmFeatures::THREADS.union(WasmFeatures::SHARED_EVERYTHING_THREADS),
        name: "threads, shared memory and atomics",
        fix: "Rust: `-C target-feature=-atomics` and no `--shared-memory`; C: no `-pthread`, `-mno-atomics`.",
    },
    Off {
        features: WasmFeatures::MEMORY64,
        name: "64-bit memories and tables",
        fix: "Build for a 32-bit target: wasm32-unknown-unknown, not wasm64.",
    },
    Off {
        features: WasmFeatures::EXCEPTIONS
            .union(WasmFeatures::LEGACY_EXCEPTIONS)
            .union(WasmFeatures::GC_TYPES),
        name: "exceptions",
        fix: "Rust: `panic = \"abort\"`; C++: `-fno-exceptions`; C: no `-fwasm-exceptions`.",
    },
    Off {
        features: WasmFeatures::FUNCTION_REFERENCES.union(WasmFeatures::GC).union(WasmFeatures::GC_TYPES),
        name: "garbage-collected types",
        fix: "Use a toolchain that brings its own collector in linear memory (Go: TinyGo; JavaScript: \
              componentize-qjs), not one that targets WasmGC.",
    },
    Off {
        features: WasmFeatures::CM_ASYNC
            .union(WasmFeatures::CM_ASYNC_STACKFUL)
            .union(WasmFeatures::CM_MORE_ASYNC_BUILTINS)
            .union(WasmFeatures::CM_THREADING)
            .union(WasmFeatures::CM_ERROR_CONTEXT),
        name: "async functions, streams and futures",
        fix: "Generate plain bindings: Rust: `wit-bindgen` without `async`; JavaScript: `componentize-qjs \
              --sync`.",
    },
    Off {
        features: WasmFeatures::WIDE_ARITHMETIC,
        name: "wide arithmetic",
        fix: "Rust: `-C target-feature=-wide-arithmetic`; C: `-mno-wide-arithmetic`.",
    },
    Off {
        features: WasmFeatures::all(),
        name: "features that are not standard yet",
        fix: "Build with the standard features only: Rust and C: `-C target-cpu=mvp` or `-mcpu=mvp`.",
    },
];

/// Says which of the three it is.
pub(crate) fn refuse(bytes: &[u8], error: &BinaryReaderError) -> Refusal {
    let offset = format!("offset {:#x}", error.offset());
    if let Some(missing) = missing(bytes) {
        return Refusal::new(
            "truncated",
            offset,
            "a whole component",
            format!("one whose last section is {missing} bytes short"),
            "Upload the whole file: the copy was cut short.",
        );
    }
    let is_valid =
        |features| Validator::new_with_features(FEATURES.union(features)).validate_all(bytes).is_ok();
    if is_valid(WasmFeatures::all())
        && let Some(off) = OFF.iter().find(|off| is_valid(off.features))
    {
        return Refusal::new(
            "feature",
            offset,
            format!("a component without {}", off.name),
            error.message(),
            off.fix,
        );
    }
    Refusal::new(
        "invalid",
        offset,
        "a valid component",
        error.message(),
        "Build it again; `wasm-tools validate policy.wasm` says the same. Damaged copies of good files are \
         invalid, too: compare their checksums.",
    )
}

/// Bytes that the last section is short of what it says.
fn missing(bytes: &[u8]) -> Option<usize> {
    const HEADER: usize = 8;
    if bytes.len() < HEADER {
        return Some(HEADER - bytes.len());
    }
    let mut rest = &bytes[HEADER..];
    while let [_, body @ ..] = rest {
        let Some((size, used)) = size(body) else { return Some(1) };
        let held = body.len() - used;
        match size.checked_sub(held) {
            Some(short) if short > 0 => return Some(short),
            _ => rest = &body[used + size..],
        }
    }
    None
}

/// A section's size, and how many bytes say it; `None` where they end.
fn size(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut size = 0;
    for (index, &byte) in bytes.iter().take(5).enumerate() {
        size |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((size, index + 1));
        }
    }
    None
}
