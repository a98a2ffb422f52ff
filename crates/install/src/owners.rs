//! Which package gets a path that more than one package contains: one rule for files, links
//! and commands.
//!
//! The first package in the order of linking gets it, as in rattler. The entries of the others
//! are left out: each file of the prefix then
//! has exactly one record, and no command can be written into a hard link to the cache.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use rattler_conda_types::package::PathType;
use rattler_digest::Sha256Hash;

use crate::contents::Contents;
use crate::install_spec::Clobber;

#[derive(Debug)]
struct Owner {
    package: String,
    sha256: Option<Sha256Hash>,
}

/// The files and links of a whole set, each with its package.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    paths: HashMap<PathBuf, Owner>,
    pub(crate) clobbers: Vec<Clobber>,
}

impl Owners {
    /// Gives every path to the first package that contains it.
    pub(crate) fn assign(set: &mut [Contents<'_>]) -> Self {
        let mut owners = Self::default();
        let mut clobbers = BTreeMap::new();
        for contents in set {
            let package = contents.package.display_name();
            contents.entries.retain(|entry| {
                entry.source.path_type == PathType::Directory
                    || owners.claim(&package, &entry.target, entry.source.sha256, &mut clobbers)
            });
            contents
                .commands
                .retain(|command| owners.claim(&package, &command.target, None, &mut clobbers));
        }
        owners.clobbers = clobbers.into_values().collect();
        owners
    }

    /// Returns the package that the file or link at a path is from.
    pub(crate) fn owner_of(&self, path: &Path) -> Option<&str> {
        self.paths.get(path).map(|owner| owner.package.as_str())
    }

    fn claim(
        &mut self,
        package: &str,
        path: &Path,
        sha256: Option<Sha256Hash>,
        clobbers: &mut BTreeMap<PathBuf, Clobber>,
    ) -> bool {
        let Some(owner) = self.paths.get(path) else {
            self.paths.insert(path.to_owned(), Owner { package: package.to_owned(), sha256 });
            return true;
        };
        let clobber = clobbers.entry(path.to_owned()).or_insert_with(|| Clobber {
            path: path.to_owned(),
            kept: owner.package.clone(),
            not_installed: Vec::new(),
            identical: true,
        });
        clobber.not_installed.push(package.to_owned());
        clobber.identical &= sha256.is_some() && sha256 == owner.sha256;
        false
    }
}
