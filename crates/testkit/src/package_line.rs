//! Parses a one-line description of a package.

use envlock_depot::Package;

/// Parses `name version build | dependency; dependency`: a package for linux-64 without files.
///
/// The build (default `0`) and the dependencies are optional. Set other fields on the [`Package`].
pub fn parse_package(line: &str) -> Package {
    let (head, depends) = line.split_once('|').unwrap_or((line, ""));
    let words: Vec<_> = head.split_whitespace().collect();
    let (name, version, build) = match words[..] {
        [name, version] => (name, version, "0"),
        [name, version, build] => (name, version, build),
        _ => panic!("`{line}` isn't `name version build | dependency; dependency`"),
    };
    let depends = depends.split(';').map(str::trim).filter(|spec| !spec.is_empty());
    Package::new(name, version).build(build).depends(depends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_everything_that_a_solver_needs() {
        let line = "numpy 1.24.3 py310_2 | python >=3.10,<3.11.0a0; libblas 3.*|>=4";
        let index = parse_package(line).index_json();
        assert_eq!(index["name"], "numpy");
        assert_eq!(index["version"], "1.24.3");
        assert_eq!(index["build"], "py310_2");
        assert_eq!(index["build_number"], 2);
        let depends = serde_json::json!(["python >=3.10,<3.11.0a0", "libblas 3.*|>=4"]);
        assert_eq!(index["depends"], depends);
    }

    #[test]
    fn build_and_dependencies_are_optional() {
        let index = parse_package("zlib 1.3").index_json();
        assert_eq!((&index["build"], &index["depends"]), (&"0".into(), &serde_json::json!([])));
    }

    #[test]
    #[should_panic(expected = "`numpy` isn't")]
    fn a_line_without_a_version_panics() {
        parse_package("numpy");
    }
}
