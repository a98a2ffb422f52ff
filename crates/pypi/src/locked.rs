//! The packages of a resolution as a lock has them.

use std::str::FromStr as _;

use envlock_model::channel::without_credentials;
use envlock_model::wheel::LockedWheel;
use rattler_digest::{Sha256, parse_digest_from_hex};
use url::Url;
use uv_distribution_types::{
    BuiltDist, Dist, DistributionId, Identifier as _, Name as _, Node, RegistryBuiltWheel,
    Resolution, ResolvedDist,
};
use uv_pypi_types::{HashAlgorithm, VerbatimParsedUrl};
use uv_resolver::{InMemoryIndex, MetadataResponse};

use crate::error::ResolveError;

/// Returns the wheels of a resolution, sorted by name. Conda packages aren't part of it. `origin`
/// maps the URL of a mirror to that of its origin.
pub(crate) fn locked_wheels(
    resolution: &Resolution,
    index: &InMemoryIndex,
    origin: impl Fn(&Url) -> Option<Url>,
) -> Result<Vec<LockedWheel>, ResolveError> {
    let mut wheels = Vec::new();
    for node in resolution.graph().node_weights() {
        let Node::Dist { dist: ResolvedDist::Installable { dist, .. }, .. } = node else {
            continue;
        };
        let Dist::Built(BuiltDist::Registry(built)) = dist.as_ref() else {
            return Err(ResolveError::Internal(format!(
                "{} isn't a wheel of an index",
                dist.name()
            )));
        };
        let wheel = locked(built.best_wheel(), &origin)?;
        wheels.push(with_requirements(wheel, index, &dist.distribution_id()));
    }
    wheels.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(wheels)
}

fn locked(
    wheel: &RegistryBuiltWheel,
    origin: &impl Fn(&Url) -> Option<Url>,
) -> Result<LockedWheel, ResolveError> {
    let file = wheel.filename.to_string();
    let sha256 = wheel.file.hashes.iter().find(|hash| hash.algorithm == HashAlgorithm::Sha256);
    let sha256 = sha256.and_then(|hash| parse_digest_from_hex::<Sha256>(&hash.digest));
    let url = wheel.file.url.to_url().map_err(|error| ResolveError::Internal(error.to_string()))?;
    let url = without_credentials(&url.into());
    let sha256 = sha256.ok_or(ResolveError::NoSha256 { file })?;
    let (name, version) = (wheel.filename.name.to_string(), wheel.filename.version.to_string());
    let url = origin(&url).unwrap_or(url);
    let locked = LockedWheel::new(&name, &version, url, sha256);
    let mut locked = locked.map_err(|fault| ResolveError::Internal(format!("{name}: {fault}")))?;
    locked.index = Some(without_credentials(wheel.index.url()));
    Ok(locked)
}

/// Adds the requirements of the wheel's metadata, which other tools read in a lock.
fn with_requirements(
    mut wheel: LockedWheel,
    index: &InMemoryIndex,
    id: &DistributionId,
) -> LockedWheel {
    let Some(response) = index.distributions().get(id) else { return wheel };
    let MetadataResponse::Found(archive) = response.as_ref() else { return wheel };
    let metadata = &archive.metadata;
    let requirements = metadata.requires_dist.iter().map(|requirement| {
        pep508_rs::Requirement::from_str(
            &uv_pep508::Requirement::<VerbatimParsedUrl>::from(requirement.clone()).to_string(),
        )
    });
    wheel.requires_dist = requirements.filter_map(Result::ok).collect();
    wheel.requires_python = metadata
        .requires_python
        .as_ref()
        .and_then(|versions| pep440_rs::VersionSpecifiers::from_str(&versions.to_string()).ok());
    wheel
}
