//! The checks: the needs of each profile against the policies of its token, and against the facts
//! that a server reported.
//!
//! [`check`] reads the policies, evaluates each profile in every dialect, and runs the checks. Each
//! check is a file. Those in `online` also use a server's facts.

mod api_path;
mod checked_profile;
mod denied;
mod dialect_dependent;
mod evaluation;
mod excess;
mod expiring;
mod identity;
mod interactive;
mod kv2_data_path;
mod namespace;
mod online;
mod overrides;
mod parameters;
mod policies;
mod result_table;
mod root_token;
mod unknown_parameter;
mod unused_policy;

use std::cell::LazyCell;
use std::collections::{BTreeMap, HashSet};

use envlock_policy::lint::{LintContext, lint_parsed, rules_that_never_decide};
use envlock_policy::{Mounts, Policy};
use envlock_report::{
    AsFindings, Code, Exit, Finding, Place, outcome::LevelOverrides, sort_and_merge,
};
use envlock_text::limits::{BLOCKS_AND_REQUESTS, POLICY_BYTES};
use jiff::Timestamp;

use crate::facts::ServerFacts;
use crate::manifest::{Manifest, ResolvedProfile, TargetServers};
use crate::mounts;
use crate::need_request::job_requests_of_need;
use checked_profile::CheckedProfile;
use evaluation::PolicyEvaluation;
pub use namespace::described as described_namespace;
use online::OnlineEvaluation;
use policies::Policies;
pub use result_table::{ResultRow, RowSubject, table};

/// The input of the checks.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The manifest.
    pub manifest: &'a Manifest,
    /// The text of each of [`Manifest::policy_files`].
    pub files: &'a BTreeMap<String, String>,
    /// The profile to check; `None` for all profiles.
    pub profile: Option<&'a str>,
    /// The server's dialect from the command line, which takes precedence over the release that a
    /// server reported and over the manifest.
    pub dialect: Option<TargetServers>,
    /// The time of the check.
    pub now: Timestamp,
    /// Rules of policies, and versions of secrets, that expire within this number of days are
    /// reported.
    pub horizon_days: u32,
    /// The facts that a server reported about `profile`, if one was queried.
    pub online: Option<&'a ServerFacts>,
}

impl Input<'_> {
    /// The servers for which the policies are evaluated.
    fn server(&self) -> TargetServers {
        let asked = self.online.and_then(|facts| facts.server.release());
        let asked = asked.map(TargetServers::Release);
        self.dialect.or(asked).unwrap_or(self.manifest.server)
    }
}

/// The result of the checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The findings, in the order of display.
    pub findings: Vec<Finding>,
    /// The rows of the table of results.
    pub rows: Vec<ResultRow>,
    /// The manifest's `allow:` and `deny:`. They aren't applied to `findings` yet.
    pub overrides: LevelOverrides,
}

/// Why the check is impossible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The profile doesn't exist.
    #[error("the manifest has no profile `{name}`")]
    NoProfile {
        /// The requested name.
        name: String,
        /// The existing profiles.
        known: Vec<String>,
    },
    /// The policies have too many blocks for the number of requests.
    #[error(
        "the profiles have {number} combinations of a policy block and a request; the limit is \
         {limit}",
        limit = BLOCKS_AND_REQUESTS
    )]
    TooMany {
        /// The number of combinations.
        number: usize,
        /// The place of the first profile that exceeds the limit.
        place: Place,
    },
    /// The policies are too large together.
    #[error("the policies have {bytes} bytes together; the limit is {limit}", limit = POLICY_BYTES)]
    TooLarge {
        /// The number of bytes up to the policy that exceeds the limit.
        bytes: usize,
        /// The place of that policy in the manifest.
        place: Place,
    },
    /// The text of a policy is missing.
    #[error("the file {file} of policy {policy} can't be read")]
    NoFile {
        /// The policy.
        policy: String,
        /// The file.
        file: String,
        /// The place in the manifest.
        place: Place,
        /// A profile that attaches it.
        profile: Option<String>,
    },
}

impl AsFindings for CheckError {
    fn findings(&self) -> Vec<Finding> {
        let message = self.to_string();
        match self {
            Self::NoProfile { name, known } => {
                let near = envlock_report::nearest(name, known.iter().map(String::as_str));
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the profiles are {}", known.join(", ")),
                };
                vec![Finding::new(Code::UnknownName, message).with_help(help)]
            }
            Self::TooLarge { place, .. } => {
                vec![Finding::new(Code::InputLimit, message).at(place.clone())]
            }
            Self::TooMany { place, .. } => {
                let help = "attach to each profile only the policies of its token";
                let finding = Finding::new(Code::InputLimit, message).at(place.clone());
                vec![finding.with_help(help)]
            }
            Self::NoFile { policy, place, file, profile } => {
                let profile =
                    profile.as_ref().map_or_else(String::new, |p| format!(" --profile {p}"));
                let help = format!("write it: `envlock policy generate{profile} > {file}`");
                let finding =
                    Finding::new(Code::PolicyFileUnreadable, message).about_policy(policy);
                let note = "paths of policy files are relative to the manifest";
                vec![finding.at(place.clone()).with_note(note).with_help(help)]
            }
        }
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// Checks the needs of the profiles against the policies. Checks one profile also against a
/// server's facts, if a server was queried.
pub fn check(input: &Input<'_>) -> Result<Outcome, CheckError> {
    let profiles = profiles(input)?;
    let policies = Policies::read(input)?;
    refuse_too_many(input.manifest, &profiles, &policies)?;
    let mut findings = policies.findings(input, &profiles);
    let mut rows = Vec::new();
    for profile in &profiles {
        let checked = CheckedProfile::new(input.manifest, profile);
        unknown_parameter::check(&checked, &mut findings);
        let evaluation = PolicyEvaluation::new(input, &policies, &checked, &mut findings);
        if let Some(evaluation) = &evaluation {
            by_policies(evaluation, &mut findings);
        }
        let online = input
            .online
            .map(|facts| OnlineEvaluation::new(input, facts, &checked, evaluation.as_ref()));
        if let Some(online) = &online {
            online::check(online, &mut findings);
        }
        rows.extend(result_table::rows(&checked, evaluation.as_ref(), online.as_ref()));
    }
    unused_policy::check_declared(input, &profiles, &mut findings);
    api_path::check(input.manifest, &mut findings);
    lint(input, &policies, &mut findings);
    let (findings, rows) = (sort_and_merge(findings), result_table::merge_profiles(rows));
    Ok(Outcome { findings, rows, overrides: overrides::for_check(input) })
}

/// Reports needs that name the path of the server's API, or repeat their mount in their path.
pub fn locations(manifest: &Manifest) -> Vec<Finding> {
    let mut findings = Vec::new();
    api_path::check(manifest, &mut findings);
    sort_and_merge(findings)
}

/// Adds the lints of every policy. What a profile's check says of the same rule is kept once.
fn lint(input: &Input<'_>, policies: &Policies, findings: &mut Vec<Finding>) {
    let server = input.dialect.unwrap_or(input.manifest.server);
    let context = LintContext {
        now: input.now,
        dialects: server.dialects().to_vec(),
        mounts: Mounts::default(),
        needs_are_checked: true,
    };
    let manifest = input.manifest;
    let profiles = manifest.profiles.keys().filter_map(|name| manifest.profile(name));
    let profiles: Vec<ResolvedProfile> = profiles.collect();
    let all = LazyCell::new(|| manifest.mounts());
    let lints = policies.all().flat_map(|policy| {
        let uploaded = manifest.policies.get(policy.name());
        let uploaded = uploaded.and_then(|policy| policy.namespace.as_deref());
        let mounts = mounts::of_policy(policy.name(), uploaded, &profiles);
        let mounts = mounts.unwrap_or_else(|| all.clone());
        lint_parsed(policy, &LintContext { mounts, ..context.clone() })
    });
    let mut lints: Vec<Finding> = lints.collect();
    let places = |findings: &[Finding], code: Code| -> HashSet<Place> {
        let same = findings.iter().filter(|finding| finding.code == code);
        same.filter_map(|finding| finding.place.clone()).collect()
    };
    for code in [Code::NeverDecides, Code::DenyOverridden] {
        let known = places(&lints, code);
        findings.retain(|finding| {
            let known = finding.place.as_ref().is_some_and(|place| known.contains(place));
            finding.code != code || !known
        });
    }
    // A denied need names the rule on the logical path, too.
    let denied = findings.iter().filter(|finding| finding.code == Code::Kv2DataPath);
    let named: HashSet<Place> = denied
        .flat_map(|finding| finding.related.iter().map(|related| related.place.clone()))
        .collect();
    lints.retain(|finding| {
        let named = finding.place.as_ref().is_some_and(|place| named.contains(place));
        finding.code != Code::Kv2DataPath || !named
    });
    findings.extend(lints);
}

/// Reports rules that never decide because of other policies of the profile.
fn never_decides(evaluation: &PolicyEvaluation<'_>, findings: &mut Vec<Finding>) {
    let unreachable = rules_that_never_decide(&evaluation.acls).into_iter();
    findings
        .extend(unreachable.map(|finding| finding.in_profile(&evaluation.checked.profile.name)));
}

/// Checks the number of policy blocks and requests: the work of all checks grows with their product.
fn refuse_too_many(
    manifest: &Manifest,
    profiles: &[ResolvedProfile],
    policies: &Policies,
) -> Result<(), CheckError> {
    let mut number = 0_usize;
    for profile in profiles {
        let attached =
            profile.attach.iter().filter_map(|(name, _)| policies.get(name)?.as_ref().ok());
        let blocks: usize = attached.map(Policy::number_of_blocks).sum();
        let requests: usize =
            profile.needs.iter().map(|need| job_requests_of_need(need).len()).sum();
        number = number.saturating_add(blocks.saturating_mul(requests));
        if number > BLOCKS_AND_REQUESTS {
            return Err(CheckError::TooMany { number, place: manifest.place(profile.pos) });
        }
    }
    Ok(())
}

fn by_policies(evaluation: &PolicyEvaluation<'_>, findings: &mut Vec<Finding>) {
    denied::check(evaluation, findings);
    dialect_dependent::check(evaluation, findings);
    identity::check(evaluation, findings);
    parameters::check(evaluation, findings);
    interactive::check(evaluation, findings);
    expiring::check(evaluation, findings);
    never_decides(evaluation, findings);
    // A rule that seems useless may be right, and the need or the namespace wrong: that must be
    // corrected first.
    if !api_path::is_in_profile(evaluation.checked) && namespace::in_patterns(evaluation).is_none()
    {
        let usage = evaluation.block_usage();
        excess::check(evaluation, &usage, findings);
        unused_policy::check_attached(evaluation, &usage, findings);
    }
}

/// The profiles to check. A manifest without profiles has an implicit one.
fn profiles(input: &Input<'_>) -> Result<Vec<ResolvedProfile>, CheckError> {
    let manifest = input.manifest;
    let known: Vec<String> = manifest.profiles.keys().cloned().collect();
    if let Some(name) = input.profile {
        let profile = manifest.profile(name);
        let profile =
            profile.ok_or_else(|| CheckError::NoProfile { name: name.to_owned(), known })?;
        return Ok(vec![profile]);
    }
    if known.is_empty() {
        return Ok(vec![manifest.implicit_profile()]);
    }
    Ok(known.iter().filter_map(|name| manifest.profile(name)).collect())
}
