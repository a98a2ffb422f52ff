//! Package indexes of Python as files: the simple API (PEP 503, PEP 691) with what has been added
//! to it (PEP 592, PEP 658, PEP 700, PEP 714).

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::{BuiltDistribution, Sdist, Wheel, normalized_project_name};

mod listing;
mod pages;

pub use listing::{FileAddress, ListedMetadata, Listing};

/// The forms in which the pages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexForms {
    /// `index.html`
    pub html: bool,
    /// `index.json`
    pub json: bool,
}

impl IndexForms {
    /// Both.
    pub const ALL: Self = Self { html: true, json: true };
    /// `index.html` alone, as most mirrors have it.
    pub const HTML: Self = Self { html: true, json: false };
    /// `index.json` alone.
    pub const JSON: Self = Self { html: false, json: true };
}

/// An index in a directory, to which wheels and sdists are added.
///
/// The pages are `simple/NAME/index.html` and `index.json`, the files are
/// `packages/AA/BB/REST/FILE`, with the parts of their SHA-256. All files are also on one flat
/// page, `find-links/index.html`.
#[derive(Debug, Clone)]
pub struct SimpleIndex {
    root: PathBuf,
    forms: IndexForms,
    address: FileAddress,
    /// By normalised name, in the order of the calls.
    projects: BTreeMap<String, Vec<IndexedFile>>,
}

/// A file on a project's page.
#[derive(Debug, Clone)]
struct IndexedFile {
    name: String,
    version: String,
    /// From the index's root, as in `packages/AA/BB/REST/FILE`.
    path: String,
    sha256: String,
    size: u64,
    /// The metadata that the file has; none if an index has no metadata of such files.
    metadata: Option<Bytes>,
    requires_python: Option<String>,
    listing: Listing,
}

/// What an index knows of a file from its metadata.
pub(crate) struct Release<'a> {
    pub(crate) project: &'a str,
    pub(crate) version: &'a str,
    pub(crate) requires_python: Option<&'a str>,
}

impl SimpleIndex {
    /// Creates an empty index in `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let (forms, address) = (IndexForms::ALL, FileAddress::Relative);
        Self { root: root.into(), forms, address, projects: BTreeMap::new() }
    }

    /// Returns the directory that contains `simple` and `packages`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Sets the forms of the pages. [`write`](Self::write) removes those of another form.
    pub fn set_forms(&mut self, forms: IndexForms) {
        self.forms = forms;
    }

    /// Sets how pages refer to files that say nothing else.
    pub fn set_address(&mut self, address: FileAddress) {
        self.address = address;
    }

    /// Writes a wheel and lists it.
    pub fn add_wheel(&mut self, wheel: &Wheel, listing: Listing) -> io::Result<BuiltDistribution> {
        let built = wheel.write(&self.scratch()?)?;
        let metadata = Some(built.metadata.clone().into());
        self.list(built, &wheel.release(), metadata, listing)
    }

    /// Writes an sdist and lists it. An index has no metadata of sdists.
    pub fn add_sdist(&mut self, sdist: &Sdist, listing: Listing) -> io::Result<BuiltDistribution> {
        let built = sdist.write(&self.scratch()?)?;
        self.list(built, &sdist.release(), None, listing)
    }

    /// Lists a file with these bytes.
    pub fn add_file(
        &mut self,
        project: &str,
        version: &str,
        file_name: &str,
        bytes: &[u8],
        listing: Listing,
    ) -> io::Result<BuiltDistribution> {
        let directory = self.scratch()?;
        let (name, metadata) = (file_name.to_owned(), String::new());
        let built = BuiltDistribution::write(&directory, name, bytes, metadata)?;
        self.list(built, &Release { project, version, requires_python: None }, None, listing)
    }

    /// Adds a project without files.
    pub fn add_project(&mut self, name: &str) {
        self.projects.entry(normalized_project_name(name)).or_default();
    }

    /// Removes a file from the pages by its name. It is still served.
    pub fn remove(&mut self, file_name: &str) {
        for files in self.projects.values_mut() {
            files.retain(|file| file.name != file_name);
        }
    }

    /// Changes how a file is listed.
    ///
    /// # Errors
    /// If there is no file of this name.
    pub fn relist(&mut self, file_name: &str, listing: Listing) -> io::Result<()> {
        let mut files = self.projects.values_mut().flatten();
        let file = files.find(|file| file.name == file_name).ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, format!("{file_name} isn't listed"))
        })?;
        file.listing = listing;
        Ok(())
    }

    /// A directory for files whose digest, and so whose place, isn't known yet.
    fn scratch(&self) -> io::Result<PathBuf> {
        let directory = self.root.join("packages");
        fs_err::create_dir_all(&directory)?;
        Ok(directory)
    }

    fn list(
        &mut self,
        mut built: BuiltDistribution,
        release: &Release<'_>,
        metadata: Option<Bytes>,
        listing: Listing,
    ) -> io::Result<BuiltDistribution> {
        let (first, rest) = built.sha256.split_at(2);
        let (second, rest) = rest.split_at(2);
        let directory = format!("packages/{first}/{second}/{rest}");
        fs_err::create_dir_all(self.root.join(&directory))?;
        let path = format!("{directory}/{}", built.file_name);
        let target = self.root.join(&path);
        fs_err::rename(&built.path, &target)?;
        built.path = target;
        let file = IndexedFile {
            name: built.file_name.clone(),
            version: release.version.to_owned(),
            path,
            sha256: built.sha256.clone(),
            size: built.size,
            metadata,
            requires_python: release.requires_python.map(str::to_owned),
            listing,
        };
        let files = self.projects.entry(normalized_project_name(release.project)).or_default();
        files.retain(|known| known.name != file.name);
        files.push(file);
        Ok(built)
    }

    /// Writes the pages of all projects, the list of projects and the flat page.
    pub fn write(&self) -> io::Result<()> {
        let simple = self.root.join("simple");
        let names: Vec<_> = self.projects.keys().map(String::as_str).collect();
        self.write_page(&simple, &pages::root_html(&names), &pages::root_json(&names))?;
        for (name, files) in &self.projects {
            for file in files {
                self.write_metadata(file)?;
            }
            let html = pages::project_html(name, files, "../../", &self.address);
            let json = pages::project_json(name, files, &self.address);
            self.write_page(&simple.join(name), &html, &json)?;
        }
        let flat = self.root.join("find-links");
        fs_err::create_dir_all(&flat)?;
        let files: Vec<_> = self.projects.values().flatten().cloned().collect();
        let html = pages::project_html("all", &files, "../", &self.address);
        fs_err::write(flat.join("index.html"), html)
    }

    fn write_metadata(&self, file: &IndexedFile) -> io::Result<()> {
        let path = self.root.join(format!("{}.metadata", file.path));
        match file.listing.served_metadata(file.metadata.as_ref()) {
            Some(bytes) => fs_err::write(path, bytes),
            None if path.exists() => fs_err::remove_file(path),
            None => Ok(()),
        }
    }

    fn write_page(&self, directory: &Path, html: &str, json: &str) -> io::Result<()> {
        fs_err::create_dir_all(directory)?;
        let pages = [("index.html", html, self.forms.html), ("index.json", json, self.forms.json)];
        for (name, text, is_written) in pages {
            let path = directory.join(name);
            if is_written {
                fs_err::write(path, text)?;
            } else if path.exists() {
                fs_err::remove_file(path)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
