//! environment.yml, the flags and the present lock, settled into one question.

use std::{collections::BTreeMap, path::Path};

use envlock_config::{Set, key};
use envlock_model::{
    channel::{self, ChannelError, Resolved},
    lock::Lock,
    question::{Asked, AskedChannel, AskedPip, AskedSpec, Priority, Question},
    spec::{Environment, Request},
    virtual_packages::{self, Setting},
};
use envlock_report::{Code, Exit, Explain, Finding, Place};
use envlock_text::redact;
use rattler_conda_types::{GenericVirtualPackage, Subdir};
use url::Url;

use crate::{
    Ambient,
    policy::{Policy, Refusal, terms},
};

/// What the command line sets beside environment.yml.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--platform`; empty when none is given.
    pub platforms: Vec<Subdir>,
    /// `--virtual-package` and `CONDA_OVERRIDE_*`, the flags last.
    pub virtual_packages: Vec<Setting>,
    /// `--channel-priority`.
    pub priority: Option<Priority>,
    /// `--exclude-newer`: a time, or that none is excluded any more.
    pub exclude_newer: Option<ExcludeNewer>,
}

/// What `--exclude-newer` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExcludeNewer {
    /// Nothing is excluded for its age.
    Never,
    /// What is newer than this, or of unknown age.
    Than(jiff::Timestamp),
}

/// Why there is no question.
#[derive(Debug, thiserror::Error)]
pub enum QuestionError {
    /// A channel that is none.
    #[error("{error}")]
    Channel {
        /// What is wrong.
        error: ChannelError,
        /// Where it is written; none for the built-in `defaults`.
        place: Option<Place>,
    },
    /// A channel that may not be used.
    #[error("the channel {channel} is {}", .refusal.what)]
    Refused {
        /// The channel.
        channel: String,
        /// Why, and who says so.
        refusal: Refusal,
        /// Where it is written.
        place: Option<Place>,
    },
    /// No channel is left.
    #[error("there is no channel to search: `nodefaults` takes the only one away")]
    NoChannel {
        /// environment.yml.
        place: Place,
    },
}

impl Explain for QuestionError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Channel { error, place } => {
                let mut diagnostics = error.findings();
                for diagnostic in &mut diagnostics {
                    if diagnostic.place.is_none() {
                        diagnostic.place.clone_from(place);
                    }
                }
                diagnostics
            }
            Self::Refused { refusal, place, .. } => {
                let diagnostic = Finding::new(Code::ChannelRefused, self.to_string())
                    .with_note(format!("{} says so", refusal.by))
                    .with_help("use another, such as `channels: [conda-forge]`");
                vec![match place {
                    Some(place) => diagnostic.at(place.clone()),
                    None => diagnostic,
                }]
            }
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

/// A question with what goes along with it.
pub(crate) struct Settled {
    pub(crate) question: Question,
    /// Where each channel is asked for first, by its URL.
    pub(crate) places: BTreeMap<Url, Place>,
}

/// Settles what is asked. `folder` is environment.yml's, from the root.
pub(crate) fn settle(
    environment: &Environment,
    folder: &Path,
    overrides: &Overrides,
    present: Option<&Lock>,
    ambient: &Ambient<'_>,
    warnings: &mut Vec<Finding>,
) -> Result<Settled, QuestionError> {
    warnings.extend(environment.warnings.iter().cloned());
    let platforms = platforms(environment, overrides, present, ambient);
    let folder = &std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let mut channels = Channels::new(folder, ambient)?;
    for (written, place) in listed(environment, ambient, warnings)? {
        for platform in &platforms {
            channels.add(&written, place.as_ref(), *platform, false)?;
        }
    }
    let mut asked = BTreeMap::new();
    for platform in platforms {
        let requests = environment
            .requests_for(platform)
            .map(|request| asked_spec(request, platform, &mut channels))
            .collect::<Result<Vec<_>, _>>()?;
        let pip = environment
            .pip_for(platform)
            .map(|line| AskedPip { text: line.text.clone(), place: line.place.clone() })
            .collect();
        let virtual_packages = assumed(platform, overrides, present, ambient);
        asked.insert(platform, Asked { requests, pip, virtual_packages });
    }
    warn_of_terms(&channels.list, warnings);
    let question = Question {
        name: name(environment, folder),
        channels: channels.list,
        platforms: asked,
        variables: environment.variables.clone(),
        // What was once set stays until something else is, as with platforms.
        priority: overrides
            .priority
            .or_else(|| present.map(|lock| lock.priority))
            .unwrap_or_default(),
        exclude_newer: match overrides.exclude_newer {
            Some(ExcludeNewer::Never) => None,
            Some(ExcludeNewer::Than(time)) => Some(time),
            None => present.and_then(|lock| lock.exclude_newer),
        },
    };
    Ok(Settled { question, places: channels.places })
}

/// Refuses a lock with a channel that may not be used; `folder` is where it is.
pub(crate) fn admit(
    lock: &Lock,
    folder: &Path,
    ambient: &Ambient<'_>,
    warnings: &mut Vec<Finding>,
) -> Result<(), QuestionError> {
    let policy = Channels::new(folder, ambient)?.policy;
    for channel in &lock.channels {
        if let Some(refusal) = policy.refuses(&channel.urls) {
            let channel = channel.name.clone();
            return Err(QuestionError::Refused { channel, refusal, place: None });
        }
    }
    warn_of_terms(&lock.channels, warnings);
    Ok(())
}

/// Once a run.
fn warn_of_terms(channels: &[AskedChannel], warnings: &mut Vec<Finding>) {
    let said = [Code::ImplicitDefaults, Code::DefaultsTerms];
    if !warnings.iter().any(|warning| said.contains(&warning.code)) {
        warnings.extend(terms(channels.iter().flat_map(|channel| &channel.urls)));
    }
}

/// The command line's, else the file's, else the present lock's, else this machine's.
fn platforms(
    environment: &Environment,
    overrides: &Overrides,
    present: Option<&Lock>,
    ambient: &Ambient<'_>,
) -> Vec<Subdir> {
    let mut platforms = if !overrides.platforms.is_empty() {
        overrides.platforms.clone()
    } else if !environment.platforms.is_empty() {
        environment.platforms.iter().map(|platform| platform.value).collect()
    } else if let Some(lock) = present {
        lock.platforms.keys().copied().collect()
    } else {
        vec![ambient.host]
    };
    platforms.sort();
    platforms.dedup();
    platforms
}

/// The channels as listed. Without a list it is that of `.condarc`, else `defaults`, as for
/// conda, and that is said. Where there is a list, conda appends `.condarc`'s to it; here it
/// is the whole list, so that a lock is the same on every machine.
fn listed(
    environment: &Environment,
    ambient: &Ambient<'_>,
    warnings: &mut Vec<Finding>,
) -> Result<Vec<(String, Option<Place>)>, QuestionError> {
    let listed: Vec<_> = environment
        .channels
        .iter()
        .flatten()
        .map(|channel| (channel.value.clone(), Some(channel.place.clone())))
        .collect();
    if !listed.is_empty() {
        return Ok(listed);
    }
    let place = Place::new(environment.file.as_str(), 1, 1);
    if environment.nodefaults {
        return Err(QuestionError::NoChannel { place });
    }
    let configured = ambient.configuration.many(&key::CHANNELS);
    if let Some(first) = configured.first().filter(|first| first.value != "defaults") {
        let message = format!("no channel is listed: those of {} are searched", first.by);
        let names: Vec<_> = configured.iter().map(|set| redact(&set.value).into_owned()).collect();
        warnings.push(
            Finding::new(Code::ImplicitChannels, message)
                .at(place)
                .with_note("on a machine that is configured in another way it would be others")
                .with_help(format!("list them: `channels: [{}]`", names.join(", "))),
        );
        let channel = |set: &Set<String>| (set.value.clone(), set.by.place().cloned());
        return Ok(configured.iter().map(channel).collect());
    }
    warnings.push(
        Finding::new(Code::ImplicitDefaults, "no channel is listed: `defaults` is searched")
            .at(place)
            .with_note("it is Anaconda's own channel, and its terms of service ask many to pay")
            .with_help("say which: `channels: [conda-forge]` or `channels: [defaults]`"),
    );
    let others = configured.iter().skip(1).map(|set| (set.value.clone(), set.by.place().cloned()));
    Ok([("defaults".to_owned(), None)].into_iter().chain(others).collect())
}

struct Channels<'a> {
    folder: &'a Path,
    ambient: &'a Ambient<'a>,
    policy: Policy,
    list: Vec<AskedChannel>,
    places: BTreeMap<Url, Place>,
}

impl<'a> Channels<'a> {
    fn new(folder: &'a Path, ambient: &'a Ambient<'a>) -> Result<Self, QuestionError> {
        let (policy, list, places) = (Policy::default(), Vec::new(), BTreeMap::new());
        let mut channels = Self { folder, ambient, policy, list, places };
        channels.policy = Policy::new(ambient.configuration, |written, place| {
            // On Windows a name of several channels has all of its members.
            let resolved = channels.resolve(written, place, Subdir::Win64)?;
            Ok(resolved.into_iter().map(|resolved| resolved.channel.url).collect())
        })?;
        Ok(channels)
    }

    /// The channel at its origin: where it is written as the address of a mirror, that
    /// mirror is asked first, and the origin is what is meant. A credential in the address
    /// goes to the client and no further.
    fn resolve(
        &self,
        written: &str,
        place: Option<&Place>,
        platform: Subdir,
    ) -> Result<Vec<Resolved>, QuestionError> {
        let variable = |name: &str| self.ambient.variables.get(name).cloned();
        // A relative path means what it means beside the file that it is written in.
        let folder = place.and_then(|place| Path::new(&place.file).parent());
        let folder = folder.map_or(self.folder.to_owned(), |folder| {
            std::path::absolute(folder).unwrap_or_else(|_| self.folder.to_owned())
        });
        let resolve = |written: &str| {
            channel::resolve(written, self.ambient.rules, platform, &folder, &variable)
                .map_err(|error| QuestionError::Channel { error, place: place.cloned() })
        };
        let resolved = resolve(written)?;
        for Resolved { channel, access } in &resolved {
            if let Some(access) = access {
                self.ambient.client.trust(&channel.url, access.clone());
            }
        }
        let [one] = resolved.as_slice() else { return Ok(resolved) };
        match self.ambient.client.adopt(&one.channel.url) {
            Some(origin) => resolve(origin.as_str()),
            None => Ok(resolved),
        }
    }

    /// Resolves a channel and appends it unless it is there; returns its name.
    fn add(
        &mut self,
        written: &str,
        place: Option<&Place>,
        platform: Subdir,
        only_for_specs: bool,
    ) -> Result<String, QuestionError> {
        let resolved = self.resolve(written, place, platform)?;
        let urls: Vec<_> = resolved.iter().map(|r| r.channel.url.clone()).collect();
        let multi = resolved.first().and_then(|r| r.channel.multi.clone());
        let name = multi.clone().or_else(|| resolved.first().map(|r| r.channel.name.clone()));
        let name = name.unwrap_or_else(|| written.to_owned());
        if let Some(refusal) = self.policy.refuses(&urls) {
            return Err(QuestionError::Refused { channel: name, refusal, place: place.cloned() });
        }
        if let Some(place) = place {
            for url in &urls {
                self.places.entry(url.clone()).or_insert_with(|| place.clone());
            }
        }
        match self.list.iter_mut().find(|channel| channel.name == name) {
            // A multichannel may have more members on one platform than on another.
            Some(channel) => {
                for url in urls {
                    if !channel.urls.contains(&url) {
                        channel.urls.push(url);
                    }
                }
            }
            None => self.list.push(AskedChannel {
                name: name.clone(),
                urls,
                multi: multi.is_some(),
                only_for_specs,
            }),
        }
        Ok(name)
    }
}

fn asked_spec(
    request: &Request,
    platform: Subdir,
    channels: &mut Channels<'_>,
) -> Result<AskedSpec, QuestionError> {
    let channel = match &request.channel {
        Some(written) => Some(channels.add(written, Some(&request.place), platform, true)?),
        None => None,
    };
    Ok(AskedSpec {
        text: text(request, channel.as_deref()),
        place: request.place.clone(),
        spec: request.spec.clone(),
        channel,
        subdir: request.subdir,
    })
}

/// The spec as written, with the channel's name in place of what may be a URL with a
/// credential or a variable that another machine doesn't have.
fn text(request: &Request, channel: Option<&str>) -> String {
    match (request.text.rsplit_once("::"), channel) {
        (Some((_, rest)), Some(channel)) => match request.subdir {
            Some(subdir) => format!("{channel}/{subdir}::{rest}"),
            None => format!("{channel}::{rest}"),
        },
        _ => request.text.clone(),
    }
}

/// What the command line says, else what the present lock assumes, else what is fixed for
/// the platform: what was once set stays until something else is.
fn assumed(
    platform: Subdir,
    overrides: &Overrides,
    present: Option<&Lock>,
    ambient: &Ambient<'_>,
) -> Vec<GenericVirtualPackage> {
    let locked = present.and_then(|lock| lock.platforms.get(&platform));
    let settings = &overrides.virtual_packages;
    let base = settings
        .iter()
        .rev()
        .find_map(|setting| match setting {
            Setting::Host => Some(ambient.host_packages.to_vec()),
            Setting::Default => Some(virtual_packages::defaults(platform)),
            Setting::One(..) => None,
        })
        .or_else(|| locked.map(|locked| locked.virtual_packages.clone()))
        .unwrap_or_else(|| virtual_packages::defaults(platform));
    virtual_packages::apply(base, settings)
}

/// That virtual packages which were set in an earlier run still hold.
pub(crate) fn still_assumed(
    question: &Question,
    overrides: &Overrides,
) -> impl Iterator<Item = Finding> {
    let set: Vec<_> = overrides.virtual_packages.iter().collect();
    let is_set = move |package: &GenericVirtualPackage| {
        set.iter().any(|setting| match setting {
            Setting::Host | Setting::Default => true,
            Setting::One(name, _) => *name == package.name,
        })
    };
    question.platforms.iter().filter_map(move |(platform, asked)| {
        let kept = |packages: &[GenericVirtualPackage]| -> Vec<_> {
            packages.iter().filter(|package| !is_set(package)).cloned().collect()
        };
        let fixed = virtual_packages::defaults(*platform);
        let other = virtual_packages::differing(&kept(&asked.virtual_packages), &kept(&fixed));
        (!other.is_empty()).then(|| {
            let message = format!("{platform} is still assumed to have {}", other.join(", "));
            Finding::new(Code::VirtualPackagesKept, message)
                .with_note("the lock has it so from an earlier run")
                .with_help("`envlock solve --virtual-package default` goes back to what is usual")
        })
    })
}

/// environment.yml's name, else its folder's, which becomes one that isn't hidden.
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
