//! Policies and requests by dice: the same seed gives the same ones.

use std::collections::BTreeSet;

use envlock_policy::Operation;
use serde_json::{Map, Value};

use crate::ask::Asked;
use crate::bot::TEMPLATES;
use crate::dice::Dice;
use crate::text;

/// Segments of paths. Some are beginnings of others, one isn't ASCII, one looks like a wildcard.
const SEGMENTS: [&str; 6] = ["a", "b", "ab", "abc", "密", "+b"];

/// Those below which there are secrets.
const PRESENT: [&str; 3] = ["a", "b", "ab"];

const PARAMETERS: [&str; 4] = ["x", "Y", "ttl", "n"];

/// Where requests go: two engines that nobody else changes.
#[derive(Debug, Clone)]
pub(crate) struct Ground {
    /// A mount without versions.
    pub(crate) kv1: String,
    /// A mount that keeps versions.
    pub(crate) kv2: String,
}

/// Policies of one token, and what it then asks.
#[derive(Debug)]
pub(crate) struct Case {
    /// The texts, in the order of their names.
    pub(crate) policies: Vec<String>,
    /// What `capabilities-self` is asked about.
    pub(crate) paths: Vec<String>,
    /// What is really asked for.
    pub(crate) requests: Vec<Asked>,
}

/// What a path block says, before it is written in one of the notations.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) pattern: String,
    /// The keys in their order; a map of lists is an object.
    pub(crate) keys: Vec<(&'static str, Value)>,
}

impl Ground {
    /// The names, below a mount, of the secrets that are there.
    pub(crate) fn present() -> Vec<String> {
        let pairs = PRESENT.iter().flat_map(|a| PRESENT.map(|b| format!("{a}/{b}")));
        PRESENT.iter().map(|&name| name.to_owned()).chain(pairs).collect()
    }

    /// Whether there is a secret at a path that can be written to.
    fn holds(&self, path: &str) -> bool {
        let below = path
            .strip_prefix(&format!("{}/", self.kv1))
            .or_else(|| path.strip_prefix(&format!("{}/data/", self.kv2)));
        below.is_some_and(|name| Self::present().iter().any(|there| there == name))
    }

    /// Whether nothing happens there but the judgement, or what can be undone.
    fn may_be_written(&self, path: &str) -> bool {
        path.starts_with(&format!("{}/", self.kv1))
            || path.starts_with(&format!("{}/data/", self.kv2))
    }

    fn path(&self, dice: &mut Dice) -> String {
        let mut path = match dice.below(20) {
            0 => return "sys/audit".to_owned(),
            1..=10 => self.kv1.clone(),
            11..=16 => format!("{}/data", self.kv2),
            17 | 18 => format!("{}/metadata", self.kv2),
            _ => format!("{}/subkeys", self.kv2),
        };
        let known: &[&str] = if dice.chance(60) { &PRESENT } else { &SEGMENTS };
        for _ in 0..=dice.below(3) {
            path.push('/');
            path.push_str(dice.pick(known));
        }
        path
    }

    /// A case whose patterns and paths lie close to each other.
    pub(crate) fn case(&self, dice: &mut Dice) -> Case {
        let focus = self.path(dice);
        let policies = 1 + dice.below(3);
        let policies = (0..policies).map(|_| self.policy(dice, &focus)).collect();
        let mut paths = BTreeSet::from([focus.clone()]);
        for _ in 0..9 {
            let near = self.near(dice, &focus);
            paths.insert(if dice.chance(35) { format!("{near}/") } else { near });
        }
        let requests = (0..5).map(|_| self.request(dice, &focus)).collect();
        Case { policies, paths: paths.into_iter().collect(), requests }
    }

    /// A policy about paths close to `focus`, in one of the notations.
    pub(crate) fn policy(&self, dice: &mut Dice, focus: &str) -> String {
        let blocks = 1 + dice.below(4);
        let mut blocks: Vec<_> = (0..blocks).map(|_| self.block(dice, focus)).collect();
        if dice.chance(15) {
            // The same pattern once more, with other things to say.
            let pattern = blocks[0].pattern.clone();
            blocks.push(Block { pattern, ..self.block(dice, focus) });
        }
        text::write(dice, &blocks)
    }

    fn near(&self, dice: &mut Dice, focus: &str) -> String {
        let mut segments: Vec<_> = focus.split('/').collect();
        match dice.below(10) {
            0..=3 => {}
            4 | 5 => segments.push(dice.pick(&SEGMENTS)),
            6 if segments.len() > 2 => drop(segments.pop()),
            7 | 8 => {
                let last = segments.len() - 1;
                segments[last] = dice.pick(&SEGMENTS);
            }
            _ => return self.path(dice),
        }
        segments.join("/")
    }

    fn block(&self, dice: &mut Dice, focus: &str) -> Block {
        let near = self.near(dice, focus);
        Block { pattern: pattern(dice, &near), keys: keys(dice) }
    }

    fn request(&self, dice: &mut Dice, focus: &str) -> Asked {
        let path = self.near(dice, focus);
        let operation = match dice.below(20) {
            0..=5 => Operation::Read,
            6..=9 => Operation::List,
            10 | 11 => Operation::Delete,
            12 => Operation::Patch,
            13 if dice.chance(50) => Operation::Scan,
            14 if dice.chance(30) => Operation::Other,
            14 => Operation::Help,
            _ if self.holds(&path) => Operation::Update,
            _ => Operation::Create,
        };
        let writes = matches!(
            operation,
            Operation::Create | Operation::Update | Operation::Patch | Operation::Delete
        );
        // What is there stays there, and a protected endpoint is only looked at.
        let harmless = match operation {
            Operation::Delete => path != "sys/audit" && !self.is_present(&path),
            _ => !writes || self.may_be_written(&path),
        };
        if !harmless || (path == "sys/audit" && operation != Operation::Read) {
            return Asked::new(Operation::Read, path);
        }
        let mut asked = Asked::new(operation, path);
        asked.by_query = dice.chance(50);
        asked.put = dice.chance(50);
        if dice.chance(12) {
            asked.wrap_ttl = Some(dice.pick(&[30, 60, 90, 120, 300]));
        }
        asked.data = match operation {
            Operation::Read | Operation::Delete => dice.chance(20).then(|| query(dice)),
            Operation::List | Operation::Scan => dice.chance(25).then(|| limit(dice)),
            Operation::Create | Operation::Update | Operation::Patch => {
                dice.chance(75).then(|| body(dice))
            }
            _ => None,
        };
        asked
    }

    /// Whether there is a secret there, by any of its paths.
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

/// A pattern that matches `path`, or nearly.
fn pattern(dice: &mut Dice, path: &str) -> String {
    let mut segments: Vec<_> = path.split('/').map(str::to_owned).collect();
    let mut out = match dice.below(22) {
        0..=4 => path.to_owned(),
        5..=9 => {
            cut(dice, &mut segments);
            segments.join("/")
        }
        10..=15 => {
            for _ in 0..=dice.below(2) {
                let at = dice.below(segments.len());
                "+".clone_into(&mut segments[at]);
            }
            if dice.chance(40) {
                cut(dice, &mut segments);
            }
            segments.join("/")
        }
        16 => dice.pick(&["*", "+/*", "+/+", "+/+/+", "+/a*", "+/data/*", "+"]).to_owned(),
        17 => format!("{path}**"),
        18 => {
            let at = dice.below(segments.len());
            dice.pick(&["*", "a*b", "?", "+b", "a+", "{{identity.entity.name}}/a"])
                .clone_into(&mut segments[at]);
            segments.join("/")
        }
        19 => {
            segments.pop();
            segments.join("/")
        }
        _ => {
            let (template, value) = dice.pick(&TEMPLATES);
            let like = segments.iter().position(|segment| Some(segment.as_str()) == value);
            let at = like.unwrap_or(segments.len() - 1);
            template.clone_into(&mut segments[at]);
            if dice.chance(40) {
                let to = (at + 2).min(segments.len());
                segments.truncate(to);
                segments.push("*".to_owned());
            }
            segments.join("/")
        }
    };
    if dice.chance(12) {
        out.insert(0, '/');
    }
    if dice.chance(12) && !out.ends_with('*') {
        out.push('/');
    }
    out.replace("+*", "+/*")
}

/// Ends it with a star, somewhere.
fn cut(dice: &mut Dice, segments: &mut Vec<String>) {
    segments.truncate(1 + dice.below(segments.len()));
    if dice.chance(60) {
        segments.push("*".to_owned());
    } else if let Some(last) = segments.last_mut() {
        let keep = last.chars().count().saturating_sub(dice.below(2));
        *last = last.chars().take(keep).chain(['*']).collect();
    }
}

fn keys(dice: &mut Dice) -> Vec<(&'static str, Value)> {
    let mut keys = Vec::new();
    if dice.chance(8) {
        let word = dice.pick(&["read", "write", "sudo", "deny", ""]);
        keys.push(("policy", Value::from(word)));
    }
    let all = ["read", "list", "create", "update", "delete", "patch", "sudo", "scan"];
    let likely = [55, 45, 40, 40, 35, 25, 12, 12];
    let mut words: Vec<_> =
        all.into_iter().zip(likely).filter(|(_, percent)| dice.chance(*percent)).collect();
    let turn = dice.below(words.len().max(1));
    words.rotate_left(turn);
    let mut words: Vec<_> = words.into_iter().map(|(word, _)| word).collect();
    if dice.chance(9) {
        words.insert(dice.below(words.len() + 1), "deny");
    }
    let lists = words.contains(&"list") && !words.contains(&"deny");
    if !words.is_empty() || dice.chance(50) {
        keys.push(("capabilities", words.into()));
    }
    for (key, percent) in [("allowed_parameters", 14), ("denied_parameters", 9)] {
        if dice.chance(percent) {
            keys.push((key, Value::Object(wanted(dice))));
        }
    }
    if dice.chance(7) {
        let names: Vec<_> = (0..=dice.below(2)).map(|_| dice.pick(&["x", "Y", "limit"])).collect();
        keys.push(("required_parameters", names.into()));
    }
    if dice.chance(7) {
        let times = ["60", "60s", "1m", "1m30s", "0.5m", "", "-5s"].map(Value::from);
        let times: Vec<_> = times.into_iter().chain([60, 90, 0].map(Value::from)).collect();
        keys.push(("min_wrapping_ttl", dice.pick(&times)));
    }
    if dice.chance(7) {
        let times = [Value::from("100"), "2m".into(), 300.into(), "1d".into(), "90000ms".into()];
        keys.push(("max_wrapping_ttl", dice.pick(&times)));
    }
    if dice.chance(6) {
        let ends = ["2001-02-03T04:05:06Z", "2999-01-01T00:00:00Z", "2999-01-01T00:00:00+01:00"];
        keys.push(("expiration", Value::from(dice.pick(&ends))));
    }
    if dice.chance(5) {
        keys.push(("pagination_limit", Value::from(dice.pick(&[1, 10, 50, 0]))));
    }
    if lists && dice.chance(3) {
        keys.push(("list_scan_response_keys_filter_path", "{{ .path }}{{ .key }}".into()));
    }
    if dice.chance(4) {
        keys.push(("comment", "it says nothing".into()));
    }
    keys
}

/// What a rule wants of parameters.
fn wanted(dice: &mut Dice) -> Map<String, Value> {
    let values = values();
    let mut wanted = Map::new();
    for _ in 0..=dice.below(2) {
        let name = if dice.chance(25) { "*" } else { dice.pick(&PARAMETERS) };
        let few: Vec<_> = (0..dice.below(3)).map(|_| dice.pick(&values)).collect();
        wanted.insert(name.to_owned(), few.into());
    }
    wanted
}

/// What a body sends.
fn body(dice: &mut Dice) -> Map<String, Value> {
    let mut values = values();
    values.push(Value::Null);
    let mut body = Map::new();
    for _ in 0..=dice.below(2) {
        body.insert(dice.pick(&PARAMETERS).to_owned(), dice.pick(&values));
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

fn query(dice: &mut Dice) -> Map<String, Value> {
    let mut query = Map::new();
    for _ in 0..=dice.below(2) {
        let value = dice.pick(&["1", "ab", "ab-eu", "AB", "", "true"]);
        query.insert(dice.pick(&PARAMETERS).to_owned(), value.into());
    }
    query
}

fn limit(dice: &mut Dice) -> Map<String, Value> {
    let limit = dice.pick(&["1", "10", "11", "50", "51", "0", "-1", "max"]);
    Map::from_iter([("limit".to_owned(), limit.into())])
}
