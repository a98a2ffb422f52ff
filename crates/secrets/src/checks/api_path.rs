//! `api-path` and `kv2-data-path`: a need names the path of the server's API, or repeats its mount
//! in its path.

use envlock_model::needs::{Location, Need};
use envlock_policy::{Engine, LocatorKind};
use envlock_report::{Code, Finding};
use envlock_text::Pos;

use super::checked_profile::CheckedProfile;
use crate::manifest::{Manifest, ResolvedNeed};

/// Reports needs, and overrides of profiles, whose mount or path isn't what their author meant.
pub(super) fn check(manifest: &Manifest, findings: &mut Vec<Finding>) {
    for (name, need) in &manifest.needs {
        findings.extend(of_need(manifest, name, need, need.mount_pos, need.locator_pos));
    }
    for (profile, own) in &manifest.profiles {
        for (name, change) in &own.overrides {
            let Some(base) = manifest.needs.get(name) else { continue };
            let mut need = base.clone();
            if let Some(mount) = &change.mount {
                need.mount.clone_from(mount);
            }
            if let Some(locator) = &change.locator {
                need.locator = need.locator.with_name(&locator.name);
            }
            // What the base says is reported with the base.
            if Location::intended(base.engine, &base.mount, base.locator.name()).is_some() {
                continue;
            }
            let found = of_need(manifest, name, &need, change.mount_pos, change.locator_pos);
            findings.extend(found.into_iter().map(|finding| finding.in_profile(profile)));
        }
    }
}

/// The location that the need means, unless the manifest accepts the one that it names.
pub(super) fn intended(manifest: &Manifest, name: &str, need: &Need) -> Option<Location> {
    let accepts = |code| {
        let of_need = |need: &Option<String>| need.as_deref() == Some(name);
        manifest.accept.iter().any(|allowed| allowed.code == code && of_need(&allowed.need))
    };
    let meant = Location::intended(need.engine, &need.mount, need.locator.name())?;
    (!accepts(code(need, &meant))).then_some(meant)
}

/// Whether a need of the profile doesn't name the location that it means.
pub(super) fn is_in_profile(checked: &CheckedProfile<'_>) -> bool {
    let meant = |need: &ResolvedNeed| intended(checked.manifest, &need.name, &need.need);
    checked.profile.needs.iter().any(|need| meant(need).is_some())
}

/// The lines of the manifest that name `location`: those that differ from what `need` says.
pub(super) fn lines(need: &Need, location: &Location) -> String {
    let mount = format!("`mount: {}`", location.mount);
    let name = format!("`{}: {}`", need.locator.kind().key(), location.name);
    let changed = [
        (need.mount != location.mount).then_some(mount),
        (need.locator.name() != location.name).then_some(name),
    ];
    changed.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}

/// `data/` in a kv2 path has a code of its own: it is by far the most common one.
fn code(need: &Need, meant: &Location) -> Code {
    let data = need.locator.name().strip_prefix("data/");
    let only_data = need.mount == meant.mount && data == Some(meant.name.as_str());
    if need.engine == Engine::Kv2 && only_data { Code::Kv2DataPath } else { Code::ApiPath }
}

fn of_need(
    manifest: &Manifest,
    name: &str,
    need: &Need,
    mount_pos: Pos,
    locator_pos: Pos,
) -> Vec<Finding> {
    let (engine, mount, own) = (need.engine, &need.mount, need.locator.name());
    let Some(meant) = Location::intended(engine, mount, own) else { return Vec::new() };
    let (code, key) = (code(need, &meant), need.locator.kind().key());
    let finding = |message: String, pos: Pos, line: String| {
        Finding::new(code, message)
            .at(manifest.place(pos))
            .with_help(format!("write `{line}`"))
            .about_need(name)
    };
    let mut findings = Vec::new();
    if meant.mount != *mount {
        let extra = part_beside(mount, &meant.mount);
        let message =
            format!("the mount of need {name} contains `{extra}`, which isn't part of a mount");
        let note =
            format!("if an engine is really mounted at {mount}, accept the finding with `allow:`");
        let line = format!("mount: {}", meant.mount);
        findings.push(finding(message, mount_pos, line).with_note(note));
    }
    if meant.name != own {
        let extra = part_beside(own, &meant.name);
        let below_mount = extra.strip_prefix(&meant.mount).and_then(|rest| rest.strip_prefix('/'));
        let why = match below_mount {
            Some("") => "its mount",
            Some(_) => "which the client adds itself",
            None if extra.starts_with("v1/") => "which the client adds itself",
            None if engine == Engine::Kv2 => "which kv2 adds itself",
            None => "which the engine adds itself",
        };
        let message = format!("the {key} of need {name} starts with `{extra}`, {why}");
        let note = format!(
            "if {} is really named {own}, accept the finding with `allow:`",
            match need.locator.kind() {
                LocatorKind::Path => "the secret",
                LocatorKind::Role => "the role",
                LocatorKind::Key => "the key",
            }
        );
        let line = format!("{key}: {}", meant.name);
        findings.push(finding(message, locator_pos, line).with_note(note));
    }
    findings
}

/// The part of `text` before or after `inner`.
fn part_beside<'t>(text: &'t str, inner: &str) -> &'t str {
    match text.split_once(inner) {
        Some(("", after)) => after.trim_start_matches('/'),
        Some((before, _)) => before,
        None => text,
    }
}
