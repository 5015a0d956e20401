//! Writes that wait together share a transaction, and each answers for itself only.

use std::{panic::resume_unwind, pin::pin, time::Duration};

use anteroom_model::ids::OrganizationId;
use anteroom_store::{Actor, NewEvent, Org, Store, StoreError, Team};
use futures::{FutureExt, future::join_all, poll};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::harness::{Clinic, Fresh, commit};

/// The writer, kept busy: what is written meanwhile waits and then shares one transaction.
struct Busy {
    release: oneshot::Sender<()>,
    job: JoinHandle<Result<(), StoreError>>,
}

impl Busy {
    async fn keep(store: &Store, organization: OrganizationId) -> Self {
        let (release, released) = oneshot::channel();
        let (started, start) = oneshot::channel();
        let store = store.clone();
        let job = tokio::spawn(async move {
            commit!(store, organization, |_org| {
                started.send(()).unwrap();
                drop(released.await);
                Ok(())
            })
        });
        start.await.unwrap();
        Self { release, job }
    }

    async fn end(self) {
        self.release.send(()).unwrap();
        self.job.await.unwrap().unwrap();
    }
}

async fn team(org: &mut Org<'_>, number: usize) -> Result<(), StoreError> {
    org.insert_team(&format!("team {number}")).await?;
    let (kind, data) = ("test.team", serde_json::json!({ "number": number }));
    org.tell(NewEvent { kind, conversation_id: None, actor: Actor::Host, data });
    Ok(())
}

async fn teams(store: &Store, organization: OrganizationId) -> Vec<String> {
    let teams: Vec<Team> = store.read(organization).await.unwrap().teams().await.unwrap();
    teams.into_iter().map(|team| team.name).filter(|name| name.starts_with("team")).collect()
}

pub(crate) async fn jobs_that_wait_share_one_commit(db: &Fresh) {
    let organization = Clinic::new(db, "A").await.organization;
    let busy = Busy::keep(db, organization).await;
    let mut batch = pin!(join_all((0..10).map(|number| {
        let store = Store::clone(db);
        async move {
            let outside = store.clone();
            commit!(store, organization, |org| {
                team(&mut org, number).await?;
                let within = org.teams().await?.len() - 1;
                Ok((within, teams(&outside, organization).await.len()))
            })
        }
    })));
    assert!(poll!(batch.as_mut()).is_pending());
    busy.end().await;
    for (number, seen) in batch.await.into_iter().enumerate() {
        // Within the transaction each job sees those before it; nobody outside sees any before all are done.
        assert_eq!(seen.unwrap(), (number + 1, 0));
    }
    assert_eq!(teams(db, organization).await.len(), 10);
}

pub(crate) async fn a_failing_job_takes_back_only_its_own_rows(db: &Fresh) {
    let organization = Clinic::new(db, "A").await.organization;
    let busy = Busy::keep(db, organization).await;
    let mut batch = pin!(join_all((0..10).map(|number| {
        let store = Store::clone(db);
        async move {
            commit!(store, organization, |org| {
                team(&mut org, number).await?;
                match number {
                    3 => Err(StoreError::Closed),
                    // Without the panic hook: its lines are no news here.
                    5 => resume_unwind(Box::new("a bug in a job")),
                    7 => team(&mut org, 7).await,
                    _ => Ok(()),
                }
            })
        }
    })));
    assert!(poll!(batch.as_mut()).is_pending());
    busy.end().await;
    for (number, outcome) in batch.await.into_iter().enumerate() {
        let as_expected = match number {
            3 | 5 => matches!(outcome, Err(StoreError::Closed)),
            7 => matches!(outcome, Err(StoreError::Conflict)),
            _ => outcome.is_ok(),
        };
        assert!(as_expected, "{number}: {outcome:?}");
    }
    let kept: Vec<_> = [0, 1, 2, 4, 6, 8, 9].map(|number| format!("team {number}")).to_vec();
    assert_eq!(teams(db, organization).await, kept);
    let events = db.read(organization).await.unwrap().events_after(0, 100).await.unwrap();
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
}

pub(crate) async fn a_job_alone_that_fails_or_panics_takes_back_its_rows(db: &Fresh) {
    let organization = Clinic::new(db, "A").await.organization;
    let failed = commit!(db, organization, |org| {
        team(&mut org, 1).await?;
        Err::<(), _>(StoreError::Conflict)
    });
    assert!(matches!(failed, Err(StoreError::Conflict)), "{failed:?}");
    let panicked: Result<(), StoreError> = db
        .write(organization, |mut org| {
            async move {
                team(&mut org, 2).await?;
                resume_unwind(Box::new("a bug in a job"))
            }
            .boxed()
        })
        .await;
    assert!(matches!(panicked, Err(StoreError::Closed)), "{panicked:?}");
    commit!(db, organization, |org| team(&mut org, 3).await).unwrap();
    assert_eq!(teams(db, organization).await, ["team 3"]);
    assert_eq!(db.read(organization).await.unwrap().event_bounds().await.unwrap(), (1, 1));
}

pub(crate) async fn a_write_is_finished_where_its_caller_has_gone(db: &Fresh) {
    let organization = Clinic::new(db, "A").await.organization;
    let busy = Busy::keep(db, organization).await;
    {
        let store = Store::clone(db);
        let mut write = pin!(async move { commit!(store, organization, |org| team(&mut org, 1).await) });
        assert!(poll!(write.as_mut()).is_pending());
    }
    busy.end().await;
    commit!(db, organization, |org| team(&mut org, 2).await).unwrap();
    let both = async {
        while teams(db, organization).await != ["team 1", "team 2"] {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), both).await.expect("what was given up is finished");
}
