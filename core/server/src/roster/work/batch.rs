//! What is committed at once, and what reading a row takes besides its file.

use std::collections::BTreeMap;

use anteroom_model::{
    ids::{FacilityId, PatientId, RosterSourceId},
    names,
    roster::RosterSettings,
};
use anteroom_store::{Applied, EntryKey, NewRow, Org, RosterOf, StoreError};

/// What is committed at once.
#[derive(Clone)]
pub(super) enum Batch {
    Rows { of: RosterOf, batch: Vec<NewRow>, apply: bool },
    Missing { of: RosterOf, missing: Vec<(EntryKey, PatientId)>, first: i64, apply: bool },
}

impl Batch {
    pub(super) async fn apply(&self, org: &mut Org<'_>) -> Result<Applied, StoreError> {
        match self {
            Self::Rows { of, batch, apply: true } => org.apply_roster_rows(of, batch).await,
            Self::Rows { of, batch, apply: false } => org.compare_roster_rows(of, batch).await,
            Self::Missing { of, missing, first, apply } => {
                org.miss_roster_patients(of, missing, *first, *apply).await
            }
        }
    }

    /// First and last place in the report.
    pub(super) fn places(&self, from: i64, to: i64) -> (i64, i64) {
        match self {
            Self::Rows { .. } => (from + 1, to),
            Self::Missing { missing, first, .. } => {
                (*first, first + i64::try_from(missing.len()).unwrap_or(i64::MAX) - 1)
            }
        }
    }

    pub(super) const fn source(&self) -> RosterSourceId {
        match self {
            Self::Rows { of, .. } | Self::Missing { of, .. } => of.source,
        }
    }
}

/// Facilities by their folded names, and by what the source calls them.
pub(super) async fn facilities(
    org: &mut Org<'_>,
    settings: &RosterSettings,
) -> Result<BTreeMap<String, FacilityId>, StoreError> {
    let own = org.facilities().await?;
    let mut all: BTreeMap<_, _> =
        own.iter().map(|facility| (names::fold(&facility.name), facility.id)).collect();
    let words = settings.facilities.iter().filter(|(_, id)| own.iter().any(|own| own.id == **id));
    all.extend(words.map(|(word, id)| (names::fold(word), *id)));
    Ok(all)
}
