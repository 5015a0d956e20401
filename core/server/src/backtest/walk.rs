//! Trying a candidate on recorded decisions, in the order of the chain.
//!
//! A turn is what a hook was asked for one text: of the policies of its chain, the one that ended it stands for
//! what was decided (shadows beside it don't). The candidate gets the recorded input, the time and the seed of
//! the turn, the patient's fields that were recorded, and, if it wants history, the conversation as it was before
//! that text.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    thread,
};

use anteroom_model::{
    hooks::{HistoryMessage, Hook, HookOutput},
    ids::{MessageId, OrganizationId, PolicyId},
};
use anteroom_policy::{FaultKind, Outcome, Policy, PolicyHost, Rerun, Settings};
use anteroom_store::{Decision, OrgKeys, Store, StoreError, TurnWindow};
use futures::{TryStreamExt, stream};
use tokio::sync::Semaphore;

use super::{
    compare::{destination, moves},
    labelled::Labelled,
    report::{Change, ChangedWord, Report, Tally, Tried, Turn},
};
use crate::{pipeline::chain::past, replay};

/// Places in the chain that are read at once.
const SPAN: i64 = 300;
/// Tries of a call that the machine ended, and not the candidate.
const TRIES: u32 = 5;

/// What is tried.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The policy.
    pub policy: Arc<Policy>,
    /// Its settings.
    pub settings: Settings,
    /// The hook that it would serve.
    pub hook: Hook,
    /// Its id, if it is stored.
    pub id: Option<PolicyId>,
}

/// How far a walk is.
#[derive(Debug, Default)]
pub struct Progress {
    total: AtomicI64,
    done: AtomicI64,
    stopped: AtomicBool,
}

impl Progress {
    /// Turns in all (0 until they are counted), and those done.
    pub fn read(&self) -> (i64, i64) {
        (self.total.load(Ordering::Relaxed), self.done.load(Ordering::Relaxed))
    }

    /// Nobody waits for the report any more: what runs on threads of its own ends with the turn it is at.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

/// Why a walk ended early.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The process stops.
    #[error("the backtest was abandoned")]
    Abandoned,
}

/// A decision to be tried, with what was said before.
struct Job {
    decision: Decision,
    history: Vec<HistoryMessage>,
}

/// Tries `candidate` on the turns of `window`.
pub async fn walk(
    store: &Store,
    host: &Arc<PolicyHost>,
    organization: OrganizationId,
    candidate: &Candidate,
    window: &TurnWindow,
    progress: &Arc<Progress>,
) -> Result<Report, WalkError> {
    let turns = store.read(organization).await?.turns(window).await?;
    progress.total.store(turns.count, Ordering::Relaxed);
    let keys = store.keys(organization).await?;
    let reader = Reader {
        store: store.clone(),
        organization,
        window: window.clone(),
        with_history: candidate.policy.uses_history,
        after: turns.first_seq - 1,
        last: turns.last_seq,
        held: None,
        ended: turns.count == 0,
    };
    let batches = stream::try_unfold(reader, |mut reader| async move {
        Ok::<_, WalkError>(reader.next().await?.map(|jobs| (jobs, reader)))
    });
    // One more than run is read meanwhile.
    let places = Arc::new(Semaphore::new(at_once()));
    let tried = batches
        .map_ok(|jobs| {
            let (host, candidate, keys) = (host.clone(), candidate.clone(), keys.clone());
            let (progress, places) = (progress.clone(), places.clone());
            async move {
                let _place = places.acquire().await.map_err(|_| WalkError::Abandoned)?;
                let run = move || run(&host, &candidate, &keys, &progress, jobs);
                tokio::task::spawn_blocking(run).await.map_err(|_| WalkError::Abandoned)?
            }
        })
        .try_buffered(at_once() + 1);
    let mut tried = std::pin::pin!(tried);
    let mut tally = Tally::default();
    let mut labelled = match candidate.hook {
        Hook::Identity => Some(Labelled::read(store, organization, window).await?),
        _ => None,
    };
    while let Some(turns) = tried.try_next().await? {
        for turn in turns {
            if let (Some(labelled), Turn::Tried(tried)) = (&mut labelled, &turn) {
                labelled.see(tried.decision_id, tried.step.clone());
            }
            tally.add(turn);
        }
    }
    let labelled = match labelled {
        Some(labelled) => Some(labelled.report(store, organization).await?),
        None => None,
    };
    Ok(tally.report(candidate, window, turns, labelled))
}

/// Half of the machine at most: patients' texts come first.
fn at_once() -> usize {
    thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).clamp(1, 4))
}

/// Reads the decisions that stand for the turns of a window.
struct Reader {
    store: Store,
    organization: OrganizationId,
    window: TurnWindow,
    with_history: bool,
    after: i64,
    last: i64,
    /// The last decision read: the next one may be of the same turn, and have ended its chain.
    held: Option<Decision>,
    ended: bool,
}

impl Reader {
    /// The next ones; `None` at the end.
    async fn next(&mut self) -> Result<Option<Vec<Job>>, StoreError> {
        if self.ended {
            return Ok(None);
        }
        let mut org = self.store.read(self.organization).await?;
        let up_to = self.after + SPAN;
        let read = org.decisions_of_turns(&self.window, self.after, up_to).await?;
        drop(org);
        self.after = up_to;
        self.ended = up_to >= self.last;
        let mut ends = Vec::with_capacity(read.len());
        for decision in read {
            let same_turn =
                |held: &Decision| held.message_id.is_some() && held.message_id == decision.message_id;
            if let Some(held) = self.held.replace(decision.clone())
                && !same_turn(&held)
            {
                ends.push(held);
            }
        }
        if self.ended {
            ends.extend(self.held.take());
        }
        let mut jobs = Vec::with_capacity(ends.len());
        for decision in ends {
            let history = if self.with_history { self.history(&decision).await? } else { Vec::new() };
            jobs.push(Job { decision, history });
        }
        Ok(Some(jobs))
    }

    async fn history(&self, decision: &Decision) -> Result<Vec<HistoryMessage>, StoreError> {
        let Some(conversation) = decision.conversation_id else { return Ok(Vec::new()) };
        // Where no text asked for it (shortcuts), what had been said by then.
        let before = decision.message_id.unwrap_or(MessageId(decision.id.0));
        past(&self.store, self.organization, conversation, before).await
    }
}

/// Runs the candidate on some turns, on this thread.
fn run(
    host: &PolicyHost,
    candidate: &Candidate,
    keys: &OrgKeys,
    progress: &Progress,
    jobs: Vec<Job>,
) -> Result<Vec<Turn>, WalkError> {
    let mut turns = Vec::with_capacity(jobs.len());
    for job in jobs {
        if progress.stopped.load(Ordering::Relaxed) {
            return Err(WalkError::Abandoned);
        }
        turns.push(attempt(host, candidate, keys, &job));
        progress.done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(turns)
}

/// Runs the candidate on one turn, and compares.
fn attempt(host: &PolicyHost, candidate: &Candidate, keys: &OrgKeys, job: &Job) -> Turn {
    let Ok(record) = replay::record(&job.decision, keys) else { return Turn::Skipped("unreadable") };
    if !record.outcome.is_repeatable() {
        return Turn::Skipped("ended_by_the_machine");
    }
    let Rerun { record: again, unknown_fields } =
        until_it_decides(|| host.rerun(&candidate.policy, &candidate.settings, &record, &job.history));
    let faults = [&record, &again].map(|one| one.outcome.fault().map(|fault| fault.kind.as_str()));
    let (fuel, memory) = ([record.fuel, again.fuel], [record.memory_peak, again.memory_peak]);
    let moves = moves(&record.outcome, &again.outcome);
    let flow = [&record.outcome, &again.outcome].map(destination);
    let step = match &again.outcome {
        Outcome::Decided(HookOutput::Identity(step)) => Some(step.clone()),
        _ => None,
    };
    let change = (!moves.is_empty()).then(|| {
        let change = Change {
            decision_id: job.decision.id,
            message_id: job.decision.message_id,
            conversation_id: job.decision.conversation_id,
            recorded: record.outcome,
            candidate: again.outcome,
            moves: moves.into_iter().map(|(what, from, to)| ChangedWord { what, from, to }).collect(),
        };
        Box::new(change)
    });
    Turn::Tried(Box::new(Tried {
        decision_id: job.decision.id,
        conversation_id: job.decision.conversation_id,
        flow,
        step,
        change,
        faults,
        unknown_fields,
        fuel,
        memory,
    }))
}

/// A busy machine must not show in a report.
fn until_it_decides(run: impl Fn() -> Rerun) -> Rerun {
    let mut rerun = run();
    for _ in 1..TRIES {
        let by_the_machine = match &rerun.record.outcome {
            Outcome::Overload => true,
            Outcome::Fault(fault) => matches!(fault.kind, FaultKind::WallTime | FaultKind::Host),
            _ => false,
        };
        if !by_the_machine {
            break;
        }
        rerun = run();
    }
    rerun
}
