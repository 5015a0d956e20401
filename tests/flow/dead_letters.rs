//! What did not get where it should: listed, and tried again on a person's word.

use anteroom_model::ids::NumberId;
use axum::http::{Method, StatusCode};
use futures::FutureExt;
use serde_json::{Value, json};

use crate::support::{Clinic, FRONT_DESK, REMINDERS, run};

const ANA: &str = "+15125550101";

async fn listed(clinic: &Clinic, query: &str) -> Vec<Value> {
    clinic.list(&format!("dead-letters{query}")).await
}

async fn let_patients_text(clinic: &Clinic, id: NumberId) {
    clinic
        .change(move |mut org| {
            async move {
                let mut number = org.number(id).await?.unwrap();
                number.texting_enabled = true;
                org.set_number(&number).await
            }
            .boxed()
        })
        .await;
}

#[tokio::test]
async fn a_held_text_is_listed_and_worked_off_once_texting_is_on() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "Hello").await;
        assert!(listed(&clinic, "").await.is_empty(), "nothing went wrong");
        clinic.text(ANA, REMINDERS, "Can I move my appointment?").await;
        let letters = listed(&clinic, "").await;
        let [letter] = &letters[..] else { panic!("{letters:?}") };
        assert_eq!(
            (&letter["state"], &letter["direction"], &letter["body"], &letter["peer"]),
            (&json!("held"), &json!("inbound"), &json!("Can I move my appointment?"), &json!(ANA))
        );
        assert_eq!(listed(&clinic, "?state=held").await.len(), 1);
        assert!(listed(&clinic, "?state=failed").await.is_empty());
        let odd = clinic.api(&clinic.alex, Method::GET, "dead-letters?state=sent", &Value::Null).await;
        assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
        let other = Clinic::new(&clinic.app, "Hillside Clinic").await;
        assert!(listed(&other, "").await.is_empty());

        let again = format!("messages/{}/retry", letter["id"].as_str().unwrap());
        clinic.post(&clinic.alex, &again, Value::Null).await.ok();
        clinic.app.settled().await;
        assert_eq!(listed(&clinic, "?state=held").await.len(), 1, "the number still takes none");

        let_patients_text(&clinic, clinic.number(REMINDERS).await).await;
        clinic.post(&clinic.alex, &again, Value::Null).await.ok();
        clinic.app.settled().await;
        assert!(listed(&clinic, "").await.is_empty());
        let id = clinic.conversation_id(ANA, REMINDERS).await;
        assert!(clinic.queue("unassigned").await.contains(&id));
        let done = clinic.post(&clinic.alex, &again, Value::Null).await;
        assert_eq!((done.status, done.problem()), (StatusCode::CONFLICT, "not-failed"));
    })
    .await;
}
