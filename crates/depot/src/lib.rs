//! Builds conda packages and Python distributions, writes them into channels and indexes, and
//! serves these over loopback.
//!
//! ```text
//! Package ──write──▶ .conda / .tar.bz2 ──┐
//! record (JSON) ─────────────────────────┴─▶ Channel ──write_index──┐
//! Wheel ──write──▶ .whl ─────┐                                      ├─▶ tree ──▶ Server
//! Sdist ──write──▶ .tar.gz ──┴─────────────▶ SimpleIndex ──write────┘
//! ```
//!
//! The demo and the tests use it. The bytes of a package depend only on its builder calls, not on
//! the clock, the user or the order of directory entries.

mod archive;
mod channel;
mod core_metadata;
mod cpython;
mod demo_packages;
mod demo_wheels;
mod entry;
mod info;
mod mirror;
mod package;
mod python_name;
mod sdist;
mod server;
mod simple_index;
mod wheel;

pub use archive::Format;
pub use channel::{Channel, IndexFormats};
pub use cpython::{Cpython, CpythonError, SkipReason, SkippedInterpreter, bin_directories};
pub use demo_packages::demo_packages;
pub use demo_wheels::demo_wheels;
pub use entry::PLACEHOLDER;
pub use mirror::Mirror;
pub use package::{BuiltPackage, Package};
pub use python_name::normalized_project_name;
pub use sdist::Sdist;
pub use server::{Fault, Hangs, LoggedRequest, Pace, Request, Server};
pub use simple_index::{FileAddress, IndexForms, ListedMetadata, Listing, SimpleIndex};
pub use wheel::{BuiltDistribution, Wheel};
