//! Verifications: who was asked what, how it ended, what staff found of it; and who is locked out.
//!
//! A verification that has its claims is `matching` until the directory was asked: the texter's answer is committed
//! before, so that nothing of the outcome can show in it. Whoever finds such a row due settles it.

use anteroom_model::{
    hooks::Claim,
    ids::{ConversationId, DecisionId, NumberId, OrganizationId, PatientId, StaffId, VerificationId},
    states::{LockScope, VerificationLabel, VerificationState},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, types::Json};
use uuid::Uuid;

use crate::{
    Org, Store, StoreError,
    conn::{execute, fetch_all, fetch_optional, on},
    sql,
};

/// One verification.
#[derive(Clone, Debug)]
pub struct Verification {
    /// Its id.
    pub id: VerificationId,
    /// Of whom.
    pub conversation_id: ConversationId,
    /// The clinic's number.
    pub number_id: NumberId,
    /// How far it is, or how it ended.
    pub state: VerificationState,
    /// Why it was given up.
    pub reason: Option<String>,
    /// Names of the questions asked, in order.
    pub questions: Vec<String>,
    /// What was claimed.
    pub claimed: Option<Claimed>,
    /// Keyed hash of who they say they are.
    pub identity_hash: Option<Vec<u8>>,
    /// Who it is, as far as it came out.
    pub patient_id: Option<PatientId>,
    /// The decision that ended the questions.
    pub decision_id: Option<DecisionId>,
    /// When it began.
    pub began_at: Timestamp,
    /// When the last question was put.
    pub asked_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// When housekeeping should look at it.
    pub due_at: Option<Timestamp>,
    /// What staff found.
    pub label: Option<VerificationLabel>,
    /// Whom staff say it is; with a label, `None`: nobody of the directory.
    pub actual_patient_id: Option<PatientId>,
    /// Of staff's own: the merge of the placeholder into the patient.
    pub merge_id: Option<Uuid>,
    /// Who found it.
    pub labelled_by: Option<StaffId>,
    /// When.
    pub labelled_at: Option<Timestamp>,
}

/// What the questions came to; sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimed {
    /// What the texter says of themselves.
    pub claims: Vec<Claim>,
    /// What must agree besides the host's floor.
    pub required: Vec<String>,
    /// Why the policy gave up; `None`: the claims are to be matched.
    pub gave_up: Option<String>,
    /// The policy's name.
    pub policy: String,
}

impl Verification {
    /// One that begins now.
    pub fn begin(
        id: VerificationId,
        conversation: ConversationId,
        number: NumberId,
        state: VerificationState,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            conversation_id: conversation,
            number_id: number,
            state,
            reason: None,
            questions: Vec::new(),
            claimed: None,
            identity_hash: None,
            patient_id: None,
            decision_id: None,
            began_at: now,
            asked_at: None,
            ended_at: None,
            due_at: None,
            label: None,
            actual_patient_id: None,
            merge_id: None,
            labelled_by: None,
            labelled_at: None,
        }
    }

    /// Whether it is under way.
    pub fn is_open(&self) -> bool {
        matches!(self.state, VerificationState::Asking | VerificationState::Matching)
    }
}

#[derive(FromRow)]
struct VerificationRow {
    id: VerificationId,
    conversation_id: ConversationId,
    number_id: NumberId,
    state: VerificationState,
    reason: Option<String>,
    questions: Json<Vec<String>>,
    identity_hash: Option<Vec<u8>>,
    data: Option<Vec<u8>>,
    patient_id: Option<PatientId>,
    decision_id: Option<DecisionId>,
    began_at: Timestamp,
    asked_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    due_at: Option<Timestamp>,
    label: Option<VerificationLabel>,
    actual_patient_id: Option<PatientId>,
    merge_id: Option<Uuid>,
    labelled_by: Option<StaffId>,
    labelled_at: Option<Timestamp>,
}

/// Claims that didn't match lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct Attempts {
    /// Of the phone.
    pub phone: i64,
    /// People that the phone said to be.
    pub identities: i64,
    /// On the number.
    pub number: i64,
    /// In the organization.
    pub organization: i64,
}

/// Whose claims are not matched, until when.
#[derive(Clone, Debug, FromRow)]
pub struct VerificationLock {
    /// Whose.
    pub scope: LockScope,
    /// `attempts`, `enumeration` or `burst`.
    pub reason: String,
    /// Where it came to it.
    pub conversation_id: Option<ConversationId>,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// Verifications that ended alike.
#[derive(Clone, Debug, FromRow)]
pub struct OutcomeCount {
    /// How.
    pub state: VerificationState,
    /// Why it was given up.
    pub reason: Option<String>,
    /// What staff found.
    pub label: Option<VerificationLabel>,
    /// The questions asked.
    pub questions: Json<Vec<String>>,
    /// How many.
    pub count: i64,
}

impl Store {
    /// Verifications that housekeeping should look at: unanswered for too long, or claims that nobody matched.
    pub async fn due_verifications(&self) -> Result<Vec<(OrganizationId, VerificationId)>, StoreError> {
        let (mut conn, now) = (self.reader().await?, self.now());
        Ok(on!(&mut conn, c => {
            sqlx::query_as(sql!("verifications/due")).bind(now).fetch_all(c).await?
        }))
    }

    /// How many have their claims and are not matched yet.
    pub async fn matching_verifications(&self) -> Result<i64, StoreError> {
        let mut conn = self.reader().await?;
        Ok(on!(&mut conn, c => sqlx::query_scalar(sql!("verifications/matching")).fetch_one(c).await?))
    }
}

impl Org<'_> {
    /// Stores a verification of `peer` (E.164).
    pub async fn insert_verification(&mut self, v: &Verification, peer: &str) -> Result<(), StoreError> {
        let hash = self.keys.lookup("phone", peer);
        let data = self.seal_claimed(v)?;
        execute!(
            self,
            "verifications/insert",
            v.id,
            v.state,
            v.reason.as_deref(),
            Json(&v.questions),
            v.identity_hash.as_deref(),
            data,
            v.patient_id,
            v.decision_id,
            v.asked_at,
            v.ended_at,
            v.due_at,
            v.label,
            v.actual_patient_id,
            v.merge_id,
            v.labelled_by,
            v.labelled_at,
            v.conversation_id,
            v.number_id,
            hash,
            v.began_at,
        );
        Ok(())
    }

    /// Stores what has become of one. Whoever calls holds its conversation.
    pub async fn update_verification(&mut self, v: &Verification) -> Result<(), StoreError> {
        let data = self.seal_claimed(v)?;
        execute!(
            self,
            "verifications/update",
            v.id,
            v.state,
            v.reason.as_deref(),
            Json(&v.questions),
            v.identity_hash.as_deref(),
            data,
            v.patient_id,
            v.decision_id,
            v.asked_at,
            v.ended_at,
            v.due_at,
            v.label,
            v.actual_patient_id,
            v.merge_id,
            v.labelled_by,
            v.labelled_at,
        );
        Ok(())
    }

    fn seal_claimed(&self, v: &Verification) -> Result<Option<Vec<u8>>, StoreError> {
        v.claimed
            .as_ref()
            .map(|claimed| self.keys.seal_json("verifications.data", v.id.0, claimed))
            .transpose()
    }

    /// One verification.
    pub async fn verification(&mut self, id: VerificationId) -> Result<Option<Verification>, StoreError> {
        let row = fetch_optional!(self, VerificationRow, "verifications/get", id);
        row.map(|row| self.open_verification_row(row)).transpose()
    }

    /// Verifications of a conversation, newest first.
    pub async fn verifications_of(
        &mut self,
        conversation: ConversationId,
        limit: u32,
    ) -> Result<Vec<Verification>, StoreError> {
        let rows = fetch_all!(
            self,
            VerificationRow,
            "verifications/of_conversation",
            conversation,
            i64::from(limit)
        );
        rows.into_iter().map(|row| self.open_verification_row(row)).collect()
    }

    /// The one that is under way in a conversation.
    pub async fn open_verification(
        &mut self,
        conversation: ConversationId,
    ) -> Result<Option<Verification>, StoreError> {
        Ok(self.verifications_of(conversation, 1).await?.pop().filter(Verification::is_open))
    }

    /// Those that staff labelled, of the ones that ended from `since` until before `until`; oldest first.
    pub async fn labelled_verifications(
        &mut self,
        since: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Verification>, StoreError> {
        let rows =
            fetch_all!(self, VerificationRow, "verifications/labelled", since, until, i64::from(limit));
        rows.into_iter().map(|row| self.open_verification_row(row)).collect()
    }

    /// When a conversation's texter was last verified, by the questions or by staff.
    pub async fn verified_at(
        &mut self,
        conversation: ConversationId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let row = fetch_optional!(self, (Option<Timestamp>,), "verifications/verified_at", conversation);
        Ok(row.and_then(|(at,)| at))
    }

    /// What `peer`, `number` and everybody claimed in vain: the phone since `day`, the others since `hour`.
    pub async fn verification_attempts(
        &mut self,
        peer: &str,
        number: NumberId,
        day: Timestamp,
        hour: Timestamp,
    ) -> Result<Attempts, StoreError> {
        let hash = self.keys.lookup("phone", peer);
        let attempts = fetch_optional!(self, Attempts, "verifications/attempts", hash, number, day, hour);
        Ok(attempts.unwrap_or_default())
    }

    /// Verifications that ended from `since` until before `until`, counted.
    pub async fn verification_outcomes(
        &mut self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<OutcomeCount>, StoreError> {
        Ok(fetch_all!(self, OutcomeCount, "verifications/outcomes", since, until))
    }

    /// The locks that stand in the way of `peer` on `number`.
    pub async fn locks_on(
        &mut self,
        peer: &str,
        number: NumberId,
    ) -> Result<Vec<VerificationLock>, StoreError> {
        let now = self.now;
        let [phone, number, everybody] = [LockScope::Phone, LockScope::Number, LockScope::Organization]
            .map(|scope| self.lock_subject(scope, peer, number));
        Ok(fetch_all!(self, VerificationLock, "verifications/locks_standing", now, phone, number, everybody))
    }

    /// All locks that stand, newest first.
    pub async fn verification_locks(&mut self, limit: u32) -> Result<Vec<VerificationLock>, StoreError> {
        let now = self.now;
        Ok(fetch_all!(self, VerificationLock, "verifications/locks", now, i64::from(limit)))
    }

    /// Locks out.
    pub async fn lock_verification(
        &mut self,
        peer: &str,
        number: NumberId,
        lock: &VerificationLock,
    ) -> Result<(), StoreError> {
        let subject = self.lock_subject(lock.scope, peer, number);
        execute!(
            self,
            "verifications/lock",
            lock.scope,
            subject,
            lock.reason.as_str(),
            lock.conversation_id,
            lock.created_at,
            lock.until,
        );
        Ok(())
    }

    /// Ends the locks that a conversation led to; how many there were.
    pub async fn unlock_verification(&mut self, conversation: ConversationId) -> Result<u64, StoreError> {
        let now = self.now;
        Ok(execute!(self, "verifications/unlock", conversation, now))
    }

    fn lock_subject(&self, scope: LockScope, peer: &str, number: NumberId) -> Vec<u8> {
        match scope {
            LockScope::Phone => self.keys.lookup("phone", peer),
            LockScope::Number => self.keys.lookup("number", number.0.as_bytes()),
            LockScope::Organization => self.keys.lookup("organization", self.organization.0.as_bytes()),
        }
    }

    fn open_verification_row(&self, row: VerificationRow) -> Result<Verification, StoreError> {
        let claimed = match &row.data {
            Some(sealed) => Some(self.keys.open_json("verifications.data", row.id.0, sealed)?),
            None => None,
        };
        Ok(Verification {
            claimed,
            id: row.id,
            conversation_id: row.conversation_id,
            number_id: row.number_id,
            state: row.state,
            reason: row.reason,
            questions: row.questions.0,
            identity_hash: row.identity_hash,
            patient_id: row.patient_id,
            decision_id: row.decision_id,
            began_at: row.began_at,
            asked_at: row.asked_at,
            ended_at: row.ended_at,
            due_at: row.due_at,
            label: row.label,
            actual_patient_id: row.actual_patient_id,
            merge_id: row.merge_id,
            labelled_by: row.labelled_by,
            labelled_at: row.labelled_at,
        })
    }
}
