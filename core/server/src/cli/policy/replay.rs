//! `anteroom policy replay`: recorded decisions, run again.

use std::{collections::BTreeMap, io::Write};

use anteroom_model::ids::DecisionId;
use anteroom_store::{Decision, DecisionFilter};

use super::records::{Here, WhereArgs};
use crate::{cli::Failure, replay::replay};

/// Decisions read at once.
const BATCH: u32 = 200;
/// Decisions of which it is said what came out otherwise.
const NAMED: usize = 20;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ReplayArgs {
    #[command(flatten)]
    place: WhereArgs,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// This one.
    #[arg(long, value_name = "ID")]
    decision: Option<DecisionId>,
    /// So many, spread evenly over all.
    #[arg(long, value_name = "N")]
    sample: Option<u64>,
    /// Every one there is.
    #[arg(long)]
    all: bool,
}

#[derive(Default)]
struct Summary {
    replayed: u64,
    same: u64,
    differ: Vec<(DecisionId, Vec<String>)>,
    differing: u64,
    unrepeatable: u64,
    /// By why.
    failed: BTreeMap<String, u64>,
}

pub(super) async fn run(args: ReplayArgs) -> Result<(), Failure> {
    let here = Here::open(args.place).await?;
    let mut summary = Summary::default();
    if let Some(id) = args.which.decision {
        let decision = here.store().read(here.organization).await?.decision(id).await?;
        summary.add(&here, &decision.ok_or("there is no such decision")?).await;
    } else {
        many(&here, args.which.sample, &mut summary).await?;
    }
    summary.print(&mut std::io::stdout(), here.policies.host().engine_name())?;
    match summary.differing + summary.failed.values().sum::<u64>() {
        0 => Ok(()),
        count => {
            Err(format!("{count} of {} decisions did not come out as recorded", summary.replayed).into())
        }
    }
}

/// All of them, or every n-th.
async fn many(here: &Here, sample: Option<u64>, summary: &mut Summary) -> Result<(), Failure> {
    let all = count(here).await?;
    let step = sample.map_or(1, |sample| (all / sample.max(1)).max(1));
    let (mut before, mut seen, most) = (DecisionId::GREATEST, 0, sample.unwrap_or(u64::MAX));
    loop {
        let mut org = here.store().read(here.organization).await?;
        let batch = org.decisions(&DecisionFilter::default(), before, BATCH).await?;
        drop(org);
        let Some(last) = batch.last() else { return Ok(()) };
        before = last.id;
        for decision in &batch {
            if seen % step == 0 {
                summary.add(here, decision).await;
            }
            seen += 1;
            if summary.replayed >= most {
                return Ok(());
            }
        }
    }
}

async fn count(here: &Here) -> Result<u64, Failure> {
    let chain = here.store().read(here.organization).await?.decision_chain().await?;
    Ok((chain.seq + chain.outside).unsigned_abs())
}

impl Summary {
    async fn add(&mut self, here: &Here, decision: &Decision) {
        self.replayed += 1;
        match replay(here.store(), &here.policies, here.organization, decision).await {
            Ok(found) if !found.record.outcome.is_repeatable() => self.unrepeatable += 1,
            Ok(found) if found.replay.same => self.same += 1,
            Ok(found) => {
                self.differing += 1;
                if self.differ.len() < NAMED {
                    self.differ.push((decision.id, found.replay.differences));
                }
            }
            Err(error) => *self.failed.entry(error.to_string()).or_default() += 1,
        }
    }

    fn print(&self, out: &mut impl Write, engine: &str) -> std::io::Result<()> {
        for (id, differences) in &self.differ {
            writeln!(out, "{id}")?;
            for difference in differences {
                writeln!(out, "    {difference}")?;
            }
        }
        for (why, count) in &self.failed {
            writeln!(out, "{count} could not be replayed: {why}")?;
        }
        writeln!(
            out,
            "{} replayed by {engine}: {} the same, {} otherwise, {} ended by the machine (not repeatable)",
            self.replayed, self.same, self.differing, self.unrepeatable
        )
    }
}
