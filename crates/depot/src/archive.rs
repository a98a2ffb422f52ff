//! The two archive formats of conda packages.
//!
//! `rattler_package_streaming` has writers too, but they read files from a staging directory, so
//! they can't write a path that leaves the prefix. Tests need such archives, since an installer
//! must refuse them.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use tar::{EntryType, Header};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::entry::{Content, Entry};

/// A fast level, since the archives stay on this machine.
const ZSTD_LEVEL: i32 = 1;

/// An archive format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// A zip of two zstd-compressed tars, since conda 4.7.
    #[default]
    Conda,
    /// One bzip2-compressed tar, the older format.
    TarBz2,
}

impl Format {
    /// Returns the file extension, with the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Conda => ".conda",
            Self::TarBz2 => ".tar.bz2",
        }
    }
}

/// The contents of an archive.
pub(crate) struct Contents<'a> {
    /// `name-version-build`.
    pub(crate) stem: &'a str,
    /// The files in `info/`, sorted.
    pub(crate) info: &'a [Entry],
    /// The files that are linked into a prefix, sorted.
    pub(crate) payload: &'a [Entry],
    /// Every entry's modification time, in seconds since 1970.
    pub(crate) mtime: u64,
}

impl Contents<'_> {
    /// Writes `file`, replacing it.
    pub(crate) fn write(&self, file: &Path, format: Format) -> io::Result<()> {
        let out = BufWriter::new(fs_err::File::create(file)?);
        match format {
            Format::Conda => self.write_conda(out),
            Format::TarBz2 => self.write_tar_bz2(out),
        }
    }

    fn write_conda(&self, out: impl Write + io::Seek) -> io::Result<()> {
        let mut zip = ZipWriter::new(out);
        // The zip crate's default is the current time.
        let stored = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(zip::DateTime::DEFAULT);
        zip.start_file("metadata.json", stored)?;
        zip.write_all(br#"{"conda_pkg_format_version": 2}"#)?;
        // The order of conda-package-handling: `info` is last for a streaming reader.
        for (part, entries) in [("pkg", self.payload), ("info", self.info)] {
            zip.start_file(format!("{part}-{}.tar.zst", self.stem), stored)?;
            let encoder = zstd::Encoder::new(&mut zip, ZSTD_LEVEL)?;
            write_tar(encoder, [entries], self.mtime)?.finish()?;
        }
        zip.finish()?.flush()
    }

    fn write_tar_bz2(&self, out: impl Write) -> io::Result<()> {
        let encoder = bzip2::write::BzEncoder::new(out, bzip2::Compression::fast());
        write_tar(encoder, [self.info, self.payload], self.mtime)?.finish()?.flush()
    }
}

pub(crate) fn write_tar<'a, W: Write>(
    out: W,
    parts: impl IntoIterator<Item = &'a [Entry]>,
    mtime: u64,
) -> io::Result<W> {
    let mut tar = tar::Builder::new(out);
    for entry in parts.into_iter().flatten() {
        append(&mut tar, entry, mtime)?;
    }
    tar.into_inner()
}

fn append(tar: &mut tar::Builder<impl Write>, entry: &Entry, mtime: u64) -> io::Result<()> {
    let (bytes, size) = entry.open()?;
    let mut header = Header::new_gnu();
    header.set_mtime(mtime);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(size);
    header.set_mode(if entry.executable { 0o755 } else { 0o644 });
    if let Content::Symlink(target) = &entry.content {
        header.set_entry_type(EntryType::Symlink);
        return tar.append_link(&mut header, &entry.path, target);
    }
    if entry.raw_path {
        write_raw_name(&mut header, &entry.path)?;
        header.set_cksum();
        return tar.append(&header, bytes);
    }
    tar.append_data(&mut header, &entry.path, bytes)
}

/// Writes a name unchanged. The tar crate's setter rejects `..` and makes an absolute path
/// relative.
fn write_raw_name(header: &mut Header, path: &str) -> io::Result<()> {
    let name = &mut header.as_old_mut().name;
    let field = name.get_mut(..path.len()).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{path} is longer than 100 bytes"))
    })?;
    field.copy_from_slice(path.as_bytes());
    Ok(())
}
