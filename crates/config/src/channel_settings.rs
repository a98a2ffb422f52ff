//! Reads the keys that resolve channel names.

use std::path::Path;

use envlock_model::channel::{self, ChannelConfig, ChannelError};
use envlock_report::{Code, Finding, Level};
use envlock_text::redact::redact_url;
use rattler_conda_types::Subdir;
use url::Url;

use crate::{Configuration, Configured, Key, ValueSource, key};

/// The channel configuration: names, and mirrors by channel.
#[derive(Clone)]
pub struct ChannelSettings {
    /// The rules to resolve channel names. Entries that can't be used are in
    /// [`ChannelConfig::invalid`]: they are errors only for a project that uses them.
    pub channel_config: ChannelConfig,
    /// mamba's `mirrored_channels`: the channel's URL, and the only folders that are used for it,
    /// in order. Never with a credential.
    pub mirrored: Vec<(Url, Vec<Url>)>,
    /// Findings about entries that are ignored.
    pub warnings: Vec<Finding>,
}

impl Configuration {
    /// Resolves all channel URLs of the configuration. A relative path is relative to the folder
    /// of the file that it is written in, else to `base_dir`; `variable` returns the values of
    /// `$NAME`, `${NAME}` and `~`.
    pub fn channel_settings(
        &self,
        base_dir: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> ChannelSettings {
        let reader = Reader { base_dir, variable };
        let mut config = ChannelConfig::default();
        let mut warnings = Vec::new();
        if let Some(alias) = self.text(&key::CHANNEL_ALIAS) {
            match reader.folder(&key::CHANNEL_ALIAS, alias.value, &alias.set_by) {
                Ok(url) => config.channel_alias = url,
                Err(error) => config.invalid.channel_alias = Some(error),
            }
        }
        for (name, folder) in self.map(&key::CUSTOM_CHANNELS) {
            let Some(folder) = folder.first() else { continue };
            match reader.folder(&key::CUSTOM_CHANNELS, &folder.value, &folder.set_by) {
                Ok(url) => drop(config.custom_channels.insert(name.clone(), url)),
                Err(error) => drop(config.invalid.custom_channels.insert(name.clone(), error)),
            }
        }
        self.migrations(&reader, &mut config);
        self.multichannels(&reader, &mut config, &mut warnings);
        let mirrored = self.mirrored_channels(&reader, &mut config, &mut warnings);
        ChannelSettings { channel_config: config, mirrored, warnings }
    }

    /// Reads the earlier URLs of channels. One that can't be resolved is the URL of no channel.
    fn migrations(&self, reader: &Reader<'_>, config: &mut ChannelConfig) {
        let aliases = self.list(&key::MIGRATED_CHANNEL_ALIASES).iter();
        let folder = |alias: &Configured<String>| {
            reader.folder(&key::MIGRATED_CHANNEL_ALIASES, &alias.value, &alias.set_by).ok()
        };
        config.migrated_aliases = aliases.filter_map(folder).collect();
        for (name, folder) in self.map(&key::MIGRATED_CUSTOM_CHANNELS) {
            let Some(folder) = folder.first() else { continue };
            let key = &key::MIGRATED_CUSTOM_CHANNELS;
            if let Ok(url) = reader.folder(key, &folder.value, &folder.set_by) {
                config.migrated_channels.insert(name.clone(), url);
            }
        }
    }

    /// Reads `default_channels` and `custom_multichannels`.
    fn multichannels(
        &self,
        reader: &Reader<'_>,
        config: &mut ChannelConfig,
        warnings: &mut Vec<Finding>,
    ) {
        let sets_defaults = self.is_set(&key::DEFAULT_CHANNELS);
        if sets_defaults {
            let list = self.list(&key::DEFAULT_CHANNELS);
            let members = reader.members(&key::DEFAULT_CHANNELS, list, config);
            set_defaults(config, members);
        }
        for (name, members) in self.map(&key::CUSTOM_MULTICHANNELS) {
            let place = members.first().map(|first| &first.set_by);
            let resolved = reader.members(&key::CUSTOM_MULTICHANNELS, members, config);
            match name.as_str() {
                // "Mirroring channels" sets the members of `defaults` here. `default_channels` has
                // priority, as in conda.
                "defaults" if !sets_defaults => set_defaults(config, resolved),
                "defaults" => {
                    if resolved.ok().as_ref() != Some(&config.defaults) {
                        warnings.push(reserved(name, "`default_channels` is set too", place));
                    }
                }
                "local" => {
                    let reason = "`local` is the folder of conda-build's packages";
                    warnings.push(reserved(name, reason, place));
                }
                _ => match resolved {
                    Ok(urls) => drop(config.custom_multichannels.insert(name.clone(), urls)),
                    Err(error) => {
                        config.invalid.custom_multichannels.insert(name.clone(), error);
                    }
                },
            }
        }
    }

    /// Reads `mirrored_channels`. A channel with a source that can't be used can't be used itself.
    fn mirrored_channels(
        &self,
        reader: &Reader<'_>,
        config: &mut ChannelConfig,
        warnings: &mut Vec<Finding>,
    ) -> Vec<(Url, Vec<Url>)> {
        let mut mirrored = Vec::new();
        for (name, urls) in self.map(&key::MIRRORED_CHANNELS) {
            let Some(first) = urls.first() else { continue };
            let key = &key::MIRRORED_CHANNELS;
            let Ok(origins) = reader.channels(key, name, &first.set_by, config) else { continue };
            let Some(origin) = origins.into_iter().next() else { continue };
            let (oci, urls): (Vec<_>, Vec<_>) =
                urls.iter().partition(|url| url.value.starts_with("oci://"));
            warnings.extend(oci.first().map(|url| unreachable(url)));
            let mut folders = Vec::new();
            for url in urls {
                match reader.folder(key, &url.value, &url.set_by) {
                    Ok(folder) => folders.push(folder),
                    Err(error) => config.invalid.mirrored_channels.push((origin.clone(), error)),
                }
            }
            mirrored.push((origin, folders));
        }
        mirrored
    }
}

fn set_defaults(config: &mut ChannelConfig, members: Result<Vec<Url>, ChannelError>) {
    match members {
        Ok(urls) => config.defaults = urls,
        Err(error) => config.invalid.defaults = Some(error),
    }
}

fn reserved(name: &str, reason: &str, set_by: Option<&ValueSource>) -> Finding {
    let message = format!("the custom multichannel `{name}` is ignored: {reason}");
    let warning = Finding::new(Code::ReservedChannel, message).at_level(Level::Warning);
    match set_by.and_then(ValueSource::place) {
        Some(place) => warning.at(place.clone()),
        None => warning,
    }
}

fn unreachable(url: &Configured<String>) -> Finding {
    let message =
        format!("{} is ignored: envlock can't read oci:// mirrors", redact_url(&url.value));
    let warning = Finding::new(Code::MirrorUnsupported, message);
    match url.set_by.place() {
        Some(place) => warning.at(place.clone()),
        None => warning,
    }
}

struct Reader<'a> {
    base_dir: &'a Path,
    variable: &'a dyn Fn(&str) -> Option<String>,
}

impl Reader<'_> {
    fn base<'b>(&'b self, by: &'b ValueSource) -> &'b Path {
        let folder = by.place().and_then(|place| Path::new(&place.file).parent());
        folder.filter(|folder| folder.is_absolute()).unwrap_or(self.base_dir)
    }

    /// Resolves a URL or a path.
    fn folder(&self, key: &Key, written: &str, set_by: &ValueSource) -> Result<Url, ChannelError> {
        channel::resolve_folder(written, self.base(set_by), self.variable)
            .map_err(|error| with_source(error, key, set_by))
    }

    /// Resolves channels by name, URL or path.
    fn members(
        &self,
        key: &Key,
        members: &[Configured<String>],
        config: &ChannelConfig,
    ) -> Result<Vec<Url>, ChannelError> {
        let mut urls = Vec::new();
        for member in members {
            urls.extend(self.channels(key, &member.value, &member.set_by, config)?);
        }
        Ok(urls)
    }

    fn channels(
        &self,
        key: &Key,
        written: &str,
        set_by: &ValueSource,
        config: &ChannelConfig,
    ) -> Result<Vec<Url>, ChannelError> {
        // On Windows a multichannel has all of its members.
        let all = Subdir::Win64;
        let resolved = channel::resolve(written, config, all, self.base(set_by), self.variable)
            .map_err(|error| with_source(error, key, set_by))?;
        let url = |resolved: &channel::ResolvedChannel| match &resolved.credentials {
            Some(credentials) => credentials.add_to(&resolved.channel.url),
            None => resolved.channel.url.clone(),
        };
        Ok(resolved.iter().map(url).collect())
    }
}

/// Adds where the value is set, unless the error is one of another entry.
fn with_source(error: ChannelError, key: &Key, set_by: &ValueSource) -> ChannelError {
    if error.setting.is_some() {
        return error;
    }
    match set_by {
        ValueSource::File(place) => error.with_setting(key.name).at(place.clone()),
        other => error.with_setting(format!("{} ({other})", key.name)),
    }
}

#[cfg(test)]
mod tests;
