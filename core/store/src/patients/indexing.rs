//! What a record is found by: keyed hashes of words, kept in step with what it says.

use std::collections::BTreeSet;

use anteroom_model::{
    ids::{OrganizationId, PatientId},
    names, search,
};
use sqlx::{Postgres, QueryBuilder, Sqlite};

use super::{NewPatient, Record};
use crate::{
    Org, OrgKeys, Store, StoreError,
    conn::{Conn, execute, on},
    sql,
};

/// Bytes of a word's hash: nobody chooses them, so 96 bits never meet by chance.
pub(super) const HASH: usize = 12;
/// Words of one record's names at most.
const NAME_WORDS: usize = 24;
/// Rows of one statement: `SQLite` takes 32,766 parameters, PostgreSQL 65,535.
const ROWS: usize = 5_000;

/// A word's hash.
pub(super) type WordHash = Vec<u8>;

/// A search word that waits to be written. Sorted, many of them are written page after page.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PatientWord([u8; HASH], PatientId);

/// Something that a record is found by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key<'a> {
    /// A whole word of a name.
    Word(&'a str),
    /// What a word of a name begins with.
    Prefix(&'a str),
    /// What two words of the names begin with, two letters each: where both are frequent, together they are
    /// not.
    Pair(&'a str, &'a str),
    /// A date of birth.
    Born(&'a str),
    /// The last digits of a phone number.
    Tail(&'a str),
    /// An external id, folded.
    Id(&'a str),
}

impl Key<'_> {
    pub(super) fn hash(self, keys: &OrgKeys) -> WordHash {
        let text = match self {
            Self::Word(word) => format!("w:{word}"),
            Self::Prefix(prefix) => format!("p:{prefix}"),
            Self::Pair(one, other) => {
                let (one, other) = (search::prefix(one, 2), search::prefix(other, 2));
                let (one, other) = (one.min(other), one.max(other));
                format!("q:{one}+{other}")
            }
            Self::Born(date) => format!("b:{date}"),
            Self::Tail(digits) => format!("t:{digits}"),
            Self::Id(id) => format!("x:{id}"),
        };
        let mut hash = keys.lookup("patient_word", text);
        hash.truncate(HASH);
        hash
    }
}

/// Whether two letters can be had of it.
pub(super) fn pairs(word: &str) -> bool {
    word.chars().nth(1).is_some()
}

/// The last digits of a number.
pub(crate) fn tail(number: &str) -> Option<&str> {
    let number = number.trim_start_matches('+');
    number.len().checked_sub(search::TAIL).and_then(|from| number.get(from..))
}

impl Record {
    /// The words of its names, folded.
    pub(super) fn name_words(&self) -> BTreeSet<String> {
        self.patient.profile.names().flat_map(search::words).take(NAME_WORDS).collect()
    }

    /// All that it is found by.
    fn hashes(&self, keys: &OrgKeys) -> BTreeSet<WordHash> {
        let mut hashes = BTreeSet::new();
        let words: Vec<String> = self.name_words().into_iter().collect();
        for (at, word) in words.iter().enumerate() {
            hashes.insert(Key::Word(word).hash(keys));
            for length in 2..=search::LONGEST_PREFIX.min(word.chars().count()) {
                hashes.insert(Key::Prefix(search::prefix(word, length)).hash(keys));
            }
            for other in words[at + 1..].iter().filter(|other| pairs(word) && pairs(other)) {
                hashes.insert(Key::Pair(word, other).hash(keys));
            }
        }
        hashes.extend(self.patient.profile.date_of_birth.as_deref().map(|date| Key::Born(date).hash(keys)));
        for (_, phone) in self.all_phones() {
            hashes.extend(tail(&phone.number).map(|tail| Key::Tail(tail).hash(keys)));
        }
        for id in &self.external_ids {
            hashes.insert(Key::Id(&names::fold(&id.value)).hash(keys));
        }
        hashes
    }
}

impl Store {
    /// Records whose search words are missing, at most a hundred: those from before there were any, and those
    /// that a node of the last version added.
    pub async fn patients_to_index(&self) -> Result<Vec<(OrganizationId, PatientId)>, StoreError> {
        let mut conn = self.reader().await?;
        Ok(on!(&mut conn, c => sqlx::query_as(sql!("patients/to_index")).fetch_all(c).await?))
    }
}

impl Org<'_> {
    /// Adds the search words of a record that has none.
    pub async fn index_patient(&mut self, id: PatientId) -> Result<(), StoreError> {
        if let Some(record) = self.record_to_change(id).await? {
            let hashes: Vec<_> = record.hashes(&self.keys).into_iter().map(|hash| (hash, id)).collect();
            self.insert_words(&hashes).await?;
        }
        execute!(self, "patients/indexed", id);
        Ok(())
    }

    /// Adds many patients and tells nobody: for a directory's very first rows. Their search words are not
    /// written but given out; millions of them are sorted first and then written with [`Self::add_words`],
    /// since each lands anywhere in its table.
    pub async fn add_patients(&mut self, all: &[NewPatient]) -> Result<Vec<PatientWord>, StoreError> {
        let mut words = Vec::new();
        for new in all {
            let (_, record) = self.insert_record(new).await?;
            for hash in record.hashes(&self.keys) {
                words.extend(hash.try_into().map(|hash| PatientWord(hash, record.patient.id)).ok());
            }
        }
        Ok(words)
    }

    /// Writes words that [`Self::add_patients`] gave out.
    pub async fn add_words(&mut self, words: &[PatientWord]) -> Result<(), StoreError> {
        let words: Vec<_> = words.iter().map(|PatientWord(hash, id)| (hash.to_vec(), *id)).collect();
        self.insert_words(&words).await
    }

    pub(super) async fn store_words(&mut self, before: &Record, after: &Record) -> Result<(), StoreError> {
        let id = after.patient.id;
        let (old, new) = (before.hashes(&self.keys), after.hashes(&self.keys));
        for gone in old.difference(&new) {
            execute!(self, "patients/delete_word", gone, id);
        }
        let added: Vec<_> = new.difference(&old).map(|hash| (hash.clone(), id)).collect();
        self.insert_words(&added).await
    }

    /// In the order of the hashes: neighbours in the table then share a page.
    pub(super) async fn insert_words(&mut self, words: &[(WordHash, PatientId)]) -> Result<(), StoreError> {
        let organization = self.organization;
        macro_rules! insert {
            ($engine:ty, $c:expr, $rows:expr) => {{
                let mut query = QueryBuilder::<$engine>::new(sql!("patients/insert_words"));
                query.push_values($rows, |mut values, (hash, id)| {
                    values.push_bind(organization).push_bind(hash.as_slice()).push_bind(*id);
                });
                query.push(" ON CONFLICT DO NOTHING");
                query.build().execute(&mut **$c).await?;
            }};
        }
        for rows in words.chunks(ROWS) {
            match self.conn() {
                Conn::Sqlite(c) => insert!(Sqlite, c, rows),
                Conn::Postgres(c) => insert!(Postgres, c, rows),
            }
        }
        Ok(())
    }
}
