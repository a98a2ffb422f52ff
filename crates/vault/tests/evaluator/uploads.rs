//! Uploads valid and invalid texts: the server must accept those that the evaluator accepts.

use std::io::{self, Write as _};

use envlock_policy::{Dialect, Identity, Operation, Policy};
use envlock_testkit::{VaultClient, skip_test};
use serde_json::{Map, Value, json};

use crate::counts::Counts;
use crate::generate::Mounts;
use crate::policies::{self, acl, upload};
use crate::release::{allows, server};
use crate::request::{TestRequest, is_allowed};
use envlock_testkit::SeededRandom;

const MUTATIONS: usize = 2_500;

/// Fragments of policies, which are inserted at wrong positions.
const PIECES: [&str; 44] = [
    "path",
    "\"",
    "\"kv/a\"",
    "{",
    "}",
    "[",
    "]",
    "=",
    ",",
    "\n",
    " ",
    "capabilities",
    "\"read\"",
    "\"deny\"",
    "\"Read\"",
    "\"root\"",
    "policy",
    "#",
    "//",
    "/*",
    "*/",
    "<<EOT\nx\nEOT\n",
    "\\",
    "\\n",
    "\\u0041",
    "${",
    "{{",
    "}}",
    "{{identity.entity.name}}",
    "+",
    "*",
    "+*",
    "1",
    "-1",
    "0x1F",
    "1.5",
    "true",
    "密",
    ":",
    "'",
    ";",
    "name = \"x\"\n",
    "expiration = \"\"\n",
    "min_wrapping_ttl = \"5m\"\n",
];

/// Writes a block around a few keys.
fn block(keys: &str) -> String {
    format!("path \"kv/a\" {{ capabilities = [\"list\"]\n{keys}\n}}\n")
}

/// A server with one policy, whose text is replaced for each case.
struct Reader<'b> {
    root: &'b VaultClient,
    job: VaultClient,
    dialect: Dialect,
    counts: Counts,
    differences: Vec<String>,
}

#[test]
fn the_server_accepts_and_reads_texts_as_the_evaluator_does() {
    let what = "how the server reads policies";
    let Some((bao, version, dialect)) = server() else { return skip_test(what) };
    let mut reader = Reader::new(&bao, dialect);
    for keys in KEYS {
        reader.compare("by hand", &block(keys));
    }
    for text in TEXTS {
        reader.compare("by hand", text);
    }
    let mounts = Mounts { kv1: "kv".to_owned(), kv2: "docs".to_owned() };
    let mut random = SeededRandom::new(7);
    for _ in 0..MUTATIONS {
        let text = mounts.policy(&mut random, "kv/a/b");
        let text = mutated(&mut random, &text);
        if !text.is_empty() {
            let notation = if text.trim_start().starts_with('{') { "JSON" } else { "HCL" };
            reader.compare(notation, &text);
        }
    }
    let Reader { counts, differences, .. } = reader;
    // Not captured by the test harness: the counts show what the test covers.
    let _ = writeln!(io::stderr(), "uploaded to OpenBao {version}: {counts}");
    assert!(differences.is_empty(), "{}\n{}", differences.len(), differences.join("\n"));
    let at_least =
        ["by hand accepted", "by hand rejected", "JSON accepted", "HCL accepted", "HCL rejected"];
    for what in at_least.into_iter().chain(["capabilities granted", "allowed", "denied"]) {
        assert!(counts.of(what) >= 30, "{what}: {counts}");
    }
}

impl<'b> Reader<'b> {
    fn new(root: &'b VaultClient, dialect: Dialect) -> Self {
        root.kv1("kv");
        root.secret("kv", "a/b", json!({ "v": "1" }));
        let options = json!({ "no_default_policy": true, "type": "batch" });
        let job = root.with_token(root.token(&["text"], options));
        Self { root, job, dialect, counts: Counts::default(), differences: Vec::new() }
    }

    fn compare(&mut self, kind: &str, text: &str) {
        let ours = policies::named("text", text, self.dialect);
        let theirs = upload(self.root, "text", text);
        let verdict = if theirs == 204 { "accepted" } else { "rejected" };
        self.counts.count(format!("{kind} {verdict}"));
        match ours {
            Ok(policy) if theirs == 204 => self.compare_meaning(text, &policy),
            Err(_) if theirs != 204 => {}
            ours if policies::is_not_modelled(text, &ours) => {
                self.counts.count(format!("{kind} not modelled"));
            }
            ours => self.differences.push(format!("{kind}: {theirs}, ours: {ours:?}\n{text}\n")),
        }
    }

    /// Compares the rights of a token whose policy is the text.
    fn compare_meaning(&mut self, text: &str, policy: &Policy) {
        let policies = [policy];
        let identity = Identity::default();
        let acl = acl(&policies, self.dialect, &identity).expect("the policy was accepted");
        let paths = ["kv/a", "kv/a/b", "kv/a/b/", "kv/a/ab/a", "kv/b/a", "docs/data/a", "path"];
        let body = json!({ "token": self.job.current_token(), "paths": paths });
        let theirs = &self.root.post("sys/capabilities", body)["data"];
        for path in paths {
            let ours = Value::from(acl.capabilities(path, ""));
            if theirs[path] != ours {
                let what = format!("capabilities of {path}: {}, ours {ours}", theirs[path]);
                self.differences.push(format!("{what}\n{text}\n"));
            }
            if ours != json!(["deny"]) {
                self.counts.count("capabilities granted");
            }
        }
        let path = "kv/a/b";
        for data in [None, Some(json!({ "x": "1" })), Some(json!({ "n": true, "ttl": "ab" }))] {
            for operation in [Operation::Read, Operation::Update] {
                let mut request = TestRequest::new(operation, path.to_owned());
                request.data = data.as_ref().and_then(|data| data.as_object().cloned());
                if operation == Operation::Read && request.data.is_some() {
                    request.data = Some(Map::from_iter([("x".to_owned(), "1".into())]));
                    request.wrap_ttl = Some(90);
                }
                let ours = allows(&acl, &request.request(path), false);
                let status = request.status(&self.job);
                self.counts.count(if ours { "allowed" } else { "denied" });
                if is_allowed(status) != Some(ours) {
                    self.differences.push(format!("{request:?}: {status}, ours {ours}\n{text}\n"));
                }
            }
        }
    }
}

/// Makes one or two changes of a text, at the borders of its words.
fn mutated(random: &mut SeededRandom, text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for c in text.chars() {
        match words.last_mut() {
            Some(word) if c.is_alphanumeric() && word.ends_with(char::is_alphanumeric) => {
                word.push(c);
            }
            _ => words.push(c.to_string()),
        }
    }
    for _ in 0..=random.below(2) {
        let at = random.below(words.len());
        match random.below(4) {
            0 => drop(words.remove(at)),
            1 => words.insert(at, random.pick(&PIECES).to_owned()),
            2 => random.pick(&PIECES).clone_into(&mut words[at]),
            _ => {
                let other = random.below(words.len());
                words.swap(at, other);
            }
        }
        if words.is_empty() {
            break;
        }
    }
    words.concat()
}

const KEYS: [&str; 91] = [
    "allowed_parameters \"x\" { \"k\" = [\"v\"] }",
    "allowed_parameters \"x\" { k = \"v\" }",
    "allowed_parameters \"x\" { }",
    "allowed_parameters { x \"k\" { l = \"v\" } }",
    "allowed_parameters { x \"k\" { l = [\"v\"] } }",
    "allowed_parameters { x { k { l = \"v\" } } }",
    "allowed_parameters { x = [{ k { l = \"v\" } }] }",
    "min_wrapping_ttl = 5",
    "min_wrapping_ttl = \"-5s\"",
    "min_wrapping_ttl = -5",
    "min_wrapping_ttl = \"1w\"",
    "min_wrapping_ttl = \"abc\"",
    "min_wrapping_ttl = 1.5",
    "min_wrapping_ttl = \"1.5\"",
    "min_wrapping_ttl = \"1.5h\"",
    "min_wrapping_ttl = \" 5 \"",
    "min_wrapping_ttl = \"1d\"",
    "min_wrapping_ttl = \"1.5d\"",
    "min_wrapping_ttl = true",
    "min_wrapping_ttl = [5]",
    "min_wrapping_ttl = \"10m\"\nmax_wrapping_ttl = \"5m\"",
    "min_wrapping_ttl = \"10m\"\nmax_wrapping_ttl = 0",
    "expiration = \"2001-02-03T04:05:06Z\"",
    "expiration = \"2001-02-03T04:05:06.789Z\"",
    "expiration = \"2999-02-03T04:05:06+01:00\"",
    "expiration = \"2999-02-30T04:05:06Z\"",
    "expiration = \"2999-02-03\"",
    "expiration = \"2999-02-03 04:05:06Z\"",
    "expiration = \"1000000000\"",
    "expiration = 1000000000",
    "expiration = 32503680000",
    "expiration = 1.5",
    "expiration = \"soon\"",
    "expiration = true",
    "pagination_limit = 5",
    "pagination_limit = \"5\"",
    "pagination_limit = 0x10",
    "pagination_limit = 1.5",
    "pagination_limit = \"many\"",
    "pagination_limit = -1",
    "pagination_limit = true",
    "required_parameters = [\"a\", 1, true]",
    "required_parameters = \"a\"",
    "allowed_parameters = { \"x\" = { \"k\" = \"v\" } }",
    "allowed_parameters { x { k = \"v\" } }",
    "allowed_parameters = { \"x\" = \"v\" }",
    "allowed_parameters = { \"x\" = [[\"a\"], [1]] }",
    "allowed_parameters = [\"x\"]",
    "allowed_parameters = [{ \"x\" = [] }]",
    "mfa_methods = [\"totp\"]",
    "mfa_methods = \"totp\"",
    "required_parameters = [1.5]",
    "required_parameters = [1e3]",
    "required_parameters = [1]",
    "required_parameters = {}",
    "required_parameters {}",
    "required_parameters = { a = \"b\" }",
    "required_parameters \"a\" {}",
    "required_parameters = [08]",
    "mfa_methods = {}",
    "mfa_methods = [1.5]",
    "capabilities = {}",
    "capabilities = { a = 1 }",
    "capabilities = [1.5]",
    "comment = 08",
    "comment = -09",
    "comment = 018",
    "comment = 088",
    "comment = 08.5",
    "min_wrapping_ttl = 08",
    "allowed_parameters = { x = [08] }",
    "allowed_parameters = { x = [1e999] }",
    "allowed_parameters = { x = [99999999999999999999] }",
    "allowed_parameters = { \"X\" = []\n\"x\" = [] }",
    "allowed_parameters = { \"x\" = []\n\"x\" = [\"1\"] }",
    "denied_parameters = { \"İ\" = [] }",
    "pagination_limit = 08",
    "pagination_limit = \"08\"",
    "pagination_limit = 99999999999999999999",
    "policy = 08",
    "policy = 1.5",
    "expiration = 08",
    "list_scan_response_keys_filter_path = 1.5",
    "list_scan_response_keys_filter_path = []",
    "control_group = {}",
    "control_group { factor \"a\" { identity { group_names = [\"m\"]\napprovals = 1 } } }",
    "subscribe_event_types = [\"*\"]",
    "comment = \"\\uD800\"",
    "comment = \"\\UFFFFFFFF\"",
    "comment = \"\\xff\"",
    "comment = { a = 1\na = 2 }",
];

const TEXTS: [&str; 47] = [
    "# nothing\n",
    "\u{feff}path \"a\" { }",
    "path { capabilities = [\"read\"] }",
    "path \"a\" \"b\" { capabilities = [\"read\"] }",
    "path \"a\" = { capabilities = [\"read\"] }",
    "path = { \"a\" = { capabilities = [\"read\"] } }",
    "path \"a\" { capabilities = \"read\" }",
    "path \"a\" { capabilities = [\"read\", \"nonsense\", \"deny\"] }",
    "path \"a\" { capabilities = [\"deny\", \"nonsense\"] }",
    "path \"a\" { capabilities = [\"nonsense\"]\nexpiration = \"2001-02-03T04:05:06Z\" }",
    "path \"a/+*\" { expiration = \"2001-02-03T04:05:06Z\" }",
    "path \"a}}\" { expiration = \"2001-02-03T04:05:06Z\" }",
    "path \"a\" { pagination_limit = \"x\"\nexpiration = \"2001-02-03T04:05:06Z\" }",
    "path \"a\" { nonsense = 1\nexpiration = \"2001-02-03T04:05:06Z\" }",
    "path \"a\" { list_scan_response_keys_filter_path = \"{{ .path }}{{ .key }}\" }",
    "{\"path\": {\"a\": {\"capabilities\": [null]}}}",
    "{\"path\": {\"a\": {\"capabilities\": [true]}}}",
    "{\"path\": {\"a\": {\"capabilities\": null}}}",
    "{\"path\": {\"a\": {\"allowed_parameters\": {\"x\": [{\"k\": \"v\"}]}, \"capabilities\": []}}}",
    "{\"path\": {\"a\": {\"allowed_parameters\": {\"x\": {\"k\": \"v\"}}, \"capabilities\": []}}}",
    "{\"path\": {\"a\": [{\"capabilities\": [\"read\"]}]}}",
    "{\"path\": {\"a\": {\"policy\": \"read\", \"nonsense\": 1}}}",
    "",
    " ",
    "\n",
    "name = 1.5",
    "name = 08",
    "name = \"x\"\nname = \"y\"",
    "path \"kv/\0a\" {}",
    "# \0",
    "# \u{e123}",
    "path \"kv/\\uD800\" {}",
    "path \"kv/\\303\\251\" { capabilities = [\"read\"] }",
    "Iw==",
    "Ix==\n",
    "IyD/",
    "abcd",
    "e30=",
    "path",
    "{\"path\": {\"kv/a\": {\"capabilities\": {}}}}",
    "{\"path\": {\"kv/a\": {\"capabilities\": [], \"comment\": [null]}}}",
    "{\"path\": {\"kv/a\": {\"capabilities\": [], \"required_parameters\": [null]}}}",
    "{\"path\": {\"kv/a\": {\"capabilities\": [], \"required_parameters\": [1.5]}}}",
    "{\"path\": {\"kv\\/a\": {\"capabilities\": []}}}",
    "{\"path\": {\"kv/a\": {\"capabilities\": [], \"comment\": \"\\ud83d\\ude00\"}}}",
    "{\"name\": \"x\", \"name\": \"y\"}",
    "{\"name\": null}",
];
