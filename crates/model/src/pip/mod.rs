//! Reads the lines of the `pip:` sections of environment.yml, and of the requirements files that
//! they include, as pip reads a requirements file.
//!
//! The rules are those of pip 24 to 26 (`pip._internal.req.req_file` and `constructors`), of PEP 508
//! and of PEP 440. Where pip asks the file system what a line is, its form decides: a text with a
//! slash, or with a dot at its start, is a path.

mod address;
mod contradictions;
mod index_options;
mod inputs;
mod line;
mod lines;
mod named;
mod not_pip;
mod options;
mod origin;
mod parse;
mod problem;
mod read;
mod requirement;
mod variables;
mod words;

pub use index_options::{Archives, IndexOption, IndexOptions, Location, PackageChoice, PackageSet};
pub use inputs::{PipInputs, RequestedPipLine};
pub use pep440_rs::VersionSpecifiers;
pub use pep508_rs::{ExtraName, MarkerTree, PackageName};
pub use read::{IncludedFiles, PipContent, PipLine, Source, SourceError};
pub use requirement::{Hash, HashAlgorithm, Marker, Requirement, RequirementKind, Revision};
pub use variables::{Expanded, UnsetVariable, VariableText};

pub(crate) use contradictions::check;
pub(crate) use lines::logical_lines;
pub(crate) use origin::Origin;
pub(crate) use read::PipReader;
