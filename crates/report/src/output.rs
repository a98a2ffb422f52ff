//! The `result` of every command's JSON [`Document`](crate::document::Document); the schemas
//! are in `schemas/`.
//!
//! A field is never renamed and never changes meaning within a version; new ones may come.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{Code, Place, one_line};

/// `envlock check-secrets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckSecrets<R> {
    /// Which server was asked; nothing where none was, or none answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<AskedServer>,
    /// What was asked, and who answered it how; nothing where only texts were looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub answers: Vec<R>,
}

/// Which server was asked, in whose name, and what it said of the token: never the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AskedServer {
    /// The address.
    pub server: String,
    /// The server's own word for its version; empty where it doesn't say.
    pub version: String,
    /// How many seconds its clock is ahead of this machine's, where it tells the time.
    pub clock_ahead: Option<i64>,
    /// The profile.
    pub profile: String,
    /// Whether the token came from a login, and was ended again; else the user gave it.
    pub logged_in: bool,
    /// The token's policies.
    pub policies: Vec<String>,
    /// How many seconds the token lived from then on; 0 for one that never ends.
    pub token_ttl: u64,
    /// Whether the token can be renewed.
    pub renewable: bool,
    /// How many requests the token was good for; nothing for any number.
    pub uses_left: Option<u64>,
}

impl fmt::Display for AskedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "asked {}", self.server)?;
        if !self.version.is_empty() {
            write!(f, " ({})", one_line(&self.version))?;
        }
        write!(f, " as profile {}; its token ", self.profile)?;
        match self.token_ttl {
            0 => f.write_str("never ends"),
            seconds @ 1..=119 => write!(f, "ends in {seconds} s"),
            seconds @ 120..=7199 => write!(f, "ends in {} min", (seconds + 30) / 60),
            seconds @ 7200..=172_799 => write!(f, "ends in {} h", (seconds + 1800) / 3600),
            seconds => write!(f, "ends in {} days", (seconds + 43_200) / 86_400),
        }
    }
}

/// `envlock solve`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Solve {
    /// The lock's path.
    pub lock: String,
    /// The environment's name.
    pub name: String,
    /// Whether the file was written: not on `--dry-run`, nor where no byte would change.
    pub written: bool,
    /// What was found by platform.
    pub platforms: Vec<SolvedPlatform>,
    /// Lines of the pip section that no package of the lock answers for.
    pub pip_left_out: Vec<String>,
}

/// One platform of a lock.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SolvedPlatform {
    /// The platform, such as `linux-64`.
    pub platform: String,
    /// How many packages it has.
    pub packages: usize,
    /// The sum of their archives' sizes, in bytes, as far as the indexes tell them.
    pub bytes: u64,
    /// What changed against the lock that was there.
    pub changes: Vec<PackageChange>,
}

/// What became of one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PackageChange {
    /// Its name.
    pub package: String,
    /// Its version and build before; null when it is new.
    pub before: Option<String>,
    /// Its version and build after; null when it is gone.
    pub after: Option<String>,
}

/// `envlock solve --check`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Check {
    /// The lock's path.
    pub lock: String,
    /// Whether it still answers what is asked.
    pub fresh: bool,
    /// What it doesn't answer, or answers though it is no longer asked.
    pub changes: Vec<StaleReason>,
}

/// One reason why a lock is stale.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StaleReason {
    /// In words.
    pub message: String,
    /// Where it is asked.
    pub place: Option<Place>,
}

/// `envlock install`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Install {
    /// The prefix.
    pub prefix: String,
    /// The platform.
    pub platform: String,
    /// Whether anything was done; false when the prefix was already right, and on
    /// `--dry-run`.
    pub changed: bool,
    /// How many packages the prefix has.
    pub packages: usize,
    /// What changed against the prefix that was there.
    pub changes: Vec<PackageChange>,
    /// The previous prefix, kept beside.
    pub previous: Option<String>,
    /// Paths that several packages bring, with who won.
    pub clobbered: Vec<Clobbered>,
    /// Packages whose post-link scripts were not run.
    pub scripts_not_run: Vec<String>,
    /// Lines of the pip section that were left out at the user's word.
    pub pip_left_out: Vec<String>,
    /// The names of the credentials that the lock says are needed.
    pub needs: Vec<String>,
}

/// A path that several packages bring.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Clobbered {
    /// The path within the prefix.
    pub path: String,
    /// The package whose file is there.
    pub kept: String,
    /// The packages whose file is not.
    pub lost: Vec<String>,
}

/// `envlock fetch`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Fetch {
    /// The lock's path.
    pub lock: String,
    /// What the cache has now, by platform.
    pub platforms: Vec<FetchedPlatform>,
}

/// What one platform of a lock needs.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FetchedPlatform {
    /// The platform, such as `linux-64`.
    pub platform: String,
    /// How many packages it has.
    pub packages: usize,
    /// The sum of their archives' sizes, in bytes, as far as the lock tells them.
    pub bytes: u64,
}

/// `envlock bundle`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Bundle {
    /// The channel's address, `file://…/`.
    pub channel: String,
    /// The lock in it.
    pub lock: String,
    /// What it has, by platform.
    pub platforms: Vec<FetchedPlatform>,
    /// The channels that it stands in for.
    pub origins: Vec<String>,
}

/// `envlock verify`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Verify {
    /// The prefix.
    pub prefix: String,
    /// How many packages were compared.
    pub packages: usize,
    /// How many files were compared.
    pub files: usize,
    /// What differs.
    pub differences: Vec<FileDifference>,
}

/// One file that isn't as its record says.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FileDifference {
    /// The path within the prefix.
    pub path: String,
    /// The package that it belongs to; null for a file that no package knows.
    pub package: Option<String>,
    /// `missing`, `changed`, `unknown`, … in one word.
    pub kind: String,
    /// The difference in words.
    pub message: String,
}

/// `envlock run`: only ever printed when the command could not be started.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Run {
    /// The prefix.
    pub prefix: String,
}

/// `envlock secrets list`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SecretsList {
    /// The profile that they are listed for; null for the needs as they are without one.
    pub profile: Option<String>,
    /// The needs, by name.
    pub needs: Vec<Need>,
}

/// One credential that an environment needs: where it lies and how it arrives, never what it
/// is.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Need {
    /// Its name in the manifest.
    pub name: String,
    /// The engine, such as `kv2`.
    pub engine: String,
    /// Where the engine is mounted.
    pub mount: String,
    /// Its path, role or key below the mount.
    pub locator: String,
    /// The variables that it arrives in.
    pub variables: Vec<String>,
    /// Why it is needed.
    pub why: Option<String>,
}

/// `envlock policy generate`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PolicyGenerate {
    /// The profile that it is for.
    pub profile: String,
    /// The policy.
    pub hcl: String,
}

/// `envlock policy explain`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PolicyExplain {
    /// Whether every server that was asked about allows it.
    pub allowed: bool,
    /// Each server's answer with the deciding rule.
    pub answers: Vec<serde_json::Value>,
}

/// `envlock policy test`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PolicyTest {
    /// How many cases are as expected.
    pub passed: usize,
    /// How many aren't.
    pub failed: usize,
    /// What differs, one entry a case, dialect and key.
    pub failures: Vec<serde_json::Value>,
}

/// `envlock explain`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Explain {
    /// The pages that were asked for.
    pub pages: Vec<Page>,
}

/// What a code means.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Page {
    /// The code.
    pub code: Code,
    /// Its title.
    pub title: String,
    /// The page, in Markdown.
    pub text: String,
}

/// `envlock config`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Config {
    /// Every value in force, an item of a list each.
    pub values: Vec<ConfigValue>,
}

/// One value in force.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ConfigValue {
    /// The key as its file has it, with the name in a mapping behind a dot.
    pub key: String,
    /// The value as it is written, with `***` for a password.
    pub value: String,
    /// Who set it: `default`, `file`, `variable` or `flag`.
    pub set_by: &'static str,
    /// The variable or the flag.
    pub name: Option<String>,
    /// The place in a file.
    pub place: Option<Place>,
}

/// `envlock doctor`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Doctor {
    /// Everything that was looked at.
    pub checks: Vec<DoctorCheck>,
}

/// What one look found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DoctorCheck {
    /// `source`, `cache`, `links`, `clock`, `proxy` or `trust`.
    pub topic: &'static str,
    /// `ok`, `wrong`, or `unknown` where it can't be told.
    pub verdict: &'static str,
    /// What is the case.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// `envlock demo`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Demo {
    /// The folder that holds everything.
    pub directory: String,
    /// The interpreter that its Python package was made of.
    pub made_of: String,
    /// The commands that were run, as they can be typed.
    pub commands: Vec<String>,
    /// What the environment's Python printed.
    pub output: String,
}
