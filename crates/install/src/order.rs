//! The order of linking: dependencies first, then by name, so that one set has one order.
//! (`PackageRecord::sort_topologically` goes through hash sets: its order isn't the same in
//! two processes.)

use std::collections::{BTreeMap, BTreeSet};

use rattler_conda_types::PackageName;

use crate::wanted::Package;

/// The packages in the order of linking. A cycle is entered at its first name.
pub(crate) fn linking_order(packages: &[Package]) -> Vec<&Package> {
    let mut waiting: BTreeMap<&str, &Package> = packages
        .iter()
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
