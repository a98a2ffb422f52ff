//! Creates the folders of the cache.
//!
//! A cache can be shared by a group. The administrator sets the permissions of the cache's root,
//! and the folders in it get the same ones, whatever the umask of the user who creates them.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::disk::{DiskError, WithPath};

/// Creates the folder `name` of the cache unless it exists, and returns its path.
pub(crate) fn create(cache_dir: &Path, name: &str) -> Result<PathBuf, DiskError> {
    let folder = cache_dir.join(name);
    if folder.is_dir() {
        return Ok(folder);
    }
    fs::create_dir_all(cache_dir).with_path(cache_dir)?;
    match fs::create_dir(&folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {
            return Ok(folder);
        }
        Err(error) => return Err(error).with_path(&folder),
    }
    let root = fs::metadata(cache_dir).with_path(cache_dir)?.permissions();
    let created = fs::metadata(&folder).with_path(&folder)?.permissions();
    let mode = root.mode() & 0o7777;
    if created.mode() & 0o7777 != mode {
        // Some file systems have no permissions; the folder can be used anyway.
        let _ = fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode));
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gets_the_permissions_of_the_caches_root() {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let cache = parent.path().join("缓存");
        fs::create_dir(&cache).expect("a folder");
        for mode in [0o2775, 0o755, 0o700] {
            fs::set_permissions(&cache, std::fs::Permissions::from_mode(mode)).expect("owned");
            let name = format!("pkgs{mode:o}");
            let folder = create(&cache, &name).expect("a folder");
            let got = fs::metadata(&folder).expect("it exists").permissions().mode() & 0o7777;
            assert_eq!(got, mode, "{mode:o}");
            assert_eq!(create(&cache, &name).expect("the same folder"), folder);
        }
    }

    #[test]
    fn a_file_in_place_of_a_folder_is_an_error() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        fs::write(cache.path().join("pkgs"), "").expect("a file");
        assert!(create(cache.path(), "pkgs").is_err());
    }
}
