//! What `wit-bindgen` makes of `wit/`. Hidden: policies see the types through the hooks' modules.
//!
//! `pub_export_macro` keeps each world's exports out of a component until its `export_…!` macro is used, so a
//! component exports exactly the hooks it serves and imports exactly the functions it calls.
#![expect(clippy::same_length_and_capacity, reason = "generated code hands vectors over as it likes")]

/// The interfaces that every hook shares.
pub mod shared {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package anteroom:sdk;
            world shared {
                import anteroom:policy/types@1.0.0;
                import anteroom:policy/host@1.0.0;
                import anteroom:policy/patient@1.0.0;
            }
        ",
        generate_all,
        generate_unused_types: true,
        additional_derives: [Clone, PartialEq, Eq],
    });
}

pub mod identity {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "identity-policy",
        with: {
            "anteroom:policy/types@1.0.0": crate::bindings::shared::anteroom::policy::types,
            "anteroom:policy/host@1.0.0": crate::bindings::shared::anteroom::policy::host,
        },
        additional_derives: [Clone, PartialEq, Eq],
        pub_export_macro: true,
        export_macro_name: "export_identity",
    });
}

pub mod routing {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "routing-policy",
        with: {
            "anteroom:policy/types@1.0.0": crate::bindings::shared::anteroom::policy::types,
            "anteroom:policy/host@1.0.0": crate::bindings::shared::anteroom::policy::host,
            "anteroom:policy/patient@1.0.0": crate::bindings::shared::anteroom::policy::patient,
        },
        additional_derives: [Clone, PartialEq, Eq],
        additional_type_attributes: {
            "anteroom:policy/routing@1.0.0/placement": [#[derive(Default)]],
        },
        pub_export_macro: true,
        export_macro_name: "export_routing",
    });
}

pub mod replies {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "replies-policy",
        with: {
            "anteroom:policy/types@1.0.0": crate::bindings::shared::anteroom::policy::types,
            "anteroom:policy/host@1.0.0": crate::bindings::shared::anteroom::policy::host,
        },
        additional_derives: [Clone, PartialEq, Eq],
        pub_export_macro: true,
        export_macro_name: "export_replies",
    });
}

pub mod shortcuts {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "shortcuts-policy",
        with: {
            "anteroom:policy/types@1.0.0": crate::bindings::shared::anteroom::policy::types,
            "anteroom:policy/host@1.0.0": crate::bindings::shared::anteroom::policy::host,
            "anteroom:policy/patient@1.0.0": crate::bindings::shared::anteroom::policy::patient,
        },
        additional_derives: [Clone, PartialEq, Eq],
        pub_export_macro: true,
        export_macro_name: "export_shortcuts",
    });
}
