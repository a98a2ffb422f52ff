//! Writes a lock as text.

use std::collections::BTreeMap;

use envlock_text::redact::{self, url_needs_redaction};
use rattler_lock::{CondaPackageData, LockFileBuilder, PlatformData, PlatformName, SolveOptions};
use url::Url;

use super::{Lock, VERSION, blocks, line_separators};
use crate::lock_inputs::Priority;
use crate::record::{self, MalformedRecord};

/// Why a lock isn't written. The cause is an index or envlock itself, never the user's file.
#[derive(Debug, thiserror::Error)]
pub enum LockWriteError {
    /// A URL has something that could be a credential.
    #[error("{what} has a credential or a query in its URL, which must not be in a lock")]
    Credential {
        /// The package, channel, line or variable, without the URL.
        what: String,
    },
    /// A record has no sha256.
    #[error("{package} has no sha256 in its channel's index")]
    NoSha256 {
        /// The file name of the package.
        package: String,
    },
    /// The index has a malformed record.
    #[error("the record of {package} is malformed: {fault}")]
    Malformed {
        /// The name of the archive.
        package: String,
        /// What is wrong with it.
        fault: MalformedRecord,
    },
    /// The library rejected the content.
    #[error("the lock can't be written: {0}")]
    Library(String),
}

/// Writes the lock as text. The same lock gives the same bytes.
pub fn write(lock: &Lock) -> Result<String, LockWriteError> {
    check_writable(lock)?;
    let render = |error: &dyn std::fmt::Display| LockWriteError::Library(error.to_string());

    let mut builder = LockFileBuilder::new();
    for (platform, locked) in &lock.platforms {
        builder = builder
            .add_platform(PlatformData {
                name: PlatformName::try_from(platform.as_str()).map_err(|e| render(&e))?,
                subdir: *platform,
                virtual_packages: locked.virtual_packages.iter().map(ToString::to_string).collect(),
            })
            .map_err(|e| render(&e))?;
    }
    builder.set_options("default", options(lock.priority).map_err(|e| render(&e))?);
    builder.set_channels("default", lock.channel_urls().map(Url::as_str));
    for (platform, locked) in &lock.platforms {
        builder.add_environment_platform("default", platform.as_str()).map_err(|e| render(&e))?;
        for record in &locked.records {
            builder
                .add_conda_package(
                    "default",
                    platform.as_str(),
                    CondaPackageData::from(record.clone()),
                )
                .map_err(|e| render(&e))?;
        }
        for wheel in locked.wheels.iter().flatten() {
            let package = wheel.to_lock().map_err(|e| render(&e))?;
            builder
                .add_pypi_package("default", platform.as_str(), package.into())
                .map_err(|e| render(&e))?;
        }
    }
    let mut text = builder.finish().render_to_string().map_err(|e| render(&e))?;
    text.push_str(&line_separators::to_yaml(&blocks_of(lock)).map_err(|e| render(&e))?);
    Ok(text)
}

/// Creates the body's options with the channel priority. They are parsed from YAML, because the
/// field's type is private to the library. Its values have the same names as ours.
fn options(priority: Priority) -> Result<SolveOptions, serde_yaml::Error> {
    let options = [("channel-priority".to_owned(), priority.as_str())];
    serde_yaml::from_value(serde_yaml::to_value(BTreeMap::from(options))?)
}

fn blocks_of(lock: &Lock) -> blocks::Document {
    let channels = lock
        .channels
        .iter()
        .map(|channel| blocks::Channel {
            name: channel.name.clone(),
            urls: channel.urls.clone(),
            multi: channel.multi,
            only_for_specs: channel.only_for_specs,
        })
        .collect();
    let platforms = lock
        .platforms
        .iter()
        .map(|(platform, locked)| {
            let block = blocks::Platform {
                specs: locked.specs.clone(),
                pip: locked.pip.clone(),
                pip_resolved: (!locked.pip.is_empty() && locked.wheels.is_none()).then_some(false),
            };
            (platform.to_string(), block)
        })
        .collect();
    blocks::Document {
        envlock: blocks::Envlock {
            version: VERSION,
            name: lock.name.clone(),
            requested: blocks::Requested {
                channel_priority: lock.priority,
                exclude_newer: lock.exclude_newer,
                channels,
                platforms,
            },
            variables: lock.variables.clone(),
            other_archives: lock.other_archives.clone(),
        },
        secrets: lock.needs.clone(),
    }
}

fn check_writable(lock: &Lock) -> Result<(), LockWriteError> {
    for channel in &lock.channels {
        if channel.urls.iter().any(has_credential) {
            return Err(LockWriteError::Credential { what: format!("channel {}", channel.name) });
        }
    }
    for line in lock.platforms.values().flat_map(|locked| &locked.pip) {
        if redact::holds_credential(&line.text) {
            return Err(LockWriteError::Credential { what: format!("pip's line `{line}`") });
        }
    }
    for (name, value) in &lock.variables {
        if redact::holds_credential(value) {
            return Err(LockWriteError::Credential { what: format!("variable {name}") });
        }
    }
    for record in lock.platforms.values().flat_map(|locked| &locked.records) {
        let package = record.identifier.to_string();
        let channel = record.channel.as_deref().and_then(|channel| Url::parse(channel).ok());
        if has_credential(&record.url) || channel.as_ref().is_some_and(has_credential) {
            return Err(LockWriteError::Credential { what: format!("package {package}") });
        }
        if record.package_record.sha256.is_none() {
            return Err(LockWriteError::NoSha256 { package });
        }
        if let Err(fault) = record::check(record) {
            return Err(LockWriteError::Malformed { package, fault });
        }
    }
    Ok(())
}

/// Whether a URL has a user, a `/t/<token>/` or a query.
pub(super) fn has_credential(url: &Url) -> bool {
    url.query().is_some() || url_needs_redaction(url.as_str())
}
