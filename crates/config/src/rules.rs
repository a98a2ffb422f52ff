//! What the configuration makes of channels' names.

use std::path::Path;

use envlock_model::channel::{self, ChannelError, Rules};
use envlock_report::{Code, Finding};
use envlock_text::redact;
use rattler_conda_types::Subdir;
use url::Url;

use crate::problem::Problems;
use crate::{Configuration, Invalid, Set, Setter, key};

/// Names and addresses that the configuration sets.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// What names stand for.
    pub rules: Rules,
    /// mamba's `mirrored_channels`: what the name stands for, and the only folders that are
    /// asked for it, in order. Never with a credential.
    pub mirrored: Vec<(Url, Vec<Url>)>,
    /// What is left out.
    pub warnings: Vec<Finding>,
}

impl Configuration {
    /// Reads every address of a channel. A relative path starts beside the file that it is
    /// written in, else at `base_dir`; `variable` gives the values for `$NAME`, `${NAME}`
    /// and `~`.
    ///
    /// # Errors
    /// [`Invalid`] names each that can't be used, with its file and line.
    pub fn addresses(
        &self,
        base_dir: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Addresses, Invalid> {
        let mut reader = Reader { base_dir, variable, problems: Problems::default() };
        let mut rules = Rules::default();
        let alias = self.text(&key::CHANNEL_ALIAS);
        if let Some(url) = alias.and_then(|alias| reader.folder(alias.value, &alias.by)) {
            rules.alias = url;
        }
        for (name, folder) in self.named(&key::CUSTOM_CHANNELS) {
            let Some(folder) = folder.first() else { continue };
            if let Some(url) = reader.folder(&folder.value, &folder.by) {
                rules.custom.insert(name.clone(), url);
            }
        }
        if self.has(&key::DEFAULT_CHANNELS) {
            rules.defaults = reader.members(self.many(&key::DEFAULT_CHANNELS), &rules);
        }
        for (name, members) in self.named(&key::CUSTOM_MULTICHANNELS) {
            // "Channel locations": the two names are reserved, and `defaults` is what
            // `default_channels` says.
            if let ("defaults" | "local", Some(first)) = (name.as_str(), members.first()) {
                let message = format!("`{name}` can't be a custom multichannel");
                let help = "say what `defaults` is with `default_channels`";
                reader.problems.add(&first.by, Code::ReservedChannel, &message, Some(help));
            }
            let members = reader.members(members, &rules);
            rules.multi.insert(name.clone(), members);
        }
        let (mut mirrored, mut warnings) = (Vec::new(), Vec::new());
        for (name, urls) in self.named(&key::MIRRORED_CHANNELS) {
            let Some(first) = urls.first() else { continue };
            let Some(origin) = reader.one(name, &first.by, &rules) else { continue };
            let (oci, urls): (Vec<_>, Vec<_>) =
                urls.iter().partition(|url| url.value.starts_with("oci://"));
            warnings.extend(oci.first().map(|url| unreachable(url)));
            let folders = urls.iter().filter_map(|url| reader.folder(&url.value, &url.by));
            mirrored.push((origin, folders.collect()));
        }
        reader.problems.finish(Addresses { rules, mirrored, warnings })
    }
}

fn unreachable(url: &Set<String>) -> Finding {
    let message = format!("{} isn't asked: envlock can't read oci:// mirrors", redact(&url.value));
    let warning = Finding::new(Code::MirrorUnreachable, message);
    match url.by.place() {
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
    fn base<'b>(&'b self, by: &'b Setter) -> &'b Path {
        let beside = by.place().and_then(|place| Path::new(&place.file).parent());
        beside.filter(|folder| folder.is_absolute()).unwrap_or(self.base_dir)
    }

    /// An address or a path.
    fn folder(&mut self, written: &str, by: &Setter) -> Option<Url> {
        let folder = channel::folder(written, self.base(by), self.variable);
        folder.map_err(|error| self.refused(&error, by)).ok()
    }

    /// Channels by name, address or path.
    fn members(&mut self, members: &[Set<String>], rules: &Rules) -> Vec<Url> {
        members.iter().flat_map(|member| self.channels(&member.value, &member.by, rules)).collect()
    }

    fn one(&mut self, name: &str, by: &Setter, rules: &Rules) -> Option<Url> {
        self.channels(name, by, rules).into_iter().next()
    }

    fn channels(&mut self, written: &str, by: &Setter, rules: &Rules) -> Vec<Url> {
        // On Windows a name of several channels has all of its members.
        let all = Subdir::Win64;
        match channel::resolve(written, rules, all, self.base(by), self.variable) {
            Ok(resolved) => resolved
                .iter()
                .map(|resolved| match &resolved.access {
                    Some(access) => access.apply(&resolved.channel.url),
                    None => resolved.channel.url.clone(),
                })
                .collect(),
            Err(error) => {
                self.refused(&error, by);
                Vec::new()
            }
        }
    }

    fn refused(&mut self, error: &ChannelError, by: &Setter) {
        use envlock_report::Explain as _;
        let said = error.findings().into_iter().next();
        let (code, help) = said.map_or((Code::ChannelInvalid, None), |said| (said.code, said.help));
        self.problems.add(by, code, &redact(&error.to_string()), help.as_deref());
    }
}
