//! Parses a one-line description of a wheel.

use envlock_depot::Wheel;

/// Parses `name version tag | requirement | requirement`: a wheel without files.
///
/// The tag (default `py3-none-any`) and the requirements are optional. Set other fields on the
/// [`Wheel`].
pub fn parse_wheel(line: &str) -> Wheel {
    let mut parts = line.split('|').map(str::trim);
    let words: Vec<_> = parts.next().unwrap_or_default().split_whitespace().collect();
    let wheel = match words[..] {
        [name, version] => Wheel::new(name, version),
        [name, version, tag] => Wheel::new(name, version).tag(tag),
        _ => panic!("`{line}` isn't `name version tag | requirement | requirement`"),
    };
    wheel.requires_dist(parts.filter(|requirement| !requirement.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_everything_that_a_resolver_needs() {
        let line = "a.b 1.0 cp310-abi3-linux_x86_64 | idna>=2.5,<4 | c; os_name == 'nt'";
        let directory = tempfile::tempdir().unwrap();
        let built = parse_wheel(line).write(directory.path()).unwrap();
        assert_eq!(built.file_name, "a_b-1.0-cp310-abi3-linux_x86_64.whl");
        let requirements = "Requires-Dist: idna>=2.5,<4\nRequires-Dist: c; os_name == 'nt'\n";
        assert!(built.metadata.ends_with(requirements), "{}", built.metadata);
    }

    #[test]
    fn tag_and_requirements_are_optional() {
        let directory = tempfile::tempdir().unwrap();
        let built = parse_wheel("a 1").write(directory.path()).unwrap();
        assert_eq!(built.file_name, "a-1-py3-none-any.whl");
    }

    #[test]
    #[should_panic(expected = "`numpy` isn't")]
    fn a_line_without_a_version_panics() {
        parse_wheel("numpy");
    }
}
