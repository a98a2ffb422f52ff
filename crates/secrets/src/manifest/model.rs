//! What a manifest says, typed: names, paths, durations and words, never a value.

use std::collections::{BTreeMap, BTreeSet};

use envlock_report::{Code, Place};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::engine::Engine;
use super::schema;
use envlock_policy::{Capability, Dialect, Identity};
use envlock_text::Pos;

/// A manifest: which credentials an environment needs, and where the proof of them stands.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Manifest {
    /// The file that it was read from, as the user named it.
    #[schemars(skip)]
    pub file: String,
    /// The version of this notation: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// The server that the policies are for.
    #[schemars(default, with = "schema::Server")]
    pub server: ServerDialect,
    /// The policies in the repository, by the names they are uploaded under.
    #[schemars(default)]
    pub policies: BTreeMap<String, PolicyFile>,
    /// The credentials, by name.
    pub needs: BTreeMap<String, Need>,
    /// The profile when none is named.
    #[schemars(default)]
    pub default: Option<String>,
    /// Where the environment is used, and as whom.
    #[schemars(default)]
    pub profiles: BTreeMap<String, Profile>,
    /// Findings that are accepted for a while.
    #[schemars(default)]
    pub allow: Vec<Allowance>,
    /// Codes of warnings that count as errors here.
    #[schemars(default)]
    pub deny: BTreeSet<Code>,
}

/// Which dialects must allow what is needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServerDialect {
    /// OpenBao 2.6 and later.
    #[serde(rename = "openbao")]
    OpenBao,
    /// Vault since mid-2026.
    Vault,
    /// Vault 1.15 to 1.20.
    VaultLegacy,
    /// All of them.
    #[default]
    Portable,
}

impl ServerDialect {
    /// The dialects to ask.
    pub fn dialects(self) -> &'static [Dialect] {
        match self {
            Self::OpenBao => &[Dialect::OpenBao],
            Self::Vault => &[Dialect::Vault],
            Self::VaultLegacy => &[Dialect::VaultLegacy],
            Self::Portable => &Dialect::PORTABLE,
        }
    }
}

/// A policy's file.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PolicyFile {
    /// The file, relative to the manifest.
    pub file: String,
    /// Where the manifest names it.
    #[schemars(skip)]
    pub pos: Pos,
}

/// One credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// The secrets engine.
    pub engine: Engine,
    /// Where the engine is mounted; may contain `/`.
    pub mount: String,
    /// The logical path (kv1, kv2, cubbyhole), without `data/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The role (engines that make credentials).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The key (transit, totp).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What a transit key is used for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<String>,
    /// Capabilities besides what the engine takes anyway.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub capabilities: BTreeSet<Capability>,
    /// How the process gets each field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, schema::Field>")]
    pub fields: BTreeMap<String, Target>,
    /// Whether the work can go on without it.
    #[serde(default, skip_serializing_if = "Required::is_plain")]
    #[schemars(with = "schema::Requirement")]
    pub required: Required,
    /// How long it must last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Ttl>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How far it has to be proven.
    #[serde(default, skip_serializing_if = "Verify::is_online")]
    pub verify: Verify,
    /// Where it stands.
    #[serde(skip)]
    #[schemars(skip)]
    pub pos: Pos,
}

impl Need {
    /// The path, role or key.
    pub fn locator(&self) -> &str {
        [&self.path, &self.role, &self.key].into_iter().flatten().next().map_or("", String::as_str)
    }
}

/// How the process gets a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The variable.
    #[schemars(regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]*$"))]
    pub env: String,
    /// What the variable holds.
    #[serde(default, rename = "as", skip_serializing_if = "Form::is_env")]
    #[schemars(default)]
    pub form: Form,
    /// Where it stands.
    #[serde(skip)]
    #[schemars(skip)]
    pub pos: Pos,
}

/// What a variable holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// The value.
    #[default]
    Env,
    /// The path of a file in memory, mode 0600, that holds the value.
    File,
}

impl Form {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_env(&self) -> bool {
        *self == Self::Env
    }
}

/// Whether the work can go on without a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Required {
    /// It can't (`true`), or it can (`false`).
    Plain(bool),
    /// Exactly one of the group is there.
    OneOf {
        /// The group.
        one_of: String,
    },
    /// At least one of the group is there.
    AnyOf {
        /// The group.
        any_of: String,
    },
}

impl Default for Required {
    fn default() -> Self {
        Self::Plain(true)
    }
}

impl Required {
    fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// The group that it is in.
    pub fn group(&self) -> Option<&str> {
        match self {
            Self::Plain(_) => None,
            Self::OneOf { one_of: group } | Self::AnyOf { any_of: group } => Some(group),
        }
    }
}

/// How long a leased credential must last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ttl {
    /// At least this long: `90s`, `15m`, `1h`, `7d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]+[smhd]$"))]
    pub min: Option<String>,
    /// Renewed until this long: `until 12h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^until [0-9]+[smhd]$"))]
    pub renew: Option<String>,
}

/// How far a need has to be proven.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verify {
    /// By the policies and by the server.
    #[default]
    Online,
    /// By the policies alone.
    Offline,
}

impl Verify {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_online(&self) -> bool {
        *self == Self::Online
    }
}

/// Where an environment is used, and as whom.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Profile {
    /// The profile that this one starts from.
    #[schemars(default)]
    pub extends: Option<String>,
    /// How it logs in.
    #[schemars(default)]
    pub auth: Option<Auth>,
    /// The policies that its token gets.
    #[schemars(default, with = "Vec<String>")]
    pub attach: Option<Vec<(String, Pos)>>,
    /// The namespace that it works in.
    #[schemars(default)]
    pub namespace: Option<Credential>,
    /// Who it is, for templated policies.
    #[schemars(default, with = "schema::Identity")]
    pub identity: Option<Identity>,
    /// What its token must be like.
    #[schemars(default)]
    pub token: Option<TokenRules>,
    /// Allows `http://` to the machine itself, as a development server speaks it.
    #[schemars(default, with = "bool")]
    pub allow_plaintext_loopback: Option<bool>,
    /// Needs that this profile does without, or can't.
    #[schemars(default)]
    pub needs: BTreeMap<String, NeedUse>,
    /// What is different about a need here.
    #[serde(rename = "override")]
    #[schemars(default, rename = "override")]
    pub overrides: BTreeMap<String, Override>,
    /// Where it stands.
    #[schemars(skip)]
    pub pos: Pos,
}

/// Whether a profile wants a need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NeedUse {
    /// It does without.
    Skip,
    /// It can't do without.
    Required,
    /// It takes it where it is.
    Optional,
}

/// What is different about a need in a profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Another mount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mount: Option<String>,
    /// Another path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Another role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Another key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Where it stands.
    #[serde(skip)]
    #[schemars(skip)]
    pub pos: Pos,
}

/// How a profile logs in.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
pub struct Auth {
    /// The auth method.
    pub method: AuthMethod,
    /// Where the method is mounted, when not under its own name.
    #[schemars(default)]
    pub mount: Option<String>,
    /// The role to log in as.
    #[schemars(default)]
    pub role: Option<String>,
    /// The credentials, by the name that the method gives them. Never values.
    #[schemars(flatten)]
    pub credentials: BTreeMap<String, Credential>,
    /// Where it stands.
    #[schemars(skip)]
    pub pos: Pos,
}

/// An auth method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the methods' own")]
pub enum AuthMethod {
    Token,
    Jwt,
    Kubernetes,
    Approle,
    AwsIam,
    Cert,
    Userpass,
    Ldap,
}

/// Where a credential, or another word that isn't written down, comes from at run time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Credential {
    /// A variable.
    Env {
        /// Its name.
        env: String,
        /// Whether it holds a wrapping token instead of the thing itself.
        #[serde(default)]
        wrapped: bool,
    },
    /// A file.
    File {
        /// Its path; `~` is the home directory.
        file: String,
        /// Whether it holds a wrapping token instead of the thing itself.
        #[serde(default)]
        wrapped: bool,
    },
}

/// What a token must be like.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TokenRules {
    /// How long it must still live.
    #[schemars(default, regex(pattern = r"^[0-9]+[smhd]$"))]
    pub ttl_min: Option<String>,
    /// What it must not be.
    #[schemars(default)]
    pub forbid: Vec<Forbidden>,
}

/// What a token must not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Forbidden {
    /// One that may do everything.
    Root,
    /// One that never ends.
    NonExpiring,
}

/// A finding that is accepted for a while.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Allowance {
    /// The finding's code.
    pub finding: Code,
    /// The need that it is accepted for.
    #[schemars(default)]
    pub need: Option<String>,
    /// The policy that it is accepted for, where a finding has no need.
    #[schemars(default)]
    pub policy: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it is.
    #[schemars(with = "String", regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))]
    pub until: Date,
    /// Where it stands.
    #[schemars(skip)]
    pub pos: Pos,
}

impl Manifest {
    /// Where the file of a policy is: beside the manifest, unless its path says otherwise.
    pub fn policy_path(&self, policy: &PolicyFile) -> String {
        match self.file.rsplit_once('/') {
            Some((folder, _)) if !policy.file.starts_with('/') => {
                format!("{folder}/{}", policy.file)
            }
            _ => policy.file.clone(),
        }
    }

    /// The files of all policies: those whose text [`crate::checks::Input`] wants.
    pub fn policy_files(&self) -> Vec<String> {
        self.policies.values().map(|policy| self.policy_path(policy)).collect()
    }

    /// A place in the manifest's file.
    pub fn place(&self, pos: Pos) -> Place {
        pos.place(&self.file)
    }
}
