//! The types of `result` in the JSON [`Document`](crate::document::Document) of each command.
//! Their schemas are in `schemas/`.
//!
//! Within a version no field is renamed or changes its meaning. New fields can be added.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{Code, Place, one_line};

/// The result of `envlock check-secrets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckSecrets<R> {
    /// The server that was checked. Left out without one, and if it didn't respond.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_server: Option<CheckedServer>,
    /// Each request and need with the answers of the policies and the server. Left out if
    /// there are none, such as without a manifest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub answers: Vec<R>,
}

/// The server that was checked, the profile, and the properties of the token. Never the token
/// itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckedServer {
    /// The server's URL.
    pub server: String,
    /// The version that the server reports. Empty if it reports none.
    pub version: String,
    /// The seconds that the server's clock is ahead of this machine's. Null if it is unknown.
    pub clock_ahead: Option<i64>,
    /// The profile.
    pub profile: String,
    /// Whether the token is from a login, and was revoked afterwards. Otherwise the user gave it.
    pub logged_in: bool,
    /// The token's policies.
    pub policies: Vec<String>,
    /// The remaining lifetime of the token in seconds. 0 for a token that doesn't expire.
    pub token_ttl: u64,
    /// Whether the token can be renewed.
    pub renewable: bool,
    /// The number of requests that the token still allows. Null if there is no limit.
    pub uses_left: Option<u64>,
}

impl fmt::Display for CheckedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "checked against {}", self.server)?;
        if !self.version.is_empty() {
            write!(f, " ({})", one_line(&self.version))?;
        }
        write!(f, " as profile {}; the login's token ", self.profile)?;
        match self.token_ttl {
            0 => f.write_str("doesn't expire"),
            seconds @ 1..=119 => write!(f, "expires in {seconds} s"),
            seconds @ 120..=7199 => write!(f, "expires in {} min", (seconds + 30) / 60),
            seconds @ 7200..=172_799 => write!(f, "expires in {} h", (seconds + 1800) / 3600),
            seconds => write!(f, "expires in {} days", (seconds + 43_200) / 86_400),
        }
    }
}

/// The result of `envlock solve`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Solve {
    /// The lock's path.
    pub lock: String,
    /// The environment's name.
    pub name: String,
    /// Whether the file was written. False with `--dry-run`, and if no byte would change.
    pub written: bool,
    /// The solution of each platform.
    pub platforms: Vec<SolvedPlatform>,
    /// The changes of the needs, compared with the previous lock.
    pub need_changes: Vec<NeedChange>,
}

/// A change of a need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NeedChange {
    /// Its name in the manifest.
    pub need: String,
    /// The profile, if the need changed only there.
    pub profile: Option<String>,
    /// `added`, `removed` or `changed`.
    pub change: &'static str,
    /// The change in words; for a new need, its engine and its location.
    pub message: String,
}

/// One platform of a lock.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SolvedPlatform {
    /// The platform, such as `linux-64`.
    pub platform: String,
    /// The number of packages.
    pub packages: usize,
    /// The number of wheels among them.
    pub wheels: usize,
    /// The total size of the archives in bytes. Wheels, and archives whose size the indexes don't
    /// have, count as 0.
    pub bytes: u64,
    /// The differences from the previous lock.
    pub changes: Vec<PackageChange>,
}

/// A package that was added, removed or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PackageChange {
    /// The package's name.
    pub package: String,
    /// The version and build before. Null if the package was added.
    pub before: Option<String>,
    /// The version and build after. Null if the package was removed.
    pub after: Option<String>,
}

/// The result of `envlock solve --check`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SolveCheck {
    /// The lock's path.
    pub lock: String,
    /// Whether the lock matches environment.yml.
    pub fresh: bool,
    /// The differences between the lock and environment.yml.
    pub changes: Vec<StaleReason>,
}

/// One reason why a lock is stale.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StaleReason {
    /// The reason as a sentence.
    pub message: String,
    /// The place in environment.yml, if the reason has one.
    pub place: Option<Place>,
}

/// The result of `envlock install`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Install {
    /// The prefix.
    pub prefix: String,
    /// The platform.
    pub platform: String,
    /// Whether the prefix was changed. False if it was up to date already, and with `--dry-run`.
    pub changed: bool,
    /// The number of packages in the prefix.
    pub packages: usize,
    /// The differences from the previous contents of the prefix.
    pub changes: Vec<PackageChange>,
    /// The path of the previous environment, which is kept next to the prefix.
    pub previous: Option<String>,
    /// Paths that more than one package contains.
    pub clobbered: Vec<Clobbered>,
    /// Packages whose post-link scripts were not run.
    pub scripts_not_run: Vec<String>,
    /// Lines of the pip section that were skipped because of `--without-pip`.
    #[serde(rename = "pip_left_out")]
    pub skipped_pip_lines: Vec<String>,
    /// The names of the credentials that the environment needs, from the lock.
    pub needs: Vec<String>,
}

/// A path that more than one package contains.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Clobbered {
    /// The path within the prefix.
    pub path: String,
    /// The package whose file is installed.
    pub kept: String,
    /// The packages whose files aren't installed.
    pub lost: Vec<String>,
}

/// The result of `envlock fetch`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Fetch {
    /// The lock's path.
    pub lock: String,
    /// The packages that are now in the cache, by platform.
    pub platforms: Vec<FetchedPlatform>,
}

/// The packages of one platform of a lock.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FetchedPlatform {
    /// The platform, such as `linux-64`.
    pub platform: String,
    /// The number of packages.
    pub packages: usize,
    /// The total size of the archives in bytes. Archives whose size the lock doesn't have count
    /// as 0.
    pub bytes: u64,
}

/// The result of `envlock bundle`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Bundle {
    /// The bundle's URL as a channel, `file://…/`.
    pub channel: String,
    /// The path of the lock in the bundle.
    pub lock: String,
    /// The packages in the bundle, by platform.
    pub platforms: Vec<FetchedPlatform>,
    /// The channels that the bundle replaces.
    pub origins: Vec<String>,
}

/// The result of `envlock verify`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Verify {
    /// The prefix.
    pub prefix: String,
    /// The number of packages that were compared.
    pub packages: usize,
    /// The number of files that were compared.
    pub files: usize,
    /// The files that differ.
    pub differences: Vec<FileDifference>,
}

/// A file that differs from its record.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FileDifference {
    /// The path within the prefix.
    pub path: String,
    /// The package that the file belongs to. Null for a file that no record has.
    pub package: Option<String>,
    /// The kind of difference: `missing`, `changed`, `size`, `type`, `target`, `mode`,
    /// `untracked` or `unreadable`.
    pub kind: String,
    /// The difference as a sentence.
    pub message: String,
}

/// The result of `envlock run`. It is printed only if the command couldn't be started.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Run {
    /// The prefix.
    pub prefix: String,
}

/// The result of `envlock secrets list`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SecretsList {
    /// The profile whose needs are listed. Null for the needs without a profile.
    pub profile: Option<String>,
    /// The needs, sorted by name.
    pub needs: Vec<Need>,
}

/// A credential that an environment needs: its location and its variables, never its value.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Need {
    /// The need's name in the manifest.
    pub name: String,
    /// The secrets engine, such as `kv2`.
    pub engine: String,
    /// The path that the engine is mounted at.
    pub mount: String,
    /// The path, role or key below the mount.
    pub locator: String,
    /// The variables that get the credential or the path of a file with it.
    pub variables: Vec<String>,
    /// The purpose of the credential.
    pub why: Option<String>,
}

/// The result of `envlock secrets init`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SecretsInit {
    /// The files that were written, secrets.yml first.
    pub files: Vec<String>,
}

/// The result of `envlock policy generate`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PolicyGenerate {
    /// The profile that the policy is for.
    pub profile: String,
    /// The policy.
    pub hcl: String,
}

/// The result of `envlock policy explain`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PolicyExplain {
    /// Whether every dialect that was evaluated allows the request.
    pub allowed: bool,
    /// The answer of each dialect with the rule that decides.
    pub answers: Vec<serde_json::Value>,
}

/// The result of `envlock policy test`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PolicyTest {
    /// The number of test cases that passed.
    pub passed: usize,
    /// The number of test cases that failed.
    pub failed: usize,
    /// The failures: one entry for each case, dialect and key that differs.
    pub failures: Vec<serde_json::Value>,
}

/// The result of `envlock explain`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Explain {
    /// The requested pages.
    pub pages: Vec<Page>,
}

/// The page of a code.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Page {
    /// The code.
    pub code: Code,
    /// The title.
    pub title: String,
    /// The page in Markdown.
    pub text: String,
}

/// The result of `envlock config`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Config {
    /// The effective values. Each item of a list is one value.
    pub values: Vec<ConfigValue>,
}

/// One effective value of the configuration.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ConfigValue {
    /// The key as in its file. The name of an entry of a mapping follows after a dot.
    pub key: String,
    /// The value as written, with `***` for a password.
    pub value: String,
    /// The kind of place that set it: `default`, `file`, `variable` or `flag`.
    pub set_by: &'static str,
    /// The name of the variable or flag that set it.
    pub name: Option<String>,
    /// The place in the file that set it.
    pub place: Option<Place>,
}

/// The result of `envlock doctor`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Doctor {
    /// The result of each check.
    pub checks: Vec<DoctorCheck>,
}

/// The result of one check.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DoctorCheck {
    /// What was checked: `source`, `cache`, `links`, `clock`, `proxy` or `trust`.
    pub topic: &'static str,
    /// `ok`, `wrong`, or `unknown` if it couldn't be determined.
    pub verdict: &'static str,
    /// The result as a sentence.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// The result of `envlock demo`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Demo {
    /// The directory with the demo's files.
    pub directory: String,
    /// The interpreter from which the demo's Python package was made.
    #[serde(rename = "made_of")]
    pub python: String,
    /// The commands that were run.
    pub commands: Vec<String>,
    /// What the environment's Python printed.
    pub output: String,
}
