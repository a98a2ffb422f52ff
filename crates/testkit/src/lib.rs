//! For tests: a mirror with test channels and faults, a package index of Python ([`TestIndex`]),
//! projects to run the program in, and servers for secrets: a real one ([`TestServer`]) and a
//! scripted one ([`ScriptedServer`]).
//!
//! ```
//! use envlock_testkit::{Fault, TestMirror};
//!
//! let world = TestMirror::new()
//!     .channel("conda-forge", |c| {
//!         c.add("numpy 1.24.3 py310_0 | python >=3.10,<3.11.0a0; libblas");
//!         c.add("numpy 1.26.0 py311_0 | python >=3.11");
//!         c.noarch("idna 3.4 pyhd_0 | python");
//!     })
//!     .with_fault("*/numpy-1.24.3*", Fault::status(403));
//! assert_eq!(world.mirror_args().len(), 5);
//! ```
//!
//! Every error here is a panic with its reason, since a test can't handle it.
#![allow(clippy::missing_panics_doc)]

mod bao;
mod blocking;
mod channel;
mod faults;
mod faulty_server;
mod package_line;
mod project;
mod random;
mod scripted_server;
mod search;
mod shared;
mod synthetic;
mod tell;
mod test_index;
mod test_mirror;
mod test_projects;
mod wheel_line;

pub use bao::{
    AuditEntry, AuditKind, FakeKubernetes, JwtIssuer, TestServer, VaultClient, binary, product,
    skip_test,
};
pub use channel::TestChannel;
pub use envlock_depot::{
    BuiltDistribution, BuiltPackage, Channel, Fault, FileAddress, Format, Hangs, IndexFormats,
    IndexForms, ListedMetadata, Listing, LoggedRequest, PLACEHOLDER, Pace, Package, Sdist,
    SimpleIndex, Wheel,
};
pub use faulty_server::FaultyServer;
pub use package_line::parse_package;
pub use project::{Output, Project};
pub use random::SeededRandom;
pub use rattler_conda_types::Subdir;
pub use scripted_server::{RecordedRequest, ScriptedAnswer, ScriptedAnswers, ScriptedServer};
pub use search::{extract, files_containing};
pub use shared::shared_data;
pub use test_index::TestIndex;
pub use test_mirror::TestMirror;
pub use test_projects::TestProjects;
pub use wheel_line::parse_wheel;
