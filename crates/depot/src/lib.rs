//! Makes conda packages, puts them into channels and serves these over loopback.
//!
//! ```text
//! Package ──write──▶ .conda / .tar.bz2 ──┐
//! record (JSON) ─────────────────────────┴─▶ Channel ──write_index──▶ tree ──▶ Server
//! ```
//!
//! The demo ships with it and the tests stand on it: there is one package builder and one
//! server. Bytes depend on what a package was told and on nothing else: no clock, no user,
//! no order of directory entries.

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
pub use server::{Fault, LoggedRequest, Pace, Request, Server};
