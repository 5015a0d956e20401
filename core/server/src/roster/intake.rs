//! A file arrives: part by part, sealed, and nothing is done with it before its end.

use anteroom_model::{
    ids::{OrganizationId, RosterRunId, StaffId},
    roster::RosterSettings,
};
use anteroom_store::{Idempotent, NewAudit, NewRosterRun, Org, RosterFile, Store, StoreError};
use futures::FutureExt;
use sha2::{Digest, Sha256};

/// Bytes of a part.
const PART: usize = 256 * 1024;

/// A file that is arriving.
pub struct Intake {
    store: Store,
    organization: OrganizationId,
    new: NewRosterRun,
    run: RosterRunId,
    buffer: Vec<u8>,
    parts: i32,
    digest: Sha256,
    bytes: u64,
    last: Vec<u8>,
}

impl std::fmt::Debug for Intake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Intake").field("run", &self.run).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is larger than the source's limit.
    #[error("the file has more than {0} bytes")]
    TooLarge(u64),
    /// The key came with another request before.
    #[error("the Idempotency-Key was used before")]
    MisusedKey,
}

/// What is to be done at the end, in one commit with it.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    /// Take it although it is what was imported last.
    pub force: bool,
    /// Of an upload.
    pub idempotency_key: Option<(StaffId, String)>,
    /// Of an upload.
    pub audit: Option<NewAudit>,
    /// Of a file in a folder: how it is remembered, with the run it has become.
    pub file: Option<RosterFile>,
}

/// What a file has become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// A run.
    Run(RosterRunId),
    /// Nothing new: the same request has made this run.
    Again(RosterRunId),
    /// Nothing new: this run, which waits, is under way or was the last to be applied, had the same file.
    Same(RosterRunId),
}

impl Intake {
    /// Begins to take a file.
    pub async fn begin(
        store: &Store,
        organization: OrganizationId,
        new: NewRosterRun,
    ) -> Result<Self, StoreError> {
        let row = new.clone();
        let run = store
            .write(organization, move |mut org| async move { org.insert_roster_run(&row).await }.boxed())
            .await?;
        Ok(Self {
            store: store.clone(),
            organization,
            new,
            run,
            buffer: Vec::with_capacity(PART),
            parts: 0,
            digest: Sha256::new(),
            bytes: 0,
            last: Vec::new(),
        })
    }

    /// Takes the next bytes.
    pub async fn push(&mut self, bytes: &[u8]) -> Result<(), IntakeError> {
        self.bytes += bytes.len() as u64;
        let most = self.new.settings.limits.bytes;
        if self.bytes > most {
            return Err(IntakeError::TooLarge(most));
        }
        self.digest.update(bytes);
        self.last.extend_from_slice(&bytes[bytes.len().saturating_sub(2)..]);
        let surplus = self.last.len().saturating_sub(2);
        self.last.drain(..surplus);
        self.buffer.extend_from_slice(bytes);
        while self.buffer.len() >= PART {
            let part = self.buffer.drain(..PART).collect();
            self.store_part(part).await?;
        }
        Ok(())
    }

    async fn store_part(&mut self, bytes: Vec<u8>) -> Result<(), StoreError> {
        let (run, part) = (self.run, self.parts);
        self.parts += 1;
        self.store
            .write(self.organization, move |mut org| {
                async move { org.insert_roster_part(run, part, &bytes).await }.boxed()
            })
            .await
    }

    /// How many bytes have come.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The last two bytes.
    pub fn last(&self) -> &[u8] {
        &self.last
    }

    /// Forgets what has come.
    pub async fn discard(self) -> Result<(), StoreError> {
        discard(&self.store, self.organization, self.run).await
    }

    /// All of it has come.
    pub async fn end(mut self, ending: Ending) -> Result<Arrived, IntakeError> {
        let rest = std::mem::take(&mut self.buffer);
        if !rest.is_empty() {
            self.store_part(rest).await?;
        }
        let digest = self.digest.finalize();
        let bytes = i64::try_from(self.bytes).unwrap_or(i64::MAX);
        let (run, new) = (self.run, self.new);
        let arrived: Result<Arrived, IntakeError> = self
            .store
            .write(self.organization, move |mut org| {
                async move { arrive(&mut org, run, &new, &digest, bytes, ending).await }.boxed()
            })
            .await;
        if !matches!(arrived, Ok(Arrived::Run(_))) {
            discard(&self.store, self.organization, run).await?;
        }
        arrived
    }
}

async fn discard(store: &Store, organization: OrganizationId, run: RosterRunId) -> Result<(), StoreError> {
    store.write(organization, move |mut org| async move { org.discard_roster_run(run).await }.boxed()).await
}

async fn arrive(
    org: &mut Org<'_>,
    run: RosterRunId,
    new: &NewRosterRun,
    digest: &[u8],
    bytes: i64,
    ending: Ending,
) -> Result<Arrived, IntakeError> {
    let hash = file_hash(org, digest, &new.settings);
    if let Some((staff, key)) = &ending.idempotency_key {
        let request = [&hash[..], new.source_id.0.as_bytes(), &[u8::from(new.dry_run)]].concat();
        match org.remember_key(*staff, key, &request, run.0).await? {
            Idempotent::Fresh => {}
            Idempotent::Same(before) => return Ok(Arrived::Again(RosterRunId(before))),
            Idempotent::Misused => return Err(IntakeError::MisusedKey),
        }
    }
    let same = same_file(org, new, &hash).await?;
    if let Some(same) = same.filter(|_| !ending.force) {
        if let Some(file) = ending.file {
            let file = RosterFile { state: anteroom_store::FileState::Same, run_id: Some(same), ..file };
            org.put_roster_file(new.source_id, &file).await?;
        }
        return Ok(Arrived::Same(same));
    }
    if !org.roster_run_received(run, &hash, bytes).await? {
        // It took so long that it was tidied away.
        return Err(StoreError::TimedOut.into());
    }
    if let Some(file) = ending.file {
        let file = RosterFile { state: anteroom_store::FileState::Taken, run_id: Some(run), ..file };
        org.put_roster_file(new.source_id, &file).await?;
    }
    if let Some(audit) = ending.audit {
        org.insert_audit(&NewAudit { subject: Some(run.0), ..audit }).await?;
    }
    super::work::tell(org, "roster.waiting", new.source_id, run, serde_json::json!({ "state": "waiting" }));
    Ok(Arrived::Run(run))
}

/// The run that has the same file, read in the same way: one that isn't over, else the last one applied. One
/// before that doesn't count: to go back to an older list is a change.
async fn same_file(
    org: &mut Org<'_>,
    new: &NewRosterRun,
    hash: &[u8],
) -> Result<Option<RosterRunId>, StoreError> {
    if new.dry_run {
        return Ok(None);
    }
    let unfinished = org.unfinished_roster_runs(new.source_id).await?;
    let last = unfinished.into_iter().rfind(|(.., dry_run)| !dry_run);
    let last = match last {
        Some((id, hash, _)) => Some((id, hash)),
        None => org.last_imported(new.source_id).await?,
    };
    Ok(last.filter(|(_, before)| before.as_deref() == Some(hash)).map(|(id, _)| id))
}

fn file_hash(org: &Org<'_>, digest: &[u8], settings: &RosterSettings) -> Vec<u8> {
    let reading = serde_json::to_vec(&settings.reading()).unwrap_or_default();
    org.keys().lookup("roster_file", [digest, &Sha256::digest(reading)].concat())
}
