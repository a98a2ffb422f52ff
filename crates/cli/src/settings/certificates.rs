//! Reads files of certificates and keys.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use envlock_report::format_size;
use envlock_text::limits::CERTIFICATES_BYTES;

use super::ProcessEnvironment;

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

/// A file that a variable names and that can't be used.
pub(super) struct UnusableFile {
    /// The path, as written.
    pub(super) path: String,
    /// Why it can't be used.
    pub(super) reason: String,
}

/// Returns an error if `SSL_CERT_FILE` names a pipe, which the TLS library would wait for, or a file
/// without certificates while `SSL_CERT_DIR` names none either.
pub(super) fn certificate_variable_error(settings: &ProcessEnvironment) -> Option<UnusableFile> {
    let named = |name| settings.variables.get(name).filter(|path| !path.is_empty());
    let path = named("SSL_CERT_FILE")?;
    let absolute = settings.absolute(path.as_ref());
    let is_pipe =
        std::fs::metadata(&absolute).is_ok_and(|found| !found.is_file() && !found.is_dir());
    if !is_pipe && named("SSL_CERT_DIR").is_some() {
        return None;
    }
    let reason = match read_certificates(&absolute) {
        Ok(pem) if contains(&pem, b"-----BEGIN ") => return None,
        Ok(_) => "it has no certificate in PEM format".to_owned(),
        Err(error) => error.to_string(),
    };
    Some(UnusableFile { path: path.clone(), reason })
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
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
