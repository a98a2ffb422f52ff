//! Reads needs, and the changes that profiles make to them, from a file.

use std::collections::{BTreeMap, BTreeSet};

use envlock_policy::{Capability, Engine, KnownFields, LocatorKind, TransitOperation};
use envlock_report::{Code, Fields, Mistakes, nearest};
use envlock_text::tree::{Entry, Kind};

use super::need::{Locator, Need, Required, Target, Ttl, VariableContent, Verify};
use super::profile::{LocatorOverride, NeedOverride, NeedUse};
use super::{parameters, validate};

const KEYS: [&str; 14] = [
    "engine",
    "mount",
    "path",
    "role",
    "key",
    "operations",
    "capabilities",
    "parameters",
    "wrap_ttl",
    "fields",
    "required",
    "ttl",
    "why",
    "verify",
];

/// Reads the need of `entry`: its name and its keys.
pub fn read_need(file: &str, entry: &Entry, mistakes: &mut Mistakes) -> Need {
    let mut fields = Fields::new(file, &entry.value, "a need", mistakes);
    fields.refuse_unknown_keys(&KEYS);
    let engines: Vec<_> = Engine::all().map(|engine| (engine.name(), engine)).collect();
    fields.required("engine");
    let engine = match fields.get("engine").and_then(|node| node.text()) {
        Some(_) => fields.choice("engine", &engines),
        None => None,
    };
    fields.required("mount");
    let mount = fields.text_matching("mount", validate::path).unwrap_or_default();
    let locator = locator(&mut fields, engine);
    let engine = engine.unwrap_or(Engine::Kv2);
    Need {
        engine,
        mount,
        locator,
        capabilities: capabilities(&mut fields),
        parameters: parameters::read(&mut fields, engine),
        wrap_ttl: fields.text_matching("wrap_ttl", validate::duration),
        fields: targets(&mut fields, engine),
        required: required(&mut fields),
        ttl: ttl(&mut fields, engine),
        why: fields.text_matching("why", validate::free_text),
        verify: fields
            .choice("verify", &[("online", Verify::Online), ("offline", Verify::Offline)])
            .unwrap_or_default(),
        pos: entry.pos(),
    }
}

/// Reads `path`, `role` or `key`, as the engine requires, and the operations of a key.
fn locator(fields: &mut Fields<'_, '_>, engine: Option<Engine>) -> Locator {
    let [path, role, key] = LocatorKind::ALL
        .map(|kind| fields.text_matching(kind.key(), validate::path).unwrap_or_default());
    let operations = engine.map(|engine| operations(fields, engine)).unwrap_or_default();
    let Some(engine) = engine else { return Locator::Path(path) };
    let right = engine.locator();
    if fields.get(right.key()).is_none() {
        let message = format!("a need of engine {engine} needs the key `{}`", right.key());
        let pos = fields.pos("engine");
        fields.add_mistake(Code::MissingKey, message, pos);
    }
    for wrong in LocatorKind::ALL.into_iter().filter(|kind| *kind != right) {
        if fields.get(wrong.key()).is_some() {
            let message =
                format!("a need of engine {engine} has `{}`, not `{}`", right.key(), wrong.key());
            let pos = fields.pos(wrong.key());
            fields.add_mistake(Code::WrongKey, message, pos);
        }
    }
    match right {
        LocatorKind::Path => Locator::Path(path),
        LocatorKind::Role => Locator::Role(role),
        LocatorKind::Key => Locator::Key { name: key, operations },
    }
}

fn operations(fields: &mut Fields<'_, '_>, engine: Engine) -> BTreeSet<TransitOperation> {
    let mut operations = BTreeSet::new();
    let nodes = fields.items_of("operations");
    for node in nodes {
        let text = node.text().unwrap_or_default();
        if let Ok(operation) = text.parse() {
            operations.insert(operation);
        } else {
            let known = TransitOperation::ALL.map(TransitOperation::name).join(", ");
            let message = format!("`{text}` isn't an operation of transit; they are {known}");
            fields.add_mistake(Code::UnknownValue, message, node.start);
        }
    }
    let pos = fields.pos("operations");
    if engine == Engine::Transit && nodes.is_empty() {
        let message = "a need of engine transit needs the key `operations`, as in \
                       `operations: [decrypt]`";
        fields.add_mistake(Code::MissingKey, message, pos);
    }
    if engine != Engine::Transit && !nodes.is_empty() {
        let message = format!("`operations` is a key of engine transit, not of {engine}");
        fields.add_mistake(Code::WrongKey, message, pos);
    }
    operations
}

fn capabilities(fields: &mut Fields<'_, '_>) -> BTreeSet<Capability> {
    let mut capabilities = BTreeSet::new();
    for node in fields.items_of("capabilities") {
        let text = node.text().unwrap_or_default();
        match text.parse::<Capability>() {
            Ok(Capability::Deny) | Err(()) => {
                let mut finding = fields.finding(
                    Code::UnknownValue,
                    format!("`{text}` isn't a capability that a need can have"),
                    node.start,
                );
                finding.help = nearest(text, Capability::ALL.map(Capability::name))
                    .map(|near| format!("did you mean `{near}`?"));
                fields.mistakes.push(finding);
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
    for entry in fields.entries_of("fields", "`fields`") {
        if let KnownFields::Listed(known) = engine.fields()
            && !known.contains(&entry.name())
        {
            let message = format!("engine {engine} has no field `{}`", entry.name());
            let mut finding = fields.finding(Code::UnknownField, message, entry.pos());
            finding.help = Some(match nearest(entry.name(), known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "it has no fields".to_owned(),
                None => format!("its fields are {}", known.join(", ")),
            });
            fields.mistakes.push(finding);
        }
        if let Some(target) = target(fields, entry) {
            targets.insert(entry.name().to_owned(), target);
        }
    }
    targets
}

/// Reads `{env: NAME, as: file}`, or `NAME` alone.
fn target(fields: &mut Fields<'_, '_>, entry: &Entry) -> Option<Target> {
    if let Kind::Scalar { .. } = &entry.value.kind {
        let Some(env) = entry.value.text() else {
            fields.add_wrong_type(entry.name(), "a variable's name or {env: NAME}", &entry.value);
            return None;
        };
        if let Err(expected) = validate::variable(env) {
            let message = format!("`{}: {env}` must be {expected}", entry.name());
            fields.add_mistake(Code::InvalidText, message, entry.value.start);
        }
        return Some(Target {
            env: env.to_owned(),
            form: VariableContent::Value,
            pos: entry.pos(),
        });
    }
    let mut target = Fields::new(fields.file, &entry.value, "a field", fields.mistakes);
    target.refuse_unknown_keys(&["env", "as"]);
    target.required("env");
    let env = target.text_matching("env", validate::variable)?;
    let form = target
        .choice("as", &[("env", VariableContent::Value), ("file", VariableContent::FilePath)]);
    Some(Target { env, form: form.unwrap_or_default(), pos: entry.pos() })
}

fn required(fields: &mut Fields<'_, '_>) -> Required {
    let Some(node) = fields.get("required") else { return Required::default() };
    if let Some(flag) = node.boolean() {
        return Required::Flag(flag);
    }
    if node.entries().is_none() {
        fields.add_wrong_type("required", "true, false, {one_of: GROUP} or {any_of: GROUP}", node);
        return Required::default();
    }
    let mut group = Fields::new(fields.file, node, "`required`", fields.mistakes);
    group.refuse_unknown_keys(&["one_of", "any_of"]);
    match (
        group.text_matching("one_of", validate::name),
        group.text_matching("any_of", validate::name),
    ) {
        (Some(one_of), None) => Required::OneOf { one_of },
        (None, Some(any_of)) => Required::AnyOf { any_of },
        _ => {
            let message = "`required` must have one group: {one_of: GROUP} or {any_of: GROUP}";
            group.add_mistake(Code::WrongType, message, node.start);
            Required::default()
        }
    }
}

fn ttl(fields: &mut Fields<'_, '_>, engine: Engine) -> Option<Ttl> {
    let node = fields.get("ttl")?;
    if !engine.is_leased() {
        let message = format!("`ttl` has no effect for engine {engine}, which gives no lease");
        let pos = fields.pos("ttl");
        fields.add_mistake(Code::WrongKey, message, pos);
    }
    let mut ttl = Fields::new(fields.file, node, "`ttl`", fields.mistakes);
    ttl.refuse_unknown_keys(&["min", "renew"]);
    let min = ttl.text_matching("min", validate::duration);
    let renew = ttl.text_matching("renew", validate::renewal);
    Some(Ttl { min, renew })
}

/// Reads how a profile uses each need: `skip`, `required` or `optional`.
pub fn read_uses(fields: &mut Fields<'_, '_>) -> BTreeMap<String, NeedUse> {
    let Some(node) = fields.get("needs").filter(|node| !node.is_null()) else {
        return BTreeMap::new();
    };
    let mut uses = Fields::new(fields.file, node, "the `needs` of a profile", fields.mistakes);
    let choices =
        [("skip", NeedUse::Skip), ("required", NeedUse::Required), ("optional", NeedUse::Optional)];
    let mut read = BTreeMap::new();
    for entry in uses.entries() {
        read.extend(
            uses.choice(entry.name(), &choices).map(|use_| (entry.name().to_owned(), use_)),
        );
    }
    read
}

/// Reads the overrides of a profile.
pub fn read_overrides(fields: &mut Fields<'_, '_>) -> BTreeMap<String, NeedOverride> {
    let mut overrides = BTreeMap::new();
    for entry in fields.entries_of("override", "`override`") {
        let mut change = Fields::new(fields.file, &entry.value, "an override", fields.mistakes);
        change.refuse_unknown_keys(&["mount", "path", "role", "key"]);
        let mount = change.text_matching("mount", validate::path);
        let mut locators = LocatorKind::ALL.into_iter().filter_map(|kind| {
            Some(LocatorOverride { kind, name: change.text_matching(kind.key(), validate::path)? })
        });
        let (locator, second) = (locators.next(), locators.next());
        if let (Some(first), Some(second)) = (&locator, second) {
            let (first, second) = (first.kind.key(), second.kind.key());
            let message = format!("an override can't have both `{first}` and `{second}`");
            let pos = change.pos(second);
            change.add_mistake(Code::WrongKey, message, pos);
        }
        overrides
            .insert(entry.name().to_owned(), NeedOverride { mount, locator, pos: entry.pos() });
    }
    overrides
}
