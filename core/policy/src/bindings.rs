//! Generated from `wit/`, and private: the rest of the workspace sees [`anteroom_model::hooks`].

#![expect(unreachable_pub, reason = "generated")]

mod shared {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "
            package anteroom:bindings;
            world shared { import anteroom:policy/types@1.0.0; }
        ",
    });
}

pub use shared::anteroom::policy::types;

macro_rules! world {
    ($name:ident, $world:literal) => {
        pub mod $name {
            wasmtime::component::bindgen!({
                path: "../../wit",
                world: $world,
                with: { "anteroom:policy/types@1.0.0": super::types },
            });
        }
    };
}

world!(identity, "anteroom:policy/identity-policy@1.0.0");
world!(routing, "anteroom:policy/routing-policy@1.0.0");
world!(replies, "anteroom:policy/replies-policy@1.0.0");
world!(shortcuts, "anteroom:policy/shortcuts-policy@1.0.0");
