//! One profile with what the policies and a server say about it.

use envlock_report::Level;
use jiff::{SignedDuration, Timestamp};

use super::standing::Standing;
use super::unverifiable::is_open;
use crate::checks::Input;
use crate::checks::case::Case;
use crate::checks::subject::Subject;
use crate::evidence::{Heard, Verdict, heard};
use crate::facts::{NeedFacts, Online, Token, Unknown};
use crate::manifest::ResolvedNeed;
use crate::requirement::Requirement;
use envlock_model::needs::Required;
use envlock_policy::Engine;

/// One profile, both answers.
pub(in crate::checks) struct Live<'a> {
    pub(super) subject: &'a Subject<'a>,
    /// What the policies say; nothing where none are attached.
    pub(super) case: Option<&'a Case<'a>>,
    pub(super) online: &'a Online,
    pub(super) horizon: Timestamp,
    /// For each requirement of the subject, what the server says.
    heard: Vec<Heard>,
    /// For each need of the profile, how it stands.
    standings: Vec<Standing<'a>>,
}

impl<'a> Live<'a> {
    pub(in crate::checks) fn new(
        input: &Input<'_>,
        online: &'a Online,
        subject: &'a Subject<'a>,
        case: Option<&'a Case<'a>>,
    ) -> Self {
        let horizon = SignedDuration::from_hours(24 * i64::from(input.horizon_days));
        let needs = subject.profile.needs.iter();
        let standings =
            needs.map(|need| Standing::of(need, online.needs.get(&need.name), input.now));
        Self {
            subject,
            case,
            online,
            horizon: input.now.checked_add(horizon).unwrap_or(Timestamp::MAX),
            heard: subject.requirements.iter().map(|r| heard(online, r)).collect(),
            standings: standings.collect(),
        }
    }

    /// Each requirement with what the policies and the server say to it.
    pub(super) fn judged(
        &self,
    ) -> impl Iterator<Item = (&'a Requirement, Option<&'a [Verdict]>, Heard)> {
        self.subject.requirements.iter().enumerate().map(|(at, requirement)| {
            let verdicts = self.case.map(|case| case.verdicts[at].as_slice());
            (requirement, verdicts, self.heard[at])
        })
    }

    /// Each need with how it stands.
    pub(super) fn needs(&self) -> impl Iterator<Item = (&'a ResolvedNeed, &Standing<'a>)> {
        self.subject.profile.needs.iter().zip(&self.standings)
    }

    /// What the server said of a need.
    pub(super) fn facts(&self, need: &str) -> Option<&'a NeedFacts> {
        self.online.needs.get(need)
    }

    /// The token of the job; nothing where a verifier's asked, which has rules of its own.
    pub(super) fn token_of_job(&self) -> Option<&'a Token> {
        (!self.is_verifier()).then_some(&self.online.token)
    }

    /// Whether somebody else than the job asked: then only the policies tell the job's rights.
    pub(super) fn is_verifier(&self) -> bool {
        self.online.capabilities == Err(Unknown::NotAsked)
    }

    /// Whether the token may do everything.
    pub(super) fn is_root(&self) -> bool {
        self.online.token.policies.iter().any(|policy| policy == "root")
    }

    /// Whether neither the policies nor the server refuse anything that a need takes.
    pub(super) fn is_allowed(&self, need: &str) -> bool {
        let mut own = self.judged().filter(|(requirement, ..)| requirement.need == need);
        self.case.is_none_or(|case| case.is_allowed(need))
            && !own.any(|(.., heard)| matches!(heard, Heard::Denied(_)))
    }

    /// Whether a need is allowed, there and whole, and all of that is known.
    pub(super) fn is_usable(&self, need: &ResolvedNeed) -> bool {
        let mut standings = self.needs().filter(|(other, _)| other.name == need.name);
        standings.all(|(_, standing)| standing.is_whole())
            && self.is_allowed(&need.name)
            && !is_open(self, need)
    }

    /// Whether another need of its group does its work.
    pub(super) fn is_served(&self, need: &str) -> bool {
        self.subject.siblings(need).any(|sibling| self.is_usable(sibling))
    }

    /// What it weighs that a need isn't there: a note where it isn't required, where another of
    /// its group serves, and where nobody knows whether one does, which is told of that one.
    pub(super) fn weight_of_absence(&self, need: &ResolvedNeed) -> Level {
        let optional = need.need.required == Required::Plain(false);
        let maybe_served =
            self.subject.siblings(&need.name).any(|s| self.is_usable(s) || is_open(self, s));
        if optional || maybe_served { Level::Note } else { Level::Error }
    }

    /// The server's word on the requirement at `at`, for the table.
    pub(in crate::checks) fn told(&self, at: usize) -> Option<&'static str> {
        match self.heard[at] {
            Heard::Allowed => Some("allowed"),
            Heard::Denied(_) => Some("denied"),
            Heard::Untold(Unknown::NotAsked) => None,
            Heard::LeftOut | Heard::Untold(_) => Some("unknown"),
        }
    }

    /// Each need, its fields as far as their names can be asked for, and whether it is there.
    pub(in crate::checks) fn presences(
        &self,
    ) -> impl Iterator<Item = (&'a str, Vec<String>, Option<String>)> {
        self.needs().map(|(resolved, standing)| {
            let need = &resolved.need;
            let asked = need.fields.keys().filter(|_| need.engine == Engine::Kv2);
            let fields: Vec<String> = asked.cloned().collect();
            let names_known = self.facts(&resolved.name).is_some_and(|facts| facts.fields.is_ok());
            let server = standing.in_short(fields.is_empty() || names_known);
            (resolved.name.as_str(), fields, server)
        })
    }
}
