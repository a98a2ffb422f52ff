//! Builds conda packages, writes them into channels and serves the channels over loopback.
//!
//! ```text
//! Package ──write──▶ .conda / .tar.bz2 ──┐
//! record (JSON) ─────────────────────────┴─▶ Channel ──write_index──▶ tree ──▶ Server
//! ```
//!
//! The demo and the tests use it. The bytes of a package depend only on its builder calls, not on
//! the clock, the user or the order of directory entries.

mod archive;
mod channel;
mod cpython;
mod demo_packages;
mod entry;
mod info;
mod mirror;
mod package;
mod server;

pub use archive::Format;
pub use channel::{Channel, IndexFormats};
pub use cpython::{Cpython, CpythonError, SkipReason, SkippedInterpreter, bin_directories};
pub use demo_packages::demo_packages;
pub use entry::PLACEHOLDER;
pub use mirror::Mirror;
pub use package::{BuiltPackage, Package};
pub use server::{Fault, Hangs, LoggedRequest, Pace, Request, Server};
