//! The carriers' own packages are the other side: what they signed is taken, and nothing that differs from
//! it by a byte; what we send is what they send.
//!
//! The vectors are made by `scripts/carrier-vectors`; `make carrier-vectors` checks that they still are what
//! the packages say.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod accept;
mod exchanges;
mod forge;
mod lists;
mod recent;
mod rotate;
mod sends;
mod tamper;
mod vectors;
