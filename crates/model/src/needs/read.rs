//! Reads needs, and the changes that profiles make to them, from a file.

use std::collections::{BTreeMap, BTreeSet};

use envlock_policy::{
    Capability, Engine, KnownFields, LocatorKind, TOKEN_ENDPOINTS, TransitOperation,
};
use envlock_report::{Code, Fields, Mistakes, nearest};
use envlock_text::tree::{Entry, Kind};

use super::location::Location;
use super::need::{
    CheckMode, Locator, Need, ReadOrUpdate, Required, TargetVariable, Ttl, VariableContent,
};
use super::profile::{LocatorOverride, NeedOverride, NeedUse};
use super::{parameters, validate};

const KEYS: [&str; 15] = [
    "engine",
    "mount",
    "path",
    "role",
    "key",
    "operations",
    "operation",
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
    fields.required_text("engine");
    let engine = match fields.get("engine").and_then(|node| node.text()) {
        Some(text) if text.parse::<Engine>().is_err() && !engines_like(text).is_empty() => {
            let (names, pos) = (engines_like(text), fields.get("engine").map(|node| node.start));
            let message = format!("`{text}` isn't a known `engine`");
            let mistake = fields.finding(Code::UnknownValue, message, pos.unwrap_or(entry.pos()));
            fields.mistakes.push(mistake.with_help(match names.as_slice() {
                [only] => format!("write `engine: {only}`"),
                several => {
                    format!("a {text} mount has several, one for each use: {}", several.join(", "))
                }
            }));
            None
        }
        Some(_) => fields.choice("engine", &engines),
        None => None,
    };
    fields.required_text("mount");
    let mount = mount(&mut fields, engine).unwrap_or_default();
    let locator = locator(&mut fields, engine, &mount);
    let [mount_pos, locator_pos] =
        ["mount", locator.kind().key()].map(|key| fields.get(key).map_or(entry.pos(), |n| n.start));
    let parameters_pos = fields.pos("parameters");
    let engine = engine.unwrap_or(Engine::Kv2);
    Need {
        engine,
        mount,
        locator,
        operation: operation(&mut fields, engine),
        capabilities: capabilities(&mut fields),
        parameters: parameters::read(&mut fields, engine),
        wrap_ttl: fields.text_matching("wrap_ttl", validate::duration),
        fields: targets(&mut fields, engine),
        required: required(&mut fields),
        ttl: ttl(&mut fields, engine),
        why: fields.text_matching("why", validate::free_text),
        check: fields
            .choice("verify", &[("online", CheckMode::Online), ("offline", CheckMode::Offline)])
            .unwrap_or_default(),
        pos: entry.pos(),
        mount_pos,
        locator_pos,
        parameters_pos,
    }
}

/// The engines that another name means: a spelling such as `kv-v2`, or the type of a mount.
fn engines_like(text: &str) -> Vec<&'static str> {
    let plain = text.to_lowercase().replace(['-', '_', ' '], "").replace("kvv", "kv");
    let spelled = Engine::all().filter(|engine| engine.name().replace('-', "") == plain);
    let spelled: Vec<_> = spelled.map(Engine::name).collect();
    if !spelled.is_empty() {
        return spelled;
    }
    let mounted = Engine::all().filter(|engine| engine.mount_types().contains(&plain.as_str()));
    mounted.map(Engine::name).collect()
}

/// Reads a mount. A URL is a mistake, with the mount that it probably names.
fn mount(fields: &mut Fields<'_, '_>, engine: Option<Engine>) -> Option<String> {
    // The name isn't known here; any is as good, because the mount doesn't depend on it.
    not_a_url(fields, "mount", |url| {
        let meant = Location::intended(engine.unwrap_or(Engine::Kv2), url, "name")?;
        Some(meant.mount)
    })
}

/// Reads a path, role or key below `mount`. A URL is a mistake, with the path that it names.
fn name(
    fields: &mut Fields<'_, '_>,
    kind: LocatorKind,
    engine: Option<Engine>,
    mount: &str,
) -> Option<String> {
    not_a_url(fields, kind.key(), |url| {
        let mount = if mount.is_empty() { "secret" } else { mount };
        let meant = Location::intended(engine.unwrap_or(Engine::Kv2), mount, url)?;
        Some(meant.name)
    })
}

fn not_a_url(
    fields: &mut Fields<'_, '_>,
    key: &str,
    meant: impl FnOnce(&str) -> Option<String>,
) -> Option<String> {
    let node = fields.get(key)?;
    let Some(url) = node.text().filter(|text| validate::below_server(text).is_some()) else {
        return fields.text_matching(key, validate::path);
    };
    let message = format!("`{key}` is a URL; a manifest has no server address");
    let mistake = fields.finding(Code::AddressInManifest, message, node.start);
    let meant = meant(url).filter(|meant| validate::path(meant).is_ok());
    fields.mistakes.push(mistake.with_help(match meant {
        Some(meant) => format!("write `{key}: {meant}`; set VAULT_ADDR where the program runs"),
        None => "write where the secret is, as in `mount: secret` and `path: app/db`".to_owned(),
    }));
    None
}

/// Reads `path`, `role` or `key`, as the engine requires, and the operations of a key.
fn locator(fields: &mut Fields<'_, '_>, engine: Option<Engine>, mount: &str) -> Locator {
    let [path, role, key] =
        LocatorKind::ALL.map(|kind| name(fields, kind, engine, mount).unwrap_or_default());
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
            fields.add_mistake(Code::KeyNotOfEngine, message, pos);
        }
    }
    if engine == Engine::Token && !path.is_empty() && !TOKEN_ENDPOINTS.contains(&path.as_str()) {
        let message = format!("`path: {path}` isn't where tokens are created");
        let mistake = fields.finding(Code::UnknownValue, message, fields.pos("path"));
        fields.mistakes.push(mistake.with_help(match path.strip_prefix("create/") {
            Some(role) => format!("write `engine: token-role` and `role: {role}`"),
            None => format!("the paths are {}", TOKEN_ENDPOINTS.join(" and ")),
        }));
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
        fields.add_mistake(Code::KeyNotOfEngine, message, pos);
    }
    operations
}

/// Reads `operation`, for engines that take either.
fn operation(fields: &mut Fields<'_, '_>, engine: Engine) -> Option<ReadOrUpdate> {
    let node = fields.get("operation")?;
    if !engine.takes_read_or_update() {
        let message = format!("`operation` isn't a key of engine {engine}, which takes only one");
        fields.add_mistake(Code::KeyNotOfEngine, message, node.start);
    }
    fields.choice("operation", &[("read", ReadOrUpdate::Read), ("update", ReadOrUpdate::Update)])
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

fn targets(fields: &mut Fields<'_, '_>, engine: Engine) -> BTreeMap<String, TargetVariable> {
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
fn target(fields: &mut Fields<'_, '_>, entry: &Entry) -> Option<TargetVariable> {
    if let Kind::Scalar { .. } = &entry.value.kind {
        let Some(env) = entry.value.text() else {
            fields.add_wrong_type(entry.name(), "a variable's name or {env: NAME}", &entry.value);
            return None;
        };
        if let Err(expected) = validate::variable(env) {
            let message = format!("`{}: {env}` must be {expected}", entry.name());
            fields.add_mistake(Code::InvalidText, message, entry.value.start);
        }
        return Some(TargetVariable {
            env: env.to_owned(),
            content: VariableContent::Value,
            pos: entry.pos(),
        });
    }
    let mut target = Fields::new(fields.file, &entry.value, "a field", fields.mistakes);
    target.refuse_unknown_keys(&["env", "as"]);
    target.required_text("env");
    let env = target.text_matching("env", validate::variable)?;
    let content = target
        .choice("as", &[("env", VariableContent::Value), ("file", VariableContent::FilePath)]);
    Some(TargetVariable { env, content: content.unwrap_or_default(), pos: entry.pos() })
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
        fields.add_mistake(Code::KeyNotOfEngine, message, pos);
    }
    if let Some(text) = node.text() {
        // `ttl: 1h` is short for `ttl: {min: 1h}`.
        if let Err(expected) = validate::duration(text) {
            let message =
                format!("`ttl: {text}` must be {expected}, or {{min: 1h, renew: until 12h}}");
            fields.add_mistake(Code::InvalidText, message, node.start);
        }
        return Some(Ttl { min: Some(text.to_owned()), renew: None });
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

/// Reads the overrides of a profile, which change `needs`.
pub fn read_overrides(
    fields: &mut Fields<'_, '_>,
    needs: &BTreeMap<String, Need>,
) -> BTreeMap<String, NeedOverride> {
    let mut overrides = BTreeMap::new();
    for entry in fields.entries_of("override", "`override`") {
        let mut change = Fields::new(fields.file, &entry.value, "an override", fields.mistakes);
        change.refuse_unknown_keys(&["mount", "path", "role", "key", "parameters"]);
        let mount = mount(&mut change, None);
        let below = mount.clone().unwrap_or_default();
        let mut locators = LocatorKind::ALL.into_iter().filter_map(|kind| {
            Some(LocatorOverride { kind, name: name(&mut change, kind, None, &below)? })
        });
        let (locator, second) = (locators.next(), locators.next());
        if let (Some(first), Some(second)) = (&locator, second) {
            let (first, second) = (first.kind.key(), second.kind.key());
            let message = format!("an override can't have both `{first}` and `{second}`");
            let pos = change.pos(second);
            change.add_mistake(Code::KeyNotOfEngine, message, pos);
        }
        // The values of an engine that isn't known may be secrets.
        let engine = needs.get(entry.name()).map_or(Engine::Kv1, |need| need.engine);
        let parameters = parameters::read(&mut change, engine);
        let pos = |key: &str| change.get(key).map_or(entry.pos(), |node| node.start);
        let locator_pos = locator.as_ref().map_or(entry.pos(), |locator| pos(locator.kind.key()));
        let (pos, mount_pos, parameters_pos) = (entry.pos(), pos("mount"), pos("parameters"));
        let read = NeedOverride {
            mount,
            locator,
            parameters,
            pos,
            mount_pos,
            locator_pos,
            parameters_pos,
        };
        overrides.insert(entry.name().to_owned(), read);
    }
    overrides
}
