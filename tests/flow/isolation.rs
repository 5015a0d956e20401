//! To one organization, nothing of another exists.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Clinic, FRONT_DESK, run};

const ANA: &str = "+15125550101";

#[tokio::test]
async fn others_things_are_not_found() {
    run(async |clinic| {
        let other = Clinic::new(&clinic.app, "Hillside Clinic").await;
        // The same patient texts the same address of both: two conversations that know nothing of each other.
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        let view = clinic.conversation(ANA, FRONT_DESK).await;
        let sent = clinic.act(&clinic.maya, id, "messages", json!({ "body": "Which one?" })).await.ok();
        clinic.app.settled().await;
        let decision = clinic.decisions(id).await[0]["id"].as_str().unwrap().to_owned();
        let patient = view["patient"]["id"].as_str().unwrap();

        let mut paths = vec![
            format!("conversations/{id}"),
            format!("conversations/{id}/messages"),
            format!("conversations/{id}/notes"),
            format!("conversations/{id}/timeline"),
            format!("patients/{patient}"),
            format!("decisions/{decision}"),
            format!("shortcuts?conversation_id={id}"),
        ];
        for path in paths.drain(..) {
            clinic.get(&path).await;
            let answer = other.api(&other.alex, Method::GET, &path, &Value::Null).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.body);
        }
        let until = json!({ "until": "2027-01-01T00:00:00Z" });
        let before = clinic.conversation(ANA, FRONT_DESK).await;
        for (path, body) in [
            (format!("conversations/{id}/accept"), Value::Null),
            (format!("conversations/{id}/assign"), json!({ "assignee_id": other.alex.id })),
            (format!("conversations/{id}/close"), Value::Null),
            (format!("conversations/{id}/reopen"), Value::Null),
            (format!("conversations/{id}/snooze"), until),
            (format!("conversations/{id}/messages"), json!({ "body": "Hello" })),
            (format!("conversations/{id}/notes"), json!({ "body": "Hello" })),
            (format!("messages/{}/retry", sent["id"].as_str().unwrap()), Value::Null),
            ("shortcuts/hello/expand".to_owned(), json!({ "conversation_id": id })),
        ] {
            let answer = other.post(&other.alex, &path, body).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.body);
        }
        assert_eq!(clinic.conversation(ANA, FRONT_DESK).await, before);
        // Nor can it be handed to somebody of another organization.
        let abroad = clinic.act(&clinic.alex, id, "assign", json!({ "assignee_id": other.maya.id })).await;
        assert_eq!(abroad.status, StatusCode::UNPROCESSABLE_ENTITY);

        for queue in ["unassigned", "mine", "team", "all", "closed"] {
            assert_eq!(other.queue(queue).await, [], "{queue}");
        }
        for list in ["decisions", "opt-outs"] {
            assert!(other.list(list).await.is_empty(), "{list}");
        }
        other.text(ANA, FRONT_DESK, "Hello").await;
        let own = other.conversation_id(ANA, FRONT_DESK).await;
        assert_eq!((other.queue("all").await, clinic.queue("all").await), (vec![own], vec![id]));

        // A webhook of one account does not take texts to another account's numbers, nor another's signature.
        let path = format!("/webhooks/twilio/{}", clinic.account);
        assert_eq!(clinic.app.request(Method::POST, &path, &[], "").await.status, StatusCode::NOT_FOUND);
    })
    .await;
}
