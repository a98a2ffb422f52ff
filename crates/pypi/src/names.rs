//! The names on PyPI of conda packages that are called otherwise there.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// `names.json`: the name in conda-forge, and those on PyPI. `cargo xtask pypi-names` writes it.
static NAMES: LazyLock<BTreeMap<String, Vec<String>>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("names.json")).expect("names.json is read by a test")
});

/// Returns all names on PyPI in the table.
pub(crate) fn all<'n>() -> impl Iterator<Item = &'n str> {
    NAMES.values().flatten().map(String::as_str)
}

/// Returns the names on PyPI of a conda package, if they are others there.
pub(crate) fn pypi_names(conda_name: &str) -> Option<&'static [String]> {
    NAMES.get(conda_name).map(Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_other_names_only() {
        assert_eq!(pypi_names("pytorch"), Some(&["torch".to_owned()][..]));
        assert_eq!(pypi_names("matplotlib-base"), Some(&["matplotlib".to_owned()][..]));
        assert_eq!(pypi_names("numpy"), None);
        let normal = |name: &str| name.parse::<uv_normalize::PackageName>().map(|n| n.to_string());
        assert!(all().all(|name| normal(name).is_ok_and(|normal| normal == name)));
    }
}
