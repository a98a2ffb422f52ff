//! Builds one test channel.

use envlock_depot::{BuiltPackage, Channel, Format, IndexFormats, Package};
use rattler_conda_types::Subdir;
use serde_json::Value;

use crate::{parse_package, synthetic};

/// A channel of a [`crate::TestMirror`].
#[derive(Debug)]
pub struct TestChannel {
    pub(crate) channel: Channel,
    pub(crate) index: IndexFormats,
    format: Format,
}

impl TestChannel {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { channel, index: IndexFormats::ALL, format: Format::Conda }
    }

    /// Adds a package for linux-64, from a [line](parse_package), with one small file.
    pub fn add(&mut self, line: &str) -> BuiltPackage {
        self.add_for(Subdir::Linux64, line)
    }

    /// Adds a package for another platform.
    pub fn add_for(&mut self, subdir: Subdir, line: &str) -> BuiltPackage {
        let package = parse_package(line).subdir(subdir);
        let index = package.index_json();
        self.package(&package.file(format!("share/{}/of", text(&index["name"])), line.to_owned()))
    }

    /// Adds a noarch Python package with one module.
    pub fn noarch(&mut self, line: &str) -> BuiltPackage {
        let package = parse_package(line).noarch_python();
        let module = text(&package.index_json()["name"]).replace('-', "_");
        let path = format!("site-packages/{module}/__init__.py");
        self.package(&package.file(path, format!("LINE = {line:?}\n")))
    }

    /// Adds a package from its builder.
    pub fn package(&mut self, package: &Package) -> BuiltPackage {
        self.channel.add(package, self.format).expect("the package can be written")
    }

    /// Adds a record without an archive.
    pub fn record(&mut self, subdir: Subdir, file_name: &str, record: Value) {
        self.channel.add_record(subdir, file_name, record);
    }

    /// Removes a field, such as `sha256`, from a package's record.
    pub fn remove_field(&mut self, built: &BuiltPackage, field: &str) {
        let mut record = built.record.clone();
        record.as_object_mut().expect("a record is one").remove(field);
        let subdir = text(&record["subdir"]).parse().expect("the builder wrote it");
        self.channel.add_record(subdir, built.file_name.clone(), record);
    }

    /// Adds `packages` packages that can be installed, with `files` files each, and `synth-all`,
    /// which depends on all of them.
    pub fn synthetic(&mut self, packages: usize, files: usize) {
        synthetic::add(&mut self.channel, packages, files).expect("the packages can be written");
    }

    /// Writes the following packages as `.tar.bz2`.
    pub fn tar_bz2(&mut self) {
        self.format = Format::TarBz2;
    }

    /// Writes the following packages as `.conda`, which is the default.
    pub fn conda(&mut self) {
        self.format = Format::Conda;
    }

    /// Writes the index as `repodata.json` only.
    pub fn json_only(&mut self) {
        self.index = IndexFormats::JSON;
    }

    /// Writes the index as `repodata.json.zst` only.
    pub fn zst_only(&mut self) {
        self.index = IndexFormats::ZST;
    }

    /// Sets a field of `info` in the index, such as `base_url`.
    pub fn set_info(&mut self, key: &str, value: impl Into<Value>) {
        self.channel.set_info(key, value);
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("it is a string in every record")
}
