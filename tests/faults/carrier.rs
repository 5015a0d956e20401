//! A carrier in trouble: 429 with `Retry-After`, 5xx, time-outs, resets, and answers lost after it took a text.

use std::time::Duration;

use anteroom_test_support::{Plan, load::Dice};

use crate::{Engine, Row, Site, site::fault_time};

/// Longer than the 15 s that the server waits for an answer.
const TIME_OUT: Plan = Plan::TakeSlowly(Duration::from_secs(18));

const TROUBLE: [Plan; 12] = [
    Plan::SlowDown(1),
    Plan::SlowDown(2),
    Plan::Fail(500),
    Plan::Fail(502),
    Plan::Fail(503),
    Plan::TakeAndFail(500),
    Plan::TakeAndFail(503),
    Plan::TakeAndFail(504),
    Plan::TakeAndReset,
    Plan::TakeAndReset,
    Plan::TakeAndCut,
    TIME_OUT,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_text_is_taken_once_whatever_the_carrier_answers_on_sqlite() {
    row(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_text_is_taken_once_whatever_the_carrier_answers_on_postgres() {
    row(Engine::Postgres).await;
}

async fn row(engine: Engine) {
    let site = Site::open(engine).await;
    let mut row = Row::begin(&site, &format!("carrier 429, 5xx, time-out, reset, {}", engine.name())).await;
    let time = fault_time(8);
    let before = site.twilio.attempts().len();
    let dice = Dice::new(row.dice.below(u64::MAX), 0);
    site.twilio.misbehave(dice, 3, &TROUBLE);
    tokio::time::sleep(time).await;
    site.twilio.behave();
    let met = |plan: fn(&Plan) -> bool| {
        let attempts = site.twilio.attempts_from(before);
        attempts.iter().filter(|attempt| plan(&attempt.plan)).count()
    };
    let slow = met(|plan| matches!(plan, Plan::SlowDown(_)));
    let failed = met(|plan| matches!(plan, Plan::Fail(_)));
    let doubtful = met(|plan| matches!(plan, Plan::TakeAndFail(_)));
    let reset = met(|plan| matches!(plan, Plan::TakeAndReset | Plan::TakeAndCut));
    let timed_out = met(|plan| *plan == TIME_OUT);
    for (what, count) in [("429", slow), ("5xx", failed), ("5xx after taking", doubtful), ("reset", reset)] {
        assert!(count > 0, "the carrier never answered with {what}");
    }
    row.figure(format!(
        "{time:.0?} of 429 ({slow}), 5xx ({failed}), 5xx after taking ({doubtful}), reset after taking ({reset}), time-out ({timed_out})"
    ));
    row.end(&site, |findings, figures| {
        let taken = site.twilio.attempts().iter().filter(|attempt| attempt.sid.is_some()).count();
        figures.push(format!("taken {taken} of {} sends", findings.done("attempts to send")));
        figures.push(format!("oldest waited {:.1?}", findings.oldest_send()));
    })
    .await;
}
