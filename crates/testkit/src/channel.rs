//! What a test says about one channel.

use envlock_depot::{BuiltPackage, Channel, Format, IndexFormats, Package};
use rattler_conda_types::Subdir;
use serde_json::Value;

use crate::{parse_package, synthetic};

/// A channel of a [`crate::TestMirror`], with a method a line.
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

    /// A package for linux-64: a [line](parse_package()), with one small file.
    pub fn add(&mut self, line: &str) -> BuiltPackage {
        self.add_for(Subdir::Linux64, line)
    }

    /// The same for another platform.
    pub fn add_for(&mut self, subdir: Subdir, line: &str) -> BuiltPackage {
        let package = parse_package(line).subdir(subdir);
        let index = package.index_json();
        self.package(&package.file(format!("share/{}/of", text(&index["name"])), line.to_owned()))
    }

    /// A noarch Python package with one module.
    pub fn noarch(&mut self, line: &str) -> BuiltPackage {
        let package = parse_package(line).noarch_python();
        let module = text(&package.index_json()["name"]).replace('-', "_");
        let path = format!("site-packages/{module}/__init__.py");
        self.package(&package.file(path, format!("LINE = {line:?}\n")))
    }

    /// A package with everything that it holds.
    pub fn package(&mut self, package: &Package) -> BuiltPackage {
        self.channel.add(package, self.format).expect("the package can be written")
    }

    /// A record without an archive.
    pub fn record(&mut self, subdir: Subdir, file_name: &str, record: Value) {
        self.channel.add_record(subdir, file_name, record);
    }

    /// Takes a record's field away, as `sha256`, from what is listed.
    pub fn remove_field(&mut self, built: &BuiltPackage, field: &str) {
        let mut record = built.record.clone();
        record.as_object_mut().expect("a record is one").remove(field);
        let subdir = text(&record["subdir"]).parse().expect("the builder wrote it");
        self.channel.add_record(subdir, built.file_name.clone(), record);
    }

    /// `packages` packages that install, with `files` files each, and `synth-all`, which
    /// depends on all of them.
    pub fn synthetic(&mut self, packages: usize, files: usize) {
        synthetic::add(&mut self.channel, packages, files).expect("the packages can be written");
    }

    /// Packages from here on are `.tar.bz2`.
    pub fn tar_bz2(&mut self) {
        self.format = Format::TarBz2;
    }

    /// Packages from here on are `.conda`, as they are at first.
    pub fn conda(&mut self) {
        self.format = Format::Conda;
    }

    /// The index is there as `repodata.json` alone.
    pub fn json_only(&mut self) {
        self.index = IndexFormats::JSON;
    }

    /// The index is there as `repodata.json.zst` alone.
    pub fn zst_only(&mut self) {
        self.index = IndexFormats::ZST;
    }

    /// A further field of `info` in the index, such as `base_url`.
    pub fn set_info(&mut self, key: &str, value: impl Into<Value>) {
        self.channel.set_info(key, value);
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("it is a string in every record")
}
