//! What authors do: `anteroom policy`, the guide, the templates and the examples, with the real binary and the
//! real toolchains. `scripts/guest-env` has these ready; the first run on a machine fetches them.

mod bench;
mod cases;
mod examples;
mod guide;
mod scaffolds;

use bench::Bench;
