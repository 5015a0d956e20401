//! What staff send: uploaded, judged by what the carrier takes, fetched by the carrier with a link.

use std::time::Duration;

use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use wiremock::{Mock, ResponseTemplate, matchers};

use crate::{
    media::twilio_account,
    support::{Answer, Clinic, FRONT_DESK, Staff, eventually, pictures::png, run},
};

const ANA: &str = "+15125550101";
const TWILIO_NUMBER: &str = "+18885550199";

async fn upload(clinic: &Clinic, who: &Staff, bytes: &[u8], more: &[(&str, &str)]) -> Answer {
    let bearer = format!("Bearer {}", who.token);
    let mut headers = vec![("authorization", bearer.as_str())];
    headers.extend_from_slice(more);
    if more.iter().all(|(name, _)| *name != "content-type") {
        headers.push(("content-type", "application/octet-stream"));
    }
    clinic.app.request(Method::POST, "/api/v1/media", &headers, bytes.to_vec()).await
}

fn id(answer: Answer) -> Value {
    answer.ok()["id"].clone()
}

#[tokio::test]
async fn an_upload_is_looked_at_like_everything_else() {
    run(async |clinic| {
        let (maya, picture) = (&clinic.maya, png(300, 200));
        let uploaded = upload(&clinic, maya, &picture, &[("content-type", "text/html")]).await;
        assert_eq!(uploaded.status, StatusCode::CREATED);
        let uploaded = uploaded.body;
        assert_eq!((&uploaded["content_type"], &uploaded["width"]), (&json!("image/png"), &json!(300)));
        let path = format!("media/{}", uploaded["id"].as_str().unwrap());
        assert!(clinic.get_as(maya, &path).await.bytes == picture);
        assert_eq!(clinic.get_as(&clinic.sam, &path).await.status, StatusCode::NOT_FOUND, "another's");

        let form = [
            b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n".as_slice(),
            &picture,
            b"\r\n--x--\r\n",
        ]
        .concat();
        let form = upload(&clinic, maya, &form, &[("content-type", "multipart/form-data; boundary=x")]).await;
        assert_eq!(form.ok()["bytes"], picture.len());

        for (bytes, reason) in [(b"\x7fELF\x02\x01".as_slice(), "kind"), (b"", "empty"), (b"<svg/>", "kind")]
        {
            let refused = upload(&clinic, maya, bytes, &[]).await;
            assert_eq!((refused.status.as_u16(), refused.problem()), (422, "media-refused"));
            assert_eq!(refused.body["reason"], reason);
        }
        let large = upload(&clinic, maya, &vec![b'x'; 10 * 1024 * 1024 + 1], &[]).await;
        assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
        let auditor = clinic.colleague(anteroom_model::states::Role::Auditor, "Ada Auditor").await;
        assert_eq!(upload(&clinic, &auditor, &picture, &[]).await.status, StatusCode::FORBIDDEN);

        // The same request again is the same upload, and leaves nothing behind.
        let kept = clinic.app.files.kept().len();
        let key = [("idempotency-key", "once")];
        let first = id(upload(&clinic, maya, &picture, &key).await);
        assert_eq!(id(upload(&clinic, maya, &picture, &key).await), first);
        assert_eq!(clinic.app.files.kept().len(), kept + 2);
        assert_eq!(upload(&clinic, maya, &png(1, 1), &key).await.problem(), "idempotency-key-reused");
        assert_eq!(clinic.app.files.kept().len(), kept + 2);
    })
    .await;
}

#[tokio::test]
async fn the_carrier_fetches_it_by_a_link_that_stays_the_same() {
    run(async |clinic| {
        let account = twilio_account(&clinic).await;
        clinic.deliver_twilio(account, "MM1", ANA, TWILIO_NUMBER, "What is this?").await;
        clinic.app.settled().await;
        // The first attempt is put off.
        let sends = "/2010-04-01/Accounts/AC1/Messages.json";
        let api = &clinic.app.files.api;
        let sends_to = || Mock::given(matchers::method("POST")).and(matchers::path(sends));
        let busy = ResponseTemplate::new(429).insert_header("retry-after", "30");
        sends_to().respond_with(busy).up_to_n_times(1).mount(api).await;
        let taken = ResponseTemplate::new(201).set_body_json(json!({ "sid": "MM9", "status": "queued" }));
        sends_to().respond_with(taken).mount(api).await;

        let (maya, picture) = (&clinic.maya, png(30, 20));
        let card = b"BEGIN:VCARD\nFN:Clinic\nEND:VCARD\n";
        let files =
            [id(upload(&clinic, maya, &picture, &[]).await), id(upload(&clinic, maya, card, &[]).await)];
        let conversation = clinic.conversation_id(ANA, TWILIO_NUMBER).await;
        let sent = clinic.act(maya, conversation, "messages", json!({ "media": files })).await;
        assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.body);
        let states: Vec<_> =
            sent.body["media"].as_array().unwrap().iter().map(|file| &file["state"]).collect();
        assert_eq!(states, ["ready", "ready"]);
        // One that went with a text doesn't go with another.
        let again = clinic.act(maya, conversation, "messages", json!({ "body": "x", "media": files })).await;
        assert_eq!((again.status, again.problem()), (StatusCode::CONFLICT, "media-used"));

        let attempts = async || {
            let requests = api.received_requests().await.unwrap();
            // Automatic replies have no files.
            let ours = |request: &wiremock::Request| {
                request.url.path() == sends && String::from_utf8_lossy(&request.body).contains("MediaUrl")
            };
            requests.into_iter().filter(ours).collect::<Vec<_>>()
        };
        eventually("the first attempt", || async { attempts().await.len() == 1 }).await;
        // Its answer is recorded, from when on it waits: a clock that goes on before would be waited for in vain.
        let put_off = async || {
            let texts = clinic.list(&format!("conversations/{conversation}/messages")).await;
            texts.iter().any(|text| text["id"] == sent.body["id"] && text["state"] == "queued")
        };
        eventually("it is put off", put_off).await;
        clinic.app.advance(Duration::from_mins(2));
        eventually("the second attempt", || async { attempts().await.len() == 2 }).await;
        clinic.app.settled().await;
        let links = |body: &[u8]| -> Vec<String> {
            let pairs = url::form_urlencoded::parse(body);
            pairs.filter(|(name, _)| name == "MediaUrl").map(|(_, link)| link.into_owned()).collect()
        };
        let [first, second] = &attempts().await[..] else { panic!("two attempts") };
        let links_of = links(&first.body);
        assert_eq!(links_of, links(&second.body), "the links have changed");
        assert!(!String::from_utf8_lossy(&second.body).contains("Body="), "an empty text is none");
        assert_eq!(links_of.len(), 2);

        for (link, bytes, kind) in
            [(&links_of[0], picture.as_slice(), "image/png"), (&links_of[1], card.as_slice(), "text/vcard")]
        {
            let path = link.strip_prefix("https://clinic.example").unwrap();
            let fetched = clinic.app.request(Method::GET, path, &[], "").await;
            assert_eq!(fetched.status, StatusCode::OK);
            assert!(fetched.bytes == bytes);
            assert_eq!(fetched.headers[header::CONTENT_TYPE], kind);
            assert_eq!(fetched.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        }
        // Nothing but what was signed is a link.
        let path = links_of[0].strip_prefix("https://clinic.example").unwrap();
        let mut forged = path.to_owned();
        let last = if forged.pop() == Some('A') { 'E' } else { 'A' };
        forged.push(last);
        for wrong in [forged.as_str(), "/media/AAAA", "/media/"] {
            assert_eq!(clinic.app.request(Method::GET, wrong, &[], "").await.status, StatusCode::NOT_FOUND);
        }
        clinic.app.advance(Duration::from_hours(73));
        assert_eq!(
            clinic.app.request(Method::GET, path, &[], "").await.status,
            StatusCode::NOT_FOUND,
            "over"
        );
    })
    .await;
}

#[tokio::test]
async fn what_the_carrier_would_not_take_is_said_before() {
    run(async |clinic| {
        let account = twilio_account(&clinic).await;
        clinic.deliver_twilio(account, "MM1", ANA, TWILIO_NUMBER, "Hello").await;
        clinic.text(ANA, FRONT_DESK, "Hello").await;
        let maya = &clinic.maya;
        let toll_free = clinic.conversation_id(ANA, TWILIO_NUMBER).await;
        // Not a picture, and over 600 KB.
        let mut document = b"%PDF-1.7\n".to_vec();
        document.resize(700_000, b' ');
        let document = id(upload(&clinic, maya, &document, &[]).await);
        let body = json!({ "body": "your form", "media": [document] });
        let refused = clinic.act(maya, toll_free, "messages", body.clone()).await;
        assert_eq!((refused.status.as_u16(), refused.problem()), (422, "media-limits"));
        // HEIC is taken from patients, and shown by no carrier.
        let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x08mdat";
        let heic = id(upload(&clinic, maya, heic, &[]).await);
        let refused = clinic.act(maya, toll_free, "messages", json!({ "media": [heic] })).await;
        assert_eq!(refused.problem(), "media-limits");
        let mut eleven = Vec::new();
        for _ in 0..11 {
            eleven.push(id(upload(&clinic, maya, b"a note", &[]).await));
        }
        let refused = clinic.act(maya, toll_free, "messages", json!({ "media": eleven })).await;
        assert_eq!(refused.problem(), "media-limits");
        // Another's, and none.
        let sams = id(upload(&clinic, &clinic.sam, b"a note", &[]).await);
        for nobodys in [sams, json!("019a9d3c-0000-7000-8000-000000000001")] {
            let refused = clinic.act(maya, toll_free, "messages", json!({ "media": [nobodys] })).await;
            assert_eq!((refused.status.as_u16(), refused.problem()), (422, "invalid"));
        }
        let empty = clinic.act(maya, toll_free, "messages", json!({ "media": [] })).await;
        assert_eq!(empty.status.as_u16(), 422);
        assert!(clinic.sent_states(ANA, TWILIO_NUMBER).await.iter().all(|state| state.as_str() != "queued"));
        // The sandbox takes it, and the phone has it.
        let front_desk = clinic.conversation_id(ANA, FRONT_DESK).await;
        clinic.act(maya, front_desk, "messages", body).await.ok();
        clinic.app.settled().await;

        // A carrier that takes texts only.
        clinic.app.sql("UPDATE carrier_accounts SET carrier = 'smpp' WHERE carrier = 'sandbox'").await;
        let note = id(upload(&clinic, maya, b"a note", &[]).await);
        let refused = clinic.act(maya, front_desk, "messages", json!({ "media": [note] })).await;
        assert_eq!((refused.status, refused.problem()), (StatusCode::CONFLICT, "no-media"));
        clinic.app.sql("UPDATE carrier_accounts SET carrier = 'sandbox' WHERE carrier = 'smpp'").await;
    })
    .await;
}

#[tokio::test]
async fn uploads_that_are_never_sent_are_dropped() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "Hello").await;
        let kept = id(upload(&clinic, &clinic.maya, b"sent", &[]).await);
        let dropped = id(upload(&clinic, &clinic.maya, b"never sent", &[]).await);
        let conversation = clinic.conversation_id(ANA, FRONT_DESK).await;
        clinic.act(&clinic.maya, conversation, "messages", json!({ "media": [kept] })).await.ok();
        clinic.app.settled().await;
        assert_eq!(clinic.app.files.kept().len(), 2);
        clinic.app.advance(Duration::from_hours(25));
        clinic.app.start_media();
        eventually("it is dropped", || async { clinic.app.files.kept().len() == 1 }).await;
        let path = |id: &Value| format!("media/{}", id.as_str().unwrap());
        assert_eq!(clinic.get_as(&clinic.maya, &path(&dropped)).await.status, StatusCode::NOT_FOUND);
        assert_eq!(clinic.get_as(&clinic.maya, &path(&kept)).await.bytes, "sent");
    })
    .await;
}
