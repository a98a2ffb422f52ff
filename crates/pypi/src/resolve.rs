//! Resolves the requirements of one platform with uv's resolver.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use envlock_channel::UnavailableFile;
use envlock_model::wheel::LockedWheel;
use url::Url;
use uv_cache::Cache;
use uv_client::{
    AuthIntegration, BaseClientBuilder, Connectivity, ExtraMiddleware, RegistryClient,
    RegistryClientBuilder,
};
use uv_configuration::{BuildOptions, Concurrency, Constraints, IndexStrategy, NoBinary, NoBuild};
use uv_distribution::DistributionDatabase;
use uv_distribution_types::{
    ExcludeNewerValue, Index, IndexLocations, IndexUrl, Requirement, RequiresPython, Resolution,
};
use uv_normalize::PackageName;
use uv_pep440::Version;
use uv_pep508::{Requirement as Pep508, VerbatimUrl};
use uv_preview::Preview;
use uv_pypi_types::{Conflicts, ResolverMarkerEnvironment, VerbatimParsedUrl};
use uv_resolver::{
    AllowedYanks, DefaultResolverProvider, ExcludeNewer, Exclusions, FlatIndex, InMemoryIndex,
    Manifest, OptionsBuilder, Preference, Preferences, Prerelease, PrereleaseMode,
    PythonRequirement, Resolver, ResolverEnvironment,
};
use uv_types::HashStrategy;

use crate::conda_set::{CondaSet, installed};
use crate::error::{ResolveError, UnknownPackage};
use crate::locked::locked_wheels;
use crate::near::near_names;
use crate::no_builds::NoBuilds;
use crate::provider::BesideConda;
use crate::target::Target;
use crate::transport::ChannelTransport;
use crate::{IndexSources, PipRequirement};

/// The time limits of uv's client. They have no effect, because our transport has its own.
const UNUSED_TIMEOUT: Duration = Duration::from_secs(30);

/// What is resolved for one platform.
#[derive(Debug)]
pub struct Problem<'a> {
    /// The platform and its Python.
    pub target: &'a Target,
    /// The conda packages of the platform.
    pub conda: &'a CondaSet,
    /// The requirements of the pip section.
    pub requirements: &'a [PipRequirement],
    /// Further limits on the versions.
    pub constraints: &'a [PipRequirement],
    /// The packages of the existing lock, whose versions are kept if possible.
    pub locked: &'a [LockedWheel],
}

/// The indexes and the cache of a run.
pub struct Resolving {
    client: RegistryClient,
    cache: Cache,
    locations: IndexLocations,
    sources: IndexSources,
    transport: Arc<ChannelTransport>,
    channel_client: Arc<envlock_channel::Client>,
}

impl Resolving {
    /// Prepares to resolve. The cache is created in `folder`.
    pub async fn new(
        client: Arc<envlock_channel::Client>,
        folder: &Path,
        sources: IndexSources,
    ) -> Result<Self, ResolveError> {
        // The first use would panic without it. A second call changes nothing.
        let _ = uv_preview::set(Preview::default());
        let cache = Cache::from_path(folder)
            .init()
            .await
            .map_err(|error| ResolveError::Cache(error.to_string()))?;
        let index = |url: &Url| IndexUrl::from(VerbatimUrl::from_url(url.clone().into()));
        let extra = sources.extra_indexes.iter().map(|url| Index::from_extra_index_url(index(url)));
        let first = sources.index.iter().map(|url| Index::from_index_url(index(url)));
        let locations =
            IndexLocations::new(extra.chain(first).collect(), Vec::new(), sources.no_index);
        let transport = Arc::new(ChannelTransport::new(Arc::clone(&client)));
        let middleware = ExtraMiddleware(vec![Arc::clone(&transport) as _]);
        // Offline, pages of any age in the cache are used, and the transport isn't.
        let is_offline = client.is_offline();
        let connectivity = if is_offline { Connectivity::Offline } else { Connectivity::Online };
        let base = BaseClientBuilder::new(
            connectivity,
            true,
            Vec::new(),
            Preview::default(),
            UNUSED_TIMEOUT,
            UNUSED_TIMEOUT,
            0,
        )
        .custom_client(reqwest::Client::new())
        .auth_integration(AuthIntegration::NoAuthMiddleware)
        .extra_middleware(middleware);
        let channel_client = client;
        let client = RegistryClientBuilder::new(base, cache.clone())
            .index_locations(locations.clone())
            .index_strategy(IndexStrategy::FirstIndex)
            .build()
            .map_err(|error| ResolveError::Internal(error.to_string()))?;
        Ok(Self { client, cache, locations, sources, transport, channel_client })
    }

    /// Resolves the requirements of one platform. The result is sorted by name.
    pub async fn resolve(&self, problem: &Problem<'_>) -> Result<Vec<LockedWheel>, ResolveError> {
        let target = problem.target;
        let wanted = named(problem.requirements)?;
        let requirements = wanted.iter().map(|one| one.parsed.clone()).collect();
        let constraints = Constraints::from_requirements(
            named(problem.constraints)?.into_iter().map(|one| one.parsed),
        );
        let environment =
            ResolverEnvironment::specific(ResolverMarkerEnvironment::from(target.markers.clone()));
        let requires_python = RequiresPython::greater_than_equal_version(
            &target.markers.python_full_version().version,
        );
        let python =
            PythonRequirement::from_marker_environment(&target.markers, requires_python.clone());
        let preferences =
            Preferences::from_iter(problem.locked.iter().filter_map(preference), &environment);
        let manifest = Manifest::new(
            requirements,
            constraints,
            uv_configuration::Overrides::default(),
            uv_configuration::Excludes::default(),
            preferences,
            None,
            BTreeSet::default(),
            Exclusions::default(),
            Vec::new(),
        );
        let build_options = BuildOptions::new(NoBinary::None, NoBuild::All);
        let exclude_newer = ExcludeNewer {
            global: self.sources.exclude_newer.map(ExcludeNewerValue::Absolute),
            ..ExcludeNewer::default()
        };
        let global = if self.sources.prereleases {
            PrereleaseMode::Allow
        } else {
            PrereleaseMode::default()
        };
        let allowed = self.sources.prereleases_of.iter();
        let package = allowed.filter_map(|name| format!("{name}=allow").parse().ok()).collect();
        let options = OptionsBuilder::new()
            .build_options(build_options.clone())
            .exclude_newer(exclude_newer.clone())
            .index_strategy(IndexStrategy::FirstIndex)
            .prerelease(Prerelease { global, package })
            .build();
        let context =
            NoBuilds::new(self.cache.clone(), self.locations.clone(), build_options.clone());
        let hashes = HashStrategy::None;
        let (flat_index, in_memory) = (FlatIndex::default(), InMemoryIndex::default());
        let (unknown, not_cached) = (Mutex::default(), Mutex::default());
        let downloads = Concurrency::default().downloads_semaphore.clone();
        let provider = BesideConda {
            indexes: DefaultResolverProvider::new(
                DistributionDatabase::new(&self.client, &context, downloads),
                &flat_index,
                Some(&target.tags),
                &requires_python,
                AllowedYanks::from_manifest(&manifest, &environment, options.dependency_mode),
                &hashes,
                exclude_newer,
                &self.locations,
                &build_options,
                uv_types::BuildContext::capabilities(&context),
            ),
            conda: problem.conda.clone(),
            unknown: &unknown,
            not_cached: &not_cached,
        };
        let resolver = Resolver::new_custom_io(
            manifest,
            options,
            &hashes,
            environment,
            &target.markers,
            Some(target.tags.clone()),
            &python,
            Conflicts::empty(),
            &in_memory,
            uv_types::BuildContext::git(&context),
            uv_types::BuildContext::capabilities(&context),
            &self.locations,
            provider,
            problem.conda.clone(),
        );
        match resolver.resolve().await {
            Ok(output) => {
                let sources = self.channel_client.configured_sources();
                locked_wheels(&Resolution::from(output), &in_memory, |url| sources.origin_of(url))
            }
            Err(error) => {
                let mut unavailable = self.transport.take_unavailable();
                let not_cached = not_cached.into_inner().unwrap_or_else(PoisonError::into_inner);
                unavailable.extend(not_cached.iter().map(not_in_cache));
                if !unavailable.is_empty() {
                    return Err(ResolveError::Unavailable(unavailable));
                }
                let missing = unknown.into_inner().unwrap_or_else(PoisonError::into_inner);
                let unknown = self.unknown_packages(missing, &wanted, problem.conda).await;
                Err(ResolveError::new(&error, problem.conda, &wanted, unknown))
            }
        }
    }

    /// Describes the packages that no index has.
    async fn unknown_packages(
        &self,
        names: BTreeSet<PackageName>,
        requirements: &[NamedRequirement<'_>],
        conda: &CondaSet,
    ) -> Vec<UnknownPackage> {
        let mut unknown = Vec::new();
        for name in names {
            let line = requirements.iter().find(|one| one.parsed.name == name);
            let line =
                line.map(|one| (one.requirement.text.clone(), one.requirement.place.clone()));
            let near = near_names(&name, &self.client, conda).await;
            unknown.push(UnknownPackage { name: name.to_string(), line, near });
        }
        unknown
    }
}

/// Returns the error of a page that isn't in the cache, offline.
fn not_in_cache(name: &PackageName) -> UnavailableFile {
    UnavailableFile { url: format!("the index page of {name}"), attempts: None }
}

/// A requirement of a pip section, parsed.
pub(crate) struct NamedRequirement<'a> {
    pub(crate) requirement: &'a PipRequirement,
    pub(crate) parsed: Requirement,
}

fn named<'a>(
    requirements: &'a [PipRequirement],
) -> Result<Vec<NamedRequirement<'a>>, ResolveError> {
    let parse = |requirement: &'a PipRequirement| {
        let PipRequirement { text, place } = requirement;
        let parsed = Pep508::<VerbatimParsedUrl>::from_str(text).map_err(|error| {
            ResolveError::Requirement { place: place.clone(), reason: error.message.to_string() }
        })?;
        Ok(NamedRequirement { requirement, parsed: Requirement::from(parsed) })
    };
    requirements.iter().map(parse).collect()
}

/// Returns the preference for the version of a locked package.
fn preference(package: &LockedWheel) -> Option<Preference> {
    let name = PackageName::from_str(package.name()).ok()?;
    let version = Version::from_str(&package.version()).ok()?;
    Preference::from_installed(&installed(name, version))
}
