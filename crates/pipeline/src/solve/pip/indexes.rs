//! The indexes of a pip section: those of its lines, else those of the configuration.

use std::path::Path;

use envlock_model::pip::{IndexOptions, Location};
use envlock_pypi::{IndexSources, register_index};
use envlock_report::{Code, Finding, Place};
use url::Url;

use super::PipError;
use crate::Context;

/// Returns the indexes for these options. Credentials in their addresses are registered with the
/// client. `folder` is the project's.
pub(super) fn index_sources(
    options: &IndexOptions,
    configured: &IndexSources,
    folder: &Path,
    context: &Context<'_>,
) -> Result<IndexSources, PipError> {
    if let Some((_, place)) = options.find_links.first() {
        let message = "`--find-links` isn't supported: wheels are taken from indexes";
        let finding = Finding::new(Code::PipNotLockable, message).at(place.clone());
        let help = "name an index with `--extra-index-url`";
        return Err(PipError::Line(Box::new(finding.with_help(help))));
    }
    let mut sources = configured.clone();
    let read = |(location, place): &(Location, Place)| url(location, place, folder, context);
    if let Some(index) = &options.index_url {
        // pip drops the configured indexes, too.
        sources.index = Some(read(index)?);
        sources.extra_indexes.clear();
        sources.problem = None;
    }
    for index in &options.extra_index_urls {
        sources.extra_indexes.push(read(index)?);
    }
    sources.no_index |= options.no_index.is_some();
    sources.prereleases |= options.pre.all.is_some();
    sources.prereleases_of.extend(options.pre.names.keys().map(ToString::to_string));
    Ok(sources)
}

/// Returns the origin's URL of an index.
fn url(
    location: &Location,
    place: &Place,
    folder: &Path,
    context: &Context<'_>,
) -> Result<Url, PipError> {
    let wrong = |code, message: String, help: &str| {
        let finding = Finding::new(code, message).at(place.clone()).with_help(help);
        PipError::Line(Box::new(finding))
    };
    let text = match location {
        Location::Url(text) => text,
        Location::Path(candidates) => {
            let found = candidates.iter().map(|path| folder.join(path)).find(|path| path.exists());
            let Some(path) = found.and_then(|path| std::path::absolute(path).ok()) else {
                let message = "the path of this line doesn't exist".to_owned();
                return Err(wrong(Code::PipOption, message, "write a path relative to this file"));
            };
            let url = if path.is_dir() {
                Url::from_directory_path(path)
            } else {
                Url::from_file_path(path)
            };
            let message = || "the path of this line has no URL".to_owned();
            return url.map_err(|()| wrong(Code::PipOption, message(), "name another folder"));
        }
    };
    let value = |name: &str| context.variables.get(name).cloned();
    let expanded = text.expand(&value).map_err(|unset| {
        let help = "set the variable, or write the address without it";
        wrong(Code::PipVariable, format!("the variable {} isn't set", unset.name), help)
    })?;
    let url = Url::parse(expanded.expose()).map_err(|error| {
        wrong(Code::PipOption, format!("this isn't a URL: {error}"), "write `https://host/simple/`")
    })?;
    Ok(register_index(context.client, url))
}
