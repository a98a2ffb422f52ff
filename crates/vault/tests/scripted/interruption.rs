//! Ctrl-C, and what is still done after it.

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
    APPROLE, APPROLE_LOGIN, CAPABILITIES, HEALTH, JWT_LOGIN, Job, REVOKE, TOKEN, asked, count,
    login, server, told,
};

/// Once this was asked, somebody presses Ctrl-C, one time.
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
    assert_eq!(told(&failure).code.as_str(), "interrupted");
    assert_eq!(report.findings, []);
}

#[test]
fn a_login_is_ended_when_somebody_interrupts_what_comes_after_it() {
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
        interrupted(Job::at(&script).ask_until(&once_asked(&script, request)));
        assert_eq!(asked(&script).last().map(String::as_str), Some(REVOKE));
        assert_eq!((count(&script, request), count(&script, REVOKE)), (1, 1));
    }
}

#[test]
fn a_given_token_outlives_an_interruption() {
    let script = server("imitates a server that is stuck").answer_on(
        "POST",
        "sys/capabilities-self",
        ScriptedAnswer::hang(),
    );
    let script = Arc::new(script);
    interrupted(Job::at(&script).by(TOKEN).ask_until(&once_asked(&script, CAPABILITIES)));
    assert_eq!(asked(&script).last().map(String::as_str), Some(CAPABILITIES));
}

#[test]
fn before_the_login_an_interruption_ends_at_once() {
    let script = ScriptedServer::new("imitates a server that is stuck").answer_on(
        "GET",
        "sys/health",
        ScriptedAnswer::hang(),
    );
    let script = Arc::new(script);
    interrupted(Job::at(&script).ask_until(&once_asked(&script, HEALTH)));
    assert_eq!(asked(&script), [HEALTH]);
}

#[test]
fn a_login_that_comes_through_after_the_interruption_is_ended() {
    // The first try is refused for now, and interrupted; the second one is let through.
    let script = server("imitates a login that takes its time").answer_on(
        "POST",
        "auth/jwt/login",
        [ScriptedAnswer::errors(429, &[]), login(&json!({}))],
    );
    let script = Arc::new(script);
    interrupted(Job::at(&script).ask_until(&once_asked(&script, JWT_LOGIN)));
    assert_eq!(count(&script, JWT_LOGIN), 2);
    assert_eq!(asked(&script).last().map(String::as_str), Some(REVOKE));
}

#[test]
fn a_login_that_fails_after_the_interruption_is_an_interruption() {
    let script = server("imitates a login that is stuck and then lost").answer_on(
        "POST",
        "auth/approle/login",
        ScriptedAnswer::hang(),
    );
    let script = Arc::new(script);
    let job = Job { timeout: Duration::from_millis(200), ..Job::at(&script).by(APPROLE) };
    interrupted(job.ask_until(&once_asked(&script, APPROLE_LOGIN)));
    assert_eq!(asked(&script), [HEALTH, APPROLE_LOGIN]);
}

#[test]
fn a_login_that_never_comes_through_is_not_waited_for_to_the_end() {
    // The time that a server has for an answer is an hour, that after an interruption isn't.
    let script = server("imitates a login that is stuck").answer_on(
        "POST",
        "auth/jwt/login",
        ScriptedAnswer::hang(),
    );
    let script = Arc::new(script);
    let job = Job { timeout: Duration::from_hours(1), ..Job::at(&script) };
    let report = job.ask_until(&once_asked(&script, JWT_LOGIN));
    assert_eq!(report.facts, Err(ProbeError::Interrupted));
    let [said] = report.findings.try_into().unwrap();
    assert!(said.code == "logout-failed" && said.message.contains("login was interrupted"));
    assert_eq!(asked(&script), [HEALTH, JWT_LOGIN]);
}

#[test]
fn a_logout_that_never_comes_through_is_told_when_somebody_interrupts_again() {
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
    let job = Job { timeout: Duration::from_hours(1), ..Job::at(&script) };
    let report = job.ask_until(&both);
    assert_eq!(report.facts, Err(ProbeError::Interrupted));
    let [said] = report.findings.try_into().unwrap();
    assert_eq!(said.code.as_str(), "logout-failed");
    assert_eq!(
        said.help.as_deref(),
        Some("end it with `bao token revoke -accessor scripted-accessor`")
    );
    assert_eq!((count(&script, CAPABILITIES), count(&script, REVOKE)), (1, 1));
}
