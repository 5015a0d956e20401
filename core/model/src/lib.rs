//! The words of Anteroom as types: ids, addresses, message texts, opening hours, states and hook records.
//!
//! Pure: nothing here reads a clock, a file, a socket or ambient randomness. What crosses an edge (a
//! webhook, a REST body, a row) is parsed into these types there and not validated again inside.

pub mod deadlines;
pub mod hooks;
pub mod hours;
pub mod ids;
pub mod keywords;
pub mod matching;
pub mod names;
pub mod nicknames;
pub mod parts;
pub mod phone;
pub mod quiet;
pub mod registration;
pub mod roster;
pub mod search;
pub mod segments;
pub mod states;
pub mod time;
pub mod words;
