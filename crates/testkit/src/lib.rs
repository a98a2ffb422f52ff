//! For tests: a world of channels with a line for each package and each fault, and projects
//! to run the program in, and servers to ask for secrets: a real one ([`Bao`]) and
//! a scripted one ([`Script`]).
//!
//! ```
//! use envlock_testkit::{Fault, World};
//!
//! let world = World::new()
//!     .channel("conda-forge", |c| {
//!         c.pkg("numpy 1.24.3 py310_0 | python >=3.10,<3.11.0a0; libblas");
//!         c.pkg("numpy 1.26.0 py311_0 | python >=3.11");
//!         c.noarch("idna 3.4 pyhd_0 | python");
//!     })
//!     .fault("*/numpy-1.24.3*", Fault::status(403));
//! assert_eq!(world.mirror_args().len(), 5);
//! ```
//!
//! Whatever goes wrong in here is a panic with the reason: a test has no use for it.
#![allow(clippy::missing_panics_doc)]

mod bao;
mod blocking;
mod channel;
mod faults;
mod line;
mod project;
mod script;
mod search;
mod shared;
mod synthetic;
mod world;

pub use bao::{AuditKind, Audited, Bao, JwtIssuer, KubernetesStandIn, Operator, binary, left_out};
pub use channel::TestChannel;
pub use envlock_depot::{
    Built, Channel, Fault, Format, IndexFormats, Logged, PLACEHOLDER, Pace, Package,
};
pub use line::package;
pub use project::{Output, Project};
pub use rattler_conda_types::Subdir;
pub use script::{Answer, Answers, Asked, Script};
pub use search::{extract, files_with};
pub use shared::shared;
pub use world::World;
