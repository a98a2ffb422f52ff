//! A scenario: a healthy server on which one thing differs.

use std::collections::{BTreeMap, BTreeSet};

use envlock_policy::{Engine, Product};
use envlock_report::outcome::{Completion, DenySetting, DenyTarget, FinalReport, apply_overrides};
use envlock_report::render::{self, Layout, SourceTexts};
use envlock_report::{Finding, Level};
use envlock_secrets::checks::{Input, Outcome, check, table};
use envlock_secrets::facts::{
    Lease, Mount, NeedFacts, Presence, Server, ServerFacts, Token, UnknownReason,
};
use envlock_secrets::manifest::{Manifest, ManifestLocation, ResolvedProfile};
use envlock_secrets::need_request::job_requests_of_profile;
use jiff::{SignedDuration, Timestamp};

pub(crate) const DB: &str = "  db_creds:
    engine: kv2
    mount: secret
    path: ml/db_creds
    fields: {host: DB_HOST, password: DB_PASSWORD}
";
pub(crate) const DB_RULE: &str =
    "path \"secret/data/ml/db_creds\" {\n  capabilities = [\"read\"]\n}\n";
pub(crate) const WAREHOUSE: &str = "  warehouse: {engine: database, mount: database, role: ro, \
                         ttl: {min: 1h, renew: until 12h}}\n";
pub(crate) const KV1: &str = "  legacy: {engine: kv1, mount: kv, path: x/a, fields: {key: KEY}}\n";
pub(crate) const GROUP: &str =
    "  key_a: {engine: kv2, mount: secret, path: a, required: {any_of: key}}
  key_b: {engine: kv2, mount: secret, path: b, required: {any_of: key}}
";
pub(crate) const VERIFIER: fn(&mut ServerFacts) =
    |online| online.capabilities = Err(UnknownReason::NotRequested);

pub(crate) fn now() -> Timestamp {
    "2026-11-23T00:00:00Z".parse().expect("a valid time")
}

pub(crate) fn in_hours(hours: i64) -> Timestamp {
    now().checked_add(SignedDuration::from_hours(hours)).expect("a valid time")
}

/// A change of a server's facts.
type Change = Box<dyn Fn(&mut ServerFacts)>;

/// A manifest with its policy, and the facts of a server.
pub(crate) struct Scenario {
    pub(crate) text: String,
    policy: Option<&'static str>,
    changes: Vec<Change>,
    namespace: &'static str,
}

impl Scenario {
    /// A manifest with these needs, whose only profile attaches no policy.
    pub(crate) fn with_needs(needs: &str) -> Self {
        let text = format!(
            "version: 1\nserver: {{product: openbao}}\nneeds:\n{needs}profiles:\n  ci:\n    \
             auth: {{method: jwt, role: ml-ci, jwt: {{env: CI_JWT}}}}\n"
        );
        Self { text, policy: None, changes: Vec::new(), namespace: "" }
    }

    /// Appends lines to the manifest. Indented lines belong to the profile.
    pub(crate) fn with_lines(mut self, lines: &str) -> Self {
        self.text.push_str(lines);
        self
    }

    /// Sets the value of the profile's `namespace:`.
    pub(crate) fn in_namespace(self, namespace: &'static str) -> Self {
        Self { namespace, ..self }
    }

    /// Attaches a policy.
    pub(crate) fn with_policy(mut self, policy: &'static str) -> Self {
        self.text = self.text.replace("needs:\n", "policies: {ci-db: {file: ci-db.hcl}}\nneeds:\n");
        self.text = self.text.replace("    auth: {", "    attach: [ci-db]\n    auth: {");
        self.policy = Some(policy);
        self
    }

    /// Changes the facts of the server.
    pub(crate) fn with_facts(mut self, change: impl Fn(&mut ServerFacts) + 'static) -> Self {
        self.changes.push(Box::new(change));
        self
    }

    /// Changes the facts about a need.
    pub(crate) fn with_need_facts(
        self,
        need: &'static str,
        change: impl Fn(&mut NeedFacts) + 'static,
    ) -> Self {
        self.with_facts(move |online| change(online.needs.get_mut(need).expect("the need exists")))
    }

    /// Sets the token's capabilities on a path.
    pub(crate) fn with_capabilities(
        self,
        path: &'static str,
        capabilities: &'static [&'static str],
    ) -> Self {
        self.with_facts(move |online| {
            let paths = online.capabilities.as_mut().expect("the capabilities were requested");
            let names = capabilities.iter().map(|name| (*name).to_owned());
            paths.insert(path.to_owned(), names.collect());
        })
    }

    /// Makes a need absent.
    pub(crate) fn with_absent(self, need: &'static str) -> Self {
        self.with_need_facts(need, |facts| {
            facts.presence = Ok(Presence::Absent);
            facts.fields = Err(UnknownReason::NotRequested);
        })
    }

    pub(crate) fn outcome(&self) -> Outcome {
        let manifest = Manifest::parse("secrets.yml", &self.text, ManifestLocation::OwnFile);
        let manifest = manifest.expect("a valid manifest").expect("a manifest with needs");
        let manifest = manifest.with_namespaces("", |_| Some(self.namespace.to_owned()));
        let profile = manifest.profile("ci").expect("the profile exists");
        let mut online = healthy_server(&profile);
        for change in &self.changes {
            change(&mut online);
        }
        let files = self.policy.map(|text| ("ci-db.hcl".to_owned(), text.to_owned()));
        let outcome = check(&Input {
            manifest: &manifest,
            files: &files.into_iter().collect(),
            profile: Some("ci"),
            dialect: None,
            now: now(),
            horizon_days: 30,
            online: Some(&online),
        });
        outcome.expect("the policies exist")
    }

    /// Asserts the findings (without `no-policies-attached`), the exit code, and texts of the output.
    #[track_caller]
    pub(crate) fn expect_findings(self, findings: &[(Level, &str)], exit: u8, texts: &[&str]) {
        let mut outcome = self.outcome();
        outcome.findings = final_report(&outcome, &[]).findings;
        outcome.overrides.accept.clear();
        let found = |finding: &Finding| (finding.level, finding.code.as_str());
        let found: Vec<_> = outcome.findings.iter().map(found).collect();
        let reported: Vec<_> =
            found.iter().map(|(s, c)| (*s, *c)).filter(|(_, c)| *c != NO_POLICIES).collect();
        let text = text_of(&outcome);
        assert_eq!(reported, findings, "{text}");
        assert_eq!(final_report(&outcome, &[]).exit.code(), exit, "{text}");
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for expected in texts {
            assert!(flat.contains(expected), "`{expected}` is missing:\n{text}");
        }
        for finding in outcome.findings.iter().filter(|finding| finding.code != NO_POLICIES) {
            assert!(finding.place.is_some() && finding.help.is_some(), "{finding:?}");
        }
        let wide = |line: &&str| line.chars().count() > 80 && !line.starts_with("      ");
        let table = table(&outcome.rows).render(render::WIDTH);
        assert_eq!(table.lines().chain(text.lines()).find(wide), None);
    }

    #[track_caller]
    pub(crate) fn expect_no_findings(self) {
        self.expect_findings(&[], 0, &[]);
    }

    pub(crate) fn table(self) -> Vec<Vec<String>> {
        table(&self.outcome().rows).rows
    }
}

/// Applies the manifest's rules and `deny` to the findings.
pub(crate) fn final_report(outcome: &Outcome, deny: &[DenyTarget]) -> FinalReport {
    let mut rules = outcome.overrides.clone();
    rules.deny.extend(deny.iter().copied().map(DenySetting::from_flag));
    apply_overrides(outcome.findings.clone(), Completion::Complete, &rules)
}

/// The findings as text.
pub(crate) fn text_of(outcome: &Outcome) -> String {
    render::human(&outcome.findings, &SourceTexts::default(), Layout::PLAIN)
}

/// The note of every scenario that attaches no policy.
pub(crate) const NO_POLICIES: &str = "no-policies-attached";

pub(crate) fn error(code: &str) -> (Level, &str) {
    (Level::Error, code)
}

pub(crate) fn warning(code: &str) -> (Level, &str) {
    (Level::Warning, code)
}

pub(crate) fn note(code: &str) -> (Level, &str) {
    (Level::Note, code)
}

/// The facts of a server that has and allows everything that the profile needs.
pub(crate) fn healthy_server(profile: &ResolvedProfile) -> ServerFacts {
    let mut capabilities: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for need_request in job_requests_of_profile(profile) {
        let granted = capabilities.entry(need_request.request.path).or_default();
        granted.insert(need_request.request.operation.name().to_owned());
    }
    let needs = profile.needs.iter().map(|resolved| {
        let need = &resolved.need;
        let (kind, kv_version) = match need.engine {
            Engine::Kv1 => ("kv", Some(1)),
            Engine::Kv2 => ("kv", Some(2)),
            engine => (engine.name(), None),
        };
        let names = need.fields.keys().cloned();
        let mount = Mount {
            path: need.mount.clone(),
            kind: kind.to_owned(),
            kv_version,
            default_ttl: 0,
            max_ttl: 0,
        };
        let facts = NeedFacts {
            mount: Ok(mount),
            presence: Ok(Presence::Present { deleted_at: None }),
            fields: if need.engine == Engine::Kv2 {
                Ok(names.collect())
            } else {
                Err(UnknownReason::NoSafeRequest)
            },
            lease: Ok(Lease { default_ttl: 3600, max_ttl: 86_400 }),
        };
        (resolved.name.clone(), facts)
    });
    ServerFacts {
        server: Server {
            address: "https://vault.example:8200".to_owned(),
            version: "2.4.0".to_owned(),
            product: Some(Product::OpenBao),
            has_namespaces: Some(true),
            clock_ahead: Some(SignedDuration::from_secs(-60)),
        },
        token: Token {
            logged_in: true,
            policies: vec!["ci-db".to_owned(), "default".to_owned()],
            ttl: 3600,
            expires: Some(in_hours(1)),
            renewable: true,
            period: 0,
            explicit_max_ttl: 0,
            mount_max_ttl: 0,
            uses_left: None,
            batch: false,
        },
        capabilities: Ok(capabilities),
        needs: needs.collect(),
    }
}

/// Forbids the token to read the names of fields.
pub(crate) fn without_field_names(facts: &mut NeedFacts) {
    facts.fields = Err(UnknownReason::Forbidden);
}
