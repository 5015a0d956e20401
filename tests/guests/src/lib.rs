//! Holds the guests of `examples/`; nothing of its own.
