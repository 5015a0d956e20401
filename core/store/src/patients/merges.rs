//! Two records of one person made one, and taken apart again.
//!
//! A merge is an edge from the absorbed record to the survivor, and nothing else: phones, ids, conversations stay
//! with the record they came to, and are found through it. So every conversation leads to exactly one patient
//! whatever was merged, an undo takes one edge away and finds everything as it is, and merges can be undone in
//! any order (docs/decisions).

use std::time::Duration;

use anteroom_model::{
    ids::{MergeId, PatientId, StaffId},
    states::{PatientKind, PatientState},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::FromRow;

use super::By;
use crate::{
    NewEvent, Org, StoreError,
    conn::{execute, fetch_all, fetch_optional, on, twin},
};

/// How long a merge can be undone.
const UNDO: Duration = Duration::from_hours(30 * 24);
/// Conversations in whose timelines a merge is told, at most.
const TOLD: usize = 100;

/// A merge as it was made.
#[derive(Clone)]
pub struct Merge {
    /// Its id.
    pub id: MergeId,
    /// The record that stayed. It may have been merged itself since.
    pub survivor_id: PatientId,
    /// The record that is found through it.
    pub absorbed_id: PatientId,
    /// In the words of who merged; `None` also after a deletion.
    pub reason: Option<String>,
    /// Both records as they were before: `survivor` and `absorbed`, each with `profile`, `phones`,
    /// `external_ids`, `caregivers`. Null after a deletion.
    pub before: Value,
    /// Who merged.
    pub merged_by: Option<StaffId>,
    /// When.
    pub created_at: Timestamp,
    /// Who took it back.
    pub undone_by: Option<StaffId>,
    /// When.
    pub undone_at: Option<Timestamp>,
}

impl Merge {
    /// Until when it can be undone.
    pub fn can_be_undone_until(&self) -> Timestamp {
        self.created_at.plus(UNDO)
    }
}

/// The outcome of a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merged {
    /// Done.
    Done(MergeId),
    /// Nothing was changed.
    Refused(MergeRefusal),
}

/// Why two records were not merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeRefusal {
    /// There is no such record.
    NotFound(PatientId),
    /// They are the same.
    Same,
    /// This one was merged before: into which, and by whom.
    MergedAlready(PatientId, PatientId, Option<StaffId>),
    /// This one was deleted.
    Deleted(PatientId),
    /// A placeholder can't stand for a person of the directory: the person survives.
    PlaceholderSurvives,
    /// This one has another version by now.
    Outdated(PatientId, i64),
}

/// The outcome of an undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undone {
    /// Done. `exact`: both records hold what they held before the merge; otherwise they have been changed since,
    /// and keep that.
    Done {
        /// Nothing was changed in between.
        exact: bool,
    },
    /// Nothing was changed.
    Refused(UndoRefusal),
}

/// Why a merge was not undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndoRefusal {
    /// There is no such merge.
    NotFound,
    /// It was undone before: by whom, when.
    UndoneAlready(Option<StaffId>, Timestamp),
    /// Its time was over then.
    Expired(Timestamp),
    /// The patient was deleted.
    Deleted,
}

/// What is sealed of a merge.
#[derive(Serialize, Deserialize)]
struct Data {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    before: Value,
}

#[derive(FromRow)]
struct MergeRow {
    id: MergeId,
    survivor_id: PatientId,
    absorbed_id: PatientId,
    data: Option<Vec<u8>>,
    merged_by: Option<StaffId>,
    created_at: Timestamp,
    undone_by: Option<StaffId>,
    undone_at: Option<Timestamp>,
}

#[derive(FromRow)]
struct Locked {
    id: PatientId,
    kind: PatientKind,
    state: PatientState,
    survivor_id: Option<PatientId>,
    version: i64,
}

impl Org<'_> {
    /// Makes `absorbed` be found through `survivor`. Both must be active, and of these versions where one is
    /// said. Of many at once over the same records one wins, and the others are told which.
    pub async fn merge_patients(
        &mut self,
        (survivor, survivor_version): (PatientId, Option<i64>),
        (absorbed, absorbed_version): (PatientId, Option<i64>),
        by: &By,
    ) -> Result<Merged, StoreError> {
        if survivor == absorbed {
            return Ok(Merged::Refused(MergeRefusal::Same));
        }
        self.take_turn().await?;
        let locked = self.lock_patients(survivor, absorbed).await?;
        let of = |id: PatientId| locked.iter().find(|row| row.id == id);
        for (id, expected) in [(survivor, survivor_version), (absorbed, absorbed_version)] {
            if let Some(refusal) = self.refusal(id, of(id), expected).await? {
                return Ok(Merged::Refused(refusal));
            }
        }
        let kind = |id| of(id).map(|row| row.kind);
        if kind(survivor) == Some(PatientKind::Placeholder) && kind(absorbed) == Some(PatientKind::Profile) {
            return Ok(Merged::Refused(MergeRefusal::PlaceholderSurvives));
        }
        let before = self.both(survivor, absorbed).await?;
        let clients = self.record_ids_of(absorbed).await?;
        execute!(self, "patients/absorb", absorbed, survivor);
        execute!(self, "patients/follow", absorbed, survivor);
        execute!(self, "patients/touch", survivor);
        let (id, now): (MergeId, _) = (self.new_id(), self.now);
        let data = Data { reason: by.reason.clone(), before };
        let sealed = self.keys.seal_json("patient_merges.data", id.0, &data)?;
        let (_, staff) = by.actor.parts();
        execute!(self, "patients/insert_merge", id, survivor, absorbed, sealed, staff, now);
        let told = json!({ "merge_id": id, "survivor_id": survivor, "absorbed_id": absorbed });
        self.tell_merge("patient.merged", (survivor, absorbed), &clients, by, &told).await?;
        Ok(Merged::Done(id))
    }

    /// Takes a merge back within thirty days: the absorbed record stands for itself again, with all that was
    /// merged into it and not taken back. What came to either record since stays where it came.
    pub async fn undo_merge(&mut self, id: MergeId, by: &By) -> Result<Undone, StoreError> {
        let Some(merge) = self.merge(id).await? else {
            return Ok(Undone::Refused(UndoRefusal::NotFound));
        };
        let (survivor, absorbed) = (merge.survivor_id, merge.absorbed_id);
        if let Some(refusal) = self.undo_refusal(&merge) {
            return Ok(Undone::Refused(refusal));
        }
        self.take_turn().await?;
        // The top of the tree is what every merge and undo in it locks.
        let Some(top) = self.lock_top(absorbed).await? else { return Err(StoreError::Conflict) };
        if self.patient_record(absorbed).await?.is_none_or(|row| row.state != PatientState::Merged) {
            // Undone or deleted while this waited for the lock.
            let merge = self.merge(id).await?;
            let refusal = merge.and_then(|merge| self.undo_refusal(&merge));
            return Ok(Undone::Refused(refusal.unwrap_or(UndoRefusal::Deleted)));
        }
        let ((_, staff), now) = (by.actor.parts(), self.now);
        if execute!(self, "patients/undo_merge", id, staff, now) == 0 {
            // Undone, and merged again, meanwhile.
            return Ok(Undone::Refused(UndoRefusal::UndoneAlready(None, now)));
        }
        let below = self.below(top, absorbed).await?;
        execute!(self, "patients/release", absorbed);
        for id in &below {
            execute!(self, "patients/lead_to", *id, absorbed);
        }
        execute!(self, "patients/touch", top);
        let exact = self.both(survivor, absorbed).await? == merge.before;
        let told =
            json!({ "merge_id": id, "survivor_id": survivor, "absorbed_id": absorbed, "exact": exact });
        let clients: Vec<_> = std::iter::once(absorbed).chain(below).collect();
        self.tell_merge("patient.unmerged", (top, absorbed), &clients, by, &told).await?;
        Ok(Undone::Done { exact })
    }

    /// One merge.
    pub async fn merge(&mut self, id: MergeId) -> Result<Option<Merge>, StoreError> {
        let row = fetch_optional!(self, MergeRow, "patients/merge", id);
        row.map(|row| self.open_merge(row)).transpose()
    }

    /// The merges in which a record survived or was absorbed, undone ones too, oldest first.
    pub async fn merges_of(&mut self, patient: PatientId) -> Result<Vec<Merge>, StoreError> {
        let rows = fetch_all!(self, MergeRow, "patients/merges", patient);
        rows.into_iter().map(|row| self.open_merge(row)).collect()
    }

    /// Waits until no other merge or undo of this organization is under way.
    async fn take_turn(&mut self) -> Result<(), StoreError> {
        let organization = self.organization;
        let query = self.conn().pick(twin!("patients/merging"));
        on!(self.conn(), c => {
            sqlx::query(query).bind(organization).execute(c).await?;
        });
        Ok(())
    }

    /// Locks both, in the order of their ids.
    async fn lock_patients(&mut self, one: PatientId, other: PatientId) -> Result<Vec<Locked>, StoreError> {
        let organization = self.organization;
        let query = self.conn().pick(twin!("patients/lock_two"));
        Ok(on!(self.conn(), c => {
            sqlx::query_as(query).bind(organization).bind(one).bind(other).fetch_all(c).await?
        }))
    }

    /// Locks the record that `id` leads to in the end, as it is once the lock is had.
    async fn lock_top(&mut self, id: PatientId) -> Result<Option<PatientId>, StoreError> {
        loop {
            let Some(top) = self.resolve_patient(id).await? else { return Ok(None) };
            self.lock_patients(top, top).await?;
            if self.resolve_patient(id).await? == Some(top) {
                return Ok(Some(top));
            }
        }
    }

    async fn refusal(
        &mut self,
        id: PatientId,
        row: Option<&Locked>,
        expected: Option<i64>,
    ) -> Result<Option<MergeRefusal>, StoreError> {
        let Some(row) = row else { return Ok(Some(MergeRefusal::NotFound(id))) };
        Ok(match (row.state, row.survivor_id) {
            (PatientState::Deleted, _) => Some(MergeRefusal::Deleted(id)),
            (PatientState::Merged, survivor) => {
                let merges = self.merges_of(id).await?;
                let last = merges.iter().rfind(|merge| merge.absorbed_id == id && merge.undone_at.is_none());
                let by = last.and_then(|merge| merge.merged_by);
                Some(MergeRefusal::MergedAlready(id, survivor.unwrap_or(id), by))
            }
            (PatientState::Active, _) if expected.is_some_and(|version| version != row.version) => {
                Some(MergeRefusal::Outdated(id, row.version))
            }
            (PatientState::Active, _) => None,
        })
    }

    fn undo_refusal(&self, merge: &Merge) -> Option<UndoRefusal> {
        if let Some(at) = merge.undone_at {
            return Some(UndoRefusal::UndoneAlready(merge.undone_by, at));
        }
        if merge.before.is_null() {
            return Some(UndoRefusal::Deleted);
        }
        let until = merge.can_be_undone_until();
        (self.now > until).then_some(UndoRefusal::Expired(until))
    }

    /// What is kept of both, to compare with later.
    async fn both(&mut self, survivor: PatientId, absorbed: PatientId) -> Result<Value, StoreError> {
        let mut contents = [Value::Null, Value::Null];
        for (id, contents) in [survivor, absorbed].into_iter().zip(&mut contents) {
            *contents = self.record(id).await?.map_or(Value::Null, |record| record.contents());
        }
        let [survivor, absorbed] = contents;
        Ok(json!({ "survivor": survivor, "absorbed": absorbed }))
    }

    /// The records that were merged into `id`, and into those, under `top`.
    async fn below(&mut self, top: PatientId, id: PatientId) -> Result<Vec<PatientId>, StoreError> {
        type Edge = (PatientId, Option<PatientId>);
        let edges = fetch_all!(self, Edge, "patients/tree", top);
        let mut below = vec![id];
        let mut at = 0;
        while let Some(parent) = below.get(at).copied() {
            below.extend(edges.iter().filter(|(_, into)| *into == Some(parent)).map(|(child, _)| *child));
            at += 1;
        }
        below.remove(0);
        Ok(below)
    }

    /// Tells of both records, and in the timelines of the conversations that now lead elsewhere.
    async fn tell_merge(
        &mut self,
        kind: &'static str,
        (survivor, absorbed): (PatientId, PatientId),
        moved: &[PatientId],
        by: &By,
        told: &Value,
    ) -> Result<(), StoreError> {
        for id in [survivor, absorbed] {
            self.record_change(id, kind, by, told.clone(), told.clone()).await?;
        }
        let mut data = told.clone();
        data["patient_id"] = json!(self.resolve_patient(absorbed).await?);
        data["reason"] = json!(by.reason);
        for conversation in self.conversations_of_patients(moved).await?.into_iter().take(TOLD) {
            let (conversation_id, actor) = (Some(conversation), by.actor);
            self.tell(NewEvent { kind, conversation_id, actor, data: data.clone() });
        }
        Ok(())
    }

    fn open_merge(&self, row: MergeRow) -> Result<Merge, StoreError> {
        let data: Option<Data> = row
            .data
            .map(|sealed| self.keys.open_json("patient_merges.data", row.id.0, &sealed))
            .transpose()?;
        let (reason, before) = data.map_or((None, Value::Null), |data| (data.reason, data.before));
        Ok(Merge {
            id: row.id,
            survivor_id: row.survivor_id,
            absorbed_id: row.absorbed_id,
            reason,
            before,
            merged_by: row.merged_by,
            created_at: row.created_at,
            undone_by: row.undone_by,
            undone_at: row.undone_at,
        })
    }
}
