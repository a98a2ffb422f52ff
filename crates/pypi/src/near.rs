//! Names that an index has, near to one that it doesn't have.

use uv_client::RegistryClient;
use uv_distribution_types::IndexCapabilities;
use uv_normalize::PackageName;

use crate::conda_set::CondaSet;
use crate::names;

/// The number of names that are looked up.
const MAX_LOOKUPS: usize = 8;
/// The number of names that are returned.
const MAX_NAMES: usize = 3;

/// Returns names near to `name`, each of which an index has.
pub(crate) async fn near_names(
    name: &PackageName,
    client: &RegistryClient,
    conda: &CondaSet,
) -> Vec<String> {
    let capabilities = IndexCapabilities::default();
    let permits = tokio::sync::Semaphore::new(1);
    let mut found = Vec::new();
    for candidate in candidates(name.as_ref(), conda).into_iter().take(MAX_LOOKUPS) {
        let Ok(package) = candidate.parse::<PackageName>() else { continue };
        if client.simple_detail(&package, None, &capabilities, &permits).await.is_ok() {
            found.push(candidate);
        }
        if found.len() == MAX_NAMES {
            break;
        }
    }
    found
}

/// Returns names that could be meant, the likeliest first: one that is spelled nearly so, then the
/// name without some of its words.
fn candidates(name: &str, conda: &CondaSet) -> Vec<String> {
    let known = names::all().chain(conda.names());
    let mut all: Vec<String> =
        envlock_report::nearest(name, known).map(str::to_owned).into_iter().collect();
    let words: Vec<&str> = name.split('-').collect();
    for length in (1..words.len()).rev() {
        for part in words.windows(length) {
            let part = part.join("-");
            // A word such as `client` alone says nothing.
            let is_distinct = length > 1 || part == words[0] || !GENERIC.contains(&part.as_str());
            if is_distinct && !all.contains(&part) {
                all.push(part);
            }
        }
    }
    for prefix in ["py", "python-"] {
        all.push(format!("{prefix}{name}"));
    }
    all
}

/// Words that many names have.
const GENERIC: [&str; 8] = ["client", "api", "core", "lib", "sdk", "python", "py", "utils"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_name_come_before_single_words() {
        let all = candidates("requests-vault-client", &CondaSet::default());
        assert_eq!(all[..2], ["requests-vault", "vault-client"]);
        assert!(
            all.contains(&"requests".to_owned()) && !all.contains(&"client".to_owned()),
            "{all:?}"
        );
    }

    #[test]
    fn a_spelling_mistake_comes_first() {
        assert_eq!(candidates("opencv-pyhton", &CondaSet::default())[0], "opencv-python");
    }
}
