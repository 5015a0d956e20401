//! The API's document is kept in the repository, true, and complete.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use axum::http::{Method, StatusCode};
use serde_json::Value;

use crate::support::run;

/// Says how the committed document is brought up to date.
const BLESS: &str = "ANTEROOM_BLESS";

fn document() -> Value {
    serde_json::to_value(anteroom::hub::openapi_document()).unwrap()
}

#[test]
fn the_committed_document_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let pretty = format!("{}\n", anteroom::hub::openapi_document().to_pretty_json().unwrap());
    if std::env::var_os(BLESS).is_some() {
        std::fs::write(&path, &pretty).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == pretty,
        "docs/openapi.json is not what the code serves: if the change is meant, run \
         `{BLESS}=1 cargo test -p anteroom --test flow openapi` and commit it"
    );
}

#[test]
fn what_others_rely_on_is_in_it() {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    for (path, methods) in [
        ("/api/v1/session", &["get", "post", "delete"][..]),
        ("/api/v1/conversations", &["get"]),
        ("/api/v1/conversations/{id}/accept", &["post"]),
        ("/api/v1/conversations/{id}/assign", &["post"]),
        ("/api/v1/conversations/{id}/close", &["post"]),
        ("/api/v1/conversations/{id}/reopen", &["post"]),
        ("/api/v1/conversations/{id}/snooze", &["post"]),
        ("/api/v1/conversations/{id}/messages", &["get", "post"]),
        ("/api/v1/conversations/{id}/notes", &["get", "post"]),
        ("/api/v1/conversations/{id}/timeline", &["get"]),
        ("/api/v1/events", &["get"]),
        ("/api/v1/patients", &["get"]),
        ("/api/v1/numbers", &["get"]),
        ("/api/v1/shortcuts", &["get"]),
        ("/api/v1/policies", &["get"]),
        ("/api/v1/bindings", &["get"]),
        ("/api/v1/decisions", &["get"]),
        ("/api/v1/opt-outs", &["get"]),
        ("/api/v1/audit", &["get"]),
    ] {
        for method in methods {
            assert!(paths.get(path).is_some_and(|path| path.get(method).is_some()), "{method} {path}");
        }
    }
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            let told = operation["summary"].as_str().or(operation["description"].as_str());
            assert!(told.is_some_and(|told| !told.is_empty()), "{method} {path} doesn't say what it does");
        }
    }
}

/// A generated client makes a function of each id.
#[test]
fn every_operation_has_an_id_of_its_own() {
    let mut seen = BTreeMap::<String, String>::new();
    for (path, item) in document()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no id"));
            let there = format!("{method} {path}");
            assert!(!id.contains(['{', '}', '/']), "{there}: {id} is no name for a function");
            let before = seen.insert(id.to_owned(), there.clone());
            assert!(before.is_none(), "{id} is both {before:?} and {there}");
        }
    }
    assert!(seen.len() > 50, "{seen:?}");
}

/// The words of the document are those that are sent: an enum whose `rename` is lost would be a lie to every client.
#[test]
fn enums_are_documented_as_they_are_sent() {
    use anteroom_model::states::{Author, MessageState, NumberKind, Role};

    let document = document();
    let words = |name: &str| document["components"]["schemas"][name]["enum"].clone();
    for (name, sent) in [
        ("Author", serde_json::to_value(Author::ALL).unwrap()),
        ("MessageState", serde_json::to_value(MessageState::ALL).unwrap()),
        ("NumberKind", serde_json::to_value(NumberKind::ALL).unwrap()),
        ("Role", serde_json::to_value(Role::ALL).unwrap()),
    ] {
        assert_eq!(words(name), sent, "{name}");
    }
}

#[tokio::test]
async fn every_path_in_it_is_served_and_wants_to_know_who_asks() {
    run(async |clinic| {
        let missing = clinic.app.request(Method::GET, "/api/v1/nothing", &[], "").await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND);
        let mut asked = 0;
        for (path, item) in document()["paths"].as_object().unwrap() {
            let there = path.replace("{id}", &clinic.organization.to_string()).replace("{name}", "hello");
            let there = there.replace("{session}", "00").replace("{slug}", "keys");
            assert!(!there.contains('{'), "{path} has a parameter that this test can't fill");
            for method in item.as_object().unwrap().keys() {
                let verb: Method = method.to_uppercase().parse().unwrap();
                let answer = clinic.app.request(verb, &there, &[], "").await;
                // Getting in is for those who are nobody yet; it wants a body.
                let ways_in = ["/api/v1/session", "/api/v1/welcome", "/api/v1/welcome/password"];
                let signing_in = method == "post" && ways_in.contains(&path.as_str());
                let expected = if signing_in { StatusCode::BAD_REQUEST } else { StatusCode::UNAUTHORIZED };
                assert_eq!(answer.status, expected, "{method} {path}: {}", answer.body);
                assert!(answer.body["request_id"].is_string(), "{method} {path}: no problem of ours");
                asked += 1;
            }
        }
        assert!(asked > 30, "{asked}");
    })
    .await;
}

#[tokio::test]
async fn it_is_served_with_a_page_to_read_it_by() {
    run(async |clinic| {
        let served = clinic.app.request(Method::GET, "/api/openapi.json", &[], "").await.ok();
        assert_eq!(served, document());
        let page = clinic.app.request(Method::GET, "/api/docs/", &[], "").await;
        assert_eq!(page.status, StatusCode::OK);
    })
    .await;
}

/// Two types of one name are one schema in the document: the last one's, wherever the other was meant.
#[test]
fn no_two_types_of_the_document_have_the_same_name() {
    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), &mut files);
    let mut seen = BTreeMap::<String, PathBuf>::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for part in text.split("ToSchema").skip(1) {
            let Some(named) = part.lines().take(8).find_map(|line| {
                let rest = line.trim_start().strip_prefix("pub").unwrap_or(line.trim_start());
                let rest = rest.split_once(") ").map_or(rest, |(_, rest)| rest).trim_start();
                let name = rest.strip_prefix("struct ").or_else(|| rest.strip_prefix("enum "))?;
                Some(name.split(|c: char| !c.is_alphanumeric()).next()?.to_owned())
            }) else {
                continue;
            };
            if !named.starts_with(char::is_uppercase) {
                continue; // made by a macro
            }
            let before = seen.insert(named.clone(), file.clone());
            assert!(before.as_ref().is_none_or(|before| *before == file), "{named}: {before:?} and {file:?}");
        }
    }
    assert!(seen.len() > 50, "{seen:?}");
}
