//! The locations of conda's configuration ("Searching for .condarc").

use std::path::{Path, PathBuf};

/// A location that conda searches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchLocation {
    /// A file, if it exists.
    File(PathBuf),
    /// A folder: every file in it that [`is_condarc_file`] accepts, sorted by name.
    Folder(PathBuf),
}

/// Returns the locations in rising priority. `root` is conda's installation; `variable` returns
/// `XDG_CONFIG_HOME`, `CONDA_PREFIX` and `CONDARC`.
pub fn search_path(
    home: Option<&Path>,
    root: Option<&Path>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Vec<SearchLocation> {
    let variable = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let mut locations = Vec::new();
    let folders = [
        Some(PathBuf::from("/etc/conda")),
        Some(PathBuf::from("/var/lib/conda")),
        root.map(Path::to_owned),
        variable("XDG_CONFIG_HOME").map(|folder| folder.join("conda")),
        home.map(|home| home.join(".config").join("conda")),
        home.map(|home| home.join(".conda")),
    ];
    folders.into_iter().flatten().for_each(|folder| push_folder(&folder, &mut locations));
    locations.extend(home.map(|home| SearchLocation::File(home.join(".condarc"))));
    if let Some(prefix) = variable("CONDA_PREFIX") {
        push_folder(&prefix, &mut locations);
    }
    locations.extend(variable("CONDARC").map(|file| SearchLocation::File(expand_home(file, home))));
    deduplicate(locations)
}

fn push_folder(folder: &Path, locations: &mut Vec<SearchLocation>) {
    locations.push(SearchLocation::File(folder.join(".condarc")));
    locations.push(SearchLocation::File(folder.join("condarc")));
    locations.push(SearchLocation::Folder(folder.join("condarc.d")));
}

fn expand_home(path: PathBuf, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path,
    }
}

/// Removes duplicates, such as those of an active base environment or of the usual
/// `XDG_CONFIG_HOME`. The last one stays, which has the highest priority.
fn deduplicate(locations: Vec<SearchLocation>) -> Vec<SearchLocation> {
    let mut kept: Vec<SearchLocation> = Vec::new();
    for location in locations.into_iter().rev() {
        if !kept.contains(&location) {
            kept.push(location);
        }
    }
    kept.reverse();
    kept
}

/// Whether conda reads a file in `condarc.d`: only files with a YAML extension.
pub fn is_condarc_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searching_for_condarc_the_locations_are_in_condas_order() {
        let variable = |name: &str| match name {
            "XDG_CONFIG_HOME" => Some("/xdg".to_owned()),
            "CONDA_PREFIX" => Some("/envs/环境".to_owned()),
            "CONDARC" => Some("~/mine.yml".to_owned()),
            _ => None,
        };
        let locations =
            search_path(Some(Path::new("/home/me")), Some(Path::new("/opt/conda")), &variable);
        let shown: Vec<String> = locations
            .iter()
            .map(|location| match location {
                SearchLocation::File(path) => path.display().to_string(),
                SearchLocation::Folder(path) => format!("{}/", path.display()),
            })
            .collect();
        let expected = "/etc/conda/.condarc /etc/conda/condarc /etc/conda/condarc.d/ \
            /var/lib/conda/.condarc /var/lib/conda/condarc /var/lib/conda/condarc.d/ \
            /opt/conda/.condarc /opt/conda/condarc /opt/conda/condarc.d/ \
            /xdg/conda/.condarc /xdg/conda/condarc /xdg/conda/condarc.d/ \
            /home/me/.config/conda/.condarc /home/me/.config/conda/condarc \
            /home/me/.config/conda/condarc.d/ /home/me/.conda/.condarc /home/me/.conda/condarc \
            /home/me/.conda/condarc.d/ /home/me/.condarc /envs/环境/.condarc /envs/环境/condarc \
            /envs/环境/condarc.d/ /home/me/mine.yml";
        assert_eq!(shown, expected.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn a_duplicate_location_counts_once_with_its_highest_priority() {
        let variable = |name: &str| (name == "CONDA_PREFIX").then(|| "/opt/conda".to_owned());
        let locations = search_path(None, Some(Path::new("/opt/conda")), &variable);
        assert_eq!(locations.len(), 9);
        assert_eq!(locations.last(), Some(&SearchLocation::Folder("/opt/conda/condarc.d".into())));
    }

    #[test]
    fn a_file_in_condarc_d_needs_a_yaml_extension() {
        assert!(is_condarc_file(Path::new("/etc/conda/condarc.d/10-site.yml")));
        assert!(is_condarc_file(Path::new("/etc/conda/condarc.d/10-site.yaml")));
        assert!(!is_condarc_file(Path::new("/etc/conda/condarc.d/10-site.yml.bak")));
    }
}
