//! The organization, its facilities with their hours, its teams: changed while it runs, by whom it may be.

use anteroom_model::states::Role;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, Clinic, FRONT_DESK, Staff, run};

const ANA: &str = "+15125550101";
const ZONE: &str = "America/Chicago";

async fn change(clinic: &Clinic, method: Method, path: &str, body: Value) -> Answer {
    clinic.api(&clinic.alex, method, path, &body).await
}

async fn change_if(clinic: &Clinic, path: &str, version: i64, body: Value) -> Answer {
    let (bearer, tag) = (format!("Bearer {}", clinic.alex.token), format!("\"{version}\""));
    let headers = [("authorization", bearer.as_str()), ("if-match", tag.as_str())];
    clinic.app.request(Method::PATCH, &format!("/api/v1/{path}"), &headers, body.to_string()).await
}

/// Mondays with a lunch break; Christmas Eve until noon, Christmas not at all.
fn split_week() -> Value {
    let lunch = json!([{ "from": "08:00", "until": "12:00" }, { "from": "13:00", "until": "17:00" }]);
    json!({
        "weekly": [{ "day": "thursday", "shifts": lunch }, { "day": "monday", "shifts": lunch }],
        "holidays": [
            { "date": "2026-12-25", "name": "Christmas Day" },
            { "date": "2026-12-24", "name": "Christmas Eve", "shifts": [{ "from": "08:00", "until": "12:00" }] },
        ],
    })
}

#[tokio::test]
async fn a_facility_comes_changes_and_goes() {
    run(async |clinic| {
        let new = json!({ "name": "North", "time_zone": ZONE, "hours": split_week() });
        let made = clinic.post(&clinic.alex, "facilities", new.clone()).await;
        assert_eq!(made.status, StatusCode::CREATED);
        let north = made.ok();
        // In the order of the calendar.
        assert_eq!(north["hours"]["weekly"][0]["day"], "monday");
        assert_eq!(north["hours"]["holidays"][0]["name"], "Christmas Eve");
        // Monday, ten o'clock.
        assert_eq!((&north["open_now"], &north["now"]["closes"]["time"]), (&json!(true), &json!("12:00")));
        let twice = clinic.post(&clinic.alex, "facilities", new).await;
        assert_eq!((twice.status, &twice.body["field"]), (StatusCode::CONFLICT, &json!("name")));

        let path = format!("facilities/{}", north["id"].as_str().unwrap());
        let east = change_if(&clinic, &path, 1, json!({ "name": "East", "time_zone": "America/New_York" }))
            .await
            .ok();
        assert_eq!((&east["name"], &east["version"]), (&json!("East"), &json!(2)));
        assert_eq!(east["hours"], north["hours"]);
        let late = change_if(&clinic, &path, 1, json!({ "name": "West" })).await;
        assert_eq!((late.status, late.problem()), (StatusCode::CONFLICT, "changed"));

        // A number belongs to it, then nothing does.
        let number = format!("numbers/{}", clinic.number(FRONT_DESK).await);
        let home = clinic.get(&number).await["facility"]["id"].clone();
        change(&clinic, Method::PATCH, &number, json!({ "facility_id": east["id"] })).await.ok();
        let used = change(&clinic, Method::DELETE, &path, Value::Null).await;
        assert_eq!((used.status, used.problem()), (StatusCode::CONFLICT, "in-use"));
        assert!(used.body["detail"].as_str().unwrap().contains("Front desk"), "{}", used.body);
        change(&clinic, Method::PATCH, &number, json!({ "facility_id": home })).await.ok();
        assert_eq!(change(&clinic, Method::DELETE, &path, Value::Null).await.status, StatusCode::NO_CONTENT);
        assert_eq!(change(&clinic, Method::DELETE, &path, Value::Null).await.status, StatusCode::NOT_FOUND);
        assert_eq!(clinic.list("facilities").await.len(), 1);

        // One that conversations belong to stays.
        clinic.text(ANA, FRONT_DESK, "Hello").await;
        change(&clinic, Method::PATCH, &number, json!({ "facility_id": null })).await.ok();
        for other in ["New patients", "Reminders"] {
            let numbers = clinic.list("numbers").await;
            let id =
                numbers.iter().find(|one| one["label"] == other).unwrap()["id"].as_str().unwrap().to_owned();
            change(&clinic, Method::PATCH, &format!("numbers/{id}"), json!({ "facility_id": null }))
                .await
                .ok();
        }
        let kept =
            change(&clinic, Method::DELETE, &format!("facilities/{}", home.as_str().unwrap()), Value::Null)
                .await;
        assert_eq!(kept.problem(), "in-use");
        assert!(kept.body["detail"].as_str().unwrap().contains("Conversations"), "{}", kept.body);
    })
    .await;
}

#[tokio::test]
async fn hours_are_what_the_policies_go_by_from_the_next_text_on() {
    run(async |clinic| {
        let facility = clinic.list("facilities").await.remove(0);
        let path = format!("facilities/{}", facility["id"].as_str().unwrap());
        change(&clinic, Method::PATCH, &path, json!({ "hours": { "weekly": [] } })).await.ok();
        clinic.text(ANA, FRONT_DESK, "Hello").await;
        let closed = clinic.received(ANA, FRONT_DESK).await;
        assert!(closed.iter().any(|text| text.contains("closed")), "{closed:?}");
    })
    .await;
}

#[tokio::test]
async fn hours_over_holidays_and_the_change_of_the_clocks() {
    run(async |clinic| {
        let preview = async |hours: Value| {
            let body = json!({ "time_zone": ZONE, "hours": hours });
            clinic.post(&clinic.maya, "facilities/hours/preview", body).await
        };
        let shown = async || {
            let now = preview(split_week()).await.ok();
            let at = |moment: &Value| format!("{} {}", moment["date"].as_str().unwrap(), moment["time"].as_str().unwrap());
            let next = if now["open"] == true { &now["closes"] } else { &now["opens"] };
            (now["open"] == true, at(next), now["holiday"].as_str().map(str::to_owned))
        };
        for (moment, open, next, holiday) in [
            ("2026-11-23T12:30:00-06:00", false, "2026-11-23 13:00", None),
            ("2026-12-24T08:00:00-06:00", true, "2026-12-24 12:00", Some("Christmas Eve")),
            ("2026-12-24T14:00:00-06:00", false, "2026-12-28 08:00", Some("Christmas Eve")),
            ("2026-12-25T10:00:00-06:00", false, "2026-12-28 08:00", Some("Christmas Day")),
            // The last Monday of winter time, and the first one of summer time: 13:30 in Greenwich both.
            ("2027-03-08T13:30:00Z", false, "2027-03-08 08:00", None),
            ("2027-03-15T13:30:00Z", true, "2027-03-15 12:00", None),
        ] {
            clinic.app.advance_to(moment);
            let expected = (open, next.to_owned(), holiday.map(str::to_owned));
            assert_eq!(shown().await, expected, "{moment}");
        }
        let one = |from: &str, until: &str| json!([{ "from": from, "until": until }]);
        for (field, hours) in [
            ("monday", json!({ "weekly": [{ "day": "monday", "shifts": one("12:00", "08:00") }] })),
            ("hours", json!({ "weekly": [{ "day": "someday", "shifts": one("08:00", "12:00") }] })),
            ("monday", json!({ "weekly": [{ "day": "monday", "shifts": one("08:00", "12:00") }, { "day": "Monday", "shifts": one("13:00", "14:00") }] })),
            ("holidays", json!({ "holidays": [{ "date": "12/25", "name": "Christmas" }] })),
            ("2026-12-25", json!({ "holidays": [{ "date": "2026-12-25", "name": " " }] })),
        ] {
            let wrong = preview(hours).await;
            assert_eq!((wrong.status, &wrong.body["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(field)));
        }
        let nowhere = json!({ "time_zone": "Mars/Base", "hours": {} });
        let nowhere = clinic.post(&clinic.maya, "facilities/hours/preview", nowhere).await;
        assert_eq!(nowhere.body["field"], "time_zone");
    })
    .await;
}

#[tokio::test]
async fn teams_come_change_and_go() {
    run(async |clinic| {
        let new = json!({ "name": "Refills", "members": [clinic.maya.id, clinic.sam.id] });
        let team = clinic.post(&clinic.alex, "teams", new).await.ok();
        let names = |team: &Value| -> Vec<String> {
            team["members"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["name"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(names(&team), ["Maya Torres", "Sam Okafor"]);
        let path = format!("teams/{}", team["id"].as_str().unwrap());
        let changed = change_if(&clinic, &path, 1, json!({ "name": "Renewals", "members": [clinic.sam.id] }))
            .await
            .ok();
        assert_eq!((names(&changed), &changed["name"]), (vec!["Sam Okafor".to_owned()], &json!("Renewals")));
        assert_eq!(change_if(&clinic, &path, 1, json!({ "name": "X" })).await.problem(), "changed");
        let stranger = json!({ "members": [clinic.account] });
        assert_eq!(change(&clinic, Method::PATCH, &path, stranger).await.body["field"], "members");
        let taken = change(&clinic, Method::PATCH, &path, json!({ "name": "Billing" })).await;
        assert_eq!((taken.status, &taken.body["field"]), (StatusCode::CONFLICT, &json!("name")));

        // The other way round: somebody's teams.
        let sam = format!("staff/{}", clinic.sam.id);
        let teams = change(&clinic, Method::PATCH, &sam, json!({ "teams": [] })).await.ok();
        assert_eq!(teams["teams"], json!([]));
        assert!(
            names(&clinic.list("teams").await.iter().find(|one| one["name"] == "Renewals").unwrap().clone())
                .is_empty()
        );

        assert_eq!(change(&clinic, Method::DELETE, &path, Value::Null).await.status, StatusCode::NO_CONTENT);
        // The default routing and saved replies name the pharmacy.
        let teams = clinic.list("teams").await;
        let pharmacy = teams.iter().find(|one| one["name"] == "Pharmacy").unwrap();
        assert_eq!(pharmacy["named_by"], json!(["routing", "shortcuts"]));
        let refused = change(
            &clinic,
            Method::DELETE,
            &format!("teams/{}", pharmacy["id"].as_str().unwrap()),
            Value::Null,
        )
        .await;
        assert_eq!((refused.status, refused.problem()), (StatusCode::CONFLICT, "in-use"));
    })
    .await;
}

#[tokio::test]
async fn the_organization_has_a_name_and_days() {
    run(async |clinic| {
        let own = clinic.get("organization").await;
        assert_eq!(
            (&own["name"], &own["time_zone"], &own["days_in"]),
            (&json!("Riverside Clinic"), &Value::Null, &json!(ZONE))
        );
        let changed = change_if(
            &clinic,
            "organization",
            1,
            json!({ "name": "Riverside Health", "time_zone": "America/Denver" }),
        )
        .await
        .ok();
        assert_eq!((&changed["days_in"], &changed["version"]), (&json!("America/Denver"), &json!(2)));
        assert_eq!(change_if(&clinic, "organization", 1, json!({ "name": "X" })).await.problem(), "changed");
        let back = change(&clinic, Method::PATCH, "organization", json!({ "time_zone": null })).await.ok();
        assert_eq!((&back["name"], &back["days_in"]), (&json!("Riverside Health"), &json!(ZONE)));
        for (field, wrong) in
            [("name", json!({ "name": "" })), ("time_zone", json!({ "time_zone": "Texas" }))]
        {
            let answer = change(&clinic, Method::PATCH, "organization", wrong).await;
            assert_eq!(
                (answer.status, &answer.body["field"]),
                (StatusCode::UNPROCESSABLE_ENTITY, &json!(field))
            );
        }
    })
    .await;
}

#[tokio::test]
async fn only_admins_set_up_and_auditors_look() {
    run(async |clinic| {
        let lead = clinic.colleague(Role::Lead, "Priya Raman").await;
        let auditor = clinic.colleague(Role::Auditor, "Jordan Lee").await;
        let facility = clinic.list("facilities").await.remove(0)["id"].as_str().unwrap().to_owned();
        let team = clinic.list("teams").await.remove(0)["id"].as_str().unwrap().to_owned();
        let sam = clinic.sam.id;
        let hours = json!({ "name": "X", "time_zone": ZONE, "hours": {} });
        let person = json!({ "name": "X", "email": "x@y.example", "role": "admin" });
        let changes = [
            (Method::PATCH, "organization".to_owned(), json!({ "name": "X" })),
            (Method::POST, "facilities".to_owned(), hours),
            (Method::PATCH, format!("facilities/{facility}"), json!({ "name": "X" })),
            (Method::DELETE, format!("facilities/{facility}"), Value::Null),
            (Method::POST, "teams".to_owned(), json!({ "name": "X" })),
            (Method::PATCH, format!("teams/{team}"), json!({ "name": "X" })),
            (Method::DELETE, format!("teams/{team}"), Value::Null),
            (Method::POST, "staff".to_owned(), person),
            (Method::PATCH, format!("staff/{sam}"), json!({ "role": "admin" })),
            (Method::POST, format!("staff/{sam}/link"), Value::Null),
            (Method::DELETE, format!("staff/{sam}/sessions"), Value::Null),
            (Method::DELETE, format!("staff/{sam}/sessions/00"), Value::Null),
        ];
        let asks = async |who: &Staff, method: &Method, path: &str, body: &Value| {
            clinic.api(who, method.clone(), path, body).await.status
        };
        for who in [&clinic.maya, &lead, &auditor] {
            for (method, path, body) in &changes {
                assert_eq!(
                    asks(who, method, path, body).await,
                    StatusCode::FORBIDDEN,
                    "{} {method} {path}",
                    who.name
                );
            }
        }
        let sessions = format!("staff/{sam}/sessions");
        for (who, allowed) in [(&clinic.maya, false), (&lead, false), (&auditor, true), (&clinic.alex, true)]
        {
            let status = asks(who, &Method::GET, &sessions, &Value::Null).await;
            assert_eq!(status == StatusCode::OK, allowed, "{}", who.name);
            let staff = clinic.get_as(who, "staff").await.ok();
            assert_eq!(staff["items"][0]["email"].is_string(), allowed, "{}", who.name);
        }
        // Of another organization nothing is there.
        let other = Clinic::new(&clinic.app, "Hillside Clinic").await;
        for (method, path, body) in changes.iter().filter(|(_, path, _)| path.contains('/')) {
            assert_eq!(asks(&other.alex, method, path, body).await, StatusCode::NOT_FOUND, "{method} {path}");
        }
        assert_eq!(asks(&other.alex, &Method::GET, &sessions, &Value::Null).await, StatusCode::NOT_FOUND);
    })
    .await;
}
