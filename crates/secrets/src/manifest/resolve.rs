//! Resolves profiles with what they extend, and checks the references in a manifest.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use envlock_model::needs::{Need, NeedOverride, NeedUse, Required};
use envlock_policy::Identity;
use envlock_report::{Code, Finding, Mistakes, nearest};
use envlock_text::Pos;

use super::model::{Auth, Manifest, Profile, RuntimeValue, TokenRules};

/// The maximum number of profiles that a profile can extend, one after another.
const MAX_ANCESTORS: usize = 16;

/// A profile, with everything from the profiles that it extends.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedProfile {
    /// Its name.
    pub name: String,
    /// How it logs in.
    pub auth: Option<Auth>,
    /// The policies of its token, each with its place.
    pub attach: Vec<(String, Pos)>,
    /// Where the namespace of its requests is read from.
    pub namespace: Option<RuntimeValue>,
    /// The namespace of its requests at run time; `""` is the root namespace. `None` if it isn't
    /// known.
    pub namespace_path: Option<String>,
    /// The identity of its token, for templated policies.
    pub identity: Option<Identity>,
    /// The requirements on its token.
    pub token: Option<TokenRules>,
    /// How long the job takes, such as `8h`.
    pub job: Option<String>,
    /// Whether `http://` to the machine itself is fine.
    pub allow_plaintext_loopback: bool,
    /// The needs without the skipped ones, sorted by name.
    pub needs: Vec<ResolvedNeed>,
    /// Its place in the file.
    pub pos: Pos,
}

/// A need of one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedNeed {
    /// Its name.
    pub name: String,
    /// The need, with the profile's overrides.
    pub need: Need,
    /// The place of the override, or else of the need.
    pub pos: Pos,
}

impl Manifest {
    /// Resolves the profile `name` with the profiles that it extends. `None` if it doesn't exist.
    pub fn profile(&self, name: &str) -> Option<ResolvedProfile> {
        let own = self.profiles.get(name)?;
        let (mut uses, mut overrides) = (BTreeMap::new(), BTreeMap::new());
        let mut merged = Profile::default();
        for profile in self.with_ancestors(name).into_iter().rev() {
            merged.auth = profile.auth.clone().or(merged.auth);
            merged.attach = profile.attach.clone().or(merged.attach);
            merged.namespace = profile.namespace.clone().or(merged.namespace);
            merged.identity = profile.identity.clone().or(merged.identity);
            merged.token = profile.token.clone().or(merged.token);
            merged.job = profile.job.clone().or(merged.job);
            merged.allow_plaintext_loopback =
                profile.allow_plaintext_loopback.or(merged.allow_plaintext_loopback);
            uses.extend(profile.needs.iter().map(|(need, use_)| (need.as_str(), *use_)));
            overrides
                .extend(profile.overrides.iter().map(|(need, change)| (need.as_str(), change)));
        }
        let needs = self.needs.iter();
        let needs = needs.filter(|(need, _)| uses.get(need.as_str()) != Some(&NeedUse::Skip));
        let needs = needs.map(|(need_name, need)| {
            let change = overrides.get(need_name.as_str()).copied();
            resolve(need_name, need, uses.get(need_name.as_str()).copied(), change)
        });
        let namespaces = &self.namespaces;
        let namespace_path = match &merged.namespace {
            Some(_) => namespaces.by_profile.get(name).cloned(),
            None => namespaces.default.clone(),
        };
        Some(ResolvedProfile {
            namespace_path,
            name: name.to_owned(),
            auth: merged.auth,
            attach: merged.attach.unwrap_or_default(),
            namespace: merged.namespace,
            identity: merged.identity,
            token: merged.token,
            job: merged.job,
            allow_plaintext_loopback: merged.allow_plaintext_loopback.unwrap_or(false),
            needs: needs.collect(),
            pos: own.pos,
        })
    }

    /// The profile and those that it extends, itself first. Stops at a cycle.
    pub(super) fn with_ancestors(&self, name: &str) -> Vec<&Profile> {
        let (mut with_ancestors, mut seen) = (Vec::new(), BTreeSet::new());
        let mut next = Some(name);
        while let Some(name) =
            next.filter(|name| with_ancestors.len() <= MAX_ANCESTORS && seen.insert(*name))
        {
            let Some(profile) = self.profiles.get(name) else { break };
            with_ancestors.push(profile);
            next = profile.extends.as_deref();
        }
        with_ancestors
    }

    /// Checks that every name is declared, and that no two needs set one variable.
    pub(super) fn check_references(&self, mistakes: &mut Mistakes) {
        let mut checker = Checker { manifest: self, mistakes };
        checker.default();
        checker.groups();
        for (name, profile) in &self.profiles {
            checker.profile(name, profile);
        }
        checker.exceptions();
        checker.variables();
    }
}

fn resolve(
    name: &str,
    need: &Need,
    use_: Option<NeedUse>,
    change: Option<&NeedOverride>,
) -> ResolvedNeed {
    let mut need = need.clone();
    match use_ {
        Some(NeedUse::Optional) => need.required = Required::Flag(false),
        Some(NeedUse::Required) => need.required = Required::Flag(true),
        _ => {}
    }
    let mut pos = need.pos;
    if let Some(change) = change {
        pos = change.pos;
        if let Some(mount) = &change.mount {
            need.mount.clone_from(mount);
            need.mount_pos = change.mount_pos;
        }
        if let Some(locator) = &change.locator {
            need.locator_pos = change.locator_pos;
            need.locator = need.locator.with_name(&locator.name);
        }
        if let Some(parameters) = &change.parameters {
            need.parameters = Some(parameters.clone());
            need.parameters_pos = change.parameters_pos;
        }
    }
    ResolvedNeed { name: name.to_owned(), need, pos }
}

/// Lists the known names, at most twenty of them.
fn known_names(known: &[&str]) -> String {
    let shown = known.iter().take(20).copied().collect::<Vec<_>>().join(", ");
    match known.len().checked_sub(20) {
        None | Some(0) => format!("the known names are {shown}"),
        Some(more) => format!("the known names are {shown} and {more} more"),
    }
}

struct Checker<'a> {
    manifest: &'a Manifest,
    mistakes: &'a mut Mistakes,
}

impl<'a> Checker<'a> {
    fn mistake(&mut self, code: Code, message: &str, help: Option<String>, pos: Pos) {
        let place = self.manifest.place(pos);
        let mistake = Finding::new(code, message).at(place);
        self.mistakes.push(Finding { help, ..mistake });
    }

    /// Reports a `name` that isn't in `known`.
    fn unknown(
        &mut self,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'a String>,
        pos: Pos,
    ) {
        let place = self.manifest.place(pos);
        self.mistakes.push_with(|| {
            let known: Vec<&str> = known.into_iter().map(String::as_str).collect();
            let message = format!("the manifest has no {what} `{name}`");
            let finding = Finding::new(Code::UnknownName, message).at(place);
            match nearest(name, known.iter().copied()) {
                Some(near) => finding.with_help(format!("did you mean `{near}`?")),
                None if known.is_empty() => finding,
                None => finding.with_help(known_names(&known)),
            }
        });
    }

    fn default(&mut self) {
        let manifest = self.manifest;
        if let Some(default) = &manifest.default
            && !manifest.profiles.contains_key(default)
        {
            self.unknown("profile", default, manifest.profiles.keys(), Pos::START);
        }
    }

    fn profile(&mut self, name: &str, profile: &'a Profile) {
        let manifest = self.manifest;
        if let Some(parent) = &profile.extends {
            if !manifest.profiles.contains_key(parent) {
                self.unknown("profile", parent, manifest.profiles.keys(), profile.pos);
            } else if manifest
                .with_ancestors(name)
                .last()
                .is_some_and(|last| last.extends.is_some())
            {
                let message = format!(
                    "the profile `{name}` extends itself, directly or through others, or more than {MAX_ANCESTORS} profiles"
                );
                self.mistake(Code::ExtendsItself, &message, None, profile.pos);
            }
        }
        for (policy, pos) in profile.attach.iter().flatten() {
            if policy != "root" && !manifest.policies.contains_key(policy) {
                self.unknown("policy", policy, manifest.policies.keys(), *pos);
            }
        }
        for need in profile.needs.keys() {
            if !manifest.needs.contains_key(need) {
                self.unknown("need", need, manifest.needs.keys(), profile.pos);
            }
        }
        for (need, change) in &profile.overrides {
            let Some(known) = manifest.needs.get(need) else {
                self.unknown("need", need, manifest.needs.keys(), change.pos);
                continue;
            };
            let right = known.locator.kind();
            if let Some(locator) = change.locator.as_ref().filter(|l| l.kind != right) {
                let (right, wrong) = (right.key(), locator.kind.key());
                let message = format!("the need `{need}` has `{right}`, not `{wrong}`");
                self.mistake(Code::KeyNotOfEngine, &message, None, change.pos);
            }
        }
    }

    /// Checks that a group has one kind.
    fn groups(&mut self) {
        let mut kinds: HashMap<&str, bool> = HashMap::new();
        for need in self.manifest.needs.values() {
            let Some(group) = need.required.group() else { continue };
            let exactly = matches!(need.required, Required::OneOf { .. });
            if *kinds.entry(group).or_insert(exactly) != exactly {
                let message = format!(
                    "the group `{group}` is `one_of` for one need and `any_of` for another"
                );
                self.mistake(Code::MixedGroup, &message, None, need.pos);
            }
        }
    }

    fn exceptions(&mut self) {
        let manifest = self.manifest;
        for exception in &manifest.accept {
            if let Some(need) = &exception.need
                && !manifest.needs.contains_key(need)
            {
                self.unknown("need", need, manifest.needs.keys(), exception.pos);
            }
            if let Some(policy) = &exception.policy
                && !manifest.policies.contains_key(policy)
            {
                self.unknown("policy", policy, manifest.policies.keys(), exception.pos);
            }
        }
    }

    /// Checks that one need sets a variable, in each profile.
    fn variables(&mut self) {
        let manifest = self.manifest;
        let all = manifest.needs.keys().map(String::as_str).collect::<BTreeSet<_>>();
        let mut uses = vec![all];
        let resolved = manifest.profiles.keys().filter_map(|name| manifest.profile(name));
        let resolved: Vec<ResolvedProfile> = resolved.collect();
        if !resolved.is_empty() {
            uses = resolved
                .iter()
                .map(|profile| profile.needs.iter().map(|need| need.name.as_str()).collect())
                .collect();
        }
        let mut noted = BTreeSet::new();
        for needs in uses {
            let mut owners: HashMap<&str, &str> = HashMap::new();
            for name in needs {
                let need = &manifest.needs[name];
                for target in need.fields.values() {
                    let first = owners.insert(&target.env, name);
                    if let Some(first) = first.filter(|_| noted.insert(target.env.clone())) {
                        let message = format!(
                            "the variable {} is set by `{first}` and by `{name}`",
                            target.env
                        );
                        let help =
                            "give one of them another variable, or `skip` one in the profile";
                        let help = Some(help.to_owned());
                        self.mistake(Code::DuplicateVariable, &message, help, target.pos);
                    }
                }
            }
        }
    }
}
