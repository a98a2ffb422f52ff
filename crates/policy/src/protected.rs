//! The endpoints that also require `sudo`, as the servers register them.
//!
//! A server compares the path below a mount with the paths that the mount's engine registers: the
//! longest registered path that the request starts with decides. One that ends in `*` protects
//! everything below it, another only itself. The capability of the operation and `sudo` must be
//! granted by the same rule.

use super::dialect::Dialect;
use super::pattern::Pattern;
use super::request::Operation;

/// The servers that protect a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Servers {
    /// OpenBao and every Vault.
    All,
    OpenBao,
    /// Every Vault.
    Vault,
    /// Vault 2.0 and later.
    Vault2,
    RustyVault,
}

use Servers::{All, OpenBao, RustyVault, Vault, Vault2};

/// The protected paths, with the servers that protect them.
///
/// Sources: OpenBao 2.4.0 to 2.6.2, `PathsSpecial.Root` in `vault/logical_system.go` and
/// `vault/token_store.go`; `sys/seal` and `sys/step-down` are `RootPrivsRequired` in
/// `vault/core.go` and `vault/ha.go`. Vault 1.15 to 1.21, the same files; Vault 2,
/// `api/sudo_paths.go`. RustyVault, `root_paths` in `src/modules/system/mod.rs` and
/// `src/modules/auth/token_store.rs`.
const PROTECTED: [(&str, Servers); 50] = [
    ("sys/auth/*", All),
    ("sys/remount", All),
    ("sys/audit", All),
    ("sys/audit/*", All),
    ("sys/raw", All),
    ("sys/raw/*", All),
    ("sys/rotate", All),
    ("sys/rotate/keyring", OpenBao),
    ("sys/rotate/root", OpenBao),
    ("sys/config/cors", All),
    ("sys/config/auditing/*", All),
    ("sys/config/ui/headers/*", All),
    ("sys/plugins/catalog/*", All),
    ("sys/plugins/runtimes/catalog/*", Vault),
    ("sys/revoke-prefix/*", All),
    ("sys/revoke-force/*", All),
    ("sys/leases/revoke-prefix/*", All),
    ("sys/leases/revoke-force/*", All),
    ("sys/leases/lookup/*", All),
    ("sys/leases", All),
    ("sys/internal/inspect/*", All),
    ("sys/internal/counters/activity/export", Vault),
    ("sys/seal", All),
    ("sys/step-down", All),
    ("sys/replication/primary/secondary-token", Vault),
    ("sys/replication/performance/primary/secondary-token", Vault),
    ("sys/replication/dr/primary/secondary-token", Vault),
    ("sys/replication/reindex", Vault),
    ("sys/replication/dr/reindex", Vault),
    ("sys/replication/performance/reindex", Vault),
    ("sys/storage/raft/snapshot-auto/config/*", Vault),
    ("sys/reporting/scan", Vault2),
    ("sys/activation-flags/oauth-resource-server/*", Vault2),
    ("sys/config/oauth-resource-server", Vault2),
    ("sys/config/oauth-resource-server/*", Vault2),
    ("identity/entity/merge", Vault2),
    ("auth/token/accessors*", All),
    ("auth/token/revoke-orphan/*", All),
    // OpenBao lets the request pass, and then refuses it in the engine.
    ("auth/token/revoke-orphan", All),
    ("sys/mounts/*", RustyVault),
    ("sys/auth/*", RustyVault),
    ("sys/remount", RustyVault),
    ("sys/policy", RustyVault),
    ("sys/policy/*", RustyVault),
    ("sys/audit", RustyVault),
    ("sys/audit/*", RustyVault),
    ("sys/seal", RustyVault),
    ("sys/raw/*", RustyVault),
    ("sys/revoke-prefix/*", RustyVault),
    ("auth/token/revoke-orphan/*", RustyVault),
];

/// Paths with a wildcard inside. Source: `api/sudo_paths.go` of Vault 2.
const PROTECTED_SEGMENTS: [(&str, Servers); 1] = [("sys/mounts/auth/+/tune", Vault2)];

/// The paths below a pki mount that are protected on every server, each with its operation. Source:
/// `PathsSpecial.Root` in `builtin/logical/pki/backend.go`. No other engine registers any.
const PROTECTED_OF_PKI: [(&str, Operation); 2] =
    [("root", Operation::Delete), ("root/sign-self-issued", Operation::Update)];

impl Servers {
    fn contain(self, dialect: Dialect) -> bool {
        match self {
            All => dialect != Dialect::RustyVault,
            OpenBao => dialect != Dialect::RustyVault && !dialect.is_vault(),
            Vault => dialect.is_vault(),
            Vault2 => dialect == Dialect::Vault,
            RustyVault => dialect == Dialect::RustyVault,
        }
    }
}

/// Whether a request of `path` also requires `sudo` on a server of `dialect`. `path` is below its
/// namespace, and that of a list ends in a slash. What depends on the engine of a mount isn't known
/// here: see [`may_be_protected_by_pki`].
pub fn requires_sudo(dialect: Dialect, path: &str) -> bool {
    let path = path.trim_start_matches('/');
    let registered = PROTECTED.iter().filter(|(_, servers)| servers.contain(dialect));
    let longest = registered
        .map(|(pattern, _)| (pattern.trim_end_matches('*'), pattern.ends_with('*')))
        .filter(|(bare, _)| path.starts_with(bare))
        .max_by_key(|(bare, _)| bare.len());
    longest.is_some_and(|(bare, below)| below || bare == path)
        || PROTECTED_SEGMENTS.iter().any(|(pattern, servers)| {
            let pattern = Pattern::new(pattern, "").ok();
            servers.contain(dialect) && pattern.is_some_and(|pattern| pattern.matches(path))
        })
}

/// Whether a request also requires `sudo` if a pki engine serves it.
pub fn may_be_protected_by_pki(path: &str, operation: Operation) -> bool {
    PROTECTED_OF_PKI.iter().any(|(protected, asked)| {
        let mount = path.strip_suffix(protected).and_then(|mount| mount.strip_suffix('/'));
        *asked == operation && mount.is_some_and(|mount| !mount.is_empty())
    })
}

/// Whether every path that `pattern` matches requires `sudo` on a server of `dialect`. For a list
/// the server adds a slash to the path.
pub(crate) fn is_all_protected(dialect: Dialect, pattern: &str, lists: bool) -> bool {
    let pattern = pattern.strip_prefix('/').unwrap_or(pattern);
    let head = pattern.split('+').next().unwrap_or_default().trim_end_matches('*');
    if head == pattern {
        let listed = format!("{}/", head.trim_end_matches('/'));
        return requires_sudo(dialect, head) || (lists && requires_sudo(dialect, &listed));
    }
    PROTECTED.iter().any(|(protected, servers)| {
        let below = protected.strip_suffix('*').filter(|_| servers.contain(dialect));
        below.is_some_and(|below| head.starts_with(below))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_registered_path_decides() {
        let protected = |path| requires_sudo(Dialect::OpenBao, path);
        for path in [
            "sys/seal",
            "/sys/audit",
            "sys/audit/",
            "sys/auth/approle/tune",
            "sys/raw/core/master",
            "sys/leases/lookup/",
            "auth/token/accessors/",
            "sys/rotate/keyring",
        ] {
            assert!(protected(path), "{path}");
        }
        for path in [
            "sys/auth",
            "sys/audit-hash/file",
            "sys/leases/lookup",
            "sys/leases/count",
            "sys/mounts/kv",
            "sys/rotate/config",
            "sys/policies/acl/x",
            "auth/token/create-orphan",
            "team/sys/seal",
            "sys/sealed",
        ] {
            assert!(!protected(path), "{path}");
        }
    }

    #[test]
    fn servers_protect_different_paths() {
        let on = |path, dialects: [Dialect; 4]| dialects.map(|d| requires_sudo(d, path));
        let dialects =
            [Dialect::OpenBao, Dialect::Vault, Dialect::VaultLegacy, Dialect::RustyVault];
        assert_eq!(on("sys/rotate/keyring", dialects), [true, false, false, false]);
        let runtimes = "sys/plugins/runtimes/catalog/a/b";
        assert_eq!(on(runtimes, dialects), [false, true, true, false]);
        assert_eq!(on("sys/mounts/auth/jwt/tune", dialects), [false, true, false, true]);
        assert_eq!(on("sys/policy/x", dialects), [false, false, false, true]);
    }

    #[test]
    fn a_pattern_is_protected_if_all_that_it_matches_is() {
        let all = |pattern, lists| is_all_protected(Dialect::Vault, pattern, lists);
        assert!(all("sys/auth/*", false) && all("sys/raw/+/x", false) && all("/sys/seal", false));
        assert!(all("auth/token/accessors", true) && all("sys/leases/lookup", true));
        assert!(!all("sys/*", true) && !all("sys/leases/lookup", false) && !all("*", true));
        assert!(!all("sys/audit*", false) && !all("+/audit", false));
    }

    #[test]
    fn a_root_below_a_mount_may_be_that_of_pki() {
        assert!(may_be_protected_by_pki("team/ca/root", Operation::Delete));
        assert!(may_be_protected_by_pki("ca/root/sign-self-issued", Operation::Update));
        assert!(!may_be_protected_by_pki("ca/root", Operation::Read));
        assert!(!may_be_protected_by_pki("root", Operation::Delete));
        assert!(!may_be_protected_by_pki("ca/notroot", Operation::Delete));
    }
}
