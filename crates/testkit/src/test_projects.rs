//! Fills one test index.

use envlock_depot::{
    BuiltDistribution, FileAddress, IndexForms, Listing, Sdist, SimpleIndex, Wheel,
    normalized_project_name,
};

use crate::parse_wheel;

/// The projects of a [`crate::TestIndex`].
#[derive(Debug)]
pub struct TestProjects {
    pub(crate) index: SimpleIndex,
}

impl TestProjects {
    pub(crate) fn new(index: SimpleIndex) -> Self {
        Self { index }
    }

    /// Adds a wheel from a [line](parse_wheel), with one module that is named after it.
    pub fn add(&mut self, line: &str) -> BuiltDistribution {
        let name = line.split_whitespace().next().unwrap_or_default();
        let module = normalized_project_name(name).replace('-', "_");
        let text = format!("LINE = {line:?}\n");
        self.wheel(&parse_wheel(line).file(format!("{module}/__init__.py"), text))
    }

    /// Adds a wheel from its builder.
    pub fn wheel(&mut self, wheel: &Wheel) -> BuiltDistribution {
        self.wheel_listed(wheel, Listing::new())
    }

    /// Adds a wheel that is listed in a special way.
    pub fn wheel_listed(&mut self, wheel: &Wheel, listing: Listing) -> BuiltDistribution {
        self.index.add_wheel(wheel, listing).expect("the wheel can be written")
    }

    /// Adds an sdist from its builder.
    pub fn sdist(&mut self, sdist: &Sdist) -> BuiltDistribution {
        self.sdist_listed(sdist, Listing::new())
    }

    /// Adds an sdist that is listed in a special way.
    pub fn sdist_listed(&mut self, sdist: &Sdist, listing: Listing) -> BuiltDistribution {
        self.index.add_sdist(sdist, listing).expect("the sdist can be written")
    }

    /// Adds a file with these bytes.
    pub fn file(
        &mut self,
        project: &str,
        version: &str,
        file_name: &str,
        bytes: &[u8],
    ) -> BuiltDistribution {
        let added = self.index.add_file(project, version, file_name, bytes, Listing::new());
        added.expect("the file can be written")
    }

    /// Adds a project without files.
    pub fn empty(&mut self, name: &str) {
        self.index.add_project(name);
    }

    /// Changes how a file is listed.
    pub fn relist(&mut self, file_name: &str, listing: Listing) {
        self.index.relist(file_name, listing).expect("the file is listed");
    }

    /// Removes a file from the pages by its name. It is still served.
    pub fn remove(&mut self, file_name: &str) {
        self.index.remove(file_name);
    }

    /// Writes the pages as HTML only, as most mirrors have them.
    pub fn html_only(&mut self) {
        self.index.set_forms(IndexForms::HTML);
    }

    /// Writes the pages as JSON only.
    pub fn json_only(&mut self) {
        self.index.set_forms(IndexForms::JSON);
    }

    /// Sets how the pages refer to files.
    pub fn address(&mut self, address: FileAddress) {
        self.index.set_address(address);
    }
}
