//! What uv's resolver is told of each package: of a conda package its version alone, of any other
//! what the indexes say.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use uv_distribution::{ArchiveMetadata, Reporter};
use uv_distribution_types::{Dist, IndexMetadata, InstalledDist, Name as _};
use uv_normalize::PackageName;
use uv_pypi_types::ResolutionMetadata;
use uv_resolver::{
    DefaultResolverProvider, MetadataResponse, PackageVersionsResult, ResolverProvider,
    VersionsResponse, WheelMetadataResult,
};
use uv_types::BuildContext;

use crate::conda_set::CondaSet;

/// The provider of a resolution beside a conda set.
pub(crate) struct BesideConda<'a, C: BuildContext> {
    pub(crate) indexes: DefaultResolverProvider<'a, C>,
    pub(crate) conda: CondaSet,
    /// Receives the names of the packages that no index has.
    pub(crate) unknown: &'a Mutex<BTreeSet<PackageName>>,
    /// Receives the names of the packages whose pages aren't in the cache, offline.
    pub(crate) not_cached: &'a Mutex<BTreeSet<PackageName>>,
}

impl<C: BuildContext> ResolverProvider for BesideConda<'_, C> {
    async fn get_package_versions<'io>(
        &'io self,
        name: &'io PackageName,
        index: Option<&'io IndexMetadata>,
    ) -> PackageVersionsResult {
        if self.conda.contains(name) {
            // No version of an index, so that the package is never installed twice.
            return Ok(VersionsResponse::Found(Vec::new()));
        }
        let versions = self.indexes.get_package_versions(name, index).await;
        let missing = match versions {
            Ok(VersionsResponse::NotFound) => Some(self.unknown),
            Ok(VersionsResponse::Offline) => Some(self.not_cached),
            _ => None,
        };
        if let Some(names) = missing {
            names.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        }
        versions
    }

    async fn get_or_build_wheel_metadata<'io>(&'io self, dist: &'io Dist) -> WheelMetadataResult {
        self.indexes.get_or_build_wheel_metadata(dist).await
    }

    async fn get_installed_metadata<'io>(
        &'io self,
        dist: &'io InstalledDist,
    ) -> WheelMetadataResult {
        // The requirements of a conda package are conda packages: conda has solved them.
        Ok(MetadataResponse::Found(ArchiveMetadata::from_metadata23(ResolutionMetadata {
            name: dist.name().clone(),
            version: dist.version().clone(),
            requires_dist: Box::default(),
            requires_python: None,
            provides_extra: Box::default(),
            dynamic: false,
        })))
    }

    fn with_reporter(self, reporter: Arc<dyn Reporter>) -> Self {
        Self { indexes: self.indexes.with_reporter(reporter), ..self }
    }
}
