//! Interruptions by Ctrl-C, and the requests after them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use envlock_report::{AsFindings as _, Exit};
use envlock_testkit::{ScriptedAnswer, ScriptedServer};
use envlock_vault::{ProbeError, ProbeReport};
use serde_json::json;

use crate::support::{
    APPROLE, APPROLE_LOGIN, CAPABILITIES, HEALTH, JWT_LOGIN, REVOKE, TOKEN, TestJob, count,
    finding_of, login, requests_of, server,
};

/// Interrupts once, after this request.
fn once_asked(
    script: &Arc<ScriptedServer>,
    request: &'static str,
) -> impl Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Sync {
    let (script, pressed) = (Arc::clone(script), Arc::new(AtomicBool::new(false)));
    move || {
        let (script, pressed) = (Arc::clone(&script), Arc::clone(&pressed));
        Box::pin(async move {
            while pressed.load(Ordering::Relaxed) || count(&script, request) == 0 {
                tokio::task::yield_now().await;
            }
            pressed.store(true, Ordering::Relaxed);
        })
    }
}

fn interrupted(report: ProbeReport) {
    let failure = report.facts.unwrap_err();
    assert_eq!((&failure, failure.exit()), (&ProbeError::Interrupted, Exit::Undetermined));
    assert_eq!(finding_of(&failure).code.as_str(), "interrupted");
    assert_eq!(report.findings, []);
}

#[test]
fn the_token_is_revoked_if_the_run_is_interrupted_after_the_login() {
    for (method, path, request) in [
        ("GET", "auth/token/lookup-self", crate::support::LOOKUP),
        ("POST", "sys/capabilities-self", CAPABILITIES),
        ("GET", "sys/internal/ui/mounts/*", crate::support::MOUNT),
        ("GET", "secret/metadata/*", crate::support::METADATA),
        ("GET", "secret/subkeys/*", crate::support::FIELDS),
    ] {
        let script = server("imitates a server that is stuck").answer_on(
            method,
            path,
            ScriptedAnswer::hang(),
        );
        let script = Arc::new(script);
        interrupted(TestJob::on(&script).run_until(&once_asked(&script, request)));
        assert_eq!(requests_of(&script).last().map(String::as_str), Some(REVOKE));
        assert_eq!((count(&script, request), count(&script, REVOKE)), (1, 1));
    }
}

#[test]
fn a_supplied_token_is_not_revoked_on_an_interruption() {
    let script = server("imitates a server that is stuck").answer_on(
        "POST",
        "sys/capabilities-self",
        ScriptedAnswer::hang(),
    );
    let script = Arc::new(script);
    interrupted(
        TestJob::on(&script).with_auth(TOKEN).run_until(&once_asked(&script, CAPABILITIES)),
    );
    assert_eq!(requests_of(&script).last().map(String::as_str), Some(CAPABILITIES));
}

#[test]
fn an_interruption_before_the_login_ends_at_once() {
    let script = ScriptedServer::new("imitates a server that is stuck").answer_on(
        "GET",
        "sys/health",
        ScriptedAnswer::hang(),
    );
    let script = Arc::new(script);
    interrupted(TestJob::on(&script).run_until(&once_asked(&script, HEALTH)));
    assert_eq!(requests_of(&script), [HEALTH]);
}

#[test]
fn the_token_of_a_login_that_succeeds_after_the_interruption_is_revoked() {
    // The first try fails temporarily, and the run is interrupted; the second try succeeds.
    let script = server("imitates a login that takes its time").answer_on(
        "POST",
        "auth/jwt/login",
        [ScriptedAnswer::errors(429, &[]), login(&json!({}))],
    );
    let script = Arc::new(script);
    interrupted(TestJob::on(&script).run_until(&once_asked(&script, JWT_LOGIN)));
    assert_eq!(count(&script, JWT_LOGIN), 2);
    assert_eq!(requests_of(&script).last().map(String::as_str), Some(REVOKE));
}

#[test]
fn a_login_that_fails_after_the_interruption_is_reported_as_an_interruption() {
    let script = server("imitates a login that is stuck and then lost").answer_on(
        "POST",
        "auth/approle/login",
        ScriptedAnswer::hang(),
    );
    let script = Arc::new(script);
    let job =
        TestJob { timeout: Duration::from_millis(200), ..TestJob::on(&script).with_auth(APPROLE) };
    interrupted(job.run_until(&once_asked(&script, APPROLE_LOGIN)));
    assert_eq!(requests_of(&script), [HEALTH, APPROLE_LOGIN]);
}

#[test]
fn a_login_without_an_answer_has_a_short_time_limit_after_an_interruption() {
    // The timeout of an answer is an hour; after an interruption it is short.
    let script = server("imitates a login that is stuck").answer_on(
        "POST",
        "auth/jwt/login",
        ScriptedAnswer::hang(),
    );
    let script = Arc::new(script);
    let job = TestJob { timeout: Duration::from_hours(1), ..TestJob::on(&script) };
    let report = job.run_until(&once_asked(&script, JWT_LOGIN));
    assert_eq!(report.facts, Err(ProbeError::Interrupted));
    let [finding] = report.findings.try_into().unwrap();
    assert!(finding.code == "logout-failed" && finding.message.contains("login was interrupted"));
    assert_eq!(requests_of(&script), [HEALTH, JWT_LOGIN]);
}

#[test]
fn a_logout_without_an_answer_is_reported_at_the_second_interruption() {
    let script = server("imitates a server that is stuck")
        .answer_on("POST", "sys/capabilities-self", ScriptedAnswer::hang())
        .answer_on("POST", "auth/token/revoke-self", ScriptedAnswer::hang());
    let script = Arc::new(script);
    let (first, second) = (once_asked(&script, CAPABILITIES), once_asked(&script, REVOKE));
    let both = || -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let (first, second) = (first(), second());
        Box::pin(async move {
            tokio::select! {
                () = first => {}
                () = second => {}
            }
        })
    };
    let job = TestJob { timeout: Duration::from_hours(1), ..TestJob::on(&script) };
    let report = job.run_until(&both);
    assert_eq!(report.facts, Err(ProbeError::Interrupted));
    let [finding] = report.findings.try_into().unwrap();
    assert_eq!(finding.code.as_str(), "logout-failed");
    assert_eq!(
        finding.help.as_deref(),
        Some("revoke it: `bao token revoke -accessor scripted-accessor`")
    );
    assert_eq!((count(&script, CAPABILITIES), count(&script, REVOKE)), (1, 1));
}
