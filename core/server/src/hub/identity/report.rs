//! What verifications came to, and what staff found of them.

use std::{collections::BTreeMap, time::Duration};

use anteroom_model::{
    ids::{ConversationId, PatientId, VerificationId},
    states::{Role, VerificationLabel, VerificationState},
    time::Timestamp,
};
use anteroom_store::OutcomeCount;
use axum::{
    Json,
    extract::{Query, State},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{app::App, auth::Caller, problem::Problem};

/// Labelled verifications that are listed at most.
const LISTED: u32 = 1_000;

/// Which verifications.
#[derive(Debug, Deserialize, IntoParams)]
pub(in crate::hub) struct Window {
    /// Those that ended from then on (RFC 3339); the last 90 days if it is left out.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Those that ended before (RFC 3339); now if it is left out.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

/// What verifications came to.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct IdentityReport {
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// Automatic ones that ended.
    verifications: i64,
    /// By how they ended.
    outcomes: BTreeMap<&'static str, i64>,
    /// Those given up, by why.
    gave_up: BTreeMap<String, i64>,
    labels: Labels,
    /// Of those that were asked anything.
    questions: Questions,
    /// Wrong and missed ones, oldest first, at most a thousand.
    mistakes: Vec<Mistake>,
}

/// What staff found.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(in crate::hub) struct Labels {
    labelled: i64,
    right: i64,
    /// Matched by the answers to another patient than the one who was texting. There must be none.
    wrong_matches: i64,
    /// Linked by the phone alone, unverified, to another patient.
    wrong_links: i64,
    /// The patient is in the directory, and was not found.
    missed: i64,
}

/// What was asked.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(in crate::hub) struct Questions {
    /// Verifications in which something was asked.
    verifications: i64,
    asked: i64,
    /// Per verification.
    mean: f64,
    /// By how many were asked.
    distribution: BTreeMap<usize, i64>,
    by_question: Vec<QuestionView>,
}

/// One question.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(in crate::hub) struct QuestionView {
    /// The policy's name for it.
    question: String,
    /// How often it was put, repetitions too.
    asked: i64,
    /// Verifications in which it was put.
    verifications: i64,
    /// Verifications that it was the last question of, and that ended without claims to match.
    dropped: i64,
    /// `dropped` by `verifications`.
    drop_off: f64,
}

/// An automatic outcome that staff found wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct Mistake {
    verification_id: VerificationId,
    conversation_id: ConversationId,
    label: VerificationLabel,
    /// What it had come to.
    outcome: VerificationState,
    /// Whom it had named.
    named: Option<PatientId>,
    /// Whom staff name; null: nobody of the directory.
    actual: Option<PatientId>,
}

/// What verifications came to: wrong and missed matches, questions per patient, drop-off by question. For leads,
/// admins and auditors; names nobody.
#[utoipa::path(get, path = "/api/v1/reports/identity", tag = "identity", params(Window),
    responses((status = 200, body = IdentityReport), (status = 403)))]
pub(in crate::hub) async fn get(
    State(app): State<App>,
    caller: Caller,
    Query(window): Query<Window>,
) -> Result<Json<IdentityReport>, Problem> {
    caller.require(&[Role::Lead, Role::Admin, Role::Auditor])?;
    let mut org = app.store.read(caller.organization).await?;
    // What ended in this very moment belongs to the report that is asked for now.
    let until = window.until.unwrap_or_else(|| org.now().plus(Duration::from_micros(1)));
    let since = window.since.unwrap_or_else(|| until.minus(Duration::from_hours(90 * 24)));
    let counts = org.verification_outcomes(since, until).await?;
    let labelled = org.labelled_verifications(since, until, LISTED).await?;
    drop(org);
    caller.audit_read(&app, "report.identity_read", caller.staff.0).await?;
    let automatic: Vec<&OutcomeCount> =
        counts.iter().filter(|count| count.state != VerificationState::Staff).collect();
    let mut report = IdentityReport {
        since,
        until,
        verifications: automatic.iter().map(|count| count.count).sum(),
        outcomes: BTreeMap::new(),
        gave_up: BTreeMap::new(),
        labels: labels(&automatic),
        questions: questions(&automatic),
        mistakes: Vec::new(),
    };
    for count in &automatic {
        *report.outcomes.entry(count.state.as_str()).or_default() += count.count;
        if let (VerificationState::GaveUp, Some(reason)) = (count.state, &count.reason) {
            *report.gave_up.entry(reason.clone()).or_default() += count.count;
        }
    }
    report.mistakes = labelled
        .into_iter()
        .filter_map(|one| {
            let label = one.label.filter(|label| *label != VerificationLabel::Right)?;
            Some(Mistake {
                verification_id: one.id,
                conversation_id: one.conversation_id,
                label,
                outcome: one.state,
                named: one.patient_id,
                actual: one.actual_patient_id,
            })
        })
        .collect();
    Ok(Json(report))
}

fn labels(counts: &[&OutcomeCount]) -> Labels {
    let mut labels = Labels::default();
    for count in counts {
        let Some(label) = count.label else { continue };
        labels.labelled += count.count;
        match (label, count.state) {
            (VerificationLabel::Right, _) => labels.right += count.count,
            (VerificationLabel::Wrong, VerificationState::Matched) => labels.wrong_matches += count.count,
            (VerificationLabel::Wrong, _) => labels.wrong_links += count.count,
            (VerificationLabel::Missed, _) => labels.missed += count.count,
        }
    }
    labels
}

fn questions(counts: &[&OutcomeCount]) -> Questions {
    let mut all = Questions::default();
    let mut by_question: BTreeMap<&str, QuestionView> = BTreeMap::new();
    for OutcomeCount { state, questions, count, reason, .. } in counts {
        let questions = &questions.0;
        if questions.is_empty() {
            continue;
        }
        all.verifications += count;
        all.asked += count * i64::try_from(questions.len()).unwrap_or(0);
        *all.distribution.entry(questions.len()).or_default() += count;
        let dropped = matches!(state, VerificationState::GaveUp | VerificationState::TimedOut)
            && reason.as_deref() != Some("overtaken");
        for (at, question) in questions.iter().enumerate() {
            let entry = by_question.entry(question).or_default();
            entry.asked += count;
            if !questions[..at].contains(question) {
                entry.verifications += count;
            }
            if dropped && at + 1 == questions.len() {
                entry.dropped += count;
            }
        }
    }
    all.mean = share(all.asked, all.verifications);
    all.by_question = by_question
        .into_iter()
        .map(|(question, view)| QuestionView {
            question: question.to_owned(),
            drop_off: share(view.dropped, view.verifications),
            ..view
        })
        .collect();
    all
}

/// Rounded to thousandths.
fn share(part: i64, whole: i64) -> f64 {
    let thousandths = if whole == 0 { 0 } else { (part * 1_000 + whole / 2) / whole };
    f64::from(i32::try_from(thousandths).unwrap_or(i32::MAX)) / 1_000.0
}
