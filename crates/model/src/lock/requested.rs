//! Reads the top-level block `envlock:` and collects its mistakes.

use std::collections::BTreeMap;

use envlock_report::{Code, Fields, Mistakes};
use envlock_text::tree::Node;
use url::Url;

use super::blocks::{Channel, Envlock, Platform, Requested};
use super::{LockedPipLine, VERSION, other_archive};
use crate::lock_inputs::Priority;

/// Reads the block. If a required part is missing, it adds a mistake and returns `None`.
pub(super) fn read_envlock_block(
    file: &str,
    node: &Node,
    mistakes: &mut Mistakes,
) -> Option<Envlock> {
    let mut fields = Fields::new(file, node, "`envlock`", mistakes);
    let name = fields.required_text("name");
    let mut variables = BTreeMap::new();
    for entry in fields.entries_of("variables", "`variables`") {
        match entry.value.text() {
            Some(text) => {
                variables.insert(entry.name().to_owned(), text.to_owned());
            }
            None => fields.add_wrong_type(entry.name(), "text", &entry.value),
        }
    }
    let other_archives = other_archive::read(file, &mut fields);
    if fields.get("requested").is_none() {
        fields.add_missing_key("requested");
    }
    let requested = fields.get("requested").map(|node| requested(file, node, fields.mistakes))?;
    Some(Envlock { version: VERSION, name: name?, requested, variables, other_archives })
}

fn requested(file: &str, node: &Node, mistakes: &mut Mistakes) -> Requested {
    let mut fields = Fields::new(file, node, "`envlock.requested`", mistakes);
    fields.refuse_unknown_keys(&["channel-priority", "exclude-newer", "channels", "platforms"]);
    if fields.get("channel-priority").is_none() {
        fields.add_missing_key("channel-priority");
    }
    let priorities = [Priority::Strict, Priority::Flexible, Priority::Disabled]
        .map(|priority| (priority.as_str(), priority));
    let channel_priority = fields.choice("channel-priority", &priorities).unwrap_or_default();
    let exclude_newer = fields.get("exclude-newer").and_then(|node| {
        let time = node.text().and_then(|text| text.parse().ok());
        if time.is_none() {
            let message = "`exclude-newer` must be a time such as 2027-01-31T00:00:00Z";
            fields.add_mistake(Code::InvalidText, message, node.start);
        }
        time
    });
    for key in ["channels", "platforms"] {
        if fields.get(key).is_none() {
            fields.add_missing_key(key);
        }
    }
    let mut channels = Vec::new();
    for node in fields.items_of("channels") {
        channels.push(channel(file, node, fields.mistakes));
    }
    let mut platforms = BTreeMap::new();
    for entry in fields.entries_of("platforms", "`platforms`") {
        let platform = platform(file, &entry.value, fields.mistakes);
        platforms.insert(entry.name().to_owned(), platform);
    }
    Requested { channel_priority, exclude_newer, channels, platforms }
}

fn channel(file: &str, node: &Node, mistakes: &mut Mistakes) -> Channel {
    let mut fields = Fields::new(file, node, "a channel", mistakes);
    fields.refuse_unknown_keys(&["name", "urls", "multi", "only-for-specs"]);
    let name = fields.required_text("name").unwrap_or_default();
    if fields.get("urls").is_none() {
        fields.add_missing_key("urls");
    }
    let mut urls = Vec::new();
    for node in fields.items_of("urls") {
        match node.text().and_then(|text| Url::parse(text).ok()) {
            Some(url) => urls.push(url),
            None => {
                fields.add_mistake(
                    Code::InvalidText,
                    "an item of `urls` must be a URL",
                    node.start,
                );
            }
        }
    }
    Channel {
        name,
        urls,
        multi: fields.boolean("multi").unwrap_or_default(),
        only_for_specs: fields.boolean("only-for-specs").unwrap_or_default(),
    }
}

fn platform(file: &str, node: &Node, mistakes: &mut Mistakes) -> Platform {
    let mut fields = Fields::new(file, node, "a platform", mistakes);
    fields.refuse_unknown_keys(&["specs", "pip", "pip-resolved"]);
    if fields.get("specs").is_none() {
        fields.add_missing_key("specs");
    }
    let mut pip = Vec::new();
    for node in fields.items_of("pip") {
        pip.push(LockedPipLine::read(file, node, fields.mistakes));
    }
    Platform { specs: fields.texts("specs"), pip, pip_resolved: fields.boolean("pip-resolved") }
}
