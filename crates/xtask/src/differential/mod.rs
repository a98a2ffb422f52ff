//! Compares the verdicts of manifests with a real server's: random needs, random policies, and the
//! requests that jobs send, with bodies.
//!
//! For each manifest the policies are uploaded and attached to a token, and each request of its
//! needs is sent. A verdict `allowed` on a request that the server refuses is a false green, and
//! `request-denied` on one that it allows a false red. A seed gives the same manifests again.

mod engines;
mod policies;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write as _};
use std::thread;

use envlock_policy::Operation;
use envlock_report::Level;
use envlock_secrets::checks::{self, Input, ResultRow, RowSubject};
use envlock_secrets::manifest::{Manifest, ManifestLocation};
use envlock_secrets::need_request::{NeedRequest, job_requests_of_profile};
use envlock_testkit::{SeededRandom, TestServer, VaultClient};
use jiff::Timestamp;
use serde_json::{Value, json};

use engines::Need;
use policies::{Target, policy};

/// The number of clients that send requests at the same time.
const CLIENTS: usize = 2;
/// The number of differences that are printed whole.
const PRINTED: usize = 5;

/// What is compared.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// The number of manifests.
    pub(crate) cases: usize,
    /// The seed of the first client.
    pub(crate) seed: usize,
    /// The server that is required: `vault` or `openbao`. `None` takes the one that is found.
    pub(crate) server: Option<String>,
}

impl Options {
    /// Reads `--cases N`, `--seed N` and `--server vault|openbao`.
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { cases: 1_000, seed: 1, server: None };
        while let Some(flag) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{flag} needs a value"));
            let number =
                |text: String| text.parse().map_err(|_| format!("{text} isn't a whole number"));
            match flag.as_str() {
                "--cases" => options.cases = number(value()?)?,
                "--seed" => options.seed = number(value()?)?,
                "--server" => match value()?.as_str() {
                    name @ ("vault" | "openbao") => options.server = Some(name.to_owned()),
                    other => return Err(format!("{other} is neither `vault` nor `openbao`")),
                },
                other => return Err(format!("{other} isn't one of --cases, --seed, --server")),
            }
        }
        Ok(options)
    }
}

/// The counts of a comparison.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Manifests.
    pub(crate) manifests: usize,
    /// Manifests without an error, all of whose requests the server allowed.
    pub(crate) green: usize,
    /// Requests with the verdict `allowed`.
    pub(crate) allowed: usize,
    /// Requests with the verdict `denied`.
    pub(crate) denied: usize,
    /// Requests with the verdict `depends`.
    pub(crate) depends: usize,
    /// Each difference, with the manifest and the policies.
    pub(crate) differences: Vec<String>,
}

impl Counts {
    fn add(&mut self, other: Self) {
        let Self { manifests, green, allowed, denied, depends, differences } = other;
        self.manifests += manifests;
        self.green += green;
        self.allowed += allowed;
        self.denied += denied;
        self.depends += depends;
        self.differences.extend(differences);
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { manifests, green, allowed, denied, depends, differences } = self;
        let requests = allowed + denied + depends;
        write!(
            f,
            "{manifests} manifests ({green} green), {requests} requests: {allowed} allowed, {denied} \
             denied, {depends} depend; {} differences",
            differences.len()
        )
    }
}

/// Runs the comparison and prints the counts.
///
/// # Errors
/// Returns the reason if there is no such server, or if a verdict differs from the server's.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let (server, counts) = compare(options)?;
    let mut out = io::stdout();
    writeln!(out, "{server}, seed {}: {counts}", options.seed).map_err(|e| e.to_string())?;
    for difference in counts.differences.iter().take(PRINTED) {
        writeln!(out, "\n{difference}").map_err(|e| e.to_string())?;
    }
    match counts.differences.len() {
        0 => Ok(()),
        number => Err(format!("{number} verdicts differ from the server's")),
    }
}

/// Compares, and returns the server's name and version with the counts.
pub(crate) fn compare(options: &Options) -> Result<(String, Counts), String> {
    let server =
        TestServer::dev().ok_or("there is no server: put `bao`, `vault` or `go` on PATH")?;
    let version = server.get("sys/health")["version"].as_str().unwrap_or_default().to_owned();
    let product = envlock_testkit::product()?;
    if options.server.as_deref().is_some_and(|wanted| wanted != product) {
        return Err(format!("the server that was found is {product} {version}"));
    }
    engines::enable(&server);
    let counts = thread::scope(|scope| {
        let start = |client: usize| {
            let root: &VaultClient = &server;
            let cases = options.cases / CLIENTS + usize::from(client < options.cases % CLIENTS);
            let seed = options.seed.wrapping_mul(1_000_003).wrapping_add(client) as u64;
            let client = Client {
                root,
                number: client,
                server: format!("{{product: {product}, version: \"{version}\"}}"),
            };
            scope.spawn(move || client.compare(seed, cases))
        };
        let running: Vec<_> = (0..CLIENTS).map(start).collect();
        let mut all = Counts::default();
        for client in running {
            all.add(client.join().expect("a client doesn't panic"));
        }
        all
    });
    Ok((format!("{product} {version}"), counts))
}

/// A client, whose policies have their own names.
struct Client<'s> {
    root: &'s VaultClient,
    number: usize,
    /// The product and the version, as a manifest writes them.
    server: String,
}

/// A manifest with its policies.
struct Case {
    needs: Vec<Need>,
    manifest: String,
    policies: BTreeMap<String, String>,
}

impl Client<'_> {
    fn compare(&self, seed: u64, cases: usize) -> Counts {
        let mut random = SeededRandom::new(seed);
        let mut counts = Counts::default();
        for _ in 0..cases {
            let case = self.case(&mut random);
            self.check(&case, &mut random, &mut counts);
        }
        counts
    }

    fn case(&self, random: &mut SeededRandom) -> Case {
        let number = 1 + random.below(3);
        let needs: Vec<_> = (0..number).map(|n| Need::random(format!("n{n}"), random)).collect();
        let names: Vec<_> =
            (0..=random.below(2)).map(|n| format!("d{}-{n}", self.number)).collect();
        let manifest = self.manifest(&needs, &names);
        let targets = targets(&parse(&manifest), &needs);
        let policies = names.iter().map(|name| (format!("{name}.hcl"), policy(random, &targets)));
        Case { needs, policies: policies.collect(), manifest }
    }

    fn manifest(&self, needs: &[Need], names: &[String]) -> String {
        let mut text = format!("version: 1\nserver: {}\npolicies:\n", self.server);
        for name in names {
            text.push_str(&format!("  {name}: {{file: {name}.hcl}}\n"));
        }
        text.push_str("needs:\n");
        for need in needs {
            text.push_str(&format!("  {}\n", need.yaml()));
        }
        text + &format!("profiles:\n  job: {{attach: [{}]}}\n", names.join(", "))
    }

    fn check(&self, case: &Case, random: &mut SeededRandom, counts: &mut Counts) {
        counts.manifests += 1;
        let manifest = parse(&case.manifest);
        let input = Input {
            manifest: &manifest,
            files: &case.policies,
            profile: Some("job"),
            dialect: None,
            now: Timestamp::now(),
            horizon_days: 0,
            online: None,
        };
        let outcome = checks::check(&input).expect("the manifest can be checked");
        let green = !outcome.findings.iter().any(|finding| finding.level == Level::Error);
        let token = self.token(case);
        let job = self.root.with_token(&token);
        let mut all_allowed = true;
        for row in &outcome.rows {
            all_allowed &= self.compare_row(case, row, &job, random, counts);
        }
        if green && all_allowed {
            counts.green += 1;
        } else if green {
            counts.differences.push(format!("false green\n{case}"));
        }
        self.root.post("auth/token/revoke", json!({ "token": token }));
    }

    /// Uploads the policies and creates a token.
    fn token(&self, case: &Case) -> String {
        let names: Vec<_> =
            case.policies.keys().map(|file| file.trim_end_matches(".hcl").to_owned()).collect();
        for (name, text) in names.iter().zip(case.policies.values()) {
            self.root.policy(name, text);
        }
        let options = json!({ "policies": names, "no_default_policy": true, "ttl": "10m" });
        let answer = self.root.post("auth/token/create", options);
        answer["auth"]["client_token"].as_str().expect("a token").to_owned()
    }

    /// Sends the request of a row twice, with two bodies. Returns whether all were allowed.
    fn compare_row(
        &self,
        case: &Case,
        row: &ResultRow,
        job: &VaultClient,
        random: &mut SeededRandom,
        counts: &mut Counts,
    ) -> bool {
        let RowSubject::Request { path, operation } = &row.subject else { return true };
        let operation = Operation::from_name(operation);
        let need = case.needs.iter().find(|need| need.name == row.need).expect("its need");
        let verdict = row.policies.expect("policies are attached");
        *match verdict {
            "allowed" => &mut counts.allowed,
            "denied" => &mut counts.denied,
            _ => &mut counts.depends,
        } += 1;
        if !need.is_sent(operation, path) {
            return true;
        }
        let mut all_allowed = true;
        for _ in 0..2 {
            let body = need.body(operation, random);
            let sent = body.clone().map(Value::Object);
            let status = send(job, operation, path, sent, need.wrap_ttl);
            need.restore(self.root, path);
            let allowed = status != 403;
            all_allowed &= allowed;
            let differs = match verdict {
                "allowed" => !allowed,
                "denied" => allowed,
                _ => false,
            };
            if differs {
                let body = body.map(Value::Object).unwrap_or_default();
                counts.differences.push(format!(
                    "{}: {} {path} {body} is {verdict}, and the server's answer is {status}\n{case}",
                    row.need,
                    operation.name()
                ));
                break;
            }
        }
        all_allowed
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.manifest)?;
        for (file, text) in &self.policies {
            write!(f, "--- {file}\n{text}")?;
        }
        Ok(())
    }
}

fn parse(text: &str) -> Manifest {
    match Manifest::parse("secrets.yml", text, ManifestLocation::OwnFile) {
        Ok(Some(manifest)) => manifest,
        other => panic!("the manifest isn't read: {other:?}\n{text}"),
    }
}

/// The requests of the needs, which the policies are about.
fn targets(manifest: &Manifest, needs: &[Need]) -> Vec<Target> {
    let profile = manifest.profile("job").expect("the profile exists");
    let target = |need_request: NeedRequest| {
        let NeedRequest { need, request, .. } = need_request;
        let need = needs.iter().find(|known| known.name == need).expect("its need");
        let writes =
            matches!(request.operation, Operation::Create | Operation::Update | Operation::Patch);
        let parameters = if writes { need.parameters() } else { Vec::new() };
        Target { request, parameters }
    };
    job_requests_of_profile(&profile).into_iter().map(target).collect()
}

/// Sends a request, and returns the status.
fn send(
    job: &VaultClient,
    operation: Operation,
    path: &str,
    body: Option<Value>,
    wrap_ttl: Option<u32>,
) -> u16 {
    let method = match operation {
        Operation::Read => "GET",
        Operation::List => "LIST",
        Operation::Delete => "DELETE",
        Operation::Patch => "PATCH",
        _ => "POST",
    };
    let wrap_ttl = wrap_ttl.map(|seconds| seconds.to_string());
    let mut headers: Vec<_> =
        wrap_ttl.iter().map(|ttl| ("X-Vault-Wrap-TTL", ttl.as_str())).collect();
    if method == "PATCH" {
        headers.push(("Content-Type", "application/merge-patch+json"));
    }
    let (status, answer) = job.request(method, path, &headers, body);
    // An engine that demands `sudo` itself calls the request invalid.
    let refused = status == 400 && answer.to_string().contains("sudo privileges required");
    if refused { 403 } else { status }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_verdict_of_a_random_manifest_differs_from_the_servers() {
        if envlock_testkit::binary().is_err() {
            return envlock_testkit::skip_test("random manifests on a real server");
        }
        let options = Options { cases: 150, seed: 3, server: None };
        let (server, counts) = compare(&options).expect("a server");
        assert_eq!(counts.differences, Vec::<String>::new(), "{server}");
        // Agreement on denials alone would prove little.
        let Counts { green, allowed, denied, depends, .. } = &counts;
        assert!(*green > 10 && *allowed > 50 && *denied > 50 && *depends > 5, "{counts}");
    }
}
