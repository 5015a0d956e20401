//! Search over REST: texts, notes, patients, phones and numbers, from the text to its place in the conversation.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Clinic, FRONT_DESK, run};

const ANA: &str = "+15125550101";
const STRANGER: &str = "+15125550177";

async fn search(clinic: &Clinic, body: Value) -> Value {
    clinic.post(&clinic.maya, "search", body).await.ok()
}

/// Kinds and snippets of all hits, in their order.
fn hits(answer: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let items = answer["items"].as_array().unwrap().iter();
    let hits = items.flat_map(|item| item["hits"].as_array().unwrap());
    hits.map(|hit| (text(&hit["kind"]), text(&hit["snippet"]["text"]))).collect()
}

fn kinds(answer: &Value) -> Vec<String> {
    hits(answer).into_iter().map(|(kind, _)| kind).collect()
}

#[tokio::test]
async fn what_was_said_is_found_and_marked() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "My knee hurts, ¿mañana?").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        clinic.act(&clinic.maya, id, "accept", Value::Null).await.ok();
        clinic
            .act(&clinic.maya, id, "messages", json!({ "body": "Come in about the knee at 9." }))
            .await
            .ok();
        clinic.act(&clinic.maya, id, "notes", json!({ "body": "🙂 Knee: Dr. O’Neill knows." })).await.ok();
        clinic.text(STRANGER, FRONT_DESK, "Is this the eye clinic?").await;

        let found = search(&clinic, json!({ "text": "KNEE" })).await;
        let expected = [
            ("note", "🙂 Knee: Dr. O’Neill knows."),
            ("message", "Come in about the knee at 9."),
            ("message", "My knee hurts, ¿mañana?"),
        ];
        assert_eq!(hits(&found), expected.map(|(kind, text)| (kind.to_owned(), text.to_owned())));
        assert_eq!((&found["next_cursor"], &found["indexing"]), (&Value::Null, &json!(false)));
        let item = &found["items"][0];
        assert_eq!(item["conversation"]["id"], json!(id));
        assert_eq!(item["conversation"]["patient"]["display_name"], "Anita Morales");
        assert_eq!(item["conversation"]["assignee"]["name"], "Maya Torres");
        assert_eq!(item["hits"][0]["snippet"]["marks"], json!([[2, 6]]), "characters, not bytes");
        assert_eq!(item["hits"][0]["author_name"], "Maya Torres");
        assert_eq!(
            (&item["hits"][2]["direction"], &item["hits"][2]["author"]),
            (&json!("inbound"), &json!("patient"))
        );

        let manana = search(&clinic, json!({ "text": "manana hurt" })).await;
        assert_eq!(manana["items"][0]["hits"][0]["snippet"]["marks"], json!([[8, 13], [16, 22]]));
        assert_eq!(hits(&search(&clinic, json!({ "text": "oneill" })).await)[0].0, "note");
        assert!(hits(&search(&clinic, json!({ "text": "knee eye" })).await).is_empty());
        let only = search(&clinic, json!({ "text": "knee", "kinds": ["note"] })).await;
        assert_eq!(kinds(&only), ["note"]);

        // Page by page, each once; of one conversation older hits come later.
        let first =
            search(&clinic, json!({ "text": "knee", "kinds": ["message", "note"], "limit": 2 })).await;
        assert_eq!(kinds(&first), ["note", "message"]);
        let cursor = first["next_cursor"].as_str().unwrap();
        let rest = json!({ "text": "knee", "kinds": ["message", "note"], "limit": 2, "cursor": cursor });
        assert_eq!(
            hits(&search(&clinic, rest).await),
            [("message".to_owned(), "My knee hurts, ¿mañana?".to_owned())]
        );

        // By what has become of the conversation since.
        let open = json!({ "text": "knee", "filters": { "state": "open", "assignee_id": clinic.maya.id } });
        assert_eq!(hits(&search(&clinic, open.clone()).await).len(), 3);
        clinic.app.settled().await;
        clinic.act(&clinic.maya, id, "close", Value::Null).await.ok();
        assert!(hits(&search(&clinic, open).await).is_empty());
        assert_eq!(
            hits(&search(&clinic, json!({ "text": "knee", "filters": { "state": "closed" } })).await).len(),
            3
        );

        // Each search is in the audit log, without its words.
        let audit = clinic.get_as(&clinic.alex, "audit").await.ok();
        let entries = audit["items"].as_array().unwrap();
        assert!(entries.iter().any(|entry| entry["action"] == "conversations.searched"));
        assert!(!audit.to_string().to_lowercase().contains("knee"));
    })
    .await;
}

#[tokio::test]
async fn patients_phones_and_numbers_lead_to_conversations() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "Hello there").await;
        clinic.text(STRANGER, FRONT_DESK, "Hello too").await;
        let ana = clinic.conversation_id(ANA, FRONT_DESK).await;
        let stranger = clinic.conversation_id(STRANGER, FRONT_DESK).await;

        let found = search(&clinic, json!({ "text": "morales" })).await;
        assert_eq!(kinds(&found), ["patient"]);
        assert_eq!(found["items"][0]["conversation"]["id"], json!(ana));
        assert_eq!(found["items"][0]["hits"][0]["patient"]["agrees"], json!(["name"]));
        let born = search(&clinic, json!({ "text": "morales 3/4/1985", "kinds": ["patient"] })).await;
        assert_eq!(born["items"][0]["conversation"]["id"], json!(ana));
        // A patient who never texted is found, without a conversation.
        let leah = search(&clinic, json!({ "text": "leah cohen", "kinds": ["patient"] })).await;
        assert_eq!((&leah["items"][0]["conversation"], kinds(&leah).len()), (&Value::Null, 1));

        for text in ["0177", "(512) 555-0177", "512.555.0177"] {
            let by_phone = search(&clinic, json!({ "text": text, "kinds": ["phone"] })).await;
            assert_eq!(kinds(&by_phone), ["phone"], "{text}");
            assert_eq!(by_phone["items"][0]["conversation"]["id"], json!(stranger));
        }
        let both = search(&clinic, json!({ "text": "0101" })).await;
        assert_eq!(both["items"].as_array().unwrap().len(), 1, "one conversation, found in two ways: {both}");
        assert_eq!(kinds(&both), ["patient", "phone"]);

        let label = found["items"][0]["conversation"]["number"]["name"].as_str().unwrap();
        let on_number = search(&clinic, json!({ "text": label, "kinds": ["number"] })).await;
        assert_eq!(kinds(&on_number), ["number", "number"]);
        assert_eq!(on_number["items"][0]["conversation"]["id"], json!(stranger), "the newest first");

        // A deleted patient is found no more; what was said is.
        let id = found["items"][0]["hits"][0]["patient"]["id"].as_str().unwrap();
        let gone = clinic
            .api(
                &clinic.alex,
                axum::http::Method::DELETE,
                &format!("patients/{id}"),
                &json!({ "reason": "asked" }),
            )
            .await;
        assert!(gone.status.is_success(), "{}", gone.body);
        assert!(kinds(&search(&clinic, json!({ "text": "morales" })).await).is_empty());
        let said = search(&clinic, json!({ "text": "hello there" })).await;
        assert_eq!(kinds(&said), ["message"]);
        assert_ne!(said["items"][0]["conversation"]["patient"]["display_name"], "Anita Morales");
    })
    .await;
}

#[tokio::test]
async fn what_cant_be_looked_for_is_said() {
    run(async |clinic| {
        for (text, words) in [
            ("", "at least two letters"),
            ("a !", "at least two letters"),
            (&"x".repeat(201), "200 characters"),
        ] {
            let refused = clinic.post(&clinic.maya, "search", json!({ "text": text })).await;
            assert_eq!((refused.status, refused.problem()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid"));
            assert!(refused.body["detail"].as_str().unwrap().contains(words), "{}", refused.body);
        }
        let kinds = clinic.post(&clinic.maya, "search", json!({ "text": "knee", "kinds": ["media"] })).await;
        assert_eq!(kinds.status, StatusCode::UNPROCESSABLE_ENTITY);
        let cursor =
            clinic.post(&clinic.maya, "search", json!({ "text": "knee", "cursor": "nonsense" })).await;
        assert_eq!((cursor.status, cursor.problem()), (StatusCode::BAD_REQUEST, "cursor"));
        // A program that only reads may search.
        let reader = json!({ "name": "a reader", "scopes": ["read"] });
        let token =
            clinic.post(&clinic.alex, "tokens", reader).await.ok()["token"].as_str().unwrap().to_owned();
        let reader = crate::support::Staff { token, ..clinic.alex.clone() };
        assert_eq!(clinic.post(&reader, "search", json!({ "text": "knee" })).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn a_hit_is_read_where_it_stands() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "The very first").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        clinic.act(&clinic.maya, id, "accept", Value::Null).await.ok();
        for n in 0..8 {
            clinic.act(&clinic.maya, id, "messages", json!({ "body": format!("Answer {n}") })).await.ok();
        }
        clinic.act(&clinic.maya, id, "notes", json!({ "body": "A note at the end" })).await.ok();
        let bodies = async |query: &str| -> (Vec<String>, Value) {
            let page = clinic.get(&format!("conversations/{id}/messages?{query}")).await;
            let items = page["items"].as_array().unwrap().iter();
            let bodies = items.map(|item| item["body"].as_str().unwrap().to_owned()).collect();
            (bodies, page["next_cursor"].clone())
        };
        let found = search(&clinic, json!({ "text": "answer 2" })).await;
        let hit = found["items"][0]["hits"][0]["id"].as_str().unwrap();
        let (back, cursor) = bodies(&format!("limit=1&back_to={hit}")).await;
        let expected = ["Answer 1", "Answer 2", "Answer 3", "Answer 4", "Answer 5", "Answer 6", "Answer 7"];
        assert_eq!(back, expected);
        let cursor = cursor.as_str().unwrap();
        assert_eq!(bodies(&format!("limit=1&cursor={cursor}")).await.0, ["Answer 0"]);
        let first = search(&clinic, json!({ "text": "very first" })).await;
        let first = first["items"][0]["hits"][0]["id"].as_str().unwrap();
        let (all, cursor) = bodies(&format!("limit=5&back_to={first}")).await;
        assert_eq!((all[0].as_str(), cursor), ("The very first", Value::Null));
        let note = search(&clinic, json!({ "text": "note at the end" })).await;
        let note = note["items"][0]["hits"][0]["id"].as_str().unwrap();
        assert_eq!(bodies(&format!("limit=2&back_to={note}")).await.0, ["Answer 6", "Answer 7"]);
    })
    .await;
}
