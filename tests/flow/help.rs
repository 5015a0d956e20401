//! The Help Center's articles as the Hub reads them.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::run;

#[tokio::test]
async fn articles_are_read_in_ones_language_and_say_which_places_they_are_for() {
    run(async |clinic| {
        let english = clinic.get("help").await;
        let spanish = clinic.get("help?language=es").await;
        let (english, spanish) =
            (english["articles"].as_array().unwrap(), spanish["articles"].as_array().unwrap());
        assert_eq!(english.len(), spanish.len());
        let of = |list: &[Value], slug: &str| {
            list.iter().find(|one| one["slug"] == slug).cloned().unwrap_or_else(|| panic!("{slug}"))
        };
        let (en, es) = (of(english, "snooze-and-close"), of(spanish, "snooze-and-close"));
        assert_eq!((&en["language"], &es["language"]), (&json!("en"), &json!("es")));
        assert_eq!(es["title"], "Posponer y cerrar");
        assert_eq!(en["places"], es["places"]);
        // Of a language that isn't there, the English ones, and they say so.
        let german = clinic.get("help/snooze-and-close?language=de").await;
        assert_eq!((&german["language"], &german["title"]), (&json!("en"), &en["title"]));
        let blocks = german["blocks"].as_array().unwrap();
        assert!(blocks.iter().any(|block| block["kind"] == "list" && block["ordered"] == true));
        assert_eq!(clinic.get_as(&clinic.maya, "help/nothing").await.status, StatusCode::NOT_FOUND);
        let strangers = clinic.app.request(Method::GET, "/api/v1/help", &[], "").await;
        assert_eq!(strangers.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test]
async fn articles_are_found_and_their_pictures_shown() {
    run(async |clinic| {
        let search = async |text: &str, language: &str| {
            let wanted = json!({ "text": text, "language": language });
            clinic.post(&clinic.maya, "help/search", wanted).await
        };
        let found = search("operadora numero", "es").await.ok();
        let found = found["items"].as_array().unwrap();
        assert!(found.iter().any(|one| one["slug"] == "why-a-number-cant-send"), "{found:?}");
        assert!(found.iter().all(|one| !one["summary"].as_str().unwrap().is_empty()));
        assert_eq!(search("merge", "en").await.ok()["items"][0]["slug"], "patients");
        let long = search(&"x".repeat(201), "en").await;
        assert_eq!(long.status, StatusCode::UNPROCESSABLE_ENTITY);

        let picture = clinic.get_as(&clinic.maya, "help/pictures/hub-conversation.png").await;
        assert_eq!(
            (picture.status, &picture.headers["content-type"]),
            (StatusCode::OK, &"image/png".parse().unwrap())
        );
        assert!(picture.bytes.starts_with(b"\x89PNG"));
        for name in ["nothing.png", "..%2Fopenapi.json", "%2Fetc%2Fpasswd"] {
            let answer = clinic.get_as(&clinic.maya, &format!("help/pictures/{name}")).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{name}");
        }
    })
    .await;
}
