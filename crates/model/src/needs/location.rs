//! The mount and the path that a need means, where it names the path of the server's API instead.

use std::collections::BTreeSet;

use envlock_policy::{Engine, TransitOperation};

use super::validate::below_server;

/// What kv2 puts between its mount and the path of a secret.
const KV2: [&str; 6] = ["data", "metadata", "subkeys", "delete", "undelete", "destroy"];

/// A mount, and the path, role or key below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The mount.
    pub mount: String,
    /// The path, or the name of the role or key.
    pub name: String,
}

impl Location {
    /// Returns the location that a need probably means, without what the client and the engine add
    /// themselves: the server's address, `v1/`, the mount in the path, `data/` and the like.
    /// `None` if the location is right as it is, or nothing would be left of it.
    pub fn intended(engine: Engine, mount: &str, name: &str) -> Option<Self> {
        let meant = Self::without_api(engine, mount, name);
        let differs = meant.mount != mount || meant.name != name;
        (differs && !meant.mount.is_empty() && !meant.name.is_empty()).then_some(meant)
    }

    fn without_api(engine: Engine, mount: &str, name: &str) -> Self {
        let mut mount = without_version(mount);
        let mut name = without_version(name);
        if engine == Engine::Kv2
            && let Some((own, last)) = mount.rsplit_once('/')
            && KV2.contains(&last)
        {
            mount = own;
        }
        name = below(name, mount);
        for (before, after) in around_name(engine) {
            let inner = name.strip_prefix(&before).filter(|_| !before.is_empty());
            if let Some(inner) = inner {
                name = inner.strip_suffix(&after).unwrap_or(inner);
                break;
            }
        }
        Self { mount: mount.to_owned(), name: name.to_owned() }
    }
}

/// Removes the server's address, and the version of the API.
fn without_version(text: &str) -> &str {
    let text = below_server(text).unwrap_or(text).trim_matches('/');
    text.strip_prefix("v1/").unwrap_or(text)
}

fn below<'t>(name: &'t str, mount: &str) -> &'t str {
    let inner = name.strip_prefix(mount).and_then(|rest| rest.strip_prefix('/'));
    inner.filter(|_| !mount.is_empty()).unwrap_or(name)
}

/// What the API's paths of an engine have before and after the name: `creds/` and nothing.
fn around_name(engine: Engine) -> Vec<(String, String)> {
    const NAME: &str = "{}";
    if engine == Engine::Kv2 {
        return KV2.map(|segment| (format!("{segment}/"), String::new())).to_vec();
    }
    let operations: BTreeSet<_> = TransitOperation::ALL.into();
    let requests = engine.secret_requests("", NAME, &operations).into_iter();
    let requests = requests.chain(engine.existence_requests("", NAME));
    let split = |path: &str| {
        let (before, after) = path.trim_start_matches('/').split_once(NAME)?;
        Some((before.to_owned(), after.to_owned()))
    };
    requests.filter_map(|request| split(&request.path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intended(engine: Engine, mount: &str, name: &str) -> Option<String> {
        let meant = Location::intended(engine, mount, name)?;
        Some(format!("{} {}", meant.mount, meant.name))
    }

    #[test]
    fn the_path_of_the_api_is_taken_apart_into_mount_and_path() {
        for (mount, name) in [
            ("secret", "secret/app/db"),
            ("secret", "data/app/db"),
            ("secret", "metadata/app/db"),
            ("secret", "subkeys/app/db"),
            ("secret", "secret/data/app/db"),
            ("secret", "v1/secret/data/app/db"),
            ("secret/data", "app/db"),
            ("secret/metadata", "secret/app/db"),
            ("v1/secret", "app/db"),
            ("v1/secret/data", "app/db"),
            ("secret", "https://vault.example.com:8200/v1/secret/data/app/db"),
            ("https://vault.example.com/v1/secret/", "app/db"),
        ] {
            let found = intended(Engine::Kv2, mount, name);
            assert_eq!(found.as_deref(), Some("secret app/db"), "{mount} {name}");
        }
        let role = |name| intended(Engine::Database, "database", name);
        assert_eq!(role("creds/ro").as_deref(), Some("database ro"));
        assert_eq!(role("database/roles/ro").as_deref(), Some("database ro"));
        let key = intended(Engine::Transit, "transit", "transit/decrypt/k");
        assert_eq!(key.as_deref(), Some("transit k"));
        let set = intended(Engine::LdapLibrary, "ldap", "library/s/check-out");
        assert_eq!(set.as_deref(), Some("ldap s"));
    }

    #[test]
    fn a_location_that_is_right_is_left_alone() {
        for (engine, mount, name) in [
            (Engine::Kv2, "secret", "app/data/db"),
            (Engine::Kv2, "secret", "data"),
            (Engine::Kv2, "secret", "secrets/app"),
            (Engine::Kv2, "team/kv", "kv/app"),
            (Engine::Kv2, "data", "app/db"),
            (Engine::Kv1, "kv", "data/app"),
            (Engine::Kv1, "kv/data", "app"),
            (Engine::Database, "database", "creds"),
            (Engine::Cubbyhole, "cubbyhole", "a/b"),
        ] {
            assert_eq!(intended(engine, mount, name), None, "{mount} {name}");
        }
    }

    #[test]
    fn what_is_meant_is_right() {
        for engine in Engine::all() {
            for mount in ["m", "v1/m", "m/data", "https://h/v1/m"] {
                for name in ["m/n", "v1/m/data/n", "metadata/n", "creds/n", "roles/n", "a/b"] {
                    let Some(meant) = Location::intended(engine, mount, name) else { continue };
                    let again = Location::intended(engine, &meant.mount, &meant.name);
                    assert_eq!(again, None, "{engine} {mount} {name}: {meant:?}");
                }
            }
        }
    }
}
