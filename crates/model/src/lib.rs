//! The data types of environment.yml, channels, the lock and the needs of credentials, with
//! their parsers.
//!
//! This crate is pure: it uses no file, environment variable, clock or network.

pub mod channel;
pub mod diff;
pub mod lock;
pub mod lock_inputs;
pub mod name;
pub mod needs;
mod other_format;
pub mod pip;
pub mod platform;
pub mod progress;
pub mod record;
pub mod spec;
pub mod virtual_packages;
pub mod wheel;

pub use other_format::OtherFormat;
