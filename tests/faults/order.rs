//! Receipts that come before the messages they are about, and texts in another order: the same final state.
