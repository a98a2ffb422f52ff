//! `wrong-engine`: the server has another engine or another mount at the need's path.

use envlock_report::{Code, Finding, one_line};

use super::evaluation::OnlineEvaluation;
use super::state::NeedState;
use crate::facts::Mount;
use envlock_model::needs::{Locator, Need};
use envlock_policy::Engine;

pub(super) fn check(online: &OnlineEvaluation<'_>, findings: &mut Vec<Finding>) {
    for (resolved, state) in online.needs() {
        let NeedState::WrongMount(mount) = state else { continue };
        let need = &resolved.need;
        let (message, help) = if mount.serves(need.engine) {
            (
                format!(
                    "the manifest has `mount: {}`, and the server serves {}/{} from the mount {}",
                    need.mount,
                    need.mount,
                    need.locator.name(),
                    one_line(&mount.path)
                ),
                other_mount(need, mount),
            )
        } else {
            (
                format!(
                    "the manifest has `engine: {}`, and {} is mounted at {}",
                    need.engine,
                    kind(mount),
                    one_line(&mount.path)
                ),
                other_engine(mount),
            )
        };
        let mut finding = Finding::new(Code::WrongEngine, message).with_help(help);
        if need.engine == Engine::Kv2 || mount.kv_version == Some(2) {
            let note = "kv2 reads below data/, and kv1 doesn't: if the versions are confused, the need is \
                        reported as `request-denied`";
            finding.add_note(note);
        }
        findings.push(online.checked.finding(&resolved.name, finding));
    }
}

/// Whether the mount is that of the need.
pub(super) fn fits(need: &Need, mount: &Mount) -> bool {
    mount.path == need.mount && mount.serves(need.engine)
}

/// `generic` is the oldest name of kv version 1.
fn is_kv(mount: &Mount) -> bool {
    matches!(mount.kind.as_str(), "kv" | "generic")
}

fn kind(mount: &Mount) -> String {
    match mount.kv_version {
        Some(version) if is_kv(mount) => format!("kv version {version}"),
        None if is_kv(mount) => "kv version 1".to_owned(),
        _ => format!("the engine {}", one_line(&mount.kind)),
    }
}

/// The help: the `mount:` and `path:` that match the server.
fn other_mount(need: &Need, mount: &Mount) -> String {
    let whole = need.location();
    let below = whole.strip_prefix(&mount.path).and_then(|rest| rest.strip_prefix('/'));
    let path = one_line(&mount.path);
    match below {
        Some(below) if matches!(need.locator, Locator::Path(_)) => {
            format!("write `mount: {path}` and `path: {below}`")
        }
        _ => format!("write `mount: {path}`"),
    }
}

/// The help: the values of `engine:` that match the mount.
fn other_engine(mount: &Mount) -> String {
    let fitting: Vec<_> = Engine::all()
        .filter(|engine| mount.serves(*engine))
        .map(|engine| format!("`engine: {engine}`"))
        .collect();
    if fitting.is_empty() {
        "correct `mount:`: envlock supports no engine of that type".to_owned()
    } else {
        format!("write {}, or correct `mount:`", fitting.join(" or "))
    }
}
