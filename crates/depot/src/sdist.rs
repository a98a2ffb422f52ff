//! A builder for sdists and source trees.

use std::io;
use std::path::Path;

use bytes::Bytes;
use flate2::GzBuilder;

use crate::BuiltDistribution;
use crate::archive::write_tar;
use crate::core_metadata::CoreMetadata;
use crate::entry::{Content, Entry};
use crate::python_name::file_stem;
use crate::simple_index::Release;

/// The build backend of every sdist.
const BACKEND: &str = include_str!("sdist/backend.py");

/// The modification time of all files, in seconds since 1970, so that the bytes are always the
/// same.
const MTIME: u64 = 1_700_000_000;

/// An sdist to be written. Its build backend is part of it and needs nothing else.
///
/// What is in `src/` is in the wheel that it builds. Nothing is checked.
#[derive(Debug, Clone)]
pub struct Sdist {
    stem: String,
    metadata: CoreMetadata,
    dynamic: Vec<String>,
    build_requires: Vec<String>,
    pyproject: String,
    before_build: String,
    console_scripts: Vec<String>,
    entries: Vec<Entry>,
    file_name: Option<String>,
}

impl Sdist {
    /// Creates an sdist with static metadata 2.2.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            stem: file_stem(name, version),
            metadata: CoreMetadata::new("2.2", name, version),
            dynamic: Vec::new(),
            build_requires: Vec::new(),
            pyproject: String::new(),
            before_build: String::new(),
            console_scripts: Vec::new(),
            entries: Vec::new(),
            file_name: None,
        }
    }

    /// Adds dependencies.
    #[must_use]
    pub fn requires_dist<S: Into<String>>(
        mut self,
        requirements: impl IntoIterator<Item = S>,
    ) -> Self {
        for requirement in requirements {
            self.metadata.add("Requires-Dist", requirement);
        }
        self
    }

    /// Sets the versions of Python, such as `>=3.8`.
    #[must_use]
    pub fn requires_python(self, specifiers: impl Into<String>) -> Self {
        self.metadata_field("Requires-Python", specifiers)
    }

    /// Sets a field of the metadata. Replaces all of its lines, also of `Name`, `Version` and
    /// `Metadata-Version`; the names of the file and of its directory stay.
    #[must_use]
    pub fn metadata_field(mut self, key: &str, value: impl Into<String>) -> Self {
        self.metadata.set(key, value);
        self
    }

    /// Makes a field, such as `Requires-Dist`, dynamic: only a build tells its values.
    #[must_use]
    pub fn dynamic(mut self, key: impl Into<String>) -> Self {
        self.dynamic.push(key.into());
        self
    }

    /// Adds dependencies of the build.
    #[must_use]
    pub fn build_requires<S: Into<String>>(
        mut self,
        requirements: impl IntoIterator<Item = S>,
    ) -> Self {
        self.build_requires.extend(requirements.into_iter().map(Into::into));
        self
    }

    /// Adds text to `pyproject.toml`, such as a table `[project]`.
    #[must_use]
    pub fn pyproject(mut self, text: &str) -> Self {
        self.pyproject.push_str(text);
        self
    }

    /// Runs this Python code when the backend is imported. It can leave a trace or raise an error.
    #[must_use]
    pub fn before_build(mut self, code: &str) -> Self {
        self.before_build.push_str(code);
        self.before_build.push('\n');
        self
    }

    /// Adds a console script, such as `greet = greet:main`.
    #[must_use]
    pub fn console_script(mut self, entry_point: impl Into<String>) -> Self {
        self.console_scripts.push(entry_point.into());
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn file(mut self, path: &str, bytes: impl Into<Bytes>) -> Self {
        self.entries.push(Entry::bytes(path, bytes));
        self
    }

    /// Adds a symbolic link; `target` is written unchanged.
    #[must_use]
    pub fn symlink(mut self, path: &str, target: &str) -> Self {
        self.entries.push(Entry::new(path, Content::Symlink(target.to_owned())));
        self
    }

    /// Adds a file whose path, from the root of the archive, is written unchanged (`../x`, `/x`).
    /// At most 100 bytes long.
    #[must_use]
    pub fn file_with_raw_path(mut self, path: &str, bytes: impl Into<Bytes>) -> Self {
        self.entries.push(Entry { raw_path: true, ..Entry::bytes(path, bytes) });
        self
    }

    /// Sets the whole name of the file. The contents stay.
    #[must_use]
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = Some(name.into());
        self
    }

    pub(crate) fn release(&self) -> Release<'_> {
        let release = self.metadata.release();
        let is_dynamic = self.dynamic.iter().any(|key| key == "Requires-Python");
        Release { requires_python: release.requires_python.filter(|_| !is_dynamic), ..release }
    }

    /// Writes `NAME-VERSION.tar.gz` into `directory`, replacing one of the same name.
    pub fn write(&self, directory: &Path) -> io::Result<BuiltDistribution> {
        let pkg_info = self.metadata.with_dynamic(&self.dynamic).text();
        let mut entries = self.tree();
        entries.push(Entry::bytes("PKG-INFO", pkg_info.clone()));
        for entry in entries.iter_mut().filter(|entry| !entry.raw_path) {
            entry.path = format!("{}/{}", self.stem, entry.path);
        }
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        // The builder's default modification time is 0, and it writes no name.
        let encoder = GzBuilder::new().write(Vec::new(), flate2::Compression::fast());
        let bytes = write_tar(encoder, [&entries[..]], MTIME)?.finish()?;
        let file_name = self.file_name.clone().unwrap_or_else(|| format!("{}.tar.gz", self.stem));
        BuiltDistribution::write(directory, file_name, &bytes, pkg_info)
    }

    /// Writes the files into `directory`, without `PKG-INFO`: a project's directory, or a
    /// repository's. Replaces files that exist; omits those with a raw path.
    pub fn write_tree(&self, directory: &Path) -> io::Result<()> {
        // A raw path may lead out of the directory.
        for entry in self.tree().into_iter().filter(|entry| !entry.raw_path) {
            let path = directory.join(&entry.path);
            if let Some(parent) = path.parent() {
                fs_err::create_dir_all(parent)?;
            }
            if let Content::Symlink(target) = &entry.content {
                fs_err::os::unix::fs::symlink(target, &path)?;
            } else {
                io::copy(&mut entry.open()?.0, &mut fs_err::File::create(&path)?)?;
            }
        }
        Ok(())
    }

    fn tree(&self) -> Vec<Entry> {
        let backend =
            BACKEND.replace("{STEM}", &self.stem).replace("# {BEFORE_BUILD}\n", &self.before_build);
        let mut entries = self.entries.clone();
        entries.extend([
            Entry::bytes("backend/METADATA", self.metadata.text()),
            Entry::bytes("backend/envlock_backend.py", backend),
            Entry::bytes("pyproject.toml", self.pyproject_text()),
        ]);
        if !self.console_scripts.is_empty() {
            let text = format!("[console_scripts]\n{}\n", self.console_scripts.join("\n"));
            entries.push(Entry::bytes("backend/entry_points.txt", text));
        }
        entries
    }

    fn pyproject_text(&self) -> String {
        // A list of JSON strings is one of TOML.
        let requires = serde_json::to_string(&self.build_requires).expect("strings have a JSON");
        format!(
            "[build-system]\nrequires = {requires}\nbuild-backend = \"envlock_backend\"\n\
             backend-path = [\"backend\"]\n{}",
            self.pyproject
        )
    }
}

#[cfg(test)]
mod tests;
