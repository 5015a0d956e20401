//! The migrations are embedded: a change of theirs must rebuild this crate.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
