//! The permissions and link targets that installed files should have: those of their archives,
//! masked with the user's umask.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::meta::permissions;

/// The permissions and link targets that installed files should have.
#[derive(Debug, Default)]
pub(crate) struct ExpectedMetadata {
    /// The permissions of a new directory: all that the umask leaves.
    pub(crate) directory_mode: u32,
    /// Whether the file system keeps permissions.
    pub(crate) has_modes: bool,
    /// The permissions of files.
    pub(crate) modes: BTreeMap<PathBuf, u32>,
    /// The targets of symbolic links.
    pub(crate) links: BTreeMap<PathBuf, PathBuf>,
}

impl ExpectedMetadata {
    /// Reads the umask, and whether there are permissions, from a new staging directory with a
    /// file in it.
    pub(crate) fn new(staging: &Path, file: &Path) -> io::Result<Self> {
        let mut has_modes = true;
        for mode in [0o600, 0o750] {
            fs_err::set_permissions(file, Permissions::from_mode(mode))?;
            has_modes &= permissions(&fs_err::metadata(file)?) == mode;
        }
        let directory_mode = permissions(&fs_err::metadata(staging)?) & 0o777;
        Ok(Self { directory_mode, has_modes, ..Self::default() })
    }

    /// Gives an installed file the permissions of its archive without those that the umask takes,
    /// and remembers them. A hard link is replaced by a copy if it has others: the file in the
    /// cache, and in other prefixes, stays as it is.
    pub(crate) fn set_mode(&mut self, staging: &Path, path: &Path, mode: u32) -> io::Result<()> {
        let mode = mode & self.directory_mode;
        let place = staging.join(path);
        let found = fs_err::symlink_metadata(&place)?;
        if self.has_modes && permissions(&found) != mode {
            if found.nlink() > 1 {
                let copy = tempfile::NamedTempFile::new_in(staging)?;
                fs_err::copy(&place, copy.path())?;
                copy.as_file().set_modified(found.modified()?)?;
                copy.persist(&place).map_err(|error| error.error)?;
            }
            fs_err::set_permissions(&place, Permissions::from_mode(mode))?;
        }
        self.modes.insert(path.to_owned(), mode);
        Ok(())
    }
}
