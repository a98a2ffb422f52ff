//! Resolves environment.yml, the flags and the existing lock to the inputs of a lock.
//!
//! Pure: credentials and mirrors are returned, and the caller registers them with the client.

mod channels;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, path::Path};

use envlock_channel::{ChannelSetting, Client, Sources};
use envlock_config::{Configuration, Configured, key};
use envlock_model::{
    channel::{ChannelConfig, ChannelError},
    lock::Lock,
    lock_inputs::{LockInputs, PlatformInputs, Priority, RequestedChannel, RequestedSpec},
    spec::{Dependency, Environment},
    virtual_packages::{self, VirtualPackageSetting},
};
use envlock_report::{AsFindings, Code, Exit, Finding, Place};
use envlock_text::redact::redact_url;
use rattler_conda_types::{GenericVirtualPackage, Subdir};
use url::Url;

use self::channels::ChannelResolver;
pub(crate) use self::channels::ChannelUrls;
use crate::{
    Context, Project,
    allowed_channels::{Refusal, anaconda_terms},
    package_restrictions::PackageRestrictionError,
};

/// What the command line sets in addition to environment.yml.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--platform`; empty when none is given.
    pub platforms: Vec<Subdir>,
    /// `--virtual-package` and `CONDA_OVERRIDE_*`, the flags last.
    pub virtual_packages: Vec<VirtualPackageSetting>,
    /// `--channel-priority`.
    pub priority: Option<Priority>,
    /// `--exclude-newer`.
    pub exclude_newer: Option<ExcludeNewer>,
}

/// The value of `--exclude-newer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExcludeNewer {
    /// No record is excluded for its age.
    Never,
    /// Records newer than this, or of unknown age, are excluded.
    After(jiff::Timestamp),
}

/// Why the inputs of a lock can't be resolved.
#[derive(Debug, thiserror::Error)]
pub enum InputsError {
    /// A channel's name or address is invalid.
    #[error("{error}")]
    Channel {
        /// What is wrong.
        error: Box<ChannelError>,
        /// Where it is written; `None` for the built-in `defaults`.
        place: Option<Place>,
    },
    /// A channel that may not be used.
    #[error("the channel {channel} is {}", .refusal.reason)]
    Refused {
        /// The channel.
        channel: String,
        /// Why, and where that is configured.
        refusal: Box<Refusal>,
        /// Where it is written.
        place: Option<Place>,
    },
    /// Packages that the configuration excludes.
    #[error(transparent)]
    Packages(#[from] PackageRestrictionError),
    /// There is no channel to search.
    #[error("there is no channel: `channels` lists only `nodefaults`")]
    NoChannel {
        /// environment.yml.
        place: Place,
    },
}

impl AsFindings for InputsError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Channel { error, place } => {
                let mut findings = error.findings();
                for finding in &mut findings {
                    match (&finding.place, place) {
                        (None, _) => finding.place.clone_from(place),
                        // An entry of the configuration, and the channel that uses it.
                        (Some(_), Some(place)) => {
                            let message = "the channel is requested here";
                            *finding = finding.clone().with_related(place.clone(), message);
                        }
                        (Some(_), None) => {}
                    }
                }
                findings
            }
            Self::Refused { refusal, place, .. } => {
                let finding = Finding::new(Code::ChannelForbidden, self.to_string())
                    .with_note(format!("{} forbids it", refusal.configured_in))
                    .with_help("use another one, such as `channels: [conda-forge]`");
                vec![match place {
                    Some(place) => finding.at(place.clone()),
                    None => finding,
                }]
            }
            Self::Packages(error) => error.findings(),
            Self::NoChannel { place } => vec![
                Finding::new(Code::NoChannel, self.to_string())
                    .at(place.clone())
                    .with_help("list one, such as `channels: [conda-forge]`"),
            ],
        }
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// The inputs of the resolution, in addition to environment.yml, the lock and the flags.
#[derive(Clone, Copy)]
pub(crate) struct ResolutionInputs<'a> {
    /// The base folder of relative channel paths.
    pub(crate) folder: &'a Path,
    pub(crate) configuration: &'a Configuration,
    pub(crate) channel_config: &'a ChannelConfig,
    pub(crate) variables: &'a BTreeMap<String, String>,
    /// The configured mirrors.
    pub(crate) sources: &'a Sources,
    /// This machine's platform.
    pub(crate) host: Subdir,
    /// This machine's virtual packages.
    pub(crate) host_packages: &'a [GenericVirtualPackage],
}

impl<'a> ResolutionInputs<'a> {
    pub(crate) fn new(project: &'a Project, context: &Context<'a>) -> Self {
        Self {
            folder: project.folder(),
            configuration: project.configuration(),
            channel_config: context.channel_config,
            variables: context.variables,
            sources: context.client.configured_sources(),
            host: context.host,
            host_packages: context.host_packages,
        }
    }
}

/// The result of the resolution: findings, and the inputs or an error.
pub(crate) struct Resolution {
    /// The findings, also on failure.
    pub(crate) findings: Vec<Finding>,
    /// The inputs, or why they can't be resolved.
    pub(crate) inputs: Result<ResolvedInputs, InputsError>,
}

/// The inputs of a lock, with the credentials and mirrors that the client needs for its channels.
#[derive(Debug)]
pub(crate) struct ResolvedInputs {
    pub(crate) inputs: LockInputs,
    /// Where each channel is written first, by its URL.
    pub(crate) places: BTreeMap<Url, Place>,
    /// The settings that decide the URLs of the channels' names.
    pub(crate) settings: BTreeMap<Url, ChannelSetting>,
    /// Credentials and mirrors that are written in channel URLs.
    pub(crate) channel_urls: ChannelUrls,
}

impl Resolution {
    /// Registers the credentials and mirrors with the client, and adds the findings to `findings`.
    pub(crate) fn apply(
        self,
        client: &Client,
        findings: &mut Vec<Finding>,
    ) -> Result<ResolvedInputs, InputsError> {
        findings.extend(self.findings);
        let resolved = self.inputs?;
        resolved.channel_urls.register(client);
        Ok(resolved)
    }
}

/// Resolves environment.yml, the flags and the existing lock to the inputs of a lock.
pub(crate) fn resolve_inputs(
    environment: &Environment,
    overrides: &Overrides,
    existing: Option<&Lock>,
    inputs: ResolutionInputs<'_>,
) -> Resolution {
    let mut findings = environment.warnings.clone();
    let inputs = try_resolve(environment, overrides, existing, inputs, &mut findings);
    Resolution { findings, inputs }
}

fn try_resolve(
    environment: &Environment,
    overrides: &Overrides,
    existing: Option<&Lock>,
    inputs: ResolutionInputs<'_>,
    findings: &mut Vec<Finding>,
) -> Result<ResolvedInputs, InputsError> {
    let platforms = platforms(environment, overrides, existing, inputs.host);
    let mut channels = ChannelResolver::new(inputs)?;
    let listed = listed_channels(environment, inputs.configuration)?;
    findings.extend(listed.finding);
    for (written, place) in &listed.channels {
        for platform in platforms.keys() {
            channels.add(written, place.as_ref(), *platform, false)?;
        }
    }
    let mut platform_inputs = BTreeMap::new();
    for (platform, place) in platforms {
        let requests = environment
            .dependencies_for(platform)
            .map(|request| requested_spec(request, platform, &mut channels))
            .collect::<Result<Vec<_>, _>>()?;
        let pip = environment.pip_for(platform);
        let virtual_packages =
            virtual_packages_for(platform, overrides, existing, inputs.host_packages);
        platform_inputs.insert(platform, PlatformInputs { place, requests, pip, virtual_packages });
    }
    findings.append(&mut channels.findings);
    findings.extend(terms_unless_reported(&channels.list, findings));
    let inputs = LockInputs {
        name: name(environment, inputs.folder),
        channels: channels.list,
        platforms: platform_inputs,
        variables: environment.variables.clone(),
        // A value of the existing lock is kept unless it is set again, as with platforms.
        priority: overrides
            .priority
            .or_else(|| existing.map(|lock| lock.priority))
            .unwrap_or_default(),
        exclude_newer: match overrides.exclude_newer {
            Some(ExcludeNewer::Never) => None,
            Some(ExcludeNewer::After(time)) => Some(time),
            None => existing.and_then(|lock| lock.exclude_newer),
        },
    };
    let ChannelResolver { places, settings, channel_urls, .. } = channels;
    Ok(ResolvedInputs { inputs, places, settings, channel_urls })
}

/// Returns the credentials and mirrors of the channels of environment.yml, the configuration and
/// the lock, for a command that doesn't compare the lock with environment.yml. Channels that can't
/// be resolved are skipped.
pub(crate) fn channel_urls(
    environment: Option<&Environment>,
    lock: &Lock,
    inputs: ResolutionInputs<'_>,
) -> ChannelUrls {
    let mut channels = ChannelResolver::unrestricted(inputs);
    channels.resolve_policy();
    if let Some(environment) = environment {
        resolve_written(&mut channels, environment, lock);
    }
    for url in lock.channels.iter().flat_map(|channel| &channel.urls) {
        channels.add_configured_credentials(url);
    }
    channels.channel_urls
}

/// Resolves every channel of environment.yml for its credentials and mirrors.
fn resolve_written(channels: &mut ChannelResolver<'_>, environment: &Environment, lock: &Lock) {
    let inputs = channels.inputs;
    let listed = listed_channels(environment, inputs.configuration);
    let listed = listed.map_or_else(|_| Vec::new(), |listed| listed.channels);
    let overrides = Overrides::default();
    for platform in platforms(environment, &overrides, Some(lock), inputs.host).into_keys() {
        for (written, place) in &listed {
            let _ = channels.resolve(written, place.as_ref(), platform);
        }
        for request in environment.dependencies_for(platform) {
            if let Some(written) = &request.channel {
                let _ = channels.resolve(written, Some(&request.place), platform);
            }
        }
    }
}

/// The result for a lock whose channels may be used.
pub(crate) struct CheckedChannels {
    pub(crate) findings: Option<Finding>,
    pub(crate) channel_urls: ChannelUrls,
}

/// Refuses a lock that uses a forbidden channel. `earlier` are the findings of the run so far.
pub(crate) fn check_channels(
    lock: &Lock,
    inputs: ResolutionInputs<'_>,
    earlier: &[Finding],
) -> Result<CheckedChannels, InputsError> {
    let mut channels = ChannelResolver::new(inputs)?;
    for channel in &lock.channels {
        for url in &channel.urls {
            channels.add_configured_credentials(url);
        }
        if let Some(refusal) = channels.policy.refuses(&channel.urls, inputs.sources) {
            let channel = channel.name.clone();
            let refusal = Box::new(refusal);
            return Err(InputsError::Refused { channel, refusal, place: None });
        }
    }
    let findings = terms_unless_reported(&lock.channels, earlier);
    Ok(CheckedChannels { findings, channel_urls: channels.channel_urls })
}

/// Returns a finding about the terms of these channels, unless `findings` has one already.
fn terms_unless_reported(channels: &[RequestedChannel], findings: &[Finding]) -> Option<Finding> {
    let codes = [Code::ImplicitDefaults, Code::DefaultsTerms];
    if findings.iter().any(|finding| codes.contains(&finding.code)) {
        return None;
    }
    anaconda_terms(channels.iter().flat_map(|channel| &channel.urls))
}

/// Returns the platforms of the command line, else of the file with their places, else of the
/// existing lock, else of this machine.
fn platforms(
    environment: &Environment,
    overrides: &Overrides,
    existing: Option<&Lock>,
    host: Subdir,
) -> BTreeMap<Subdir, Option<Place>> {
    if !overrides.platforms.is_empty() {
        overrides.platforms.iter().map(|platform| (*platform, None)).collect()
    } else if !environment.platforms.is_empty() {
        let listed = environment.platforms.iter();
        listed.map(|platform| (platform.value, Some(platform.place.clone()))).collect()
    } else if let Some(lock) = existing {
        lock.platforms.keys().map(|platform| (*platform, None)).collect()
    } else {
        BTreeMap::from([(host, None)])
    }
}

/// The channels of environment.yml, each with its place.
struct ListedChannels {
    channels: Vec<(String, Option<Place>)>,
    /// The finding that environment.yml lists no channel.
    finding: Option<Finding>,
}

/// Returns the listed channels. Without a list it is that of `.condarc`, else `defaults`, as in
/// conda, with a finding. conda also appends the channels of `.condarc` to an existing list;
/// envlock doesn't, so that a lock is the same on every machine.
fn listed_channels(
    environment: &Environment,
    configuration: &Configuration,
) -> Result<ListedChannels, InputsError> {
    let channels: Vec<_> = environment
        .channels
        .iter()
        .flatten()
        .map(|channel| (channel.value.clone(), Some(channel.place.clone())))
        .collect();
    if !channels.is_empty() {
        return Ok(ListedChannels { channels, finding: None });
    }
    let place = Place::new(environment.file.as_str(), 1, 1);
    if environment.nodefaults {
        return Err(InputsError::NoChannel { place });
    }
    let configured = configuration.list(&key::CHANNELS);
    let channel = |set: &Configured<String>| (set.value.clone(), set.set_by.place().cloned());
    if let Some(first) = configured.first().filter(|first| first.value != "defaults") {
        let message = format!("no channel is listed: those of {} are searched", first.set_by);
        let names: Vec<_> = configured.iter().map(|set| redact_url(&set.value)).collect();
        let finding = Finding::new(Code::ImplicitChannels, message)
            .at(place)
            .with_note("a machine with another configuration would use other channels")
            .with_help(format!("list them: `channels: [{}]`", names.join(", ")));
        let channels = configured.iter().map(channel).collect();
        return Ok(ListedChannels { channels, finding: Some(finding) });
    }
    let finding =
        Finding::new(Code::ImplicitDefaults, "no channel is listed: `defaults` is searched")
            .at(place)
            .with_note("Anaconda's terms of service for it require larger organisations to pay")
            .with_help("say which: `channels: [conda-forge]` or `channels: [defaults]`");
    let others = configured.iter().skip(1).map(channel);
    let channels = [("defaults".to_owned(), None)].into_iter().chain(others).collect();
    Ok(ListedChannels { channels, finding: Some(finding) })
}

fn requested_spec(
    request: &Dependency,
    platform: Subdir,
    channels: &mut ChannelResolver<'_>,
) -> Result<RequestedSpec, InputsError> {
    let channel = match &request.channel {
        Some(written) => Some(channels.add(written, Some(&request.place), platform, true)?),
        None => None,
    };
    Ok(RequestedSpec {
        text: text(request, channel.as_deref()),
        place: request.place.clone(),
        spec: request.spec.clone(),
        conditions: request.conditions.clone(),
        channel,
        subdir: request.subdir,
    })
}

/// Returns the spec with the channel's name instead of what is written, which may be a URL with a
/// credential, or a variable. The result is a match spec again.
fn text(dependency: &Dependency, channel: Option<&str>) -> String {
    let (Some(channel), Some(written)) = (channel, dependency.channel.as_deref()) else {
        return dependency.text.clone();
    };
    // `[channel=conda-forge]` is kept.
    if written == channel && !dependency.text.contains("::") {
        return dependency.text.clone();
    }
    match dependency.subdir {
        Some(subdir) => format!("{channel}/{subdir}::{}", dependency.text_without_channel),
        None => format!("{channel}::{}", dependency.text_without_channel),
    }
}

/// Returns the virtual packages of the command line, else of the existing lock, else the default
/// ones of the platform.
fn virtual_packages_for(
    platform: Subdir,
    overrides: &Overrides,
    existing: Option<&Lock>,
    host_packages: &[GenericVirtualPackage],
) -> Vec<GenericVirtualPackage> {
    let locked = existing.and_then(|lock| lock.platforms.get(&platform));
    let settings = &overrides.virtual_packages;
    let base = settings
        .iter()
        .rev()
        .find_map(|setting| match setting {
            VirtualPackageSetting::Host => Some(host_packages.to_vec()),
            VirtualPackageSetting::Default => Some(virtual_packages::defaults(platform)),
            VirtualPackageSetting::Package(..) => None,
        })
        .or_else(|| locked.map(|locked| locked.virtual_packages.clone()))
        .unwrap_or_else(|| virtual_packages::defaults(platform));
    virtual_packages::apply(base, settings)
}

/// Returns findings about virtual packages that are kept from an earlier run.
pub(crate) fn kept_virtual_packages(
    inputs: &LockInputs,
    overrides: &Overrides,
) -> impl Iterator<Item = Finding> {
    let set: Vec<_> = overrides.virtual_packages.iter().collect();
    let is_set = move |package: &GenericVirtualPackage| {
        set.iter().any(|setting| match setting {
            VirtualPackageSetting::Host | VirtualPackageSetting::Default => true,
            VirtualPackageSetting::Package(name, _) => *name == package.name,
        })
    };
    inputs.platforms.iter().filter_map(move |(platform, inputs)| {
        let kept = |packages: &[GenericVirtualPackage]| -> Vec<_> {
            packages.iter().filter(|package| !is_set(package)).cloned().collect()
        };
        let defaults = virtual_packages::defaults(*platform);
        let other = virtual_packages::describe_differences(
            &kept(&inputs.virtual_packages),
            &kept(&defaults),
        );
        (!other.is_empty()).then(|| {
            let message = format!("{platform} is still assumed to have {}", other.join(", "));
            Finding::new(Code::VirtualPackagesKept, message)
                .with_note("the lock keeps it from an earlier run")
                .with_help("`envlock solve --virtual-package default` restores the defaults")
        })
    })
}

/// Returns the name in environment.yml, else the name of its folder without leading dots.
fn name(environment: &Environment, folder: &Path) -> String {
    if let Some(name) = &environment.name {
        return name.value.clone();
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    match name.trim_start_matches('.') {
        "" => "environment".to_owned(),
        name => name.to_owned(),
    }
}
