//! A builder for wheels.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rattler_digest::{Sha256, compute_bytes_digest};

use crate::core_metadata::CoreMetadata;
use crate::python_name::file_stem;
use crate::simple_index::Release;

mod record;
mod zip_file;

use record::Row;
use zip_file::{ZipContent, ZipEntry};

/// A wheel to be written: `py3-none-any`, without dependencies and files.
///
/// Nothing is checked: a test may want a path that leaves the environment (`../x`, `/x`), a path
/// twice, or two paths that differ in case only. Such calls are made like any other.
#[derive(Debug, Clone)]
pub struct Wheel {
    stem: String,
    build_tag: Option<String>,
    tag: String,
    metadata: CoreMetadata,
    metadata_text: Option<String>,
    console_scripts: Vec<String>,
    gui_scripts: Vec<String>,
    files: Vec<File>,
    /// If it isn't the one that follows from the rest.
    file_name: Option<String>,
    /// If it isn't the one that follows from name and version.
    dist_info: Option<String>,
    /// Names in `.dist-info`.
    omitted: BTreeSet<String>,
    /// Further lines of `RECORD`.
    record_lines: Vec<String>,
}

#[derive(Debug, Clone)]
struct File {
    entry: ZipEntry,
    recorded: Recorded,
}

/// What `RECORD` says of a file.
#[derive(Debug, Clone)]
enum Recorded {
    Content,
    Other(Bytes),
    Nothing,
}

/// A wheel or an sdist that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltDistribution {
    /// The path of the archive.
    pub path: PathBuf,
    /// As in `greet_pip-1.0.0-py3-none-any.whl`.
    pub file_name: String,
    /// In hex.
    pub sha256: String,
    /// In bytes.
    pub size: u64,
    /// Its `METADATA` or `PKG-INFO`.
    pub metadata: String,
}

impl BuiltDistribution {
    pub(crate) fn write(
        directory: &Path,
        file_name: String,
        bytes: &[u8],
        metadata: String,
    ) -> io::Result<Self> {
        let path = directory.join(&file_name);
        fs_err::write(&path, bytes)?;
        let sha256 = hex::encode(compute_bytes_digest::<Sha256>(bytes));
        Ok(Self { path, file_name, sha256, size: bytes.len() as u64, metadata })
    }
}

impl Wheel {
    /// Creates a wheel for every platform.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            stem: file_stem(name, version),
            build_tag: None,
            tag: "py3-none-any".to_owned(),
            metadata: CoreMetadata::new("2.1", name, version),
            metadata_text: None,
            console_scripts: Vec::new(),
            gui_scripts: Vec::new(),
            files: Vec::new(),
            file_name: None,
            dist_info: None,
            omitted: BTreeSet::new(),
            record_lines: Vec::new(),
        }
    }

    /// Sets the tag, such as `cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64`.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = tag.into();
        self
    }

    /// Sets the build tag, such as `1`. Of two builds, the higher is preferred.
    #[must_use]
    pub fn build_tag(mut self, tag: impl Into<String>) -> Self {
        self.build_tag = Some(tag.into());
        self
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

    /// Adds an extra with its dependencies.
    #[must_use]
    pub fn extra<'a>(
        mut self,
        extra: &str,
        requirements: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        self.metadata.add("Provides-Extra", extra);
        for requirement in requirements {
            let marked = format!("{requirement}; extra == \"{extra}\"");
            self.metadata.add("Requires-Dist", marked);
        }
        self
    }

    /// Sets the versions of Python, such as `>=3.8`.
    #[must_use]
    pub fn requires_python(self, specifiers: impl Into<String>) -> Self {
        self.metadata_field("Requires-Python", specifiers)
    }

    /// Sets a field of `METADATA`. Replaces all of its lines, also of `Name` and `Version`; the
    /// names of the file and of `.dist-info` stay.
    #[must_use]
    pub fn metadata_field(mut self, key: &str, value: impl Into<String>) -> Self {
        self.metadata.set(key, value);
        self
    }

    /// Sets the description, which follows the fields of `METADATA`.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.metadata.set_description(text);
        self
    }

    /// Writes this text as `METADATA`.
    #[must_use]
    pub fn metadata_text(mut self, text: impl Into<String>) -> Self {
        self.metadata_text = Some(text.into());
        self
    }

    /// Adds a console script, such as `greet = greet:main`.
    #[must_use]
    pub fn console_script(mut self, entry_point: impl Into<String>) -> Self {
        self.console_scripts.push(entry_point.into());
        self
    }

    /// Adds a script with windows, such as `greet = greet.window:main`.
    #[must_use]
    pub fn gui_script(mut self, entry_point: impl Into<String>) -> Self {
        self.gui_scripts.push(entry_point.into());
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn file(self, path: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        self.add(ZipEntry::file(path, bytes), Recorded::Content)
    }

    /// Adds a file that may be executed.
    #[must_use]
    pub fn executable(self, path: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        self.add(ZipEntry { executable: true, ..ZipEntry::file(path, bytes) }, Recorded::Content)
    }

    /// Adds a file of a scheme: `purelib`, `platlib`, `headers` or `data`.
    #[must_use]
    pub fn data_file(self, scheme: &str, path: &str, bytes: impl Into<Bytes>) -> Self {
        let path = format!("{}.data/{scheme}/{path}", self.stem);
        self.file(path, bytes)
    }

    /// Adds a file of the scheme `scripts`, executable. `#!python` at its start becomes the
    /// environment's Python.
    #[must_use]
    pub fn script(self, name: &str, bytes: impl Into<Bytes>) -> Self {
        let path = format!("{}.data/scripts/{name}", self.stem);
        self.executable(path, bytes)
    }

    /// Adds a symbolic link, which no wheel may have. `RECORD` lists it with its target as its
    /// content.
    #[must_use]
    pub fn symlink(self, path: impl Into<String>, target: impl Into<String>) -> Self {
        let content = ZipContent::Symlink(target.into());
        self.add(ZipEntry { path: path.into(), content, executable: false }, Recorded::Content)
    }

    /// Adds a file that `RECORD` lists with the hash and the size of other bytes.
    #[must_use]
    pub fn file_recorded_as(
        self,
        path: impl Into<String>,
        bytes: impl Into<Bytes>,
        recorded: impl Into<Bytes>,
    ) -> Self {
        self.add(ZipEntry::file(path, bytes), Recorded::Other(recorded.into()))
    }

    /// Adds a file that `RECORD` doesn't list.
    #[must_use]
    pub fn file_not_recorded(self, path: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        self.add(ZipEntry::file(path, bytes), Recorded::Nothing)
    }

    /// Adds a line to `RECORD`, such as `../../x,sha256=AA,1`.
    #[must_use]
    pub fn record_line(mut self, line: impl Into<String>) -> Self {
        self.record_lines.push(line.into());
        self
    }

    /// Omits a file of `.dist-info`: `METADATA`, `WHEEL`, `RECORD` or `entry_points.txt`.
    #[must_use]
    pub fn without(mut self, name: impl Into<String>) -> Self {
        self.omitted.insert(name.into());
        self
    }

    /// Sets the whole name of the file. The contents stay.
    #[must_use]
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = Some(name.into());
        self
    }

    /// Sets the name of the directory `NAME-VERSION.dist-info`.
    #[must_use]
    pub fn dist_info(mut self, name: impl Into<String>) -> Self {
        self.dist_info = Some(name.into());
        self
    }

    fn add(mut self, entry: ZipEntry, recorded: Recorded) -> Self {
        self.files.push(File { entry, recorded });
        self
    }

    pub(crate) fn release(&self) -> Release<'_> {
        self.metadata.release()
    }

    /// Writes the wheel into `directory`, replacing one of the same name.
    pub fn write(&self, directory: &Path) -> io::Result<BuiltDistribution> {
        let metadata = self.metadata_text.clone().unwrap_or_else(|| self.metadata.text());
        let bytes = zip_file::write(self.entries(&metadata))?;
        let build = self.build_tag.as_ref().map(|tag| format!("-{tag}")).unwrap_or_default();
        let usual_name = || format!("{}{build}-{}.whl", self.stem, self.tag);
        let file_name = self.file_name.clone().unwrap_or_else(usual_name);
        BuiltDistribution::write(directory, file_name, &bytes, metadata)
    }

    /// Returns the files sorted by path, then `.dist-info` with `RECORD` at the end.
    fn entries(&self, metadata: &str) -> Vec<ZipEntry> {
        let mut files = self.files.clone();
        files.sort_by(|a, b| a.entry.path.cmp(&b.entry.path));
        let dist_info =
            self.dist_info.clone().unwrap_or_else(|| format!("{}.dist-info", self.stem));
        let own = [
            ("METADATA", Some(metadata.to_owned())),
            ("WHEEL", Some(self.wheel_text())),
            ("entry_points.txt", self.entry_points_text()),
        ];
        for (name, text) in own {
            if let Some(text) = text.filter(|_| !self.omitted.contains(name)) {
                let entry = ZipEntry::file(format!("{dist_info}/{name}"), text);
                files.push(File { entry, recorded: Recorded::Content });
            }
        }
        let record_path = format!("{dist_info}/RECORD");
        let record = self.record(&files, &record_path);
        let mut entries: Vec<_> = files.into_iter().map(|file| file.entry).collect();
        if !self.omitted.contains("RECORD") {
            entries.push(ZipEntry::file(record_path, record));
        }
        entries
    }

    fn record(&self, files: &[File], own_path: &str) -> String {
        let rows = files.iter().filter_map(|file| {
            let content = match &file.recorded {
                Recorded::Content => file.entry.bytes(),
                Recorded::Other(bytes) => bytes,
                Recorded::Nothing => return None,
            };
            Some(Row { path: &file.entry.path, content: Some(content) })
        });
        let rows = rows.chain([Row { path: own_path, content: None }]);
        let lines = rows.map(|row| row.line()).chain(self.record_lines.iter().cloned());
        lines.fold(String::new(), |text, line| text + &line + "\n")
    }

    fn wheel_text(&self) -> String {
        let is_pure = self.tag.ends_with("-none-any");
        let mut text =
            format!("Wheel-Version: 1.0\nGenerator: envlock-depot\nRoot-Is-Purelib: {is_pure}\n");
        for tag in expanded_tags(&self.tag) {
            text.push_str(&format!("Tag: {tag}\n"));
        }
        if let Some(tag) = &self.build_tag {
            text.push_str(&format!("Build: {tag}\n"));
        }
        text
    }

    fn entry_points_text(&self) -> Option<String> {
        let mut text = String::new();
        let groups =
            [("console_scripts", &self.console_scripts), ("gui_scripts", &self.gui_scripts)];
        for (group, entry_points) in groups.into_iter().filter(|(_, points)| !points.is_empty()) {
            text.push_str(&format!("[{group}]\n{}\n", entry_points.join("\n")));
        }
        (!text.is_empty()).then_some(text)
    }
}

/// Returns each tag of a compressed set: four for `py2.py3-none-a.b`.
fn expanded_tags(tag: &str) -> Vec<String> {
    tag.split('-').fold(vec![String::new()], |tags, part| {
        let longer = tags.iter().flat_map(|tag| {
            let separator = if tag.is_empty() { "" } else { "-" };
            part.split('.').map(move |value| format!("{tag}{separator}{value}"))
        });
        longer.collect()
    })
}

#[cfg(test)]
mod tests;
