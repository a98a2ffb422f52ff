//! Writes what lines mean as text.

use envlock_model::pip::{
    IndexOptions, Location, PackageSet, PipInputs, Requirement, RequirementKind, Revision,
};
use envlock_report::Place;

/// Returns a line for each requirement, constraint and option.
pub(crate) fn of(inputs: &PipInputs) -> Vec<String> {
    let requirements = inputs.requirements.iter().map(requirement);
    let constraints =
        inputs.constraints.iter().map(|one| format!("constraint: {}", requirement(one)));
    requirements.chain(constraints).chain(options(&inputs.options)).collect()
}

pub(crate) fn requirement(one: &Requirement) -> String {
    let name = one.name().map_or("(no name)", |name| name.as_ref());
    let extras: Vec<_> = one.extras().iter().map(ToString::to_string).collect();
    let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
    let mut text = format!("{name}{extras}");
    let mut add = |part: String| {
        text.push(' ');
        text.push_str(&part);
    };
    match &one.kind {
        RequirementKind::Named { specifiers, .. } => {
            let specifiers: Vec<_> = specifiers.iter().map(ToString::to_string).collect();
            add(if specifiers.is_empty() { "(any)".to_owned() } else { specifiers.join(",") });
        }
        RequirementKind::Url { url, subdirectory, hashes, .. } => {
            add(format!("url {}", url.as_str()));
            subdirectory.iter().for_each(|folder| add(format!("in {folder}")));
            hashes.iter().for_each(|hash| add(hash.to_string()));
        }
        RequirementKind::Path { path, editable, subdirectory, hashes, .. } => {
            add(format!("{} {}", if *editable { "editable" } else { "path" }, path.display()));
            subdirectory.iter().for_each(|folder| add(format!("in {folder}")));
            hashes.iter().for_each(|hash| add(hash.to_string()));
        }
        RequirementKind::Git { url, revision, subdirectory, editable, .. } => {
            add(format!("{} {}", if *editable { "editable git" } else { "git" }, url.as_str()));
            match revision {
                Some(Revision::Commit(commit)) => add(format!("commit {commit}")),
                Some(Revision::Name(name)) => add(format!("at {name}")),
                None => {}
            }
            subdirectory.iter().for_each(|folder| add(format!("in {folder}")));
        }
    }
    one.hashes.iter().for_each(|hash| add(format!("--hash {hash}")));
    one.config_settings.iter().for_each(|(key, value)| add(format!("--setting {key}={value}")));
    one.marker.iter().for_each(|marker| add(format!("if {}", marker.text)));
    text
}

fn location(location: &Location) -> String {
    match location {
        Location::Url(url) => url.as_str().to_owned(),
        Location::Path(paths) => {
            let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
            format!("path {}", paths.join(" or "))
        }
    }
}

fn options(options: &IndexOptions) -> Vec<String> {
    let IndexOptions {
        index_url,
        extra_index_urls,
        find_links,
        no_index,
        no_binary,
        only_binary,
        prefer_binary,
        pre,
        only_final,
        trusted_hosts,
        require_hashes,
    } = options;
    let mut lines = Vec::new();
    lines.extend(index_url.iter().map(|(at, _)| format!("index {}", location(at))));
    lines.extend(extra_index_urls.iter().map(|(at, _)| format!("extra index {}", location(at))));
    lines.extend(find_links.iter().map(|(at, _)| format!("find-links {}", location(at))));
    let flag = |place: &Option<Place>, name: &str| place.as_ref().map(|_| name.to_owned());
    lines.extend(flag(no_index, "no index"));
    lines.extend(flag(prefer_binary, "prefer binary"));
    lines.extend(flag(require_hashes, "require hashes"));
    lines.extend(trusted_hosts.iter().map(|(host, _)| format!("trusted host {host}")));
    let mut set = |set: &PackageSet, name: &str| {
        let all = set.all.iter().map(|_| "all".to_owned());
        let names: Vec<_> = all.chain(set.names.keys().map(ToString::to_string)).collect();
        if !names.is_empty() {
            lines.push(format!("{name} {}", names.join(" ")));
        }
    };
    set(no_binary, "no binary");
    set(only_binary, "only binary");
    set(pre, "pre");
    set(only_final, "only final");
    lines
}
