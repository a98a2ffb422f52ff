//! The secrets manifest as types: names, paths, durations and words, never a secret value.

use std::collections::{BTreeMap, BTreeSet};

use envlock_model::needs::{LockedNeeds, LockedProfile, Need, NeedOverride, NeedUse};
use envlock_policy::{Dialect, Identity};
use envlock_report::{Code, Place};
use envlock_text::Pos;
use jiff::civil::Date;
use schemars::JsonSchema;

use super::schema;

/// A secrets manifest: which credentials an environment needs, and the policies that grant them.
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
    /// The profile that is used when none is named.
    #[schemars(default)]
    pub default: Option<String>,
    /// The profiles: where the environment is used, and with which identity.
    #[schemars(default)]
    pub profiles: BTreeMap<String, Profile>,
    /// Findings that are accepted until a day.
    #[schemars(default)]
    pub allow: Vec<Allowance>,
    /// Codes of warnings that count as errors here.
    #[schemars(default)]
    pub deny: BTreeSet<Code>,
}

/// Which dialects must allow what is needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema)]
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
    /// The dialects that policies are evaluated for.
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

/// A profile: where an environment is used, and with which identity.
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
    /// The identity of its token, for templated policies.
    #[schemars(default, with = "schema::Identity")]
    pub identity: Option<Identity>,
    /// What its token must be like.
    #[schemars(default)]
    pub token: Option<TokenRules>,
    /// Allows `http://` to the machine itself, as a development server speaks it.
    #[schemars(default, with = "bool")]
    pub allow_plaintext_loopback: Option<bool>,
    /// Needs that this profile skips, requires or makes optional.
    #[schemars(default)]
    pub needs: BTreeMap<String, NeedUse>,
    /// Needs that are elsewhere in this profile.
    #[serde(rename = "override")]
    #[schemars(default, rename = "override")]
    pub overrides: BTreeMap<String, NeedOverride>,
    /// Its place in the file.
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
    /// Its place in the file.
    #[schemars(skip)]
    pub pos: Pos,
}

/// An auth method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
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

/// Where a credential, or another value that isn't in the manifest, is read from at run time.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[serde(untagged)]
pub enum Credential {
    /// A variable.
    Env {
        /// Its name.
        env: String,
        /// Whether it holds a wrapping token instead of the credential.
        #[serde(default)]
        wrapped: bool,
    },
    /// A file.
    File {
        /// Its path; `~` is the home directory.
        file: String,
        /// Whether it holds a wrapping token instead of the credential.
        #[serde(default)]
        wrapped: bool,
    },
}

/// What a token must be like.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TokenRules {
    /// The shortest remaining lifetime.
    #[schemars(default, regex(pattern = r"^[0-9]+[smhd]$"))]
    pub ttl_min: Option<String>,
    /// The kinds of tokens that are refused.
    #[schemars(default)]
    pub forbid: Vec<ForbiddenToken>,
}

/// What a token must not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForbiddenToken {
    /// A token with the policy `root`.
    Root,
    /// A token that never expires.
    NonExpiring,
}

/// A finding that is accepted until a day.
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
    /// Its place in the file.
    #[schemars(skip)]
    pub pos: Pos,
}

impl Manifest {
    /// The path of a policy's file: relative paths start at the manifest's folder.
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

    /// The block that a lock records: the needs, and what each profile changes about them.
    pub fn locked(&self) -> LockedNeeds {
        let mut profiles = BTreeMap::new();
        for name in self.profiles.keys() {
            let mut profile = LockedProfile::default();
            for ancestor in self.with_ancestors(name) {
                for (need, use_) in &ancestor.needs {
                    profile.needs.entry(need.clone()).or_insert(*use_);
                }
                for (need, change) in &ancestor.overrides {
                    profile.overrides.entry(need.clone()).or_insert_with(|| change.clone());
                }
            }
            if profile != LockedProfile::default() {
                profiles.insert(name.clone(), profile);
            }
        }
        LockedNeeds::new(self.needs.clone(), profiles)
    }

    /// A place in the manifest's file.
    pub fn place(&self, pos: Pos) -> Place {
        pos.place(&self.file)
    }
}
