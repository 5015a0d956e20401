//! A quarter of a busy clinic: 100,000 conversations and a million texts in 90 days. Slow to fill, so it runs when it
//! is asked for: `cargo test --workspace --test flow reports_speed -- --ignored --nocapture`.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anteroom_model::{
    ids::{ConversationId, FacilityId, NumberId, StaffId, TeamId},
    time::Timestamp,
};
use anteroom_store::{Actor, CountKey, Drawn, NewEvent, Place, Span, StoreError};
use axum::http::StatusCode;
use futures::FutureExt;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Clinic, run_without_outbox};

const CONVERSATIONS: i64 = 100_000;
const TEXTS_EACH: usize = 10;
const DAYS: i64 = 90;
const EVENTS: usize = 30_000;
const QUARTER: i64 = 900_000_000;
/// On two cores that others use too.
const PATIENCE: Duration = Duration::from_secs(3);

fn id(kind: u64, number: u64) -> Uuid {
    Uuid::from_u64_pair(kind, number + 1)
}

/// Three openings for two conversations, ten texts each, on working days mostly; as the reader would have drawn them.
fn quarter(now: Timestamp) -> Vec<Drawn> {
    let mut random = StdRng::seed_from_u64(90);
    let mut counts: HashMap<CountKey, i64> = HashMap::new();
    let mut spans = Vec::new();
    for number in 0..CONVERSATIONS * 3 / 2 {
        let day = random.random_range(1..DAYS);
        let minute = if random.random_range(0..10) > 0 {
            random.random_range(480..1_080)
        } else {
            random.random_range(0..1_440)
        };
        let opened = now.micros() - day * 86_400_000_000 + minute * 60_000_000;
        let place = Place {
            number_id: NumberId(id(1, random.random_range(0..5))),
            facility_id: FacilityId(id(2, random.random_range(0..2))),
            team_id: TeamId(id(3, random.random_range(0..6))),
        };
        let staff = StaffId(id(4, random.random_range(0..25)));
        let (reply, close) =
            (random.random_range(30..20_000) * 1_000_000, random.random_range(20_000..200_000) * 1_000_000);
        let opened_at = Timestamp::from_micros(opened);
        spans.push(Span {
            opened_at,
            opened_seq: number + 1,
            conversation_id: ConversationId(id(5, number.unsigned_abs() * 2 / 3)),
            place,
            waiting_from: Some(opened_at),
            first_reply_at: Some(Timestamp::from_micros(opened + reply)),
            first_reply_by: Some(staff),
            reply_micros: Some(reply),
            reply_open_micros: Some(reply / 2),
            closed_at: Some(Timestamp::from_micros(opened + close)),
            closed_by: Some(staff),
            close_micros: Some(close),
            close_open_micros: Some(close / 3),
        });
        let texts = TEXTS_EACH * 2 / 3 + usize::from(number % 3 != 0);
        for text in 0..texts {
            let (kind, by) = [("in", StaffId::LEAST), ("staff", staff), ("policy", StaffId::LEAST)][text % 3];
            let at = opened + random.random_range(0..4) * QUARTER;
            let quarter = Timestamp::from_micros(at / QUARTER * QUARTER);
            *counts.entry(CountKey { quarter, kind, place, staff_id: by }).or_default() += 1;
        }
    }
    let counts: Vec<_> = counts.into_iter().collect();
    let texts: i64 = counts.iter().map(|(_, happened)| happened).sum();
    assert!(texts >= 1_000_000, "{texts}");
    let mut drawn: Vec<_> =
        spans.chunks(5_000).map(|spans| Drawn { spans: spans.to_vec(), counts: Vec::new() }).collect();
    drawn.extend(counts.chunks(5_000).map(|counts| Drawn { spans: Vec::new(), counts: counts.to_vec() }));
    drawn
}

async fn fill(clinic: &Clinic) {
    for (position, drawn) in (0..).zip(quarter(clinic.app.server.store.now())) {
        let moved = clinic
            .change(move |mut org| {
                async move { org.draw_report(position, position + 1, &drawn).await }.boxed()
            })
            .await;
        assert!(moved);
    }
}

#[expect(clippy::print_stdout, reason = "the measurement is what this is for")]
async fn time(clinic: &Clinic, path: &str) -> Value {
    let mut fastest = Duration::MAX;
    let mut body = Value::Null;
    for _ in 0..3 {
        let begun = Instant::now();
        let answer = clinic.get_as(&clinic.alex, &format!("reports/{path}")).await;
        fastest = fastest.min(begun.elapsed());
        assert_eq!(answer.status, StatusCode::OK);
        body = answer.body;
    }
    println!("{path}: {} ms", fastest.as_millis());
    assert!(fastest < PATIENCE, "{path} took {fastest:?}");
    body
}

#[tokio::test]
#[ignore = "takes a minute: a quarter of a busy clinic, read by the clock"]
#[expect(clippy::print_stdout, reason = "the measurement is what this is for")]
async fn a_quarter_of_a_busy_clinic_is_read_at_once() {
    run_without_outbox(async |clinic| {
        // What the reader does: events of texts and replies.
        let conversations: Vec<ConversationId> =
            (0..500).map(|number| ConversationId(id(6, number))).collect();
        for chunk in 0..EVENTS / 300 {
            let conversations = conversations.clone();
            clinic
                .change(move |org| {
                    async move {
                        for number in 0..300 {
                            let conversation_id =
                                Some(conversations[(chunk * 100 + number) % conversations.len()]);
                            let (kind, actor) = [
                                ("conversation.opened", Actor::Patient),
                                ("message.received", Actor::Patient),
                                ("message.queued", Actor::Staff(StaffId::LEAST)),
                            ][number % 3];
                            org.tell(NewEvent { kind, conversation_id, actor, data: json!({}) });
                        }
                        Ok::<_, StoreError>(())
                    }
                    .boxed()
                })
                .await;
        }
        let begun = Instant::now();
        loop {
            let answer = clinic.get_as(&clinic.alex, "reports/waiting").await;
            assert_eq!(answer.status, StatusCode::OK);
            let volume = clinic.get_as(&clinic.alex, "reports/volume").await.ok();
            if volume["progress"]["complete"] == true {
                break;
            }
        }
        println!("drawn: {EVENTS} events in {} ms", begun.elapsed().as_millis());
        clinic.app.sql("DELETE FROM report_progress").await;
        clinic.app.sql("DELETE FROM conversation_spans").await;
        clinic.app.sql("DELETE FROM report_counts").await;
        fill(&clinic).await;
        clinic.app.sql("UPDATE report_progress SET seq = 1000000000").await;
        let from =
            (clinic.app.server.store.now().to_jiff() - jiff::SignedDuration::from_hours(24 * 89)).to_string();
        let dates = format!("from={}&to=2026-11-23", &from[..10]);
        let volume = time(&clinic, &format!("volume?{dates}")).await;
        assert!(volume["total"]["texts_in"].as_i64().unwrap() > 300_000);
        for by in ["team", "staff", "week"] {
            time(&clinic, &format!("volume?{dates}&group_by={by}")).await;
            time(&clinic, &format!("response-times?{dates}&group_by={by}")).await;
        }
        time(&clinic, &format!("response-times?{dates}")).await;
        time(&clinic, &format!("response-times?{dates}&team_id={}", id(3, 1))).await;
        time(&clinic, &format!("outcomes?{dates}")).await;
    })
    .await;
}
