//! One model of namespaces: check-secrets, `policy explain`, `policy generate` and `policy test`
//! decide the same about a policy that is uploaded somewhere.

use std::process::Command;

use crate::support::BINARY;

/// A namespace, where the policy is uploaded if not there, the policy's path, whether it is allowed.
const CASES: [(&str, Option<&str>, &str, bool); 9] = [
    ("", None, "secret/data/app/*", true),
    ("admin/team-a", None, "secret/data/app/*", true),
    ("admin/team-a", None, "admin/team-a/secret/data/app/*", false),
    ("admin/team-a", Some("root"), "admin/team-a/secret/data/app/*", true),
    ("admin/team-a", Some("root"), "secret/data/app/*", false),
    ("admin/team-a", Some("admin"), "team-a/secret/data/app/db", true),
    ("/admin/team-a/", Some("admin/"), "+/secret/data/app/db", true),
    ("admin/team-a", Some("admin/team-b"), "secret/data/app/*", false),
    ("admin/team-a", Some("admin/team-a"), "secret/data/app/*", true),
];

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(uploaded: Option<&str>, path: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("app.hcl", &format!("path \"{path}\" {{ capabilities = [\"read\"] }}\n"));
        let namespace = uploaded.map_or_else(String::new, |name| format!(", namespace: {name}"));
        folder.write(
            "secrets.yml",
            &format!(
                "version: 1\npolicies: {{app: {{file: app.hcl{namespace}}}}}\nneeds:\n  db: \
                 {{engine: kv2, mount: secret, path: app/db}}\nprofiles:\n  ci:\n    attach: \
                 [app]\n    auth: {{method: jwt, role: r, jwt: {{env: CI_JWT}}}}\n    namespace: \
                 {{env: TEAM}}\n"
            ),
        );
        folder
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    fn run(&self, namespace: Option<&str>, args: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(BINARY);
        command.args(args).current_dir(self.0.path()).env_clear().env("HOME", self.0.path());
        if let Some(namespace) = namespace {
            command.env("TEAM", namespace);
        }
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    }

    fn check(&self, namespace: Option<&str>) -> (Option<i32>, String) {
        self.run(namespace, &["check-secrets", "--offline", "--manifest", "secrets.yml"])
    }
}

#[test]
fn check_explain_and_test_agree_wherever_a_policy_is_uploaded() {
    for (namespace, uploaded, path, allowed) in CASES {
        let folder = Folder::new(uploaded, path);
        let case = format!("{path} in {uploaded:?}, requested in {namespace}");
        let (code, said) = folder.check(Some(namespace));
        let (denied, granted) =
            (said.contains("error[request-denied]"), said.contains("allowed\n"));
        assert_eq!(
            (code == Some(0), !denied, granted),
            (allowed, allowed, allowed),
            "{case}: {said}"
        );

        let question = ["policy", "explain", "--policy", "app.hcl", "--operation", "read"];
        let request = ["--path", "secret/data/app/db", "--namespace", namespace];
        let mut question = [&question[..], &request[..]].concat();
        question.extend(uploaded.iter().flat_map(|name| ["--policy-namespace", name]));
        let (code, said) = folder.run(None, &question);
        assert_eq!(code, Some(i32::from(!allowed)), "{case}: {said}");

        // A token has the policies of its own namespace, unless they say otherwise.
        let own = uploaded.map_or_else(String::new, |name| format!(", namespace: {name}"));
        let cases = format!(
            "cases:\n  - policies: [{{name: app, file: app.hcl{own}}}]\n    token_namespace: \
             '{namespace}'\n    request: {{operation: read, path: secret/data/app/db, namespace: \
             '{namespace}'}}\n    expect: {{openbao: {{allowed: {allowed}}}, vault: {{allowed: \
             {allowed}}}}}\n"
        );
        folder.write("cases.yml", &cases);
        let (code, said) = folder.run(None, &["policy", "test", "cases.yml"]);
        assert_eq!(code, Some(0), "{case}: {said}");
    }
}

#[test]
fn what_generate_writes_and_what_a_denial_proposes_is_allowed() {
    for (namespace, uploaded) in [
        ("", None),
        ("admin/team-a", None),
        ("admin/team-a", Some("root")),
        ("admin/team-a", Some("admin")),
        ("admin/team-a", Some("admin/team-a")),
    ] {
        let folder = Folder::new(uploaded, "nothing");
        let (code, said) = folder.check(Some(namespace));
        assert_eq!(code, Some(1), "{said}");
        let proposed = said.lines().skip_while(|line| !line.trim_start().starts_with("path \""));
        let proposed: Vec<_> = proposed.take(3).collect();
        folder.write("app.hcl", &proposed.join("\n"));
        let (code, again) = folder.check(Some(namespace));
        assert_eq!(code, Some(0), "{namespace} {uploaded:?}: {proposed:?}: {again}");

        let (code, hcl) =
            folder.run(Some(namespace), &["policy", "generate", "--manifest", "secrets.yml"]);
        assert_eq!(code, Some(0), "{hcl}");
        folder.write("app.hcl", &hcl);
        let (code, again) = folder.check(Some(namespace));
        assert_eq!(code, Some(0), "{namespace} {uploaded:?}: {hcl}: {again}");
    }
}

#[test]
fn a_policy_with_a_namespace_is_not_judged_without_that_of_the_profile() {
    let folder = Folder::new(Some("admin"), "team-a/secret/data/app/db");
    let (code, said) = folder.check(None);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("error[policy-namespace]") && said.contains("set TEAM"), "{said}");
    assert!(!said.contains("allowed\n"), "{said}");
    let generate = ["policy", "generate", "--manifest", "secrets.yml"];
    let (code, said) = folder.run(None, &generate);
    assert_eq!(code, Some(2), "{said}");
    let (code, said) = folder.run(Some("other"), &generate);
    assert_eq!(code, Some(2), "{said}");

    // A policy that seems to be uploaded above the namespace.
    let folder = Folder::new(None, "admin/team-a/secret/data/app/*");
    let (_, said) = folder.check(Some("admin/team-a"));
    assert!(said.contains("`namespace: root`"), "{said}");

    let folder = Folder::new(Some("admin/team-b"), "secret/data/app/db");
    let (_, said) = folder.check(Some("admin/team-a"));
    assert!(said.contains("warning[policy-namespace]"), "{said}");
}
