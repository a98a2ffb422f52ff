//! Resolves channels to their origins, and collects the credentials and mirrors in their URLs.

use std::{collections::BTreeMap, fmt, path::Path};

use envlock_channel::{ChannelSetting, Client};
use envlock_config::{ValueSource, key};
use envlock_model::{
    channel::{self, BaseSetting, ChannelConfig, ChannelCredentials, ResolvedChannel},
    lock_inputs::RequestedChannel,
};
use envlock_report::{Code, Finding, Place};
use rattler_conda_types::Subdir;
use url::Url;

use super::{InputsError, ResolutionInputs};
use crate::allowed_channels::{AllowedChannels, policy_channels};

/// The multichannel of `default_channels`.
const DEFAULTS: &str = "defaults";

/// Credentials and mirrors that are written in channel URLs.
#[derive(Clone, Default)]
pub(crate) struct ChannelUrls {
    /// By the channel's URL without the credential.
    credentials: BTreeMap<Url, ChannelCredentials>,
    /// URLs below a mirror, as written.
    mirrors: Vec<Url>,
}

impl ChannelUrls {
    /// Registers the credentials and the mirrors with the client.
    pub(crate) fn register(&self, client: &Client) {
        for (channel, credentials) in &self.credentials {
            client.register_credential(channel, credentials.clone());
        }
        for mirror in &self.mirrors {
            client.register_mirror_url(mirror);
        }
    }
}

/// Prints credentials as `***`.
impl fmt::Debug for ChannelUrls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let credentials: BTreeMap<_, _> = self
            .credentials
            .iter()
            .map(|(channel, credentials)| (channel.as_str(), credentials))
            .collect();
        let mirrors: Vec<_> = self.mirrors.iter().map(Url::as_str).collect();
        f.debug_struct("ChannelUrls")
            .field("credentials", &credentials)
            .field("mirrors", &mirrors)
            .finish()
    }
}

/// Resolves channels, and collects the results.
pub(super) struct ChannelResolver<'a> {
    pub(super) inputs: ResolutionInputs<'a>,
    pub(super) policy: AllowedChannels,
    pub(super) list: Vec<RequestedChannel>,
    pub(super) places: BTreeMap<Url, Place>,
    /// The settings that decide the URLs of the channels' names.
    pub(super) settings: BTreeMap<Url, ChannelSetting>,
    pub(super) channel_urls: ChannelUrls,
    /// Findings about the URLs.
    pub(super) findings: Vec<Finding>,
}

impl<'a> ChannelResolver<'a> {
    /// Creates a resolver that refuses the channels that the configuration forbids.
    pub(super) fn new(inputs: ResolutionInputs<'a>) -> Result<Self, InputsError> {
        // On Windows a multichannel has all of its members.
        let all = Subdir::Win64;
        let urls = |resolved: Vec<ResolvedChannel>| {
            resolved.into_iter().map(|resolved| resolved.channel.url).collect::<Vec<_>>()
        };
        let variable = |name: &str| inputs.variables.get(name).cloned();
        let default = ChannelConfig::default();
        let without_configuration = |written: &str| {
            channel::resolve(written, &default, all, inputs.folder, &variable)
                .map_or_else(|_| Vec::new(), urls)
        };
        let mut channels = Self::unrestricted(inputs);
        channels.policy = AllowedChannels::new(
            inputs.configuration,
            |written, place| channels.resolve(written, place, all).map(urls),
            without_configuration,
        )?;
        Ok(channels)
    }

    /// Creates a resolver that accepts all channels.
    pub(super) fn unrestricted(inputs: ResolutionInputs<'a>) -> Self {
        Self {
            inputs,
            policy: AllowedChannels::default(),
            list: Vec::new(),
            places: BTreeMap::new(),
            settings: BTreeMap::new(),
            channel_urls: ChannelUrls::default(),
            findings: Vec::new(),
        }
    }

    /// Adds the credentials that the configuration has for the URL of a channel in a lock.
    pub(super) fn add_configured_credentials(&mut self, url: &Url) {
        if let Some(credentials) = self.inputs.channel_config.credentials_for(url) {
            self.channel_urls.credentials.entry(url.clone()).or_insert(credentials);
        }
    }

    /// Resolves the channels in the configured lists to collect their credentials and mirrors.
    pub(super) fn resolve_policy(&mut self) {
        for set in policy_channels(self.inputs.configuration) {
            let _ = self.resolve(&set.value, set.set_by.place(), Subdir::Win64);
        }
    }

    /// Resolves a channel to its origin. A URL of a mirror is mapped to its origin. The mirror and
    /// a credential in the URL are only added to `channel_urls`.
    pub(super) fn resolve(
        &mut self,
        written: &str,
        place: Option<&Place>,
        platform: Subdir,
    ) -> Result<Vec<ResolvedChannel>, InputsError> {
        let inputs = self.inputs;
        let variable = |name: &str| inputs.variables.get(name).cloned();
        // A relative path is relative to the file that it is written in.
        let folder = place.and_then(|place| Path::new(&place.file).parent());
        let folder = folder.map_or(inputs.folder.to_owned(), |folder| {
            std::path::absolute(folder).unwrap_or_else(|_| inputs.folder.to_owned())
        });
        let resolve = |written: &str| {
            channel::resolve(written, inputs.channel_config, platform, &folder, &variable).map_err(
                |error| InputsError::Channel { error: Box::new(error), place: place.cloned() },
            )
        };
        let resolved = resolve(written)?;
        for resolved in &resolved {
            self.add_credentials(resolved, place);
            self.add_setting(resolved);
        }
        let [one] = resolved.as_slice() else { return Ok(resolved) };
        let Some(origin) = inputs.sources.origin_of(&one.channel.url) else { return Ok(resolved) };
        if !self.channel_urls.mirrors.contains(&one.channel.url) {
            self.channel_urls.mirrors.push(one.channel.url.clone());
        }
        let resolved = resolve(origin.as_str())?;
        for resolved in &resolved {
            self.add_credentials(resolved, None);
        }
        Ok(resolved)
    }

    /// Adds the credentials of a channel. The first ones are used.
    fn add_credentials(&mut self, resolved: &ResolvedChannel, place: Option<&Place>) {
        let ResolvedChannel { channel, credentials: Some(credentials), .. } = resolved else {
            return;
        };
        let known = self.channel_urls.credentials.entry(channel.url.clone());
        let known = known.or_insert_with(|| credentials.clone());
        if known.is_same(credentials) {
            return;
        }
        let message = format!(
            "the channel {} is written with two different credentials: the first one is used",
            channel.name
        );
        let finding = Finding::new(Code::DuplicateChannel, message)
            .with_help("keep one of them, or give each channel its own URL");
        let finding = match place {
            Some(place) => finding.at(place.clone()),
            None => finding,
        };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Adds the setting that decides the base URL of a channel's name.
    fn add_setting(&mut self, resolved: &ResolvedChannel) {
        let config = self.inputs.channel_config;
        let configuration = self.inputs.configuration;
        let (key, base, set_by) = match &resolved.setting {
            Some(BaseSetting::ChannelAlias) => {
                let Some(set) = configuration.text(&key::CHANNEL_ALIAS) else { return };
                (key::CHANNEL_ALIAS.name.to_owned(), Some(&config.channel_alias), set.set_by)
            }
            Some(BaseSetting::CustomChannel(name)) => {
                let mut entries = configuration.map(&key::CUSTOM_CHANNELS);
                let entry = entries.find(|(other, _)| *other == name);
                let Some(set) = entry.and_then(|(_, set)| set.first()) else { return };
                let key = format!("{}.{name}", key::CUSTOM_CHANNELS.name);
                (key, config.custom_channels.get(name), set.set_by.clone())
            }
            _ => return,
        };
        let Some(base) = base.filter(|_| set_by != ValueSource::Default) else { return };
        let place = set_by.place().cloned();
        let setting = ChannelSetting { key, base: base.clone(), set_by: set_by.to_string(), place };
        self.settings.insert(resolved.channel.url.clone(), setting);
    }

    /// Resolves a channel, and adds it unless it exists. Returns its name.
    pub(super) fn add(
        &mut self,
        written: &str,
        place: Option<&Place>,
        platform: Subdir,
        only_for_specs: bool,
    ) -> Result<String, InputsError> {
        let resolved = self.resolve(written, place, platform)?;
        let urls: Vec<_> = resolved.iter().map(|r| r.channel.url.clone()).collect();
        let multi = resolved.first().and_then(|r| r.channel.multichannel.clone());
        let name = multi.clone().or_else(|| resolved.first().map(|r| r.channel.name.clone()));
        let name = name.unwrap_or_else(|| written.to_owned());
        if let Some(refusal) = self.policy.refuses(&urls, self.inputs.sources) {
            let (refusal, place) = (Box::new(refusal), place.cloned());
            return Err(InputsError::Refused { channel: name, refusal, place });
        }
        let members = multi.as_ref().map(|name| self.member_places(name, platform));
        for url in &urls {
            let configured = members.as_ref().and_then(|members| members.get(url));
            if let Some(place) = configured.or(place) {
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
            None => self.list.push(RequestedChannel {
                name: name.clone(),
                urls,
                multi: multi.is_some(),
                only_for_specs,
            }),
        }
        Ok(name)
    }

    /// Returns the places in the configuration at which the members of a multichannel are written.
    fn member_places(&self, multichannel: &str, platform: Subdir) -> BTreeMap<Url, Place> {
        let configuration = self.inputs.configuration;
        let defaults = configuration.list(&key::DEFAULT_CHANNELS).iter();
        let custom = configuration.map(&key::CUSTOM_MULTICHANNELS);
        let sets = defaults
            .filter(|_| multichannel == DEFAULTS)
            .chain(custom.filter(|(name, _)| *name == multichannel).flat_map(|(_, sets)| sets));
        // Credentials and mirrors of the members are collected elsewhere.
        let mut resolver = Self::unrestricted(self.inputs);
        let mut places = BTreeMap::new();
        for set in sets {
            let Some(place) = set.set_by.place() else { continue };
            for resolved in
                resolver.resolve(&set.value, Some(place), platform).into_iter().flatten()
            {
                places.entry(resolved.channel.url).or_insert_with(|| place.clone());
            }
        }
        places
    }
}
