//! End to end: the program in projects of its own, against channels on loopback.
#![allow(clippy::unwrap_used)] // An unwrap in a test is its assertion.

mod channels;
mod conflicts;
mod files;
mod lock;
mod lock_edited;
mod mirrors;
mod solve;
mod support;
