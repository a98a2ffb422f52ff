//! Evaluates a profile by the policies and by a server's facts.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use envlock_report::Level;
use jiff::{SignedDuration, Timestamp};

use super::state::NeedState;
use super::unverifiable::is_unverified;
use crate::checks::Input;
use crate::checks::checked_profile::CheckedProfile;
use crate::checks::evaluation::PolicyEvaluation;
use crate::facts::{NeedFacts, ServerFacts, Token, UnknownReason};
use crate::manifest::ResolvedNeed;
use crate::need_request::NeedRequest;
use crate::verdict::{PolicyVerdict, ServerVerdict, server_verdict};
use envlock_model::needs::Required;
use envlock_policy::Engine;

/// A profile with the verdicts of the policies and of the server.
pub(in crate::checks) struct OnlineEvaluation<'a> {
    pub(super) checked: &'a CheckedProfile<'a>,
    /// The evaluation by the policies; `None` if the profile attaches none.
    pub(super) evaluation: Option<&'a PolicyEvaluation<'a>>,
    pub(super) facts: &'a ServerFacts,
    pub(super) horizon: Timestamp,
    /// The server's verdict on each request of a need of the profile.
    server_verdicts: Vec<ServerVerdict>,
    /// The state of each need of the profile.
    states: Vec<NeedState<'a>>,
    /// The needs of which the server denies a request.
    denied: BTreeSet<&'a str>,
    /// The needs that are known to be usable; computed at the first use.
    usable: OnceCell<BTreeSet<&'a str>>,
    /// The needs of which a fact wasn't determined; computed at the first use.
    unverified: OnceCell<BTreeSet<&'a str>>,
}

impl<'a> OnlineEvaluation<'a> {
    pub(in crate::checks) fn new(
        input: &Input<'_>,
        facts: &'a ServerFacts,
        checked: &'a CheckedProfile<'a>,
        evaluation: Option<&'a PolicyEvaluation<'a>>,
    ) -> Self {
        let horizon = SignedDuration::from_hours(24 * i64::from(input.horizon_days));
        let needs = checked.profile.needs.iter();
        let states = needs.map(|need| NeedState::new(need, facts.needs.get(&need.name), input.now));
        let verdicts =
            checked.need_requests.iter().map(|need_request| server_verdict(facts, need_request));
        let server_verdicts: Vec<ServerVerdict> = verdicts.collect();
        let denied = checked.need_requests.iter().zip(&server_verdicts);
        let denied = denied.filter(|(_, verdict)| matches!(verdict, ServerVerdict::Denied(_)));
        let denied = denied.map(|(need_request, _)| need_request.need.as_str()).collect();
        Self {
            checked,
            evaluation,
            facts,
            horizon: input.now.checked_add(horizon).unwrap_or(Timestamp::MAX),
            server_verdicts,
            states: states.collect(),
            denied,
            usable: OnceCell::new(),
            unverified: OnceCell::new(),
        }
    }

    /// Each requirement with the verdicts of the policies and of the server.
    pub(super) fn need_requests_with_verdicts(
        &self,
    ) -> impl Iterator<Item = (&'a NeedRequest, Option<&'a [PolicyVerdict]>, ServerVerdict)> {
        self.checked.need_requests.iter().enumerate().map(|(at, need_request)| {
            let verdicts = self.evaluation.map(|evaluation| evaluation.verdicts[at].as_slice());
            (need_request, verdicts, self.server_verdicts[at])
        })
    }

    /// Each need with its state.
    pub(super) fn needs(&self) -> impl Iterator<Item = (&'a ResolvedNeed, &NeedState<'a>)> {
        self.checked.profile.needs.iter().zip(&self.states)
    }

    /// The server's facts about a need.
    pub(super) fn need_facts(&self, need: &str) -> Option<&'a NeedFacts> {
        self.facts.needs.get(need)
    }

    /// The token of the job; `None` if a presence check's token was used, for which other rules apply.
    pub(super) fn job_token(&self) -> Option<&'a Token> {
        (!self.is_presence_only()).then_some(&self.facts.token)
    }

    /// Whether a presence check's token was used: only the policies then decide what the job may do.
    pub(super) fn is_presence_only(&self) -> bool {
        self.facts.capabilities == Err(UnknownReason::NotRequested)
    }

    /// Whether the token has the policy `root`.
    pub(super) fn is_root(&self) -> bool {
        self.facts.token.policies.iter().any(|policy| policy == "root")
    }

    /// Whether neither the policies nor the server deny a request of the need.
    pub(super) fn is_allowed(&self, need: &str) -> bool {
        self.evaluation.is_none_or(|evaluation| evaluation.is_allowed(need))
            && !self.denied.contains(need)
    }

    /// Whether a need is known to be allowed, and known to exist with all its fields.
    pub(super) fn is_usable(&self, need: &ResolvedNeed) -> bool {
        let usable = self.usable.get_or_init(|| {
            let usable = self.needs().filter(|(need, state)| {
                state.is_complete() && self.is_allowed(&need.name) && !self.is_unverified(need)
            });
            usable.map(|(need, _)| need.name.as_str()).collect()
        });
        usable.contains(need.name.as_str())
    }

    /// Whether a fact about the need wasn't determined although the server could report it.
    fn is_unverified(&self, need: &ResolvedNeed) -> bool {
        let unverified = self.unverified.get_or_init(|| {
            let unverified = self.needs().map(|(need, _)| need);
            let unverified = unverified.filter(|need| is_unverified(self, need));
            unverified.map(|need| need.name.as_str()).collect()
        });
        unverified.contains(need.name.as_str())
    }

    /// Whether another need of its group can be used instead.
    pub(super) fn has_usable_alternative(&self, need: &str) -> bool {
        self.checked.others_in_group(need).any(|sibling| self.is_usable(sibling))
    }

    /// The level of a missing need: a note if it isn't required, if another need of its group can be
    /// used, and if that is unknown, which is reported about the other need.
    pub(super) fn level_of_absence(&self, need: &ResolvedNeed) -> Level {
        let optional = need.need.required == Required::Flag(false);
        let may_be_served = self
            .checked
            .others_in_group(&need.name)
            .any(|other| self.is_usable(other) || self.is_unverified(other));
        if optional || may_be_served { Level::Note } else { Level::Error }
    }

    /// The server's verdict on the request of a need at the index `at`, in one word for the table.
    pub(in crate::checks) fn server_text(&self, at: usize) -> Option<&'static str> {
        match self.server_verdicts[at] {
            ServerVerdict::Allowed => Some("allowed"),
            ServerVerdict::Denied(_) => Some("denied"),
            ServerVerdict::Unavailable(UnknownReason::NotRequested) => None,
            ServerVerdict::Omitted | ServerVerdict::Unavailable(_) => Some("unknown"),
        }
    }

    /// Each need, with the fields whose names the server can list, and its state.
    pub(in crate::checks) fn presence_rows(
        &self,
    ) -> impl Iterator<Item = (&'a str, Vec<String>, Option<String>)> {
        self.needs().map(|(resolved, state)| {
            let need = &resolved.need;
            let listed = need.fields.keys().filter(|_| need.engine == Engine::Kv2);
            let fields: Vec<String> = listed.cloned().collect();
            let names_known =
                self.need_facts(&resolved.name).is_some_and(|facts| facts.fields.is_ok());
            let server = state.table_text(fields.is_empty() || names_known);
            (resolved.name.as_str(), fields, server)
        })
    }
}
