//! Reads one requirement, with the rules by which pip decides what it is.

use std::path::{Component, Path, PathBuf};

use envlock_report::Code;

use super::address::{self, Named};
use super::named::{self, Head};
use super::not_pip;
use super::problem::Problem;
use super::requirement::{Marker, RequirementKind};
use super::variables::references;

/// Reads requirements of lines whose relative paths start at `folder`, a path relative to the
/// project.
#[derive(Debug)]
pub(super) struct RequirementParser<'a> {
    pub(super) folder: &'a Path,
    pub(super) warnings: Vec<Problem>,
}

/// What a text requires, and where.
pub(super) type Parsed = (RequirementKind, Option<Marker>);

impl RequirementParser<'_> {
    /// Reads a requirement without its options.
    pub(super) fn requirement(&mut self, text: &str) -> Result<Parsed, Problem> {
        if let Some(problem) = not_pip::recognise(text) {
            return Err(problem);
        }
        // In a URL a `;` can be a part of the address.
        let separator = if address::scheme(text).is_some() { "; " } else { ";" };
        let (body, marker) = match text.find(separator) {
            Some(at) => (&text[..at], self.marker(&text[at + 1..], at + 1)?),
            None => (text, None),
        };
        let body = body.trim_end();
        if address::scheme(body).is_some() {
            return Ok((self.url(body, None, false)?, marker));
        }
        if let Some((front, _)) = body.split_once('@').filter(|(front, _)| !is_path(front)) {
            if let Some(problem) = repository_without_scheme(body) {
                return Err(problem);
            }
            if !front.trim().is_empty() {
                return Ok((self.named_url(body, front.len(), false)?, marker));
            }
        }
        if is_path(body) && !has_operator(body) || is_bare_archive(body) {
            return Ok((self.path(body, false)?, marker));
        }
        Ok((named_requirement(body)?, marker))
    }

    /// Reads the value of `-e`.
    pub(super) fn editable(&mut self, text: &str) -> Result<Parsed, Problem> {
        if let Some(problem) = not_pip::recognise(text) {
            return Err(problem);
        }
        if address::scheme(text).is_some() {
            return Ok((self.url(text, None, true)?, None));
        }
        if let Some((front, _)) = text.split_once('@').filter(|(front, _)| !is_path(front)) {
            if let Some(problem) = repository_without_scheme(text) {
                return Err(problem);
            }
            let (body, marker) = match text.find(';') {
                Some(at) => (text[..at].trim_end(), self.marker(&text[at + 1..], at + 1)?),
                None => (text, None),
            };
            return Ok((self.named_url(body, front.len(), true)?, marker));
        }
        let is_file = address::is_archive(text.trim_end_matches('/')) || has_operator(text);
        if is_file {
            let message = "`-e` needs the folder of a project, or a git repository";
            let help = "write `-e ./folder`, or remove `-e`";
            return Err(Problem::syntax(0..text.len(), message, help));
        }
        Ok((self.path(text, true)?, None))
    }

    fn marker(&mut self, text: &str, at: usize) -> Result<Option<Marker>, Problem> {
        refuse_variables(text, "a marker").map_err(|problem| problem.moved(at))?;
        let known = self.warnings.len();
        let marker = named::marker(text, &mut self.warnings);
        for warning in &mut self.warnings[known..] {
            *warning = warning.clone().moved(at);
        }
        marker.map_err(|problem| problem.moved(at))
    }

    fn url(
        &mut self,
        text: &str,
        named: Named,
        editable: bool,
    ) -> Result<RequirementKind, Problem> {
        let kind = address::read(text, named, editable, &mut self.warnings)?;
        let RequirementKind::Path { name, extras, path, subdirectory, hashes, .. } = kind else {
            return Ok(kind);
        };
        refuse_variables(text, "a path")?;
        let path = self.local(&path, text.len(), editable)?;
        Ok(RequirementKind::Path { name, extras, path, editable, subdirectory, hashes })
    }

    /// Reads `name[extra] @ URL`. `at` is the offset of the `@`.
    fn named_url(
        &mut self,
        text: &str,
        at: usize,
        editable: bool,
    ) -> Result<RequirementKind, Problem> {
        refuse_variables(&text[..at], "a name")?;
        let Head { name, extras, end } = named::head(text)?;
        if end < at {
            return Err(not_pip::explain_rest(&text[..at], &name, end));
        }
        let url = text[at + 1..].trim_start();
        let start = text.len() - url.len();
        if url.is_empty() {
            let help = format!("write it like `{name} @ https://example.org/{name}-1.0.zip`");
            return Err(Problem::syntax(at..at + 1, "no URL follows this `@`", help));
        }
        if address::scheme(url).is_none() {
            let message = format!("`{url}` isn't a URL");
            let help = if is_path(url) {
                format!("write the path alone, as in `{url}`")
            } else {
                format!("start with the scheme, as in `{name} @ https://…`")
            };
            return Err(Problem::syntax(start..text.len(), message, help));
        }
        let known = self.warnings.len();
        let kind = self.url(url, Some((name, extras)), editable);
        for warning in &mut self.warnings[known..] {
            *warning = warning.clone().moved(start);
        }
        kind.map_err(|problem| problem.moved(start))
    }

    fn path(&mut self, text: &str, editable: bool) -> Result<RequirementKind, Problem> {
        refuse_variables(text, "a path")?;
        if text.contains('\\') {
            let help = format!("write `{}`", text.replace('\\', "/"));
            let at = text.find('\\').unwrap_or_default();
            return Err(Problem::syntax(at..at + 1, "a path is written with `/`", help));
        }
        if text.starts_with('~') {
            let help = "write a path relative to environment.yml";
            return Err(Problem::syntax(0..1, "pip doesn't replace `~` by the home folder", help));
        }
        if let Some(help) = host(text) {
            let message = "this is an address without its scheme, and would be a path";
            return Err(Problem::syntax(0..text.len(), message, help));
        }
        // pip takes the last brackets as extras.
        let open = text.rfind('[').filter(|at| *at > 0 && text.ends_with(']'));
        let (path, extras) = match open {
            Some(at) => (&text[..at], named::extras(text, at)?.0),
            None => (text, Vec::new()),
        };
        let (name, _) =
            if editable { (None, Vec::new()) } else { address::name(path, None, None)? };
        let path = self.local(Path::new(path.trim_end()), text.len(), editable)?;
        let (subdirectory, hashes) = (None, Vec::new());
        Ok(RequirementKind::Path { name, extras, path, editable, subdirectory, hashes })
    }

    /// Returns a path relative to the project.
    fn local(&self, path: &Path, length: usize, editable: bool) -> Result<PathBuf, Problem> {
        let resolved = normalised(&self.folder.join(path));
        if editable && (resolved.is_absolute() || resolved.starts_with("..")) {
            let message = "a folder outside of the project can't be locked with `-e`";
            let help = "move it into the project, remove `-e`, or name its repository: \
                        `NAME @ git+https://…`";
            return Err(Problem::error(Code::PipNotLockable, 0..length, message, help));
        }
        Ok(resolved)
    }
}

/// Returns a path without `.` and `..`, except at its start. An empty path is `.`.
pub(super) fn normalised(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => match parts.components().next_back() {
                Some(Component::Normal(_)) => {
                    parts.pop();
                }
                Some(Component::RootDir) => {}
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    if parts.as_os_str().is_empty() { PathBuf::from(".") } else { parts }
}

fn named_requirement(text: &str) -> Result<RequirementKind, Problem> {
    refuse_variables(text, "a name or version")?;
    let Head { name, extras, end } = named::head(text)?;
    let rest = &text[end..];
    let is_specifier = rest.is_empty() || rest.starts_with(['=', '<', '>', '!', '~', '(']);
    if !is_specifier {
        return Err(not_pip::explain_rest(text, &name, end));
    }
    let specifiers = named::specifiers(text, end)?;
    Ok(RequirementKind::Named { name, extras, specifiers })
}

/// Whether pip can take a text as a path: it has a slash, or starts with a dot.
fn is_path(text: &str) -> bool {
    text.contains('/') || text.starts_with(['.', '~'])
}

/// Whether a text without a slash is the name of an archive.
fn is_bare_archive(text: &str) -> bool {
    let path = text.rfind('[').filter(|_| text.ends_with(']')).map_or(text, |at| &text[..at]);
    address::is_archive(path) && !has_operator(text)
}

/// Whether a text starts with a name and an operator, such as `numpy>=1`.
fn has_operator(text: &str) -> bool {
    named::head(text).is_ok_and(|head| text[head.end..].starts_with(['=', '<', '>', '!', '~']))
}

/// Refuses a variable where its value would decide what is locked.
pub(super) fn refuse_variables(text: &str, part: &str) -> Result<(), Problem> {
    match references(text).find(|found| found.is_expanded) {
        None => Ok(()),
        Some(found) => {
            let message = format!("{part} can't depend on the variable {}", found.name);
            let help = "write the value: a variable can only be a part of a URL, so that the same \
                        file gives the same lock on every machine";
            Err(Problem::error(Code::PipVariable, found.range, message, help))
        }
    }
}

/// Recognises `git@host:owner/name.git`, which git accepts and pip doesn't.
fn repository_without_scheme(text: &str) -> Option<Problem> {
    let address = text.strip_prefix("git+").unwrap_or(text);
    let (user, rest) = address.split_once('@')?;
    let (host, path) = rest.split_once(':')?;
    let is_word = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
    };
    (is_word(user) && is_word(host) && !path.starts_with("//")).then(|| {
        let help = format!("write `git+ssh://{user}@{host}/{path}`");
        Problem::syntax(0..text.len(), "pip doesn't read this form of a git address", help)
    })
}

/// Returns help for a path that starts with the name of a well-known server.
fn host(text: &str) -> Option<String> {
    let first = text.split('/').next()?;
    let known = ["github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "gitee.com"];
    if known.contains(&first) || first.starts_with("www.") {
        Some(format!("write `git+https://{text}`"))
    } else {
        (first == "pypi.org").then(|| "write only the name of the package".to_owned())
    }
}
