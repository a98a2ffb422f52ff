//! Names of Python projects in addresses and in file names.

/// Returns the name as it is in addresses: lower case, with one `-` for each run of `-`, `_` and
/// `.` (PEP 503).
pub fn normalized_project_name(name: &str) -> String {
    let mut normalized = String::with_capacity(name.len());
    for character in name.chars() {
        if !matches!(character, '-' | '_' | '.') {
            normalized.extend(character.to_lowercase());
        } else if !normalized.ends_with('-') {
            normalized.push('-');
        }
    }
    normalized
}

/// Returns `name-version` as it starts the name of a file, where `-` separates the parts.
pub(crate) fn file_stem(name: &str, version: &str) -> String {
    let name = normalized_project_name(name).replace('-', "_");
    format!("{name}-{}", version.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_separators_are_one_and_case_is_lost() {
        assert_eq!(normalized_project_name("Foo.Bar__baz-.qux"), "foo-bar-baz-qux");
        assert_eq!(normalized_project_name("numpy"), "numpy");
    }

    #[test]
    fn a_file_name_has_one_hyphen_between_name_and_version() {
        assert_eq!(file_stem("Foo.Bar-baz", "1!2.0+cu118"), "foo_bar_baz-1!2.0+cu118");
    }
}
