//! Converts each reason to a finding. All texts are here.

use std::fmt;

use envlock_model::lock_inputs::Priority;
use envlock_report::{Code, Finding};
use rattler_conda_types::Subdir;

use super::reason::{
    ConflictStep, ExcludedRequirement, HiddenDependencyText, KeyValues, ReasonKind, RequestLine,
    StepOutcome, Suggestion, TriedWith, UnsolvableReason, Versions,
};

/// How many hidden packages are named.
const MAX_NAMED: usize = 5;

impl UnsolvableReason {
    /// Converts the reason to a finding. It names its platforms unless the reason applies to all
    /// `platforms` of the run.
    pub fn finding(&self, platforms: usize) -> Finding {
        let mut finding = self.to_finding();
        finding.place = self.place().cloned();
        if self.platforms.len() == platforms {
            return finding;
        }
        let on: Vec<_> = self.platforms.iter().map(|platform| format!("on {platform}")).collect();
        finding.with_note(on.join(", "))
    }

    fn to_finding(&self) -> Finding {
        match &self.kind {
            ReasonKind::UnmetVirtualPackage { package, platform, assumed, value } => {
                let text = self.text();
                let has = assumed.clone().unwrap_or_else(|| format!("no {package}"));
                let message =
                    format!("`{text}` is requested, but {platform} is assumed to have {has}");
                let help = match value {
                    Some(value) => {
                        format!("if the machines have it, solve with `--virtual-package {value}`")
                    }
                    None => format!(
                        "remove it, or write it for its platforms only; no machine of {platform} has \
                         it"
                    ),
                };
                Finding::new(Code::VirtualPackageUnusable, message).with_help(help)
            }
            ReasonKind::UnknownPackage { package, platform, searched, other_name, nearest } => {
                let message = format!("no channel has a package named {package} for {platform}");
                let finding = Finding::new(Code::UnknownPackage, message)
                    .with_note(format!("searched: {}", searched.join(", ")));
                finding.with_help(match (other_name, nearest) {
                    (Some((other, channels)), _) => {
                        format!(
                            "conda has it as {other} (in {}): write `{other}`",
                            channels.join(", ")
                        )
                    }
                    (None, Some((near, channels))) => {
                        format!("the nearest name is {near} (in {})", channels.join(", "))
                    }
                    (None, None) => {
                        "check the name, or add the channel that has it to `channels:`".into()
                    }
                })
            }
            ReasonKind::MalformedRecords { package, platform, records } => {
                let message = format!(
                    "no record of {package} for {platform} in the channels' indexes can be read"
                );
                Finding::new(Code::IndexRecordMalformed, message)
                    .with_list("malformed:", records)
                    .with_help(
                        "report it to the maintainers of the channel, or try another source with \
                         `--mirror PREFIX=URL`",
                    )
            }
            ReasonKind::TooNew { usable } => {
                let message =
                    format!("every record that matches `{}` is newer than allowed", self.text());
                Finding::new(Code::ExcludedByDate, message)
                    .with_note("a record without a timestamp counts as too new")
                    .with_help(format!(
                        "allow newer records with a later `--exclude-newer`, or request a version \
                         that is old enough: {usable}"
                    ))
            }
            ReasonKind::NoSha256 { usable } => {
                let text = self.text();
                let message =
                    format!("every record that matches `{text}` lacks a sha256 in its index");
                Finding::new(Code::NoSha256, message)
                    .with_note("a package that can't be verified is never locked")
                    .with_help(format!("request another version: {usable}"))
            }
            ReasonKind::NotInChannel { package, platform, requested_channel, other } => {
                not_in_channel(package, *platform, requested_channel.as_deref(), other.as_deref())
            }
            ReasonKind::NotInSubdir { package, subdir, platform, found_in, line } => {
                let message = format!(
                    "no {package} of {subdir} can be used on {platform}: it is in {}",
                    found_in.join(", ")
                );
                Finding::new(Code::NotInSubdir, message)
                    .with_note(format!("searched for {platform}: {platform} and noarch"))
                    .with_help(format!("write `{line}`"))
            }
            ReasonKind::OtherChannel { package, spec, requested_channel, available, other } => {
                let message = format!("{requested_channel} has no {package} that matches `{spec}`");
                Finding::new(Code::NoSuchVersion, message)
                    .with_note(format!("{requested_channel} has: {available}"))
                    .with_help(format!("{other} has it: write `{other}::{spec}`"))
            }
            ReasonKind::HiddenChannel { package, spec, used, available, other } => {
                let message = format!(
                    "strict channel priority uses {used} for {package}, so that of {other} is hidden"
                );
                Finding::new(Code::HiddenByPriority, message)
                    .with_note(format!(
                        "{used} comes first and has {package}, but no version that matches \
                         `{spec}`: {available}"
                    ))
                    .with_help(format!("write `{other}::{spec}`, or list {other} before {used}"))
            }
            ReasonKind::NoSuchBuild { line, differing } => {
                let message = format!("no build of `{line}` matches `{}`", self.text());
                let mut finding = Finding::new(Code::NoSuchBuild, message);
                for KeyValues { key, listed, is_cut } in differing {
                    let more = if *is_cut { ", …" } else { "" };
                    finding = finding.with_note(format!("{key} is {}{more}", listed.join(", ")));
                }
                finding.with_help(format!("write `{line}` for any build"))
            }
            ReasonKind::NoSuchVersion {
                package,
                requested_version,
                versions,
                blocked,
                suggestion,
            } => {
                let finding =
                    no_such_version(package, requested_version, versions, blocked.as_ref());
                match suggestion {
                    Some(suggestion) => finding.with_help(suggestion_help(package, suggestion)),
                    None => finding,
                }
            }
            ReasonKind::Conflict {
                steps,
                solver_message,
                virtual_package,
                insufficient_virtual_package,
                instead,
            } => {
                let finding = self.conflict(steps, solver_message.as_deref(), instead);
                match (virtual_package, insufficient_virtual_package) {
                    (Some(value), _) => finding.with_help(format!(
                        "if the machines have it, solve with `--virtual-package {value}`"
                    )),
                    (None, Some(value)) if instead.is_empty() => finding.with_help(format!(
                        "if the machines have it, solve with `--virtual-package {value}`; there are \
                         other reasons, which are explained then"
                    )),
                    (None, None) if instead.is_empty() => match missing_on_platform(steps) {
                        Some(package) => finding.with_help(format!(
                            "request another version: no channel has {package}, and no machine of \
                             the platform"
                        )),
                        None => finding,
                    },
                    (None, _) => finding,
                }
            }
            ReasonKind::SamePackage { package, usable } => {
                let message =
                    format!("no version of {package} matches all of these lines: {}", self.texts());
                let mut finding = Finding::new(Code::DependencyConflict, message);
                for note in self.others().chain([format!("the channels have: {usable}")]) {
                    finding = finding.with_note(note);
                }
                finding.with_help("keep one of these lines")
            }
            ReasonKind::HiddenByPriority { needs, lines } => self.hidden(needs, lines),
        }
    }

    /// Returns the text of the first request.
    fn text(&self) -> &str {
        self.requests.first().map_or("", |request| &request.text)
    }

    /// Returns the texts of all requests in one line.
    fn texts(&self) -> String {
        let texts = self.requests.iter().map(|request| format!("`{}`", request.text));
        texts.collect::<Vec<_>>().join(", ")
    }

    /// Returns the texts and places of the requests but the first.
    fn others(&self) -> impl Iterator<Item = String> {
        self.requests.iter().skip(1).map(|RequestLine { text, place }| {
            format!("{}:{} requests `{text}`", place.file, place.line)
        })
    }

    fn conflict(
        &self,
        steps: &[ConflictStep],
        solver_message: Option<&str>,
        instead: &[String],
    ) -> Finding {
        let (message, help) = match self.requests.as_slice() {
            [one] => (
                format!("`{}` can't be installed: a dependency isn't available", one.text),
                "request another version, or add the channel that has the dependency",
            ),
            requests => (
                format!("these {} lines can't be met together: {}", requests.len(), self.texts()),
                "loosen one of these lines",
            ),
        };
        let mut finding = Finding::new(Code::DependencyConflict, message);
        let platform = self.platforms.first().copied().filter(|_| self.platforms.len() == 1);
        let steps = steps.iter().map(|step| step.text(platform));
        for note in self.others().chain(steps).chain(solver_message.map(str::to_owned)) {
            finding = finding.with_note(note);
        }
        finding.with_help(match instead {
            [] => help.to_owned(),
            lines => {
                let lines: Vec<_> = lines.iter().map(|line| format!("`{line}`")).collect();
                format!("write {}", lines.join(" or "))
            }
        })
    }

    fn hidden(&self, needs: &[HiddenDependencyText], lines: &[String]) -> Finding {
        let (channel, used) =
            needs.first().map_or(("", ""), |need| (need.channel.as_str(), need.used.as_str()));
        let hidden: Vec<_> =
            needs.iter().take(MAX_NAMED).map(|need| need.package.as_str()).collect();
        let more = if needs.len() > MAX_NAMED { ", …" } else { "" };
        let are_hidden = if needs.len() == 1 {
            format!("that of {channel} is hidden")
        } else {
            format!("those of {channel} are hidden")
        };
        let message = format!(
            "{} can't be met: strict channel priority uses {used} for {}{more}, so {are_hidden}",
            self.texts(),
            hidden.join(", "),
        );
        let mut finding = Finding::new(Code::HiddenByPriority, message);
        for other in self.others() {
            finding = finding.with_note(other);
        }
        for need in needs.iter().take(MAX_NAMED) {
            let mut path: Vec<_> = need.path.iter().map(String::as_str).collect();
            path.push(&need.spec);
            finding = finding.with_note(format!(
                "{}: {} comes first and has {}, so {} of {} is ignored",
                path.join(" -> "),
                need.used,
                need.available,
                need.version,
                need.channel,
            ));
        }
        let reorder = format!("list {channel} before {used} in `channels:`");
        finding.with_help(if lines.is_empty() {
            reorder
        } else {
            let lines: Vec<_> = lines.iter().map(|line| format!("`{line}`")).collect();
            let lines = lines.join(", ");
            format!("{reorder}; or name the channel in the dependencies: write {lines}")
        })
    }
}

/// Returns the virtual package that the steps miss.
fn missing_on_platform(steps: &[ConflictStep]) -> Option<&str> {
    let is_missing = |step: &&ConflictStep| matches!(step.outcome, StepOutcome::NotAssumed { .. });
    steps.iter().find(is_missing).map(|step| step.needed.as_str())
}

impl ConflictStep {
    fn text(&self, platform: Option<Subdir>) -> String {
        let Self { assuming, packages, needed, needs, outcome } = self;
        let verb =
            if packages.contains(" and ") || packages.contains(" to ") { "need" } else { "needs" };
        let case = assuming.as_ref().map(|case| format!("with {case}, ")).unwrap_or_default();
        let text = format!("{case}{packages} {verb} {needs}");
        match outcome {
            StepOutcome::Excluded => text,
            StepOutcome::RequestedOtherwise { line, version } => {
                let RequestLine { place, .. } = line;
                format!("{text}, but {}:{} requests {version}", place.file, place.line)
            }
            StepOutcome::NoSuchPackage => format!("{text}, but no channel has {needed}"),
            StepOutcome::OtherVersions { available } => {
                format!("{text}, but the channels have only {available}")
            }
            StepOutcome::NotAssumed { assumed } => {
                let platform = platform.map_or("the machine", Subdir::as_str);
                let has = assumed.clone().unwrap_or_else(|| format!("no {needed}"));
                format!("{text}, but {platform} is assumed to have {has}")
            }
        }
    }
}

fn not_in_channel(
    package: &str,
    platform: Subdir,
    requested_channel: Option<&str>,
    other: Option<&str>,
) -> Finding {
    let (message, help) = match (requested_channel, other) {
        (Some(channel), Some(other)) => (
            format!("{channel} has no package named {package} for {platform}"),
            format!("{other} has it: write `{other}::{package}`, or `{package}`"),
        ),
        (None, Some(other)) => (
            format!("no channel of `channels:` has a package named {package}"),
            format!(
                "{other} has it, but is searched only for packages that are requested from it: write \
                 `{other}::{package}`, or add {other} to `channels:`"
            ),
        ),
        (_, None) => (
            format!("no record of {package} can be used on {platform}"),
            "request it without a channel or a subdir".to_owned(),
        ),
    };
    Finding::new(Code::NotInChannel, message).with_help(help)
}

fn no_such_version(
    package: &str,
    requested_version: &str,
    versions: &Versions,
    blocked: Option<&ExcludedRequirement>,
) -> Finding {
    let mut message = format!("there is no {package} {requested_version}");
    let nearest = versions.listed.first();
    if let Some(near) = nearest {
        message = format!("{message}; the nearest is {near}");
    }
    if let Some(ExcludedRequirement { dependency, version, by, by_version, .. }) = blocked {
        message = format!(
            "{message}, which needs {} {version}, but {}:{} requests {by_version}",
            capitalised(dependency),
            by.place.file,
            by.place.line,
        );
    }
    let finding = Finding::new(Code::NoSuchVersion, message)
        .with_note(format!("versions, the nearest first: {versions}"));
    match (blocked, nearest) {
        (Some(blocked), Some(near)) => {
            finding.with_note(format!("{package} {near} depends on `{}`", blocked.needs))
        }
        _ => finding,
    }
}

fn suggestion_help(package: &str, suggestion: &Suggestion) -> String {
    match suggestion {
        Suggestion::Nearest {
            version,
            line,
            is_nearest_existing,
            machine,
            priority,
            tried_with,
        } => {
            let flags = flags(machine.as_deref(), *priority);
            let nearest = format!("the nearest that fits {tried_with} is {version}");
            match machine {
                None if *is_nearest_existing => format!("write `{line}`{flags}"),
                None => format!("{nearest}: write `{line}`{flags}"),
                Some(has) => format!("{nearest}, for machines with {has}: write `{line}`{flags}"),
            }
        }
        Suggestion::Any { version, line, priority, tried_with } => {
            let flags = flags(None, *priority);
            format!("one that fits {tried_with} is {version}: write `{line}`{flags}")
        }
        Suggestion::NoneFits { tried_with: None } => {
            format!(
                "no version of {package} can be used: each has a requirement that no record meets"
            )
        }
        Suggestion::NoneFits { tried_with: Some(lines) } => {
            format!("no version of {package} fits {lines}: loosen one of these")
        }
    }
}

/// Returns the flags that a suggestion needs, in addition to its line.
fn flags(machine: Option<&str>, priority: Option<Priority>) -> String {
    let priority = priority.map(|priority| format!("--channel-priority {}", priority.as_str()));
    let machine = machine.map(|package| format!("--virtual-package {package}=VERSION"));
    let flags: Vec<_> = machine.into_iter().chain(priority).collect();
    if flags.is_empty() { String::new() } else { format!(" and solve with `{}`", flags.join(" ")) }
}

impl fmt::Display for TriedWith {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherLines => "the other lines",
            Self::SatisfiableLines => "the other lines that can be met",
        })
    }
}

/// Capitalises Python in messages. Other names stay unchanged.
fn capitalised(package: &str) -> &str {
    if package == "python" { "Python" } else { package }
}
