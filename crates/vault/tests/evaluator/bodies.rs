//! Sends the requests of the table of bodies to the server: the mandatory parameters are enough, and
//! the server refuses a request without one of them. Then compares answers about needs: what is
//! allowed for every request isn't refused, and what is denied for every request is.

use std::collections::BTreeSet;
use std::io::{self, Write as _};

use envlock_policy::{
    Acl, ApiRequest, DecisionReason, Dialect, Engine, Identity, Operation, PartialBody, Policy,
    Request, TransitOperation, parameters_require_sudo, partial_bodies,
};
use envlock_testkit::{TestServer, VaultClient, skip_test};
use serde_json::{Map, Value, json};

use crate::counts::Counts;
use crate::policies::{acl, upload};
use crate::release::server;
use crate::request::TestRequest;
use envlock_testkit::SeededRandom;

/// A public key, without its private one.
const PUBLIC_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE2tgn93XFD2+Z/xwnofGKPNGZOT7ugGyWagMBRbae7V job";

/// Mandatory parameters that the server doesn't demand: an empty input can be signed, and a key or a
/// role can waive the others. No client leaves them out.
const WAIVED: [(&str, &str); 3] =
    [("t/sign/", "input"), ("t/sign/", "batch_input"), ("t/verify/", "input")];

/// A server with the engines that need no other service.
struct Engines {
    server: TestServer,
    ciphertext: Value,
    signature: Value,
    hmac: Value,
    csr: Value,
}

impl Engines {
    fn new(server: TestServer) -> Self {
        server.kv1("kv");
        server.kv2("docs");
        server.secret("kv", "r", json!({ "password": TestServer::canary("kv") }));
        server.secret("docs", "r", json!({ "password": TestServer::canary("docs") }));
        for (mount, kind) in
            [("t", "transit"), ("p", "pki"), ("s", "ssh"), ("otp", "ssh"), ("totp", "totp")]
        {
            server.post(&format!("sys/mounts/{mount}"), json!({ "type": kind }));
        }
        // A key that encrypts, signs and has an HMAC.
        server.post("t/keys/r", json!({ "type": "rsa-2048" }));
        let input = json!({ "input": "aGk=", "plaintext": "aGk=" });
        let of = |path: &str, key: &str| server.post(path, input.clone())["data"][key].clone();
        let (ciphertext, signature, hmac) =
            (of("t/encrypt/r", "ciphertext"), of("t/sign/r", "signature"), of("t/hmac/r", "hmac"));
        server.post("p/root/generate/internal", json!({ "common_name": "ca" }));
        // Shorter than the lifetime of the authority.
        server.post("p/roles/r", json!({ "allow_any_name": true, "ttl": "1h" }));
        let request = json!({ "common_name": "job.example.com" });
        let csr = server.post("p/intermediate/generate/internal", request)["data"]["csr"].clone();
        server.post("s/config/ca", json!({ "generate_signing_key": true }));
        let ca = json!({
            "key_type": "ca",
            "allow_user_certificates": true,
            "allowed_users": "*",
            "default_user": "job",
        });
        server.post("s/roles/r", ca);
        let once = json!({ "key_type": "otp", "default_user": "job", "cidr_list": "10.0.0.0/8" });
        server.post("otp/roles/r", once);
        server.post("auth/token/roles/r", json!({ "renewable": true }));
        let key = json!({ "generate": true, "issuer": "i", "account_name": "a" });
        server.post("totp/keys/r", key);
        Self { server, ciphertext, signature, hmac, csr }
    }

    /// A valid value of a parameter.
    fn value(&self, request: &ApiRequest, name: &str) -> Value {
        match name {
            "batch_input" if request.path.contains("decrypt") => {
                json!([{ "ciphertext": self.ciphertext }])
            }
            "batch_input" if request.path.contains("verify") => {
                json!([{ "input": "aGk=", "signature": self.signature }])
            }
            "batch_input" => json!([{ "plaintext": "aGk=", "input": "aGk=" }]),
            "ciphertext" => self.ciphertext.clone(),
            "signature" => self.signature.clone(),
            "hmac" => self.hmac.clone(),
            "csr" => self.csr.clone(),
            "public_key" => json!(PUBLIC_KEY),
            "common_name" => json!("job.example.com"),
            "ip" => json!("10.0.0.1"),
            "data" => json!({ "password": "x" }),
            "options" => json!({}),
            "input" | "plaintext" | "context" | "associated_data" | "nonce" => json!("aGk="),
            // With a value of another type the request fails before the policies are checked.
            "convergent_encryption"
            | "prehashed"
            | "no_parent"
            | "no_default_policy"
            | "renewable" => json!(false),
            "key_version" | "partial_failure_response_code" | "num_uses" => json!(0),
            "policies" | "meta" => Value::Null,
            _ => json!("x"),
        }
    }

    fn mandatory(&self, request: &ApiRequest, body: &PartialBody) -> Map<String, Value> {
        let always = body.parameters.iter().filter(|(_, parameter)| parameter.always);
        always.map(|(name, _)| (name.clone(), self.value(request, name))).collect()
    }
}

/// The requests with parameters of the needs that the server can serve.
fn requests() -> Vec<(Engine, &'static str, ApiRequest)> {
    let mounts = [
        (Engine::Kv1, "kv"),
        (Engine::Kv2, "docs"),
        (Engine::Transit, "t"),
        (Engine::Pki, "p"),
        (Engine::PkiSign, "p"),
        (Engine::SshCa, "s"),
        (Engine::SshIssue, "s"),
        (Engine::SshOtp, "otp"),
        (Engine::Totp, "totp"),
        (Engine::Token, "auth/token"),
        (Engine::TokenRole, "auth/token"),
    ];
    let operations: BTreeSet<_> = TransitOperation::ALL.into_iter().collect();
    let mut requests = Vec::new();
    for (engine, mount) in mounts {
        let name = if engine == Engine::Token { "create" } else { "r" };
        for request in engine.secret_requests(mount, name, &operations) {
            if matches!(engine, Engine::Kv1 | Engine::Kv2) {
                let on = |operation| ApiRequest { operation, ..request.clone() };
                requests.push((engine, mount, on(Operation::Update)));
                if engine == Engine::Kv2 {
                    requests.push((engine, mount, on(Operation::Patch)));
                }
            }
            requests.push((engine, mount, request));
        }
    }
    requests
}

/// The bodies that a need's request may have; its fields are those of the secret.
fn bodies(engine: Engine, mount: &str, request: &ApiRequest) -> Vec<PartialBody> {
    partial_bodies(engine, mount, request, ["password"].into_iter(), None)
}

fn send(client: &VaultClient, request: &ApiRequest, data: &Map<String, Value>) -> u16 {
    let sent = TestRequest::new(request.operation, request.path.clone());
    TestRequest { data: Some(data.clone()), ..sent }.status(client)
}

#[test]
fn the_mandatory_parameters_are_those_that_the_server_demands() {
    let what = "the parameters of requests on a real server";
    let Some((server, version, _)) = server() else { return skip_test(what) };
    let engines = Engines::new(server);
    let mut counts = Counts::default();
    let mut differences = Vec::new();
    for (engine, mount, request) in requests() {
        for body in bodies(engine, mount, &request) {
            let data = engines.mandatory(&request, &body);
            let status = send(&engines.server, &request, &data);
            counts.count("complete");
            if !matches!(status, 200 | 204) {
                differences.push(format!("{engine} {request:?} with {data:?}: {status}"));
            }
            for name in data.keys() {
                let mut without = data.clone();
                without.remove(name);
                let waived = WAIVED
                    .iter()
                    .any(|(path, waived)| request.path.starts_with(path) && name == waived);
                let status = send(&engines.server, &request, &without);
                counts.count("incomplete");
                if (status == 400) == waived {
                    differences.push(format!("{engine} {request:?} without {name}: {status}"));
                }
            }
        }
    }
    // Not captured by the test harness: the counts show what the test covers.
    let _ = writeln!(io::stderr(), "bodies sent to OpenBao {version}: {counts}");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(counts.of("complete") >= 20 && counts.of("incomplete") >= 18, "{counts}");
}

/// The conditions of a rule: mostly names that the request has.
fn conditions(random: &mut SeededRandom, names: &[String]) -> String {
    let list = |random: &mut SeededRandom| {
        let lists = ["[]", "[]", "[]", "[\"x\"]", "[\"job*\"]", "[\"**\"]", "[\"aGk=\", \"10*\"]"];
        random.pick(&lists).to_owned()
    };
    let map = |random: &mut SeededRandom, key: &str, names: &[String]| {
        let entries: Vec<_> =
            names.iter().map(|name| format!("    \"{name}\" = {}", list(random))).collect();
        format!("  {key} = {{\n{}\n  }}\n", entries.join("\n"))
    };
    let some = |random: &mut SeededRandom| {
        let number = random.below(3) + 1;
        let picked: BTreeSet<_> = (0..number).map(|_| random.pick(names)).collect();
        picked.into_iter().collect::<Vec<_>>()
    };
    let mut text = String::new();
    if random.chance(60) {
        let allowed = if random.chance(60) { names.to_vec() } else { some(random) };
        text += &map(random, "allowed_parameters", &allowed);
    }
    if random.chance(40) {
        let denied = some(random);
        text += &map(random, "denied_parameters", &denied);
    }
    if random.chance(30) {
        text += &format!("  required_parameters = [\"{}\"]\n", random.pick(names));
    }
    text
}

#[test]
fn an_answer_about_a_need_holds_for_the_requests_that_are_sent() {
    const POLICIES: usize = 14;
    let what = "needs with conditions on parameters on a real server";
    let Some((server, version, _)) = server() else { return skip_test(what) };
    let engines = Engines::new(server);
    let mut random = SeededRandom::new(11);
    let mut counts = Counts::default();
    let mut differences = Vec::new();
    for (engine, mount, request) in requests() {
        let bodies = bodies(engine, mount, &request);
        let known = bodies.iter().flat_map(|body| body.parameters.keys().cloned());
        let names: BTreeSet<_> = known.chain(["other".to_owned(), "*".to_owned()]).collect();
        let names: Vec<_> = names.into_iter().collect();
        for number in 0..POLICIES {
            let text = format!(
                "path \"{}\" {{\n  capabilities = [\"create\", \"read\", \"update\", \"patch\"]\n{}}}\n",
                request.path,
                conditions(&mut random, &names)
            );
            let name = format!("need-{engine}-{number}");
            assert_eq!(upload(&engines.server, &name, &text), 204, "{text}");
            let policy = Policy::parse(&name, "need.hcl", &text).expect("the server accepts it");
            let policies = [&policy];
            let acl = acl(&policies, Dialect::OpenBao, &Identity::default())
                .expect("the server accepts it");
            let options = json!({ "no_default_policy": true, "type": "batch" });
            let job = engines.server.with_token(engines.server.token(&[&name], options));
            let answer =
                acl.decide_partial(&Request::new(request.operation, &request.path), &bodies);
            counts.count(match answer.allowed {
                Some(true) => "allowed",
                Some(false) => "denied",
                None => "depends",
            });
            for body in &bodies {
                for data in requests_that_fit(&engines, &mut random, &request, body) {
                    // Whatever else an engine says to such values, the policies allowed the request.
                    let status = send(&job, &request, &data);
                    counts.count("requests");
                    if answer.allowed.is_some_and(|ours| ours == (status == 403)) {
                        differences.push(format!(
                            "{request:?} with {data:?}: {status}, ours {answer:?}\n{text}"
                        ));
                    }
                }
            }
        }
    }
    let _ = writeln!(io::stderr(), "needs compared with OpenBao {version}: {counts}");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let enough = ["allowed", "denied", "depends"].iter().all(|what| counts.of(what) >= 25);
    assert!(enough, "{counts}");
}

/// A request with the mandatory parameters, and some with others too.
fn requests_that_fit(
    engines: &Engines,
    random: &mut SeededRandom,
    request: &ApiRequest,
    body: &PartialBody,
) -> Vec<Map<String, Value>> {
    let mandatory = engines.mandatory(request, body);
    let mut all = vec![mandatory.clone()];
    for _ in 0..2 {
        let mut data = mandatory.clone();
        for name in body.parameters.keys() {
            if !data.contains_key(name) && random.chance(25) {
                data.insert(name.clone(), engines.value(request, name));
            }
        }
        if body.open && random.chance(50) {
            data.insert("other".to_owned(), json!("x"));
        }
        all.push(data);
    }
    all
}

#[test]
fn the_engine_of_tokens_demands_sudo_for_some_parameters() {
    let what = "tokens that take sudo on a real server";
    let Some((server, _, _)) = server() else { return skip_test(what) };
    server.post("auth/token/roles/r", json!({ "renewable": true }));
    let mut demanded = 0;
    for (engine, path) in [
        (Engine::Token, "auth/token/create"),
        (Engine::Token, "auth/token/create-orphan"),
        (Engine::TokenRole, "auth/token/create/r"),
    ] {
        for sudo in [false, true] {
            let granted = if sudo { ", \"sudo\"" } else { "" };
            let text = format!("path \"{path}\" {{\n  capabilities = [\"update\"{granted}]\n}}\n");
            assert_eq!(upload(&server, "tokens", &text), 204);
            let job = server.with_token(server.token(&["tokens"], json!({ "ttl": "10m" })));
            for (name, value) in [
                ("no_parent", json!(true)),
                ("no_parent", json!(false)),
                ("no_parent", json!("0")),
                ("period", json!("1h")),
                ("period", json!("0")),
                ("period", json!("0h")),
                ("period", json!("")),
                ("id", json!(format!("envlock-{}-{sudo}", path.len()))),
                ("id", json!("")),
                ("display_name", json!("x")),
                ("policies", json!(["tokens"])),
            ] {
                let declared = [(name.to_owned(), Some(value.clone()))].into();
                let demands = parameters_require_sudo(engine, Some(&declared));
                let sent = job.request("POST", path, &[], json!({ name: value }));
                demanded += usize::from(demands && !sudo);
                let expected = if demands && !sudo { 400 } else { 200 };
                assert_eq!(sent.0, expected, "{path}, {name}: {value}, sudo {sudo}: {}", sent.1);
            }
        }
    }
    assert_eq!(demanded, 3 + 3 + 2);
}

#[test]
fn protected_endpoints_demand_sudo_from_the_rule_that_decides() {
    let what = "protected endpoints on a real server";
    let Some((server, _, _)) = server() else { return skip_test(what) };
    let requests = [
        (Operation::Read, "sys/audit"),
        (Operation::Read, "sys/auth"),
        (Operation::Read, "sys/auth/token/tune"),
        (Operation::Read, "sys/config/cors"),
        (Operation::List, "sys/config/ui/headers"),
        (Operation::Read, "sys/plugins/catalog"),
        (Operation::Read, "sys/plugins/catalog/secret/kv"),
        (Operation::List, "sys/leases/lookup"),
        (Operation::Read, "sys/leases"),
        (Operation::Read, "sys/leases/count"),
        (Operation::Read, "sys/raw/core/none"),
        (Operation::Read, "sys/mounts"),
        (Operation::Read, "sys/rotate/config"),
        (Operation::Read, "sys/policies/acl/default"),
        (Operation::List, "auth/token/accessors"),
        (Operation::List, "auth/token/roles"),
        (Operation::Read, "auth/token/lookup-self"),
        (Operation::Update, "sys/seal"),
    ];
    let mut protected = 0;
    for (number, (operation, path)) in requests.into_iter().enumerate() {
        let checked = operation.checked_path(path);
        for sudo in [false, true] {
            // With `sudo` this one would seal the server.
            if sudo && path == "sys/seal" {
                continue;
            }
            let granted = if sudo { ", \"sudo\"" } else { "" };
            let text = format!(
                "path \"{checked}\" {{\n  capabilities = [\"read\", \"list\", \"update\"{granted}]\n}}\n"
            );
            let name = format!("protected-{number}-{sudo}");
            assert_eq!(upload(&server, &name, &text), 204);
            let policy = Policy::parse(&name, "p.hcl", &text).expect("the server accepts it");
            let policies = [&policy];
            let acl: Acl<'_> = acl(&policies, Dialect::OpenBao, &Identity::default())
                .expect("the server accepts it");
            let decision = acl.decide(&Request::new(operation, &checked));
            protected += usize::from(decision.reason == DecisionReason::SudoMissing);
            let options = json!({ "no_default_policy": true, "type": "batch" });
            let job = server.with_token(server.token(&[&name], options));
            let status = TestRequest::new(operation, path.to_owned()).status(&job);
            assert_eq!(status == 403, !decision.allowed, "{path}, sudo {sudo}: {status}");
        }
    }
    assert_eq!(protected, 10);
}
