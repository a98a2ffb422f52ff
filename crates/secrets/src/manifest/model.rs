//! The types of the secrets manifest: names, paths, durations and keywords, never a secret value.

use std::collections::{BTreeMap, BTreeSet};

use envlock_model::needs::{LockedNeeds, LockedProfile, Need, NeedOverride, NeedUse};
use envlock_policy::{Dialect, Identity, Release};
use envlock_report::{Code, Place};
use envlock_text::Pos;
use jiff::civil::Date;
use schemars::JsonSchema;

use super::schema;

/// A secrets manifest: the needs, the policies and the profiles.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Manifest {
    /// The file that it was read from, as the user wrote it.
    #[schemars(skip)]
    pub file: String,
    /// The version of the format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// The server for which the policies are evaluated.
    #[schemars(default, with = "schema::Server")]
    pub server: TargetServers,
    /// The policies in the repository, by the name under which they are uploaded.
    #[schemars(default)]
    pub policies: BTreeMap<String, PolicyFile>,
    /// The secrets, by name.
    pub needs: BTreeMap<String, Need>,
    /// The profile that is used by default.
    #[schemars(default)]
    pub default: Option<String>,
    /// The profiles: the places where the environment is used, with their logins and policies.
    #[schemars(default)]
    pub profiles: BTreeMap<String, Profile>,
    /// Findings that are accepted until a date.
    #[schemars(default, rename = "allow")]
    pub accept: Vec<Exception>,
    /// Codes of warnings that count as errors.
    #[schemars(default)]
    pub deny: BTreeSet<Code>,
    /// The namespaces of the profiles at run time.
    #[schemars(skip)]
    pub(super) namespaces: Namespaces,
}

/// The namespaces that the profiles of a manifest have at run time. By default all are unknown.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Namespaces {
    /// The namespace of a profile that names none.
    pub(super) default: Option<String>,
    /// The others, by profile.
    pub(super) by_profile: BTreeMap<String, String>,
}

/// The servers that the policies are for: all their dialects must allow the requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TargetServers {
    /// OpenBao 2.6 and later.
    #[serde(rename = "openbao")]
    OpenBao,
    /// OpenBao 2.0 to 2.5.
    #[serde(rename = "openbao-legacy")]
    OpenBaoLegacy,
    /// Vault 2.0.3 and later.
    Vault,
    /// Vault 1.21 to 2.0.2.
    #[serde(rename = "vault-1.21")]
    Vault121,
    /// Vault 1.15 to 1.20.
    VaultLegacy,
    /// Every OpenBao, and every Vault since 1.15.
    #[default]
    Portable,
    /// A release, or every release of a product.
    #[schemars(skip)]
    Release(Release),
}

impl TargetServers {
    /// The dialects that policies are evaluated for.
    pub fn dialects(self) -> &'static [Dialect] {
        match self {
            Self::OpenBao => &[Dialect::OpenBao],
            Self::OpenBaoLegacy => &[Dialect::OpenBaoLegacy],
            Self::Vault => &[Dialect::Vault],
            Self::Vault121 => &[Dialect::Vault121],
            Self::VaultLegacy => &[Dialect::VaultLegacy],
            Self::Portable => &Dialect::PORTABLE,
            Self::Release(release) => release.dialects(),
        }
    }
}

/// The file of a policy.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PolicyFile {
    /// The file, relative to the manifest.
    pub file: String,
    /// The namespace that it is uploaded to; by default that of the profile. `root` is the root
    /// namespace.
    #[schemars(default)]
    pub namespace: Option<String>,
    /// The place in the manifest.
    #[schemars(skip)]
    pub pos: Pos,
}

/// A place where the environment is used, such as CI, with its login, policies and overrides.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Profile {
    /// The profile that this one extends.
    #[schemars(default)]
    pub extends: Option<String>,
    /// How it logs in.
    #[schemars(default)]
    pub auth: Option<Auth>,
    /// The policies of its token.
    #[schemars(default, with = "Vec<String>")]
    pub attach: Option<Vec<(String, Pos)>>,
    /// The namespace of its requests.
    #[schemars(default)]
    pub namespace: Option<RuntimeValue>,
    /// The identity of its token, for templated policies.
    #[schemars(default, with = "schema::Identity")]
    pub identity: Option<Identity>,
    /// The requirements on its token.
    #[schemars(default)]
    pub token: Option<TokenRules>,
    /// How long the job takes, which its token must last.
    #[schemars(default, regex(pattern = r"^[0-9]+[smhd]$"))]
    pub job: Option<String>,
    /// Allows `http://` to this machine, for a development server.
    #[schemars(default, with = "bool")]
    pub allow_plaintext_loopback: Option<bool>,
    /// Needs that this profile skips, requires or makes optional.
    #[schemars(default)]
    pub needs: BTreeMap<String, NeedUse>,
    /// Needs with other locations in this profile.
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
    /// The mount of the method, if it isn't the method's name.
    #[schemars(default)]
    pub mount: Option<String>,
    /// The role to log in as.
    #[schemars(default)]
    pub role: Option<String>,
    /// Where the login credentials are read from, by the name that the auth method gives each.
    #[schemars(flatten)]
    pub credentials: BTreeMap<String, RuntimeValue>,
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

/// Where a value is read from at run time: a variable or a file. The manifest never has the value.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[serde(untagged)]
pub enum RuntimeValue {
    /// A variable.
    Env {
        /// Its name.
        env: String,
        /// Whether it contains a wrapping token instead of the credential.
        #[serde(default)]
        wrapped: bool,
    },
    /// A file.
    File {
        /// Its path; `~` is the home directory.
        file: String,
        /// Whether it contains a wrapping token instead of the credential.
        #[serde(default)]
        wrapped: bool,
    },
}

/// The requirements on a token.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TokenRules {
    /// The shortest remaining lifetime.
    #[schemars(default, regex(pattern = r"^[0-9]+[smhd]$"))]
    pub ttl_min: Option<String>,
    /// The forbidden kinds of tokens.
    #[schemars(default)]
    pub forbid: Vec<ForbiddenToken>,
}

/// A kind of token that is forbidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForbiddenToken {
    /// A token with the policy `root`.
    Root,
    /// A token that never expires.
    NonExpiring,
}

/// A finding that is accepted until a date.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Exception {
    /// The finding's code.
    #[schemars(rename = "finding")]
    pub code: Code,
    /// The need that it is accepted for.
    #[schemars(default)]
    pub need: Option<String>,
    /// The policy that it is accepted for, if the finding has no need.
    #[schemars(default)]
    pub policy: Option<String>,
    /// The reason.
    pub reason: String,
    /// The last day of the exception.
    #[schemars(with = "String", regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))]
    pub until: Date,
    /// Its place in the file.
    #[schemars(skip)]
    pub pos: Pos,
}

impl Manifest {
    /// The path of a policy's file. Relative paths start at the manifest's directory.
    pub(crate) fn policy_path(&self, policy: &PolicyFile) -> String {
        match self.file.rsplit_once('/') {
            Some((folder, _)) if !policy.file.starts_with('/') => {
                format!("{folder}/{}", policy.file)
            }
            _ => policy.file.clone(),
        }
    }

    /// Sets the namespaces that the profiles have at run time. `read` returns the value of a
    /// profile's `namespace:`, or `None` if it isn't known; `default` is the namespace of the
    /// profiles that have none.
    #[must_use]
    pub fn with_namespaces(
        mut self,
        default: &str,
        read: impl Fn(&RuntimeValue) -> Option<String>,
    ) -> Self {
        let known = self.profiles.keys().filter_map(|name| {
            let own = self.with_ancestors(name).into_iter().find_map(|p| p.namespace.as_ref())?;
            Some((name.clone(), read(own)?))
        });
        let by_profile = known.collect();
        self.namespaces = Namespaces { default: Some(default.to_owned()), by_profile };
        self
    }

    /// The namespace at run time of a profile that names none; `None` if it isn't known.
    pub(crate) fn default_namespace(&self) -> Option<String> {
        self.namespaces.default.clone()
    }

    /// The files of all policies, whose texts [`crate::checks::Input`] requires.
    pub fn policy_files(&self) -> Vec<String> {
        self.policies.values().map(|policy| self.policy_path(policy)).collect()
    }

    /// The block for a lock: the needs, and the overrides of each profile.
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
