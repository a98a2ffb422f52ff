//! Reads the policies of a manifest, each once for all profiles.

use std::collections::{BTreeMap, BTreeSet};

use envlock_report::Finding;

use super::{CheckError, Input};
use crate::manifest::ResolvedProfile;
use envlock_policy::lint::{parse_error_findings, rejections};
use envlock_policy::{Policy, PolicyError};
use envlock_report::secret_scan;
use envlock_text::limits::POLICY_BYTES;

/// The policies of a manifest by name, or their errors.
pub(super) struct Policies {
    read: BTreeMap<String, Result<Policy, PolicyError>>,
}

impl Policies {
    pub(super) fn read(input: &Input<'_>) -> Result<Self, CheckError> {
        let (mut read, mut bytes) = (BTreeMap::new(), 0_usize);
        for (name, policy) in &input.manifest.policies {
            let file = input.manifest.policy_path(policy);
            let Some(text) = input.files.get(&file) else {
                let attaches = |name: &str| {
                    let mut profiles = input.manifest.profiles.iter();
                    let own = |(policy, _): &(String, _)| policy == name;
                    profiles.find(|(_, profile)| profile.attach.iter().flatten().any(own))
                };
                return Err(CheckError::NoFile {
                    profile: attaches(name).map(|(profile, _)| profile.clone()),
                    policy: name.clone(),
                    file,
                    place: input.manifest.place(policy.pos),
                });
            };
            bytes += text.len();
            if bytes > POLICY_BYTES {
                return Err(CheckError::TooLarge {
                    bytes,
                    place: input.manifest.place(policy.pos),
                });
            }
            let parsed = Policy::parse(name, &file, text);
            let parsed = match &policy.namespace {
                Some(namespace) => parsed.map(|parsed| parsed.in_namespace(namespace)),
                None => parsed,
            };
            read.insert(name.clone(), parsed);
        }
        Ok(Self { read })
    }

    /// The policy `name`, or why it can't be read.
    pub(super) fn get(&self, name: &str) -> Option<&Result<Policy, PolicyError>> {
        self.read.get(name)
    }

    /// The policies without errors.
    pub(super) fn all(&self) -> impl Iterator<Item = &Policy> {
        self.read.values().filter_map(|policy| policy.as_ref().ok())
    }

    /// Reports secrets in the texts, and errors for which every server of the manifest rejects them.
    /// Errors of some servers only are reported with the profile that attaches the policy.
    pub(super) fn findings(&self, input: &Input<'_>, profiles: &[ResolvedProfile]) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut seen = BTreeSet::new();
        for (name, policy) in &input.manifest.policies {
            let file = input.manifest.policy_path(policy);
            if let Some(text) = input.files.get(&file).filter(|_| !seen.contains(&file)) {
                let exposed = secret_scan::secrets_in_file(&file, text).into_iter();
                findings.extend(exposed.map(|finding| finding.about_policy(name)));
                seen.insert(file);
            }
        }
        let attached: BTreeSet<&str> = profiles
            .iter()
            .flat_map(|profile| profile.attach.iter().map(|(name, _)| name.as_str()))
            .collect();
        for (name, policy) in &self.read {
            match policy {
                Err(error) => {
                    let text = input.files.get(&error.place.file).map_or("", String::as_str);
                    findings.extend(parse_error_findings(name, &error.place.file, text, error));
                }
                Ok(policy) if !attached.contains(name.as_str()) => {
                    findings.extend(rejections(policy, input.now));
                }
                Ok(policy) => {
                    let everybody = rejections(policy, input.now).into_iter();
                    findings.extend(everybody.filter(|finding| finding.code != "dialect-specific"));
                }
            }
        }
        findings
    }
}
