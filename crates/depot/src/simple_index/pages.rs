//! The text of the pages.

use std::collections::BTreeSet;

use percent_encoding::utf8_percent_encode;
use serde_json::{Map, Value, json};

use super::IndexedFile;
use super::listing::{FileAddress, Hash, MetadataHash};
use crate::server::PATH;

/// Returns the list of all projects.
pub(super) fn root_html(names: &[&str]) -> String {
    let links: Vec<_> = names.iter().map(|name| link(&format!("{name}/"), "", name)).collect();
    page("Simple index", &links)
}

/// Returns the list of all projects (PEP 691).
pub(super) fn root_json(names: &[&str]) -> String {
    let projects: Vec<_> = names.iter().map(|name| json!({ "name": name })).collect();
    json!({ "meta": { "api-version": "1.1" }, "projects": projects }).to_string()
}

/// Returns a page with these files. `up` leads from the page to the index's root.
pub(super) fn project_html(
    name: &str,
    files: &[IndexedFile],
    up: &str,
    address: &FileAddress,
) -> String {
    let links: Vec<_> = files.iter().map(|file| file_link(file, up, address)).collect();
    page(&format!("Links for {name}"), &links)
}

/// Returns a project's page (PEP 691).
pub(super) fn project_json(name: &str, files: &[IndexedFile], address: &FileAddress) -> String {
    let versions: BTreeSet<_> = files.iter().map(|file| &file.version).collect();
    let files: Vec<_> = files.iter().map(|file| file_json(file, address)).collect();
    let meta = json!({ "api-version": "1.1" });
    json!({ "meta": meta, "name": name, "versions": versions, "files": files }).to_string()
}

fn page(title: &str, links: &[String]) -> String {
    let title = escaped(title);
    let links = links.concat();
    format!(
        "<!DOCTYPE html>\n<html>\n  <head>\n    \
         <meta name=\"pypi:repository-version\" content=\"1.1\">\n    \
         <title>{title}</title>\n  </head>\n  <body>\n    <h1>{title}</h1>\n{links}  \
         </body>\n</html>\n"
    )
}

fn link(url: &str, attributes: &str, text: &str) -> String {
    format!("    <a href=\"{}\"{attributes}>{}</a><br />\n", escaped(url), escaped(text))
}

fn file_link(file: &IndexedFile, up: &str, address: &FileAddress) -> String {
    let fragment = file.listed_sha256().map(|sha256| format!("#sha256={sha256}"));
    let url = file.url(up, address) + &fragment.unwrap_or_default();
    let metadata = file.listing.metadata_hash(file.metadata.as_ref()).map(|hash| match hash {
        MetadataHash::Sha256(sha256) => format!("sha256={sha256}"),
        MetadataHash::NotTold => "true".to_owned(),
    });
    // Both names of the metadata's hash, as PEP 714 says.
    let attributes: String = [
        ("data-requires-python", file.listed_requires_python().map(str::to_owned)),
        ("data-dist-info-metadata", metadata.clone()),
        ("data-core-metadata", metadata),
        ("data-yanked", file.listing.yanked.clone()),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some(format!(" {key}=\"{}\"", escaped(&value?))))
    .collect();
    link(&url, &attributes, &file.name)
}

fn file_json(file: &IndexedFile, address: &FileAddress) -> Value {
    let mut fields = Map::new();
    fields.insert("filename".to_owned(), json!(file.name));
    fields.insert("url".to_owned(), json!(file.url("../../", address)));
    let sha256 = file.listed_sha256();
    fields.insert("hashes".to_owned(), sha256.map_or(json!({}), |hex| json!({ "sha256": hex })));
    let mut add = |key: &str, value: Option<Value>| {
        fields.extend(value.map(|value| (key.to_owned(), value)));
    };
    add("requires-python", file.listed_requires_python().map(Value::from));
    add("size", file.listing.has_size.then(|| json!(file.size)));
    add("upload-time", file.listing.upload_time.as_deref().map(Value::from));
    let yanked = file.listing.yanked.as_ref().map(|reason| match reason.as_str() {
        "" => json!(true),
        reason => json!(reason),
    });
    add("yanked", Some(yanked.unwrap_or(json!(false))));
    let metadata = file.listing.metadata_hash(file.metadata.as_ref()).map(|hash| match hash {
        MetadataHash::Sha256(sha256) => json!({ "sha256": sha256 }),
        MetadataHash::NotTold => json!(true),
    });
    // PyPI's misspelt key too. The key of PEP 691, `dist-info-metadata`, broke a release of pip,
    // for which PEP 714 has another.
    add("data-dist-info-metadata", metadata.clone());
    add("core-metadata", metadata);
    Value::Object(fields)
}

impl IndexedFile {
    /// Returns the URL without a fragment.
    fn url(&self, up: &str, address: &FileAddress) -> String {
        let path = utf8_percent_encode(&self.path, PATH);
        match self.listing.address.as_ref().unwrap_or(address) {
            FileAddress::Relative => format!("{up}{path}"),
            FileAddress::Base(base) => format!("{}/{path}", base.trim_end_matches('/')),
            FileAddress::Exact(url) => url.clone(),
        }
    }

    fn listed_sha256(&self) -> Option<&str> {
        match &self.listing.sha256 {
            Hash::OfTheFile => Some(&self.sha256),
            Hash::Other(hex) => Some(hex),
            Hash::None => None,
        }
    }

    fn listed_requires_python(&self) -> Option<&str> {
        self.listing.requires_python.as_deref().or(self.requires_python.as_deref())
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
