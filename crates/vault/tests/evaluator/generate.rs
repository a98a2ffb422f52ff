//! Generates policies and requests. The same seed gives the same cases.

use std::collections::BTreeSet;

use envlock_policy::Operation;
use serde_json::{Map, Value};

use crate::entity::TEMPLATES;
use crate::notation;
use crate::request::TestRequest;
use envlock_testkit::SeededRandom;

/// Segments of paths. Some are prefixes of others, one isn't ASCII, one looks like a wildcard.
const SEGMENTS: [&str; 6] = ["a", "b", "ab", "abc", "密", "+b"];

/// The segments below which secrets exist.
const PRESENT: [&str; 3] = ["a", "b", "ab"];

const PARAMETERS: [&str; 4] = ["x", "Y", "ttl", "n"];

/// The mounts of the requests, which no other test changes.
#[derive(Debug, Clone)]
pub(crate) struct Mounts {
    /// A kv1 mount.
    pub(crate) kv1: String,
    /// A kv2 mount.
    pub(crate) kv2: String,
}

/// The policies of one token, and its requests.
#[derive(Debug)]
pub(crate) struct Case {
    /// The texts of the policies, sorted by name.
    pub(crate) policies: Vec<String>,
    /// The paths for `capabilities-self`.
    pub(crate) paths: Vec<String>,
    /// The requests that are sent.
    pub(crate) requests: Vec<TestRequest>,
}

/// The content of a path block, before it is written in one of the notations.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) pattern: String,
    /// The keys in order; a map of lists is an object.
    pub(crate) keys: Vec<(&'static str, Value)>,
}

impl Mounts {
    /// The names of the existing secrets below a mount.
    pub(crate) fn present() -> Vec<String> {
        let pairs = PRESENT.iter().flat_map(|a| PRESENT.map(|b| format!("{a}/{b}")));
        PRESENT.iter().map(|&name| name.to_owned()).chain(pairs).collect()
    }

    /// Whether a secret exists at a writable path.
    fn holds(&self, path: &str) -> bool {
        let below = path
            .strip_prefix(&format!("{}/", self.kv1))
            .or_else(|| path.strip_prefix(&format!("{}/data/", self.kv2)));
        below.is_some_and(|name| Self::present().iter().any(|there| there == name))
    }

    /// Whether a request has no effect, or one that can be undone.
    fn may_be_written(&self, path: &str) -> bool {
        path.starts_with(&format!("{}/", self.kv1))
            || path.starts_with(&format!("{}/data/", self.kv2))
    }

    fn path(&self, random: &mut SeededRandom) -> String {
        let mut path = match random.below(20) {
            0 => return "sys/audit".to_owned(),
            1..=10 => self.kv1.clone(),
            11..=16 => format!("{}/data", self.kv2),
            17 | 18 => format!("{}/metadata", self.kv2),
            _ => format!("{}/subkeys", self.kv2),
        };
        let known: &[&str] = if random.chance(60) { &PRESENT } else { &SEGMENTS };
        for _ in 0..=random.below(3) {
            path.push('/');
            path.push_str(random.pick(known));
        }
        path
    }

    /// Generates a case whose patterns and paths are similar.
    pub(crate) fn case(&self, random: &mut SeededRandom) -> Case {
        let focus = self.path(random);
        let policies = 1 + random.below(3);
        let policies = (0..policies).map(|_| self.policy(random, &focus)).collect();
        let mut paths = BTreeSet::from([focus.clone()]);
        for _ in 0..9 {
            let near = self.near(random, &focus);
            paths.insert(if random.chance(35) { format!("{near}/") } else { near });
        }
        let requests = (0..5).map(|_| self.request(random, &focus)).collect();
        Case { policies, paths: paths.into_iter().collect(), requests }
    }

    /// Generates a policy about paths similar to `focus`, in one of the notations.
    pub(crate) fn policy(&self, random: &mut SeededRandom, focus: &str) -> String {
        let blocks = 1 + random.below(4);
        let mut blocks: Vec<_> = (0..blocks).map(|_| self.block(random, focus)).collect();
        if random.chance(15) {
            // The same pattern again, with other keys.
            let pattern = blocks[0].pattern.clone();
            blocks.push(Block { pattern, ..self.block(random, focus) });
        }
        notation::write(random, &blocks)
    }

    fn near(&self, random: &mut SeededRandom, focus: &str) -> String {
        let mut segments: Vec<_> = focus.split('/').collect();
        match random.below(10) {
            0..=3 => {}
            4 | 5 => segments.push(random.pick(&SEGMENTS)),
            6 if segments.len() > 2 => drop(segments.pop()),
            7 | 8 => {
                let last = segments.len() - 1;
                segments[last] = random.pick(&SEGMENTS);
            }
            _ => return self.path(random),
        }
        segments.join("/")
    }

    fn block(&self, random: &mut SeededRandom, focus: &str) -> Block {
        let near = self.near(random, focus);
        Block { pattern: pattern(random, &near), keys: keys(random) }
    }

    fn request(&self, random: &mut SeededRandom, focus: &str) -> TestRequest {
        let path = self.near(random, focus);
        let operation = match random.below(20) {
            0..=5 => Operation::Read,
            6..=9 => Operation::List,
            10 | 11 => Operation::Delete,
            12 => Operation::Patch,
            13 if random.chance(50) => Operation::Scan,
            14 if random.chance(30) => Operation::Other,
            14 => Operation::Help,
            _ if self.holds(&path) => Operation::Update,
            _ => Operation::Create,
        };
        let writes = matches!(
            operation,
            Operation::Create | Operation::Update | Operation::Patch | Operation::Delete
        );
        // Existing secrets are kept, and a protected endpoint is only read.
        let harmless = match operation {
            Operation::Delete => path != "sys/audit" && !self.is_present(&path),
            _ => !writes || self.may_be_written(&path),
        };
        if !harmless || (path == "sys/audit" && operation != Operation::Read) {
            return TestRequest::new(Operation::Read, path);
        }
        let mut request = TestRequest::new(operation, path);
        request.by_query = random.chance(50);
        request.put = random.chance(50);
        if random.chance(12) {
            request.wrap_ttl = Some(random.pick(&[30, 60, 90, 120, 300]));
        }
        request.data = match operation {
            Operation::Read | Operation::Delete => random.chance(20).then(|| query(random)),
            Operation::List | Operation::Scan => random.chance(25).then(|| limit(random)),
            Operation::Create | Operation::Update | Operation::Patch => {
                random.chance(75).then(|| body(random))
            }
            _ => None,
        };
        request
    }

    /// Whether a secret exists at any of its paths.
    fn is_present(&self, path: &str) -> bool {
        let Some((_, below)) = path.split_once('/') else { return true };
        let name = if path.starts_with(&self.kv2) {
            below.split_once('/').map_or(below, |(_, name)| name)
        } else {
            below
        };
        Self::present().iter().any(|there| there == name)
    }
}

/// Generates a pattern that matches `path`, or almost.
fn pattern(random: &mut SeededRandom, path: &str) -> String {
    let mut segments: Vec<_> = path.split('/').map(str::to_owned).collect();
    let mut out = match random.below(22) {
        0..=4 => path.to_owned(),
        5..=9 => {
            cut(random, &mut segments);
            segments.join("/")
        }
        10..=15 => {
            for _ in 0..=random.below(2) {
                let at = random.below(segments.len());
                "+".clone_into(&mut segments[at]);
            }
            if random.chance(40) {
                cut(random, &mut segments);
            }
            segments.join("/")
        }
        16 => random.pick(&["*", "+/*", "+/+", "+/+/+", "+/a*", "+/data/*", "+"]).to_owned(),
        17 => format!("{path}**"),
        18 => {
            let at = random.below(segments.len());
            random
                .pick(&["*", "a*b", "?", "+b", "a+", "{{identity.entity.name}}/a"])
                .clone_into(&mut segments[at]);
            segments.join("/")
        }
        19 => {
            segments.pop();
            segments.join("/")
        }
        _ => {
            let (template, value) = random.pick(&TEMPLATES);
            let like = segments.iter().position(|segment| Some(segment.as_str()) == value);
            let at = like.unwrap_or(segments.len() - 1);
            template.clone_into(&mut segments[at]);
            if random.chance(40) {
                let to = (at + 2).min(segments.len());
                segments.truncate(to);
                segments.push("*".to_owned());
            }
            segments.join("/")
        }
    };
    if random.chance(12) {
        out.insert(0, '/');
    }
    if random.chance(12) && !out.ends_with('*') {
        out.push('/');
    }
    out.replace("+*", "+/*")
}

/// Cuts the pattern, and appends a star.
fn cut(random: &mut SeededRandom, segments: &mut Vec<String>) {
    segments.truncate(1 + random.below(segments.len()));
    if random.chance(60) {
        segments.push("*".to_owned());
    } else if let Some(last) = segments.last_mut() {
        let keep = last.chars().count().saturating_sub(random.below(2));
        *last = last.chars().take(keep).chain(['*']).collect();
    }
}

fn keys(random: &mut SeededRandom) -> Vec<(&'static str, Value)> {
    let mut keys = Vec::new();
    if random.chance(8) {
        let word = random.pick(&["read", "write", "sudo", "deny", ""]);
        keys.push(("policy", Value::from(word)));
    }
    let all = ["read", "list", "create", "update", "delete", "patch", "sudo", "scan"];
    let likely = [55, 45, 40, 40, 35, 25, 12, 12];
    let mut words: Vec<_> =
        all.into_iter().zip(likely).filter(|(_, percent)| random.chance(*percent)).collect();
    let turn = random.below(words.len().max(1));
    words.rotate_left(turn);
    let mut words: Vec<_> = words.into_iter().map(|(word, _)| word).collect();
    if random.chance(9) {
        words.insert(random.below(words.len() + 1), "deny");
    }
    let lists = words.contains(&"list") && !words.contains(&"deny");
    if !words.is_empty() || random.chance(50) {
        keys.push(("capabilities", words.into()));
    }
    for (key, percent) in [("allowed_parameters", 14), ("denied_parameters", 9)] {
        if random.chance(percent) {
            keys.push((key, Value::Object(wanted(random))));
        }
    }
    if random.chance(7) {
        let names: Vec<_> =
            (0..=random.below(2)).map(|_| random.pick(&["x", "Y", "limit"])).collect();
        keys.push(("required_parameters", names.into()));
    }
    if random.chance(7) {
        let times = ["60", "60s", "1m", "1m30s", "0.5m", "", "-5s"].map(Value::from);
        let times: Vec<_> = times.into_iter().chain([60, 90, 0].map(Value::from)).collect();
        keys.push(("min_wrapping_ttl", random.pick(&times)));
    }
    if random.chance(7) {
        let times = [Value::from("100"), "2m".into(), 300.into(), "1d".into(), "90000ms".into()];
        keys.push(("max_wrapping_ttl", random.pick(&times)));
    }
    if random.chance(6) {
        let ends = ["2001-02-03T04:05:06Z", "2999-01-01T00:00:00Z", "2999-01-01T00:00:00+01:00"];
        keys.push(("expiration", Value::from(random.pick(&ends))));
    }
    if random.chance(5) {
        keys.push(("pagination_limit", Value::from(random.pick(&[1, 10, 50, 0]))));
    }
    if lists && random.chance(3) {
        keys.push(("list_scan_response_keys_filter_path", "{{ .path }}{{ .key }}".into()));
    }
    if random.chance(4) {
        keys.push(("comment", "a comment".into()));
    }
    keys
}

/// Generates the parameters of a rule.
fn wanted(random: &mut SeededRandom) -> Map<String, Value> {
    let values = values();
    let mut wanted = Map::new();
    for _ in 0..=random.below(2) {
        let name = if random.chance(25) { "*" } else { random.pick(&PARAMETERS) };
        let few: Vec<_> = (0..random.below(3)).map(|_| random.pick(&values)).collect();
        wanted.insert(name.to_owned(), few.into());
    }
    wanted
}

/// Generates the body of a request.
fn body(random: &mut SeededRandom) -> Map<String, Value> {
    let mut values = values();
    values.push(Value::Null);
    let mut body = Map::new();
    for _ in 0..=random.below(2) {
        body.insert(random.pick(&PARAMETERS).to_owned(), random.pick(&values));
    }
    body
}

fn values() -> Vec<Value> {
    let mut values =
        ["1", "ab", "a*", "*b", "**", "*", "ab-eu", "AB", "a,b"].map(Value::from).to_vec();
    values.extend([Value::from(1), 2.5.into(), true.into(), false.into()]);
    values.push(serde_json::json!(["1", "ab"]));
    values.push(serde_json::json!({ "k": "v" }));
    values
}

fn query(random: &mut SeededRandom) -> Map<String, Value> {
    let mut query = Map::new();
    for _ in 0..=random.below(2) {
        let value = random.pick(&["1", "ab", "ab-eu", "AB", "", "true"]);
        query.insert(random.pick(&PARAMETERS).to_owned(), value.into());
    }
    query
}

fn limit(random: &mut SeededRandom) -> Map<String, Value> {
    let limit = random.pick(&["1", "10", "11", "50", "51", "0", "-1", "max"]);
    Map::from_iter([("limit".to_owned(), limit.into())])
}
