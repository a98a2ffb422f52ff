//! Reads files of certificates and keys.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use envlock_report::format_size;
use envlock_text::limits::CERTIFICATES_BYTES;

/// Reads a file. One that isn't a regular file or is larger than the limit is an error: a pipe would
/// block, and a device never ends.
pub(super) fn read_certificates(path: &Path) -> io::Result<Vec<u8>> {
    read_at_most(path, CERTIFICATES_BYTES)
}

fn read_at_most(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it isn't a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it has more than {}", format_size(limit))));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_above_the_limit_and_a_device_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, "0123456789").expect("space");
        assert_eq!(read_at_most(&path, 10).expect("10 bytes"), b"0123456789");
        let error = read_at_most(&path, 9).expect_err("10 bytes");
        assert_eq!(error.to_string(), "it has more than 9 B");
        let error = read_certificates(Path::new("/dev/zero")).expect_err("a device");
        assert_eq!(error.to_string(), "it isn't a regular file");
    }
}
