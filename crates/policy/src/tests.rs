//! Tests of what the vectors don't cover: RustyVault, and the text of an explanation.

use jiff::Timestamp;

use super::explain::explain;
use super::lint::{LintContext, lint};
use super::{
    Acl, Dialect, EvaluationContext, Identity, KnownParameter, Operation, PartialBody, Policy,
    Request, Unknown,
};

/// A policy with a block for each pattern and capability.
pub(crate) fn policy(rules: &[(&str, &str)]) -> Policy {
    let block = |(pattern, word): &(&str, &str)| {
        format!("path \"{pattern}\" {{ capabilities = [\"{word}\"] }}\n")
    };
    // The servers refuse an empty text.
    let text = rules.iter().map(block).collect::<String>() + "# The end.\n";
    Policy::parse("p", "p.hcl", &text).unwrap()
}

/// A server without an identity, in 1970.
pub(crate) fn context(dialect: Dialect) -> EvaluationContext<'static> {
    EvaluationContext { dialect, now: Timestamp::UNIX_EPOCH, identity: None, token_namespace: "" }
}

fn explanation(dialect: Dialect, text: &str, operation: Operation, path: &str) -> String {
    let policy = Policy::parse("p", "p.hcl", text).unwrap();
    let identity = Identity::default();
    let now = Timestamp::UNIX_EPOCH;
    let context =
        EvaluationContext { dialect, now, identity: Some(&identity), token_namespace: "" };
    let policies = [&policy];
    let acl = Acl::new(&policies, &context).unwrap();
    explain(&acl, &Request::new(operation, path), None).to_string()
}

fn allowed(dialect: Dialect, text: &str, operation: Operation, path: &str) -> bool {
    explanation(dialect, text, operation, path).lines().next().unwrap().ends_with(": allowed")
}

#[test]
fn rustyvault_lists_only_with_the_slash_and_does_not_expand_templates() {
    let without = "path \"kv/x\" { capabilities = [\"list\"] }";
    assert!(!allowed(Dialect::RustyVault, without, Operation::List, "kv/x/"));
    assert!(allowed(Dialect::OpenBao, without, Operation::List, "kv/x/"));
    let template = "path \"kv/{{x}}\" { capabilities = [\"read\"] }";
    assert!(allowed(Dialect::RustyVault, template, Operation::Read, "kv/{{x}}"));
    assert!(!allowed(Dialect::OpenBao, template, Operation::Read, "kv/{{x}}"));
}

#[test]
fn an_explanation_of_a_write_names_the_parameters_that_its_answer_depends_on() {
    let text = "path \"k\" { capabilities = [\"update\"]\n required_parameters = [\"a\"]\n \
                allowed_parameters = { \"a\" = [\"x*\"] } }";
    let policy = Policy::parse("p", "p.hcl", text).unwrap();
    let policies = [&policy];
    let acl = Acl::new(&policies, &context(Dialect::OpenBao)).unwrap();
    let explained =
        |body: PartialBody| explain(&acl, &Request::new(Operation::Update, "k"), Some(&body));
    let unknown = explained(PartialBody { open: true, ..PartialBody::default() });
    assert!(!unknown.allowed && unknown.depends_on.len() == 3, "{unknown}");
    assert!(unknown.to_string().starts_with("openbao: update k: depends on its parameters\n"));
    assert!(unknown.to_string().contains("  on:    whether `a` is sent, which the rule requires"));
    let sent = |name: &str, value: Option<&str>| {
        let declared = [(name.to_owned(), value.map(Into::into))].into();
        let explanation = explained(PartialBody::exactly(&declared));
        (explanation.allowed, explanation.depends_on.len())
    };
    assert_eq!(sent("a", Some("x1")), (true, 0));
    assert_eq!(sent("a", Some("y")), (false, 0));
    assert_eq!(sent("a", None), (false, 1));
    assert_eq!(sent("b", None), (false, 0));
}

#[test]
fn a_lint_of_too_many_rules_says_that_not_all_were_compared() {
    let blocks = |number: usize| {
        let deny = |n| format!("path \"k/+/+/{n}*\" {{ capabilities = [\"deny\"] }}\n");
        let read = "path \"k/+/*\" { capabilities = [\"read\"] }\n";
        (0..number).map(deny).chain([read.to_owned()]).collect::<String>()
    };
    let notes = |number| {
        let context = LintContext::portable(Timestamp::UNIX_EPOCH);
        let found = lint("p", "p.hcl", &blocks(number), &context);
        found.iter().filter(|finding| finding.code == "rules-not-compared").count()
    };
    assert_eq!((notes(100), notes(3_000)), (0, 1));
}

#[test]
fn an_explanation_names_the_rule_the_priority_step_and_the_hidden_rules() {
    let text = "path \"k/*\" {\n  capabilities = [\"update\"]\n}\npath \"k/+/b\" {\n  capabilities = [\"read\"]\n}\n";
    assert_eq!(
        explanation(Dialect::Vault, text, Operation::Update, "k/a/b"),
        "vault: update k/a/b: denied
  why:            the rule grants read, and update is needed
  rule:           path \"k/+/b\" of p (p.hcl:4:6)
  chosen because: it doesn't end in `*`, and so is more specific than \"k/*\"; rules of different patterns are never merged
  overrides:      path \"k/*\" of p (p.hcl:1:6)
  capabilities-self returns: read
"
    );
}

#[test]
fn a_template_that_no_identity_gives_a_value_leaves_nothing_open() {
    let undecided = |pattern: &str| {
        let text = format!("path \"{pattern}\" {{ capabilities = [\"read\"] }}\n");
        let policy = Policy::parse("p", "p.hcl", &text).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let context =
            EvaluationContext { dialect: Dialect::Vault, now, identity: None, token_namespace: "" };
        let policies = [&policy];
        Acl::new(&policies, &context).unwrap().undecided_blocks().len()
    };
    assert_eq!(undecided("a/{{identity.entity.name}}"), 1);
    assert_eq!(undecided("a/{{identity.entity.metadata}}"), 0);
    assert_eq!(undecided("a/{{ .Namespace }}/{{identity.entity.name}}"), 0);
}

#[test]
fn the_conditions_on_parameters_are_those_of_the_operation() {
    let text = "path \"a\" {\n  capabilities = [\"update\", \"delete\"]\n  \
                denied_parameters = { \"x\" = [], \"y\" = [\"1\"] }\n}\n";
    let written = explanation(Dialect::Vault, text, Operation::Update, "a");
    assert!(written.contains("may not have the parameters x, y (some values)"), "{written}");
    let deleted = explanation(Dialect::Vault, text, Operation::Delete, "a");
    assert!(!deleted.contains("parameters"), "{deleted}");
}

#[test]
fn the_block_that_denies_is_named_first() {
    let text =
        "path \"a\" { capabilities = [\"read\"] }\npath \"a\" { capabilities = [\"deny\"] }\n";
    let text = explanation(Dialect::OpenBao, text, Operation::Read, "a");
    let rule = text.lines().find(|line| line.contains("rule:")).unwrap();
    assert!(rule.contains("p.hcl:2:6"), "{text}");
}

#[test]
fn a_negative_wrapping_ttl_limits_nothing_and_may_contradict_another() {
    let two = |a, b, wrap_ttl| {
        let block = |keys| format!("path \"a\" {{ capabilities = [\"read\"]\n{keys}\n}}\n");
        let policy = Policy::parse("p", "p.hcl", &(block(a) + &block(b))).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let context = EvaluationContext {
            dialect: Dialect::OpenBao,
            now,
            identity: None,
            token_namespace: "",
        };
        let policies = [&policy];
        let acl = Acl::new(&policies, &context).unwrap();
        acl.decide(&Request { wrap_ttl, ..Request::new(Operation::Read, "a") }).allowed
    };
    assert!(two("min_wrapping_ttl = \"-5s\"", "min_wrapping_ttl = \"1m\"", None));
    assert!(!two("min_wrapping_ttl = \"1m\"", "min_wrapping_ttl = \"-5s\"", None));
    assert!(!two("max_wrapping_ttl = \"-5s\"", "min_wrapping_ttl = \"1m\"", Some(90.0)));
}

#[test]
fn an_expired_block_with_a_mistake_is_rejected_only_where_the_server_reads_it_first() {
    let fault = |keys: &str| {
        let text = format!("path \"a\" {{ {keys}\nexpiration = 1000000000\n}}");
        let policy = Policy::parse("p", "p.hcl", &text).unwrap();
        policy.error_for(Dialect::OpenBao, Timestamp::now()).is_some()
    };
    assert!(fault("pagination_limit = \"x\""));
    assert!(!fault("capabilities = [\"nonsense\"]"));
}

#[test]
fn an_object_as_parameter_is_a_list_of_it_and_a_list_inside_a_list_of_json_is_rejected() {
    let text = "path \"a\" { allowed_parameters { x { k = \"v\" } } }";
    assert!(Policy::parse("p", "p.hcl", text).is_ok());
    let json = |values| format!(r#"{{"path": {{"a": {{"required_parameters": [{values}]}}}}}}"#);
    assert!(Policy::parse("p", "p.json", &json("\"x\", true")).is_ok());
    let error = Policy::parse("p", "p.json", &json("\"x\", [\"y\"]")).unwrap_err();
    assert_eq!((error.code().as_str(), error.place.column), ("policy-syntax", 46), "{error}");
}

#[test]
fn ten_thousand_other_rules_do_not_change_the_answer() {
    let mut text = String::new();
    for rule in 0..10_000 {
        text.push_str(&format!("path \"m/+/{rule}/*\" {{ capabilities = [\"list\"] }}\n"));
    }
    text.push_str("path \"m/a/77/x\" { capabilities = [\"read\"] }\n");
    assert!(allowed(Dialect::Vault, &text, Operation::Read, "m/a/77/x"));
    assert!(!allowed(Dialect::Vault, &text, Operation::Read, "m/a/78/x"));
}

#[test]
fn a_text_above_the_servers_limit_is_rejected_by_all_and_one_below_is_read() {
    let errors = |bytes: usize| {
        let text = "# ".to_owned() + &"x".repeat(bytes - 2);
        let policy = Policy::parse("p", "p.hcl", &text).unwrap();
        let error = |dialect| policy.error_for(dialect, Timestamp::UNIX_EPOCH).cloned();
        Dialect::ALL.map(|dialect| error(dialect).map(|error| error.code().as_str()))
    };
    assert_eq!(errors(1024 * 1024), [None; 6]);
    assert_eq!(errors(1024 * 1024 + 1), [Some("input-limit"); 6]);
}

#[test]
fn a_bound_of_our_own_is_named_as_one() {
    let deep = format!("path \"a\" {{ comment = {}{} }}", "[".repeat(70), "]".repeat(70));
    let error = Policy::parse("p", "p.hcl", &deep).unwrap_err();
    assert_eq!(error.code().as_str(), "input-limit");
    assert!(error.to_string().contains("envlock reads no deeper, though a server may"), "{error}");
}

#[test]
fn an_error_in_a_text_of_base64_is_at_the_start_of_the_file() {
    // `# a`, a line end and `path "a" {`.
    let error = Policy::parse("p", "p.hcl", "IyBhCnBhdGggImEiIHs=").unwrap_err();
    assert_eq!((error.place.line, error.place.column), (1, 1), "{error}");
    assert_eq!(error.code().as_str(), "policy-syntax");
    // `path "a" {` and, on the second line, `comment = 1`, twice.
    let text = "cGF0aCAiYSIgewpjb21tZW50ID0gMQpjb21tZW50ID0gMgp9";
    let policy = Policy::parse("p", "p.hcl", text).unwrap();
    let error = policy.error_for(Dialect::Vault121, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!((error.place.line, error.place.column), (1, 1), "{error}");
}

#[test]
fn a_list_is_explained_with_its_slash_whether_it_is_given_or_not() {
    let only_with = "path \"kv/x/\" { capabilities = [\"list\"] }";
    let denied_below = "path \"kv/*\" { capabilities = [\"list\"] }\n\
                        path \"kv/x/*\" { capabilities = [\"deny\"] }";
    for dialect in Dialect::ALL {
        for text in [only_with, denied_below] {
            let bare = explanation(dialect, text, Operation::List, "kv/x");
            assert_eq!(bare, explanation(dialect, text, Operation::List, "kv/x/"));
            assert!(bare.contains("list kv/x/: "), "{bare}");
        }
        assert!(allowed(dialect, only_with, Operation::List, "kv/x"));
        assert!(!allowed(dialect, only_with, Operation::Read, "kv/x"));
    }
    assert!(!allowed(Dialect::Vault, denied_below, Operation::List, "kv/x"));
    assert!(allowed(Dialect::VaultLegacy, denied_below, Operation::List, "kv/x"));
}

#[test]
fn a_protected_endpoint_is_explained_with_the_sudo_that_is_missing() {
    let text = "path \"sys/seal\" { capabilities = [\"create\", \"update\"] }\n\
                path \"sys/audit\" { capabilities = [\"read\", \"sudo\"] }\n\
                path \"auth/token/accessors\" { capabilities = [\"list\"] }\n\
                path \"ca/root\" { capabilities = [\"delete\"] }";
    for dialect in Dialect::PORTABLE {
        let seal = explanation(dialect, text, Operation::Update, "sys/seal");
        assert!(seal.contains(": denied\n  why:            the endpoint is protected"), "{seal}");
        assert!(allowed(dialect, text, Operation::Read, "sys/audit"));
        assert!(!allowed(dialect, text, Operation::List, "auth/token/accessors"));
        assert!(allowed(dialect, text, Operation::Help, "sys/seal"));
        let root = explanation(dialect, text, Operation::Delete, "ca/root");
        assert!(
            root.contains("condition:      on a mount of pki the rule must also grant sudo"),
            "{root}"
        );
    }
}

#[test]
fn a_parameter_in_two_spellings_makes_an_answer_depend() {
    let text = "path \"a\" { capabilities = [\"update\"]\nallowed_parameters = {\n\"X\" = [\"a\"]\n\"x\" = [\"b\"]\n\"y\" = [] } }";
    let policy = Policy::parse("p", "p.hcl", text).unwrap();
    let policies = [&policy];
    let now = Timestamp::UNIX_EPOCH;
    let context =
        EvaluationContext { dialect: Dialect::OpenBao, now, identity: None, token_namespace: "" };
    let acl = Acl::new(&policies, &context).unwrap();
    let expected = |names: &[&str]| {
        let parameter = |name: &&str| {
            let value = Some(serde_json::json!("a"));
            ((*name).to_owned(), KnownParameter { always: true, value })
        };
        let parameters = names.iter().map(parameter).collect();
        let bodies = [PartialBody { parameters, open: false }];
        acl.decide_partial(&Request::new(Operation::Update, "a"), &bodies)
    };
    assert_eq!(expected(&["y"]).allowed, Some(true));
    let random = expected(&["x", "y"]);
    assert_eq!((random.allowed, random.unknowns), (None, vec![Unknown::Spelling("x".to_owned())]));
    assert_eq!(expected(&["x", "z"]).allowed, Some(false));
}
