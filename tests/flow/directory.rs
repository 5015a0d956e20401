//! The patient directory over REST: search, changes, merges, history, export, deletion; and what patients' texts
//! do meanwhile.

use anteroom_model::{
    ids::{ConversationId, PatientId},
    states::{Identity, Role},
};
use axum::http::{Method, StatusCode};
use futures::{FutureExt, future::join_all};
use serde_json::{Value, json};

use crate::support::{Answer, Clinic, FRONT_DESK, Staff, run};

const ANA: &str = "+15125550101";
const NOBODY: &str = "+15125550777";

async fn ask(
    clinic: &Clinic,
    who: &Staff,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Value,
) -> Answer {
    let bearer = format!("Bearer {}", who.token);
    let headers = [&[("authorization", bearer.as_str())], headers].concat();
    clinic.app.request(method, &format!("/api/v1/{path}"), &headers, body.to_string()).await
}

/// Names of whom a search finds.
async fn search(clinic: &Clinic, text: &str) -> Vec<String> {
    let found = clinic.post(&clinic.maya, "patients/search", json!({ "text": text })).await.ok();
    let items = found["items"].as_array().unwrap().iter();
    items.map(|item| item["display_name"].as_str().unwrap().to_owned()).collect()
}

async fn id_of(clinic: &Clinic, text: &str) -> String {
    let found = clinic.post(&clinic.maya, "patients/search", json!({ "text": text })).await.ok();
    let items = found["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{text}: {items:?}");
    items[0]["id"].as_str().unwrap().to_owned()
}

async fn merge(clinic: &Clinic, who: &Staff, survivor: &str, absorbed: &str) -> Answer {
    let body = json!({ "absorbed_id": absorbed, "reason": "the same person" });
    clinic.post(who, &format!("patients/{survivor}/merge"), body).await
}

#[tokio::test]
async fn staff_find_add_and_change_patients() {
    run(async |clinic| {
        assert_eq!(search(&clinic, "morales").await, ["Anita Morales"]);
        assert_eq!(search(&clinic, "(512) 555-0105").await, ["Leah Cohen", "Noah Cohen"]);
        assert_eq!(search(&clinic, "chris park 2/3/1970").await, ["Chris Park", "Chris Park"]);
        assert_eq!(search(&clinic, "coh 9/14/2015").await, ["Noah Cohen"]);
        // A program that only reads may search: the words stand in a body, not in an address.
        let reader = json!({ "name": "a reader", "scopes": ["read"] });
        let token = clinic.post(&clinic.alex, "tokens", reader).await.ok()["token"].as_str().unwrap().to_owned();
        let reader = Staff { token, ..clinic.alex.clone() };
        let page = clinic.post(&reader, "patients/search", json!({ "text": "park", "limit": 1 })).await.ok();
        let cursor = page["next_cursor"].as_str().unwrap();
        let next = json!({ "text": "park", "limit": 5, "cursor": cursor });
        let rest = clinic.post(&reader, "patients/search", next).await.ok();
        assert_eq!(rest["items"].as_array().unwrap().len(), 1);
        assert_ne!(rest["items"][0]["id"], page["items"][0]["id"]);
        assert_eq!(clinic.post(&reader, "patients", json!({})).await.status, StatusCode::FORBIDDEN);

        let new = json!({
            "profile": { "first_name": "Zoë", "last_name": "Quill-Adams", "date_of_birth": "1999-12-31" },
            "phones": [{ "phone": "(512) 555-0777", "kind": "home", "owner": "shared" }],
            "external_ids": [{ "source": "athena", "kind": "mrn", "value": "Z-77" }],
        });
        let key = [("idempotency-key", "add-zoe")];
        let made = ask(&clinic, &clinic.maya, Method::POST, "patients", &key, new.clone()).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        let zoe = made.ok();
        let again = ask(&clinic, &clinic.maya, Method::POST, "patients", &key, new.clone()).await;
        assert_eq!(again.ok()["id"], zoe["id"], "the same request is answered the same");
        let id = zoe["id"].as_str().unwrap();
        assert_eq!((&zoe["phones"][0]["phone"], &zoe["version"]), (&json!(NOBODY), &json!(1)));
        assert_eq!(id_of(&clinic, "mrn z-77").await, id);
        let double = clinic.post(&clinic.sam, "patients", new).await;
        assert_eq!((double.status, double.problem()), (StatusCode::CONFLICT, "external-id-taken"));
        assert_eq!(double.body["patient_id"], id);

        // Two at once: one is told who was first.
        let path = format!("patients/{id}");
        let version = [("if-match", "\"1\"")];
        let marry = json!({ "last_name": "Berg", "former_names": ["Quill-Adams"], "note": null });
        let first = ask(&clinic, &clinic.maya, Method::PATCH, &path, &version, marry).await.ok();
        assert_eq!((&first["display_name"], &first["version"]), (&json!("Zoë Berg"), &json!(2)));
        let pronouns = json!({ "pronouns": "she/her" });
        let second = ask(&clinic, &clinic.sam, Method::PATCH, &path, &version, pronouns).await;
        assert_eq!((second.status, second.problem()), (StatusCode::CONFLICT, "changed"));
        assert_eq!(second.body["winner"]["name"], "Maya Torres");
        assert_eq!(second.body["version"], 2);
        for wrong in [
            json!({ "shoe_size": 41 }),
            json!({ "last_name": 4 }),
            json!({ "first_name": null, "last_name": "" }),
            json!({ "date_of_birth": "1999-02-30" }),
            json!({ "date_of_birth": "2030-01-01" }),
            json!({ "facility_id": id }),
        ] {
            let refused = ask(&clinic, &clinic.maya, Method::PATCH, &path, &[], wrong.clone()).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}: {}", refused.body);
        }
        assert_eq!(search(&clinic, "quill").await, ["Zoë Berg"]);

        let phones = json!({ "phones": [{ "phone": "5125550778" }, { "phone": NOBODY, "preferred": true }] });
        let put = ask(&clinic, &clinic.maya, Method::PUT, &format!("{path}/phones"), &[], phones).await.ok();
        assert_eq!(put["phones"].as_array().unwrap().len(), 2);
        assert_eq!(put["phones"][0]["phone"], NOBODY, "the preferred one first");
        let leah = id_of(&clinic, "leah").await;
        let carers = json!({ "caregivers": [
            { "relation": "mother", "patient_id": leah },
            { "relation": "nurse", "name": "Dina", "phone": "+15125550779" },
        ] });
        let put = ask(&clinic, &clinic.maya, Method::PUT, &format!("{path}/caregivers"), &[], carers).await.ok();
        assert_eq!(put["caregivers"][0]["name"], "Leah Cohen");
        let kept = json!({ "caregivers": [{ "id": put["caregivers"][1]["id"], "relation": "nurse", "name": "Dina B" }] });
        let put = ask(&clinic, &clinic.maya, Method::PUT, &format!("{path}/caregivers"), &[], kept).await.ok();
        assert_eq!((put["caregivers"].as_array().unwrap().len(), &put["caregivers"][0]["name"]), (1, &json!("Dina B")));
        let ids = json!({ "external_ids": [] });
        let put = ask(&clinic, &clinic.maya, Method::PUT, &format!("{path}/external-ids"), &[], ids).await.ok();
        assert_eq!(put["external_ids"], json!([]));
        assert_eq!(search(&clinic, "mrn z-77").await, Vec::<String>::new());

        let auditor = clinic.colleague(Role::Auditor, "Jordan Lee").await;
        let refused = ask(&clinic, &auditor, Method::PATCH, &path, &[], json!({ "note": "x" })).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        let history = clinic.get_as(&auditor, &format!("{path}/history")).await.ok();
        let entries = history["items"].as_array().unwrap();
        let of = |action: &str| entries.iter().filter(|entry| entry["action"] == action).count();
        assert_eq!((of("patient.created"), of("patient.changed")), (1, 5), "{entries:#?}");
        let married = entries.iter().rfind(|entry| entry["action"] == "patient.changed").unwrap();
        assert_eq!(married["actor_name"], "Maya Torres");
        assert_eq!(married["change"]["before"]["last_name"], "Quill-Adams");
        let forbidden = clinic.get_as(&clinic.maya, &format!("{path}/history")).await;
        assert_eq!(forbidden.status, StatusCode::FORBIDDEN);
    })
    .await;
}

#[tokio::test]
async fn a_merge_shows_one_patient_until_it_is_undone() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        let conversation = clinic.conversation_id(ANA, FRONT_DESK).await;
        let ana = id_of(&clinic, "morales").await;
        let twin = json!({ "profile": { "first_name": "Ana", "last_name": "Morales-Ruiz" } });
        let twin = clinic.post(&clinic.maya, "patients", twin).await.ok()["id"].as_str().unwrap().to_owned();

        let merged = merge(&clinic, &clinic.maya, &twin, &ana).await;
        assert_eq!(merged.status, StatusCode::CREATED, "{}", merged.body);
        let merged = merged.ok();
        let shown = clinic.conversation(ANA, FRONT_DESK).await;
        assert_eq!(shown["patient"]["id"], *twin);
        let view = clinic.get(&format!("patients/{ana}")).await;
        assert_eq!((&view["id"], &view["merged"][0]["id"]), (&json!(twin), &json!(ana)));
        assert_eq!(view["phones"][0]["phone"], ANA);
        // Found by either name, once, as the survivor.
        assert_eq!(search(&clinic, "ana morales").await, ["Ana Morales-Ruiz"]);
        // A new text from the phone goes to the survivor.
        clinic.text(ANA, "+15005550101", "hello").await;

        let second = merge(&clinic, &clinic.sam, &ana, &twin).await;
        assert_eq!((second.status, second.problem()), (StatusCode::CONFLICT, "merged-already"));
        assert_eq!(second.body["winner"]["name"], "Maya Torres");
        assert_eq!(second.body["survivor_id"], *twin);
        for (body, status) in [
            (json!({ "absorbed_id": ana, "reason": "  " }), StatusCode::UNPROCESSABLE_ENTITY),
            (json!({ "absorbed_id": twin, "reason": "x" }), StatusCode::UNPROCESSABLE_ENTITY),
            (json!({ "absorbed_id": PatientId::LEAST, "reason": "x" }), StatusCode::NOT_FOUND),
        ] {
            let refused = clinic.post(&clinic.maya, &format!("patients/{twin}/merge"), body).await;
            assert_eq!(refused.status, status, "{}", refused.body);
        }
        let listed = clinic.list(&format!("patients/{twin}/merges")).await;
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0]["before"]["absorbed"]["profile"]["last_name"], "Morales");

        let undo = format!("merges/{}/undo", merged["id"].as_str().unwrap());
        let undone = clinic.post(&clinic.sam, &undo, json!({ "reason": "two people" })).await.ok();
        assert_eq!(
            (&undone["exact"], &undone["merge"]["undone_by"]["name"]),
            (&json!(true), &json!("Sam Okafor"))
        );
        let again = clinic.post(&clinic.maya, &undo, json!({ "reason": "two people" })).await;
        assert_eq!((again.status, again.problem()), (StatusCode::CONFLICT, "undone-already"));
        assert_eq!(again.body["winner"]["name"], "Sam Okafor");
        assert_eq!(clinic.conversation(ANA, FRONT_DESK).await["patient"]["id"], *ana);
        assert_eq!(clinic.told(conversation, "patient.merged").await.len(), 1);
        assert_eq!(clinic.told(conversation, "patient.unmerged").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn everything_is_given_out_and_then_deleted() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "my knee hurts").await;
        let conversation = clinic.conversation_id(ANA, FRONT_DESK).await;
        clinic.act(&clinic.maya, conversation, "notes", json!({ "body": "called back" })).await.ok();
        let ana = id_of(&clinic, "morales").await;
        clinic.get(&format!("patients/{ana}")).await;
        let (export, why) = (format!("patients/{ana}/export"), json!({ "reason": "the patient asked" }));
        let refused = clinic.post(&clinic.maya, &export, why.clone()).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        let given = clinic.post(&clinic.alex, &export, why.clone()).await;
        assert!(given.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
        let given = given.ok();
        let chat = &given["conversations"][0];
        assert_eq!(chat["messages"][0]["body"], "my knee hurts");
        assert_eq!(chat["notes"][0]["body"], "called back");
        assert!(chat["events"].as_array().unwrap().len() > 2);
        assert_eq!(given["records"][0]["contents"]["profile"]["first_name"], "Ana");
        let reads = given["reads_and_changes"].as_array().unwrap();
        for action in ["patient.read", "patient.exported", "note.added"] {
            assert!(reads.iter().any(|read| read["action"] == action), "{action}: {reads:#?}");
        }

        let path = format!("patients/{ana}");
        let refused = ask(&clinic, &clinic.maya, Method::DELETE, &path, &[], why.clone()).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        let stale =
            ask(&clinic, &clinic.alex, Method::DELETE, &path, &[("if-match", "\"9\"")], why.clone()).await;
        assert_eq!((stale.status, stale.problem()), (StatusCode::CONFLICT, "changed"));
        let deleted = ask(&clinic, &clinic.alex, Method::DELETE, &path, &[], why.clone()).await.ok();
        assert_eq!(deleted["conversations"], json!([conversation]));
        let gone = clinic.get(&path).await;
        assert_eq!((&gone["state"], &gone["display_name"]), (&json!("deleted"), &json!("Deleted patient")));
        assert_eq!((&gone["first_name"], &gone["phones"]), (&json!(""), &json!([])));
        let shown = clinic.conversation(ANA, FRONT_DESK).await;
        assert_eq!(
            (&shown["patient"]["id"], &shown["identity"]),
            (&deleted["placeholder_id"], &json!("placeholder"))
        );
        assert!(shown["patient"]["display_name"].as_str().unwrap().starts_with("Guest "));
        let texts = clinic.list(&format!("conversations/{conversation}/messages")).await;
        assert_eq!(texts[0]["body"], "my knee hurts", "what was said stays");
        assert_eq!(search(&clinic, "morales").await, Vec::<String>::new());
        let again = ask(&clinic, &clinic.alex, Method::DELETE, &path, &[], why).await;
        assert_eq!(again.status, StatusCode::NOT_FOUND);
        // Texts go on, to the placeholder.
        clinic.text(ANA, FRONT_DESK, "and my other knee").await;
        assert_eq!(clinic.conversation(ANA, FRONT_DESK).await["patient"]["id"], deleted["placeholder_id"]);
        assert_eq!(clinic.told(conversation, "patient.deleted").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn others_patients_can_not_be_touched() {
    run(async |clinic| {
        let other = Clinic::new(&clinic.app, "Hillside Clinic").await;
        let (ana, smith) = (id_of(&clinic, "morales").await, id_of(&clinic, "smith").await);
        let merged = merge(&clinic, &clinic.maya, &ana, &smith).await.ok();
        let why = json!({ "reason": "x", "absorbed_id": smith });
        for (method, path, body) in [
            (Method::GET, format!("patients/{ana}"), Value::Null),
            (Method::PATCH, format!("patients/{ana}"), json!({ "note": "x" })),
            (Method::DELETE, format!("patients/{ana}"), why.clone()),
            (Method::PUT, format!("patients/{ana}/phones"), json!({ "phones": [] })),
            (Method::PUT, format!("patients/{ana}/external-ids"), json!({ "external_ids": [] })),
            (Method::PUT, format!("patients/{ana}/caregivers"), json!({ "caregivers": [] })),
            (Method::POST, format!("patients/{ana}/merge"), why.clone()),
            (Method::GET, format!("patients/{ana}/merges"), Value::Null),
            (Method::GET, format!("patients/{ana}/history"), Value::Null),
            (Method::POST, format!("patients/{ana}/export"), why.clone()),
            (Method::POST, format!("merges/{}/undo", merged["id"].as_str().unwrap()), why.clone()),
        ] {
            let answer = other.api(&other.alex, method.clone(), &path, &body).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}: {}", answer.body);
        }
        assert_eq!(clinic.get(&format!("patients/{ana}")).await["merged"][0]["id"], *smith);
    })
    .await;
}

#[tokio::test]
async fn fifty_merges_verifications_and_texts_at_once() {
    run(async |clinic| {
        let phones = ["+15125550101", "+15125550102", "+15125550106", "+15125550107", "+15125550778"];
        let mut people = Vec::new();
        for text in ["morales", "smith", "park 0106", "park 0107"] {
            people.push(id_of(&clinic, text).await);
        }
        for phone in phones {
            clinic.text(phone, FRONT_DESK, "first").await;
        }
        let mut chats: Vec<ConversationId> = Vec::new();
        for phone in phones {
            chats.push(clinic.conversation_id(phone, FRONT_DESK).await);
        }
        let work = (0..51_usize).map(|at| {
            let (clinic, people, chat) = (&clinic, &people, chats[at % 5]);
            async move {
                match at % 3 {
                    0 => {
                        let (one, other) = (&people[at % 4], &people[(at / 4 + at + 1) % 4]);
                        let answer =
                            merge(clinic, if at % 2 == 0 { &clinic.maya } else { &clinic.sam }, one, other);
                        let answer = answer.await;
                        let expected =
                            [StatusCode::CREATED, StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY];
                        assert!(expected.contains(&answer.status), "{}", answer.body);
                        if answer.problem() == "merged-already" {
                            assert!(answer.body["winner"]["name"].is_string(), "{}", answer.body);
                        }
                    }
                    1 => {
                        let patient: PatientId = people[at % 4].parse().unwrap();
                        clinic
                            .change(move |mut org| {
                                async move {
                                    let mut c = org.conversation_to_change(chat).await?.unwrap();
                                    (c.patient_id, c.identity) = (Some(patient), Identity::Verified);
                                    org.update_conversation(&mut c).await
                                }
                                .boxed()
                            })
                            .await;
                    }
                    _ => clinic.deliver(phones[at % 5], FRONT_DESK, &format!("text {at}")).await,
                }
            }
        });
        join_all(work).await;
        clinic.app.settled().await;

        // Each text is in its conversation, each conversation leads to an active patient of the directory.
        let mut texts = 0;
        for (phone, chat) in phones.iter().zip(&chats) {
            let bodies = clinic.list(&format!("conversations/{chat}/messages?limit=200")).await;
            texts += bodies.iter().filter(|text| text["direction"] == "inbound").count();
            let shown = clinic.conversation(phone, FRONT_DESK).await;
            let id = shown["patient"]["id"].as_str().unwrap().to_owned();
            let patient = clinic.get(&format!("patients/{id}")).await;
            assert_eq!((&patient["id"], &patient["state"]), (&json!(id), &json!("active")));
        }
        assert_eq!(texts, 5 + 17, "history is complete");
        // Whoever is left is made one; then everything is taken apart again.
        let mut merges: Vec<Value> = Vec::new();
        for other in &people[1..] {
            let top = clinic.get(&format!("patients/{}", people[0])).await["id"].as_str().unwrap().to_owned();
            let rest = clinic.get(&format!("patients/{other}")).await["id"].as_str().unwrap().to_owned();
            if top != rest {
                merge(&clinic, &clinic.maya, &top, &rest).await.ok();
            }
        }
        let mut tops = Vec::new();
        for one in &people {
            tops.push(clinic.get(&format!("patients/{one}")).await["id"].clone());
        }
        tops.dedup();
        assert_eq!(tops.len(), 1, "exactly one survivor");
        merges.extend(clinic.list(&format!("patients/{}/merges", people[0])).await);
        assert_eq!(merges.len(), 3);
        let undone = join_all(merges.iter().map(|merge| {
            let path = format!("merges/{}/undo", merge["id"].as_str().unwrap());
            let clinic = &clinic;
            async move { clinic.post(&clinic.alex, &path, json!({ "reason": "apart" })).await.ok() }
        }))
        .await;
        assert!(undone.iter().all(|undone| undone["exact"] == true), "{undone:#?}");
        for one in &people {
            let patient = clinic.get(&format!("patients/{one}")).await;
            assert_eq!((&patient["id"], &patient["merged"]), (&json!(one), &json!([])));
        }
    })
    .await;
}
