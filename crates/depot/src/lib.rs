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
mod entry;
mod info;
mod layout;
mod package;
mod samples;
mod server;

pub use archive::Format;
pub use channel::{Channel, IndexFormats};
pub use cpython::{Cpython, CpythonError, Reason, Skipped, bin_directories};
pub use entry::PLACEHOLDER;
pub use layout::Mirror;
pub use package::{Built, Package};
pub use samples::samples;
pub use server::{Fault, Logged, Pace, Request, Server};
