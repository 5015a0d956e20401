//! Adding and changing patients.

use anteroom_model::{
    ids::PatientId,
    names,
    states::{PatientKind, PatientState},
};
use anteroom_store::{ExternalId, Idempotent, NewPatient, Org, Phone, Profile, Record, RecordChange};
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use futures::FutureExt;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    bodies::{self, CaregiverBody, ExternalIdBody, PhoneBody, ProfileBody},
    by, not_found, outdated,
    views::{self, PatientView},
};
use crate::{
    app::App,
    auth::Caller,
    hub::{
        changes::if_match,
        messages::{idempotency_key, misused_key},
    },
    problem::Problem,
};

/// A patient to be added.
#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::hub) struct NewPatientBody {
    profile: ProfileBody,
    #[serde(default)]
    phones: Vec<PhoneBody>,
    #[serde(default)]
    external_ids: Vec<ExternalIdBody>,
}

/// All phones of a patient.
#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::hub) struct Phones {
    phones: Vec<PhoneBody>,
}

/// All ids that other systems know a patient by.
#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::hub) struct ExternalIds {
    external_ids: Vec<ExternalIdBody>,
}

/// Everybody who may speak for a patient.
#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::hub) struct Caregivers {
    caregivers: Vec<CaregiverBody>,
}

type Answer = Result<Json<PatientView>, Problem>;

/// Adds a patient.
#[utoipa::path(post, path = "/api/v1/patients", tag = "patients", request_body = NewPatientBody,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = PatientView), (status = 409), (status = 422)))]
pub(in crate::hub) async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Json(body): Json<NewPatientBody>,
) -> Result<(StatusCode, Json<PatientView>), Problem> {
    caller.may_write()?;
    let key = idempotency_key(&headers)?;
    let entry = app.directory.get(caller.organization).await?;
    let new = NewPatient {
        kind: PatientKind::Profile,
        profile: body.profile.parse(),
        phones: bodies::phones(body.phones)?,
        external_ids: bodies::external_ids(body.external_ids)?,
    };
    bodies::check_profile(&new.profile, &entry, app.store.now())?;
    let (staff, by) = (caller.staff, by(&caller, None));
    let written: Result<PatientId, Repeated> = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                let request = serde_json::to_vec(&(&new.profile, &new.phones, &new.external_ids));
                let request = request.map_err(|error| Problem::internal(&error))?;
                if let Err(taken) = taken_ids(&mut org, &new.external_ids, &[]).await {
                    // Perhaps by what this very request has added; what is written here is taken back.
                    let Some(key) = key else { return Err(taken.into()) };
                    return Err(match org.remember_key(staff, &key, &request, PatientId::LEAST.0).await? {
                        Idempotent::Same(before) => Repeated::Before(PatientId(before)),
                        Idempotent::Fresh | Idempotent::Misused => taken.into(),
                    });
                }
                let id = org.create_patient(&new, &by).await?;
                if let Some(key) = key {
                    match org.remember_key(staff, &key, &request, id.0).await? {
                        Idempotent::Fresh => {}
                        Idempotent::Same(before) => return Err(Repeated::Before(PatientId(before))),
                        Idempotent::Misused => return Err(misused_key().into()),
                    }
                }
                Ok(id)
            }
            .boxed()
        })
        .await;
    let id = match written {
        Ok(id) | Err(Repeated::Before(id)) => id,
        Err(Repeated::Problem(problem)) => return Err(problem),
    };
    answer(&app, &caller, id).await.map(|view| (StatusCode::CREATED, view))
}

/// Why nothing was written.
pub(super) enum Repeated<I = PatientId> {
    /// The same request was carried out before, with this result.
    Before(I),
    /// It can't be.
    Problem(Problem),
}

impl<E: Into<Problem>, I> From<E> for Repeated<I> {
    fn from(error: E) -> Self {
        Self::Problem(error.into())
    }
}

/// Changes what is known of a patient: a JSON merge patch (RFC 7396) on its profile. A field that is left out
/// stays, null clears it.
#[utoipa::path(patch, path = "/api/v1/patients/{id}", tag = "patients",
    params(("id" = PatientId, Path), ("If-Match" = Option<String>, Header)), request_body = ProfileBody,
    responses((status = 200, body = PatientView), (status = 404),
        (status = 409, description = "Somebody else changed it first: `winner` says who"), (status = 422)))]
pub(in crate::hub) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PatientId>,
    headers: HeaderMap,
    Json(patch): Json<Map<String, Value>>,
) -> Answer {
    let entry = app.directory.get(caller.organization).await?;
    let now = app.store.now();
    edit(&app, &caller, id, &headers, move |person| {
        let own = &mut person[0].patient;
        if own.kind == PatientKind::Placeholder {
            return Err(Problem::invalid(
                "A placeholder's name is nobody's. Add the patient, then merge the placeholder into it.",
            ));
        }
        own.profile = patched(&own.profile, patch)?;
        bodies::check_profile(&own.profile, &entry, now)
    })
    .await
}

fn patched(profile: &Profile, patch: Map<String, Value>) -> Result<Profile, Problem> {
    let Ok(Value::Object(mut merged)) = serde_json::to_value(profile) else {
        return Err(Problem::invalid("This patient can't be changed."));
    };
    for (field, value) in patch {
        if value.is_null() {
            merged.remove(&field);
        } else {
            merged.insert(field, value);
        }
    }
    let body: ProfileBody = serde_json::from_value(merged.into())
        // The message may quote a value: only what kind of thing is wrong is said.
        .map_err(|_| {
            Problem::invalid("A field is unknown or not of the type that the documentation shows.")
        })?;
    Ok(body.parse())
}

/// Replaces the phones of a patient. Those of records that were merged into it are among them: one that is not
/// listed is dropped there.
#[utoipa::path(put, path = "/api/v1/patients/{id}/phones", tag = "patients",
    params(("id" = PatientId, Path), ("If-Match" = Option<String>, Header)), request_body = Phones,
    responses((status = 200, body = PatientView), (status = 404), (status = 409), (status = 422)))]
pub(in crate::hub) async fn phones(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PatientId>,
    headers: HeaderMap,
    Json(body): Json<Phones>,
) -> Answer {
    let wanted = bodies::phones(body.phones)?;
    edit(&app, &caller, id, &headers, move |person| {
        let same = |one: &Phone, other: &Phone| one.number == other.number;
        replace(person, &wanted, same, |record| &mut record.phones);
        Ok(())
    })
    .await
}

/// Replaces the ids that other systems know a patient by.
#[utoipa::path(put, path = "/api/v1/patients/{id}/external-ids", tag = "patients",
    params(("id" = PatientId, Path), ("If-Match" = Option<String>, Header)), request_body = ExternalIds,
    responses((status = 200, body = PatientView), (status = 404),
        (status = 409, description = "One belongs to another patient, or somebody changed it first"),
        (status = 422)))]
pub(in crate::hub) async fn external_ids(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PatientId>,
    headers: HeaderMap,
    Json(body): Json<ExternalIds>,
) -> Answer {
    let wanted = bodies::external_ids(body.external_ids)?;
    edit(&app, &caller, id, &headers, move |person| {
        let same = |one: &ExternalId, other: &ExternalId| {
            (&one.source, &one.kind) == (&other.source, &other.kind)
                && names::fold(&one.value) == names::fold(&other.value)
        };
        replace(person, &wanted, same, |record| &mut record.external_ids);
        Ok(())
    })
    .await
}

/// Replaces those who may speak for a patient.
#[utoipa::path(put, path = "/api/v1/patients/{id}/caregivers", tag = "patients",
    params(("id" = PatientId, Path), ("If-Match" = Option<String>, Header)), request_body = Caregivers,
    responses((status = 200, body = PatientView), (status = 404), (status = 409), (status = 422)))]
pub(in crate::hub) async fn caregivers(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PatientId>,
    headers: HeaderMap,
    Json(body): Json<Caregivers>,
) -> Answer {
    let named: Vec<_> = body.caregivers.iter().filter_map(|caregiver| caregiver.id).collect();
    let wanted = bodies::caregivers(body.caregivers, &app.store)?;
    let mut org = app.store.read(caller.organization).await?;
    for other in wanted.iter().filter_map(|caregiver| caregiver.patient) {
        let active = org.patient(other).await?.filter(|patient| patient.state == PatientState::Active);
        if active.is_none_or(|patient| patient.kind != PatientKind::Profile || patient.id == id) {
            return Err(Problem::invalid("A care-giver's patient_id is another patient of the directory."));
        }
    }
    drop(org);
    edit(&app, &caller, id, &headers, move |person| {
        let had: Vec<_> = person.iter().flat_map(|record| &record.caregivers).map(|one| one.id).collect();
        if named.iter().any(|id| !had.contains(id)) {
            return Err(Problem::invalid(
                "An id is none of this patient's care-givers. Leave it out for a new one.",
            ));
        }
        replace(person, &wanted, |one, other| one.id == other.id, |record| &mut record.caregivers);
        Ok(())
    })
    .await
}

/// Makes `wanted` what the records of a person have together: what one of them has is changed there, what none
/// has goes to the first, the survivor's.
fn replace<T: Clone>(
    person: &mut [Record],
    wanted: &[T],
    same: impl Fn(&T, &T) -> bool,
    part: impl Fn(&mut Record) -> &mut Vec<T>,
) {
    let mut unplaced = wanted.to_vec();
    for record in person.iter_mut() {
        let mine = part(record);
        mine.retain(|old| wanted.iter().any(|new| same(old, new)));
        for old in mine.iter_mut() {
            if let Some(at) = unplaced.iter().position(|new| same(old, new)) {
                *old = unplaced.remove(at);
            }
        }
    }
    part(&mut person[0]).extend(unplaced);
}

/// Changes the records of a person (the survivor's first) on the caller's behalf.
async fn edit<F>(app: &App, caller: &Caller, id: PatientId, headers: &HeaderMap, change: F) -> Answer
where
    F: FnOnce(&mut Vec<Record>) -> Result<(), Problem> + Send + 'static,
{
    caller.may_write()?;
    let expected = if_match(headers)?;
    let by = by(caller, None);
    let stored: Result<PatientId, Problem> = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                let before = person_to_change(&mut org, id).await?;
                let own = &before[0].patient;
                if expected.is_some_and(|version| version != own.version) {
                    return Err(outdated(&mut org, own.id, own.version).await?);
                }
                let mut after = before.clone();
                change(&mut after)?;
                let ids: Vec<PatientId> = before.iter().map(|record| record.patient.id).collect();
                for (before, after) in before.iter().zip(&after) {
                    let added: Vec<_> = after
                        .external_ids
                        .iter()
                        .filter(|id| !before.external_ids.contains(id))
                        .cloned()
                        .collect();
                    taken_ids(&mut org, &added, &ids).await?;
                }
                let mut changed = Vec::new();
                for (before, after) in before.iter().zip(&after) {
                    match org.store_record(before, after, &by).await? {
                        RecordChange::Same => {}
                        RecordChange::Stored(_) => changed.push(before.patient.id),
                        RecordChange::Outdated => {
                            return Err(outdated(&mut org, own.id, own.version).await?);
                        }
                    }
                }
                // Whoever read the patient before has read something else.
                if !changed.is_empty() && !changed.contains(&own.id) {
                    org.touch_patient(own.id).await?;
                }
                Ok(own.id)
            }
            .boxed()
        })
        .await;
    answer(app, caller, stored?).await
}

/// The records of a person, the survivor's first and locked.
async fn person_to_change(org: &mut Org<'_>, id: PatientId) -> Result<Vec<Record>, Problem> {
    loop {
        let survivor = org.resolve_patient(id).await?.ok_or_else(not_found)?;
        let own = org.record_to_change(survivor).await?.ok_or_else(not_found)?;
        // Merged before the lock was had: its survivor, then.
        if own.patient.state != PatientState::Active {
            continue;
        }
        let mut person = vec![own];
        for id in org.record_ids_of(survivor).await?.into_iter().skip(1) {
            person.extend(org.record_to_change(id).await?);
        }
        return Ok(person);
    }
}

/// Refuses ids that another patient holds.
async fn taken_ids(org: &mut Org<'_>, ids: &[ExternalId], own: &[PatientId]) -> Result<(), Problem> {
    for id in ids {
        let holder = org.patient_by_external_id(&id.source, &id.kind, &id.value).await?;
        if let Some(holder) = holder.filter(|holder| !own.contains(holder)) {
            let problem = Problem::new(
                StatusCode::CONFLICT,
                "external-id-taken",
                "Another patient has this id",
                "An id of another system belongs to one patient. Merge the two if they are one person.",
            );
            return Err(problem.with("patient_id", holder.to_string()).with("kind", id.kind.clone()));
        }
    }
    Ok(())
}

async fn answer(app: &App, caller: &Caller, id: PatientId) -> Answer {
    let entry = app.directory.get(caller.organization).await?;
    let mut org = app.store.read(caller.organization).await?;
    views::read(&mut org, &entry, id).await?.map(Json).ok_or_else(not_found)
}
