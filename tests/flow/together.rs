//! People at work in the same conversations: drafts, mentions, looks, presence, what each has chosen.

use std::time::Duration;

use anteroom::{app::App, http_server};
use anteroom_model::{ids::ConversationId, states::Role};
use axum::{
    body::{Body, BodyDataStream},
    http::{Method, Request, StatusCode},
};
use futures::StreamExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{Answer, Clinic, FRONT_DESK, Staff, eventually, run};

const ANA: &str = "+15125550101";
const JOHN: &str = "+15125550102";

/// Somebody's event stream on a node, read as it comes.
struct Listening {
    stream: BodyDataStream,
    read: String,
}

/// One event as it came.
#[derive(Debug)]
struct Heard {
    id: Option<String>,
    kind: String,
    data: Value,
}

impl Listening {
    async fn on(node: &App, who: &Staff) -> Self {
        let request = Request::get("/api/v1/events").header("authorization", format!("Bearer {}", who.token));
        let response = http_server::router(node.clone()).oneshot(request.body(Body::empty()).unwrap());
        let response = response.await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let mut listening = Self { stream: response.into_body().into_data_stream(), read: String::new() };
        assert_eq!(listening.next().await.kind, "ready");
        listening
    }

    /// The next event, whatever it is.
    async fn next(&mut self) -> Heard {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.read = rest;
                let field = |name: &str| {
                    event
                        .lines()
                        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                        .map(str::to_owned)
                };
                if let Some(kind) = field("event") {
                    let data = serde_json::from_str(&field("data").unwrap()).unwrap();
                    return Heard { id: field("id"), kind, data };
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(30), self.stream.next()).await;
            let chunk = chunk.expect("something is said").expect("the stream goes on").unwrap();
            self.read.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next one of that kind.
    async fn until(&mut self, kind: &str) -> Heard {
        loop {
            let heard = self.next().await;
            if heard.kind == kind {
                return heard;
            }
        }
    }
}

impl Clinic {
    async fn put(&self, who: &Staff, path: &str, body: Value) -> Answer {
        self.api(who, Method::PUT, path, &body).await
    }

    /// What a conversation is to somebody.
    async fn mine(&self, who: &Staff, id: ConversationId) -> Value {
        self.get_as(who, &format!("conversations/{id}")).await.ok()["mine"].take()
    }
}

#[tokio::test]
async fn a_draft_is_its_writers_until_it_is_dropped() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        let path = format!("conversations/{id}/draft");
        let nothing = clinic.get(&path).await;
        assert_eq!((&nothing["reply"], &nothing["updated_at"]), (&json!(""), &Value::Null));

        let written = json!({ "reply": "Which pharmacy", "note": "Ask {{x}}", "missing": ["x"] });
        clinic.put(&clinic.maya, &path, written.clone()).await.ok();
        let kept = clinic.get(&path).await;
        for field in ["reply", "note", "missing"] {
            assert_eq!(kept[field], written[field], "{field}");
        }
        assert!(kept["updated_at"].is_string());
        assert_eq!(clinic.mine(&clinic.maya, id).await["draft"], true);
        assert_eq!(clinic.get_as(&clinic.sam, &path).await.ok()["reply"], "", "nobody else's");
        assert_eq!(clinic.mine(&clinic.sam, id).await["draft"], false);

        // Who loses the race keeps what they wrote.
        clinic.act(&clinic.sam, id, "messages", json!({ "body": "It is ready." })).await.ok();
        clinic.put(&clinic.maya, &path, json!({ "reply": "Which pharmacy shall" })).await.ok();
        assert_eq!(clinic.get(&path).await["reply"], "Which pharmacy shall");
        assert_eq!(clinic.get(&path).await["note"], "");

        // Empty is none.
        clinic.put(&clinic.maya, &path, json!({})).await.ok();
        assert_eq!(clinic.mine(&clinic.maya, id).await["draft"], false);
        clinic.put(&clinic.maya, &path, json!({ "note": "again" })).await.ok();
        assert_eq!(
            clinic.api(&clinic.maya, Method::DELETE, &path, &Value::Null).await.status,
            StatusCode::NO_CONTENT
        );
        assert_eq!(clinic.get(&path).await["updated_at"], Value::Null);

        let long = json!({ "reply": "x".repeat(3_201) });
        assert_eq!(clinic.put(&clinic.maya, &path, long).await.problem(), "invalid");
        let auditor = clinic.colleague(Role::Auditor, "Robin Vale").await;
        assert_eq!(clinic.put(&auditor, &path, written).await.status, StatusCode::FORBIDDEN);
        let nowhere = format!("conversations/{}/draft", clinic.organization);
        assert_eq!(clinic.get_as(&clinic.maya, &nowhere).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn ones_other_pages_hear_of_a_draft_and_nobody_else_does() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        let node = &clinic.app.server;
        let mut mine = Listening::on(node, &clinic.maya).await;
        let mut theirs = Listening::on(node, &clinic.sam).await;
        let bearer = format!("Bearer {}", clinic.maya.token);
        let headers = [("authorization", bearer.as_str()), ("x-page", "tab-1")];
        let path = format!("/api/v1/conversations/{id}/draft");
        clinic.app.request(Method::PUT, &path, &headers, json!({ "reply": "Hi" }).to_string()).await.ok();
        let heard = mine.until("draft").await;
        assert_eq!((heard.id, &heard.data["page"]), (None, &json!("tab-1")));
        assert_eq!(heard.data["conversation_id"], json!(id));
        assert!(!heard.data.to_string().contains("Hi"), "not what it says");
        // What Sam hears next is what comes after it.
        clinic
            .put(&clinic.maya, &format!("conversations/{id}/presence"), json!({ "state": "viewing" }))
            .await;
        assert_eq!(theirs.next().await.kind, "presence");
    })
    .await;
}

#[tokio::test]
async fn who_is_mentioned_is_told_and_counts_until_they_look() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        let teams = clinic.list("teams").await;
        let pharmacy = teams.iter().find(|team| team["name"] == "Pharmacy").unwrap()["id"].as_str().unwrap();
        let mut sams = Listening::on(&clinic.app.server, &clinic.sam).await;
        let body = format!("@[staff:{}] and @[team:{pharmacy}], please look.", clinic.sam.id);
        let note = clinic.act(&clinic.alex, id, "notes", json!({ "body": body })).await.ok();
        assert_eq!(note["body"], "@Sam Okafor and @Pharmacy, please look.");
        let parts = note["parts"].as_array().unwrap();
        assert_eq!(
            (&parts[0]["staff_id"], &parts[0]["text"]),
            (&json!(clinic.sam.id), &json!("@Sam Okafor"))
        );
        assert_eq!((&parts[2]["team_id"], &parts[3]["text"]), (&json!(pharmacy), &json!(", please look.")));

        let told = sams.until("note.added").await.data;
        let told = told["data"]["mentioned"].as_array().unwrap();
        assert_eq!(told.len(), 2, "Sam, and Maya of the pharmacy: {told:?}");
        assert!(told.contains(&json!(clinic.sam.id)) && told.contains(&json!(clinic.maya.id)));

        let unread = async |who: &Staff| clinic.get_as(who, "mentions/unread").await.ok()["unread"].clone();
        assert_eq!((unread(&clinic.sam).await, unread(&clinic.maya).await), (json!(1), json!(1)));
        assert_eq!(unread(&clinic.alex).await, 0);
        assert_eq!(clinic.mine(&clinic.sam, id).await["mentioned"], true);
        let listed = clinic.get_as(&clinic.sam, "mentions?unread=true").await.ok();
        let one = &listed["items"][0];
        assert_eq!((&one["note"]["id"], &one["read"]), (&note["id"], &json!(false)));
        assert_eq!(one["conversation"]["patient"]["display_name"], "Anita Morales");

        // Renames follow.
        let sam = clinic.sam.id;
        clinic.app.sql("UPDATE staff SET name = 'Sam Adeyemi' WHERE name = 'Sam Okafor'").await;
        let notes = clinic.list(&format!("conversations/{id}/notes")).await;
        assert_eq!(notes[0]["body"], "@Sam Adeyemi and @Pharmacy, please look.");
        assert_eq!(notes[0]["parts"][0]["staff_id"], json!(sam));

        // A look at the conversation is a look at its mentions.
        let messages = clinic.list(&format!("conversations/{id}/messages")).await;
        let look = json!({ "message_id": messages.last().unwrap()["id"] });
        clinic.put(&clinic.sam, &format!("conversations/{id}/look"), look).await.ok();
        assert_eq!((unread(&clinic.sam).await, unread(&clinic.maya).await), (json!(0), json!(1)));
        assert_eq!(clinic.get_as(&clinic.sam, "mentions").await.ok()["items"][0]["read"], true);
        clinic.post(&clinic.maya, "mentions/read", Value::Null).await;
        assert_eq!(unread(&clinic.maya).await, 0);

        for nobody in
            ["@[staff:00000000-0000-0000-0000-000000000007]", "@[team:00000000-0000-0000-0000-000000000007]"]
        {
            let refused = clinic.act(&clinic.maya, id, "notes", json!({ "body": nobody })).await;
            assert_eq!(refused.problem(), "invalid");
        }
        let own = format!("For myself, @[staff:{}]", clinic.maya.id);
        clinic.act(&clinic.maya, id, "notes", json!({ "body": own })).await.ok();
        assert_eq!(unread(&clinic.maya).await, 0, "nobody mentions themselves");
        // Ids don't count for the length; names do.
        let fits = format!("{}@[staff:{}]", "x".repeat(1_588), clinic.sam.id);
        clinic.act(&clinic.maya, id, "notes", json!({ "body": fits })).await.ok();
        let long = format!("{}@[staff:{}]", "x".repeat(1_589), clinic.sam.id);
        assert_eq!(clinic.act(&clinic.maya, id, "notes", json!({ "body": long })).await.problem(), "invalid");
    })
    .await;
}

#[tokio::test]
async fn unread_counts_from_ones_own_last_look() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        clinic.text(ANA, FRONT_DESK, "The blue ones").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        let unread = async |who: &Staff| clinic.mine(who, id).await["unread"].clone();
        assert_eq!(unread(&clinic.maya).await, 2, "nobody answered them yet");
        let look = async |who: &Staff, index: usize| {
            let messages = clinic.list(&format!("conversations/{id}/messages")).await;
            let of_patient: Vec<_> = messages.iter().filter(|one| one["direction"] == "inbound").collect();
            let body = json!({ "message_id": of_patient[index]["id"] });
            clinic.put(who, &format!("conversations/{id}/look"), body).await.status
        };
        assert_eq!(look(&clinic.maya, 0).await, StatusCode::NO_CONTENT);
        assert_eq!((unread(&clinic.maya).await, unread(&clinic.sam).await), (json!(1), json!(2)));
        look(&clinic.maya, 1).await;
        assert_eq!(unread(&clinic.maya).await, 0);
        look(&clinic.maya, 0).await;
        assert_eq!(unread(&clinic.maya).await, 0, "a page that lags behind takes nothing back");

        clinic.act(&clinic.sam, id, "messages", json!({ "body": "It is ready." })).await.ok();
        clinic.app.settled().await;
        assert_eq!(unread(&clinic.sam).await, 0, "it waits for nobody any more");
        for number in 0..12 {
            clinic.text(ANA, FRONT_DESK, &format!("And another thing, {number}")).await;
        }
        assert_eq!((unread(&clinic.maya).await, unread(&clinic.sam).await), (json!(10), json!(10)));

        // The list says the same, of each row.
        clinic.text(JOHN, FRONT_DESK, "Hello").await;
        let rows = clinic.list("conversations?queue=all").await;
        let of = |peer: &str| rows.iter().find(|row| row["peer"] == peer).unwrap()["mine"]["unread"].clone();
        assert_eq!((of(ANA), of(JOHN)), (json!(10), json!(1)));

        let other = clinic.conversation_id(JOHN, FRONT_DESK).await;
        let theirs = clinic.list(&format!("conversations/{other}/messages")).await;
        let wrong = json!({ "message_id": theirs[0]["id"] });
        assert_eq!(
            clinic.put(&clinic.maya, &format!("conversations/{id}/look"), wrong).await.problem(),
            "invalid"
        );
    })
    .await;
}

#[tokio::test]
async fn presence_reaches_all_nodes_and_takes_no_place_in_the_sequence() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        let here = clinic.app.server.clone();
        // SQLite has one node only.
        let there = if here.store.is_shared() { clinic.app.another_node().await } else { here.clone() };
        let mut sams = Listening::on(&there, &clinic.sam).await;
        let (_, before) = here.store.read(clinic.organization).await.unwrap().event_bounds().await.unwrap();
        let say = async |state: &str| {
            let path = format!("conversations/{id}/presence");
            clinic.put(&clinic.maya, &path, json!({ "state": state })).await.status
        };
        // The other node may only just have begun to listen: a page says it again every few seconds.
        let heard = loop {
            assert_eq!(say("viewing").await, StatusCode::NO_CONTENT);
            if let Ok(heard) = tokio::time::timeout(Duration::from_millis(300), sams.next()).await {
                break heard;
            }
        };
        assert_eq!((heard.kind.as_str(), heard.id), ("presence", None));
        assert_eq!(heard.data["staff_id"], json!(clinic.maya.id));
        assert_eq!(heard.data["conversation_id"], json!(id));
        say("replying").await;
        while sams.until("presence").await.data["state"] != "replying" {}

        // Who comes later hears who is there already, until it is too long ago. A node's memory and its streams hear
        // of it one by one.
        let known = |how_many: usize, state: &'static str| {
            let there = there.clone();
            let organization = clinic.organization;
            async move {
                let known = serde_json::to_value(there.presence.of(organization)).unwrap();
                let known = known.as_array().unwrap();
                known.len() == how_many && known.iter().all(|one| one["state"] == state)
            }
        };
        eventually("the node knows", || known(1, "replying")).await;
        let mut later = Listening::on(&there, &clinic.alex).await;
        assert_eq!(later.next().await.data["state"], "replying");
        clinic.app.advance(Duration::from_secs(31));
        assert_eq!(there.presence.of(clinic.organization), []);
        say("replying").await;
        while sams.until("presence").await.data["state"] != "replying" {}
        eventually("the node knows again", || known(1, "replying")).await;
        say("away").await;
        while sams.until("presence").await.data["state"] != "away" {}
        eventually("nobody is there", || known(0, "")).await;

        let (_, after) = here.store.read(clinic.organization).await.unwrap().event_bounds().await.unwrap();
        assert_eq!(before, after, "no event was stored");
        let path = format!("conversations/{}/presence", clinic.organization);
        let nowhere = clinic.put(&clinic.maya, &path, json!({ "state": "viewing" })).await;
        assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
        if here.store.is_shared() {
            there.stop.cancel();
        }
    })
    .await;
}

#[tokio::test]
async fn a_text_says_whom_it_concerns() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "My bill looks wrong").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        let mut stream = Listening::on(&clinic.app.server, &clinic.sam).await;
        clinic.text(ANA, FRONT_DESK, "Hello?").await;
        let heard = stream.until("message.received").await.data;
        assert_eq!(heard["data"]["team_id"], clinic.conversation(ANA, FRONT_DESK).await["team"]["id"]);
        assert!(heard["data"]["team_id"].is_string());
        assert_eq!(heard["data"]["assignee_id"], Value::Null);
        clinic.act(&clinic.sam, id, "accept", Value::Null).await.ok();
        clinic.text(ANA, FRONT_DESK, "Thank you").await;
        let heard = stream.until("message.received").await.data;
        assert_eq!(heard["data"]["assignee_id"], json!(clinic.sam.id));
    })
    .await;
}

#[tokio::test]
async fn what_somebody_chose_follows_them() {
    run(async |clinic| {
        let chosen = clinic.get("me/preferences").await;
        let defaults = json!({ "notifications": "mine", "sound": true, "repeat": false, "shortcut_keys": true,
            "theme": "system", "language": null });
        assert_eq!(chosen, defaults);
        let mut mine = Listening::on(&clinic.app.server, &clinic.maya).await;
        let wanted = json!({ "notifications": "all", "sound": false, "repeat": true, "shortcut_keys": false,
            "theme": "dark", "language": "es" });
        clinic.put(&clinic.maya, "me/preferences", wanted.clone()).await.ok();
        assert_eq!(mine.until("own").await.data["what"], "preferences");
        assert_eq!(clinic.get("me/preferences").await, wanted);
        assert_eq!(clinic.get_as(&clinic.sam, "me/preferences").await.ok(), defaults);
        for (field, value) in [("notifications", json!("loud")), ("language", json!("Spanish"))] {
            let mut wrong = wanted.clone();
            wrong[field] = value;
            let refused = clinic.put(&clinic.maya, "me/preferences", wrong).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
        }
    })
    .await;
}

#[tokio::test]
async fn administrators_say_when_the_hub_locks() {
    run(async |clinic| {
        assert_eq!(clinic.get("idle-lock").await["minutes"], 15);
        assert_eq!(clinic.get("session").await["idle_lock_minutes"], 15);
        for minutes in [1, 121] {
            let refused = clinic.put(&clinic.alex, "idle-lock", json!({ "minutes": minutes })).await;
            assert_eq!(refused.problem(), "invalid", "{minutes}");
        }
        let by_agent = clinic.put(&clinic.maya, "idle-lock", json!({ "minutes": 5 })).await;
        assert_eq!(by_agent.status, StatusCode::FORBIDDEN);
        for minutes in [json!(5), Value::Null] {
            clinic.put(&clinic.alex, "idle-lock", json!({ "minutes": minutes })).await.ok();
            assert_eq!(clinic.get("session").await["idle_lock_minutes"], minutes);
        }
    })
    .await;
}
