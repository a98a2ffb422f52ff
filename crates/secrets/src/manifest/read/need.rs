//! One need.

use envlock_report::Code;
use std::collections::{BTreeMap, BTreeSet};

use envlock_report::nearest;

use super::super::engine::{Engine, KnownFields, Locator, TRANSIT_OPERATIONS};
use super::super::model::{Form, Need, Required, Target, Ttl, Verify};
use super::super::words;
use super::{choice, word};
use crate::fields::Fields;
use crate::mistakes::Mistakes;
use envlock_policy::Capability;
use envlock_text::tree::{Entry, Kind};

const KEYS: [&str; 12] = [
    "engine",
    "mount",
    "path",
    "role",
    "key",
    "operations",
    "capabilities",
    "fields",
    "required",
    "ttl",
    "why",
    "verify",
];

pub(super) fn read(file: &str, entry: &Entry, mistakes: &mut Mistakes) -> Need {
    let mut fields = Fields::new(file, &entry.value, "a need", mistakes);
    fields.known(&KEYS);
    let engines: Vec<_> = Engine::all().map(|engine| (engine.name(), engine)).collect();
    fields.required("engine");
    let engine = match fields.get("engine").and_then(|node| node.text()) {
        Some(_) => choice(&mut fields, "engine", &engines),
        None => None,
    };
    fields.required("mount");
    let mount = word(&mut fields, "mount", words::path).unwrap_or_default();
    let locators = ["path", "role", "key"].map(|key| word(&mut fields, key, words::path));
    if let Some(engine) = engine {
        check_locator(&mut fields, engine);
    }
    let [path, role, key] = locators;
    let engine = engine.unwrap_or(Engine::Kv2);
    Need {
        engine,
        mount,
        path,
        role,
        key,
        operations: operations(&mut fields, engine),
        capabilities: capabilities(&mut fields),
        fields: targets(&mut fields, engine),
        required: required(&mut fields),
        ttl: ttl(&mut fields, engine),
        why: word(&mut fields, "why", words::sentence),
        verify: choice(
            &mut fields,
            "verify",
            &[("online", Verify::Online), ("offline", Verify::Offline)],
        )
        .unwrap_or_default(),
        pos: entry.pos,
    }
}

/// Exactly one of path, role and key, by engine.
fn check_locator(fields: &mut Fields<'_, '_>, engine: Engine) {
    let right = engine.locator();
    if fields.get(right.key()).is_none() {
        let message = format!("a need of engine {engine} is named by `{}`", right.key());
        let pos = fields.pos("engine");
        fields.mistake(Code::MissingKey, message, pos);
    }
    for wrong in [Locator::Path, Locator::Role, Locator::Key] {
        if wrong != right && fields.get(wrong.key()).is_some() {
            let message =
                format!("a need of engine {engine} has `{}`, not `{}`", right.key(), wrong.key());
            let pos = fields.pos(wrong.key());
            fields.mistake(Code::WrongKey, message, pos);
        }
    }
}

fn operations(fields: &mut Fields<'_, '_>, engine: Engine) -> Vec<String> {
    let mut operations = Vec::new();
    for node in fields.list("operations") {
        let text = node.text().unwrap_or_default();
        if !TRANSIT_OPERATIONS.contains(&text) {
            let known = TRANSIT_OPERATIONS.join(", ");
            let message = format!("`{text}` isn't an operation of transit; known are {known}");
            fields.mistake(Code::UnknownWord, message, node.pos);
        }
        operations.push(text.to_owned());
    }
    let pos = fields.pos("operations");
    if engine == Engine::Transit && operations.is_empty() {
        let message = "a need of engine transit says what it does with the key: \
                       `operations: [decrypt]`";
        fields.mistake(Code::MissingKey, message, pos);
    }
    if engine != Engine::Transit && !operations.is_empty() {
        let message = format!("`operations` belongs to engine transit, not to {engine}");
        fields.mistake(Code::WrongKey, message, pos);
    }
    operations
}

fn capabilities(fields: &mut Fields<'_, '_>) -> BTreeSet<Capability> {
    let mut capabilities = BTreeSet::new();
    for node in fields.list("capabilities") {
        let text = node.text().unwrap_or_default();
        match text.parse::<Capability>() {
            Ok(Capability::Deny) | Err(()) => {
                let mut diagnostic = fields.diagnostic(
                    Code::UnknownWord,
                    format!("`{text}` isn't a capability that a need can have"),
                    node.pos,
                );
                diagnostic.help = nearest(text, Capability::ALL.map(Capability::name))
                    .map(|near| format!("did you mean `{near}`?"));
                fields.mistakes.push(diagnostic);
            }
            Ok(capability) => {
                capabilities.insert(capability);
            }
        }
    }
    capabilities
}

fn targets(fields: &mut Fields<'_, '_>, engine: Engine) -> BTreeMap<String, Target> {
    let mut targets = BTreeMap::new();
    for entry in fields.map("fields", "`fields`") {
        if let KnownFields::These(known) = engine.fields()
            && !known.contains(&entry.key.as_str())
        {
            let message = format!("engine {engine} gives no field `{}`", entry.key);
            let mut diagnostic = fields.diagnostic(Code::UnknownField, message, entry.pos);
            diagnostic.help = Some(match nearest(&entry.key, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "it has no fields at all".to_owned(),
                None => format!("its fields are {}", known.join(", ")),
            });
            fields.mistakes.push(diagnostic);
        }
        if let Some(target) = target(fields, entry) {
            targets.insert(entry.key.clone(), target);
        }
    }
    targets
}

/// `{env: NAME, as: file}`, or `NAME` alone.
fn target(fields: &mut Fields<'_, '_>, entry: &Entry) -> Option<Target> {
    if let Kind::Scalar { .. } = &entry.value.kind {
        let Some(env) = entry.value.text() else {
            fields.shape(&entry.key, "a variable's name or {env: NAME}", &entry.value);
            return None;
        };
        if let Err(expected) = words::variable(env) {
            let message = format!("`{}: {env}` must be {expected}", entry.key);
            fields.mistake(Code::WrongWord, message, entry.value.pos);
        }
        return Some(Target { env: env.to_owned(), form: Form::Env, pos: entry.pos });
    }
    let mut target = Fields::new(fields.file, &entry.value, "a field", fields.mistakes);
    target.known(&["env", "as"]);
    target.required("env");
    let env = word(&mut target, "env", words::variable)?;
    let form = choice(&mut target, "as", &[("env", Form::Env), ("file", Form::File)]);
    Some(Target { env, form: form.unwrap_or_default(), pos: entry.pos })
}

fn required(fields: &mut Fields<'_, '_>) -> Required {
    let Some(node) = fields.get("required") else { return Required::default() };
    if let Some(plain) = node.boolean() {
        return Required::Plain(plain);
    }
    if node.entries().is_none() {
        fields.shape("required", "true, false, {one_of: GROUP} or {any_of: GROUP}", node);
        return Required::default();
    }
    let mut group = Fields::new(fields.file, node, "`required`", fields.mistakes);
    group.known(&["one_of", "any_of"]);
    match (word(&mut group, "one_of", words::name), word(&mut group, "any_of", words::name)) {
        (Some(one_of), None) => Required::OneOf { one_of },
        (None, Some(any_of)) => Required::AnyOf { any_of },
        _ => {
            let message = "`required` names one group: {one_of: GROUP} or {any_of: GROUP}";
            group.mistake(Code::WrongShape, message, node.pos);
            Required::default()
        }
    }
}

fn ttl(fields: &mut Fields<'_, '_>, engine: Engine) -> Option<Ttl> {
    let node = fields.get("ttl")?;
    if !engine.is_leased() {
        let message = format!("`ttl` has no meaning for engine {engine}: it gives no lease");
        let pos = fields.pos("ttl");
        fields.mistake(Code::WrongKey, message, pos);
    }
    let mut ttl = Fields::new(fields.file, node, "`ttl`", fields.mistakes);
    ttl.known(&["min", "renew"]);
    let min = word(&mut ttl, "min", words::duration);
    let renew = word(&mut ttl, "renew", words::renewal);
    Some(Ttl { min, renew })
}
