//! Reports: each figure against a ledger that the test keeps by hand while people work, over days, over the night on
//! which clocks are put forward, drawn by two nodes at once, and drawn again from the beginning.

use std::{collections::BTreeMap, time::Duration};

use anteroom::reports;
use anteroom_model::{
    hours::Schedule,
    ids::{ConversationId, StaffId, TeamId},
    states::{Author, ConversationState, Direction, Role},
    time::Timestamp,
};
use axum::http::StatusCode;
use futures::FutureExt;
use jiff::civil::Date;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

use crate::support::{Clinic, FRONT_DESK, NEW_PATIENTS, Staff, eventually, run};

const ANA: &str = "+15125550101";
const ZONE: &str = "America/Chicago";
const WORDS: [&str; 4] = ["I need a refill", "Question about my bill", "Hello", "When are you open?"];

/// One time that a conversation was open, as whoever watched would have noted it.
#[derive(Clone, Debug)]
struct Opening {
    at: Timestamp,
    text: Option<Timestamp>,
    reply: Option<(Timestamp, StaffId)>,
    close: Option<(Timestamp, StaffId)>,
    team: Option<TeamId>,
}

/// What was noted.
#[derive(Default)]
struct Ledger {
    openings: BTreeMap<(&'static str, &'static str), Vec<Opening>>,
    texts_in: Vec<Timestamp>,
    by_staff: Vec<(Timestamp, StaffId)>,
}

impl Ledger {
    fn running(&mut self, who: (&'static str, &'static str)) -> Option<&mut Opening> {
        self.openings.get_mut(&who)?.last_mut().filter(|opening| opening.close.is_none())
    }

    fn open(&mut self, who: (&'static str, &'static str), at: Timestamp) {
        let opening = Opening { at, text: None, reply: None, close: None, team: None };
        self.openings.entry(who).or_default().push(opening);
    }

    fn all(&self) -> impl Iterator<Item = &Opening> {
        self.openings.values().flatten()
    }
}

/// The middle and the ninth tenth of some durations, in seconds.
fn middle(mut micros: Vec<i64>) -> (Value, Value) {
    micros.sort_unstable();
    let at = |part: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "small"
        )]
        let rank = (micros.len() as f64 * part - 1e-9).ceil() as usize;
        micros.get(rank.max(1) - 1).map_or(Value::Null, |micros| json!(micros / 1_000_000))
    };
    (at(0.5), at(0.9))
}

/// Microseconds of opening, minute by minute.
fn open_minutes(schedule: &Schedule, from: Timestamp, until: Timestamp) -> i64 {
    const MINUTE: i64 = 60_000_000;
    let (from, until) = (from.micros(), until.micros());
    let mut minute = from.div_euclid(MINUTE) * MINUTE;
    let mut open = 0;
    while minute < until {
        if schedule.at(Timestamp::from_micros(minute)).open {
            open += (minute + MINUTE).min(until) - minute.max(from);
        }
        minute += MINUTE;
    }
    open
}

fn figures_of(openings: &[&Opening], schedule: &Schedule) -> Value {
    let replied: Vec<_> = openings.iter().filter_map(|o| Some((o.text?, o.reply?.0))).collect();
    let closed: Vec<_> = openings.iter().filter_map(|o| Some((o.at, o.close?.0))).collect();
    let clock = |spans: &[(Timestamp, Timestamp)]| {
        middle(spans.iter().map(|(from, until)| until.micros() - from.micros()).collect())
    };
    let open = |spans: &[(Timestamp, Timestamp)]| {
        middle(spans.iter().map(|(from, until)| open_minutes(schedule, *from, *until)).collect())
    };
    let silent: Vec<_> = openings.iter().filter(|o| o.text.is_some() && o.reply.is_none()).collect();
    json!({
        "openings": openings.len(),
        "answered": replied.len(),
        "unanswered": silent.iter().filter(|o| o.close.is_some()).count(),
        "waiting": silent.iter().filter(|o| o.close.is_none()).count(),
        "closed": closed.len(),
        "reply_median": clock(&replied).0, "reply_p90": clock(&replied).1,
        "reply_open_median": open(&replied).0, "reply_open_p90": open(&replied).1,
        "close_median": clock(&closed).0, "close_p90": clock(&closed).1,
        "close_open_median": open(&closed).0, "close_open_p90": open(&closed).1,
    })
}

/// Patients text and staff work for some days, at random; everything that succeeds is noted.
async fn days_of_work(clinic: &Clinic, random: &mut StdRng) -> Ledger {
    let people = [&clinic.maya, &clinic.sam, &clinic.alex];
    let phones = [ANA, "+15125550102", "+15125550177", "+15125550178", "+15125550179"];
    let mut org = clinic.app.server.store.read(clinic.organization).await.unwrap();
    let teams = org.teams().await.unwrap();
    drop(org);
    let mut ledger = Ledger::default();
    for _ in 0..90 {
        clinic.app.advance(Duration::from_secs(random.random_range(1..14_000)));
        let who = (
            *phones.choose(random).unwrap(),
            *[FRONT_DESK, FRONT_DESK, NEW_PATIENTS].choose(random).unwrap(),
        );
        let person = *people.choose(random).unwrap();
        let known = clinic.stored(who.0, who.1).await;
        let Some(id) = known.map(|conversation| conversation.id).filter(|_| random.random_range(0..10) > 2)
        else {
            text(clinic, &mut ledger, who, WORDS.choose(random).unwrap()).await;
            note_team(clinic, &mut ledger, who).await;
            continue;
        };
        act(clinic, &mut ledger, who, id, person, &teams.choose(random).unwrap().id, random).await;
        note_team(clinic, &mut ledger, who).await;
    }
    ledger
}

async fn text(clinic: &Clinic, ledger: &mut Ledger, who: (&'static str, &'static str), words: &str) {
    clinic.text(who.0, who.1, words).await;
    let now = clinic.app.server.store.now();
    if ledger.running(who).is_none() {
        ledger.open(who, now);
    }
    ledger.texts_in.push(now);
    ledger.running(who).unwrap().text.get_or_insert(now);
}

/// The conversation as it is now says which team the running opening is with.
async fn note_team(clinic: &Clinic, ledger: &mut Ledger, who: (&'static str, &'static str)) {
    let team = clinic.stored(who.0, who.1).await.and_then(|conversation| conversation.team_id);
    if let Some(opening) = ledger.running(who) {
        opening.team = team;
    }
}

async fn act(
    clinic: &Clinic,
    ledger: &mut Ledger,
    who: (&'static str, &'static str),
    id: ConversationId,
    person: &Staff,
    team: &TeamId,
    random: &mut StdRng,
) {
    let now = clinic.app.server.store.now();
    match random.random_range(0..10) {
        0..4 => {
            let body = json!({ "body": "We will look into it." });
            if clinic.act(person, id, "messages", body).await.status == StatusCode::CREATED {
                ledger.by_staff.push((now, person.id));
                let opening = ledger.running(who).unwrap();
                if opening.text.is_some() {
                    opening.reply.get_or_insert((now, person.id));
                }
            }
        }
        4..7 => {
            if clinic.act(person, id, "close", Value::Null).await.status == StatusCode::OK
                && let Some(opening) = ledger.running(who)
            {
                opening.close = Some((now, person.id));
            }
        }
        7 => {
            if clinic.act(person, id, "reopen", Value::Null).await.status == StatusCode::OK
                && ledger.running(who).is_none()
            {
                ledger.open(who, now);
            }
        }
        8 => {
            let until = now.plus(Duration::from_hours(2)).to_string();
            clinic.act(person, id, "snooze", json!({ "until": until })).await;
        }
        _ => {
            clinic.act(person, id, "assign", json!({ "team_id": team })).await;
        }
    }
    clinic.app.settled().await;
}

/// What is asked for next is drawn from the beginning.
pub(crate) async fn forget_figures(clinic: &Clinic) {
    for table in
        ["DELETE FROM report_progress", "DELETE FROM conversation_spans", "DELETE FROM report_counts"]
    {
        clinic.app.sql(table).await;
    }
}

pub(crate) async fn report(clinic: &Clinic, path: &str) -> Value {
    clinic.get_as(&clinic.alex, &format!("reports/{path}")).await.ok()
}

fn group<'a>(report: &'a Value, id: &str) -> &'a Value {
    let groups = report["groups"].as_array().unwrap();
    let found = groups.iter().find(|group| group["id"].as_str().unwrap_or_default() == id);
    &found.unwrap_or_else(|| panic!("{id} among {groups:?}"))["figures"]
}

async fn check_times(clinic: &Clinic, ledger: &Ledger, dates: &str) {
    let entry = clinic.app.server.directory.get(clinic.organization).await.unwrap();
    let schedule = &entry.facilities[0].1;
    let all: Vec<_> = ledger.all().collect();
    let times = report(clinic, &format!("response-times?{dates}&group_by=team")).await;
    assert_eq!(times["progress"]["complete"], true);
    assert_eq!(times["total"], figures_of(&all, schedule));
    for stretch in times["series"].as_array().unwrap() {
        let day: Date = stretch["from"].as_str().unwrap().parse().unwrap();
        let on: Vec<_> = all.iter().copied().filter(|opening| local(opening.at).date() == day).collect();
        assert_eq!(stretch["figures"], figures_of(&on, schedule), "{day}");
    }
    for hour in times["hours"].as_array().unwrap() {
        let is_then = |at: Timestamp| {
            json!(local(at).weekday().to_monday_one_offset()) == hour["weekday"]
                && json!(local(at).hour()) == hour["hour"]
        };
        let then: Vec<_> = all.iter().copied().filter(|opening| is_then(opening.at)).collect();
        assert!(!then.is_empty());
        assert_eq!(hour["figures"], figures_of(&then, schedule), "{hour}");
    }
    let mut by_team: BTreeMap<String, Vec<&Opening>> = BTreeMap::new();
    for opening in &all {
        by_team.entry(opening.team.map_or(String::new(), |id| id.to_string())).or_default().push(opening);
    }
    assert!(by_team.len() > 1, "several teams had something to do");
    for (team, openings) in &by_team {
        assert_eq!(*group(&times, team), figures_of(openings, schedule), "team {team}");
    }
    let people = report(clinic, &format!("response-times?{dates}&group_by=staff")).await;
    assert_eq!(people["total"], times["total"]);
    for person in [&clinic.maya, &clinic.sam, &clinic.alex] {
        let replied: Vec<_> = all.iter().filter(|o| o.reply.is_some_and(|(_, by)| by == person.id)).collect();
        let closed: Vec<_> = all.iter().filter(|o| o.close.is_some_and(|(_, by)| by == person.id)).collect();
        let theirs = group(&people, &person.id.to_string());
        assert_eq!((&theirs["answered"], &theirs["closed"]), (&json!(replied.len()), &json!(closed.len())));
        let clock =
            middle(replied.iter().map(|o| o.reply.unwrap().0.micros() - o.text.unwrap().micros()).collect());
        assert_eq!((&theirs["reply_median"], &theirs["reply_p90"]), (&clock.0, &clock.1));
        let only = report(clinic, &format!("response-times?{dates}&staff_id={}", person.id)).await;
        assert_eq!(&only["total"], theirs, "by the filter as by the group");
    }
}

fn local(at: Timestamp) -> jiff::Zoned {
    at.to_jiff().in_tz(ZONE).unwrap()
}

async fn check_volume(clinic: &Clinic, ledger: &Ledger, dates: &str) {
    let volume = report(clinic, &format!("volume?{dates}&group_by=staff")).await;
    let first = ledger.openings.values().filter(|openings| !openings.is_empty()).count();
    let all = ledger.all().count();
    let closed = ledger.all().filter(|opening| opening.close.is_some()).count();
    let mut automatic = 0;
    for (phone, number) in ledger.openings.keys() {
        let messages = clinic.messages_with(phone, number).await;
        automatic += messages
            .iter()
            .filter(|one| one.direction == Direction::Outbound && one.author == Author::Policy)
            .count();
    }
    let expected = json!({
        "texts_in": ledger.texts_in.len(), "texts_by_staff": ledger.by_staff.len(), "texts_automatic": automatic,
        "texts_by_host": 0, "opened": first, "reopened": all - first, "closed": closed,
    });
    assert_eq!(volume["total"], expected);
    for stretch in volume["series"].as_array().unwrap() {
        let day: Date = stretch["from"].as_str().unwrap().parse().unwrap();
        let on = ledger.texts_in.iter().filter(|at| local(**at).date() == day).count();
        assert_eq!(stretch["figures"]["texts_in"], on, "{day}");
    }
    let weeks = report(clinic, &format!("volume?{dates}&group_by=week")).await;
    let sum = |report: &Value, rows: &str| -> i64 {
        report[rows].as_array().unwrap().iter().map(|row| row["figures"]["texts_in"].as_i64().unwrap()).sum()
    };
    let texts = i64::try_from(ledger.texts_in.len()).unwrap();
    assert_eq!((sum(&weeks, "series"), sum(&volume, "hours")), (texts, texts));
    for hour in volume["hours"].as_array().unwrap() {
        let then = ledger.texts_in.iter().filter(|at| {
            json!(local(**at).weekday().to_monday_one_offset()) == hour["weekday"]
                && json!(local(**at).hour()) == hour["hour"]
        });
        assert_eq!(hour["figures"]["texts_in"], then.count(), "{hour}");
    }
    for person in [&clinic.maya, &clinic.sam, &clinic.alex] {
        let wrote = ledger.by_staff.iter().filter(|(_, by)| *by == person.id).count();
        let theirs = group(&volume, &person.id.to_string());
        assert_eq!(theirs["texts_by_staff"], wrote, "{}", person.name);
    }
}

#[tokio::test]
async fn figures_are_those_of_a_ledger_kept_by_hand() {
    run(async |clinic| {
        // The Friday before the Sunday on which clocks are put forward.
        clinic.app.advance(Duration::from_hours(24 * 109));
        let start = local(clinic.app.server.store.now());
        let change = start
            .datetime()
            .date()
            .saturating_add(jiff::Span::new().days(4))
            .to_zoned(start.time_zone().clone());
        assert_ne!(start.offset(), change.unwrap().offset(), "the clock changes within these days: {start}");
        let other = clinic.app.another_node().await;
        other.tasks.spawn(reports::run(other.clone()));
        let mut random = StdRng::seed_from_u64(20_270_312);
        let ledger = days_of_work(&clinic, &mut random).await;
        let days = (local(clinic.app.server.store.now()).date() - start.date()).get_days();
        assert!(
            days > 3 && ledger.all().filter(|opening| opening.reply.is_some()).count() > 5,
            "a lot happened"
        );
        let dates = format!("from={}&to={}", start.date(), local(clinic.app.server.store.now()).date());
        check_volume(&clinic, &ledger, &dates).await;
        check_times(&clinic, &ledger, &dates).await;
        other.stop.cancel();
        other.tasks.close();
        other.tasks.wait().await;

        // What is drawn again from the beginning is the same, once nothing more happens by itself.
        let store = &clinic.app.server.store;
        eventually("nothing is due", || async {
            store.due_snoozed().await.unwrap().is_empty()
                && store.due_verifications().await.unwrap().is_empty()
        })
        .await;
        let paths = ["response-times", "volume", "outcomes"];
        let mut before = Vec::new();
        for path in paths {
            before.push(report(&clinic, &format!("{path}?{dates}&group_by=team")).await);
        }
        forget_figures(&clinic).await;
        for (path, before) in paths.iter().zip(before) {
            assert_eq!(report(&clinic, &format!("{path}?{dates}&group_by=team")).await, before, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn who_may_read_them_and_what_is_recorded_of_it() {
    run(async |clinic| {
        let lead = clinic.colleague(Role::Lead, "Lee Ward").await;
        let auditor = clinic.colleague(Role::Auditor, "Ada Quinn").await;
        for name in ["volume", "response-times", "waiting", "outcomes"] {
            for path in [format!("reports/{name}"), format!("reports/{name}.csv?group_by=staff")] {
                assert_eq!(clinic.get_as(&clinic.maya, &path).await.status, StatusCode::FORBIDDEN, "{path}");
                for reader in [&lead, &auditor, &clinic.alex] {
                    assert_eq!(clinic.get_as(reader, &path).await.status, StatusCode::OK, "{path}");
                }
            }
        }
        let audit = clinic.get_as(&clinic.alex, "audit?limit=100").await.ok();
        let count = |action: &str| {
            audit["items"].as_array().unwrap().iter().filter(|one| one["action"] == action).count()
        };
        assert_eq!((count("report.read"), count("report.by_person_read")), (12, 12));
        for (query, word) in [
            ("from=yesterday", "from is no date"),
            ("from=2026-11-24&to=2026-11-23", "from is after to"),
            ("from=2024-01-01&to=2026-11-23", "400 is the most"),
        ] {
            let refused = clinic.get_as(&lead, &format!("reports/volume?{query}")).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
            assert!(refused.body["detail"].as_str().unwrap().contains(word), "{}", refused.body);
        }
    })
    .await;
}

#[tokio::test]
async fn tables_for_a_spreadsheet_hold_no_formula() {
    run(async |clinic| {
        let team =
            clinic.change(|mut org| async move { org.insert_team("=HYPERLINK(1)").await }.boxed()).await;
        clinic.text(ANA, FRONT_DESK, "Hello").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        clinic.act(&clinic.alex, id, "assign", json!({ "team_id": team })).await.ok();
        clinic.act(&clinic.maya, id, "messages", json!({ "body": "Hi" })).await.ok();
        clinic.app.settled().await;
        let csv = clinic.get_as(&clinic.alex, "reports/response-times.csv?group_by=team").await;
        let text = String::from_utf8(csv.bytes.to_vec()).unwrap();
        assert!(text.starts_with("name,openings,answered,"), "{text}");
        assert!(text.contains("\n'=HYPERLINK(1),1,1,0,0,0,0,0,"), "{text}");
        let disposition = csv.headers["content-disposition"].to_str().unwrap();
        assert!(
            disposition.starts_with("attachment; filename=\"response-times 2026-10-25 to 2026-11-23.csv\"")
        );
        let bearer = format!("Bearer {}", clinic.alex.token);
        let headers = [("authorization", bearer.as_str()), ("accept", "text/csv")];
        let path = "/api/v1/reports/volume?from=2026-11-22&to=2026-11-23";
        let asked = clinic.app.request(axum::http::Method::GET, path, &headers, "").await;
        let text = String::from_utf8(asked.bytes.to_vec()).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[1].starts_with("2026-11-22,2026-11-22,0,0,0,"), "{text}");
        assert!(lines[2].starts_with("2026-11-23,2026-11-23,1,1,"), "{text}");
        assert!(!text.contains(ANA) && !text.contains("Morales"));
    })
    .await;
}

#[tokio::test]
async fn who_waits_now() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        let since = clinic.app.server.store.now();
        clinic.app.advance(Duration::from_mins(10));
        clinic.text("+15125550102", FRONT_DESK, "I need a refill").await;
        clinic.text("+15125550177", FRONT_DESK, "Question about my bill").await;
        let second = clinic.conversation_id("+15125550102", FRONT_DESK).await;
        clinic.act(&clinic.maya, second, "accept", Value::Null).await.ok();
        let now = report(&clinic, "waiting").await;
        assert_eq!((&now["total"]["waiting"], &now["total"]["since"]), (&json!(3), &json!(since)));
        assert_eq!((&now["unassigned"]["waiting"], &now["assigned"]["waiting"]), (&json!(2), &json!(1)));
        let teams: Vec<_> = now["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["name"].clone(), one["waiting"].clone()))
            .collect();
        assert_eq!(teams, [(json!("Billing"), json!(1)), (json!("Pharmacy"), json!(2))]);
        let mayas = report(&clinic, &format!("waiting?group_by=staff&staff_id={}", clinic.maya.id)).await;
        assert_eq!(
            (&mayas["total"]["waiting"], &mayas["groups"][0]["name"]),
            (&json!(1), &json!("Maya Torres"))
        );
        // Answered, nobody waits; closed, neither.
        clinic.act(&clinic.maya, second, "messages", json!({ "body": "Ready at four." })).await.ok();
        let first = clinic.conversation_id(ANA, FRONT_DESK).await;
        clinic.act(&clinic.alex, first, "close", Value::Null).await.ok();
        clinic.app.settled().await;
        assert_eq!(report(&clinic, "waiting").await["total"]["waiting"], 1);
        assert_eq!(clinic.stored(ANA, FRONT_DESK).await.unwrap().state, ConversationState::Closed);
    })
    .await;
}

#[tokio::test]
async fn keywords_and_opt_outs_are_counted_and_open_nothing() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "STOP").await;
        clinic.text(ANA, FRONT_DESK, "START").await;
        let outcomes = report(&clinic, "outcomes").await;
        assert_eq!(
            (&outcomes["total"]["opted_out"], &outcomes["total"]["opted_in_again"]),
            (&json!(1), &json!(1))
        );
        let volume = report(&clinic, "volume").await;
        assert_eq!((&volume["total"]["texts_in"], &volume["total"]["texts_by_host"]), (&json!(2), &json!(2)));
        assert_eq!((&volume["total"]["opened"], &volume["total"]["reopened"]), (&json!(0), &json!(0)));
        // What the patient then writes opens the conversation, for the first time.
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        let volume = report(&clinic, "volume?group_by=number").await;
        assert_eq!((&volume["total"]["opened"], &volume["total"]["reopened"]), (&json!(1), &json!(0)));
        let number = clinic.number(FRONT_DESK).await.to_string();
        assert_eq!(group(&volume, &number), &volume["total"]);
    })
    .await;
}
