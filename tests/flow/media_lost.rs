//! Files that were here, and are missing from where files are kept.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    media::{fetched, files},
    support::{FRONT_DESK, eventually, pictures::png, run},
};

const ANA: &str = "+15125550101";

#[tokio::test]
async fn a_file_that_is_missing_from_the_store_is_said_to_be_and_comes_back() {
    run(async |clinic| {
        clinic.app.start_media();
        let picture = png(8, 8);
        let url = clinic.app.files.keep("/1", "image/png", &picture).await;
        clinic.deliver_files(ANA, FRONT_DESK, "look", &[(&url, "image/png")]).await;
        clinic.app.settled().await;
        let [file] = &fetched(&clinic, ANA, FRONT_DESK).await[..] else { panic!("one file") };
        let path = format!("media/{}", file["id"].as_str().unwrap());
        let objects = clinic.app.files.hide();

        // A problem before anything is answered, not a file that breaks off.
        let missing = clinic.get_as(&clinic.maya, &path).await;
        assert_eq!((missing.status, missing.problem()), (StatusCode::GONE, "file-lost"));
        let preview = clinic.get_as(&clinic.maya, &format!("{path}/preview")).await;
        assert_eq!(preview.status, StatusCode::NOT_FOUND);
        let [file] = &files(&clinic, ANA, FRONT_DESK).await[..] else { panic!("one file") };
        assert_eq!((&file["state"], &file["reason"]), (&json!("gone"), &json!("lost")));
        assert!(file["text"].as_str().unwrap().contains("administrator"), "{file}");
        assert_eq!(clinic.get_as(&clinic.maya, &path).await.status, StatusCode::GONE);
        let conversation = clinic.conversation_id(ANA, FRONT_DESK).await;
        let states = async || -> Vec<String> {
            let told = clinic.told(conversation, "media.state").await;
            told.iter().map(|entry| entry["data"]["state"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(states().await, ["ready", "gone"], "said once");

        // The folder was not mounted, and is again.
        clinic.app.files.show(&objects);
        assert!(clinic.get_as(&clinic.maya, &path).await.bytes == picture);
        let [file] = &files(&clinic, ANA, FRONT_DESK).await[..] else { panic!("one file") };
        assert_eq!((&file["state"], &file["reason"]), (&json!("ready"), &Value::Null));
        assert_eq!(states().await, ["ready", "gone", "ready"]);

        // One that was changed is neither given out nor called missing.
        clinic.app.files.damage();
        assert_eq!(clinic.get_as(&clinic.maya, &path).await.status, StatusCode::INTERNAL_SERVER_ERROR);
        let [file] = &files(&clinic, ANA, FRONT_DESK).await[..] else { panic!("one file") };
        assert_eq!(file["state"], "ready");
    })
    .await;
}

#[tokio::test]
async fn what_a_killed_process_was_writing_is_dropped_an_hour_later() {
    run(async |clinic| {
        let files = &clinic.app.files;
        // Of an hour ago by the tests' clock, and of now.
        let (old, young) = (files.cut_off("2026-11-23T14:59:00Z"), files.cut_off("2026-11-23T15:01:00Z"));
        clinic.app.start_media();
        let dropped = || async { !old.exists() };
        eventually("it is dropped", dropped).await;
        assert!(young.exists(), "somebody may be writing it");
    })
    .await;
}
