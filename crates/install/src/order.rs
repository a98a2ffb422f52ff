//! The order of linking: dependencies first, then by name, so that one set has one order.
//! (`PackageRecord::sort_topologically` goes through hash sets: its order isn't the same in
//! two processes.)

use std::collections::{BTreeMap, BTreeSet};

use envlock_model::wheel::is_wheel;
use rattler_conda_types::PackageName;

use crate::install_spec::Package;

/// Returns the packages in the order of linking. A cycle is entered at its first name. Wheels come
/// last, so that a path of a conda package is the conda package's.
pub(crate) fn linking_order(packages: &[Package]) -> Vec<&Package> {
    let (mut wheels, conda): (Vec<_>, Vec<_>) =
        packages.iter().partition(|package| is_wheel(&package.record));
    wheels.sort_by_key(|package| package.record.package_record.name.as_normalized());
    let mut order = conda_order(conda);
    order.extend(wheels);
    order
}

fn conda_order(packages: Vec<&Package>) -> Vec<&Package> {
    let mut waiting: BTreeMap<&str, &Package> = packages
        .into_iter()
        .map(|package| (package.record.package_record.name.as_normalized(), package))
        .collect();
    let needs: BTreeMap<&str, BTreeSet<String>> = waiting
        .iter()
        .map(|(name, package)| {
            let depends = &package.record.package_record.depends;
            let names =
                depends.iter().map(|spec| PackageName::normalized_name_from_matchspec_str(spec));
            let known = names.filter(|need| waiting.contains_key(&**need) && need != name);
            (*name, known.map(std::borrow::Cow::into_owned).collect())
        })
        .collect();
    let mut order = Vec::with_capacity(waiting.len());
    while let Some(first) = waiting.keys().next().copied() {
        let free = waiting
            .keys()
            .copied()
            .find(|name| !needs[name].iter().any(|need| waiting.contains_key(need.as_str())));
        order.extend(waiting.remove(free.unwrap_or(first)));
    }
    order
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rattler_conda_types::{PackageRecord, RepoDataRecord};
    use serde_json::json;

    use super::*;

    fn package(name: &str, depends: &[&str]) -> Package {
        let record: PackageRecord = serde_json::from_value(json!({
            "name": name, "version": "1", "build": "0", "build_number": 0, "subdir": "noarch",
            "depends": depends,
        }))
        .expect("a record");
        let record = RepoDataRecord {
            package_record: record,
            identifier: format!("{name}-1-0.conda").parse().expect("an archive's name"),
            url: "https://conda.anaconda.org/c".parse().expect("a URL"),
            channel: None,
        };
        Package { record, dir: PathBuf::new() }
    }

    fn names(packages: &[Package]) -> Vec<&str> {
        let order = linking_order(packages);
        order.iter().map(|package| package.record.package_record.name.as_normalized()).collect()
    }

    #[test]
    fn dependencies_come_first_then_names_in_any_order_of_input() {
        let mut packages = vec![
            package("a", &["z >=1,<2", "__glibc >=2.17", "missing"]),
            package("m", &[]),
            package("z", &["b[version='1']"]),
            package("b", &[]),
        ];
        assert_eq!(names(&packages), ["b", "m", "z", "a"]);
        packages.reverse();
        assert_eq!(names(&packages), ["b", "m", "z", "a"]);
    }

    #[test]
    fn a_cycle_is_entered_at_its_first_name() {
        let packages = [
            package("c", &["a"]),
            package("b", &["c"]),
            package("a", &["b"]),
            package("d", &["a"]),
        ];
        assert_eq!(names(&packages), ["a", "c", "b", "d"]);
    }
}
