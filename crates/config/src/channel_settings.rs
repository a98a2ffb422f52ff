//! Reads the keys that resolve channel names.

use std::path::Path;

use envlock_model::channel::{self, ChannelConfig, ChannelError};
use envlock_report::{Code, Finding};
use envlock_text::redact;
use rattler_conda_types::Subdir;
use url::Url;

use crate::problem::Problems;
use crate::{Configuration, Configured, InvalidConfiguration, ValueSource, key};

/// The channel configuration: names, and mirrors by channel.
#[derive(Debug, Clone)]
pub struct ChannelSettings {
    /// The rules to resolve channel names.
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
    ///
    /// # Errors
    /// [`InvalidConfiguration`] has an error for each value that can't be used, with its file and
    /// line.
    pub fn channel_settings(
        &self,
        base_dir: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<ChannelSettings, InvalidConfiguration> {
        let mut reader = Reader { base_dir, variable, problems: Problems::default() };
        let mut channel_config = ChannelConfig::default();
        let alias = self.text(&key::CHANNEL_ALIAS);
        if let Some(url) = alias.and_then(|alias| reader.folder(alias.value, &alias.set_by)) {
            channel_config.channel_alias = url;
        }
        for (name, folder) in self.map(&key::CUSTOM_CHANNELS) {
            let Some(folder) = folder.first() else { continue };
            if let Some(url) = reader.folder(&folder.value, &folder.set_by) {
                channel_config.custom_channels.insert(name.clone(), url);
            }
        }
        if self.is_set(&key::DEFAULT_CHANNELS) {
            channel_config.defaults =
                reader.members(self.list(&key::DEFAULT_CHANNELS), &channel_config);
        }
        for (name, members) in self.map(&key::CUSTOM_MULTICHANNELS) {
            // "Channel locations": the two names are reserved, and `defaults` is what
            // `default_channels` says.
            if let ("defaults" | "local", Some(first)) = (name.as_str(), members.first()) {
                let message = format!("`{name}` can't be a custom multichannel");
                let help = "set the channels of `defaults` with `default_channels`";
                reader.problems.add(&first.set_by, Code::ReservedChannel, &message, Some(help));
            }
            let members = reader.members(members, &channel_config);
            channel_config.custom_multichannels.insert(name.clone(), members);
        }
        let (mut mirrored, mut warnings) = (Vec::new(), Vec::new());
        for (name, urls) in self.map(&key::MIRRORED_CHANNELS) {
            let Some(first) = urls.first() else { continue };
            let Some(origin) = reader.one(name, &first.set_by, &channel_config) else { continue };
            let (oci, urls): (Vec<_>, Vec<_>) =
                urls.iter().partition(|url| url.value.starts_with("oci://"));
            warnings.extend(oci.first().map(|url| unreachable(url)));
            let folders = urls.iter().filter_map(|url| reader.folder(&url.value, &url.set_by));
            mirrored.push((origin, folders.collect()));
        }
        reader.problems.finish(ChannelSettings { channel_config, mirrored, warnings })
    }
}

fn unreachable(url: &Configured<String>) -> Finding {
    let message = format!("{} is ignored: envlock can't read oci:// mirrors", redact(&url.value));
    let warning = Finding::new(Code::MirrorUnreachable, message);
    match url.set_by.place() {
        Some(place) => warning.at(place.clone()),
        None => warning,
    }
}

struct Reader<'a> {
    base_dir: &'a Path,
    variable: &'a dyn Fn(&str) -> Option<String>,
    problems: Problems,
}

impl Reader<'_> {
    fn base<'b>(&'b self, by: &'b ValueSource) -> &'b Path {
        let folder = by.place().and_then(|place| Path::new(&place.file).parent());
        folder.filter(|folder| folder.is_absolute()).unwrap_or(self.base_dir)
    }

    /// Resolves a URL or a path.
    fn folder(&mut self, written: &str, set_by: &ValueSource) -> Option<Url> {
        let folder = channel::resolve_location(written, self.base(set_by), self.variable);
        folder.map_err(|error| self.refused(&error, set_by)).ok()
    }

    /// Resolves channels by name, URL or path.
    fn members(
        &mut self,
        members: &[Configured<String>],
        channel_config: &ChannelConfig,
    ) -> Vec<Url> {
        members
            .iter()
            .flat_map(|member| self.channels(&member.value, &member.set_by, channel_config))
            .collect()
    }

    fn one(
        &mut self,
        name: &str,
        set_by: &ValueSource,
        channel_config: &ChannelConfig,
    ) -> Option<Url> {
        self.channels(name, set_by, channel_config).into_iter().next()
    }

    fn channels(
        &mut self,
        written: &str,
        set_by: &ValueSource,
        channel_config: &ChannelConfig,
    ) -> Vec<Url> {
        // On Windows a multichannel has all of its members.
        let all = Subdir::Win64;
        match channel::resolve(written, channel_config, all, self.base(set_by), self.variable) {
            Ok(resolved) => resolved
                .iter()
                .map(|resolved| match &resolved.credentials {
                    Some(credentials) => credentials.add_to(&resolved.channel.url),
                    None => resolved.channel.url.clone(),
                })
                .collect(),
            Err(error) => {
                self.refused(&error, set_by);
                Vec::new()
            }
        }
    }

    fn refused(&mut self, error: &ChannelError, set_by: &ValueSource) {
        use envlock_report::AsFindings as _;
        let finding = error.findings().into_iter().next();
        let (code, help) =
            finding.map_or((Code::ChannelInvalid, None), |finding| (finding.code, finding.help));
        self.problems.add(set_by, code, &redact(&error.to_string()), help.as_deref());
    }
}
