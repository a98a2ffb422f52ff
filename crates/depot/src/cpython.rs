//! Makes the conda package `python` from a CPython of this machine.
//!
//! [`find`](Cpython::find) runs candidates and checks them. [`package`](Cpython::package) makes
//! every path in the package relative, so that nothing refers to the original installation.

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
    /// Whether it has the requested version.
    pub is_requested_version: bool,
    /// The candidates that were tried before it, and why they were skipped.
    pub skipped: Vec<SkippedInterpreter>,
    prefix: Prefix,
    /// `lib/pythonX.Y` below the prefix.
    library: String,
    /// Installed packages are looked for in `lib/pythonX.Y/dist-packages`: Debian's way.
    has_dist_packages: bool,
}

/// The prefix of the original installation.
#[derive(Debug, Clone)]
struct Prefix {
    path: PathBuf,
    /// The paths by which its files may name it; empty if the prefix is shared with the whole
    /// system.
    spellings: Vec<String>,
}

impl Prefix {
    /// Returns a shared library of the interpreter's prefix.
    fn library(&self, name: &str) -> Option<PathBuf> {
        let file = self.path.join("lib").join(name);
        (!self.spellings.is_empty() && file.exists()).then_some(file)
    }
}

impl Cpython {
    /// Looks for `pythonX.Y` in these directories. Returns the first one of the `requested`
    /// version that can be packed, else the newest other Python 3.
    ///
    /// Candidates are run in order until one can be packed.
    pub fn find(bin_directories: &[PathBuf], requested: [u32; 2]) -> Result<Self, CpythonError> {
        let mut skipped = Vec::new();
        for candidate in candidates::sorted_candidates(bin_directories, requested) {
            match probe::probe(&candidate.executable) {
                Ok(cpython) => {
                    return Ok(Self {
                        is_requested_version: candidate.is_requested_version,
                        skipped,
                        ..cpython
                    });
                }
                Err(reason) => {
                    skipped.push(SkippedInterpreter { path: candidate.executable, reason });
                }
            }
        }
        Err(CpythonError::NotFound { requested, skipped })
    }

    /// Builds the package: executable, library and shared libraries, without tests, caches,
    /// headers and installed packages.
    pub fn package(&self) -> Result<Package, CpythonError> {
        pack::package(self)
    }

    /// Returns the directory that it was installed in.
    pub fn prefix(&self) -> &Path {
        &self.prefix.path
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
