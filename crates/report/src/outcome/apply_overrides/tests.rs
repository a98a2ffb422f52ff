use jiff::civil::date;
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::{
    Place,
    outcome::{DenySetting, DenyTarget, Exception, Failure, FindingSubject},
};

fn denied(target: DenyTarget) -> LevelOverrides {
    LevelOverrides { accept: Vec::new(), deny: vec![DenySetting::from_flag(target)] }
}

fn exception(code: Code, subject: FindingSubject, in_force: bool) -> Exception {
    Exception {
        code,
        subject,
        reason: "until the move".to_owned(),
        until: date(2027, 1, 31),
        in_force,
        place: Place::new("secrets.yml", 9, 3),
        was_checked: true,
    }
}

fn accepted(code: Code, subject: FindingSubject, in_force: bool) -> LevelOverrides {
    LevelOverrides { accept: vec![exception(code, subject, in_force)], deny: Vec::new() }
}

fn need(name: &str) -> FindingSubject {
    FindingSubject::Need(name.to_owned())
}

#[test]
fn a_denied_code_counts_as_an_error_in_the_summary_and_in_the_exit_code() {
    let found = vec![Finding::new(Code::SecretInVariable, "x")];
    let report = apply_overrides(
        found,
        Completion::Complete,
        &denied(DenyTarget::Code(Code::SecretInVariable)),
    );
    assert_eq!((report.exit, report.summary.errors), (Exit::Findings, 1));
    assert_eq!(report.findings[0].notes, ["`--deny secret-in-variable` makes this an error"]);
}

#[test]
fn denied_warnings_are_errors_and_notes_stay_notes() {
    let found =
        vec![Finding::new(Code::ExcessRights, "x"), Finding::new(Code::NoPoliciesAttached, "y")];
    let report =
        apply_overrides(found.clone(), Completion::Complete, &denied(DenyTarget::Warnings));
    assert_eq!(report.summary, Summary { errors: 1, warnings: 0, notes: 1 });
    assert_eq!(report.exit, Exit::Findings);
    let note = apply_overrides(
        found,
        Completion::Complete,
        &denied(DenyTarget::Code(Code::NoPoliciesAttached)),
    );
    assert_eq!(note.summary, Summary { errors: 1, warnings: 1, notes: 0 });
}

#[test]
fn an_exception_for_a_policy_matches_its_name_and_not_the_message() {
    let finding = Finding::new(Code::UnusedPolicy, "words").about_policy("ci-db");
    let subject = |name: &str| FindingSubject::Policy(name.to_owned());
    let overrides = |name| accepted(Code::UnusedPolicy, subject(name), true);
    let report = apply_overrides(vec![finding.clone()], Completion::Complete, &overrides("ci-db"));
    assert_eq!(report.summary, Summary { errors: 0, warnings: 0, notes: 1 });
    let other = apply_overrides(vec![finding], Completion::Complete, &overrides("words"));
    assert_eq!(other.summary.warnings, 2, "the finding and the unused exception");
}

#[test]
fn an_exception_in_force_overrides_a_deny_rule_and_an_expired_one_adds_a_note() {
    let found = vec![Finding::new(Code::ExcessRights, "x").about_need("db")];
    let deny = denied(DenyTarget::Code(Code::ExcessRights)).deny;
    let with = |in_force| LevelOverrides {
        deny: deny.clone(),
        ..accepted(Code::ExcessRights, need("db"), in_force)
    };
    let report = apply_overrides(found.clone(), Completion::Complete, &with(true));
    assert_eq!((report.exit, report.summary.notes), (Exit::Success, 1));
    let expired = apply_overrides(found, Completion::Complete, &with(false));
    assert_eq!((expired.exit, expired.summary.errors), (Exit::Findings, 1));
    assert!(expired.findings[0].notes[0].starts_with("it was accepted until 2027-01-31"));
}

#[test]
fn an_exception_is_unused_only_if_its_code_was_checked() {
    let mut overrides = accepted(Code::SecretMissing, need("db"), true);
    let report = apply_overrides(Vec::new(), Completion::Complete, &overrides);
    assert_eq!(report.findings[0].code, Code::UnusedException);
    assert!(report.findings[0].message.ends_with("for need db matches no finding"));
    overrides.accept[0].was_checked = false;
    assert_eq!(apply_overrides(Vec::new(), Completion::Complete, &overrides).findings, []);
}

#[test]
fn an_unused_exception_can_be_denied_too() {
    let mut overrides = accepted(Code::SecretMissing, need("db"), true);
    overrides.deny = denied(DenyTarget::Warnings).deny;
    assert_eq!(apply_overrides(Vec::new(), Completion::Complete, &overrides).exit, Exit::Findings);
}

#[test]
fn errors_that_were_found_determine_the_exit_code_before_undetermined_ones() {
    let error = || Finding::new(Code::RequestDenied, "x");
    let undetermined = || Finding::new(Code::Unverifiable, "x");
    let refused = || Failure::new(Exit::LoginRefused, vec![Finding::new(Code::LoginRefused, "x")]);
    let exit =
        |found, completion| apply_overrides(found, completion, &LevelOverrides::default()).exit;
    assert_eq!(exit(vec![undetermined()], Completion::Complete), Exit::Undetermined);
    assert_eq!(exit(vec![undetermined(), error()], Completion::Complete), Exit::Findings);
    assert_eq!(exit(vec![error()], Completion::Partial(refused())), Exit::Findings);
    assert_eq!(exit(vec![undetermined()], Completion::Partial(refused())), Exit::LoginRefused);
    assert_eq!(exit(vec![], Completion::Partial(refused())), Exit::LoginRefused);
    assert_eq!(exit(vec![error()], Completion::Failed(refused())), Exit::LoginRefused);
}

#[test]
fn a_failure_without_an_error_gets_one() {
    let failure = Failure::new(Exit::Success, vec![Finding::new(Code::ExcessRights, "x")]);
    let report =
        apply_overrides(Vec::new(), Completion::Failed(failure), &LevelOverrides::default());
    assert_eq!((report.exit, report.summary.errors), (Exit::Undetermined, 1));
}

const CODES: [Code; 6] = [
    Code::RequestDenied,
    Code::ExcessRights,
    Code::UnusedPolicy,
    Code::Unverifiable,
    Code::NoPoliciesAttached,
    Code::SecretMissing,
];
const NAMES: [&str; 2] = ["a", "b"];

fn findings() -> impl Strategy<Value = Vec<Finding>> {
    let levels = select(vec![Level::Note, Level::Warning, Level::Error]);
    let names = || option::of(select(&NAMES[..]));
    let one = (select(&CODES[..]), levels, names(), names()).prop_map(|(code, level, n, p)| {
        let mut finding = Finding::new(code, "words").at_level(level);
        finding.need = n.map(str::to_owned);
        finding.policy = p.map(str::to_owned);
        finding
    });
    vec(one, 0..6)
}

fn overrides() -> impl Strategy<Value = LevelOverrides> {
    let subject = (any::<bool>(), select(&NAMES[..])).prop_map(|(is_need, name)| {
        if is_need { need(name) } else { FindingSubject::Policy(name.to_owned()) }
    });
    let accept = (select(&CODES[..]), subject, any::<bool>(), any::<bool>()).prop_map(
        |(code, subject, in_force, was_checked)| Exception {
            was_checked,
            ..exception(code, subject, in_force)
        },
    );
    let deny = option::of(select(&CODES[..])).prop_map(|code| {
        DenySetting::from_flag(code.map_or(DenyTarget::Warnings, DenyTarget::Code))
    });
    (vec(accept, 0..4), vec(deny, 0..3)).prop_map(|(accept, deny)| LevelOverrides { accept, deny })
}

fn completions() -> impl Strategy<Value = Completion> {
    let exits =
        select(vec![Exit::Success, Exit::Findings, Exit::Usage, Exit::Undetermined, Exit::Stale]);
    let failure = (exits, findings()).prop_map(|(exit, mut findings)| {
        findings.push(Finding::new(Code::Unreachable, "failed"));
        Failure::new(exit, findings)
    });
    (0..3, failure).prop_map(|(kind, failure)| match kind {
        0 => Completion::Complete,
        1 => Completion::Partial(failure),
        _ => Completion::Failed(failure),
    })
}

proptest! {
    #[test]
    fn a_run_with_an_error_succeeds_only_if_an_exception_in_force_covers_it(
        found in findings(), overrides in overrides(),
    ) {
        let covered = |finding: &Finding| {
            overrides.accept.iter().any(|exception| exception.in_force && exception.covers(finding))
        };
        let uncovered = found.iter().any(|f| f.level == Level::Error && !covered(f));
        let report = apply_overrides(found.clone(), Completion::Complete, &overrides);
        prop_assert!(!(uncovered && report.exit == Exit::Success));
    }

    #[test]
    fn the_counts_always_agree_with_the_exit_code(
        found in findings(), completion in completions(), overrides in overrides(),
    ) {
        let report = apply_overrides(found, completion, &overrides);
        prop_assert_eq!(report.exit == Exit::Success, report.summary.errors == 0);
        prop_assert_eq!(Summary::count(&report.findings), report.summary);
        let denies_warnings = overrides.deny.iter().any(|rule| rule.target == DenyTarget::Warnings);
        prop_assert!(!denies_warnings || report.summary.warnings == 0);
    }

    #[test]
    fn a_deny_rule_never_improves_the_result(found in findings(), overrides in overrides()) {
        let without = LevelOverrides { deny: Vec::new(), ..overrides.clone() };
        let (with, without) =
            (apply_overrides(found.clone(), Completion::Complete, &overrides), apply_overrides(found, Completion::Complete, &without));
        prop_assert!(with.summary.errors >= without.summary.errors);
        prop_assert!(without.exit == Exit::Success || with.exit != Exit::Success);
    }
}
