//! `kill -9` amid what comes by a link and what is fetched: nothing is lost, nothing is there twice.

use std::{collections::BTreeSet, fs, io::Cursor, path::Path, time::Duration};

use anteroom_test_support::{Anteroom, Api, TwilioAccount, eventually, load::Dice};
use http::Method;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers};

use crate::clinic::{STRANGER, id, launch};

#[path = "../../core/carriers/tests/smpp/peer.rs"]
#[expect(clippy::unwrap_used, reason = "a test that can't go on should stop at once")]
mod peer;
use peer::Peer;

const PASSWORD: &str = "correct horse battery";
const EMAIL: &str = "director@hillside.example";
const NUMBER: &str = "+18005550100";
/// For what is slow on a machine that does much besides.
const LONG: Duration = Duration::from_mins(2);

/// Sets up an organization with one account and one number on a stopped server; the account's id.
fn set_up(anteroom: &Anteroom, carrier: &str, credentials: &Value) -> String {
    let organization = anteroom.admin(&["organization", "--name", "Hillside Dental"], "");
    let of = ["--organization", organization.as_str()];
    let staff = ["staff", "--name", "Hilda Hill", "--email", EMAIL, "--role", "admin"];
    anteroom.admin(&[&staff[..], &of].concat(), PASSWORD);
    let public_url = "https://hillside.example/hooks/{id}";
    let account = ["account", "--carrier", carrier, "--label", "Ours", "--public-url", public_url];
    let account = anteroom.admin(&[&account[..], &of].concat(), &credentials.to_string());
    let number = ["number", "--account", &account, "--address", NUMBER, "--kind", "toll_free"];
    anteroom.admin(&[&number[..], &["--label", "Main", "--registration", "approved"], &of].concat(), "");
    account
}

async fn director(anteroom: &Anteroom) -> Api {
    Api::sign_in(anteroom.client(), anteroom.base(), EMAIL, PASSWORD).await
}

/// The patients' texts.
async fn received(api: &Api) -> Vec<Value> {
    let mut all = Vec::new();
    for conversation in api.items("/api/v1/conversations?queue=all&limit=200").await {
        let texts = api.messages(id(&conversation)).await;
        all.extend(texts.into_iter().filter(|text| text["direction"] == "inbound"));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_a_link_are_there_once_whenever_the_process_is_killed() {
    let mut peer = Peer::start(&[]).await;
    let mut anteroom = launch().serve();
    let credentials = json!({
        "host": "127.0.0.1", "port": peer.port, "system_id": "clinic", "password": "secret", "tls": false,
        "enquire_link_seconds": 1,
    });
    set_up(&anteroom, "smpp", &credentials);
    anteroom.start().await;
    peer.fact("bound").await;
    // All of these are stored, and no acknowledgement gets through: the message centre sends every one again.
    peer.order(&json!({ "deaf": true })).await;
    peer.order(&json!({ "deliver": 40 })).await;
    let api = director(&anteroom).await;
    let stored = async || Some(received(&api).await).filter(|texts| texts.len() == 40);
    eventually("all texts are stored", LONG, stored).await;
    anteroom.kill();
    anteroom.start().await;
    peer.fact("bound").await;
    peer.settled().await;
    // And then in the thick of it, again and again.
    let mut dice = Dice::new(7, 1);
    for round in 1..=6 {
        peer.order(&json!({ "deliver": 40, "from": round * 40 })).await;
        dice.pause(400).await;
        anteroom.kill();
        anteroom.start().await;
        peer.fact("bound").await;
    }
    let stats = peer.settled().await;
    // With them, the receipts of what was answered automatically.
    let acknowledged = stats["acknowledged"].as_u64().expect("a number");
    assert!(acknowledged >= 7 * 40, "{stats}");
    assert_eq!(stats["waiting"], 0);
    anteroom.idle(LONG).await;
    let texts = received(&director(&anteroom).await).await;
    let mut bodies: Vec<_> = texts.iter().map(|text| text["body"].as_str().expect("a text")).collect();
    bodies.sort_unstable();
    let mut expected: Vec<_> = (0..7 * 40).map(|number| format!("text {number}")).collect();
    expected.sort_unstable();
    assert_eq!(bodies, expected, "none lost, none doubled");
    println!("{} texts over 7 kills: each once", bodies.len());
}

/// Noise of a colour of its own, as a camera would send it.
fn photo(seed: u32) -> Vec<u8> {
    let mut grain = seed.wrapping_mul(2_654_435_761) | 1;
    let picture = RgbImage::from_fn(900, 700, |_, _| {
        grain = grain.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [red, green, blue, _] = grain.to_be_bytes();
        Rgb([red, green, blue])
    });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture).write_to(&mut bytes, ImageFormat::Jpeg).expect("it encodes");
    bytes.into_inner()
}

fn names(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            names(&path, found);
        } else if !name.contains('#') {
            // What was being written at a kill is dropped an hour later.
            found.insert(name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_there_once_and_whole_whenever_the_process_is_killed() {
    const FILES: u32 = 8;
    let carrier = MockServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("anteroom.toml");
    fs::write(&config, format!("[media]\npermitted_origins = [\"{}\"]\n", carrier.uri())).expect("a file");
    let mut anteroom = launch().option("--config", config.to_str().expect("a path")).serve();
    let credentials = json!({ "account_sid": "AC1", "auth_token": "main", "api_base_url": carrier.uri() });
    let account = set_up(&anteroom, "twilio", &credentials);
    anteroom.start().await;
    let photos: Vec<_> = (0..FILES).map(photo).collect();
    for (number, photo) in photos.iter().enumerate() {
        // Slow enough that some are under way at every kill.
        let answer = ResponseTemplate::new(200).set_body_raw(photo.clone(), "image/jpeg");
        let answer = answer.set_delay(Duration::from_millis(150));
        let path = matchers::path(format!("/2010-04-01/Accounts/AC1/Messages/MM{number}/Media/ME1"));
        Mock::given(matchers::method("GET")).and(path).respond_with(answer).mount(&carrier).await;
    }
    let twilio = TwilioAccount {
        webhook_url: anteroom.url(&format!("/webhooks/twilio/{account}")),
        public_url: format!("https://hillside.example/hooks/{account}"),
        account_sid: "AC1".into(),
        auth_token: "main".into(),
    };
    for number in 0..FILES {
        let sid = format!("MM{number}");
        let url = format!("{}/2010-04-01/Accounts/AC1/Messages/{sid}/Media/ME1", carrier.uri());
        let params = [
            ("MessageSid", sid.as_str()),
            ("AccountSid", "AC1"),
            ("From", STRANGER),
            ("To", NUMBER),
            ("Body", &sid),
            ("NumMedia", "1"),
            ("MediaUrl0", &url),
            ("MediaContentType0", "image/jpeg"),
        ];
        twilio.form(&params).taken(anteroom.client()).await;
    }
    let mut dice = Dice::new(11, 1);
    for _ in 0..5 {
        dice.pause(500).await;
        anteroom.kill();
        anteroom.start().await;
    }
    anteroom.idle(LONG).await;
    let api = director(&anteroom).await;
    let over = async || {
        let texts = received(&api).await;
        let ready =
            |text: &&Value| text["media"].as_array().is_some_and(|files| files[0]["state"] == "ready");
        Some(texts.clone()).filter(|_| texts.iter().filter(ready).count() == photos.len())
    };
    let texts = eventually("every file is here", LONG, over).await;
    assert_eq!(texts.len(), photos.len());
    for text in &texts {
        let number: usize = text["body"].as_str().expect("a text")[2..].parse().expect("a number");
        let [file] = &text["media"].as_array().expect("files")[..] else { panic!("one file: {text}") };
        let request = api.request(Method::GET, &format!("/api/v1/media/{}", id(file)));
        let bytes = request.send().await.expect("an answer").bytes().await.expect("bytes");
        assert!(bytes == photos[number], "{}: not the bytes that were sent", text["body"]);
    }
    // Original and preview of each, and nothing that an attempt has left which was cut off.
    let mut kept = BTreeSet::new();
    names(&anteroom.dir().join("media"), &mut kept);
    let ids: BTreeSet<_> = texts.iter().map(|text| id(&text["media"][0]).to_owned()).collect();
    let of_these = |name: &&String| ids.iter().any(|id| name.starts_with(id.as_str()));
    assert_eq!(kept.iter().filter(of_these).count(), kept.len(), "{kept:?}");
    assert_eq!(kept.len(), 2 * photos.len(), "{kept:?}");
    let requests = carrier.received_requests().await.expect("they are recorded");
    let asked = requests.iter().filter(|request| request.url.path().ends_with("/Media/ME1")).count();
    assert!(asked > photos.len(), "the kills met no fetch under way");
    println!("{} files over 5 kills: {asked} fetches, each file once and whole", photos.len());
}
