//! A patient as staff see it: the survivor's profile, and phones, ids and care-givers of all its records.

use anteroom_model::{
    ids::{CaregiverId, FacilityId, PatientId},
    states::{PatientKind, PatientState, PhoneKind, PhoneOwner},
    time::Timestamp,
};
use anteroom_store::{Caregiver, ExternalId, Org, Patient, Phone, Record};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{directory::Entry, hub::views::Named, problem::Problem};

/// A patient.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct PatientView {
    /// Where the id that was asked for was merged into another one, this is that one.
    id: PatientId,
    kind: PatientKind,
    /// `active`, or `deleted`: then nothing else is left.
    state: PatientState,
    /// For `If-Match`.
    version: i64,
    /// The name staff see; a placeholder's random one.
    display_name: String,
    first_name: String,
    last_name: String,
    middle_name: Option<String>,
    preferred_name: Option<String>,
    /// Newest last.
    former_names: Vec<String>,
    /// `YYYY-MM-DD`.
    date_of_birth: Option<String>,
    language: Option<String>,
    sex: Option<String>,
    pronouns: Option<String>,
    facility: Option<Named<FacilityId>>,
    /// Staff's own remark.
    note: Option<String>,
    phones: Vec<PhoneView>,
    external_ids: Vec<ExternalIdView>,
    caregivers: Vec<CaregiverView>,
    /// Records that were merged into this one.
    merged: Vec<MergedRecord>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// A phone.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct PhoneView {
    /// E.164.
    phone: String,
    kind: PhoneKind,
    owner: PhoneOwner,
    preferred: bool,
    /// The roster that told it; null: staff.
    source: Option<String>,
    /// The record it belongs to.
    record_id: PatientId,
}

/// An id of another system.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct ExternalIdView {
    source: String,
    kind: String,
    value: String,
    record_id: PatientId,
}

/// Somebody who may speak for the patient.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct CaregiverView {
    id: CaregiverId,
    relation: String,
    /// Null: a contact who is no patient.
    patient_id: Option<PatientId>,
    name: String,
    /// A contact's, E.164.
    phone: Option<String>,
    record_id: PatientId,
}

/// A record that was merged into the patient.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct MergedRecord {
    id: PatientId,
    kind: PatientKind,
    display_name: String,
    date_of_birth: Option<String>,
}

/// What staff call a patient: one that was deleted has no name left.
pub(in crate::hub) fn display_name(patient: &Patient) -> String {
    match patient.state {
        PatientState::Deleted => "Deleted patient".to_owned(),
        PatientState::Active | PatientState::Merged => patient.profile.display_name(),
    }
}

/// The patient with everything that was merged into it; `None` where there is none.
pub(super) async fn read(
    org: &mut Org<'_>,
    entry: &Entry,
    id: PatientId,
) -> Result<Option<PatientView>, Problem> {
    let Some(id) = org.resolve_patient(id).await? else { return Ok(None) };
    let mut records = org.records_of(id).await?;
    if records.is_empty() {
        return Ok(None);
    }
    let own = records.remove(0);
    view(org, entry, own, records).await.map(Some)
}

async fn view(
    org: &mut Org<'_>,
    entry: &Entry,
    own: Record,
    merged: Vec<Record>,
) -> Result<PatientView, Problem> {
    let (mut phones, mut external_ids, mut caregivers): (Vec<PhoneView>, Vec<_>, Vec<_>) = Default::default();
    for record in std::iter::once(&own).chain(&merged) {
        let id = record.patient.id;
        for phone in &record.phones {
            if !phones.iter().any(|other| other.phone == phone.number) {
                phones.push(phone_view(id, phone));
            }
        }
        external_ids.extend(record.external_ids.iter().map(|external| external_id_view(id, external)));
        for caregiver in &record.caregivers {
            caregivers.push(caregiver_view(org, id, caregiver).await?);
        }
    }
    let merged = merged
        .into_iter()
        .map(|record| MergedRecord {
            id: record.patient.id,
            kind: record.patient.kind,
            display_name: display_name(&record.patient),
            date_of_birth: record.patient.profile.date_of_birth,
        })
        .collect();
    let display_name = display_name(&own.patient);
    let Patient { id, kind, profile, state, version, created_at, updated_at, .. } = own.patient;
    let facility = profile.facility_id.and_then(|id| entry.facility(id));
    Ok(PatientView {
        id,
        kind,
        state,
        version,
        display_name,
        first_name: profile.first_name,
        last_name: profile.last_name,
        middle_name: profile.middle_name,
        preferred_name: profile.preferred_name,
        former_names: profile.former_names,
        date_of_birth: profile.date_of_birth,
        language: profile.language,
        sex: profile.sex,
        pronouns: profile.pronouns,
        facility: facility.map(|(facility, _)| Named { id: facility.id, name: facility.name.clone() }),
        note: profile.note,
        phones,
        external_ids,
        caregivers,
        merged,
        created_at,
        updated_at,
    })
}

fn phone_view(record_id: PatientId, phone: &Phone) -> PhoneView {
    PhoneView {
        phone: phone.number.clone(),
        kind: phone.kind,
        owner: phone.owner,
        preferred: phone.preferred,
        source: phone.source.clone(),
        record_id,
    }
}

fn external_id_view(record_id: PatientId, id: &ExternalId) -> ExternalIdView {
    ExternalIdView { source: id.source.clone(), kind: id.kind.clone(), value: id.value.clone(), record_id }
}

async fn caregiver_view(
    org: &mut Org<'_>,
    record_id: PatientId,
    caregiver: &Caregiver,
) -> Result<CaregiverView, Problem> {
    let patient = match caregiver.patient {
        Some(id) => org.patient(id).await?,
        None => None,
    };
    let contact = caregiver.contact.as_ref();
    let name = patient.as_ref().map(display_name).or_else(|| contact.map(|contact| contact.name.clone()));
    Ok(CaregiverView {
        id: caregiver.id,
        relation: caregiver.relation.clone(),
        patient_id: patient.map(|patient| patient.id),
        name: name.unwrap_or_default(),
        phone: contact.and_then(|contact| contact.phone.clone()),
        record_id,
    })
}
