//! Looking into a folder over SFTP.
//!
//! A file is taken when it has had the same size and time of change in two looks some time apart, when what was
//! read has that size, when both are still so after reading, and when its last line ends. Until all of that is
//! so, nothing of it is kept. What was taken is remembered in the commit that makes it a run.

use std::time::Duration;

use anteroom_model::{
    ids::{OrganizationId, RosterSourceId},
    roster::{AfterImport, SftpSettings, matches_pattern},
    time::Timestamp,
};
use anteroom_store::{
    FileState, Looked, NewRosterRun, Org, RosterFile, RosterOrigin, RosterSource, RosterState, RunProblem,
    StoreError,
};
use futures::FutureExt;
use metrics::counter;
use serde_json::json;

use super::{
    intake::{Arrived, Ending, Intake, IntakeError},
    read,
    sftp::{Entry, SftpError, ssh},
};
use crate::app::App;

/// How long a node that is not heard of keeps a look.
pub(super) const LEASE: Duration = Duration::from_mins(1);
/// How often it says that it is still there.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The longest look.
const LONGEST: Duration = Duration::from_hours(1);
/// A file whose last line has not ended for so long is refused: nobody writes it any more.
const PATIENCE: Duration = Duration::from_hours(1);

/// Why a look ended early.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Sftp(#[from] SftpError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the look is not this node's any more, or the process stops")]
    Left,
}

impl From<IntakeError> for LookError {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Store(error) => Self::Store(error),
            // It was small enough when it was looked at.
            IntakeError::TooLarge(_) | IntakeError::MisusedKey => {
                Self::Sftp(SftpError::Protocol("a file grew while it was read"))
            }
        }
    }
}

/// Looks into the folder of a leased source, and says how that ended.
pub(super) async fn look(app: &App, organization: OrganizationId, id: RosterSourceId) {
    let found = tokio::select! {
        found = tokio::time::timeout(LONGEST, look_once(app, organization, id)) => {
            found.unwrap_or(Err(LookError::Sftp(SftpError::Lost)))
        }
        () = keep(app, organization, id) => Err(LookError::Left),
    };
    let outcome = match &found {
        Ok(_) => "ok",
        Err(LookError::Sftp(error)) => error.code(),
        Err(LookError::Store(_)) => "store",
        Err(LookError::Left) => "left",
    };
    counter!("anteroom_roster_looks_total", "outcome" => outcome).increment(1);
    if let Err(error) = &found {
        tracing::warn!(source = %id, %error, "a folder could not be looked into");
    }
    if let Err(error) = settle(app, organization, id, outcome, found).await {
        tracing::error!(source = %id, %error, "the end of a look could not be stored; it will be made again");
    }
}

/// Keeps the lease; returns when it is lost or the process stops.
async fn keep(app: &App, organization: OrganizationId, id: RosterSourceId) {
    loop {
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = tokio::time::sleep(HEARTBEAT) => {}
        }
        let (node, until) = (app.node, app.store.now().plus(LEASE));
        let kept: Result<bool, StoreError> = app
            .store
            .write(organization, move |mut org| {
                async move { org.keep_roster_look(id, node, until).await }.boxed()
            })
            .await;
        match kept {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(source = %id, %error, "the lease of a look could not be kept"),
        }
    }
}

/// What a look has found.
struct Found {
    /// When a file may have settled.
    again: Option<Timestamp>,
}

async fn settle(
    app: &App,
    organization: OrganizationId,
    id: RosterSourceId,
    outcome: &'static str,
    found: Result<Found, LookError>,
) -> Result<(), StoreError> {
    let node = app.node;
    app.store
        .write(organization, move |mut org| {
            async move {
                let Some(source) = org.roster_source(id).await? else { return Ok(()) };
                let Some(sftp) = &source.settings.sftp else { return Ok(()) };
                let now = org.now();
                let usual = now.plus(Duration::from_secs(sftp.every_seconds.into()));
                let looked = match &found {
                    Ok(found) => {
                        let next = found.again.map_or(usual, |again| again.min(usual));
                        Looked { outcome, failures: 0, next }
                    }
                    // The server is not to blame, and its next look not to be put off.
                    Err(LookError::Left | LookError::Store(_)) => {
                        let next = now.plus(Duration::from_secs(5));
                        Looked { outcome: "left", failures: source.failures, next }
                    }
                    Err(LookError::Sftp(_)) => {
                        let soon = now.plus(Duration::from_mins(1));
                        Looked { outcome, failures: source.failures.saturating_add(1), next: usual.min(soon) }
                    }
                };
                if !org.roster_looked(id, node, looked).await? {
                    return Ok(());
                }
                if let Err(LookError::Sftp(error)) = &found {
                    notice(&mut org, &source, sftp, error, looked.failures).await?;
                }
                if source.last_look.as_deref() != Some(looked.outcome) {
                    let data = json!({ "source_id": id, "state": looked.outcome });
                    org.tell(anteroom_store::NewEvent {
                        kind: "roster.looked",
                        conversation_id: None,
                        actor: anteroom_store::Actor::Host,
                        data,
                    });
                }
                Ok(())
            }
            .boxed()
        })
        .await
}

/// Tells administrators once of what goes on failing: at once, or after some tries where it may pass.
async fn notice(
    org: &mut Org<'_>,
    source: &RosterSource,
    sftp: &SftpSettings,
    error: &SftpError,
    failures: i32,
) -> Result<(), StoreError> {
    let due = if error.may_pass() {
        i64::from(failures) == i64::from(sftp.notice_after)
    } else {
        source.last_look.as_deref() != Some(error.code())
    };
    if !due {
        return Ok(());
    }
    let kind = match error {
        SftpError::HostKey { .. } => "roster.host_key",
        _ => "roster.unreachable",
    };
    let mut data = json!({
        "source_id": source.id,
        "source": source.name,
        "code": error.code(),
        "failures": failures,
        "detail": error.to_string(),
    });
    if let (SftpError::HostKey { fingerprint }, Some(data)) = (error, data.as_object_mut()) {
        data.insert("fingerprint".to_owned(), fingerprint.as_str().into());
    }
    org.insert_notice(kind, &data).await.map(drop)
}

type Session = ssh::Session;

/// A look with what it needs.
struct Look<'a> {
    app: &'a App,
    organization: OrganizationId,
    source: RosterSource,
    sftp: SftpSettings,
}

async fn look_once(app: &App, organization: OrganizationId, id: RosterSourceId) -> Result<Found, LookError> {
    let mut org = app.store.read(organization).await?;
    let source = org.roster_source(id).await?.ok_or(LookError::Left)?;
    let sftp = source.settings.sftp.clone().ok_or(LookError::Left)?;
    drop(org);
    let mut session = ssh::connect(&sftp, &source.secrets).await?;
    let look = Look { app, organization, source, sftp };
    let found = look.folder(&mut session).await;
    session.end().await;
    found
}

impl Look<'_> {
    async fn folder(&self, session: &mut Session) -> Result<Found, LookError> {
        let listed = session.sftp.list(&self.sftp.folder).await?;
        let mut entries: Vec<Entry> =
            listed.into_iter().filter(|entry| matches_pattern(&self.sftp.pattern, &entry.name)).collect();
        // The oldest first: of two lists the later one is to count.
        entries.sort_by(|a, b| (a.attributes.modified, &a.name).cmp(&(b.attributes.modified, &b.name)));
        let known = self.app.store.read(self.organization).await?.roster_files(self.source.id).await?;
        for gone in known.iter().filter(|known| entries.iter().all(|entry| entry.name != known.name)) {
            self.forget(&gone.name).await?;
        }
        let mut found = Found { again: None };
        let settle = Duration::from_secs(self.sftp.settle_seconds.into());
        let later = |found: &mut Found, at: Timestamp| {
            found.again = Some(found.again.map_or(at, |again| again.min(at)));
        };
        for entry in entries {
            let (Some(size), Some(modified)) = (entry.attributes.size, entry.attributes.modified) else {
                return Err(SftpError::Protocol("it doesn't say how large and how old files are").into());
            };
            let size = i64::try_from(size).unwrap_or(i64::MAX);
            let now = self.app.store.now();
            let fresh = RosterFile {
                name: entry.name,
                size,
                modified: modified.into(),
                seen_at: now,
                state: FileState::Waiting,
                run_id: None,
            };
            let before = known.iter().find(|known| {
                (&known.name, known.size, known.modified) == (&fresh.name, fresh.size, fresh.modified)
            });
            match before {
                None => {
                    self.remember(fresh).await?;
                    later(&mut found, now.plus(settle));
                }
                Some(before) => match before.state {
                    FileState::Waiting if now.since(before.seen_at) < settle => {
                        later(&mut found, before.seen_at.plus(settle));
                    }
                    FileState::Waiting => {
                        if !self.take(session, before).await? {
                            later(&mut found, now.plus(settle));
                        }
                    }
                    FileState::Taken | FileState::Same => self.put_away(session, before).await?,
                    FileState::Refused => {}
                },
            }
        }
        Ok(found)
    }

    /// Takes a file that has settled. `false`: not yet.
    async fn take(&self, session: &mut Session, file: &RosterFile) -> Result<bool, LookError> {
        let most = self.source.settings.limits.bytes;
        if file.size.unsigned_abs() > most {
            let problem = RunProblem {
                code: "too_large".to_owned(),
                expected: format!("{most} bytes at most"),
                found: format!("{} bytes", file.size),
                fix: "raise limits.bytes of the source, if the list is meant to be so large".to_owned(),
            };
            self.refuse(file, problem).await?;
            return Ok(true);
        }
        let path = path_in(&self.sftp.folder, &file.name);
        let new = NewRosterRun {
            source_id: self.source.id,
            origin: RosterOrigin::Sftp,
            file_name: Some(file.name.clone()),
            settings: self.source.settings.clone(),
            dry_run: false,
            created_by: None,
        };
        let mut intake = Intake::begin(&self.app.store, self.organization, new).await?;
        let unchanged = match self.download(session, &path, file, &mut intake).await {
            Ok(unchanged) => unchanged,
            Err(error) => {
                intake.discard().await?;
                return Err(error);
            }
        };
        if !unchanged || intake.bytes() == 0 {
            intake.discard().await?;
            // It begins to settle anew.
            self.remember(RosterFile { seen_at: self.app.store.now(), ..file.clone() }).await?;
            return Ok(false);
        }
        if self.sftp.final_newline && !read::ends_with_newline(intake.last()) {
            intake.discard().await?;
            if self.app.store.now().since(file.seen_at) < PATIENCE {
                return Ok(false);
            }
            let fix = "let the program that writes it end the last line, or set sftp.final_newline to false";
            let problem = RunProblem {
                code: "incomplete".to_owned(),
                expected: "a last row that ends with its line".to_owned(),
                found: "the end within a row, for an hour".to_owned(),
                fix: fix.to_owned(),
            };
            self.refuse(file, problem).await?;
            return Ok(true);
        }
        let arrived = intake.end(Ending { file: Some(file.clone()), ..Ending::default() }).await?;
        if let Arrived::Same(run) = arrived {
            self.put_away(session, &RosterFile { run_id: Some(run), ..file.clone() }).await?;
        }
        Ok(true)
    }

    /// Reads a file. `false`: it isn't, or is no longer, what was listed.
    async fn download(
        &self,
        session: &mut Session,
        path: &str,
        file: &RosterFile,
        intake: &mut Intake,
    ) -> Result<bool, LookError> {
        let sftp = &mut session.sftp;
        let is_listed = |found: super::sftp::Attributes| {
            found.size.and_then(|size| i64::try_from(size).ok()) == Some(file.size)
                && found.modified.map(i64::from) == Some(file.modified)
        };
        let mut open = sftp.open_file(path).await?;
        let mut unchanged = is_listed(sftp.look_at_open(&open).await?);
        while unchanged {
            let bytes = sftp.read(&mut open).await?;
            if bytes.is_empty() {
                break;
            }
            unchanged = intake.bytes() + bytes.len() as u64 <= file.size.unsigned_abs();
            if unchanged {
                intake.push(&bytes).await?;
            }
        }
        unchanged = unchanged
            && intake.bytes() == file.size.unsigned_abs()
            && is_listed(sftp.look_at_open(&open).await?);
        sftp.close_file(open).await?;
        // Another file may have taken its name meanwhile.
        Ok(unchanged && is_listed(sftp.look_at(path).await?))
    }

    /// Moves a file whose run is done, where that is wanted.
    async fn put_away(&self, session: &mut Session, file: &RosterFile) -> Result<(), LookError> {
        let AfterImport::MoveTo(folder) = &self.sftp.after else { return Ok(()) };
        let Some(run) = file.run_id else { return Ok(()) };
        let run = self.app.store.read(self.organization).await?.roster_run(run).await?;
        if run.is_none_or(|run| run.state != RosterState::Done) {
            return Ok(());
        }
        let from = path_in(&self.sftp.folder, &file.name);
        // What is there already is not written over.
        let stamped = format!("{}.{}", file.name, self.app.store.now().micros() / 1_000_000);
        match session.sftp.rename(&from, &path_in(folder, &file.name)).await {
            Err(SftpError::Status(_)) => session.sftp.rename(&from, &path_in(folder, &stamped)).await?,
            moved => moved?,
        }
        self.forget(&file.name).await?;
        Ok(())
    }

    async fn refuse(&self, file: &RosterFile, problem: RunProblem) -> Result<(), StoreError> {
        let (id, name) = (self.source.id, self.source.name.clone());
        let file = RosterFile { state: FileState::Refused, ..file.clone() };
        self.app
            .store
            .write(self.organization, move |mut org| {
                async move {
                    org.put_roster_file(id, &file).await?;
                    let data = json!({ "source_id": id, "source": name, "problem": problem });
                    org.insert_notice("roster.refused", &data).await.map(drop)
                }
                .boxed()
            })
            .await
    }

    async fn remember(&self, file: RosterFile) -> Result<(), StoreError> {
        let id = self.source.id;
        self.app
            .store
            .write(self.organization, move |mut org| {
                async move { org.put_roster_file(id, &file).await }.boxed()
            })
            .await
    }

    async fn forget(&self, name: &str) -> Result<(), StoreError> {
        let (id, name) = (self.source.id, name.to_owned());
        self.app
            .store
            .write(self.organization, move |mut org| {
                async move { org.delete_roster_file(id, &name).await }.boxed()
            })
            .await
    }
}

/// A file of a folder, as SFTP names it.
fn path_in(folder: &str, name: &str) -> String {
    if folder == "." { name.to_owned() } else { format!("{}/{name}", folder.trim_end_matches('/')) }
}
