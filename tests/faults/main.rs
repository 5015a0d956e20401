//! What happens to the real binary when networks, databases, disks and carriers fail: nothing that was
//! acknowledged is lost, nothing is stored, processed or sent twice, and every conversation keeps its order.
//!
//! Each test is a row of figures, printed in every run, on each engine it applies to. The forms are short;
//! `make torture` runs the long ones, by environment variables:
//!
//! - `ANTEROOM_KILLS`: how often a node is killed,
//! - `ANTEROOM_FAULT_SECONDS`: how long a database, a network or a carrier is in trouble,
//! - `ANTEROOM_SEED`: repeats the choices of another run.

mod carrier;
mod database;
mod disk;
mod duplicates;
mod nodes;
mod order;
mod site;

use site::{Engine, Row, Site};
