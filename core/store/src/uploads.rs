//! What became of components that were sent to be policies.

use anteroom_model::{
    ids::{PolicyId, PolicyUploadId, StaffId},
    time::Timestamp,
};
use sqlx::{FromRow, types::Json};

use crate::{
    Org, StoreError,
    conn::{execute, fetch_all, fetch_optional},
};

/// An upload.
#[derive(Clone, Debug, FromRow)]
pub struct PolicyUpload {
    /// Its id.
    pub id: PolicyUploadId,
    /// `checking`, `stored` or `refused`.
    pub state: String,
    /// The step it is at, or was refused at.
    pub step: String,
    /// SHA-256 of what was sent.
    pub digest: Vec<u8>,
    /// Size of what was sent.
    pub bytes: i64,
    /// `policy::Refusal`, where it was refused.
    pub refusal: Option<Json<serde_json::Value>>,
    /// The policy it has become.
    pub policy_id: Option<PolicyId>,
    /// Settings sent with it, JSON; of one that was stored.
    pub settings: Option<String>,
    /// Who sent it.
    pub created_by: Option<StaffId>,
    /// When.
    pub created_at: Timestamp,
    /// When it was stored or refused.
    pub ended_at: Option<Timestamp>,
}

/// How an upload ended.
#[derive(Clone, Debug)]
pub enum UploadEnd {
    /// It is a policy now.
    Stored {
        /// Which.
        policy: PolicyId,
        /// SHA-256 of settings sent with it.
        settings_digest: Option<Vec<u8>>,
    },
    /// It can't be one.
    Refused {
        /// At which step.
        step: String,
        /// `policy::Refusal`.
        refusal: serde_json::Value,
    },
}

impl Org<'_> {
    /// Notes that a component has been sent; it is being checked.
    pub async fn insert_upload(
        &mut self,
        id: PolicyUploadId,
        digest: &[u8],
        bytes: usize,
        by: StaffId,
    ) -> Result<(), StoreError> {
        let (now, bytes) = (self.now, i64::try_from(bytes).unwrap_or(i64::MAX));
        execute!(self, "uploads/insert", id, digest, bytes, by, now);
        Ok(())
    }

    /// Notes which step an upload is at.
    pub async fn upload_at_step(&mut self, id: PolicyUploadId, step: &str) -> Result<(), StoreError> {
        execute!(self, "uploads/at_step", id, step);
        Ok(())
    }

    /// Notes how an upload ended; whether it was being checked until now.
    pub async fn finish_upload(&mut self, id: PolicyUploadId, end: UploadEnd) -> Result<bool, StoreError> {
        let now = self.now;
        let (state, step, refusal, policy, settings) = match end {
            UploadEnd::Stored { policy, settings_digest } => {
                ("stored", "stored".to_owned(), None, Some(policy), settings_digest)
            }
            UploadEnd::Refused { step, refusal } => ("refused", step, Some(Json(refusal)), None, None),
        };
        Ok(execute!(self, "uploads/finish", id, state, &step, &refusal, policy, &settings, now) > 0)
    }

    /// One upload.
    pub async fn upload(&mut self, id: PolicyUploadId) -> Result<Option<PolicyUpload>, StoreError> {
        Ok(fetch_optional!(self, PolicyUpload, "uploads/get", id))
    }

    /// Uploads before `before`, newest first.
    pub async fn uploads(
        &mut self,
        before: PolicyUploadId,
        limit: u32,
    ) -> Result<Vec<PolicyUpload>, StoreError> {
        Ok(fetch_all!(self, PolicyUpload, "uploads/list", before, i64::from(limit)))
    }
}
