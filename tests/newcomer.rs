//! The first hour with secrets: what is written, what is said about usual mistakes, and what is
//! named first.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use crate::support::BINARY;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    fn run(&self, variables: &[(&str, &str)], args: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(BINARY);
        command.args(args).current_dir(self.path()).env_clear().env("HOME", self.path());
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code(), text)
    }
}

const MANIFEST: &str = "version: 1
policies: {app: {file: vault/app.hcl}}
needs:
  db: {engine: kv2, mount: secret, path: app/db, fields: {p: P}}
profiles:
  ci:
    auth: {method: jwt, role: r, jwt: {env: CI_JWT}}
    attach: [app]
  prod:
    auth: {method: approle, role_id: {env: ROLE_ID}, secret_id: {file: secret-id}}
    attach: [app]
";

const INIT: [&str; 6] = [
    "secrets",
    "init",
    "--need",
    "kv2:secret/db_creds:host,username,password",
    "--profile",
    "ci:jwt",
];

const CHECK: [&str; 4] = ["check-secrets", "--offline", "--manifest", "secrets.yml"];

#[test]
fn init_writes_what_the_offline_check_passes_at_once_and_never_overwrites() {
    let folder = Folder::new(&[]);
    let (code, said) = folder.run(&[], &INIT);
    assert_eq!(code, Some(0), "{said}");
    let (code, checked) = folder.run(&[], &CHECK);
    assert_eq!(code, Some(0), "{checked}");
    assert!(checked.contains("0 errors, 0 warnings, 0 notes"), "{checked}");

    let written = folder.read("secrets.yml");
    let (code, again) = folder.run(&[], &INIT);
    assert_eq!((code, folder.read("secrets.yml")), (Some(2), written), "{again}");
    assert!(again.contains("secrets.yml exists, and nothing was written"), "{again}");

    // An existing policy is kept too, and then no manifest is written.
    std::fs::remove_file(folder.path().join("secrets.yml")).unwrap();
    folder.write("vault/policies/ci.hcl", "# mine\n");
    let (code, again) = folder.run(&[], &INIT);
    assert_eq!(code, Some(2), "{again}");
    assert_eq!(folder.read("vault/policies/ci.hcl"), "# mine\n");
    assert!(!folder.path().join("secrets.yml").exists());

    let inside = Folder::new(&[(
        "environment.yml",
        "dependencies: [zlib]\nsecrets: {version: 1, needs: {}}\n",
    )]);
    let (code, said) = inside.run(&[], &INIT);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("`secrets:` key already"), "{said}");
}

#[test]
fn init_without_needs_and_without_a_terminal_names_the_flags() {
    let folder = Folder::new(&[]);
    let (code, said) = folder.run(&[], &["secrets", "init"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--need kv2:secret/db_creds:host,username,password"), "{said}");
    let (code, said) = folder.run(&[], &["secrets", "init", "--need", "kv3:a/b"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("no engine is named kv3"), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn without_an_environment_the_flag_for_the_manifest_is_named_first() {
    let folder = Folder::new(&[("secrets.yml", MANIFEST)]);
    let (code, said) = folder.run(&[], &["check-secrets", "--offline"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("help: check the manifest alone: `--manifest secrets.yml`"), "{said}");
    let (code, said) = Folder::new(&[]).run(&[], &["check-secrets", "--offline"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("help: name a manifest with `--manifest FILE`"), "{said}");
}

#[test]
fn a_missing_policy_file_comes_with_the_command_that_writes_it() {
    let folder = Folder::new(&[("secrets.yml", MANIFEST)]);
    let (code, said) = folder.run(&[], &CHECK);
    assert_eq!(code, Some(2), "{said}");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("`envlock policy generate --profile ci > vault/app.hcl`"), "{said}");
}

#[test]
fn a_profile_without_credentials_names_the_variable_that_is_unset() {
    let folder = Folder::new(&[("secrets.yml", MANIFEST)]);
    std::fs::create_dir(folder.path().join("vault")).unwrap();
    folder.write("vault/app.hcl", "path \"secret/data/app/db\" { capabilities = [\"read\"] }\n");
    let online = ["check-secrets", "--manifest", "secrets.yml"];
    let vault = ("VAULT_ADDR", "https://vault.example.com:8200");
    let (code, said) = folder.run(&[vault, ("ROLE_ID", "x")], &online);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("profile ci: the variable CI_JWT isn't set"), "{said}");
    assert!(said.contains("profile prod: the file secret-id doesn't exist"), "{said}");
    assert!(!said.contains("ROLE_ID"), "{said}");
}

#[test]
fn a_proxy_that_refuses_is_named() {
    let folder = Folder::new(&[("secrets.yml", MANIFEST)]);
    std::fs::create_dir(folder.path().join("vault")).unwrap();
    folder.write("vault/app.hcl", "path \"secret/data/app/db\" { capabilities = [\"read\"] }\n");
    for (status, words) in [
        ("403 Forbidden", "the proxy refused to connect to it"),
        ("407 Proxy Authentication Required", "the proxy wants a user and a password"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = format!("http://user:geheim@{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            while let Ok((mut client, _)) = listener.accept() {
                let _ = client.read(&mut [0; 1024]);
                let _ = write!(client, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
            }
        });
        let variables = [
            ("VAULT_ADDR", "https://vault.example.com:8200"),
            ("CI_JWT", "a.b.c"),
            ("HTTPS_PROXY", proxy.as_str()),
        ];
        let online = ["check-secrets", "--manifest", "secrets.yml", "--profile", "ci"];
        let (code, said) = folder.run(&variables, &online);
        assert_eq!(code, Some(3), "{said}");
        let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(words), "{said}");
        assert!(flat.contains("(HTTPS_PROXY)") && flat.contains("NO_PROXY"), "{said}");
        assert!(!flat.contains("geheim"), "{said}");
    }
}

#[test]
fn a_row_of_a_table_is_one_line_in_a_pipe_and_fits_into_columns() {
    let path = "a/".repeat(60) + "db";
    let manifest = MANIFEST.replace("app/db", &path);
    let folder = Folder::new(&[("secrets.yml", &manifest)]);
    std::fs::create_dir(folder.path().join("vault")).unwrap();
    let policy = format!("path \"secret/data/{path}\" {{ capabilities = [\"read\"] }}\n");
    folder.write("vault/app.hcl", &policy);
    let list = ["secrets", "list", "--manifest", "secrets.yml"];
    for args in [&CHECK[..], &list] {
        let (code, said) = folder.run(&[], args);
        assert_eq!(code, Some(0), "{said}");
        let row = said.lines().find(|line| line.starts_with("db ")).unwrap();
        assert!(row.contains(&path), "{said}");
        let end = if args == list { "yes" } else { "allowed" };
        assert!(row.ends_with(end), "{said}");
        let (_, narrow) = folder.run(&[("COLUMNS", "100")], args);
        let row = narrow.lines().find(|line| line.starts_with("db ") || *line == "db").unwrap();
        assert!(row.chars().count() <= 100, "{narrow}");
    }
}

#[test]
fn another_name_of_an_engine_a_short_ttl_and_a_wrong_shape_are_understood() {
    let check = |need: &str| {
        let manifest = format!("version: 1\nneeds:\n  a: {need}\n");
        let folder = Folder::new(&[("secrets.yml", &manifest)]);
        let (code, said) = folder.run(&[], &CHECK);
        (code, said.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    for (engine, help) in [
        ("kv-v2", "write `engine: kv2`"),
        ("kv_v2", "write `engine: kv2`"),
        ("KV2", "write `engine: kv2`"),
        ("kv-v1", "write `engine: kv1`"),
        ("kv", "one for each use: kv1, kv2"),
        ("ssh", "ssh-ca, ssh-issue, ssh-otp"),
    ] {
        let (code, said) = check(&format!("{{engine: {engine}, mount: m, path: p}}"));
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(help), "{engine}: {said}");
    }
    let (code, said) = check("{engine: database, mount: database, role: ro, ttl: 1h}");
    assert_eq!(code, Some(0), "{said}");
    for (need, shape) in [
        ("secret/app/db", "write `NAME: {engine: kv2, mount: secret, path: app/db"),
        ("{engine: kv2, mount: s, path: p, fields: [a]}", "`fields: {password: DB_PASSWORD}`"),
        ("{engine: database, mount: d, role: r, ttl: [1]}", "`ttl: 1h`"),
        ("{engine: database, mount: d, role: r, ttl: soon}", "90s, 15m, 1h or 7d"),
    ] {
        let (code, said) = check(need);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(shape), "{need}: {said}");
    }
}
