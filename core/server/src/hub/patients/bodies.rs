//! What staff send about a patient, and what of it is refused.

use anteroom_model::{
    ids::{CaregiverId, FacilityId, PatientId},
    phone::{Address, AddressKind},
    states::{PhoneKind, PhoneOwner},
    time::Timestamp,
};
use anteroom_store::{Caregiver, Contact, ExternalId, Phone, Profile, Store};
use jiff::civil::Date;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{directory::Entry, problem::Problem};

/// Characters of a name at most.
const NAME: usize = 200;
/// Characters of a remark at most.
const NOTE: usize = 2_000;
/// Phones, external ids, care-givers and former names of one patient at most.
const MANY: usize = 20;
const OLDEST: i16 = 1_880;

/// What is known of a person. Everything may be left out but a first or a last name.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::hub) struct ProfileBody {
    first_name: String,
    last_name: String,
    middle_name: Option<String>,
    /// What they like to be called.
    preferred_name: Option<String>,
    /// Names they had before, newest last.
    former_names: Vec<String>,
    /// `YYYY-MM-DD`.
    date_of_birth: Option<String>,
    /// BCP 47, for example `es`.
    language: Option<String>,
    /// The clinic's own word.
    sex: Option<String>,
    /// For example `she/her`.
    pronouns: Option<String>,
    #[schema(value_type = Option<FacilityId>)]
    facility_id: Option<FacilityId>,
    /// Staff's own remark.
    note: Option<String>,
}

/// A phone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct PhoneBody {
    /// E.164, or as it is written in North America.
    phone: String,
    #[serde(default = "mobile")]
    kind: PhoneKind,
    /// `self`, `shared` (a family's: it never says who is texting) or `caregiver`.
    #[serde(default = "own")]
    owner: PhoneOwner,
    /// The one to use first.
    #[serde(default)]
    preferred: bool,
}

/// An id of another system.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct ExternalIdBody {
    /// Which system: 1 to 40 of `a-z`, `0-9`, `.`, `_`, `-`.
    source: String,
    /// What kind of id, for example `mrn`; as the source.
    kind: String,
    /// 1 to 100 characters, with a letter or a digit.
    value: String,
}

/// Somebody who may speak for the patient: another patient, or a contact by name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct CaregiverBody {
    /// Of one that is there already; absent: a new one.
    #[serde(default)]
    #[schema(value_type = Option<CaregiverId>)]
    pub(super) id: Option<CaregiverId>,
    /// The clinic's own word, for example `mother`.
    relation: String,
    #[serde(default)]
    #[schema(value_type = Option<PatientId>)]
    patient_id: Option<PatientId>,
    /// Of a contact who is no patient.
    #[serde(default)]
    name: Option<String>,
    /// The contact's, E.164.
    #[serde(default)]
    phone: Option<String>,
}

const fn mobile() -> PhoneKind {
    PhoneKind::Mobile
}

const fn own() -> PhoneOwner {
    PhoneOwner::Own
}

impl ProfileBody {
    /// The profile it describes.
    pub(super) fn parse(self) -> Profile {
        let text =
            |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        Profile {
            placeholder_name: None,
            first_name: self.first_name.trim().to_owned(),
            last_name: self.last_name.trim().to_owned(),
            middle_name: text(self.middle_name),
            preferred_name: text(self.preferred_name),
            former_names: self.former_names.into_iter().filter_map(|name| text(Some(name))).collect(),
            date_of_birth: text(self.date_of_birth),
            language: text(self.language),
            sex: text(self.sex),
            pronouns: text(self.pronouns),
            facility_id: self.facility_id,
            note: text(self.note),
        }
    }
}

/// Refuses a profile that can't be one.
pub(super) fn check_profile(profile: &Profile, entry: &Entry, now: Timestamp) -> Result<(), Problem> {
    if profile.placeholder_name.is_none() && profile.first_name.is_empty() && profile.last_name.is_empty() {
        return Err(Problem::invalid("A patient has a first or a last name."));
    }
    if profile.names().any(|name| name.chars().count() > NAME) {
        return Err(Problem::invalid(format!("A name has {NAME} characters at most.")));
    }
    let words = [&profile.language, &profile.sex, &profile.pronouns];
    if words.into_iter().flatten().any(|word| word.chars().count() > 40) {
        return Err(Problem::invalid("language, sex and pronouns have 40 characters at most."));
    }
    if profile.note.as_ref().is_some_and(|note| note.chars().count() > NOTE) {
        return Err(Problem::invalid(format!("A remark has {NOTE} characters at most.")));
    }
    if profile.former_names.len() > MANY {
        return Err(Problem::invalid(format!("A patient has {MANY} former names at most.")));
    }
    if let Some(born) = &profile.date_of_birth {
        let today = now.to_jiff().to_zoned(jiff::tz::TimeZone::UTC).date();
        let date: Option<Date> = born.parse().ok().filter(|_| born.len() == 10);
        // Today somewhere may be tomorrow in UTC.
        let latest = today.tomorrow().unwrap_or(today);
        if date.is_none_or(|date| date.year() < OLDEST || date > latest) {
            return Err(Problem::invalid("date_of_birth is a day up to today, as YYYY-MM-DD."));
        }
    }
    if profile.facility_id.is_some_and(|id| entry.facility(id).is_none()) {
        return Err(Problem::invalid("facility_id is none of this organization's."));
    }
    Ok(())
}

fn e164(text: &str) -> Result<String, Problem> {
    let address = Address::parse_lenient(text).ok().filter(|address| address.kind() == AddressKind::E164);
    address
        .map(|address| address.to_string())
        .ok_or_else(|| Problem::invalid("A phone is a number such as +15125550101."))
}

fn few<T>(list: &[T], what: &str) -> Result<(), Problem> {
    if list.len() > MANY {
        return Err(Problem::invalid(format!("A patient has {MANY} {what} at most.")));
    }
    Ok(())
}

/// Phones, each number once.
pub(super) fn phones(list: Vec<PhoneBody>) -> Result<Vec<Phone>, Problem> {
    few(&list, "phones")?;
    let mut phones: Vec<Phone> = Vec::with_capacity(list.len());
    for body in list {
        let number = e164(&body.phone)?;
        if phones.iter().any(|phone| phone.number == number) {
            return Err(Problem::invalid("A phone is listed twice."));
        }
        let PhoneBody { kind, owner, preferred, .. } = body;
        phones.push(Phone { number, kind, owner, preferred, source: None });
    }
    Ok(phones)
}

/// External ids.
pub(super) fn external_ids(list: Vec<ExternalIdBody>) -> Result<Vec<ExternalId>, Problem> {
    few(&list, "external ids")?;
    let word = |word: &str| {
        (1..=40).contains(&word.len())
            && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
    };
    list.into_iter()
        .map(|body| {
            let value = body.value.trim().to_owned();
            if !word(&body.source) || !word(&body.kind) {
                return Err(Problem::invalid("source and kind have 1 to 40 of a-z, 0-9, '.', '_' and '-'."));
            }
            if value.chars().count() > 100 || !value.chars().any(char::is_alphanumeric) {
                return Err(Problem::invalid("The value of an external id has 1 to 100 characters."));
            }
            Ok(ExternalId { source: body.source, kind: body.kind, value })
        })
        .collect()
}

/// Care-givers; new ones get an id.
pub(super) fn caregivers(list: Vec<CaregiverBody>, store: &Store) -> Result<Vec<Caregiver>, Problem> {
    few(&list, "care-givers")?;
    list.into_iter()
        .map(|body| {
            let relation = body.relation.trim().to_owned();
            if relation.is_empty() || relation.chars().count() > 60 {
                return Err(Problem::invalid("relation has 1 to 60 characters."));
            }
            let name = body.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
            let contact = match (body.patient_id, name) {
                (Some(_), None) if body.phone.is_none() => None,
                (None, Some(name)) if name.chars().count() <= NAME => {
                    Some(Contact { name, phone: body.phone.as_deref().map(e164).transpose()? })
                }
                _ => return Err(Problem::invalid("A care-giver is a patient_id, or a name with a phone.")),
            };
            let id = body.id.unwrap_or_else(|| store.ids().next(store.now()));
            Ok(Caregiver { id, relation, patient: body.patient_id, contact })
        })
        .collect()
}
