//! A conda package `python` out of a CPython that this machine has.
//!
//! What is found ([`find`](Cpython::find)) is run and looked at; what is packed
//! ([`package`](Cpython::package)) finds everything of its own relative to itself, so that
//! nothing in the package leads back to where it came from.

mod candidates;
mod elf;
mod error;
mod pack;
mod probe;

use std::path::{Path, PathBuf};

pub use candidates::bin_directories;
pub use error::{CpythonError, SkipReason, SkippedInterpreter};

use crate::Package;

/// A CPython that can be made into a package.
#[derive(Debug, Clone)]
pub struct Cpython {
    /// The file that was run, with links followed.
    pub executable: PathBuf,
    /// As in `3.10.13`.
    pub version: String,
    /// Whether it is of the version that was asked for.
    pub is_requested_version: bool,
    /// What else was tried before it, and why it wasn't taken.
    pub skipped: Vec<SkippedInterpreter>,
    prefix: Prefix,
    /// `lib/pythonX.Y` below the prefix.
    library: String,
    /// Installed packages are looked for in `lib/pythonX.Y/dist-packages`: Debian's way.
    has_dist_packages: bool,
}

/// Where the interpreter was installed.
#[derive(Debug, Clone)]
struct Prefix {
    path: PathBuf,
    /// How files of its own may spell it; none where the prefix is the whole system's, and a
    /// file that names it means the system.
    spellings: Vec<String>,
}

impl Prefix {
    /// A shared object of the interpreter's own.
    fn library(&self, name: &str) -> Option<PathBuf> {
        let file = self.path.join("lib").join(name);
        (!self.spellings.is_empty() && file.exists()).then_some(file)
    }
}

impl Cpython {
    /// Looks for `pythonX.Y` in these directories. One of the `requested` version that can be
    /// packed is taken, the first; without one the newest other of Python 3.
    ///
    /// Every candidate is run, until one is right.
    pub fn find(bin_directories: &[PathBuf], requested: [u32; 2]) -> Result<Self, CpythonError> {
        let mut skipped = Vec::new();
        for candidate in candidates::sorted(bin_directories, requested) {
            match probe::probe(&candidate.executable) {
                Ok(cpython) => {
                    return Ok(Self {
                        is_requested_version: candidate.is_requested_version,
                        skipped,
                        ..cpython
                    });
                }
                Err(reason) => {
                    skipped.push(SkippedInterpreter { path: candidate.executable, reason })
                }
            }
        }
        Err(CpythonError::NotFound { requested, skipped })
    }

    /// The package: executable, library and the shared objects of its own, without tests,
    /// caches, headers and installed packages.
    pub fn package(&self) -> Result<Package, CpythonError> {
        pack::package(self)
    }

    /// The directory that it was installed in.
    pub fn prefix(&self) -> &Path {
        &self.prefix.path
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
