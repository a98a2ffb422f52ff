//! Writes the table of conda packages that have another name on PyPI.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use envlock_model::wheel::normalized;
use serde_json::Value;

/// The shortest name that is taken for a digest. The mapping has some in place of names.
const DIGEST: usize = 50;

/// Reads `mapping`, the file `conda_pypi/grayskull_pypi_mapping.json` of the package conda-pypi, and
/// writes the names that differ to `table`.
pub(crate) fn write(mapping: &Path, table: &Path) -> Result<(), String> {
    let text = fs_err::read_to_string(mapping).map_err(|error| error.to_string())?;
    let mapping: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let entries = mapping.as_object().ok_or("the mapping must be an object")?;
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in entries.values() {
        let field = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let (conda, pypi) = (field("conda_name"), normalized(field("pypi_name")));
        let is_digest = pypi.len() >= DIGEST && pypi.bytes().all(|byte| byte.is_ascii_hexdigit());
        if conda.is_empty() || is_digest || normalized(conda) == pypi {
            continue;
        }
        names.entry(conda.to_lowercase()).or_default().insert(pypi);
    }
    let text = serde_json::to_string_pretty(&names).map_err(|error| error.to_string())?;
    fs_err::write(table, text + "\n").map_err(|error| error.to_string())
}
