//! Search as staff type it, in one box.
//!
//! What was typed is read in a few ways (`anteroom_model::search`). Each is looked up by the rarest of its
//! hashes, the others are asked of each row that this gives, and what hashes can't tell (a longer beginning of a
//! name, more digits of a phone) is compared in the opened record. Whole words come before beginnings.

use std::collections::HashSet;

use anteroom_model::{
    ids::PatientId,
    names,
    search::{self, LONGEST_PREFIX, TAIL, Term},
    states::PatientState,
};
use serde::{Deserialize, Serialize};

use super::{
    Patient, PatientRow, Record,
    indexing::{Key, WordHash, pairs, tail},
};
use crate::{
    Org, StoreError,
    conn::{fetch_all, fetch_optional, on},
    sql,
};

/// How far the rows of a hash are counted to find the rarest.
const COUNTED: i64 = 512;
/// Records opened for one page: then a search says how far it came.
const OPENED: usize = 4_000;
/// Records opened at once.
const BATCH: i64 = 200;
/// Hashes of one look-up beside the one it is driven by.
const OTHERS: usize = 3;

/// Where the next page of a search begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchPosition {
    /// Which of the readings of the text.
    reading: usize,
    /// Whether beginnings of words are looked for, after whole ones.
    beginnings: bool,
    /// The last record looked at.
    after: Option<PatientId>,
}

/// A page of a search.
pub struct SearchPage {
    /// Whom it found, best first.
    pub found: Vec<Found>,
    /// Where the next page begins; `None`: this was all.
    pub next: Option<SearchPosition>,
}

/// A patient that a search found.
pub struct Found {
    /// The patient, as known now.
    pub patient: Patient,
    /// The record that fits: their own, or one that was merged into it.
    pub record: PatientId,
    /// What agrees: `name`, `date_of_birth`, `phone`, `id`.
    pub agrees: Vec<&'static str>,
}

/// One way to look a reading up.
#[derive(Clone, Copy)]
struct Way<'a> {
    terms: &'a [Term],
    beginnings: bool,
}

impl Org<'_> {
    /// Patients whom `text` fits, at most `limit`, from `position` on. Placeholders too, by their names.
    pub async fn search_patients(
        &mut self,
        text: &str,
        position: SearchPosition,
        limit: usize,
    ) -> Result<SearchPage, StoreError> {
        let readings = search::readings(text);
        let mut ways = Vec::new();
        for (at, terms) in readings.iter().enumerate() {
            let has_names = terms.iter().any(|term| matches!(term, Term::Name(_)));
            for beginnings in [false, true].into_iter().take(if has_names { 2 } else { 1 }) {
                ways.push((at, Way { terms, beginnings }));
            }
        }
        let mut page = SearchPage { found: Vec::new(), next: None };
        let mut seen = HashSet::new();
        let mut opened = 0;
        let started = (position.reading, position.beginnings);
        for (index, (reading, way)) in ways.iter().enumerate() {
            let here = (*reading, way.beginnings);
            if here < started {
                continue;
            }
            let mut after = position.after.filter(|_| here == started);
            let Some(hashes) = self.plan(*way).await? else { continue };
            let earlier: Vec<Way<'_>> = ways[..index].iter().map(|(_, way)| *way).collect();
            let first = page.found.len();
            loop {
                let batch = self.candidates(&hashes, after).await?;
                let is_last = i64::try_from(batch.len()).unwrap_or(BATCH) < BATCH;
                for row in batch {
                    if page.found.len() == limit || opened == OPENED {
                        page.found[first..].sort_by_cached_key(|found| by_name(&found.patient));
                        let next = SearchPosition { reading: *reading, beginnings: way.beginnings, after };
                        page.next = Some(next);
                        return Ok(page);
                    }
                    opened += 1;
                    after = Some(row.id);
                    if let Some(found) = self.judge(&row, *way, &earlier).await?
                        && seen.insert(found.patient.id)
                    {
                        page.found.push(found);
                    }
                }
                if is_last {
                    break;
                }
            }
            page.found[first..].sort_by_cached_key(|found| by_name(&found.patient));
        }
        Ok(page)
    }

    /// The hashes to look a reading up by, the rarest first; `None` where nobody has one of them.
    async fn plan(&mut self, way: Way<'_>) -> Result<Option<Vec<WordHash>>, StoreError> {
        let keys = self.keys.clone();
        let mut hashes: Vec<WordHash> = way.keys().map(|key| key.hash(&keys)).collect();
        if hashes.len() > 1 {
            let mut counted = Vec::with_capacity(hashes.len());
            for hash in hashes {
                let organization = self.organization;
                let rows: i64 = on!(self.conn(), c => {
                    sqlx::query_scalar(sql!("patients/count_word"))
                        .bind(organization)
                        .bind(&hash)
                        .bind(COUNTED)
                        .fetch_one(c)
                        .await?
                });
                if rows == 0 {
                    return Ok(None);
                }
                counted.push((rows, hash));
            }
            counted.sort_by_key(|(rows, _)| *rows);
            hashes = counted.into_iter().map(|(_, hash)| hash).collect();
        }
        hashes.truncate(1 + OTHERS);
        Ok((!hashes.is_empty()).then_some(hashes))
    }

    /// Records that have all of `hashes`, in the order of their ids.
    async fn candidates(
        &mut self,
        hashes: &[WordHash],
        after: Option<PatientId>,
    ) -> Result<Vec<PatientRow>, StoreError> {
        // A hash that is not there is the first one again, which every row has.
        let hash = |at: usize| hashes.get(at).unwrap_or(&hashes[0]).clone();
        let after = after.unwrap_or(PatientId::LEAST);
        Ok(fetch_all!(
            self,
            PatientRow,
            "patients/by_words",
            hash(0),
            after,
            hash(1),
            hash(2),
            hash(3),
            BATCH
        ))
    }

    /// Whether a candidate fits, and was not found in an earlier way.
    async fn judge(
        &mut self,
        row: &PatientRow,
        way: Way<'_>,
        earlier: &[Way<'_>],
    ) -> Result<Option<Found>, StoreError> {
        if row.state == PatientState::Deleted {
            return Ok(None);
        }
        let patient = self.open_patient(row)?;
        let id = patient.id;
        let mut record =
            Record { patient, phones: Vec::new(), external_ids: Vec::new(), caregivers: Vec::new() };
        let says = |wanted: fn(&Term) -> bool| {
            way.terms.iter().any(wanted) || earlier.iter().any(|way| way.terms.iter().any(wanted))
        };
        if says(|term| matches!(term, Term::Phone(_) | Term::Id(_))) {
            record = match self.record(id).await? {
                Some(record) => record,
                None => return Ok(None),
            };
        }
        if !record.fits(way) || earlier.iter().any(|earlier| record.fits(*earlier)) {
            return Ok(None);
        }
        let patient = match record.patient.survivor {
            Some(survivor) => {
                let row = fetch_optional!(self, PatientRow, "patients/get", survivor);
                row.map(|row| self.open_patient(&row)).transpose()?
            }
            None => Some(record.patient),
        };
        let agrees = way.agrees();
        Ok(patient.map(|patient| Found { patient, record: id, agrees }))
    }
}

/// As a list of people is read: family name first.
fn by_name(patient: &Patient) -> (String, String, PatientId) {
    let profile = &patient.profile;
    let last = if profile.last_name.is_empty() { profile.display_name() } else { profile.last_name.clone() };
    (names::fold(&last), names::fold(&profile.first_name), patient.id)
}

impl<'a> Way<'a> {
    fn names(self) -> impl Iterator<Item = &'a str> {
        self.terms.iter().filter_map(|term| match term {
            Term::Name(word) => Some(word.as_str()),
            _ => None,
        })
    }

    /// Whether a word is the initial of a name: it stands beside other words, and is a single letter.
    fn is_initial(self, word: &str) -> bool {
        !pairs(word) && self.names().nth(1).is_some()
    }

    /// What to look up. A single letter is only compared.
    fn keys(self) -> impl Iterator<Item = Key<'a>> {
        let mut paired = self.names().filter(|word| pairs(word));
        let pair = paired.next().zip(paired.next()).map(|(one, other)| Key::Pair(one, other));
        let terms = self.terms.iter().filter_map(move |term| match term {
            Term::Name(word) if !self.beginnings => (!self.is_initial(word)).then_some(Key::Word(word)),
            Term::Name(word) if pairs(word) => Some(Key::Prefix(search::prefix(word, LONGEST_PREFIX))),
            Term::Name(_) => None,
            Term::Born(date) => Some(Key::Born(date)),
            Term::Phone(digits) => tail(digits).map(Key::Tail),
            Term::Id(id) => Some(Key::Id(id)),
        });
        terms.chain(pair)
    }

    fn agrees(self) -> Vec<&'static str> {
        let mut agrees: Vec<&'static str> = Vec::new();
        for term in self.terms {
            let name = match term {
                Term::Name(_) => "name",
                Term::Born(_) => "date_of_birth",
                Term::Phone(_) => "phone",
                Term::Id(_) => "id",
            };
            if !agrees.contains(&name) {
                agrees.push(name);
            }
        }
        agrees
    }
}

impl Record {
    fn fits(&self, way: Way<'_>) -> bool {
        let words = self.name_words();
        way.terms.iter().all(|term| match term {
            Term::Name(word) if way.beginnings || way.is_initial(word) => {
                words.iter().any(|own| own.starts_with(word.as_str()))
            }
            Term::Name(word) => words.contains(word),
            Term::Born(date) => self.patient.profile.date_of_birth.as_ref() == Some(date),
            Term::Phone(digits) => {
                digits.len() >= TAIL
                    && self.all_phones().iter().any(|(_, phone)| phone.number.ends_with(digits.as_str()))
            }
            Term::Id(id) => self.external_ids.iter().any(|own| names::fold(&own.value) == *id),
        })
    }
}
