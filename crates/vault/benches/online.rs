//! 20 needs against a real server on loopback: login, rights, presence, fields, logout.
//!
//! `cargo bench -p envlock-vault` prints the median of 21 runs.

use std::time::{Duration, Instant};

use envlock_secrets::manifest::{Manifest, ManifestLocation};
use envlock_testkit::{TestServer, skip_test};
use envlock_vault::{Address, CredentialSources, ProbeRequest, RetryPolicy, Settings, probe};

const NEEDS: usize = 20;

fn manifest() -> Manifest {
    let mut text = "version: 1\nneeds:\n".to_owned();
    for need in 0..NEEDS {
        text.push_str(&format!(
            "  n{need}: {{engine: kv2, mount: secret, path: app/n{need}, fields: {{x: V{need}}}}}\n"
        ));
    }
    text.push_str(
        "profiles:\n  ci:\n    allow_plaintext_loopback: true\n    auth: {method: approle, \
         role_id: {env: ROLE}, secret_id: {env: SECRET}}\n",
    );
    let manifest = Manifest::parse("secrets.yml", &text, ManifestLocation::OwnFile);
    manifest.expect("a valid manifest").expect("a manifest with needs")
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its result")]
fn main() {
    let Some(bao) = TestServer::dev() else {
        return skip_test("the benchmark of the online check");
    };
    bao.kv2("secret");
    for need in 0..NEEDS {
        bao.secret("secret", &format!("app/n{need}"), serde_json::json!({"x": "y"}));
    }
    bao.policy("ci", "path \"secret/*\" {\n  capabilities = [\"read\"]\n}\n");
    let (role_id, secret_id) = bao.approle("ci", &["ci"], serde_json::json!({}));
    let variable = |name: &str| match name {
        "ROLE" => Some(role_id.clone()),
        "SECRET" => Some(secret_id.clone()),
        _ => None,
    };
    let manifest = manifest();
    let profile = manifest.profile("ci").expect("the profile exists");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..21 {
        let start = Instant::now();
        let mut settings = Settings {
            address: Address::parse("VAULT_ADDR", bao.url()).expect("an address"),
            namespace: None,
            authorities: None,
            server_name: None,
            client_certificate: None,
            proxy: None,
            user_agent: "envlock/bench".to_owned(),
            timeout: Duration::from_secs(15),
            retry_policy: RetryPolicy::default(),
            now: jiff::Timestamp::UNIX_EPOCH,
        };
        let request = ProbeRequest {
            profile: &profile,
            auth: profile.auth.as_ref(),
            presence_only: false,
            sources: CredentialSources { variable: &variable, home: None },
            interrupted: &|| Box::pin(std::future::pending()),
        };
        let report = runtime.block_on(probe(&mut settings, &request));
        times.push(start.elapsed());
        let facts = report.facts.unwrap_or_else(|failure| panic!("{failure}"));
        assert!(facts.needs.values().all(|need| need.fields.is_ok()), "{facts:?}");
    }
    times.sort();
    println!("{NEEDS} needs: median {:?}, slowest {:?}", times[10], times[20]);
}
