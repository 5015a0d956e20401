//! Who works here: invited, changed, let go; passwords and sessions.

use std::time::Duration;

use anteroom::auth::{self, CSRF_HEADER, links};
use anteroom_model::states::Role;
use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{Answer, Clinic, FRONT_DESK, Staff, run};

const ANA: &str = "+15125550101";
const JOHN: &str = "+15125550102";
const GRACE: &str = "+15125550107";
const EMAIL: &str = "robin@clinic.example";
const PASSWORD: &str = "a few words in a row";
const ANOTHER: &str = "some other words in a row";

async fn post(clinic: &Clinic, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
    clinic.app.request(Method::POST, &format!("/api/v1/{path}"), headers, body.to_string()).await
}

async fn patch(clinic: &Clinic, who: &Staff, path: &str, body: Value) -> Answer {
    clinic.api(who, Method::PATCH, path, &body).await
}

/// A browser that somebody is signed in with.
struct Browser {
    cookie: String,
    csrf: String,
}

impl Browser {
    async fn sign_in(clinic: &Clinic, password: &str) -> Option<Self> {
        let answer = post(clinic, "session", &[], json!({ "email": EMAIL, "password": password })).await;
        let set = answer.headers.get(header::SET_COOKIE)?.to_str().unwrap().to_owned();
        let csrf = answer.ok()["csrf_token"].as_str().unwrap().to_owned();
        Some(Self { cookie: set.split(';').next().unwrap().to_owned(), csrf })
    }

    fn headers(&self) -> [(&str, &str); 2] {
        [("cookie", &self.cookie), (CSRF_HEADER, &self.csrf)]
    }

    async fn is_in(&self, clinic: &Clinic) -> bool {
        let answer = clinic.app.request(Method::GET, "/api/v1/session", &self.headers(), "").await;
        answer.status == StatusCode::OK
    }
}

/// Robin, invited as an agent; their id and the link's code.
async fn invited(clinic: &Clinic) -> (String, String) {
    let new = json!({ "name": "Robin Vale", "email": EMAIL.to_uppercase(), "role": "agent", "teams": [] });
    let made = clinic.post(&clinic.alex, "staff", new).await.ok();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["staff"]["id"]), text(&made["link"]["code"]))
}

async fn set_password(clinic: &Clinic, code: &str, password: &str) -> Answer {
    post(clinic, "welcome/password", &[], json!({ "code": code, "password": password })).await
}

async fn look(clinic: &Clinic, code: &str) -> Answer {
    post(clinic, "welcome", &[], json!({ "code": code })).await
}

async fn person(clinic: &Clinic, id: &str) -> Value {
    let all = clinic.get_as(&clinic.alex, "staff").await.ok();
    all["items"].as_array().unwrap().iter().find(|one| one["id"] == id).unwrap().clone()
}

#[tokio::test]
async fn somebody_is_invited_and_sets_a_password_once() {
    run(async |clinic| {
        let (id, code) = invited(&clinic).await;
        assert_eq!(person(&clinic, &id).await["link"]["invites"], true);
        assert_eq!(person(&clinic, &id).await["email"], EMAIL);
        assert!(Browser::sign_in(&clinic, PASSWORD).await.is_none());

        let who = look(&clinic, &code).await.ok();
        assert_eq!(
            (&who["name"], &who["email"], &who["invites"]),
            (&json!("Robin Vale"), &json!(EMAIL), &json!(true))
        );
        let short = set_password(&clinic, &code, "short").await;
        assert_eq!(
            (short.status, &short.body["field"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("password"))
        );
        assert_eq!(set_password(&clinic, &code, PASSWORD).await.status, StatusCode::NO_CONTENT);
        assert!(Browser::sign_in(&clinic, PASSWORD).await.unwrap().is_in(&clinic).await);
        assert_eq!(person(&clinic, &id).await["link"], Value::Null);

        // Once.
        let again = set_password(&clinic, &code, ANOTHER).await;
        assert_eq!((again.status, again.problem()), (StatusCode::NOT_FOUND, "link-over"));
        assert_eq!(look(&clinic, &code).await.problem(), "link-over");
        let audit = clinic.get_as(&clinic.alex, "audit").await.ok().to_string();
        assert!(audit.contains("staff.invited") && audit.contains("staff.password_set"));
        assert!(!audit.contains(code.rsplit('.').next().unwrap()));

        let taken = json!({ "name": "Another", "email": EMAIL, "role": "agent" });
        let taken = clinic.post(&clinic.alex, "staff", taken).await;
        assert_eq!((taken.status, &taken.body["field"]), (StatusCode::CONFLICT, &json!("email")));
        for (field, wrong) in [
            ("name", json!({ "name": " ", "email": "x@y.example", "role": "agent" })),
            ("email", json!({ "name": "X", "email": "nowhere", "role": "agent" })),
            (
                "teams",
                json!({ "name": "X", "email": "x@y.example", "role": "agent", "teams": [clinic.maya.id] }),
            ),
        ] {
            let answer = clinic.post(&clinic.alex, "staff", wrong).await;
            assert_eq!(
                (answer.status, &answer.body["field"]),
                (StatusCode::UNPROCESSABLE_ENTITY, &json!(field))
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_link_ends_by_its_time_by_another_one_and_with_the_person() {
    run(async |clinic| {
        let (id, first) = invited(&clinic).await;
        clinic.app.advance(links::INVITATION);
        assert_eq!(look(&clinic, &first).await.problem(), "link-over");
        assert_eq!(set_password(&clinic, &first, PASSWORD).await.problem(), "link-over");
        assert_eq!(person(&clinic, &id).await["link"]["expired"], true);

        let path = format!("staff/{id}/link");
        let link = async || {
            let made = clinic.post(&clinic.alex, &path, Value::Null).await.ok();
            made["code"].as_str().unwrap().to_owned()
        };
        let second = link().await;
        // Still an invitation: nobody has set a password.
        assert_eq!(look(&clinic, &second).await.ok()["invites"], true);
        let third = link().await;
        assert_eq!(look(&clinic, &second).await.problem(), "link-over");
        assert_eq!(set_password(&clinic, &third, PASSWORD).await.status, StatusCode::NO_CONTENT);

        // Another password: the one before counts until the link is used, and sessions end then.
        let reset = link().await;
        assert_eq!(look(&clinic, &reset).await.ok()["invites"], false);
        let before = Browser::sign_in(&clinic, PASSWORD).await.unwrap();
        assert_eq!(set_password(&clinic, &reset, ANOTHER).await.status, StatusCode::NO_CONTENT);
        assert!(!before.is_in(&clinic).await);
        assert!(Browser::sign_in(&clinic, PASSWORD).await.is_none());
        assert!(Browser::sign_in(&clinic, ANOTHER).await.is_some());

        let last = link().await;
        patch(&clinic, &clinic.alex, &format!("staff/{id}"), json!({ "active": false })).await.ok();
        assert_eq!(look(&clinic, &last).await.problem(), "link-over");
        assert_eq!(clinic.post(&clinic.alex, &path, Value::Null).await.problem(), "inactive");
    })
    .await;
}

#[tokio::test]
async fn links_can_not_be_guessed() {
    run(async |clinic| {
        let (_, code) = invited(&clinic).await;
        let (known, secret) = code.rsplit_once('.').unwrap();
        assert!(secret.len() >= 43, "256 bits");
        for _ in 0..10 {
            assert_eq!(look(&clinic, &format!("{known}.guess")).await.problem(), "link-over");
        }
        let slowed = look(&clinic, &format!("{known}.guess")).await;
        assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(slowed.headers.contains_key(header::RETRY_AFTER));
        for nonsense in ["", "x", "a.b.c"] {
            assert_eq!(look(&clinic, nonsense).await.problem(), "link-over");
        }
        // Another organization's name on it opens nothing.
        let other = Clinic::new(&clinic.app, "Hillside Clinic").await;
        let abroad = code.replacen(
            &clinic.organization.0.simple().to_string(),
            &other.organization.0.simple().to_string(),
            1,
        );
        assert_ne!(abroad, code);
        assert_eq!(set_password(&clinic, &abroad, PASSWORD).await.status, StatusCode::TOO_MANY_REQUESTS);
    })
    .await;
}

#[tokio::test]
async fn who_is_let_go_is_out_at_once_and_leaves_nothing_behind() {
    run(async |clinic| {
        let (id, code) = invited(&clinic).await;
        set_password(&clinic, &code, PASSWORD).await;
        let robin = Browser::sign_in(&clinic, PASSWORD).await.unwrap();
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        clinic.text(JOHN, FRONT_DESK, "A question about my bill").await;
        let (ana, john) =
            (clinic.conversation_id(ANA, FRONT_DESK).await, clinic.conversation_id(JOHN, FRONT_DESK).await);
        for conversation in [ana, john] {
            clinic.act(&clinic.alex, conversation, "assign", json!({ "assignee_id": id })).await.ok();
        }
        let until = json!({ "until": "2027-01-01T00:00:00Z" });
        clinic.act(&clinic.alex, john, "snooze", until).await.ok();
        clinic.text(GRACE, FRONT_DESK, "Thanks, all is well").await;
        let grace = clinic.conversation_id(GRACE, FRONT_DESK).await;
        clinic.act(&clinic.alex, grace, "assign", json!({ "assignee_id": id })).await.ok();
        clinic.act(&clinic.alex, grace, "close", Value::Null).await.ok();
        let staff = id.parse().unwrap();
        let store = &clinic.app.server.store;
        let token =
            auth::create_token(store, clinic.organization, staff, "mine", &auth::SCOPES).await.unwrap();
        let program = Staff { id: staff, name: "Robin Vale", token };
        assert_eq!(clinic.get_as(&program, "queues").await.status, StatusCode::OK);

        let gone =
            patch(&clinic, &clinic.alex, &format!("staff/{id}"), json!({ "active": false })).await.ok();
        assert_eq!(gone["active"], false);
        assert!(!robin.is_in(&clinic).await);
        assert_eq!(clinic.get_as(&program, "queues").await.status, StatusCode::UNAUTHORIZED);
        assert!(Browser::sign_in(&clinic, PASSWORD).await.is_none());
        assert_eq!(clinic.conversation(ANA, FRONT_DESK).await["assignee"], Value::Null);
        assert_eq!(clinic.conversation(JOHN, FRONT_DESK).await["assignee"], Value::Null);
        assert!(clinic.queue("unassigned").await.contains(&ana));
        let told = clinic.told(ana, "conversation.assigned").await;
        let summary = told.last().unwrap()["summary"].as_str().unwrap();
        assert_eq!(told.last().unwrap()["names"][&id], "Robin Vale");
        assert_eq!(
            summary,
            "Alex Kim put it back into Unassigned: Robin Vale doesn't work on conversations any more"
        );
        let nobody = clinic.act(&clinic.alex, ana, "assign", json!({ "assignee_id": id })).await;
        assert_eq!(nobody.status, StatusCode::UNPROCESSABLE_ENTITY);
        // What was closed with their name on it is nobody's when it is opened again.
        clinic.act(&clinic.alex, grace, "reopen", Value::Null).await.ok();
        assert_eq!(clinic.conversation(GRACE, FRONT_DESK).await["assignee"], Value::Null);
        assert!(clinic.queue("unassigned").await.contains(&grace));

        // Let in again: with the password there was, and without the tokens.
        patch(&clinic, &clinic.alex, &format!("staff/{id}"), json!({ "active": true })).await.ok();
        assert!(Browser::sign_in(&clinic, PASSWORD).await.is_some());
        assert_eq!(clinic.get_as(&program, "queues").await.status, StatusCode::UNAUTHORIZED);

        // Who only reads from now on has nothing to work on, and stays signed in.
        clinic.act(&clinic.alex, ana, "assign", json!({ "assignee_id": id })).await.ok();
        let reader = Browser::sign_in(&clinic, PASSWORD).await.unwrap();
        patch(&clinic, &clinic.alex, &format!("staff/{id}"), json!({ "role": "auditor" })).await.ok();
        assert!(reader.is_in(&clinic).await);
        assert_eq!(clinic.conversation(ANA, FRONT_DESK).await["assignee"], Value::Null);
    })
    .await;
}

#[tokio::test]
async fn the_last_admin_stays_one() {
    run(async |clinic| {
        let alex = format!("staff/{}", clinic.alex.id);
        for change in [json!({ "active": false }), json!({ "role": "lead" })] {
            let refused = patch(&clinic, &clinic.alex, &alex, change).await;
            assert_eq!((refused.status, refused.problem()), (StatusCode::CONFLICT, "last-admin"));
        }
        patch(&clinic, &clinic.alex, &alex, json!({ "name": "Alex K. Kim" })).await.ok();
        let second = clinic.colleague(Role::Admin, "Dana Fox").await;
        // Each takes it from the other at once: one of them stays.
        let dana = format!("staff/{}", second.id);
        let (one, other) = tokio::join!(
            patch(&clinic, &clinic.alex, &dana, json!({ "role": "agent" })),
            patch(&clinic, &second, &alex, json!({ "role": "agent" })),
        );
        let kept = [one.status, other.status].iter().filter(|status| status.is_success()).count();
        assert_eq!(kept, 1, "{} {}", one.body, other.body);
        let staff = clinic.list("staff").await;
        assert_eq!(staff.iter().filter(|one| one["role"] == "admin" && one["active"] == true).count(), 1);
    })
    .await;
}

#[tokio::test]
async fn of_two_who_change_somebody_the_second_is_told() {
    run(async |clinic| {
        let path = format!("/api/v1/staff/{}", clinic.sam.id);
        let bearer = format!("Bearer {}", clinic.alex.token);
        let change = async |version: &str, name: &str| {
            let headers = [("authorization", bearer.as_str()), ("if-match", version)];
            clinic.app.request(Method::PATCH, &path, &headers, json!({ "name": name }).to_string()).await
        };
        assert_eq!(change("\"1\"", "Sam O.").await.ok()["version"], 2);
        let late = change("\"1\"", "Samuel").await;
        assert_eq!(
            (late.status, late.problem(), &late.body["version"]),
            (StatusCode::CONFLICT, "changed", &json!(2))
        );
        assert_eq!(person(&clinic, &clinic.sam.id.to_string()).await["name"], "Sam O.");
    })
    .await;
}

#[tokio::test]
async fn ones_own_password_ends_the_other_sessions() {
    run(async |clinic| {
        let (id, code) = invited(&clinic).await;
        set_password(&clinic, &code, PASSWORD).await;
        let here = Browser::sign_in(&clinic, PASSWORD).await.unwrap();
        let there = Browser::sign_in(&clinic, PASSWORD).await.unwrap();
        let change = async |current: &str, new: &str| {
            post(&clinic, "me/password", &here.headers(), json!({ "current": current, "new": new })).await
        };
        for (field, answer) in
            [("current", change("wrong", ANOTHER).await), ("new", change(PASSWORD, "short").await)]
        {
            assert_eq!(
                (answer.status, &answer.body["field"]),
                (StatusCode::UNPROCESSABLE_ENTITY, &json!(field))
            );
        }
        assert!(there.is_in(&clinic).await);
        assert_eq!(change(PASSWORD, ANOTHER).await.status, StatusCode::NO_CONTENT);
        assert!(here.is_in(&clinic).await && !there.is_in(&clinic).await);
        assert!(Browser::sign_in(&clinic, PASSWORD).await.is_none());
        let by_token = json!({ "current": ANOTHER, "new": PASSWORD });
        assert_eq!(clinic.post(&clinic.alex, "me/password", by_token).await.status, StatusCode::FORBIDDEN);

        // Their sessions, as an admin sees and ends them.
        let second = Browser::sign_in(&clinic, ANOTHER).await.unwrap();
        let path = format!("staff/{id}/sessions");
        let open = clinic.get_as(&clinic.alex, &path).await.ok();
        assert_eq!(open["items"].as_array().unwrap().len(), 2);
        clinic.app.advance(Duration::from_secs(1));
        let newest = Browser::sign_in(&clinic, ANOTHER).await.unwrap();
        let first =
            clinic.get_as(&clinic.alex, &path).await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
        let one = clinic.api(&clinic.alex, Method::DELETE, &format!("{path}/{first}"), &Value::Null).await;
        assert_eq!(one.status, StatusCode::NO_CONTENT);
        assert!(!newest.is_in(&clinic).await && second.is_in(&clinic).await);
        for unknown in [first.as_str(), "nonsense"] {
            let answer =
                clinic.api(&clinic.alex, Method::DELETE, &format!("{path}/{unknown}"), &Value::Null).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{unknown}");
        }
        let all = clinic.api(&clinic.alex, Method::DELETE, &path, &Value::Null).await;
        assert_eq!(all.status, StatusCode::NO_CONTENT);
        assert!(!here.is_in(&clinic).await && !second.is_in(&clinic).await);
    })
    .await;
}

#[tokio::test]
async fn a_token_tells_when_it_was_used() {
    run(async |clinic| {
        let new = json!({ "name": "Reports", "scopes": ["read"] });
        let token = clinic.post(&clinic.alex, "tokens", new).await.ok()["token"].as_str().unwrap().to_owned();
        let shown = async || {
            let tokens = clinic.get_as(&clinic.alex, "tokens").await.ok();
            let tokens = tokens["items"].as_array().unwrap().clone();
            tokens.into_iter().find(|token| token["name"] == "Reports").unwrap()
        };
        assert_eq!(shown().await["last_used_at"], Value::Null);
        let reports = Staff { token, ..clinic.alex.clone() };
        let used = async |before: Value| {
            clinic.get_as(&reports, "queues").await.ok();
            crate::support::eventually("its use is remembered", || async {
                shown().await["last_used_at"] != before
            })
            .await;
            shown().await["last_used_at"].clone()
        };
        let first = used(Value::Null).await;
        clinic.app.advance(Duration::from_mins(10));
        assert_ne!(used(first.clone()).await, first);
    })
    .await;
}
