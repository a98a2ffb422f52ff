//! Which packages a lock may have: `pinned_packages` and `disallowed_packages` of `.condarc`.
//!
//! conda gives both to its solver. A lock must not depend on a machine's configuration, so a
//! package against them is an error here, and environment.yml decides what is solved instead.

use std::fmt;

use envlock_config::{Configuration, Configured, Key, ValueSource, key};
use envlock_model::{lock::Lock, lock_inputs::RequestedSpec, spec::parse_spec};
use envlock_report::{AsFindings, Code, Exit, Finding, Place};

/// Why a lock can't be used with the configured lists of packages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackageRestrictionError {
    /// An entry isn't a match spec.
    #[error("`{spec}` of `{key}` isn't the match spec of a package")]
    Spec {
        /// The entry.
        spec: String,
        /// The key of its list.
        key: &'static str,
        /// Where it is configured.
        by: ValueSource,
    },
    /// The lock has packages that an entry excludes.
    #[error("{}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Refused(Vec<RefusedPackage>),
}

/// A package that an entry excludes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedPackage {
    /// The name of the package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether the entry is a pin, which the package doesn't meet, or forbids the package.
    pub is_pin: bool,
    /// The entry.
    pub spec: String,
    /// Where it is configured.
    pub by: ValueSource,
}

impl fmt::Display for RefusedPackage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, version, is_pin, spec, by } = self;
        match is_pin {
            true => write!(f, "{name} {version} doesn't meet the pin `{spec}` of {by}"),
            false => write!(f, "{name} {version} is disallowed by `{spec}` of {by}"),
        }
    }
}

impl AsFindings for PackageRestrictionError {
    fn findings(&self) -> Vec<Finding> {
        let at = |finding: Finding, by: &ValueSource| match by.place() {
            Some(place) => finding.at(place.clone()),
            None => finding.with_note(format!("set by {by}")),
        };
        match self {
            Self::Spec { by, .. } => {
                let finding = Finding::new(Code::ConfigurationValueInvalid, self.to_string())
                    .with_help("write it like `python=3.10`, or remove it");
                vec![at(finding, by)]
            }
            Self::Refused(packages) => packages
                .iter()
                .map(|package| {
                    let help = if package.is_pin {
                        format!(
                            "add `- {}` to the dependencies of environment.yml, or remove the pin",
                            package.spec
                        )
                    } else {
                        format!(
                            "exclude it in environment.yml, as in `- {}!={}`, or remove the entry",
                            package.name, package.version
                        )
                    };
                    let finding = Finding::new(Code::PackageForbidden, package.to_string());
                    at(finding.with_help(help), &package.by)
                })
                .collect(),
        }
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// Checks a new lock against both lists.
pub(crate) fn check_new_lock(
    lock: &Lock,
    configuration: &Configuration,
) -> Result<(), PackageRestrictionError> {
    let mut refused = against(lock, configuration, &key::PINNED_PACKAGES)?;
    refused.extend(against(lock, configuration, &key::DISALLOWED_PACKAGES)?);
    if refused.is_empty() { Ok(()) } else { Err(PackageRestrictionError::Refused(refused)) }
}

/// Checks an existing lock against `disallowed_packages`. As in conda, pins concern a solve only.
pub(crate) fn check_existing_lock(
    lock: &Lock,
    configuration: &Configuration,
) -> Result<(), PackageRestrictionError> {
    let refused = against(lock, configuration, &key::DISALLOWED_PACKAGES)?;
    if refused.is_empty() { Ok(()) } else { Err(PackageRestrictionError::Refused(refused)) }
}

fn against(
    lock: &Lock,
    configuration: &Configuration,
    key: &Key,
) -> Result<Vec<RefusedPackage>, PackageRestrictionError> {
    let is_pin = *key == key::PINNED_PACKAGES;
    let mut refused: Vec<RefusedPackage> = Vec::new();
    for set in configuration.list(key) {
        let spec = parse(key, set)?;
        for record in lock.platforms.values().flat_map(|locked| &locked.records) {
            let package = &record.package_record;
            let is_named = spec.package() == package.name.as_normalized();
            if !is_named || spec.matches(record, &lock.channels) == is_pin {
                continue;
            }
            let found = RefusedPackage {
                name: package.name.as_normalized().to_owned(),
                version: package.version.to_string(),
                is_pin,
                spec: set.value.clone(),
                by: set.set_by.clone(),
            };
            if !refused.contains(&found) {
                refused.push(found);
            }
        }
    }
    Ok(refused)
}

fn parse(key: &Key, set: &Configured<String>) -> Result<RequestedSpec, PackageRestrictionError> {
    let place = set.set_by.place().cloned().unwrap_or_else(|| Place::new(key.name, 1, 1));
    parse_spec(&set.value, place).ok_or_else(|| PackageRestrictionError::Spec {
        spec: set.value.clone(),
        key: key.name,
        by: set.set_by.clone(),
    })
}
