//! Texts of every kind, most of them wrong: the server takes those that the evaluator takes.

use std::io::{self, Write as _};

use envlock_testkit::left_out;

use crate::dice::Dice;
use crate::generate::Ground;
use crate::judge::{self, upload};
use crate::release::server;
use crate::tally::Tally;

const MUTATIONS: usize = 2_500;

/// What stands in policies, to be put where it doesn't belong.
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

/// A block around a few keys.
fn block(keys: &str) -> String {
    format!("path \"kv/a\" {{ capabilities = [\"list\"]\n{keys}\n}}\n")
}

#[test]
fn the_server_takes_the_texts_that_the_evaluator_takes() {
    let what = "the server's reading of policies";
    let Some((bao, version, _)) = server() else { return left_out(what) };
    let mut tally = Tally::default();
    let mut differences = Vec::new();
    let mut compare = |kind: &str, text: &str| {
        let ours = judge::read(text);
        let theirs = upload(&bao, "text", text);
        let verdict = if theirs == 204 { "taken" } else { "refused" };
        tally.count(format!("{kind} {verdict}"));
        if judge::is_left_to_the_server(text, &ours) {
            tally.count(format!("{kind} left to the server"));
        } else if ours.is_ok() != (theirs == 204) {
            differences.push(format!("{kind}: {theirs}, ours: {ours:?}\n{text}\n"));
        }
    };
    for keys in KEYS {
        compare("by hand", &block(keys));
    }
    for text in TEXTS {
        compare("by hand", text);
    }
    let ground = Ground { kv1: "kv".to_owned(), kv2: "docs".to_owned() };
    let mut dice = Dice::new(7);
    for _ in 0..MUTATIONS {
        let text = ground.policy(&mut dice, "kv/a/b");
        let text = mutated(&mut dice, &text);
        if !text.is_empty() {
            let notation = if text.trim_start().starts_with('{') { "JSON" } else { "HCL" };
            compare(notation, &text);
        }
    }
    // Past the capture of the test harness: it says what this test is worth.
    let _ = writeln!(io::stderr(), "uploaded to OpenBao {version}: {tally}");
    assert!(differences.is_empty(), "{}\n{}", differences.len(), differences.join("\n"));
    for what in ["by hand taken", "by hand refused", "JSON taken", "HCL taken", "HCL refused"] {
        assert!(tally.of(what) >= 30, "{what}: {tally}");
    }
}

/// One or two changes of a text, at the borders of its words.
fn mutated(dice: &mut Dice, text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for c in text.chars() {
        match words.last_mut() {
            Some(word) if c.is_alphanumeric() && word.ends_with(char::is_alphanumeric) => {
                word.push(c);
            }
            _ => words.push(c.to_string()),
        }
    }
    for _ in 0..=dice.below(2) {
        let at = dice.below(words.len());
        match dice.below(4) {
            0 => drop(words.remove(at)),
            1 => words.insert(at, dice.pick(&PIECES).to_owned()),
            2 => dice.pick(&PIECES).clone_into(&mut words[at]),
            _ => {
                let other = dice.below(words.len());
                words.swap(at, other);
            }
        }
        if words.is_empty() {
            break;
        }
    }
    words.concat()
}

const KEYS: [&str; 51] = [
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
];

const TEXTS: [&str; 22] = [
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
];
