//! Matching what a texter claims against the directory. Which claims must agree, and when they do, stands in
//! [`anteroom_model::matching`]. Two who fit are none: ambiguous is never a match.

use anteroom_model::{
    hooks::Claim,
    ids::PatientId,
    matching::{self, Agreement, Field, Known, Rules},
};
use anteroom_store::{Org, Patient, StoreError};

/// What came of it. The policy that asked never learns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    /// Exactly one patient fits, and these fields agree.
    One(PatientId, Vec<Field>),
    /// Nobody fits.
    None,
    /// Several fit.
    Several,
}

/// A patient beside the claims.
#[derive(Clone)]
pub(crate) struct Compared {
    /// Who.
    pub(crate) patient: Patient,
    /// How each field stands.
    pub(crate) fields: [(Field, Agreement); 5],
}

/// Looks for the one patient whom `claims` describe, texting from `phone`.
pub(crate) async fn find(
    org: &mut Org<'_>,
    claims: &[Claim],
    required: &[String],
    phone: &str,
    rules: &Rules,
) -> Result<Match, StoreError> {
    let fitting = compare(org, claims, phone, rules)
        .await?
        .into_iter()
        .filter(|(_, known)| matching::describes(known, claims, rules, required))
        .map(|(patient, known)| (patient.id, matching::compare(&known, claims, rules)))
        .collect::<Vec<_>>();
    Ok(match fitting.as_slice() {
        [] => Match::None,
        [(id, fields)] => {
            let agreed = fields.iter().filter(|(_, agreement)| *agreement == Agreement::Agrees);
            Match::One(*id, agreed.map(|(field, _)| *field).collect())
        }
        _ => Match::Several,
    })
}

/// Everybody who may be meant, with how their fields stand to the claims; whoever agrees in more comes first.
pub(crate) async fn candidates(
    org: &mut Org<'_>,
    claims: &[Claim],
    phone: &str,
    rules: &Rules,
) -> Result<Vec<Compared>, StoreError> {
    let mut list: Vec<Compared> = compare(org, claims, phone, rules)
        .await?
        .into_iter()
        .map(|(patient, known)| Compared { patient, fields: matching::compare(&known, claims, rules) })
        .collect();
    let count =
        |one: &Compared, wanted| one.fields.iter().filter(|(_, agreement)| *agreement == wanted).count();
    list.sort_by_key(|one| {
        (std::cmp::Reverse(count(one, Agreement::Agrees)), count(one, Agreement::Differs), one.patient.id)
    });
    Ok(list)
}

/// Whom the phone, the claimed birthday or record number leads to. The same look-ups whatever was claimed.
async fn compare(
    org: &mut Org<'_>,
    claims: &[Claim],
    phone: &str,
    rules: &Rules,
) -> Result<Vec<(Patient, Known)>, StoreError> {
    let born = value(claims, "date-of-birth").unwrap_or_default();
    let mrn = value(claims, "mrn").unwrap_or_default();
    let mut patients = org.patients_by_phone(phone).await?;
    let owners: Vec<PatientId> = patients.iter().map(|patient| patient.id).collect();
    patients.extend(org.patients_by_birth_date(born).await?);
    if rules.transposed_dates
        && let Some(turned) = matching::transposed(born)
    {
        patients.extend(org.patients_by_birth_date(&turned).await?);
    }
    if !mrn.is_empty() {
        patients.extend(org.patients_by_record_number(mrn).await?);
    }
    let mut list: Vec<(Patient, Known)> = Vec::with_capacity(patients.len());
    for patient in patients {
        if list.iter().any(|(other, _)| other.id == patient.id) {
            continue;
        }
        let mut known = known(&patient);
        known.same_phone = owners.contains(&patient.id);
        if !mrn.is_empty() {
            let records = org.records_of(patient.id).await?;
            let ids = records.into_iter().flat_map(|record| record.external_ids);
            known.mrns = ids.filter(|id| id.kind == "mrn").map(|id| id.value).collect();
        }
        list.push((patient, known));
    }
    Ok(list)
}

/// What may agree with a claim.
pub(crate) fn known(patient: &Patient) -> Known {
    let profile = &patient.profile;
    Known {
        // Many go by their middle name.
        first_names: [
            Some(&profile.first_name),
            profile.preferred_name.as_ref(),
            profile.middle_name.as_ref(),
        ]
        .into_iter()
        .flatten()
        .cloned()
        .collect(),
        last_names: std::iter::once(&profile.last_name).chain(&profile.former_names).cloned().collect(),
        date_of_birth: profile.date_of_birth.clone(),
        same_phone: false,
        mrns: Vec::new(),
    }
}

/// What was claimed of a field.
pub(crate) fn value<'a>(claims: &'a [Claim], field: &str) -> Option<&'a str> {
    claims.iter().find(|claim| claim.field == field).map(|claim| claim.value.as_str())
}
