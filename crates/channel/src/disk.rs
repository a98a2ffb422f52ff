//! Errors of the cache's disk. No other source is asked after such an error.

use std::io;
use std::path::{Path, PathBuf};

use envlock_report::{AsFindings, Code, Exit, Finding};

use envlock_report::connection::root_cause;

/// The cache can't be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.describe())]
pub struct DiskError {
    path: PathBuf,
    source: io::Error,
}

impl DiskError {
    pub(crate) fn new(path: &Path, source: io::Error) -> Self {
        Self { path: path.to_owned(), source }
    }

    fn is_full(&self) -> bool {
        is_full(&self.source)
    }

    /// Whether this user may not write there, or the file system is read-only.
    pub(crate) fn is_read_only(&self) -> bool {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        matches!(self.source.kind(), PermissionDenied | ReadOnlyFilesystem)
    }

    fn describe(&self) -> String {
        let path = self.path.display();
        if self.is_full() {
            return format!("the disk is full: nothing more can be written to {path}");
        }
        if self.is_read_only() {
            return format!("nothing can be written to {path}: no permission");
        }
        // The wrapping error repeats the path, so only the cause is shown.
        format!("{path} can't be used: {}", root_cause(&self.source))
    }
}

/// Whether an error means that the disk or the quota is full.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}

impl AsFindings for DiskError {
    fn findings(&self) -> Vec<Finding> {
        let (code, help) = if self.is_full() {
            (Code::DiskFull, "free some space, or choose another folder; nothing was changed")
        } else {
            (Code::CacheUnusable, "repair the folder, or choose another one; nothing was changed")
        };
        vec![Finding::new(code, self.to_string()).with_help(help)]
    }

    fn exit(&self) -> Exit {
        Exit::Undetermined
    }
}

/// Adds the path to an error of the file system.
pub(crate) trait WithPath<T> {
    /// Adds `path` to the error.
    fn with_path(self, path: &Path) -> Result<T, DiskError>;
}

impl<T> WithPath<T> for io::Result<T> {
    fn with_path(self, path: &Path) -> Result<T, DiskError> {
        self.map_err(|source| DiskError::new(path, source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_has_its_own_code_and_exit_3() {
        let error = DiskError::new(Path::new("/缓存"), io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(error.to_string(), "the disk is full: nothing more can be written to /缓存");
        assert_eq!(error.findings()[0].code, "disk-full");
        assert_eq!(error.exit(), Exit::Undetermined);
    }
}
