//! What patients wrote and who they are is nowhere to be read: not in the database's files, not in the log,
//! not in the metrics, in no encoding that could be made by accident.

use std::{collections::HashMap, fs, path::Path};

use anteroom_test_support::{Plan, fresh_sid};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;

use crate::{
    Clinic,
    clinic::{ANAS_PHONE, NO_TEXTING, NOBODYS, PENDING, TEN_DLC, TOLL_FREE, id, launch},
};

const TEXT: &str = "Zweiundvierzig Murmeltiere husten & niesen, refill please";
const BY_GET: &str = "Murmeltier by GET";
const HELD: &str = "Murmeltier on hold";
const FORGED: &str = "Murmeltier forged";
const ASTRAY: &str = "Murmeltier astray";
const REPLY: &str = "Quittenmarmelade lindert den Husten";
const DOUBTFUL: &str = "Quittenmarmelade in doubt";
const REFUSED: &str = "Quittenmarmelade refused";
const NOTE: &str = "Internal: Hagebuttentee wurde empfohlen";
const CLAIMED_NAME: &str = "Grace Nguyen";
const CLAIMED_BIRTH: &str = "07/19/1990";
const FALSE_NAME: &str = "Xaveria Quixotte";
const FALSE_BIRTH: &str = "02/29/1904";
const GRACES_PHONE: &str = "+15125550103";
const SOMEBODYS_PHONE: &str = "+15125557741";
const SANDBOX: [&str; 2] = ["+15005550100", "+15005550101"];

/// Texts, names, dates and numbers that only the clinic's staff may see.
fn secrets() -> Vec<&'static str> {
    let texts = [TEXT, BY_GET, HELD, FORGED, ASTRAY, REPLY, DOUBTFUL, REFUSED, NOTE];
    let words = ["Murmeltier", "Quittenmarmelade", "Hagebuttentee", "Quixotte", "Xaveria"];
    let claims = [CLAIMED_NAME, CLAIMED_BIRTH, FALSE_NAME, FALSE_BIRTH, "1990-07-19", "1904-02-29"];
    let directory = ["Morales", "Nguyen", "Cohen", "1985-03-04", "1962-11-30", "2015-09-14"];
    let phones = [ANAS_PHONE, GRACES_PHONE, SOMEBODYS_PHONE, "+15125550102", "+15125550105"];
    let numbers = [TOLL_FREE, TEN_DLC, PENDING, NO_TEXTING, NOBODYS, SANDBOX[0], SANDBOX[1]];
    [&texts[..], &words, &claims, &directory, &phones, &numbers].concat()
}

/// The ways in which bytes get somewhere by accident. Digits of a phone number are looked for without `+`,
/// so that every way of writing it down is found.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let secret = secret.strip_prefix("+1").unwrap_or(secret);
    let percent: String = form_urlencoded_of(secret);
    let hexadecimal = hex::encode(secret);
    let utf_16: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    // Base64 of a longer text shows a part of it in one of three ways.
    let base64 = (0..3).map(|shift| {
        let padded = [&b"\0\0"[..shift], secret.as_bytes()].concat();
        let encoded = BASE64_STANDARD.encode(padded);
        encoded.as_bytes()[4..encoded.len() - 4].to_vec()
    });
    let plain = [
        secret.as_bytes().to_vec(),
        percent.replace('+', "%20").into_bytes(),
        percent.into_bytes(),
        hexadecimal.to_uppercase().into_bytes(),
        hexadecimal.into_bytes(),
        utf_16,
        format!("{secret:?}").trim_matches('"').into(),
    ];
    // What is shorter could be there by chance.
    plain.into_iter().chain(base64.filter(|form| form.len() >= 8)).collect()
}

fn form_urlencoded_of(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Every form of every secret by its first bytes, so that one pass finds them all.
struct Search(HashMap<[u8; 4], Vec<(&'static str, Vec<u8>)>>);

impl Search {
    fn new() -> Self {
        let mut by_start: HashMap<_, Vec<_>> = HashMap::new();
        for secret in secrets() {
            for form in forms(secret) {
                let start = *form.first_chunk().expect("four bytes or more");
                by_start.entry(start).or_default().push((secret, form));
            }
        }
        Self(by_start)
    }

    fn first_in(&self, bytes: &[u8]) -> Option<(&'static str, &[u8])> {
        (0..bytes.len()).find_map(|at| {
            let rest = &bytes[at..];
            let begun = self.0.get(rest.first_chunk::<4>()?)?;
            begun
                .iter()
                .find(|(_, form)| rest.starts_with(form))
                .map(|(secret, form)| (*secret, form.as_slice()))
        })
    }

    fn assert_clean(&self, place: &str, bytes: &[u8]) {
        if let Some((secret, form)) = self.first_in(bytes) {
            panic!("{secret:?} is in {place} as {:?}", String::from_utf8_lossy(form));
        }
    }
}

/// Files of the data folder with their names, but for the demo's own (its numbers are for programs to read).
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(files(&path));
        } else if name != "demo.json" {
            found.push((name, fs::read(&path).expect("a file")));
        }
    }
    found
}

/// Everything that could leave a trace: good texts and refused ones, replies that go wrong, notes, questions
/// and answers, searches and look-ups by number.
async fn leave_traces(clinic: &Clinic) {
    let account = clinic.account();
    clinic.text(ANAS_PHONE, TOLL_FREE, TEXT).await;
    let conversation = id(&clinic.conversation_with(ANAS_PHONE, TOLL_FREE, TEXT).await).to_owned();
    let params = [
        ("MessageSid", fresh_sid()),
        ("AccountSid", account.account_sid.clone()),
        ("From", SOMEBODYS_PHONE.to_owned()),
        ("To", TEN_DLC.to_owned()),
        ("Body", BY_GET.to_owned()),
    ];
    let params: Vec<_> = params.iter().map(|(name, value)| (*name, value.as_str())).collect();
    clinic.deliver(&account.get(&params)).await;
    clinic.text(SOMEBODYS_PHONE, NO_TEXTING, HELD).await;
    clinic.text(SOMEBODYS_PHONE, PENDING, "Hello").await;
    let client = clinic.anteroom.client();
    let mut forged = account.text(SOMEBODYS_PHONE, TOLL_FREE, FORGED);
    forged.signature = Some("Zm9yZ2Vk".into());
    forged.send(client).await.expect("an answer").problem(403, "signature-invalid");
    account
        .text(SOMEBODYS_PHONE, NOBODYS, ASTRAY)
        .send(client)
        .await
        .expect("an answer")
        .problem(404, "number-unknown");
    account
        .text("Xaveria", TOLL_FREE, ASTRAY)
        .send(client)
        .await
        .expect("an answer")
        .problem(400, "bad-address");

    clinic.twilio.plan(DOUBTFUL, &[Plan::Fail(500), Plan::TakeAndReset]);
    clinic.twilio.plan(REFUSED, &[Plan::Refuse(30003)]);
    for body in [REPLY, DOUBTFUL, REFUSED] {
        clinic.reply("Maya", &conversation, body).await;
    }
    let maya = clinic.api("Maya");
    let notes = format!("/api/v1/conversations/{conversation}/notes");
    maya.post(&notes, &json!({ "body": NOTE })).await.expect(201);
    maya.post(&notes, &json!({ "body": [NOTE] })).await.problem(422, "malformed");
    maya.get(&format!("/api/v1/patients/{}", form_urlencoded_of(CLAIMED_NAME)))
        .await
        .problem(400, "malformed");
    maya.get(&format!("/nowhere/{}?q={}", form_urlencoded_of(FALSE_NAME), &ANAS_PHONE[1..])).await;

    identify(clinic, GRACES_PHONE, [CLAIMED_NAME, CLAIMED_BIRTH], "verified").await;
    identify(clinic, SOMEBODYS_PHONE, [FALSE_NAME, FALSE_BIRTH], "placeholder").await;
    clinic.text(SOMEBODYS_PHONE, TEN_DLC, "STOP").await;
    clinic.idle().await;
}

/// Texts the number that asks who is texting, and answers.
async fn identify(clinic: &Clinic, phone: &str, answers: [&str; 2], outcome: &str) {
    let texts = ["Hello", answers[0], answers[1]];
    for text in texts {
        let text = json!({ "from": phone, "to": SANDBOX[1], "body": text });
        clinic.anteroom.anonymous().post("/simulator/api/texts", &text).await.expect(202);
        clinic.idle().await;
    }
    let mut conversation = clinic.conversation_with(phone, SANDBOX[1], answers[1]).await;
    // The texter is answered before the directory is asked.
    for _ in 0..200 {
        if conversation["identity"] != "asking" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        conversation = clinic.conversation_with(phone, SANDBOX[1], answers[1]).await;
    }
    assert_eq!(conversation["identity"], outcome, "{conversation:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_patient_is_left_in_the_open() {
    let mut clinic = Clinic::open_with(launch().env("RUST_LOG", "trace")).await;
    leave_traces(&clinic).await;
    let metrics = clinic.anteroom.metrics().await;
    // While it runs, so that the write-ahead log is there too.
    let running = files(&clinic.anteroom.dir());
    let (status, _) = clinic.anteroom.stop().await;
    assert!(status.success());
    let stopped = files(&clinic.anteroom.dir());
    let log = clinic.anteroom.log();

    // Everything that must be looked through is, and the search finds what is there.
    let search = Search::new();
    for (files, name) in
        [(&running, "anteroom.db-wal"), (&running, "anteroom.db-shm"), (&stopped, "anteroom.db")]
    {
        assert!(files.iter().any(|(found, bytes)| found == name && !bytes.is_empty()), "{name}");
    }
    let all: Vec<u8> = running.iter().chain(&stopped).flat_map(|(_, bytes)| bytes).copied().collect();
    for in_the_clear in ["Priya Raman", "Riverside toll-free", "conversation.routed"] {
        assert!(contains(&all, in_the_clear.as_bytes()), "{in_the_clear}");
    }
    assert!(log.contains("a delivery was refused") && log.contains("TRACE"));
    assert!(metrics.contains("anteroom_deliveries_total"), "{metrics}");
    for secret in secrets() {
        for planted in forms(secret) {
            let found =
                search.first_in(&[b"xyz", planted.as_slice(), b"xyz"].concat()).map(|(secret, _)| secret);
            assert!(found.is_some(), "{secret}");
        }
    }

    search.assert_clean("the metrics", metrics.as_bytes());
    for line in log.lines() {
        search.assert_clean(line, line.as_bytes());
    }
    for (name, bytes) in running.iter().chain(&stopped) {
        search.assert_clean(name, bytes);
    }
}
