//! C bindings for a world of `wit/`, as files to compile beside a policy written in C.

use std::path::Path;

use wit_bindgen_core::{Files, wit_parser::Resolve};

use crate::Error;

/// A generated file: its name (`routing_policy.h`) and contents.
pub type File = (String, Vec<u8>);

/// Header and source of `world`, of the WIT package in the folder `wit`.
///
/// The object file with the world's type is left out: [`crate::embed_world`] writes the same into the linked
/// module, whatever the linker.
pub fn c_bindings(wit: &Path, world_name: &str) -> Result<Vec<File>, Error> {
    let wrong = |error: &dyn std::fmt::Display| Error::Wit(format!("{error:#}"));
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit).map_err(|error| wrong(&error))?;
    let world = resolve.select_world(&[package], Some(world_name)).map_err(|error| wrong(&error))?;
    let mut files = Files::default();
    let options = wit_bindgen_c::Opts { no_object_file: true, ..Default::default() };
    let mut generator = options.build();
    wit_bindgen_core::WorldGenerator::generate(&mut *generator, &mut resolve, world, &mut files)
        .map_err(|error| wrong(&error))?;
    let mut files: Vec<File> =
        files.iter().map(|(name, contents)| (name.to_owned(), contents.to_vec())).collect();
    // The bindings ask the linker for the object file by this name.
    let snake = world_name.replace('-', "_");
    let stub = format!("void __component_type_object_force_link_{snake}(void) {{}}\n");
    files.push((format!("{snake}_component_type.c"), stub.into_bytes()));
    Ok(files)
}
