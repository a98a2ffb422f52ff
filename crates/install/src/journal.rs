//! The journal of two renames that must both happen, `.NAME~journal`.

use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use crate::error::{InstallError, IoContext};
use crate::mark::Mark;
use crate::prefix_paths::PrefixPaths;
use crate::trusted::{Distrust, check_directory, distrusted, open_file, read_small};

/// The version of the format.
const VERSION: u32 = 2;

/// Two renames that belong together.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Journal {
    version: u32,
    /// The prefix of the install. A journal that came with a copied directory has another one.
    prefix: PathBuf,
    /// The name of the complete environment that goes to the prefix; it is next to the prefix.
    next: String,
    /// The random number in the mark of that environment.
    id: String,
}

impl Journal {
    /// Records that `next` will be renamed to the prefix, and marks `next`.
    pub(crate) fn write(paths: &PrefixPaths, next: &Path) -> io::Result<()> {
        let name = next.file_name().and_then(|name| name.to_str());
        let name = name.ok_or(io::ErrorKind::InvalidInput)?;
        let mark = Mark::new(&paths.prefix);
        mark.write(next)?;
        let (prefix, next, id) = (mark.prefix, name.to_owned(), mark.id);
        let journal = Self { version: VERSION, prefix, next, id };
        // Atomic: a killed process can't leave half of it.
        let fresh = paths.trash_path(UNFINISHED_SUFFIX);
        let mut file = fs_err::File::create_new(&fresh)?;
        file.write_all(&serde_json::to_vec(&journal)?)?;
        file.sync_all()?;
        fs_err::rename(&fresh, paths.journal())?;
        sync(&paths.parent)
    }

    /// Reads and checks the journal, if there is one.
    pub(crate) fn read(paths: &PrefixPaths) -> Result<Option<Self>, InstallError> {
        let path = paths.journal();
        let Some(mut file) = open_file(&path, OFlags::RDONLY)? else { return Ok(None) };
        let journal: Self = serde_json::from_slice(&read_small(&path, &mut file)?)
            .map_err(|_| distrusted(&path, Distrust::Content))?;
        let mut parts = Path::new(&journal.next).components();
        let is_a_name = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
        let next = paths.parent.join(&journal.next);
        let is_expected = journal.version == VERSION
            && journal.prefix == paths.prefix
            && is_a_name
            && (journal.next.starts_with(&paths.staging_stem()) || next == paths.previous());
        if is_expected { Ok(Some(journal)) } else { Err(distrusted(&path, Distrust::Content)) }
    }

    /// Returns the environment that goes to the prefix, if it is still next to it. Checks that its
    /// mark is the one of the journal.
    pub(crate) fn next(&self, paths: &PrefixPaths) -> Result<Option<PathBuf>, InstallError> {
        let next = paths.parent.join(&self.next);
        if std::fs::symlink_metadata(&next).is_err() {
            return Ok(None);
        }
        check_directory(&next)?;
        let mark = Mark::read(&next).while_doing("read the mark of an install")?;
        let expected = Mark { prefix: paths.prefix.clone(), id: self.id.clone() };
        if mark == Some(expected) { Ok(Some(next)) } else { Err(distrusted(&next, Distrust::Mark)) }
    }
}

/// The suffix of the name of an unfinished journal, after the staging stem.
pub(crate) const UNFINISHED_SUFFIX: &str = "journal";

/// Removes the journal after its renames are done or reverted.
pub(crate) fn clear(paths: &PrefixPaths) -> io::Result<()> {
    fs_err::remove_file(paths.journal())
}

/// Flushes a directory, so that a rename in it survives a crash.
pub(crate) fn sync(directory: &Path) -> io::Result<()> {
    fs_err::File::open(directory)?.sync_all()
}

/// Whether a file is one that a killed install left while it wrote a journal.
pub(crate) fn is_unfinished(paths: &PrefixPaths, path: &Path) -> bool {
    const START: &[u8] = br#"{"version":"#;
    let stem = format!("{}{UNFINISHED_SUFFIX}", paths.staging_stem());
    let is_named = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&stem));
    let bytes = || {
        let mut file = open_file(path, OFlags::RDONLY).ok()??;
        read_small(path, &mut file).ok()
    };
    is_named && bytes().is_some_and(|bytes| bytes.starts_with(START) || START.starts_with(&bytes))
}
