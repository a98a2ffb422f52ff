//! The optional data next to the repository: real records and real files.

use std::io;
use std::path::{Path, PathBuf};

use envlock_depot::{IndexFormats, Mirror};

/// Returns the path of optional test data, `../shared/<path>` of the repository; `None` if it is
/// missing.
pub fn shared_data(path: &str) -> Option<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3)?;
    Some(repository.join("shared").join(path)).filter(|path| path.exists())
}

/// Copies every index in `from` into a mirror.
pub(crate) fn copy_channels(from: &Path, to: &Mirror, formats: IndexFormats) -> io::Result<()> {
    let mut directories = vec![PathBuf::new()];
    while let Some(directory) = directories.pop() {
        for item in fs_err::read_dir(from.join(&directory))? {
            let item = item?;
            if item.file_type()?.is_dir() {
                directories.push(directory.join(item.file_name()));
            } else if item.file_name() == "repodata.json.zst" {
                let subdir = directory.to_str().expect("channels have plain names");
                copy_index(&item.path(), &to.channel_dir(subdir), formats)?;
            }
        }
    }
    Ok(())
}

fn copy_index(zst: &Path, to: &Path, formats: IndexFormats) -> io::Result<()> {
    fs_err::create_dir_all(to)?;
    if formats.zst {
        fs_err::write(to.join("repodata.json.zst"), fs_err::read(zst)?)?;
    }
    if formats.json {
        let json = zstd::decode_all(fs_err::File::open(zst)?)?;
        fs_err::write(to.join("repodata.json"), json)?;
    }
    Ok(())
}
