//! Whether any path or symbolic link of a whole set leads out of the prefix.
//!
//! Judged over all packages together and before anything is written: a link that is
//! harmless in its own package (`a -> b/..`) can lead out through a link of another (`b ->
//! .`), so names are followed through the links as the kernel would, not just normalised.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use crate::contents::{Contents, Entry};
use crate::error::{InstallError, PathFault, unsafe_package};
use crate::owners::Owners;

/// The number of links that Linux follows before `ELOOP`.
const MAX_LINKS: usize = 40;

/// Refuses the first package, in the order given, with a path that leads out of the prefix.
pub(crate) fn check_paths(set: &[Contents<'_>], owners: &Owners) -> Result<(), InstallError> {
    let links: HashMap<&Path, &Path> = set
        .iter()
        .flat_map(|contents| &contents.entries)
        .filter_map(|entry| Some((entry.target.as_path(), entry.link.as_deref()?)))
        .collect();
    for contents in set {
        let package = contents.package.display_name();
        let refuse = |path: &Path, fault| Err(unsafe_package(&package, path, fault));
        for entry in &contents.entries {
            if let Some(fault) = check_entry(entry, owners, &links) {
                return refuse(&entry.target, fault);
            }
        }
        for command in &contents.commands {
            if let Some(fault) = below_file(&command.target, owners) {
                return refuse(&command.target, fault);
            }
        }
    }
    Ok(())
}

fn check_entry(entry: &Entry, owners: &Owners, links: &HashMap<&Path, &Path>) -> Option<PathFault> {
    if let Some(fault) = below_file(&entry.target, owners) {
        return Some(fault);
    }
    match &entry.link {
        Some(link) => resolve_links(&entry.target, links)
            .is_none()
            .then(|| PathFault::LinkOutsidePrefix(link.clone())),
        None if entry.source.path_type == rattler_conda_types::package::PathType::Directory => {
            owners
                .owner_of(&entry.target)
                .map(|owner| PathFault::FileAndDirectory(owner.to_owned()))
        }
        None => None,
    }
}

/// A path below a file of a package can't be written; one below a link is written elsewhere.
/// No real package has one: its files are listed without following links.
fn below_file(path: &Path, owners: &Owners) -> Option<PathFault> {
    path.ancestors().skip(1).find_map(|above| {
        let owner = owners.owner_of(above)?.to_owned();
        Some(PathFault::BelowFile { through: above.to_owned(), owner })
    })
}

/// Resolves the links of a path, relative to the prefix. `None` if the result is outside the prefix
/// or the links form a circle.
fn resolve_links(path: &Path, links: &HashMap<&Path, &Path>) -> Option<PathBuf> {
    let mut ahead: Vec<Component<'_>> = path.components().rev().collect();
    let mut at = PathBuf::new();
    let mut followed = 0;
    while let Some(component) = ahead.pop() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => at.pop().then_some(())?,
            Component::RootDir | Component::Prefix(_) => return None,
            Component::Normal(name) => {
                at.push(name);
                if let Some(target) = links.get(at.as_path()) {
                    followed += 1;
                    if followed > MAX_LINKS {
                        return None;
                    }
                    at.pop();
                    ahead.extend(target.components().rev());
                }
            }
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(path: &str, links: &[(&str, &str)]) -> Option<String> {
        let links = links.iter().map(|(at, to)| (Path::new(*at), Path::new(*to))).collect();
        resolve_links(Path::new(path), &links).map(|end| end.display().to_string())
    }

    #[test]
    fn a_link_within_the_prefix_is_followed() {
        let links = [("lib64", "lib"), ("lib/libz.so", "libz.so.1")];
        assert_eq!(ends("lib64/libz.so", &links).as_deref(), Some("lib/libz.so.1"));
    }

    #[test]
    fn a_link_to_outside_is_found_out() {
        assert_eq!(ends("x", &[("x", "/etc")]), None);
        assert_eq!(ends("x", &[("x", "..")]), None);
        assert_eq!(ends("a/b/x", &[("a/b/x", "../../../etc")]), None);
    }

    #[test]
    fn two_harmless_links_that_lead_out_together_are_found_out() {
        // By its text alone `t` stays inside: a/b/up/../x is a/b/x.
        let links = [("a/b/up", "../.."), ("t", "a/b/up/../x")];
        assert_eq!(ends("t", &links), None);
    }

    #[test]
    fn a_circle_of_links_ends() {
        assert_eq!(ends("a", &[("a", "b"), ("b", "a")]), None);
    }
}
