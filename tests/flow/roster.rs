//! Lists of patients that are sent: dry runs, changes, who is missing, what is refused, and how a node goes on
//! where another one ended.

use std::{fmt::Write, time::Duration};

use anteroom::roster::work::Worker;
use anteroom_model::{ids::PatientId, states::Role};
use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use futures::FutureExt;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::{Answer, Clinic, Staff, eventually, run};

const HEADINGS: &str = "MRN,First,Last,DOB,Cell,Site\n";

/// Settings of a source whose files have these headings.
pub(crate) fn settings(more: &Value) -> Value {
    let mut settings = json!({
        "columns": {
            "external_id": "MRN", "first_name": "First", "last_name": "Last", "date_of_birth": "DOB",
            "mobile_phone": "Cell", "facility": "Site",
        },
        "date_order": "mdy",
        "missing": "mark_inactive",
    });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    settings
}

/// Rows of patients who are made up, `from` to `to`.
pub(crate) fn rows(from: u32, to: u32) -> String {
    let mut text = String::new();
    for number in from..to {
        let (month, day, year) = (number % 12 + 1, number % 28 + 1, 1_930 + number % 90);
        writeln!(
            text,
            "M{number:06},Given{number},Family{},{month}/{day}/{year},(737) 5{:02}-{:04},Riverside Main",
            number % 997,
            number / 10_000 % 100,
            number % 10_000
        )
        .unwrap();
    }
    text
}

pub(crate) fn list(from: u32, to: u32) -> String {
    format!("{HEADINGS}{}", rows(from, to))
}

/// Makes a source; its id.
pub(crate) async fn source(clinic: &Clinic, name: &str, body: Value) -> String {
    let mut body = body;
    body["name"] = name.into();
    let answer = clinic.post(&clinic.alex, "roster-sources", body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    answer.body["id"].as_str().unwrap().to_owned()
}

async fn send_as(clinic: &Clinic, who: &Staff, source: &str, query: &str, body: impl Into<Body>) -> Answer {
    let bearer = format!("Bearer {}", who.token);
    let headers =
        [("authorization", bearer.as_str()), ("content-type", "text/csv"), ("file-name", "today.csv")];
    let path = format!("/api/v1/roster-sources/{source}/runs{query}");
    clinic.app.request(Method::POST, &path, &headers, body).await
}

async fn send(clinic: &Clinic, source: &str, query: &str, body: &str) -> Answer {
    send_as(clinic, &clinic.alex, source, query, body.to_owned()).await
}

pub(crate) async fn as_admin(clinic: &Clinic, path: &str) -> Value {
    clinic.get_as(&clinic.alex, path).await.ok()
}

/// Waits until a run is over.
pub(crate) async fn over(clinic: &Clinic, run: &str) -> Value {
    let path = format!("roster-runs/{run}");
    eventually("the end of a run", || async {
        let run = as_admin(clinic, &path).await;
        !["receiving", "waiting", "running"].contains(&run["state"].as_str().unwrap())
    })
    .await;
    as_admin(clinic, &path).await
}

/// Sends a list and waits until it is worked off.
async fn import(clinic: &Clinic, source: &str, query: &str, body: &str) -> Value {
    let answer = send(clinic, source, query, body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    over(clinic, answer.body["id"].as_str().unwrap()).await
}

/// created, changed, same, refused, missing
pub(crate) fn tally(run: &Value) -> [i64; 5] {
    ["created", "changed", "same", "refused", "missing"].map(|word| run[word].as_i64().unwrap())
}

/// How many patients there are, placeholders too.
pub(crate) async fn patients(clinic: &Clinic) -> usize {
    let mut org = clinic.app.server.store.read(clinic.organization).await.unwrap();
    let (mut count, mut after) = (0, PatientId::LEAST);
    loop {
        let page = org.patients(after, 1_000).await.unwrap();
        let Some(last) = page.last() else { return count };
        (count, after) = (count + page.len(), last.id);
    }
}

/// All rows of a report, page by page.
async fn report(clinic: &Clinic, run: &Value, query: &str) -> Vec<Value> {
    let path = format!("roster-runs/{}/report?{query}", run["id"].as_str().unwrap());
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let mut page = as_admin(clinic, &format!("{path}{cursor}")).await;
        let Value::Array(items) = page["items"].take() else { panic!("no page: {page}") };
        rows.extend(items);
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

async fn notices(clinic: &Clinic, kind: &str) -> Vec<Value> {
    let notices = as_admin(clinic, "notices?limit=200").await["items"].take();
    notices.as_array().unwrap().iter().filter(|notice| notice["kind"] == kind).cloned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_applied_once_and_only_what_it_says_anew() {
    run(async |clinic| {
        clinic.app.start_rosters();
        let before = patients(&clinic).await;
        let source = source(&clinic, "athena", json!({ "settings": settings(&json!({})) })).await;

        let tried = import(&clinic, &source, "?dry_run=true", &list(0, 60)).await;
        assert_eq!((tally(&tried), &tried["state"]), ([60, 0, 0, 0, 0], &json!("done")), "{tried}");
        assert_eq!(patients(&clinic).await, before, "a dry run changes nothing");
        let foreseen = report(&clinic, &tried, "outcome=created&limit=7").await;
        assert_eq!(foreseen.len(), 60);
        assert_eq!((&foreseen[59]["row"], &foreseen[59]["line"]), (&json!(60), &json!(61)));

        let first = import(&clinic, &source, "", &list(0, 60)).await;
        assert_eq!((tally(&first), &first["total"]), ([60, 0, 0, 0, 0], &json!(60)), "{first}");
        assert_eq!(patients(&clinic).await, before + 60);
        let made = report(&clinic, &first, "outcome=created&limit=200").await;
        let ana = made[7]["patient_id"].as_str().unwrap().to_owned();
        let shown = clinic.get(&format!("patients/{ana}")).await;
        assert_eq!(shown["first_name"], "Given7", "{shown}");
        assert_eq!(shown["date_of_birth"], "1937-08-08");

        // The same again: noticed by its bytes, and harmless where it is wanted all the same.
        let again = send(&clinic, &source, "", &list(0, 60)).await;
        assert_eq!((again.status, again.problem()), (StatusCode::CONFLICT, "same-file"));
        assert_eq!(again.body["run_id"], first["id"]);
        let forced = import(&clinic, &source, "?force=true", &list(0, 60)).await;
        assert_eq!(tally(&forced), [0, 0, 60, 0, 0]);

        // Staff correct a name; the list says what it said before, and a new phone of somebody else.
        let id: PatientId = ana.parse().unwrap();
        let corrected: bool = clinic
            .change(move |mut org| {
                async move {
                    let mut profile = org.patient(id).await?.unwrap().profile;
                    profile.first_name = "Corrected".into();
                    let by = anteroom_store::By::host("a test");
                    let stored = org.update_patient(id, None, profile, &by).await?;
                    Ok(matches!(stored, anteroom_store::RecordChange::Stored(_)))
                }
                .boxed()
            })
            .await;
        assert!(corrected);
        let changed = list(0, 60).replace("(737) 500-0003", "(737) 599-9999");
        let changed = import(&clinic, &source, "", &changed).await;
        assert_eq!(tally(&changed), [0, 1, 59, 0, 0]);
        let rows = report(&clinic, &changed, "limit=200").await;
        assert_eq!(rows.len(), 60, "those that are the same are in it too");
        assert_eq!((&rows[3]["outcome"], &rows[3]["fields"]), (&json!("changed"), &json!(["phones"])));
        let shown = clinic.get(&format!("patients/{ana}")).await;
        assert_eq!(shown["first_name"], "Corrected", "what the list says as before stays as staff have it");

        // Some are missing, and come back.
        let fewer = import(&clinic, &source, "", &list(0, 55)).await;
        assert_eq!(tally(&fewer), [0, 1, 54, 0, 5], "{fewer}");
        let missing = report(&clinic, &fewer, "outcome=missing").await;
        assert_eq!(missing.len(), 5);
        let gone = missing[0]["patient_id"].as_str().unwrap();
        let memberships = clinic.list(&format!("patients/{gone}/rosters")).await;
        assert_eq!((&memberships[0]["source"], &memberships[0]["active"]), (&json!("athena"), &json!(false)));
        assert_eq!(patients(&clinic).await, before + 60, "nobody is deleted");
        let back = import(&clinic, &source, "", &list(0, 60)).await;
        assert_eq!(tally(&back), [0, 5, 55, 0, 0]);
        let rows = report(&clinic, &back, "outcome=changed").await;
        assert!(rows.iter().all(|row| row["fields"] == json!(["active"])), "{rows:?}");
        let memberships = clinic.list(&format!("patients/{gone}/rosters")).await;
        assert_eq!(memberships[0]["active"], true);

        // Who was deleted here is not brought back.
        let deleted = clinic
            .change(move |mut org| {
                async move { org.delete_patient(id, None, &anteroom_store::By::host("a test")).await }.boxed()
            })
            .await;
        assert!(matches!(deleted, anteroom_store::Deletion::Done(_)), "{deleted:?}");
        for query in ["?dry_run=true&force=true", "?force=true"] {
            let run = import(&clinic, &source, query, &list(0, 60)).await;
            assert_eq!(tally(&run), [0, 0, 59, 1, 0], "{run}");
            let refused = report(&clinic, &run, "outcome=refused").await;
            assert_eq!(refused[0]["problems"][0]["code"], "patient_deleted");
        }
        assert_eq!(patients(&clinic).await, before + 59);

        let audit = as_admin(&clinic, "audit?limit=200").await;
        let actions: Vec<_> = audit["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["action"].as_str().unwrap())
            .collect();
        for action in ["roster_source.created", "roster.sent", "roster_report.read", "patient.created"] {
            assert!(actions.contains(&action), "{action} is not in the audit");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_said_by_row_and_a_wrong_file_does_no_harm() {
    run(async |clinic| {
        clinic.app.start_rosters();
        let before = patients(&clinic).await;
        let source = source(&clinic, "epic", json!({ "settings": settings(&json!({})) })).await;
        let mut mixed = list(0, 30);
        mixed.push_str("M9,Ana,Secretname,13/13/1985,none,Riverside Main\nM10,Bo\nM000003,Again,Twice,,,\n");
        let run = import(&clinic, &source, "", &mixed).await;
        assert_eq!((tally(&run), &run["state"]), ([30, 0, 0, 3, 0], &json!("done")), "{run}");
        let refused = report(&clinic, &run, "outcome=refused").await;
        let codes: Vec<Vec<&str>> = refused
            .iter()
            .map(|row| {
                let problems = row["problems"].as_array().unwrap();
                problems.iter().map(|problem| problem["code"].as_str().unwrap()).collect()
            })
            .collect();
        assert_eq!(codes, [vec!["date_unreadable", "phone_unreadable"], vec!["columns"], vec!["id_twice"]]);
        let problem = &refused[0]["problems"][0];
        assert_eq!(
            (&problem["column"], &problem["expected"], &problem["found"]),
            (&json!("DOB"), &json!("03/04/1985"), &json!("99/99/9999"))
        );
        assert!(!format!("{refused:?}").contains("Secretname"));

        // Nothing of these is applied.
        let after_first = before + 30;
        for (file, code) in [
            (list(0, 10), "too_many_missing"),
            (list(0, 30).replace("Family", "Other"), "too_many_changed"),
            (list(0, 30).replace('/', "?"), "too_many_refused"),
            (list(0, 31).replace("MRN", "Number"), "column_missing"),
            (format!("{}M31,\"Ana", list(0, 30)), "incomplete"),
            (HEADINGS.to_owned(), "empty"),
            (String::new(), "empty"),
        ] {
            let run = import(&clinic, &source, "", &file).await;
            assert_eq!((&run["state"], &run["problem"]["code"]), (&json!("refused"), &json!(code)), "{run}");
            assert_eq!(tally(&run), [0; 5]);
        }
        assert_eq!(patients(&clinic).await, after_first);
        assert_eq!(notices(&clinic, "roster.refused").await.len(), 7);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_does_not_arrive_whole_leaves_nothing() {
    run(async |clinic| {
        let small = json!({ "limits": { "bytes": 5_000 } });
        let source = source(&clinic, "athena", json!({ "settings": settings(&small) })).await;
        let begun = list(0, 20);
        let broken = futures::stream::iter([Ok(begun.into_bytes()), Err(std::io::Error::other("gone"))]);
        let answer = send_as(&clinic, &clinic.alex, &source, "", Body::from_stream(broken)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        let large = send(&clinic, &source, "", &list(0, 500)).await;
        assert_eq!((large.status, large.problem()), (StatusCode::PAYLOAD_TOO_LARGE, "too-large"));
        let runs = as_admin(&clinic, &format!("roster-sources/{source}/runs")).await;
        assert_eq!(runs["items"], json!([]));
        // The same request again is the same run; another one under its key is refused.
        let bearer = format!("Bearer {}", clinic.alex.token);
        let headers = [("authorization", &*bearer), ("idempotency-key", "monday")];
        let path = format!("/api/v1/roster-sources/{source}/runs");
        let post = async |text: String| clinic.app.request(Method::POST, &path, &headers, text).await;
        let one = post(list(0, 20)).await;
        let two = post(list(0, 20)).await;
        assert_eq!((one.status, &one.body["id"]), (StatusCode::ACCEPTED, &two.body["id"]));
        assert_eq!(post(list(0, 21)).await.problem(), "idempotency-key-reused");
        // Nobody works on it yet: it can be ended.
        let id = one.body["id"].as_str().unwrap();
        let cancel = format!("roster-runs/{id}/cancel");
        assert_eq!(clinic.post(&clinic.alex, &cancel, Value::Null).await.ok()["state"], "cancelled");
        assert_eq!(clinic.post(&clinic.alex, &cancel, Value::Null).await.problem(), "ended");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_are_for_admins_and_their_secrets_for_nobody() {
    run(async |clinic| {
        let sftp = json!({
            "host": "sftp.example", "user": "clinic", "every_seconds": 86_400,
            "host_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"],
        });
        let body = |sftp: &Value| {
            json!({
                "name": "athena", "enabled": false, "settings": settings(&json!({ "sftp": sftp })),
                "secrets": { "password": "hunter2-of-the-clinic" },
            })
        };
        let lead = clinic.colleague(Role::Lead, "Lee Lead").await;
        for who in [&clinic.maya, &lead] {
            let answer = clinic.post(who, "roster-sources", body(&sftp)).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
            assert_eq!(clinic.get_as(who, "roster-sources").await.status, StatusCode::FORBIDDEN);
        }
        let mut without_key = sftp.clone();
        without_key["host_keys"] = json!([]);
        let mut bad_key = sftp.clone();
        bad_key["host_keys"] = json!(["ssh-ed25519 nonsense"]);
        for (wrong, path) in [(without_key, "sftp.host_keys"), (bad_key, "sftp.host_keys")] {
            let answer = clinic.post(&clinic.alex, "roster-sources", body(&wrong)).await;
            assert_eq!(
                (answer.status, &answer.body["path"]),
                (StatusCode::UNPROCESSABLE_ENTITY, &json!(path))
            );
        }
        let made = clinic.post(&clinic.alex, "roster-sources", body(&sftp)).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        assert!(!made.body.to_string().contains("hunter2"));
        assert_eq!(
            (&made.body["has_password"], &made.body["has_private_key"]),
            (&json!(true), &json!(false))
        );
        assert!(made.body["host_key_fingerprints"][0].as_str().unwrap().starts_with("SHA256:"));
        let twice = clinic.post(&clinic.alex, "roster-sources", body(&sftp)).await;
        assert_eq!((twice.status, twice.problem()), (StatusCode::CONFLICT, "conflict"));

        let path = format!("/api/v1/roster-sources/{}", made.body["id"].as_str().unwrap());
        let bearer = format!("Bearer {}", clinic.alex.token);
        let put = async |version: Option<&str>| {
            let mut changed = body(&sftp);
            changed.as_object_mut().unwrap().remove("secrets");
            changed["name"] = "epic".into();
            let mut headers = vec![("authorization", bearer.as_str())];
            headers.extend(version.map(|version| ("if-match", version)));
            clinic.app.request(Method::PUT, &path, &headers, changed.to_string()).await
        };
        assert_eq!(put(None).await.status, StatusCode::PRECONDITION_REQUIRED);
        assert_eq!(put(Some("\"7\"")).await.problem(), "changed");
        let changed = put(Some("\"1\"")).await.ok();
        assert_eq!(
            (&changed["name"], &changed["has_password"]),
            (&json!("epic"), &json!(true)),
            "it is kept"
        );
        assert_eq!(put(Some("\"1\"")).await.body["version"], 2);

        let other = Clinic::new(&clinic.app, "Hillside Clinic").await;
        let id = changed["id"].as_str().unwrap();
        for path in ["", "/runs", "/files"] {
            let answer = other.get_as(&other.alex, &format!("roster-sources/{id}{path}")).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(send_as(&other, &other.alex, id, "", "x").await.status, StatusCode::NOT_FOUND);
        let switched_off = send(&clinic, id, "", "x").await;
        assert_eq!(switched_off.problem(), "switched-off");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_node_goes_on_behind_the_last_batch() {
    Box::pin(run(async |clinic| {
        const ROWS: u32 = 1_500;
        let source = source(&clinic, "athena", json!({ "settings": settings(&json!({})) })).await;
        let before = patients(&clinic).await;
        let sent = send(&clinic, &source, "", &list(0, ROWS)).await.ok();
        let mut starts = 0;
        let other = clinic.app.another_node().await;
        // Each node is gone in the middle of it, mostly without a word.
        loop {
            starts += 1;
            let app = if starts % 2 == 0 { &other } else { &clinic.app.server };
            let stop = CancellationToken::new();
            let worker = Worker { store: app.store.clone(), node: app.node, stop: stop.clone() };
            let Some((organization, run)) = worker.claim().await.unwrap() else {
                clinic.app.advance(Duration::from_secs(30));
                let run = as_admin(&clinic, &format!("roster-runs/{}", sent["id"].as_str().unwrap())).await;
                if run["state"] == "done" {
                    break;
                }
                continue;
            };
            let most = if starts > 12 { i64::MAX } else { 250 * starts };
            let ask = stop.clone();
            let listener = move |progress: anteroom::roster::work::Progress| {
                if progress.done >= most {
                    ask.cancel();
                }
            };
            if starts % 3 == 0 {
                // It says that it stops.
                worker.work(organization, run, &listener).await.unwrap();
            } else {
                // It is dropped wherever it is.
                tokio::select! {
                    ended = worker.work(organization, run, &listener) => ended.unwrap(),
                    () = stop.cancelled() => {}
                }
            }
        }
        let run = over(&clinic, sent["id"].as_str().unwrap()).await;
        assert_eq!(tally(&run), [i64::from(ROWS), 0, 0, 0, 0], "{run}");
        assert!(starts > 3, "{starts}: nobody was stopped");
        assert_eq!(patients(&clinic).await, before + ROWS as usize);
        let rows = report(&clinic, &run, "limit=200").await;
        let places: Vec<i64> = rows.iter().map(|row| row["row"].as_i64().unwrap()).collect();
        assert_eq!(places, (1..=i64::from(ROWS)).collect::<Vec<_>>(), "each row is reported once");
    }))
    .await;
}
