//! Checks of each source of each channel: whether it delivers an index, in which format, how old
//! it is. The responses also show whether this machine's clock is right.

use std::time::SystemTime;

use envlock_channel::{Channel, Client, Probe, SourceError};
use envlock_model::{channel::display_name, lock_inputs::RequestedChannel};
use rattler_conda_types::Subdir;

use super::CheckResult;
use crate::Context;

/// The maximum age of a mirror's index compared with its origin's, in seconds.
const TOO_OLD: u64 = 48 * 60 * 60;
/// The maximum error of the clock, in seconds. Certificates and ages depend on the clock.
const TOO_FAR_OFF: u64 = 5 * 60;

pub(super) async fn checks(
    channels: &[RequestedChannel],
    now: jiff::Timestamp,
    context: &Context<'_>,
) -> Vec<CheckResult> {
    let mut checks = Vec::new();
    let mut times = Vec::new();
    for url in channels.iter().flat_map(|channel| &channel.urls) {
        let channel = Channel { name: display_name(url), url: url.clone(), multichannel: None };
        let host = context.client.probe(&channel, context.host).await;
        let noarch = context.client.probe(&channel, Subdir::NoArch).await;
        times.extend(host.iter().chain(&noarch).filter_map(|p| p.result.as_ref().ok()?.now));
        if host.is_empty() {
            let reason = no_source(context.client.is_offline());
            let message = format!("{}: not checked: {reason}", channel.name);
            checks.push(CheckResult::unknown("source", message));
            continue;
        }
        checks.extend(channel_checks(&channel, context.host, &host, &noarch));
    }
    checks.extend(clock(SystemTime::from(now), &times));
    checks
}

fn channel_checks(
    channel: &Channel,
    platform: Subdir,
    host: &[Probe],
    noarch: &[Probe],
) -> Vec<CheckResult> {
    let is_absent = |probe: &Probe| matches!(probe.result, Err(SourceError::Absent(_)));
    let is_absent_everywhere = host.iter().chain(noarch).all(is_absent);
    if is_absent_everywhere {
        let message = format!("{}: no source has {platform} nor noarch", channel.name);
        let help =
            Client::suggested_name(channel).unwrap_or_else(|| "is the name right?".to_owned());
        return vec![CheckResult::failed("source", message, help)];
    }
    let origin = host.iter().find(|probe| probe.source.is_origin);
    let made_at_origin = origin.and_then(|probe| probe.result.as_ref().ok()?.modified);
    let another_source_delivers = |probe: &Probe| {
        host.iter().any(|other| other.source != probe.source && other.result.is_ok())
    };
    host.iter()
        .zip(noarch)
        .map(|(probe, noarch)| {
            let at = format!("{} at {}", channel.name, probe.source.label);
            match (&probe.result, &noarch.result) {
                (Ok(alive), _) => {
                    let mut message = format!("{at}: {platform} as {}", alive.format);
                    let behind = made_at_origin
                        .filter(|_| !probe.source.is_origin)
                        .zip(alive.modified)
                        .map(|(origin, here)| seconds(origin.duration_since(here)));
                    match behind {
                        Some(behind) if behind > TOO_OLD => {
                            message.push_str(&format!(", {} older than its origin", span(behind)));
                            return CheckResult::failed(
                                "source",
                                message,
                                "name another source first",
                            );
                        }
                        Some(behind) if behind > 0 => {
                            message.push_str(&format!(", {} older than its origin", span(behind)));
                        }
                        Some(_) => message.push_str(", as new as its origin"),
                        None => {}
                    }
                    CheckResult::ok("source", message)
                }
                (Err(SourceError::Absent(_)), Ok(alive)) => CheckResult::ok(
                    "source",
                    format!("{at}: noarch as {}, nothing for {platform}", alive.format),
                ),
                (Err(answer), _) => {
                    let message = format!("{at}: {answer}");
                    if probe.source.is_origin && another_source_delivers(probe) {
                        // Mirrors are for networks that block the origin.
                        return CheckResult::ok(
                            "source",
                            format!("{message}; its mirrors deliver"),
                        );
                    }
                    CheckResult::failed("source", message, advice(answer, probe))
                }
            }
        })
        .collect()
}

/// Why a channel has no source.
fn no_source(is_offline: bool) -> &'static str {
    if is_offline {
        "`--offline` or `offline: true` forbids requests"
    } else {
        "no mirror has the channel, and `--no-origin` excludes the channel's own server"
    }
}

fn advice(answer: &SourceError, probe: &Probe) -> String {
    match answer {
        SourceError::WebPage => {
            "open a page in a browser: the network may require a login".to_owned()
        }
        SourceError::Absent(_) if !probe.source.is_origin => {
            "this mirror doesn't have the channel: remove it for this channel".to_owned()
        }
        _ => "name another source with `--mirror PREFIX=URL`, or try again later".to_owned(),
    }
}

/// Compares the clock with the servers' clocks; `None` if no server responded.
fn clock(now: SystemTime, times: &[SystemTime]) -> Option<CheckResult> {
    let server_time = times.first()?;
    let (ahead, behind) =
        (seconds(now.duration_since(*server_time)), seconds(server_time.duration_since(now)));
    let off = ahead.max(behind);
    if off <= TOO_FAR_OFF {
        return Some(CheckResult::ok(
            "clock",
            "this machine's clock agrees with the servers' clocks",
        ));
    }
    let way = if ahead > behind { "ahead of" } else { "behind" };
    let message = format!("this machine's clock is {} {way} the servers' clocks", span(off));
    Some(CheckResult::failed(
        "clock",
        message,
        "set the clock, for example with `timedatectl set-ntp true`",
    ))
}

fn seconds<E>(span: Result<std::time::Duration, E>) -> u64 {
    span.map_or(0, |span| span.as_secs())
}

/// Formats a time span: `3 minutes`, `2 hours`, `5 days`.
fn span(seconds: u64) -> String {
    let (number, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86400, "day"),
    };
    envlock_report::count(usize::try_from(number).unwrap_or(usize::MAX), unit)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::doctor::CheckStatus;

    #[test]
    fn a_clock_is_right_within_five_minutes() {
        let server_time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let check = |now: SystemTime| {
            let check = clock(now, &[server_time]).expect("a server responded");
            (check.status, check.message)
        };
        assert_eq!(check(server_time + Duration::from_secs(299)).0, CheckStatus::Ok);
        assert_eq!(check(server_time - Duration::from_secs(299)).0, CheckStatus::Ok);
        let wrong = |words: &str| {
            let message = format!("this machine's clock is {words} the servers' clocks");
            (CheckStatus::Failed, message)
        };
        assert_eq!(check(server_time + Duration::from_hours(2)), wrong("2 hours ahead of"));
        assert_eq!(check(server_time - Duration::from_mins(10)), wrong("10 minutes behind"));
        assert!(clock(server_time, &[]).is_none());
    }

    fn probe(host: &str, is_origin: bool, days: Option<u64>) -> Probe {
        let url = url::Url::parse(&format!("https://{host}/conda-forge/linux-64/"));
        let source =
            envlock_channel::Source { url: url.unwrap(), is_origin, label: host.to_owned() };
        let made = |days| SystemTime::UNIX_EPOCH + Duration::from_hours(24 * days);
        let result = days.map_or_else(
            || Err(SourceError::NoProgress(Duration::from_secs(10))),
            |days| {
                let format = "repodata.json.zst";
                Ok(envlock_channel::IndexInfo {
                    format,
                    bytes: None,
                    modified: Some(made(days)),
                    now: None,
                })
            },
        );
        Probe { source, result }
    }

    fn statuses(probes: &[Probe]) -> Vec<(CheckStatus, String)> {
        let url = url::Url::parse("https://conda.anaconda.org/conda-forge/").unwrap();
        let channel = Channel { name: "conda-forge".to_owned(), url, multichannel: None };
        let checks = channel_checks(&channel, Subdir::Linux64, probes, probes);
        checks.into_iter().map(|check| (check.status, check.message)).collect()
    }

    #[test]
    fn a_mirror_that_is_more_than_two_days_behind_its_origin_fails() {
        let checks = statuses(&[
            probe("fresh", false, Some(100)),
            probe("slow", false, Some(99)),
            probe("stale", false, Some(90)),
            probe("origin", true, Some(100)),
        ]);
        let statuses: Vec<_> = checks.iter().map(|check| check.0).collect();
        assert_eq!(
            statuses,
            [CheckStatus::Ok, CheckStatus::Ok, CheckStatus::Failed, CheckStatus::Ok]
        );
        assert!(checks[0].1.ends_with("as new as its origin"), "{}", checks[0].1);
        assert!(checks[1].1.ends_with("24 hours older than its origin"), "{}", checks[1].1);
        assert!(checks[2].1.ends_with("10 days older than its origin"), "{}", checks[2].1);
    }

    #[test]
    fn a_blocked_origin_is_ok_if_a_mirror_delivers_but_not_a_blocked_mirror() {
        let with_blocked =
            |is_origin: bool| [probe("a", !is_origin, Some(1)), probe("b", is_origin, None)];
        assert_eq!(statuses(&with_blocked(true))[1].0, CheckStatus::Ok);
        assert_eq!(statuses(&with_blocked(false))[1].0, CheckStatus::Failed);
    }
}
