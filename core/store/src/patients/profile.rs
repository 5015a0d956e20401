//! What is known of a person.

use anteroom_model::ids::FacilityId;
use serde::{Deserialize, Serialize};

/// What is known of a person; sealed as one JSON text.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// Of a placeholder: the random readable name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placeholder_name: Option<String>,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// Further given names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    /// What they like to be called, where it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_name: Option<String>,
    /// Names they had before, newest last: family names, or whole ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub former_names: Vec<String>,
    /// `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<String>,
    /// BCP 47, for example `es`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The clinic's own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sex: Option<String>,
    /// For example `she/her`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pronouns: Option<String>,
    /// Where they are usually seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facility_id: Option<FacilityId>,
    /// Staff's own remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Profile {
    /// The name staff see.
    pub fn display_name(&self) -> String {
        if let Some(name) = &self.placeholder_name {
            return name.clone();
        }
        let first = self.preferred_name.as_deref().unwrap_or(&self.first_name);
        format!("{first} {}", self.last_name).trim().to_owned()
    }

    /// Every name they have or had, as written.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let one = [Some(self.first_name.as_str()), Some(self.last_name.as_str())];
        let others = [&self.middle_name, &self.preferred_name, &self.placeholder_name].map(Option::as_deref);
        let all = one.into_iter().chain(others).flatten();
        all.chain(self.former_names.iter().map(String::as_str)).filter(|name| !name.is_empty())
    }

    /// Takes what `other` says and keeps what it leaves open. A family name that is replaced becomes a former
    /// one.
    pub fn learn(&mut self, other: &Self) {
        let say = |mine: &mut Option<String>, theirs: &Option<String>| {
            if theirs.as_ref().is_some_and(|text| !text.is_empty()) {
                mine.clone_from(theirs);
            }
        };
        if !other.first_name.is_empty() {
            self.first_name.clone_from(&other.first_name);
        }
        if !other.last_name.is_empty() && other.last_name != self.last_name {
            let before = std::mem::replace(&mut self.last_name, other.last_name.clone());
            self.was_called(before);
        }
        say(&mut self.middle_name, &other.middle_name);
        say(&mut self.preferred_name, &other.preferred_name);
        say(&mut self.date_of_birth, &other.date_of_birth);
        say(&mut self.language, &other.language);
        say(&mut self.sex, &other.sex);
        say(&mut self.pronouns, &other.pronouns);
        say(&mut self.note, &other.note);
        self.facility_id = other.facility_id.or(self.facility_id);
        for name in &other.former_names {
            self.was_called(name.clone());
        }
    }

    fn was_called(&mut self, name: String) {
        if !name.is_empty() && name != self.last_name && !self.former_names.contains(&name) {
            self.former_names.push(name);
        }
    }

    /// The fields in which two differ, by their names in JSON.
    pub(crate) fn differences(&self, other: &Self) -> Vec<&'static str> {
        [
            ("placeholder_name", self.placeholder_name != other.placeholder_name),
            ("first_name", self.first_name != other.first_name),
            ("last_name", self.last_name != other.last_name),
            ("middle_name", self.middle_name != other.middle_name),
            ("preferred_name", self.preferred_name != other.preferred_name),
            ("former_names", self.former_names != other.former_names),
            ("date_of_birth", self.date_of_birth != other.date_of_birth),
            ("language", self.language != other.language),
            ("sex", self.sex != other.sex),
            ("pronouns", self.pronouns != other.pronouns),
            ("facility_id", self.facility_id != other.facility_id),
            ("note", self.note != other.note),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_roster_adds_and_never_blanks() {
        let mut ana = Profile {
            first_name: "Ana".into(),
            last_name: "Morales".into(),
            preferred_name: Some("Anita".into()),
            ..Profile::default()
        };
        let roster = Profile {
            first_name: "Ana".into(),
            last_name: "Ruiz".into(),
            preferred_name: Some(String::new()),
            date_of_birth: Some("1985-03-04".into()),
            ..Profile::default()
        };
        let before = ana.clone();
        ana.learn(&roster);
        assert_eq!(ana.former_names, ["Morales"]);
        assert_eq!(
            (ana.display_name().as_str(), ana.preferred_name.as_deref()),
            ("Anita Ruiz", Some("Anita"))
        );
        assert_eq!(before.differences(&ana), ["last_name", "former_names", "date_of_birth"]);
        let once = ana.clone();
        ana.learn(&roster);
        assert!(once == ana, "the same again changes nothing");
        assert_eq!(ana.names().collect::<Vec<_>>(), ["Ana", "Ruiz", "Anita", "Morales"]);
    }
}
