//! The paths next to a prefix, and which paths a prefix can have.

use std::io;
use std::path::{Component, Path, PathBuf};

use crate::error::{BadPrefix, InstallError, IoContext};
use crate::mark::Mark;

/// A prefix and the paths next to it.
#[derive(Debug, Clone)]
pub(crate) struct PrefixPaths {
    pub(crate) prefix: PathBuf,
    pub(crate) parent: PathBuf,
    name: String,
}

/// What envlock adds to the name of a prefix.
const ADDED: [&str; 4] = ["~previous", "~next-", "~lock", "~journal"];

/// The maximum number of bytes of a prefix's name: file systems allow 255, and the longest name next to it
/// is that of a journal's file with a random number.
const MAX_NAME: usize = 200;

/// Returns the reserved part of a name that belongs to another prefix, in any letter case.
fn reserved(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    ADDED.into_iter().find(|added| name.contains(added))
}

impl PrefixPaths {
    /// Checks that `prefix` can be a prefix: its path goes into shebangs, shell scripts and
    /// `PATH`.
    pub(crate) fn new(prefix: &Path) -> Result<Self, InstallError> {
        let bad = |why| InstallError::BadPrefix { prefix: prefix.to_owned(), why };
        let text = prefix.to_str().ok_or_else(|| bad(BadPrefix::NotUnicode))?;
        let plain = prefix.is_absolute()
            && !text.split(std::path::is_separator).any(|part| part == "." || part == "..")
            && !prefix.components().any(|part| part == Component::ParentDir);
        if !plain {
            return Err(bad(BadPrefix::NotPlain));
        }
        let forbidden = |c: char| c.is_control() || matches!(c, ':' | '"' | '$' | '`' | '\\');
        if let Some(character) = text.chars().find(|c| forbidden(*c)) {
            return Err(bad(BadPrefix::Character(character)));
        }
        let (Some(parent), Some(name)) =
            (prefix.parent(), prefix.file_name().and_then(|name| name.to_str()))
        else {
            return Err(bad(BadPrefix::Root));
        };
        if let Some(reserved) = reserved(name) {
            return Err(bad(BadPrefix::ReservedName(reserved)));
        }
        if name.len() > MAX_NAME {
            return Err(bad(BadPrefix::NameTooLong(name.len())));
        }
        match fs_err::symlink_metadata(prefix) {
            Ok(found) if found.is_symlink() => {
                let target = fs_err::read_link(prefix).while_doing("read the symbolic link")?;
                Err(bad(BadPrefix::Symlink(parent.join(target))))
            }
            Ok(found) if !found.is_dir() => Err(bad(BadPrefix::File)),
            Err(error) if !is_not_found(&error) => {
                Err(InstallError::Io { action: "look at the prefix", source: error })
            }
            _ => Ok(Self {
                prefix: prefix.to_owned(),
                parent: parent.to_owned(),
                name: name.to_owned(),
            }),
        }
    }

    /// Returns the path of the previous environment.
    pub(crate) fn previous(&self) -> PathBuf {
        self.parent.join(format!("{}~previous", self.name))
    }

    /// Returns a free path for an older environment that is kept.
    pub(crate) fn free_previous(&self) -> PathBuf {
        let numbered = |number: u32| self.parent.join(format!("{}~previous-{number}", self.name));
        let is_free = |path: &PathBuf| std::fs::symlink_metadata(path).is_err();
        (2..u32::MAX).map(numbered).find(is_free).unwrap_or_else(|| numbered(u32::MAX))
    }

    /// Returns the path of the advisory lock.
    pub(crate) fn lock(&self) -> PathBuf {
        self.parent.join(format!(".{}~lock", self.name))
    }

    /// Returns the path of the journal of two renames that must both happen.
    pub(crate) fn journal(&self) -> PathBuf {
        self.parent.join(format!(".{}~journal", self.name))
    }

    /// Returns how the names of staging directories and of discarded prefixes begin.
    pub(crate) fn staging_stem(&self) -> String {
        format!(".{}~next-", self.name)
    }

    /// Returns a new path for a directory that will be deleted. The next install removes what is
    /// left there.
    pub(crate) fn trash_path(&self, what: &str) -> PathBuf {
        let id = Mark::new(&self.prefix).id;
        self.parent.join(format!("{}{what}-{id}", self.staging_stem()))
    }

    /// Returns the paths with names of staging directories: those of killed installs, and possibly
    /// files of the user. Only for the holder of the lock: then no other install has a staging
    /// directory.
    pub(crate) fn abandoned(&self) -> io::Result<Vec<PathBuf>> {
        let stem = self.staging_stem();
        let mut found = Vec::new();
        for entry in fs_err::read_dir(&self.parent)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(&stem) {
                found.push(entry.path());
            }
        }
        found.sort();
        Ok(found)
    }
}

/// Whether an error means that the path doesn't exist. This includes a path below a file.
pub(crate) fn is_not_found(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(prefix: &str) -> Option<BadPrefix> {
        match PrefixPaths::new(Path::new(prefix)) {
            Err(InstallError::BadPrefix { why, .. }) => Some(why),
            _ => None,
        }
    }

    #[test]
    fn paths_that_break_shells_or_search_paths_are_refused() {
        assert_eq!(why("relative/env"), Some(BadPrefix::NotPlain));
        assert_eq!(why("/a/../env"), Some(BadPrefix::NotPlain));
        assert_eq!(why("/"), Some(BadPrefix::Root));
        assert_eq!(why("/a:b"), Some(BadPrefix::Character(':')));
        assert_eq!(why("/a\nb"), Some(BadPrefix::Character('\n')));
        assert_eq!(why("/a$b"), Some(BadPrefix::Character('$')));
        assert_eq!(why(&format!("/{}", "n".repeat(201))), Some(BadPrefix::NameTooLong(201)));
    }

    #[test]
    fn names_that_envlock_uses_next_to_a_prefix_are_refused() {
        for (name, added) in [
            ("env~previous", "~previous"),
            ("env~previous-2", "~previous"),
            ("ENV~Previous", "~previous"),
            (".env~next-a1b2c3", "~next-"),
            (".env~lock", "~lock"),
            (".env~journal", "~journal"),
        ] {
            assert_eq!(why(&format!("/a/{name}")), Some(BadPrefix::ReservedName(added)), "{name}");
        }
        assert!(PrefixPaths::new(Path::new("/a/env~1")).is_ok());
    }

    #[test]
    fn spaces_and_chinese_are_fine() {
        let paths = PrefixPaths::new(Path::new("/家 里/环境")).expect("a good prefix");
        assert_eq!(paths.previous(), Path::new("/家 里/环境~previous"));
        assert_eq!(paths.lock(), Path::new("/家 里/.环境~lock"));
    }
}
