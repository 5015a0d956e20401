//! What other questions would have come to where staff said who was texting.
//!
//! Of each labelled verification, the turn that ended it is looked at: the candidate's claims there are matched
//! against the directory as it is now, by the clinic's rules as they are now, and judged by whom staff named.

use std::collections::{BTreeMap, HashMap};

use anteroom_model::{
    hooks::Step,
    ids::{ConversationId, DecisionId, OrganizationId, VerificationId},
    states::VerificationLabel,
};
use anteroom_store::{Org, Store, StoreError, TurnWindow, Verification};
use serde::Serialize;
use utoipa::ToSchema;

use crate::pipeline::matching::{self, Match};

/// Labelled verifications that are looked at, at most.
const LOOKED_AT: u32 = 10_000;
/// Those with another end that are listed.
const LISTED: usize = 1_000;

/// How labelled verifications would have come out.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct LabelledReport {
    /// Labelled verifications whose last turn was tried.
    labelled: u64,
    /// As staff labelled what was recorded: `right`, `wrong`, `missed`.
    recorded: BTreeMap<&'static str, u64>,
    /// The candidate's: `right`, `wrong` (another patient: there must be none), `missed`, `asks_on` (it is not
    /// over with that turn), `failed`.
    candidate: BTreeMap<&'static str, u64>,
    /// The first thousand that come out otherwise.
    changes: Vec<LabelledChange>,
}

/// A labelled verification that comes out otherwise.
#[derive(Debug, Serialize, ToSchema)]
pub struct LabelledChange {
    verification_id: VerificationId,
    conversation_id: ConversationId,
    recorded: &'static str,
    candidate: &'static str,
}

/// Labelled verifications by the decision that ended them, and what the candidate did there.
#[derive(Debug)]
pub(super) struct Labelled {
    by_decision: HashMap<DecisionId, Verification>,
    seen: Vec<(DecisionId, Option<Step>)>,
}

impl Labelled {
    /// Those of a window.
    pub(super) async fn read(
        store: &Store,
        organization: OrganizationId,
        window: &TurnWindow,
    ) -> Result<Self, StoreError> {
        let mut org = store.read(organization).await?;
        // A turn's claims are settled after it.
        let until = org.now().plus(std::time::Duration::from_secs(1));
        let labelled = org.labelled_verifications(window.since, until, LOOKED_AT).await?;
        let by_decision = labelled.into_iter().filter_map(|one| Some((one.decision_id?, one))).collect();
        Ok(Self { by_decision, seen: Vec::new() })
    }

    /// The candidate's step at a turn; `None`: it failed or had no opinion.
    pub(super) fn see(&mut self, decision: DecisionId, step: Option<Step>) {
        if self.by_decision.contains_key(&decision) {
            self.seen.push((decision, step));
        }
    }

    /// Judges what was seen.
    pub(super) async fn report(
        self,
        store: &Store,
        organization: OrganizationId,
    ) -> Result<LabelledReport, StoreError> {
        let mut org = store.read(organization).await?;
        let mut report = LabelledReport::default();
        for (decision, step) in &self.seen {
            let Some(verification) = self.by_decision.get(decision) else { continue };
            let recorded = verification.label.map_or("unlabelled", VerificationLabel::as_str);
            let candidate = judge(&mut org, verification, step.as_ref()).await?;
            report.labelled += 1;
            *report.recorded.entry(recorded).or_default() += 1;
            *report.candidate.entry(candidate).or_default() += 1;
            if recorded != candidate && report.changes.len() < LISTED {
                report.changes.push(LabelledChange {
                    verification_id: verification.id,
                    conversation_id: verification.conversation_id,
                    recorded,
                    candidate,
                });
            }
        }
        Ok(report)
    }
}

async fn judge(
    org: &mut Org<'_>,
    verification: &Verification,
    step: Option<&Step>,
) -> Result<&'static str, StoreError> {
    let actual = match verification.actual_patient_id {
        Some(id) => org.resolve_patient(id).await?,
        None => None,
    };
    let found = match step {
        None => return Ok("failed"),
        Some(Step::Ask(_)) => return Ok("asks_on"),
        Some(Step::GiveUp(_)) => None,
        Some(Step::Match(request)) => {
            let Some(conversation) = org.conversation(verification.conversation_id).await? else {
                return Ok("failed");
            };
            let settings = org.organization_row().await?.ok_or(StoreError::NoOrganization)?.settings;
            let (claims, rules) = (&request.claims, &settings.identity.matching);
            match matching::find(org, claims, &request.required, &conversation.peer, rules).await? {
                Match::One(patient, _) => Some(patient),
                Match::None | Match::Several => None,
            }
        }
    };
    Ok(match (found, actual) {
        (found, actual) if found == actual => "right",
        (Some(_), _) => "wrong",
        (None, _) => "missed",
    })
}
