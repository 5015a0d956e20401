//! The same delivery over and over: at once, through every node, and after a restart.

use std::time::Instant;

use anteroom_test_support::{
    fresh_sid,
    load::{Door, say},
};
use tokio::task::JoinSet;

use crate::{Engine, Site, site::TOLL_FREE};

const PHONE: &str = "+15125550777";
const TIMES: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_delivery_a_hundred_times_is_one_text_and_one_answer_on_sqlite() {
    row(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_delivery_a_hundred_times_is_one_text_and_one_answer_on_postgres() {
    row(Engine::Postgres).await;
}

/// All at once; how many were acknowledged.
async fn deliver(doors: &[Door], sid: &str) -> usize {
    let mut requests = JoinSet::new();
    for door in doors.iter().cycle().take(TIMES) {
        let (door, delivery) = (door.clone(), door.account().text_as(sid, PHONE, TOLL_FREE, "Only once"));
        requests
            .spawn(async move { delivery.send(door.client()).await.ok().map(|reply| reply.status.as_u16()) });
    }
    let answers = requests.join_all().await;
    // Out of breath is allowed: the carrier comes again. Anything else is not.
    assert!(answers.iter().all(|answer| matches!(answer, Some(200 | 503))), "{answers:?}");
    answers.iter().filter(|answer| **answer == Some(200)).count()
}

async fn row(engine: Engine) {
    let started = Instant::now();
    let mut site = Site::open(engine).await;
    let sid = fresh_sid();
    let at_once = deliver(&site.doors(), &sid).await;
    for node in &mut site.nodes {
        node.kill();
    }
    for node in &mut site.nodes {
        node.start().await;
    }
    let after = deliver(&site.doors(), &sid).await;
    site.messages(PHONE, TOLL_FREE).await;
    site.idle().await;
    let later = deliver(&site.doors(), &sid).await;
    site.idle().await;
    let messages = site.messages(PHONE, TOLL_FREE).await;
    let count = |direction: &str| messages.iter().filter(|m| m["direction"] == direction).count();
    let (rows, answers) = (count("inbound"), count("outbound"));
    let attempts = site.twilio.attempts();
    let sent = attempts.iter().filter(|attempt| attempt.param("To") == PHONE).count();
    say(&format!(
        "the same delivery {TIMES} times at once through {} node(s), {TIMES} after kill -9, {TIMES} when processed, {}: \
         acknowledged {at_once}, {after}, {later}; rows {rows}, automatic replies {answers}, sent {sent}; all {:.1?}",
        site.nodes.len(),
        engine.name(),
        started.elapsed()
    ));
    assert!(at_once > 0 && after > 0 && later > 0);
    assert_eq!((rows, answers, sent), (1, 1, 1), "{messages:#?}");
}
