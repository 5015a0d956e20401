//! What comes with texts: fetched from the carrier, looked at, kept sealed, shown to staff and nobody else.

use std::time::Duration;

use anteroom_model::{
    ids::CarrierAccountId,
    states::{NumberKind, Registration},
};
use anteroom_store::{NewCarrierAccount, NewNumber};
use axum::http::{Method, StatusCode, header};
use futures::FutureExt;
use image::{GenericImageView, ImageFormat};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{
    Clinic, FRONT_DESK, eventually,
    files::Files,
    pictures::{bomb, gif, photo, png},
    run,
};

const ANA: &str = "+15125550101";
const TWILIO_NUMBER: &str = "+18885550199";

/// A Twilio account whose API is the fake carrier, with a number of its own.
pub(crate) async fn twilio_account(clinic: &Clinic) -> CarrierAccountId {
    let base = clinic.app.files.api.uri();
    clinic
        .change(move |mut org| {
            async move {
                let account = NewCarrierAccount {
                    carrier: "twilio".into(),
                    label: "Twilio".into(),
                    public_url: "https://clinic.example/webhooks/twilio/{id}".into(),
                    credentials: json!({ "account_sid": "AC1", "auth_token": "main", "api_base_url": base })
                        .to_string(),
                    answers_opt_outs: false,
                };
                let account = org.insert_account(&account).await?;
                org.insert_number(&NewNumber {
                    carrier_account_id: account,
                    facility_id: None,
                    address: TWILIO_NUMBER.into(),
                    kind: NumberKind::TollFree,
                    label: "Toll-free".into(),
                    texting_enabled: true,
                    verification: None,
                    registration: Registration::Approved,
                    registration_note: String::new(),
                })
                .await?;
                Ok(account)
            }
            .boxed()
        })
        .await
}

/// A text with a file, as Twilio's webhook brings it.
async fn twilio_text(clinic: &Clinic, account: CarrierAccountId, sid: &str, url: &str) -> StatusCode {
    let params = [
        ("MessageSid", sid),
        ("AccountSid", "AC1"),
        ("From", ANA),
        ("To", TWILIO_NUMBER),
        ("Body", "my knee"),
        ("NumMedia", "1"),
        ("MediaUrl0", url),
        ("MediaContentType0", "image/jpeg"),
    ];
    clinic.deliver_form(account, &params).await
}

/// The files of the newest text of a conversation.
pub(crate) async fn files(clinic: &Clinic, phone: &str, number: &str) -> Vec<Value> {
    let id = clinic.conversation_id(phone, number).await;
    let inbound = clinic.list(&format!("conversations/{id}/messages")).await;
    let mut inbound = inbound.into_iter().filter(|text| text["direction"] == "inbound");
    inbound.next_back().unwrap()["media"].as_array().unwrap().clone()
}

/// The same, once none of them is on its way any more.
pub(crate) async fn fetched(clinic: &Clinic, phone: &str, number: &str) -> Vec<Value> {
    fetched_in_steps(clinic, phone, number, Duration::ZERO).await
}

/// The same; the clock moves on meanwhile by such steps, so that what is put off comes back.
async fn fetched_in_steps(clinic: &Clinic, phone: &str, number: &str, step: Duration) -> Vec<Value> {
    let over = || async {
        clinic.app.advance(step);
        let files = files(clinic, phone, number).await;
        !files.is_empty() && files.iter().all(|file| file["state"] != "fetching")
    };
    eventually("the files are fetched, or never will be", over).await;
    files(clinic, phone, number).await
}

#[tokio::test]
async fn a_photo_of_several_megabytes_comes_from_the_carrier_to_staff() {
    run(async |clinic| {
        clinic.app.start_media();
        let account = twilio_account(&clinic).await;
        let photo = photo();
        assert!((4 << 20..10 << 20).contains(&photo.len()), "{} bytes", photo.len());
        let carrier = &clinic.app.files;
        let there = format!("{}/kept/1", carrier.cdn.uri());
        let path = "/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1";
        let redirect = ResponseTemplate::new(307).insert_header("location", there.as_str());
        Files::answer(&carrier.api, path, redirect).await;
        let kept = ResponseTemplate::new(200).set_body_raw(photo.clone(), "image/jpeg");
        Files::answer(&carrier.cdn, "/kept/1", kept).await;

        let url = format!("{}{path}", carrier.api.uri());
        assert_eq!(twilio_text(&clinic, account, "MM1", &url).await, StatusCode::OK);
        assert_eq!(twilio_text(&clinic, account, "MM1", &url).await, StatusCode::OK, "delivered again");
        clinic.app.settled().await;
        let [file] = &fetched(&clinic, ANA, TWILIO_NUMBER).await[..] else { panic!("one file") };
        assert_eq!(file["state"], "ready", "{file}");
        assert_eq!((&file["content_type"], &file["bytes"]), (&json!("image/jpeg"), &json!(photo.len())));
        assert_eq!((&file["width"], &file["height"]), (&json!(2_400), &json!(1_800)));

        // The account showed itself to the carrier, and to nobody else; once.
        let asked = Files::asked(&carrier.api, path).await;
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].headers["authorization"], "Basic QUMxOm1haW4=");
        let asked = Files::asked(&carrier.cdn, "/kept/1").await;
        assert_eq!(asked.len(), 1);
        assert!(!asked[0].headers.contains_key("authorization"));

        let id = file["id"].as_str().unwrap();
        let original = clinic.get_as(&clinic.maya, &format!("media/{id}")).await;
        assert_eq!(original.status, StatusCode::OK);
        assert!(original.bytes == photo, "not the bytes that were sent");
        for (name, value) in [
            (header::CONTENT_TYPE, "image/jpeg"),
            (header::CACHE_CONTROL, "private, no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox; frame-ancestors 'none'"),
        ] {
            assert_eq!(original.headers[name], value);
        }
        assert!(original.headers[header::CONTENT_DISPOSITION].to_str().unwrap().starts_with("attachment"));
        let preview = clinic.get_as(&clinic.maya, &format!("media/{id}/preview")).await;
        assert_eq!(preview.headers[header::CONTENT_TYPE], "image/jpeg");
        let small = image::load_from_memory_with_format(&preview.bytes, ImageFormat::Jpeg).unwrap();
        assert_eq!(small.dimensions(), (1_280, 960));

        // Kept sealed, in two objects.
        let kept = carrier.kept();
        assert_eq!(kept.len(), 2);
        for (name, bytes) in kept {
            assert!(!bytes.windows(4).any(|window| window == b"JFIF"), "{name} is in the clear");
        }
        let conversation = clinic.conversation_id(ANA, TWILIO_NUMBER).await;
        let told = clinic.told(conversation, "media.state").await;
        assert_eq!((told.len(), &told[0]["data"]["state"]), (1, &json!("ready")));
        let audit = clinic.get_as(&clinic.alex, "audit?limit=200").await.ok();
        for action in ["media.read", "media.previewed"] {
            let of_it = |entry: &&Value| entry["action"] == action && entry["subject"] == id;
            assert_eq!(audit["items"].as_array().unwrap().iter().filter(of_it).count(), 1, "{action}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_part_is_the_part_and_what_is_known_is_not_sent_again() {
    run(async |clinic| {
        clinic.app.start_media();
        // Over several chunks of what is sealed.
        let sound: Vec<u8> = b"#!AMR\n".iter().copied().chain((0..=250_u8).cycle().take(200_000)).collect();
        let url = clinic.app.files.keep("/sound", "audio/amr", &sound).await;
        clinic.deliver_files(ANA, FRONT_DESK, "", &[(&url, "audio/amr")]).await;
        clinic.app.settled().await;
        let [file] = &fetched(&clinic, ANA, FRONT_DESK).await[..] else { panic!("one file") };
        let path = format!("/api/v1/media/{}", file["id"].as_str().unwrap());
        let bearer = format!("Bearer {}", clinic.maya.token);
        let ask = async |name: &str, value: &str| {
            let headers = [("authorization", bearer.as_str()), (name, value)];
            clinic.app.request(Method::GET, &path, &headers, "").await
        };
        let size = sound.len();
        for (range, from, until) in [
            ("bytes=0-0", 0, 1),
            ("bytes=65530-65545", 65_530, 65_546),
            ("bytes=65536-131071", 65_536, 131_072),
            ("bytes=-7", size - 7, size),
            ("bytes=131000-", 131_000, size),
        ] {
            let part = ask("range", range).await;
            assert_eq!(part.status, StatusCode::PARTIAL_CONTENT, "{range}");
            assert!(part.bytes == sound[from..until], "{range}");
            let said = format!("bytes {from}-{}/{size}", until - 1);
            assert_eq!(part.headers[header::CONTENT_RANGE], said);
        }
        let beyond = ask("range", "bytes=999999-").await;
        assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(beyond.headers[header::CONTENT_RANGE], format!("bytes */{size}"));
        let whole = ask("accept", "*/*").await;
        assert!(whole.bytes == sound);
        let etag = whole.headers[header::ETAG].to_str().unwrap().to_owned();
        let again = ask("if-none-match", &etag).await;
        assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
        let preview =
            clinic.get_as(&clinic.maya, &format!("media/{}/preview", file["id"].as_str().unwrap())).await;
        assert_eq!(preview.status, StatusCode::NOT_FOUND, "sound has none");
    })
    .await;
}

#[tokio::test]
async fn several_of_all_kinds_in_one_text() {
    run(async |clinic| {
        clinic.app.start_media();
        let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x08mdat".as_slice();
        let card = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ana Morales\r\nEND:VCARD\r\n".as_slice();
        let picture = png(40, 20);
        let all: [(&str, &str, &[u8], &str, bool); 5] = [
            ("/1", "image/png", &picture, "image/png", true),
            // What the carrier calls them is wrong or missing.
            ("/2", "application/octet-stream", heic, "image/heic", false),
            ("/3", "image/jpeg", b"%PDF-1.7\n%%EOF", "application/pdf", false),
            ("/4", "text/plain", card, "text/vcard", false),
            ("/5", "audio/amr", b"#!AMR\n<sound>", "audio/amr", false),
        ];
        let mut sent = Vec::new();
        for (path, called, bytes, ..) in all {
            sent.push((clinic.app.files.keep(path, called, bytes).await, called));
        }
        let sent: Vec<_> = sent.iter().map(|(url, kind)| (url.as_str(), *kind)).collect();
        clinic.deliver_files(ANA, FRONT_DESK, "here they are", &sent).await;
        clinic.app.settled().await;
        let files = fetched(&clinic, ANA, FRONT_DESK).await;
        assert_eq!(files.len(), all.len());
        for (file, (_, _, bytes, kind, preview)) in files.iter().zip(all) {
            assert_eq!((&file["state"], &file["content_type"]), (&json!("ready"), &json!(kind)), "{file}");
            assert_eq!(file["preview"], preview);
            let original =
                clinic.get_as(&clinic.maya, &format!("media/{}", file["id"].as_str().unwrap())).await;
            assert!(original.bytes == bytes, "{kind}");
            assert_eq!(original.headers[header::CONTENT_TYPE], kind);
        }
    })
    .await;
}

/// Peak memory of this process, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn what_is_dangerous_is_kept_out_and_said() {
    run(async |clinic| {
        clinic.app.start_media();
        let mut large = b"%PDF-1.7\n".to_vec();
        large.resize(10 * 1024 * 1024 + 1, b' ');
        let broken = [b"\xff\xd8\xff\xe0".as_slice(), &[0; 64]].concat();
        let elf = [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 64]].concat();
        let pe = [b"MZ\x90\0".as_slice(), &[0; 64]].concat();
        let (bomb, gif) = (bomb(), gif());
        let all: Vec<(&str, &[u8], &str)> = vec![
            ("image/png", &bomb, "bomb"),
            ("image/gif", &gif, "bomb"),
            ("image/jpeg", &elf, "kind"),
            ("image/jpeg", &pe, "kind"),
            ("image/jpeg", b"<!DOCTYPE html><script>alert(1)</script>", "kind"),
            ("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "kind"),
            ("application/zip", b"PK\x03\x04\x14\0\0\0", "kind"),
            ("image/jpeg", &broken, "broken"),
            ("application/pdf", &large, "too_large"),
            ("image/jpeg", b"", "empty"),
        ];
        let mut sent = Vec::new();
        for (at, (called, bytes, _)) in all.iter().enumerate() {
            sent.push((clinic.app.files.keep(&format!("/{at}"), called, bytes).await, *called));
        }
        let before = peak();
        let sent: Vec<_> = sent.iter().map(|(url, kind)| (url.as_str(), *kind)).collect();
        clinic.deliver_files(ANA, FRONT_DESK, "look at this", &sent).await;
        clinic.app.settled().await;
        let files = fetched(&clinic, ANA, FRONT_DESK).await;
        for (file, (called, _, reason)) in files.iter().zip(&all) {
            assert_eq!(
                (&file["state"], &file["reason"]),
                (&json!("refused"), &json!(reason)),
                "{called}: {file}"
            );
            assert!(file["text"].as_str().unwrap().len() > 10);
            let id = file["id"].as_str().unwrap();
            for path in [format!("media/{id}"), format!("media/{id}/preview")] {
                assert_eq!(clinic.get_as(&clinic.maya, &path).await.status, StatusCode::NOT_FOUND);
            }
        }
        assert_eq!(files.len(), all.len());
        assert!(clinic.app.files.kept().is_empty(), "something of it is kept");
        // Four at once of 10 MiB, and what tests beside this one use; decoded, the bombs have 10 and 50 GB.
        let grown = peak().saturating_sub(before) / 1024;
        assert!(grown < 1_024, "{grown} MiB more");
    })
    .await;
}

#[tokio::test]
async fn a_link_that_has_expired_is_said_to_be_gone() {
    run(async |clinic| {
        clinic.app.start_media();
        let host = &clinic.app.files.api;
        let mut sent = Vec::new();
        for status in [404, 410, 403, 401] {
            Files::answer(host, &format!("/{status}"), ResponseTemplate::new(status)).await;
            sent.push((format!("{}/{status}", host.uri()), "image/jpeg"));
        }
        let sent: Vec<_> = sent.iter().map(|(url, kind)| (url.as_str(), *kind)).collect();
        clinic.deliver_files(ANA, FRONT_DESK, "", &sent).await;
        clinic.app.settled().await;
        let files = fetched_in_steps(&clinic, ANA, FRONT_DESK, Duration::from_secs(2)).await;
        let reasons: Vec<_> = files.iter().map(|file| (&file["state"], &file["reason"])).collect();
        let gone = json!("gone");
        let (expired, forbidden) = (json!("expired"), json!("forbidden"));
        assert_eq!(reasons, [(&gone, &expired), (&gone, &expired), (&gone, &forbidden), (&gone, &forbidden)]);
        // One that is said to be gone is asked for once, the others a few times.
        assert_eq!(Files::asked(host, "/410").await.len(), 1);
        assert_eq!(Files::asked(host, "/404").await.len(), 4);
        assert_eq!(Files::asked(host, "/403").await.len(), 8);
    })
    .await;
}

#[tokio::test]
async fn a_carrier_in_trouble_is_asked_again() {
    run(async |clinic| {
        clinic.app.start_media();
        let host = &clinic.app.files.api;
        let picture = png(8, 8);
        let trouble = wiremock::Mock::given(wiremock::matchers::path("/late"))
            .respond_with(ResponseTemplate::new(503))
            .up_to_n_times(3)
            .mount_as_scoped(host)
            .await;
        let url = clinic.app.files.keep("/late", "image/png", &picture).await;
        clinic.deliver_files(ANA, FRONT_DESK, "", &[(&url, "image/png")]).await;
        clinic.app.settled().await;
        let [file] = &fetched_in_steps(&clinic, ANA, FRONT_DESK, Duration::from_secs(2)).await[..] else {
            panic!("one file")
        };
        assert_eq!(file["state"], "ready");
        assert_eq!(Files::asked(host, "/late").await.len(), 4);
        drop(trouble);
    })
    .await;
}

#[tokio::test]
async fn a_redirect_to_this_machine_or_a_private_network_is_refused() {
    run(async |clinic| {
        clinic.app.start_media();
        let account = twilio_account(&clinic).await;
        // A service of the clinic's own, on this machine.
        let inside = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        inside.set_nonblocking(true).unwrap();
        let port = inside.local_addr().unwrap().port();
        for (at, to) in [
            format!("http://127.0.0.1:{port}/"),
            format!("https://localhost:{port}/"),
            "https://[::ffff:127.0.0.1]/".to_owned(),
            "https://169.254.169.254/latest/meta-data/".to_owned(),
            "https://10.1.2.3/".to_owned(),
        ]
        .iter()
        .enumerate()
        {
            let path = format!("/2010-04-01/Accounts/AC1/Media/{at}");
            let redirect = ResponseTemplate::new(302).insert_header("location", to.as_str());
            Files::answer(&clinic.app.files.api, &path, redirect).await;
            let url = format!("{}{path}", clinic.app.files.api.uri());
            clinic.app.advance(Duration::from_secs(1));
            assert_eq!(twilio_text(&clinic, account, &format!("MM{at}"), &url).await, StatusCode::OK);
            clinic.app.settled().await;
            let [file] = &fetched(&clinic, ANA, TWILIO_NUMBER).await[..] else { panic!("one file") };
            assert_eq!((&file["state"], &file["reason"]), (&json!("refused"), &json!("address")), "{to}");
        }
        assert!(inside.accept().is_err(), "the service inside was connected to");
    })
    .await;
}

#[tokio::test]
async fn what_a_node_that_is_gone_had_leased_is_fetched_once_by_another() {
    run(async |clinic| {
        let picture = png(64, 64);
        let url = clinic.app.files.keep("/picture", "image/png", &picture).await;
        clinic.deliver_files(ANA, FRONT_DESK, "", &[(&url, "image/png")]).await;
        clinic.app.settled().await;
        // A node leases it, fetches it, keeps the bytes, and is killed before it has said so.
        let other = clinic.app.another_node().await;
        let store = &other.store;
        let until = store.now().plus(Duration::from_mins(3));
        let [work] = &store.claim_media(other.node, until, 4).await.unwrap()[..] else { panic!("one") };
        let keys = store.keys(clinic.organization).await.unwrap();
        let key = anteroom::media::objects::Key {
            organization: clinic.organization,
            id: work.id,
            attempt: work.attempt,
        };
        let part = anteroom::media::objects::Part::Original;
        other.media.objects.put(&keys, key, part, b"half of it").await.unwrap();
        assert!(store.claim_media(other.node, until, 4).await.unwrap().is_empty(), "it is leased");

        clinic.app.start_media();
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert_eq!(Files::asked(&clinic.app.files.api, "/picture").await.len(), 0, "the lease holds");
        clinic.app.advance(Duration::from_mins(3));
        let [file] = &fetched_in_steps(&clinic, ANA, FRONT_DESK, Duration::from_secs(2)).await[..] else {
            panic!("one file")
        };
        assert_eq!(file["state"], "ready");
        let original = clinic.get_as(&clinic.maya, &format!("media/{}", file["id"].as_str().unwrap())).await;
        assert!(original.bytes == picture);
        assert_eq!(Files::asked(&clinic.app.files.api, "/picture").await.len(), 1);
        assert_eq!(clinic.app.files.kept().len(), 2, "what the first had kept is still there");

        // The first comes back and ends what isn't its own any more.
        let (id, node) = (work.id, other.node);
        let end = anteroom_store::MediaEnd::Refused("kind");
        let ended =
            clinic.change(move |mut org| async move { org.finish_media(id, node, &end).await }.boxed());
        assert!(!ended.await);
        assert_eq!(files(&clinic, ANA, FRONT_DESK).await[0]["state"], "ready");
    })
    .await;
}

#[tokio::test]
async fn nobody_else_sees_it() {
    run(async |clinic| {
        clinic.app.start_media();
        let url = clinic.app.files.keep("/picture", "image/png", &png(8, 8)).await;
        clinic.deliver_files(ANA, FRONT_DESK, "", &[(&url, "image/png")]).await;
        clinic.app.settled().await;
        let [file] = &fetched(&clinic, ANA, FRONT_DESK).await[..] else { panic!("one file") };
        let id = file["id"].as_str().unwrap();
        let other = Clinic::new(&clinic.app, "Another clinic").await;
        for path in [format!("media/{id}"), format!("media/{id}/preview")] {
            assert_eq!(other.get_as(&other.alex, &path).await.status, StatusCode::NOT_FOUND);
            let path = format!("/api/v1/{path}");
            assert_eq!(
                clinic.app.request(Method::GET, &path, &[], "").await.status,
                StatusCode::UNAUTHORIZED
            );
            let auditor = clinic.colleague(anteroom_model::states::Role::Auditor, "Ada Auditor").await;
            let path = path.trim_start_matches("/api/v1/");
            assert_eq!(clinic.get_as(&auditor, path).await.status, StatusCode::OK);
        }
    })
    .await;
}
