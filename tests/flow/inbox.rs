//! Looking at many conversations and working on them: filters, views, labels, closing with a wish, bulk actions.

use std::time::Duration;

use anteroom_model::{ids::ConversationId, states::Role};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, Clinic, FRONT_DESK, NEW_PATIENTS, Staff, run};

const ANA: &str = "+15125550101";
const BEN: &str = "+15125550102";
const STRANGER: &str = "+15125550177";

async fn label(clinic: &Clinic, who: &Staff, id: ConversationId, body: Value) -> Answer {
    clinic.api(who, Method::PATCH, &format!("conversations/{id}"), &body).await
}

async fn listed(clinic: &Clinic, query: &str) -> Vec<Value> {
    let items = clinic.list(&format!("conversations?queue=all&{query}")).await;
    items.iter().map(|item| item["id"].clone()).collect()
}

#[tokio::test]
async fn a_queue_is_narrowed_by_what_the_address_says() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        clinic.text(BEN, FRONT_DESK, "It is about my bill").await;
        clinic.text(STRANGER, NEW_PATIENTS, "Hello").await;
        let [ana, ben, stranger] = [
            clinic.conversation_id(ANA, FRONT_DESK).await,
            clinic.conversation_id(BEN, FRONT_DESK).await,
            clinic.conversation_id(STRANGER, NEW_PATIENTS).await,
        ];
        label(&clinic, &clinic.maya, ana, json!({ "add_tags": ["call back", "vip"], "priority": "high" }))
            .await
            .ok();
        let team = |conversation: &Value| conversation["team"]["id"].as_str().unwrap().to_owned();
        let pharmacy = team(&clinic.conversation(ANA, FRONT_DESK).await);
        let billing = team(&clinic.conversation(BEN, FRONT_DESK).await);
        let number = clinic.conversation(STRANGER, NEW_PATIENTS).await["number"]["id"].clone();
        let number = number.as_str().unwrap();
        for (query, expected) in [
            (format!("team={pharmacy}"), vec![ana]),
            (format!("team={pharmacy}&team={billing}"), vec![ana, ben]),
            (format!("number={number}"), vec![stranger]),
            ("tag=call%20back".to_owned(), vec![ana]),
            ("priority=high&priority=urgent".to_owned(), vec![ana]),
            ("category=refill".to_owned(), vec![ana]),
            (format!("category=refill&team={billing}"), vec![]),
        ] {
            let expected: Vec<_> = expected.iter().map(|id| json!(id)).collect();
            assert_eq!(listed(&clinic, &query).await, expected, "{query}");
        }
        let refused = clinic.get_as(&clinic.maya, "conversations?team=nurses").await;
        assert_eq!(refused.problem(), "invalid");
        let in_use = clinic.get("labels").await;
        assert_eq!(in_use["tags"], json!(["call back", "vip"]));
        assert!(in_use["categories"].as_array().unwrap().contains(&json!("refill")));
    })
    .await;
}

#[tokio::test]
async fn snoozed_ones_have_a_queue_and_every_queue_a_count() {
    run(async |clinic| {
        for (phone, until) in [(ANA, "2026-11-25T08:00:00-06:00"), (BEN, "2026-11-24T08:00:00-06:00")] {
            clinic.text(phone, FRONT_DESK, "I need a refill").await;
            let id = clinic.conversation_id(phone, FRONT_DESK).await;
            clinic.act(&clinic.maya, id, "snooze", json!({ "until": until })).await.ok();
        }
        let [ana, ben] =
            [clinic.conversation_id(ANA, FRONT_DESK).await, clinic.conversation_id(BEN, FRONT_DESK).await];
        assert_eq!(clinic.queue("snoozed").await, [ben, ana], "the soonest first");
        let first = clinic.get("conversations?queue=snoozed&limit=1").await;
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = clinic.get(&format!("conversations?queue=snoozed&limit=1&cursor={cursor}")).await;
        assert_eq!(second["items"][0]["id"], json!(ana));
        let counts = clinic.get("queues").await;
        let expected = json!({ "unassigned": 0, "mine": 0, "team": 2, "all": 2, "snoozed": 2, "closed": 0, "views": {} });
        assert_eq!(counts, expected);
    })
    .await;
}

#[tokio::test]
async fn what_staff_set_is_told_and_stays_when_the_policy_routes_again() {
    run(async |clinic| {
        clinic.text(STRANGER, FRONT_DESK, "Hello").await;
        let id = clinic.conversation_id(STRANGER, FRONT_DESK).await;
        let version = clinic.conversation(STRANGER, FRONT_DESK).await["version"].as_i64().unwrap();
        let body = json!({ "category": "form", "priority": "low", "tags": [" school ", "school"] });
        let labelled = label(&clinic, &clinic.maya, id, body.clone()).await.ok();
        assert_eq!((&labelled["category"], &labelled["priority"]), (&json!("form"), &json!("low")));
        assert_eq!(labelled["tags"], json!(["school"]));
        let told = clinic.told(id, "conversation.tagged").await;
        let said = "Maya Torres set the priority to low and set the category to form and tagged it school";
        assert_eq!(told[0]["summary"], said);
        // The same again changes nothing.
        assert_eq!(label(&clinic, &clinic.maya, id, body).await.ok()["version"], labelled["version"]);

        clinic.text(STRANGER, FRONT_DESK, "It is about my bill").await;
        let routed = clinic.conversation(STRANGER, FRONT_DESK).await;
        assert_eq!(routed["team"]["name"], "Billing", "where it belongs is the policy's to say");
        assert_eq!((&routed["category"], &routed["tags"]), (&json!("form"), &json!(["school"])));
        clinic.text(STRANGER, FRONT_DESK, "And now I have chest pain").await;
        let urgent = clinic.conversation(STRANGER, FRONT_DESK).await;
        assert_eq!((&urgent["priority"], &urgent["category"]), (&json!("urgent"), &json!("form")));

        let headers = [
            ("authorization", format!("Bearer {}", clinic.maya.token)),
            ("if-match", format!("\"{version}\"")),
        ];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let path = format!("/api/v1/conversations/{id}");
        let late = clinic.app.request(Method::PATCH, &path, &headers, r#"{"priority":"high"}"#).await;
        assert_eq!((late.status, late.problem()), (StatusCode::CONFLICT, "changed"));
        for wrong in
            [json!({ "tags": [""] }), json!({ "category": "a\nb" }), json!({ "tags": vec!["x".repeat(41)] })]
        {
            assert_eq!(label(&clinic, &clinic.maya, id, wrong).await.problem(), "invalid");
        }
        let many: Vec<_> = (0..21).map(|number| number.to_string()).collect();
        assert_eq!(label(&clinic, &clinic.maya, id, json!({ "tags": many })).await.problem(), "invalid");
        let auditor = clinic.colleague(Role::Auditor, "Nia Cole").await;
        assert_eq!(
            label(&clinic, &auditor, id, json!({ "priority": "low" })).await.status,
            StatusCode::FORBIDDEN
        );
    })
    .await;
}

#[tokio::test]
async fn closed_for_the_same_person_it_comes_back_to_them() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        clinic.act(&clinic.maya, id, "accept", Value::Null).await.ok();
        let wrong = clinic.act(&clinic.maya, id, "close", json!({ "new_text": "nobody" })).await;
        assert_eq!(wrong.problem(), "invalid");
        let closed = clinic.act(&clinic.maya, id, "close", json!({ "new_text": "same_person" })).await.ok();
        assert_eq!(closed["returns_to"]["name"], "Maya Torres");
        let told = clinic.told(id, "conversation.closed").await;
        assert_eq!(told[0]["summary"], "Maya Torres closed it; a new text comes back to Maya Torres");

        clinic.app.advance(Duration::from_hours(24));
        clinic.text(ANA, FRONT_DESK, "Thanks! And about my bill?").await;
        let back = clinic.conversation(ANA, FRONT_DESK).await;
        assert_eq!((&back["state"], &back["assignee"]["name"]), (&json!("open"), &json!("Maya Torres")));
        assert_eq!(back["team"]["name"], "Pharmacy", "the same matter, not routed anew");
        assert_eq!(back["returns_to"], Value::Null);
        assert_eq!((clinic.queue("mine").await, clinic.queue("unassigned").await), (vec![id], vec![]));
        let told = clinic.told(id, "conversation.reopened").await;
        assert_eq!(told[0]["summary"], "Reopened by a new text, for Maya Torres");

        // The wish holds once: closed without it, the next text goes to everybody.
        clinic.act(&clinic.maya, id, "close", Value::Null).await.ok();
        clinic.text(ANA, FRONT_DESK, "One more thing").await;
        assert_eq!(clinic.queue("unassigned").await, [id]);
    })
    .await;
}

#[tokio::test]
async fn one_closed_for_somebody_who_has_left_comes_back_to_unassigned() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        // Nobody has it: whoever closes it has dealt with it.
        let closed = clinic.act(&clinic.maya, id, "close", json!({ "new_text": "same_person" })).await.ok();
        assert_eq!(closed["returns_to"]["name"], "Maya Torres");
        clinic.app.sql("UPDATE staff SET active = FALSE WHERE name = 'Maya Torres'").await;
        clinic.text(ANA, FRONT_DESK, "Thanks! And about my bill?").await;
        let back = clinic.get_as(&clinic.alex, &format!("conversations/{id}")).await.ok();
        assert_eq!((&back["state"], &back["assignee"]), (&json!("open"), &Value::Null));
        assert_eq!(back["team"]["name"], "Billing", "routed anew");
        let timeline = clinic.get_as(&clinic.alex, &format!("conversations/{id}/timeline")).await.ok();
        let reopened = timeline["items"].as_array().unwrap().iter();
        let reopened: Vec<_> = reopened.filter(|entry| entry["kind"] == "conversation.reopened").collect();
        assert_eq!(
            reopened[0]["summary"],
            "Reopened by a new text; Maya Torres works here no longer, so it is in Unassigned"
        );
    })
    .await;
}

#[tokio::test]
async fn many_at_once_each_by_itself() {
    run(async |clinic| {
        let mut ids = Vec::new();
        for number in 0..5 {
            let phone = format!("+1512555017{number}");
            clinic.text(&phone, FRONT_DESK, "Hello").await;
            ids.push(clinic.conversation_id(&phone, FRONT_DESK).await);
        }
        clinic.act(&clinic.sam, ids[1], "accept", Value::Null).await.ok();
        clinic.act(&clinic.sam, ids[2], "close", Value::Null).await.ok();
        let nowhere = ConversationId::LEAST;
        let bulk = async |who: &Staff, ids: &[ConversationId], action: Value| {
            clinic.post(who, "conversations/bulk", json!({ "ids": ids, "action": action })).await
        };
        let wanted = [ids[0], ids[1], ids[2], nowhere, ids[3], ids[0]];
        let outcome = bulk(&clinic.maya, &wanted, json!({ "kind": "accept" })).await.ok();
        assert_eq!(outcome["done"], 2);
        let items: Vec<_> = outcome["items"].as_array().unwrap().iter().collect();
        let said: Vec<_> = items.iter().map(|item| (&item["done"], item["problem"].as_str())).collect();
        assert_eq!(
            said,
            [
                (&json!(true), None),
                (&json!(false), Some("held")),
                (&json!(false), Some("closed")),
                (&json!(false), Some("not-found")),
                (&json!(true), None)
            ],
            "in the order of the request, each once"
        );
        assert_eq!(items[1]["winner"]["name"], "Sam Okafor");
        assert_eq!(clinic.queue("mine").await, [ids[0], ids[3]]);
        assert_eq!(clinic.told(ids[0], "conversation.accepted").await.len(), 1);

        let tagged =
            bulk(&clinic.maya, &[ids[0], ids[3]], json!({ "kind": "tag", "add_tags": ["flu shots"] })).await;
        assert_eq!(tagged.ok()["done"], 2);
        assert_eq!(listed(&clinic, "tag=flu%20shots").await.len(), 2);
        let until = json!({ "kind": "snooze", "until": "2026-11-24T08:00:00-06:00" });
        assert_eq!(bulk(&clinic.maya, &[ids[3]], until).await.ok()["done"], 1);
        let sam = json!({ "kind": "assign", "assignee_id": clinic.sam.id });
        assert_eq!(bulk(&clinic.maya, &[ids[0]], sam).await.ok()["done"], 1);
        let closed =
            bulk(&clinic.maya, &[ids[0], ids[3]], json!({ "kind": "close", "new_text": "same_person" }))
                .await;
        assert_eq!(closed.ok()["done"], 2);
        let back = clinic.get(&format!("conversations/{}", ids[0])).await;
        assert_eq!(back["returns_to"]["name"], "Sam Okafor");

        let accept = json!({ "kind": "accept" });
        assert_eq!(bulk(&clinic.maya, &[], accept.clone()).await.problem(), "invalid");
        assert_eq!(bulk(&clinic.maya, &[nowhere; 201], accept.clone()).await.problem(), "invalid");
        let past = json!({ "kind": "snooze", "until": "2020-01-01T00:00:00Z" });
        assert_eq!(bulk(&clinic.maya, &ids, past).await.problem(), "invalid");
        let auditor = clinic.colleague(Role::Auditor, "Nia Cole").await;
        assert_eq!(bulk(&auditor, &ids, accept).await.status, StatusCode::FORBIDDEN);
    })
    .await;
}

#[tokio::test]
async fn a_view_is_ones_own_or_shared_by_those_who_lead() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        let lead = clinic.colleague(Role::Lead, "Priya Nair").await;
        let teams = clinic.list("teams").await;
        let pharmacy = teams.iter().find(|team| team["name"] == "Pharmacy").unwrap()["id"].clone();
        let form = |name: &str, shared: &str, team: Value| {
            json!({ "name": name, "queue": "all", "filters": { "category": ["refill"] }, "shared": shared, "team_id": team })
        };
        let save = async |who: &Staff, form: Value| clinic.post(who, "views", form).await;
        let mine = save(&clinic.maya, json!({ "name": " Refills ", "queue": "unassigned", "filters": { "category": ["refill"] } })).await;
        assert_eq!(mine.status, StatusCode::CREATED);
        let mine = mine.ok();
        assert_eq!((&mine["name"], &mine["shared"]), (&json!("Refills"), &json!("nobody")));
        assert_eq!(save(&clinic.maya, form("For all", "everybody", Value::Null)).await.status, StatusCode::FORBIDDEN);
        let everybody = save(&lead, form("For all", "everybody", Value::Null)).await.ok();
        let of_team = save(&lead, form("Pharmacy's", "team", pharmacy.clone())).await.ok();
        for wrong in [form("", "nobody", Value::Null), form("No team", "team", Value::Null), form("A team", "everybody", pharmacy)] {
            assert_eq!(save(&lead, wrong).await.problem(), "invalid");
        }
        let names = async |who: &Staff| -> Vec<String> {
            let views = clinic.get_as(who, "views").await.ok();
            views["items"].as_array().unwrap().iter().map(|view| view["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(&clinic.maya).await, ["Refills", "For all", "Pharmacy's"]);
        assert_eq!(names(&clinic.sam).await, ["For all"], "he is of billing");
        let counts = clinic.get("queues").await;
        assert_eq!(counts["views"][mine["id"].as_str().unwrap()], 1);
        let done = json!({ "name": "Done", "queue": "closed", "filters": { "category": ["refill"] } });
        let done = save(&clinic.alex, done).await.ok();
        let counts = clinic.get_as(&clinic.alex, "queues").await.ok();
        assert_eq!(counts["views"][done["id"].as_str().unwrap()], Value::Null, "what is done isn't counted");

        let path = |view: &Value| format!("views/{}", view["id"].as_str().unwrap());
        let put = async |who: &Staff, view: &Value, form: Value| clinic.api(who, Method::PUT, &path(view), &form).await;
        assert_eq!(put(&clinic.maya, &everybody, form("Mine now", "nobody", Value::Null)).await.status, StatusCode::FORBIDDEN);
        assert_eq!(put(&clinic.sam, &mine, form("Whose?", "nobody", Value::Null)).await.status, StatusCode::NOT_FOUND);
        let renamed = put(&clinic.alex, &everybody, form("For everybody", "everybody", Value::Null)).await.ok();
        assert_eq!((&renamed["name"], &renamed["version"]), (&json!("For everybody"), &json!(2)));
        let delete = async |who: &Staff, view: &Value| clinic.api(who, Method::DELETE, &path(view), &Value::Null).await.status;
        assert_eq!(delete(&clinic.maya, &of_team).await, StatusCode::FORBIDDEN);
        assert_eq!(delete(&lead, &of_team).await, StatusCode::NO_CONTENT);
        assert_eq!(delete(&clinic.maya, &mine).await, StatusCode::NO_CONTENT);
        assert_eq!(names(&clinic.maya).await, ["For everybody"]);
    })
    .await;
}
