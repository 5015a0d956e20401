//! Making two records of one person one, and taking them apart again.

use anteroom_model::{
    ids::{MergeId, PatientId, StaffId},
    time::Timestamp,
};
use anteroom_store::{Idempotent, Merge, MergeRefusal, Merged, Org, UndoRefusal, Undone};
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{by, edit::Repeated, not_found, outdated, reason, with_winner};
use crate::{
    app::App,
    auth::Caller,
    hub::{
        changes::if_match,
        messages::{idempotency_key, misused_key},
        paging::Page,
        views::{Named, Names},
    },
    problem::Problem,
};

/// Which record is taken in, and why.
#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::hub) struct MergeBody {
    /// The record that will be found through the one in the path.
    absorbed_id: PatientId,
    /// The version of it that you read.
    #[serde(default)]
    absorbed_version: Option<i64>,
    /// 1 to 500 characters.
    reason: String,
}

/// Why a merge is taken back.
#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::hub) struct UndoBody {
    /// 1 to 500 characters.
    reason: String,
}

/// A merge.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct MergeView {
    id: MergeId,
    survivor_id: PatientId,
    absorbed_id: PatientId,
    reason: Option<String>,
    /// Both records as they were: `survivor` and `absorbed`. Null after a deletion.
    before: Value,
    merged_by: Option<Named<StaffId>>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Until when it can be undone.
    #[schema(value_type = String, format = DateTime)]
    undo_until: Timestamp,
    undone_by: Option<Named<StaffId>>,
    #[schema(value_type = Option<String>, format = DateTime)]
    undone_at: Option<Timestamp>,
}

/// What an undo found.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct UndoneView {
    merge: MergeView,
    /// Both records hold what they held before the merge. Otherwise they were changed since, and keep that.
    exact: bool,
}

fn view(merge: Merge, names: &Names) -> MergeView {
    MergeView {
        undo_until: merge.can_be_undone_until(),
        id: merge.id,
        survivor_id: merge.survivor_id,
        absorbed_id: merge.absorbed_id,
        reason: merge.reason,
        before: merge.before,
        merged_by: merge.merged_by.map(|id| names.staff(id)),
        created_at: merge.created_at,
        undone_by: merge.undone_by.map(|id| names.staff(id)),
        undone_at: merge.undone_at,
    }
}

async fn answer(app: &App, caller: &Caller, id: MergeId) -> Result<MergeView, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    let names = Names::read(&mut org).await?;
    let merge = org.merge(id).await?.ok_or_else(|| Problem::not_found("merge"))?;
    Ok(view(merge, &names))
}

/// Merges a record into this patient, who survives. Nothing is moved or lost: what belongs to the absorbed record
/// is found through the survivor, and can be taken apart again for thirty days. `If-Match` is the survivor's
/// version. Of many at once over the same records one wins.
#[utoipa::path(post, path = "/api/v1/patients/{id}/merge", tag = "patients",
    params(("id" = PatientId, Path), ("If-Match" = Option<String>, Header),
        ("Idempotency-Key" = Option<String>, Header)),
    request_body = MergeBody,
    responses((status = 201, body = MergeView), (status = 404),
        (status = 409, description = "One was merged or changed before: `winner` says by whom"),
        (status = 422)))]
pub(in crate::hub) async fn merge(
    State(app): State<App>,
    caller: Caller,
    Path(survivor): Path<PatientId>,
    headers: HeaderMap,
    Json(body): Json<MergeBody>,
) -> Result<(StatusCode, Json<MergeView>), Problem> {
    caller.may_write()?;
    let (expected, key) = (if_match(&headers)?, idempotency_key(&headers)?);
    let by = by(&caller, Some(reason(&body.reason)?));
    let (staff, absorbed) = (caller.staff, (body.absorbed_id, body.absorbed_version));
    let merged: Result<MergeId, Repeated<MergeId>> = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                let outcome = org.merge_patients((survivor, expected), absorbed, &by).await?;
                let id = match outcome {
                    Merged::Done(id) => id,
                    Merged::Refused(why) => {
                        // Perhaps it was this very request that merged them.
                        if let Some(key) = &key
                            && let Some(before) = before(&mut org, staff, key, survivor, absorbed.0).await?
                        {
                            return Err(Repeated::Before(before));
                        }
                        return Err(explain(&mut org, why).await?.into());
                    }
                };
                if let Some(key) = key {
                    let request = request(survivor, absorbed.0);
                    match org.remember_key(staff, &key, &request, id.0).await? {
                        Idempotent::Fresh => {}
                        Idempotent::Same(before) => return Err(Repeated::Before(MergeId(before))),
                        Idempotent::Misused => return Err(misused_key().into()),
                    }
                }
                Ok(id)
            }
            .boxed()
        })
        .await;
    let id = match merged {
        Ok(id) | Err(Repeated::Before(id)) => id,
        Err(Repeated::Problem(problem)) => return Err(problem),
    };
    Ok((StatusCode::CREATED, Json(answer(&app, &caller, id).await?)))
}

fn request(survivor: PatientId, absorbed: PatientId) -> Vec<u8> {
    [b"merge".as_slice(), survivor.0.as_bytes(), absorbed.0.as_bytes()].concat()
}

/// What the same request with the same key made before.
async fn before(
    org: &mut Org<'_>,
    staff: StaffId,
    key: &str,
    survivor: PatientId,
    absorbed: PatientId,
) -> Result<Option<MergeId>, Problem> {
    // Taken back with this unit of work, as it is refused in either case.
    Ok(match org.remember_key(staff, key, &request(survivor, absorbed), survivor.0).await? {
        Idempotent::Same(before) => Some(MergeId(before)),
        Idempotent::Fresh | Idempotent::Misused => None,
    })
}

async fn explain(org: &mut Org<'_>, why: MergeRefusal) -> Result<Problem, Problem> {
    let conflict =
        |kind, title, detail: &'static str| Problem::new(StatusCode::CONFLICT, kind, title, detail);
    match why {
        MergeRefusal::NotFound(_) => Ok(not_found()),
        MergeRefusal::Same => Ok(Problem::invalid("A patient can't be merged into itself.")),
        MergeRefusal::PlaceholderSurvives => Ok(Problem::invalid(
            "A placeholder can't take in a patient of the directory: merge it the other way.",
        )),
        MergeRefusal::Deleted(id) => {
            let problem =
                conflict("patient-deleted", "The patient was deleted", "What was deleted can't be merged.");
            Ok(problem.with("patient_id", id.to_string()))
        }
        MergeRefusal::MergedAlready(id, survivor, winner) => {
            let problem = conflict(
                "merged-already",
                "The patient was merged before",
                "One of the two was merged into another patient. Read it again.",
            );
            let problem =
                problem.with("patient_id", id.to_string()).with("survivor_id", survivor.to_string());
            with_winner(org, problem, winner).await
        }
        MergeRefusal::Outdated(id, version) => {
            Ok(outdated(org, id, version).await?.with("patient_id", id.to_string()))
        }
    }
}

/// The merges of a patient and of the records merged into it, undone ones too, oldest first. The read is audited.
#[utoipa::path(get, path = "/api/v1/patients/{id}/merges", tag = "patients", params(("id" = PatientId, Path)),
    responses((status = 200, body = Page<MergeView>), (status = 404)))]
pub(in crate::hub) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PatientId>,
) -> Result<Json<Page<MergeView>>, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    let names = Names::read(&mut org).await?;
    let merges = of_person(&mut org, id).await?;
    drop(org);
    caller.audit_read(&app, "patient.read", id.0).await?;
    Ok(Json(Page::all(merges.into_iter().map(|merge| view(merge, &names)).collect())))
}

/// Every merge of any record of a person, oldest first.
pub(super) async fn of_person(org: &mut Org<'_>, id: PatientId) -> Result<Vec<Merge>, Problem> {
    let survivor = org.resolve_patient(id).await?.ok_or_else(not_found)?;
    let mut merges: Vec<Merge> = Vec::new();
    for record in org.record_ids_of(survivor).await? {
        merges.extend(org.merges_of(record).await?);
    }
    merges.sort_by_key(|merge| merge.id);
    merges.dedup_by_key(|merge| merge.id);
    Ok(merges)
}

/// Takes a merge back within thirty days. What came to either record since stays with it: conversations with
/// the record that they were linked to, changes with the record that was changed. Merges can be undone in any
/// order.
#[utoipa::path(post, path = "/api/v1/merges/{id}/undo", tag = "patients", params(("id" = MergeId, Path)),
    request_body = UndoBody,
    responses((status = 200, body = UndoneView), (status = 404),
        (status = 409, description = "Undone before, too late, or the patient was deleted"), (status = 422)))]
pub(in crate::hub) async fn undo(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<MergeId>,
    Json(body): Json<UndoBody>,
) -> Result<Json<UndoneView>, Problem> {
    caller.may_write()?;
    let by = by(&caller, Some(reason(&body.reason)?));
    let exact: Result<bool, Problem> = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                match org.undo_merge(id, &by).await? {
                    Undone::Done { exact } => Ok(exact),
                    Undone::Refused(why) => Err(explain_undo(&mut org, why).await?),
                }
            }
            .boxed()
        })
        .await;
    let exact = exact?;
    Ok(Json(UndoneView { merge: answer(&app, &caller, id).await?, exact }))
}

async fn explain_undo(org: &mut Org<'_>, why: UndoRefusal) -> Result<Problem, Problem> {
    let conflict =
        |kind, title, detail: &'static str| Problem::new(StatusCode::CONFLICT, kind, title, detail);
    match why {
        UndoRefusal::NotFound => Ok(Problem::not_found("merge")),
        UndoRefusal::UndoneAlready(winner, at) => {
            let problem =
                conflict("undone-already", "The merge was undone before", "Somebody undid this merge.");
            with_winner(org, problem.with("undone_at", json!(at)), winner).await
        }
        UndoRefusal::Expired(until) => {
            let detail = "A merge can be undone for thirty days.";
            Ok(conflict("undo-expired", "The merge is too old to be undone", detail)
                .with("until", json!(until)))
        }
        UndoRefusal::Deleted => {
            let detail = "The patient was deleted; there is nothing to take apart.";
            Ok(conflict("patient-deleted", "The patient was deleted", detail))
        }
    }
}
