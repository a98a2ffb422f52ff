//! environment.yml, channels, the lock and the difference between two locks, as data.
//!
//! Pure: nothing here reads a file, an environment variable, the clock or the network.

pub mod channel;
pub mod diff;
pub mod lock;
pub mod lock_inputs;
pub mod name;
pub mod needs;
pub mod platform;
pub mod progress;
pub mod record;
pub mod spec;
pub mod virtual_packages;
