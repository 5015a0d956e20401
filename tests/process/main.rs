//! Tests of the real binary as a process of its own, with the real store: only the carrier is fake.
//!
//! Each test has a folder, a server and a Twilio of its own ([`Clinic`]), and ends what it started.

mod backup;
mod carriers;
mod clinic;
mod compile;
mod elsewhere;
mod forgeries;
mod hub;
mod interrupted;
mod kill;
mod leaks;
mod moves;
mod organizations;
mod outbox;
mod policies;
mod refusals;
mod roster;
mod round_trip;
mod signing;
mod taken;
mod unread;

use clinic::Clinic;
