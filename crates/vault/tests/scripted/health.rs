//! How the server is.

use envlock_report::{AsFindings as _, Exit};
use envlock_secrets::facts::UnknownReason;
use envlock_testkit::{ScriptedAnswer, ScriptedServer};
use envlock_vault::{ProbeError, ServerFault};
use serde_json::json;

use crate::support::{HEALTH, Job, REVOKE, asked, count, server, told};

fn health(status: u16, initialized: bool, sealed: bool) -> ScriptedAnswer {
    let version = "1.20.0+ent";
    ScriptedAnswer::json(
        status,
        json!({ "initialized": initialized, "sealed": sealed, "version": version }),
    )
}

fn not_a_vault(script: &ScriptedServer) -> ServerFault {
    let failure = Job::at(script).failure();
    assert_eq!((told(&failure).code.as_str(), failure.exit()), ("not-a-vault", Exit::Undetermined));
    assert_eq!(
        told(&failure).help.as_deref(),
        Some("check VAULT_ADDR: host, port, and the path of a proxy")
    );
    let ProbeError::NotAVault { address, reason } = failure else { panic!("{failure:?}") };
    assert_eq!(address, script.url());
    reason
}

#[test]
fn an_active_node_a_standby_and_a_performance_standby_are_asked() {
    for status in [200, 429, 473] {
        let script = server("imitates the nodes of a cluster").answer_on(
            "GET",
            "sys/health",
            health(status, true, false),
        );
        let facts = Job::at(&script).facts();
        assert_eq!(facts.server.address, script.url());
        assert_eq!((facts.server.version.as_str(), facts.server.clock_ahead), ("1.20.0+ent", None));
        assert_eq!((count(&script, HEALTH), count(&script, REVOKE)), (1, 1), "{status}");
    }
}

#[test]
fn a_server_that_can_serve_nobody_is_asked_once_and_gets_no_login() {
    for (answer, failure, code, help) in [
        (
            health(472, true, false),
            ProbeError::DrSecondary,
            "dr-secondary",
            "put the address of the primary into VAULT_ADDR",
        ),
        (
            health(501, false, true),
            ProbeError::NotInitialised,
            "not-initialised",
            "ask its operator to initialise it (`bao operator init`)",
        ),
        (
            health(503, true, true),
            ProbeError::Sealed,
            "sealed",
            "ask its operator to unseal it, then run this again",
        ),
        // A balancer that turns every status into 200.
        (
            health(200, true, true),
            ProbeError::Sealed,
            "sealed",
            "ask its operator to unseal it, then run this again",
        ),
    ] {
        let script =
            server("imitates a node that can't serve").answer_on("GET", "sys/health", answer);
        let found = Job::at(&script).failure();
        assert_eq!((&found, found.exit()), (&failure, Exit::Undetermined));
        assert_eq!((told(&found).code.as_str(), told(&found).help.as_deref()), (code, Some(help)));
        assert_eq!(asked(&script), [HEALTH]);
    }
}

#[test]
fn a_server_without_health_says_by_its_seal_how_it_is() {
    let seal = json!({ "sealed": false, "t": 1, "n": 1, "progress": 0 });
    let script = server("imitates RustyVault")
        .answer_on("GET", "sys/health", ScriptedAnswer::errors(404, &[]))
        .answer_on("GET", "sys/seal-status", ScriptedAnswer::json(200, seal))
        .answer_on("POST", "sys/capabilities-self", ScriptedAnswer::errors(404, &[]))
        .answer_on("POST", "auth/token/revoke-self", ScriptedAnswer::errors(404, &[]));
    let report = Job::at(&script).ask();
    let facts = report.facts.unwrap();
    assert_eq!((facts.server.version.as_str(), facts.server.clock_ahead), ("", None));
    assert_eq!(facts.capabilities, Err(UnknownReason::Unsupported));
    assert_eq!(asked(&script)[..2], [HEALTH, "GET sys/seal-status"]);
    assert_eq!(report.findings[0].message, "the login could not be ended: the server answers 404");
}

#[test]
fn a_sealed_server_without_health_is_told_as_sealed() {
    let seal = json!({ "sealed": true, "t": 3, "n": 5, "progress": 1 });
    let script = ScriptedServer::new("imitates RustyVault, sealed").answer_on(
        "GET",
        "sys/seal-status",
        ScriptedAnswer::json(200, seal),
    );
    assert_eq!(Job::at(&script).failure(), ProbeError::Sealed);
    assert_eq!(asked(&script), [HEALTH, "GET sys/seal-status"]);
}

#[test]
fn pages_and_other_json_are_no_vault() {
    let page = |status| {
        ScriptedServer::new("imitates the login page of a company's proxy").answer_on(
            "GET",
            "*",
            ScriptedAnswer::html(status),
        )
    };
    assert_eq!(not_a_vault(&page(200)), ServerFault::HealthIsNotJson(200));
    assert_eq!(not_a_vault(&page(404)), ServerFault::HealthIsNotJson(404));
    assert_eq!(not_a_vault(&page(403)), ServerFault::HealthIsNotJson(403));
    for status in [200, 404, 472, 501] {
        let script = ScriptedServer::new("imitates another program's interface").answer_on(
            "GET",
            "*",
            ScriptedAnswer::json(status, json!({ "status": "canary" })),
        );
        assert_eq!(not_a_vault(&script), ServerFault::HealthWithoutState, "{status}");
    }
    let nothing = ScriptedServer::new("imitates a server without a single route");
    assert_eq!(not_a_vault(&nothing), ServerFault::HealthWithoutState);
}

#[test]
fn a_gateway_that_has_lost_its_server_is_asked_again_and_isnt_taken_for_a_sealed_server() {
    for (answer, words) in [
        (ScriptedAnswer::html(502), "(a page, as a proxy writes it)"),
        (ScriptedAnswer::html(503), "(a page, as a proxy writes it)"),
        (ScriptedAnswer::html(504), "(a page, as a proxy writes it)"),
        (ScriptedAnswer::json(503, json!({ "message": "Service Unavailable" })), ""),
    ] {
        let always = ScriptedServer::new("imitates a gateway without a server").answer_on(
            "GET",
            "*",
            answer.clone(),
        );
        let failure = Job::at(&always).failure();
        let ProbeError::ServerFailed { asked: what, words: said, .. } = &failure else {
            panic!("{failure:?}")
        };
        assert_eq!((what.as_str(), said.join("").as_str()), ("sys/health", words));
        assert_eq!(
            (told(&failure).code.as_str(), failure.exit()),
            ("server-error", Exit::Undetermined)
        );
        assert_eq!(asked(&always), [HEALTH; 4]);

        let once = server("imitates a gateway whose server restarts").answer_on(
            "GET",
            "sys/health",
            [answer, health(200, true, false)],
        );
        assert!(Job::at(&once).facts().capabilities.is_ok());
        assert_eq!(count(&once, HEALTH), 2);
    }
}

#[test]
fn nobody_at_the_address_is_told_as_such() {
    let url = ScriptedServer::new("imitates a server that was stopped").url();
    let failure = Job::below(&url).failure();
    assert_eq!((told(&failure).code.as_str(), failure.exit()), ("unreachable", Exit::Undetermined));
    assert!(failure.to_string().starts_with(&format!("{url} can't be reached: ")), "{failure}");
}

#[test]
fn plain_http_is_not_asked_unless_the_profile_allows_it() {
    let script = server("imitates a server in development");
    let failure = Job { plaintext: false, ..Job::at(&script) }.failure();
    assert_eq!((told(&failure).code.as_str(), failure.exit()), ("plaintext", Exit::Usage));
    assert_eq!(asked(&script), [""; 0]);
}

#[test]
fn a_gateways_own_quota_is_waited_for_and_is_no_standby() {
    for quota in
        [ScriptedAnswer::html(429), ScriptedAnswer::json(429, json!({ "message": "slow down" }))]
    {
        let always = ScriptedServer::new("imitates a gateway with a quota").answer_on(
            "GET",
            "*",
            quota.clone(),
        );
        let failure = Job::at(&always).failure();
        assert_eq!(failure, ProbeError::RateLimited { asked: "sys/health".to_owned(), tries: 4 });
        let once = server("imitates a gateway with a quota that is over").answer_on(
            "GET",
            "sys/health",
            [quota, health(429, true, false)],
        );
        assert!(Job::at(&once).facts().capabilities.is_ok());
        assert_eq!(count(&once, HEALTH), 2);
    }
}

#[test]
fn a_health_that_leaves_things_out_is_one_all_the_same() {
    for (body, version) in [
        (json!({ "sealed": false }), ""),
        (json!({ "initialized": true, "version": null, "server_time_utc": null }), ""),
        (json!({ "sealed": false, "version": "2.4.0", "more": ["canary"] }), "2.4.0"),
    ] {
        let script = server("imitates a server of few words").answer_on(
            "GET",
            "sys/health",
            ScriptedAnswer::json(200, body),
        );
        assert_eq!(Job::at(&script).facts().server.version, version);
    }
}
