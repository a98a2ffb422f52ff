//! A builder for conda packages.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rattler_conda_types::package::FileMode;
use rattler_conda_types::{Arch, Subdir};
use rattler_digest::{HashingReader, Md5, Sha256};
use serde_json::{Map, Value, json};

use crate::archive::{Contents, Format};
use crate::entry::{Content, Entry, PLACEHOLDER};
use crate::info;

/// 2023-11-14, in milliseconds: the default timestamp, so that the bytes are always the same.
const TIMESTAMP: u64 = 1_700_000_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Noarch {
    Python,
    Generic,
}

/// A package to be written.
///
/// Nothing is checked: a test may want an invalid dependency.
#[derive(Debug, Clone)]
pub struct Package {
    name: String,
    version: String,
    build: String,
    build_number: u64,
    subdir: Subdir,
    noarch: Option<Noarch>,
    depends: Vec<String>,
    constrains: Vec<String>,
    license: Option<String>,
    timestamp: Option<u64>,
    fields: Map<String, Value>,
    entry_points: Vec<String>,
    entries: Vec<Entry>,
}

/// A package that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltPackage {
    /// The path of the archive.
    pub path: PathBuf,
    /// `name-version-build.conda` or `….tar.bz2`.
    pub file_name: String,
    /// Its record in a channel's index: `index.json`, digests and size.
    pub record: Value,
    /// In hex.
    pub sha256: String,
    /// In hex.
    pub md5: String,
    /// In bytes.
    pub size: u64,
}

impl Package {
    /// Creates a package with build `0` for linux-64, without dependencies and files.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            build: "0".to_owned(),
            build_number: 0,
            subdir: Subdir::Linux64,
            noarch: None,
            depends: Vec::new(),
            constrains: Vec::new(),
            license: Some("BSD-3-Clause".to_owned()),
            timestamp: Some(TIMESTAMP),
            fields: Map::new(),
            entry_points: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Sets the build string. Its number after the last `_` becomes the build number.
    #[must_use]
    pub fn build(mut self, build: impl Into<String>) -> Self {
        self.build = build.into();
        let number = self.build.rsplit('_').next().and_then(|number| number.parse().ok());
        self.build_number = number.unwrap_or(self.build_number);
        self
    }

    /// Sets the build number, if the build string doesn't end with it.
    #[must_use]
    pub fn build_number(mut self, number: u64) -> Self {
        self.build_number = number;
        self
    }

    /// Adds dependencies.
    #[must_use]
    pub fn depends<S: Into<String>>(mut self, specs: impl IntoIterator<Item = S>) -> Self {
        self.depends.extend(specs.into_iter().map(Into::into));
        self
    }

    /// Adds constraints.
    #[must_use]
    pub fn constrains<S: Into<String>>(mut self, specs: impl IntoIterator<Item = S>) -> Self {
        self.constrains.extend(specs.into_iter().map(Into::into));
        self
    }

    /// Sets the platform.
    #[must_use]
    pub fn subdir(mut self, subdir: Subdir) -> Self {
        self.subdir = subdir;
        self
    }

    /// Makes it a noarch Python package: `site-packages/…` is installed where the environment's
    /// Python has it.
    #[must_use]
    pub fn noarch_python(mut self) -> Self {
        self.noarch = Some(Noarch::Python);
        self.subdir(Subdir::NoArch)
    }

    /// Makes it a noarch generic package: files are linked unchanged.
    #[must_use]
    pub fn noarch_generic(mut self) -> Self {
        self.noarch = Some(Noarch::Generic);
        self.subdir(Subdir::NoArch)
    }

    /// Sets the licence; `None` omits the field.
    #[must_use]
    pub fn license(mut self, license: Option<&str>) -> Self {
        self.license = license.map(str::to_owned);
        self
    }

    /// Sets the build time, in milliseconds since 1970; `None` omits the field.
    #[must_use]
    pub fn timestamp(mut self, milliseconds: Option<u64>) -> Self {
        self.timestamp = milliseconds;
        self
    }

    /// Sets another field of `index.json`, such as `track_features`. Replaces an existing value.
    #[must_use]
    pub fn field(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.fields.insert(key.into(), value.into());
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn file(self, path: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        self.entry(Entry::bytes(path, bytes))
    }

    /// Adds an executable file.
    #[must_use]
    pub fn executable(self, path: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        self.entry(Entry { executable: true, ..Entry::bytes(path, bytes) })
    }

    /// Adds a text with the prefix in place of `{PREFIX}`; executable if it starts with `#!`.
    #[must_use]
    pub fn prefix_text(self, path: impl Into<String>, text: &str) -> Self {
        self.entry(Entry {
            executable: text.starts_with("#!"),
            placeholder: Some(FileMode::Text),
            ..Entry::bytes(path, text.replace("{PREFIX}", PLACEHOLDER))
        })
    }

    /// Adds an executable file with the prefix between `before` and `after`. The C string that
    /// starts with the prefix continues in `after`, up to its first NUL; without one there, a NUL
    /// is inserted.
    #[must_use]
    pub fn prefix_binary(
        self,
        path: impl Into<String>,
        before: impl AsRef<[u8]>,
        after: impl AsRef<[u8]>,
    ) -> Self {
        let (before, after) = (before.as_ref(), after.as_ref());
        let end: &[u8] = if after.contains(&0) { b"" } else { b"\0" };
        self.entry(Entry {
            executable: true,
            placeholder: Some(FileMode::Binary),
            ..Entry::bytes(path, [before, PLACEHOLDER.as_bytes(), end, after].concat())
        })
    }

    /// Adds a symbolic link; `target` is written unchanged.
    #[must_use]
    pub fn symlink(self, path: impl Into<String>, target: impl Into<String>) -> Self {
        self.entry(Entry::new(path, Content::Symlink(target.into())))
    }

    /// Adds a console script of a noarch Python package, such as `hello = pkg.mod:main`.
    #[must_use]
    pub fn entry_point(mut self, entry_point: impl Into<String>) -> Self {
        self.entry_points.push(entry_point.into());
        self
    }

    /// Adds a post-link script.
    #[must_use]
    pub fn post_link(self, script: &str) -> Self {
        let path = format!("bin/.{}-post-link.sh", self.name);
        self.executable(path, script.to_owned())
    }

    /// Adds a file whose path is written unchanged, even if it leaves the prefix (`../x`, `/x`).
    /// An installer must refuse it. At most 100 bytes long.
    #[must_use]
    pub fn file_with_raw_path(self, path: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        self.entry(Entry { raw_path: true, ..Entry::bytes(path, bytes) })
    }

    /// Adds a file that `paths.json` describes with the digest and the size of other bytes.
    #[must_use]
    pub fn file_listed_as(
        self,
        path: impl Into<String>,
        bytes: impl Into<Bytes>,
        listed: impl Into<Bytes>,
    ) -> Self {
        self.entry(Entry { listed: Some(listed.into()), ..Entry::bytes(path, bytes) })
    }

    /// Adds the files and links in the directory `from`, as paths in `to` (`""`: the prefix).
    ///
    /// `keep` decides on each path relative to `from`; a directory that it rejects is not entered.
    /// Files are read when the package is written.
    pub fn directory_tree(
        mut self,
        from: &Path,
        to: &str,
        mut keep: impl FnMut(&Path) -> bool,
    ) -> io::Result<Self> {
        let mut directories = vec![PathBuf::new()];
        while let Some(directory) = directories.pop() {
            for item in fs_err::read_dir(from.join(&directory))? {
                let item = item?;
                let relative = directory.join(item.file_name());
                if !keep(&relative) {
                    continue;
                }
                if item.file_type()?.is_dir() {
                    directories.push(relative);
                } else {
                    let target = Path::new(to).join(relative);
                    self.entries.push(Entry::from_disk(&item.path(), utf8(&target)?)?);
                }
            }
        }
        Ok(self)
    }

    pub(crate) fn entries_mut(&mut self) -> &mut Vec<Entry> {
        &mut self.entries
    }

    pub(crate) fn entry(mut self, entry: Entry) -> Self {
        self.entries.push(entry);
        self
    }

    /// Returns the name of the platform's directory in a channel.
    pub fn subdir_name(&self) -> &'static str {
        self.subdir.as_str()
    }

    /// Returns its `index.json`.
    pub fn index_json(&self) -> Map<String, Value> {
        let noarch = self.noarch.map(|noarch| match noarch {
            Noarch::Python => "python",
            Noarch::Generic => "generic",
        });
        let fields = [
            ("arch", json!(self.subdir.arch().map(Arch::as_str))),
            ("build", json!(self.build)),
            ("build_number", json!(self.build_number)),
            ("constrains", json!(self.constrains)),
            ("depends", json!(self.depends)),
            ("license", json!(self.license)),
            ("name", json!(self.name)),
            ("noarch", json!(noarch)),
            ("platform", json!(self.subdir.only_platform())),
            ("subdir", json!(self.subdir.as_str())),
            ("timestamp", json!(self.timestamp)),
            ("version", json!(self.version)),
        ];
        let present = fields.into_iter().filter(|(_, value)| !value.is_null());
        present.map(|(key, value)| (key.to_owned(), value)).chain(self.fields.clone()).collect()
    }

    /// Writes the archive into `directory`, replacing one of the same name.
    pub fn write(&self, directory: &Path, format: Format) -> io::Result<BuiltPackage> {
        let stem = format!("{}-{}-{}", self.name, self.version, self.build);
        let file_name = stem.clone() + format.extension();
        let path = directory.join(&file_name);
        let mut payload = self.entries.clone();
        payload.sort_by(|a, b| a.path.cmp(&b.path));
        let mut record = self.index_json();
        let info = info::files(&record, self.link_json(), &payload)?;
        let mtime = self.timestamp.unwrap_or(TIMESTAMP) / 1000;
        Contents { stem: &stem, info: &info, payload: &payload, mtime }.write(&path, format)?;

        let (sha256, md5, size) = digests(&path)?;
        record.extend([
            ("md5".to_owned(), json!(md5)),
            ("sha256".to_owned(), json!(sha256)),
            ("size".to_owned(), json!(size)),
        ]);
        Ok(BuiltPackage { path, file_name, record: Value::Object(record), sha256, md5, size })
    }

    fn link_json(&self) -> Option<Value> {
        (self.noarch? == Noarch::Python).then(|| {
            json!({
                "noarch": { "entry_points": self.entry_points, "type": "python" },
                "package_metadata_version": 1,
            })
        })
    }
}

impl Entry {
    fn from_disk(path: &Path, name: String) -> io::Result<Self> {
        let metadata = fs_err::symlink_metadata(path)?;
        if metadata.is_symlink() {
            return Ok(Self::new(name, Content::Symlink(utf8(&fs_err::read_link(path)?)?)));
        }
        let content = Content::Disk(path.to_owned());
        Ok(Self { executable: is_executable(&metadata), ..Self::new(name, content) })
    }
}

fn is_executable(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0
}

/// The metadata of a package is UTF-8, with `/` between components.
fn utf8(path: &Path) -> io::Result<String> {
    let text = path.to_str().ok_or_else(|| {
        let message = format!("{} is not UTF-8, so it can't be in a package", path.display());
        io::Error::new(io::ErrorKind::InvalidData, message)
    })?;
    Ok(text.replace(std::path::MAIN_SEPARATOR, "/"))
}

/// Returns SHA-256 and MD5 in hex, and the size, in one pass.
fn digests(path: &Path) -> io::Result<(String, String, u64)> {
    let md5 = HashingReader::<_, Md5>::new(fs_err::File::open(path)?);
    let mut reader = HashingReader::<_, Sha256>::new(md5);
    let size = io::copy(&mut reader, &mut io::sink())?;
    let (md5, sha256) = reader.finalize();
    Ok((hex::encode(sha256), hex::encode(md5.finalize().1), size))
}

#[cfg(test)]
mod tests;
