//! The state of the server.

use envlock_policy::Product;
use envlock_report::{AsFindings as _, Exit};
use envlock_secrets::facts::UnknownReason;
use envlock_testkit::{ScriptedAnswer, ScriptedServer};
use envlock_vault::{NotVaultReason, ProbeError};
use serde_json::json;

use crate::support::{HEALTH, REVOKE, TestJob, count, finding_of, requests_of, server};

fn health(status: u16, initialized: bool, sealed: bool) -> ScriptedAnswer {
    let version = "1.20.0+ent";
    ScriptedAnswer::json(
        status,
        json!({ "initialized": initialized, "sealed": sealed, "version": version }),
    )
}

fn not_a_vault(script: &ScriptedServer) -> NotVaultReason {
    let failure = TestJob::on(script).failure();
    assert_eq!(
        (finding_of(&failure).code.as_str(), failure.exit()),
        ("not-a-vault", Exit::Undetermined)
    );
    assert_eq!(
        finding_of(&failure).help.as_deref(),
        Some("check VAULT_ADDR: host, port, and the path of a proxy")
    );
    let ProbeError::NotAVault { address, reason } = failure else { panic!("{failure:?}") };
    assert_eq!(address, script.url());
    reason
}

#[test]
fn active_standby_and_performance_standby_nodes_are_used() {
    for status in [200, 429, 473] {
        let script = server("imitates the nodes of a cluster").answer_on(
            "GET",
            "sys/health",
            health(status, true, false),
        );
        let facts = TestJob::on(&script).facts();
        assert_eq!(facts.server.address, script.url());
        assert_eq!((facts.server.version.as_str(), facts.server.clock_ahead), ("1.20.0+ent", None));
        assert_eq!((count(&script, HEALTH), count(&script, REVOKE)), (1, 1), "{status}");
    }
}

#[test]
fn a_server_that_cannot_serve_requests_gets_one_request_and_no_login() {
    for (answer, failure, code, help) in [
        (
            health(472, true, false),
            ProbeError::DrSecondary,
            "dr-secondary",
            "set VAULT_ADDR to the address of the primary",
        ),
        (
            health(501, false, true),
            ProbeError::NotInitialised { product: Some(Product::Vault) },
            "not-initialised",
            "ask its operator to initialise it (`vault operator init`)",
        ),
        (
            health(503, true, true),
            ProbeError::Sealed,
            "sealed",
            "ask its operator to unseal it, then try again",
        ),
        // A load balancer that changes every status to 200.
        (
            health(200, true, true),
            ProbeError::Sealed,
            "sealed",
            "ask its operator to unseal it, then try again",
        ),
    ] {
        let script =
            server("imitates a node that can't serve").answer_on("GET", "sys/health", answer);
        let found = TestJob::on(&script).failure();
        assert_eq!((&found, found.exit()), (&failure, Exit::Undetermined));
        assert_eq!(
            (finding_of(&found).code.as_str(), finding_of(&found).help.as_deref()),
            (code, Some(help))
        );
        assert_eq!(requests_of(&script), [HEALTH]);
    }
}

#[test]
fn the_seal_status_is_read_from_a_server_without_health() {
    let seal = json!({ "sealed": false, "t": 1, "n": 1, "progress": 0 });
    let script = server("imitates RustyVault")
        .answer_on("GET", "sys/health", ScriptedAnswer::errors(404, &[]))
        .answer_on("GET", "sys/seal-status", ScriptedAnswer::json(200, seal))
        .answer_on("POST", "sys/capabilities-self", ScriptedAnswer::errors(404, &[]))
        .answer_on("POST", "auth/token/revoke-self", ScriptedAnswer::errors(404, &[]));
    let report = TestJob::on(&script).run();
    let facts = report.facts.unwrap();
    assert_eq!((facts.server.version.as_str(), facts.server.clock_ahead), ("", None));
    assert_eq!(facts.capabilities, Err(UnknownReason::Unsupported));
    assert_eq!(requests_of(&script)[..2], [HEALTH, "GET sys/seal-status"]);
    assert_eq!(
        report.findings[0].message,
        "the token of the login wasn't revoked: the server answered with the status 404"
    );
}

#[test]
fn a_sealed_server_without_health_is_reported_as_sealed() {
    let seal = json!({ "sealed": true, "t": 3, "n": 5, "progress": 1 });
    let script = ScriptedServer::new("imitates RustyVault, sealed").answer_on(
        "GET",
        "sys/seal-status",
        ScriptedAnswer::json(200, seal),
    );
    assert_eq!(TestJob::on(&script).failure(), ProbeError::Sealed);
    assert_eq!(requests_of(&script), [HEALTH, "GET sys/seal-status"]);
}

#[test]
fn html_pages_and_other_json_are_not_a_vault() {
    let page = |status| {
        ScriptedServer::new("imitates the login page of a company's proxy").answer_on(
            "GET",
            "*",
            ScriptedAnswer::html(status),
        )
    };
    assert_eq!(not_a_vault(&page(200)), NotVaultReason::HealthIsNotJson(200));
    assert_eq!(not_a_vault(&page(404)), NotVaultReason::HealthIsNotJson(404));
    assert_eq!(not_a_vault(&page(403)), NotVaultReason::HealthIsNotJson(403));
    for status in [200, 404, 472, 501] {
        let script = ScriptedServer::new("imitates another program's interface").answer_on(
            "GET",
            "*",
            ScriptedAnswer::json(status, json!({ "status": "canary" })),
        );
        assert_eq!(not_a_vault(&script), NotVaultReason::HealthWithoutState, "{status}");
    }
    let nothing = ScriptedServer::new("imitates a server without a single route");
    assert_eq!(not_a_vault(&nothing), NotVaultReason::HealthWithoutState);
}

#[test]
fn a_gateway_without_its_server_is_retried_and_not_reported_as_sealed() {
    for (answer, words) in [
        (ScriptedAnswer::html(502), "(an HTML page, probably of a proxy)"),
        (ScriptedAnswer::html(503), "(an HTML page, probably of a proxy)"),
        (ScriptedAnswer::html(504), "(an HTML page, probably of a proxy)"),
        (ScriptedAnswer::json(503, json!({ "message": "Service Unavailable" })), ""),
    ] {
        let always = ScriptedServer::new("imitates a gateway without a server").answer_on(
            "GET",
            "*",
            answer.clone(),
        );
        let failure = TestJob::on(&always).failure();
        let ProbeError::ServerFailed { request, messages, .. } = &failure else {
            panic!("{failure:?}")
        };
        assert_eq!((request.as_str(), messages.join("").as_str()), ("sys/health", words));
        assert_eq!(
            (finding_of(&failure).code.as_str(), failure.exit()),
            ("server-error", Exit::Undetermined)
        );
        assert_eq!(requests_of(&always), [HEALTH; 4]);

        let once = server("imitates a gateway whose server restarts").answer_on(
            "GET",
            "sys/health",
            [answer, health(200, true, false)],
        );
        assert!(TestJob::on(&once).facts().capabilities.is_ok());
        assert_eq!(count(&once, HEALTH), 2);
    }
}

#[test]
fn an_unreachable_address_is_reported() {
    let url = ScriptedServer::new("imitates a server that was stopped").url();
    let failure = TestJob::at_url(&url).failure();
    assert_eq!(
        (finding_of(&failure).code.as_str(), failure.exit()),
        ("unreachable", Exit::Undetermined)
    );
    assert!(failure.to_string().starts_with(&format!("{url} can't be reached: ")), "{failure}");
}

#[test]
fn plain_http_is_refused_unless_the_profile_allows_it() {
    let script = server("imitates a server in development");
    let failure = TestJob { plaintext: false, ..TestJob::on(&script) }.failure();
    assert_eq!((finding_of(&failure).code.as_str(), failure.exit()), ("plaintext", Exit::Usage));
    assert_eq!(requests_of(&script), [""; 0]);
}

#[test]
fn a_gateways_rate_limit_is_retried_and_is_not_a_standby() {
    for quota in
        [ScriptedAnswer::html(429), ScriptedAnswer::json(429, json!({ "message": "slow down" }))]
    {
        let always = ScriptedServer::new("imitates a gateway with a quota").answer_on(
            "GET",
            "*",
            quota.clone(),
        );
        let failure = TestJob::on(&always).failure();
        assert_eq!(failure, ProbeError::RateLimited { request: "sys/health".to_owned(), tries: 4 });
        let once = server("imitates a gateway with a quota that is over").answer_on(
            "GET",
            "sys/health",
            [quota, health(429, true, false)],
        );
        assert!(TestJob::on(&once).facts().capabilities.is_ok());
        assert_eq!(count(&once, HEALTH), 2);
    }
}

#[test]
fn a_health_answer_with_missing_keys_is_accepted() {
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
        assert_eq!(TestJob::on(&script).facts().server.version, version);
    }
}
