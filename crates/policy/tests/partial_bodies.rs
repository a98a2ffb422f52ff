//! What must never be true of a decision on a request of which only a part is known: that one of the
//! requests that fit is decided otherwise.

#![allow(clippy::unwrap_used, reason = "an unwrap in a test is its assertion")]

use std::collections::BTreeSet;

use envlock_policy::{
    Acl, ApiRequest, DeclaredParameters, Dialect, Engine, EvaluationContext, Identity, Operation,
    PartialBody, Policy, Request, TransitOperation, partial_bodies,
};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use serde_json::{Map, Value, json};

/// Names that no engine knows.
const STRANGE: [&str; 3] = ["other", "Other", "x-y"];

/// Values of rules and of requests.
fn values() -> Vec<Value> {
    vec![
        json!("a"),
        json!("a.example.com"),
        json!(""),
        json!("a,b"),
        json!(["a"]),
        json!([]),
        json!(1),
        json!(true),
        json!(null),
        json!({ "k": "v" }),
    ]
}

/// Values that a rule can write.
const WRITTEN: [&str; 8] =
    ["\"a\"", "\"*.example.com\"", "\"**\"", "\"\"", "\"b\"", "true", "1", "[\"a\"]"];

/// Every request with parameters that a need of any engine can cause.
fn requests() -> Vec<(Engine, ApiRequest)> {
    let mut requests = Vec::new();
    let operations: BTreeSet<_> = TransitOperation::ALL.into_iter().collect();
    for engine in Engine::all() {
        for request in engine.secret_requests("m", "r", &operations) {
            for operation in [Operation::Create, Operation::Update, Operation::Patch] {
                requests.push((engine, ApiRequest { operation, ..request.clone() }));
            }
            requests.push((engine, request));
        }
    }
    requests
}

/// A rule's parameters: names with the lists that are written.
type Lists = Vec<(String, Vec<&'static str>)>;

#[derive(Debug, Clone)]
struct Conditions {
    allowed: Option<Lists>,
    denied: Option<Lists>,
    required: Vec<String>,
}

impl Conditions {
    fn policy(&self) -> Policy {
        let lists = |key: &str, lists: &Option<Lists>| {
            let Some(lists) = lists else { return String::new() };
            let entries: Vec<_> = lists
                .iter()
                .map(|(name, list)| format!("\"{name}\" = [{}]", list.join(", ")))
                .collect();
            format!("  {key} = {{\n{}\n}}\n", entries.join("\n"))
        };
        let required: Vec<_> = self.required.iter().map(|name| format!("\"{name}\"")).collect();
        let text = format!(
            "path \"m/*\" {{\n  capabilities = [\"create\", \"read\", \"update\", \"patch\"]\n{}{}  \
             required_parameters = [{}]\n}}\n",
            lists("allowed_parameters", &self.allowed),
            lists("denied_parameters", &self.denied),
            required.join(", ")
        );
        Policy::parse("p", "p.hcl", &text).unwrap()
    }
}

fn acl<'p>(policies: &[&'p Policy], dialect: Dialect) -> Acl<'p> {
    let identity = Identity::default();
    let now = Timestamp::UNIX_EPOCH;
    let context =
        EvaluationContext { dialect, now, identity: Some(&identity), token_namespace: "" };
    Acl::new(policies, &context).unwrap()
}

/// The names of the request's parameters, and others.
fn names(bodies: &[PartialBody]) -> Vec<String> {
    let known = bodies.iter().flat_map(|body| body.parameters.keys().cloned());
    let upper = bodies.iter().flat_map(|body| body.parameters.keys().take(1));
    let upper: Vec<_> = upper.map(|name| name.to_uppercase()).collect();
    known.chain(upper).chain(STRANGE.map(str::to_owned)).chain(["*".to_owned()]).collect()
}

fn conditions(names: Vec<String>) -> impl Strategy<Value = Conditions> {
    let list = prop::collection::vec(select(&WRITTEN[..]), 0..3);
    let unique = |lists: Lists| {
        let mut seen = BTreeSet::new();
        lists.into_iter().filter(|(name, _)| seen.insert(name.to_lowercase())).collect::<Lists>()
    };
    // Names without their upper-case twins are likely, so that a list can allow a whole request.
    let few = prop::collection::vec((select(names.clone()), list.clone()), 1..4).prop_map(unique);
    let all = names.clone();
    let most = prop::collection::vec(list.clone(), all.len()).prop_map(move |lists| {
        unique(all.iter().filter(|name| *name != "*").cloned().zip(lists).collect())
    });
    let any = prop_oneof![few.clone(), most];
    let required = prop::collection::vec(select(names), 0..2);
    let required = required.prop_map(|names| names.into_iter().filter(|n| n != "*").collect());
    (prop::option::of(any), prop::option::of(few), required)
        .prop_map(|(allowed, denied, required)| Conditions { allowed, denied, required })
}

/// The parameters that a manifest declares, if it does.
fn declared(names: Vec<String>) -> impl Strategy<Value = Option<DeclaredParameters>> {
    let value = prop::option::of(select(values()));
    prop::option::of(prop::collection::btree_map(select(names), value, 0..3))
}

/// A request that fits one of the bodies.
fn completion(bodies: Vec<PartialBody>) -> BoxedStrategy<Map<String, Value>> {
    if bodies.is_empty() {
        return Just(Map::new()).boxed();
    }
    select(bodies)
        .prop_flat_map(|body| {
            let sent = body.parameters.into_iter().map(|(name, parameter)| {
                let value = match parameter.value {
                    Some(value) => Just(value).boxed(),
                    None => select(values()).boxed(),
                };
                let sent = if parameter.always {
                    value.prop_map(Some).boxed()
                } else {
                    prop::option::weighted(0.4, value).boxed()
                };
                (Just(name), sent)
            });
            let sent: Vec<_> = sent.collect();
            let most = if body.open { 3 } else { 0 };
            let others = prop::collection::vec((select(&STRANGE[..]), select(values())), 0..=most);
            (sent, others).prop_map(|(sent, others)| {
                let others = others.into_iter().map(|(name, value)| (name.to_owned(), Some(value)));
                let all = others.chain(sent);
                all.filter_map(|(name, value)| Some((name, value?))).collect()
            })
        })
        .boxed()
}

/// A request, the conditions of its rule, what the manifest declares, and requests that fit.
#[derive(Debug, Clone)]
struct Case {
    request: ApiRequest,
    bodies: Vec<PartialBody>,
    conditions: Conditions,
    completions: Vec<Map<String, Value>>,
}

fn cases() -> impl Strategy<Value = Case> {
    select(requests())
        .prop_flat_map(|(engine, request)| {
            let fields = || ["password", "host"].into_iter();
            let open = partial_bodies(engine, "m", &request, fields(), None);
            declared(names(&open)).prop_map(move |declared| {
                let bodies = partial_bodies(engine, "m", &request, fields(), declared.as_ref());
                (request.clone(), bodies)
            })
        })
        .prop_flat_map(|(request, bodies)| {
            let completions = prop::collection::vec(completion(bodies.clone()), 12);
            (Just(request), Just(bodies.clone()), conditions(names(&bodies)), completions)
        })
        .prop_map(|(request, bodies, conditions, completions)| Case {
            request,
            bodies,
            conditions,
            completions,
        })
}

/// How the decisions on the requests that fit compare with the decision on all of them.
fn check(case: &Case, dialect: Dialect) -> Result<Option<bool>, TestCaseError> {
    let policy = case.conditions.policy();
    let acl = acl(&[&policy], dialect);
    let request = Request::new(case.request.operation, &case.request.path);
    let expected = acl.decide_partial(&request, &case.bodies);
    prop_assert_eq!(expected.allowed.is_none(), !expected.unknowns.is_empty());
    for data in &case.completions {
        let decided = acl.decide(&Request { data: Some(data), ..request });
        if let Some(allowed) = expected.allowed {
            prop_assert_eq!(decided.allowed, allowed, "{} {:?}: {:?}", dialect, data, expected);
        }
    }
    Ok(expected.allowed)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_decision_holds_for_every_request_that_fits(case in cases()) {
        for dialect in Dialect::PORTABLE {
            check(&case, dialect)?;
        }
    }
}

#[test]
fn the_generated_cases_have_all_three_decisions() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut counts = [0, 0, 0];
    let (mut split, mut depending) = (0, 0);
    for _ in 0..1500 {
        let case = cases().new_tree(&mut runner).unwrap().current();
        let policy = case.conditions.policy();
        let acl = acl(&[&policy], Dialect::OpenBao);
        let request = Request::new(case.request.operation, &case.request.path);
        let allowed = acl.decide_partial(&request, &case.bodies).allowed;
        counts[allowed.map_or(2, usize::from)] += 1;
        if allowed.is_none() {
            depending += 1;
            let decided = case.completions.iter();
            let decided: BTreeSet<_> = decided
                .map(|data| acl.decide(&Request { data: Some(data), ..request }).allowed)
                .collect();
            split += usize::from(decided.len() == 2);
        }
    }
    assert!(counts.iter().all(|count| *count > 150), "denied, allowed, depends: {counts:?}");
    // Where the decision depends on the request, most of the samples show both.
    assert!(split * 2 > depending, "{split} of {depending}");
}
