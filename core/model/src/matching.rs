//! Whether what a texter says of themselves describes a patient. Pure: the caller brings the patients.
//!
//! [`Rules`] say which claims must agree. A policy can ask for more; nothing can ask for less than
//! [`Rules::alternatives`] lets through, and sets weaker than the hard minimum are passed over there.

use serde::{Deserialize, Serialize};

use crate::{hooks::Claim, names, nicknames};

/// Something that a claim and a patient may agree in. The words are those of the identity hook's claims; `phone` is
/// the phone that is texting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum Field {
    /// Given name; a nickname or the preferred one will do.
    FirstName,
    /// Family name; one of two will do, a former one too.
    LastName,
    /// The whole date.
    DateOfBirth,
    /// The texting phone is one of the patient's.
    Phone,
    /// The number of the record in another system.
    Mrn,
}

impl Field {
    /// Every field, in the order in which they are shown.
    pub const ALL: [Self; 5] = [Self::FirstName, Self::LastName, Self::DateOfBirth, Self::Phone, Self::Mrn];

    /// The word in claims, settings and REST.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstName => "first-name",
            Self::LastName => "last-name",
            Self::DateOfBirth => "date-of-birth",
            Self::Phone => "phone",
            Self::Mrn => "mrn",
        }
    }

    /// The field of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == word)
    }
}

/// What an organization asks for a match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Rules {
    /// Sets of fields; all of one set must agree.
    pub match_on: Vec<Vec<Field>>,
    /// Nicknames count as the names they stand for.
    pub nicknames: bool,
    /// Day and month may have changed places.
    pub transposed_dates: bool,
}

impl Default for Rules {
    fn default() -> Self {
        let match_on =
            vec![vec![Field::DateOfBirth, Field::LastName], vec![Field::DateOfBirth, Field::Phone]];
        Self { match_on, nicknames: true, transposed_dates: false }
    }
}

impl Rules {
    /// The sets that count.
    pub fn alternatives(&self) -> impl Iterator<Item = &[Field]> {
        self.match_on.iter().map(Vec::as_slice).filter(|set| is_enough(set))
    }

    /// The first set that is weaker than the hard minimum, if there is one; an empty list of sets matches nobody.
    pub fn too_weak(&self) -> Option<&[Field]> {
        self.match_on.iter().map(Vec::as_slice).find(|set| !is_enough(set))
    }
}

/// The hard minimum: the date of birth or the record's number, and something besides; a first name is nothing.
fn is_enough(set: &[Field]) -> bool {
    let strong = [Field::DateOfBirth, Field::Mrn].into_iter().find(|field| set.contains(field));
    let besides = [Field::LastName, Field::Phone, Field::DateOfBirth, Field::Mrn];
    strong.is_some_and(|strong| set.iter().any(|field| *field != strong && besides.contains(field)))
}

/// What the directory knows of a patient.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Given names: the registered one, the preferred one.
    pub first_names: Vec<String>,
    /// Family names: the present one and former ones.
    pub last_names: Vec<String>,
    /// `YYYY-MM-DD`.
    pub date_of_birth: Option<String>,
    /// The texting phone is one of theirs.
    pub same_phone: bool,
    /// Record numbers in other systems.
    pub mrns: Vec<String>,
}

/// How a claim and a patient stand to each other in one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum Agreement {
    /// The same.
    Agrees,
    /// Another one.
    Differs,
    /// Not claimed, or not known of the patient.
    Unknown,
}

/// Compares claims with a patient, field by field, in the order of [`Field::ALL`].
pub fn compare(known: &Known, claims: &[Claim], rules: &Rules) -> [(Field, Agreement); 5] {
    Field::ALL.map(|field| (field, agreement(known, claims, rules, field)))
}

/// Whether the claims describe the patient well enough: one of the rules' sets agrees, and all that `required` asks
/// for besides; and nothing that was claimed of their names or birthday is another one's.
///
/// A field of `required` that nobody knows never agrees.
pub fn describes(known: &Known, claims: &[Claim], rules: &Rules, required: &[String]) -> bool {
    let compared = compare(known, claims, rules);
    let agrees = |field: Field| compared.contains(&(field, Agreement::Agrees));
    let floor = rules.alternatives().any(|set| set.iter().all(|field| agrees(*field)));
    let raised = required.iter().all(|word| Field::parse(word).is_some_and(agrees));
    // Whatever else agrees: it may be the parent's phone and the twin's birthday.
    let contradicted =
        compared.iter().any(|(field, agreement)| *field != Field::Phone && *agreement == Agreement::Differs);
    floor && raised && !contradicted
}

fn agreement(known: &Known, claims: &[Claim], rules: &Rules, field: Field) -> Agreement {
    if field == Field::Phone {
        return if known.same_phone { Agreement::Agrees } else { Agreement::Differs };
    }
    let claimed = claims.iter().find(|claim| claim.field == field.as_str()).map(|claim| claim.value.trim());
    let Some(claimed) = claimed.filter(|value| !value.is_empty()) else { return Agreement::Unknown };
    let (have, same) = match field {
        Field::FirstName => {
            let names: Vec<&String> = known.first_names.iter().filter(|name| !name.is_empty()).collect();
            let initial = names::fold(claimed);
            if initial.chars().nth(1).is_none() && names.iter().any(|n| names::fold(n).starts_with(&initial))
            {
                // "J. Smith": true of them, and says nothing.
                return Agreement::Unknown;
            }
            (!names.is_empty(), names.iter().any(|name| same_first_name(name, claimed, rules.nicknames)))
        }
        Field::LastName => {
            let names: Vec<&String> = known.last_names.iter().filter(|name| !name.is_empty()).collect();
            (!names.is_empty(), names.iter().any(|name| same_last_name(name, claimed)))
        }
        Field::DateOfBirth => {
            let born = known.date_of_birth.as_deref();
            let turned = transposed(claimed).filter(|_| rules.transposed_dates);
            (born.is_some(), born == Some(claimed) || (turned.is_some() && born == turned.as_deref()))
        }
        Field::Mrn => (!known.mrns.is_empty(), known.mrns.iter().any(|mrn| plain(mrn) == plain(claimed))),
        Field::Phone => return Agreement::Unknown,
    };
    match (have, same) {
        (false, _) => Agreement::Unknown,
        (true, true) => Agreement::Agrees,
        (true, false) => Agreement::Differs,
    }
}

/// The day and month of an ISO date in each other's place, where that is another date.
pub fn transposed(date: &str) -> Option<String> {
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let turns = month != day && day.len() == 2 && day <= "12" && parts.next().is_none();
    turns.then(|| format!("{year}-{day}-{month}"))
}

fn plain(number: &str) -> String {
    number.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

/// One of several given names will do: "Guadalupe" is Maria Guadalupe.
fn same_first_name(known: &str, claimed: &str, nicknames: bool) -> bool {
    let same = |a: &str, b: &str| a == b || (nicknames && nicknames::of_the_same_name(a, b));
    if same(&names::fold(known), &names::fold(claimed)) {
        return true;
    }
    let (known, claimed) = (parts(known), parts(claimed));
    let (Some(_), Some(first)) = (known.first(), claimed.first()) else { return false };
    known.iter().any(|part| same(part, first))
}

/// One of two family names will do, on either side: "Garcia", "Lopez" and "Garcia Lopez" are Garcia Lopez.
fn same_last_name(known: &str, claimed: &str) -> bool {
    if names::fold(known) == names::fold(claimed) {
        return true;
    }
    let (known, claimed) = (parts(known), parts(claimed));
    match (known.as_slice(), claimed.as_slice()) {
        (a, b) if !a.is_empty() && a == b => true,
        ([one], [first, .., last]) | ([first, .., last], [one]) => one == first || one == last,
        _ => false,
    }
}

/// The folded parts of a name, without particles: `de la Cruz` is `cruz`.
fn parts(name: &str) -> Vec<String> {
    const PARTICLES: [&str; 13] =
        ["de", "la", "del", "las", "los", "y", "van", "von", "der", "den", "da", "dos", "di"];
    let all = name.split(|c: char| c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}'));
    let folded: Vec<String> = all.map(names::fold).filter(|part| !part.is_empty()).collect();
    let own: Vec<String> =
        folded.iter().filter(|part| !PARTICLES.contains(&part.as_str())).cloned().collect();
    if own.is_empty() { folded } else { own }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ana() -> Known {
        Known {
            first_names: vec!["Ana María".into(), "Anita".into()],
            last_names: vec!["Núñez-Ortiz".into(), "Smith".into()],
            date_of_birth: Some("1985-03-04".into()),
            same_phone: false,
            mrns: vec!["A-1042".into()],
        }
    }

    fn claims(list: &[(&str, &str)]) -> Vec<Claim> {
        list.iter().map(|(field, value)| Claim { field: (*field).into(), value: (*value).into() }).collect()
    }

    fn described(known: &Known, list: &[(&str, &str)], required: &[&str]) -> bool {
        let required: Vec<String> = required.iter().map(|word| (*word).to_owned()).collect();
        describes(known, &claims(list), &Rules::default(), &required)
    }

    const BORN: (&str, &str) = ("date-of-birth", "1985-03-04");

    #[test]
    fn the_floor_and_what_raises_it() {
        let phone = Known { same_phone: true, ..ana() };
        for (known, list, required, expected) in [
            (&ana(), &[BORN, ("last-name", "nunez ortiz")][..], &[][..], true),
            (&ana(), &[BORN, ("last-name", "Núñez"), ("first-name", "anita")], &[], true),
            (&ana(), &[BORN, ("last-name", "ORTIZ")], &[], true),
            (&ana(), &[BORN, ("last-name", "Smith")], &[], true),
            (&ana(), &[BORN, ("last-name", "Smyth")], &[], false),
            (&ana(), &[BORN, ("last-name", "Nunez"), ("first-name", "Luis")], &[], false),
            (&ana(), &[BORN, ("last-name", "Nunez"), ("first-name", "A.")], &[], true),
            (&ana(), &[BORN, ("last-name", "Nunez"), ("first-name", "M")], &[], false),
            (&ana(), &[BORN, ("first-name", "Ana")], &[], false),
            (&ana(), &[("last-name", "Nunez"), ("first-name", "Ana")], &[], false),
            (&ana(), &[("mrn", "a1042"), ("last-name", "Nunez")], &[], false),
            (&phone, &[BORN], &[], true),
            (&phone, &[BORN, ("last-name", "Jones")], &[], false),
            (&phone, &[("date-of-birth", "1985-04-03"), ("last-name", "Nunez")], &[], false),
            (&ana(), &[BORN, ("last-name", "Nunez")], &["phone"], false),
            (&phone, &[BORN, ("last-name", "Nunez")], &["phone"], true),
            (&ana(), &[BORN, ("last-name", "Nunez")], &["first-name"], false),
            (&ana(), &[BORN, ("last-name", "Nunez")], &["mrn"], false),
            (&ana(), &[BORN, ("last-name", "Nunez"), ("mrn", "a 1042")], &["mrn"], true),
            (&ana(), &[BORN, ("last-name", "Nunez"), ("mrn", "77")], &[], false),
            (&ana(), &[BORN, ("last-name", "Nunez")], &["shoe-size"], false),
            (&Known::default(), &[BORN, ("last-name", "Nunez")], &[], false),
            (&ana(), &[BORN, ("last-name", "")], &[], false),
        ] {
            assert_eq!(described(known, list, required), expected, "{list:?} {required:?}");
        }
    }

    #[test]
    fn names_agree_however_they_are_written() {
        let cases = [
            ("William", "Bill", true),
            ("José", "Pepe", true),
            ("Maria Guadalupe", "Lupita", true),
            ("Juan Carlos", "juan", true),
            ("Mary-Kate", "marykate", true),
            ("Bill", "Liam", true),
            ("Patrick", "Patricia", false),
            ("John", "Joan", false),
            ("Jo", "John", false),
        ];
        for (known, claimed, same) in cases {
            assert_eq!(same_first_name(known, claimed, true), same, "{known} {claimed}");
        }
        assert!(!same_first_name("William", "Bill", false));
        let cases = [
            ("de la Cruz", "Cruz", true),
            ("García", "García López", true),
            ("García López", "López", true),
            ("García López", "García Pérez", false),
            ("O'Brien", "OBRIEN", true),
            ("St. John", "St John", true),
            ("van der Berg", "Berg", true),
            ("Smith", "Smithson", false),
            ("Jones", "", false),
        ];
        for (known, claimed, same) in cases {
            assert_eq!(same_last_name(known, claimed), same, "{known} {claimed}");
        }
    }

    #[test]
    fn a_turned_date_agrees_only_where_the_clinic_says_so() {
        let list = claims(&[("date-of-birth", "1985-04-03"), ("last-name", "Nunez")]);
        let mut rules = Rules::default();
        assert!(!describes(&ana(), &list, &rules, &[]));
        rules.transposed_dates = true;
        assert!(describes(&ana(), &list, &rules, &[]));
        assert_eq!(transposed("1985-03-25"), None);
        assert_eq!(transposed("1985-03-03"), None);
        assert_eq!(transposed("1985-03"), None);
    }

    #[test]
    fn no_setting_goes_below_the_minimum() {
        use Field::{DateOfBirth, FirstName, LastName, Mrn, Phone};
        for (set, enough) in [
            (vec![DateOfBirth, LastName], true),
            (vec![DateOfBirth, Phone], true),
            (vec![Mrn, LastName], true),
            (vec![Mrn, DateOfBirth], true),
            (vec![DateOfBirth], false),
            (vec![DateOfBirth, FirstName], false),
            (vec![LastName, FirstName, Phone], false),
            (vec![Mrn], false),
            (vec![], false),
        ] {
            let rules = Rules { match_on: vec![set.clone()], ..Rules::default() };
            assert_eq!(rules.too_weak().is_none(), enough, "{set:?}");
            let everything = Known { same_phone: true, ..ana() };
            let all = [BORN, ("last-name", "Nunez"), ("first-name", "Ana"), ("mrn", "A1042")];
            assert_eq!(describes(&everything, &claims(&all), &rules, &[]), enough, "{set:?}");
        }
    }
}
