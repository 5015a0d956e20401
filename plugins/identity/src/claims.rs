//! What the answers say, question by question.

use anteroom_sdk::date::Date;
use anteroom_sdk::identity::Claim;

use crate::birth;
use crate::name::{self, Name};
use crate::relation;
use crate::settings::{Kind, Question, Settings};

const FIRST: &str = "first-name";
const LAST: &str = "last-name";
const BIRTH: &str = "date-of-birth";
const MRN: &str = "mrn";

/// Claims in the order they were made; the first answer to a question stays.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    list: Vec<(String, String)>,
    /// A lone word where a full name was asked for: people send first and last name in two texts.
    half_name: Option<String>,
    /// The texter writes for somebody else.
    for_another: bool,
}

impl Claims {
    /// Whether `question` is answered.
    pub(crate) fn answer(&self, question: &Question) -> bool {
        let has = |field: &str| self.list.iter().any(|(f, _)| f == field);
        match question.kind {
            Kind::FullName => has(FIRST) && has(LAST),
            Kind::FirstName => has(FIRST),
            Kind::LastName => has(LAST),
            Kind::DateOfBirth => has(BIRTH),
            Kind::Mrn => has(MRN),
            Kind::Text => question.field.as_deref().is_some_and(has),
        }
    }

    pub(crate) fn to_list(&self) -> Vec<Claim> {
        let claim = |(field, value): &(String, String)| Claim { field: field.clone(), value: value.clone() };
        self.list.iter().map(claim).collect()
    }

    fn add(&mut self, field: &str, value: &str) {
        if !self.list.iter().any(|(f, _)| f == field) {
            self.list.push((field.into(), value.into()));
        }
    }

    /// Whether the texter writes for somebody else.
    pub(crate) fn for_another(&self) -> bool {
        self.for_another
    }

    /// Reads one answer: what `question` asked for, and a date of birth or a name given along with it.
    pub(crate) fn read(&mut self, question: &Question, answer: &str, settings: &Settings, today: Date) {
        match question.kind {
            Kind::Text => {
                let value: String = answer.trim().chars().take(200).collect();
                if let (Some(field), false) = (&question.field, value.is_empty()) {
                    self.add(field, &value);
                }
                return;
            }
            Kind::Mrn => {
                if let Some(number) = record_number(answer) {
                    self.add(MRN, &number);
                }
                return;
            }
            _ => {}
        }

        if let Some(another) = relation::find(answer) {
            return self.read_another(&another, answer, settings, today);
        }

        // Digits in a row are a date only where a date was asked for.
        let compact = question.kind == Kind::DateOfBirth;
        let born = birth::find(answer, settings.date_order, today, compact);
        let rest = match &born {
            Some((_, place)) => format!("{},{}", &answer[..place.start], &answer[place.end..]),
            None => answer.to_owned(),
        };
        let name = name::find(&rest);
        match question.kind {
            Kind::FirstName => self.read_first_name(name),
            Kind::LastName => self.read_last_name(name),
            Kind::DateOfBirth if born.is_none() => {}
            _ => self.read_full_name(name),
        }
        if let Some((date, _)) = born {
            self.add(BIRTH, &date.iso());
        }
    }

    /// What was said until then was said of the texter, and not of the patient.
    fn read_another(
        &mut self,
        another: &relation::ForAnother,
        answer: &str,
        settings: &Settings,
        today: Date,
    ) {
        if !self.for_another {
            *self = Self { for_another: true, ..Self::default() };
        }
        // "my son Luis": a first name, wherever it stands.
        self.read_full_name(name::find(&another.name));
        if let Some((date, place)) = birth::find(answer, settings.date_order, today, false)
            && place.start >= another.at
        {
            self.add(BIRTH, &date.iso());
        }
    }

    fn read_full_name(&mut self, name: Option<Name>) {
        match name {
            Some(Name::Full { first, last, .. }) => {
                self.add(FIRST, &first);
                self.add(LAST, &last);
            }
            Some(Name::Word(word)) => match self.half_name.take() {
                Some(first) if first != word => {
                    self.add(FIRST, &first);
                    self.add(LAST, &word);
                }
                _ => self.half_name = Some(word),
            },
            None => {}
        }
    }

    fn read_first_name(&mut self, name: Option<Name>) {
        match name {
            Some(Name::Full { first, last, .. }) => {
                self.add(FIRST, &first);
                self.add(LAST, &last);
            }
            Some(Name::Word(word)) => self.add(FIRST, &word),
            None => {}
        }
    }

    fn read_last_name(&mut self, name: Option<Name>) {
        match name {
            Some(Name::Full { first, last, as_last }) => {
                // "John Smith", where John is known already.
                let repeated = self.list.iter().any(|(field, value)| field == FIRST && *value == first);
                self.add(LAST, if repeated { &last } else { &as_last });
            }
            Some(Name::Word(word)) => self.add(LAST, &word),
            None => {}
        }
    }
}

/// The first run of letters, digits and hyphens that has a digit and 3 to 20 characters.
fn record_number(answer: &str) -> Option<String> {
    answer
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .map(|run| run.trim_matches('-'))
        .find(|run| (3..=20).contains(&run.len()) && run.bytes().any(|b| b.is_ascii_digit()))
        .map(str::to_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::record_number;

    #[test]
    fn record_numbers_are_found() {
        let cases = [
            ("MRN: 00123456", Some("00123456")),
            ("it's a-1234.", Some("A-1234")),
            ("#998877", Some("998877")),
            ("I don't know", None),
            ("12", None),
        ];
        for (answer, number) in cases {
            assert_eq!(record_number(answer).as_deref(), number, "{answer}");
        }
    }
}
