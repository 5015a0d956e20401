//! Matching what a texter claims against the directory.
//!
//! The host's floor, which a policy can raise but not lower: date of birth and last name must agree, or
//! date of birth and the phone that is texting. Two who fit are none: ambiguous is never a match.

use anteroom_model::{hooks::Claim, ids::PatientId, names};
use anteroom_store::{Org, Patient, StoreError};

/// What came of it. The policy that asked never learns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// Exactly one patient fits.
    One(PatientId),
    /// Nobody fits.
    None,
    /// Several fit.
    Several,
}

/// Looks for the one patient whom `claims` describe, texting from `phone`.
pub(super) async fn find(
    org: &mut Org<'_>,
    claims: &[Claim],
    required: &[String],
    phone: &str,
) -> Result<Match, StoreError> {
    let Some(born) = value(claims, "date-of-birth") else { return Ok(Match::None) };
    let same_phone: Vec<PatientId> =
        org.patients_by_phone(phone).await?.into_iter().map(|patient| patient.id).collect();
    let born_then = org.patients_by_birth_date(born).await?;
    let mut fitting =
        born_then.iter().filter(|patient| fits(patient, claims, required, same_phone.contains(&patient.id)));
    Ok(match (fitting.next(), fitting.next()) {
        (None, _) => Match::None,
        (Some(patient), None) => Match::One(patient.id),
        (Some(_), Some(_)) => Match::Several,
    })
}

/// Whether somebody born on the claimed day is who the claims describe.
fn fits(patient: &Patient, claims: &[Claim], required: &[String], same_phone: bool) -> bool {
    let agrees = |field: &str| claim_agrees(patient, claims, field);
    let floor = agrees("last-name") == Some(true) || same_phone;
    // A name that was claimed and is another one is no match, whatever else agrees: it may be the parent's
    // phone and the twin's birthday.
    let contradicted = ["first-name", "last-name"].iter().any(|field| agrees(field) == Some(false));
    let raised = required.iter().all(|field| match field.as_str() {
        "phone" => same_phone,
        "date-of-birth" => true,
        field => agrees(field) == Some(true),
    });
    floor && !contradicted && raised
}

/// `None` where nothing was claimed, or the field is none that the directory can compare.
fn claim_agrees(patient: &Patient, claims: &[Claim], field: &str) -> Option<bool> {
    let claimed = names::fold(value(claims, field)?);
    let profile = &patient.profile;
    match field {
        "last-name" => Some(names::fold(&profile.last_name) == claimed),
        "first-name" => Some(
            names::fold(&profile.first_name) == claimed
                || profile.preferred_name.as_deref().is_some_and(|name| names::fold(name) == claimed),
        ),
        _ => None,
    }
}

fn value<'a>(claims: &'a [Claim], field: &str) -> Option<&'a str> {
    claims.iter().find(|claim| claim.field == field).map(|claim| claim.value.as_str())
}

#[cfg(test)]
mod tests {
    use anteroom_model::states::PatientKind;
    use anteroom_store::Profile;

    use super::*;

    fn ana() -> Patient {
        let profile = Profile {
            first_name: "Ana".into(),
            last_name: "Núñez-Ortiz".into(),
            preferred_name: Some("Anita".into()),
            date_of_birth: Some("1985-03-04".into()),
            ..Profile::default()
        };
        Patient { id: PatientId::LEAST, kind: PatientKind::Profile, profile }
    }

    fn claims(list: &[(&str, &str)]) -> Vec<Claim> {
        list.iter().map(|(field, value)| Claim { field: (*field).into(), value: (*value).into() }).collect()
    }

    #[test]
    fn the_floor_and_what_raises_it() {
        // (claims besides the date of birth, required, same phone, fits)
        for (claimed, required, same_phone, expected) in [
            (&[("last-name", "nunez ortiz")][..], &[][..], false, true),
            (&[("last-name", "Nunez Ortiz"), ("first-name", "anita")], &[], false, true),
            (&[("last-name", "Nunez Ortiz"), ("first-name", "Luis")], &[], false, false),
            (&[("first-name", "Ana")], &[], false, false),
            (&[("first-name", "Ana")], &[], true, true),
            (&[], &[], true, true),
            (&[("last-name", "Smith")], &[], true, false),
            (&[("last-name", "Nunez Ortiz")], &["phone"], false, false),
            (&[("last-name", "Nunez Ortiz")], &["first-name"], false, false),
            (&[("last-name", "Nunez Ortiz")], &["mrn"], false, false),
        ] {
            let required: Vec<String> = required.iter().map(|field| (*field).to_owned()).collect();
            let found = fits(&ana(), &claims(claimed), &required, same_phone);
            assert_eq!(found, expected, "{claimed:?} {required:?} {same_phone}");
        }
    }
}
