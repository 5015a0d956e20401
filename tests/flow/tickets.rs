//! Questions from the Help Center: asked, answered, mailed by a server that others wrote.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use anteroom::support::{
    self,
    mailer::{Mailer, SmtpConfig, SmtpTls},
};
use anteroom_model::states::Role;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Answer, Clinic, Staff, eventually, run};

const SUBJECT: &str = "The queue stays empty";
const WORDS: &str = "Since nine nothing comes in. Señal débil?";

fn context() -> Value {
    json!({
        "place": "inbox/mine", "version": "0.1.0", "browser": "Firefox 140, Windows", "role": "agent",
        "language": "es", "live": true, "request_ids": ["019a-7"], "conversation_id": null,
    })
}

async fn ask(clinic: &Clinic, who: &Staff, context: Value) -> Answer {
    let body = json!({ "subject": SUBJECT, "body": WORDS, "context": context });
    clinic.post(who, "support/tickets", body).await
}

fn path_of(ticket: &Value) -> String {
    format!("support/tickets/{}", ticket["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_question_is_answered_by_an_administrator_and_read_by_who_asked() {
    run(async |clinic| {
        let asked = ask(&clinic, &clinic.maya, context()).await;
        assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.body);
        let at = path_of(&asked.body);
        assert_eq!((&asked.body["state"], &asked.body["context"]), (&json!("open"), &context()));
        assert_eq!(asked.body["messages"][0]["mail"], "none", "no mail server is configured");

        // Nobody but administrators sees what others ask.
        assert_eq!(clinic.get_as(&clinic.sam, &at).await.status, StatusCode::NOT_FOUND);
        let answer = json!({ "body": "The number was closed; it is open again." });
        let foreign = clinic.post(&clinic.sam, &format!("{at}/messages"), answer.clone()).await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND);
        assert_eq!(clinic.get_as(&clinic.sam, "support/tickets").await.ok()["items"], json!([]));
        assert_eq!(
            clinic.get_as(&clinic.sam, "support/tickets?all=true").await.status,
            StatusCode::FORBIDDEN
        );
        let all = clinic.get_as(&clinic.alex, "support/tickets?all=true&limit=10").await.ok();
        assert_eq!(all["items"][0]["author"]["name"], "Maya Torres");
        let waiting = clinic.get_as(&clinic.alex, "support").await.ok();
        assert_eq!((&waiting["open"], &waiting["unread"]), (&json!(1), &json!(0)));

        clinic.app.advance(Duration::from_mins(5));
        let answered = clinic.post(&clinic.alex, &format!("{at}/messages"), answer).await.ok();
        assert_eq!(answered["state"], "answered");
        let summary = clinic.get("support").await;
        assert_eq!(
            (&summary["unread"], &summary["open"], &summary["mailed"]),
            (&json!(1), &Value::Null, &json!(false))
        );
        clinic.app.advance(Duration::from_mins(1));
        // Reading alone marks nothing: a program that lists them takes nobody's badge away.
        assert_eq!(clinic.get(&at).await["messages"][1]["author"]["name"], "Alex Kim");
        assert_eq!(clinic.get("support").await["unread"], 1);
        let others = clinic.post(&clinic.alex, &format!("{at}/seen"), Value::Null).await;
        assert_eq!(
            (others.status, &clinic.get("support").await["unread"]),
            (StatusCode::NO_CONTENT, &json!(1))
        );
        clinic.post(&clinic.maya, &format!("{at}/seen"), Value::Null).await;
        assert_eq!(clinic.get("support").await["unread"], 0);

        let closed = clinic.post(&clinic.maya, &format!("{at}/close"), Value::Null).await.ok();
        assert_eq!(closed["state"], "closed");
        let more =
            clinic.post(&clinic.maya, &format!("{at}/messages"), json!({ "body": "Again." })).await.ok();
        assert_eq!((&more["state"], more["messages"].as_array().unwrap().len()), (&json!("open"), 3));
        let actions = clinic.get_as(&clinic.alex, "audit").await.ok();
        let actions: Vec<_> =
            actions["items"].as_array().unwrap().iter().map(|one| one["action"].clone()).collect();
        for action in ["support.asked", "support.answered", "support.closed"] {
            assert!(actions.contains(&json!(action)), "{action} in {actions:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_context_holds_ids_and_states_and_a_key_asks_once() {
    run(async |clinic| {
        let auditor = clinic.colleague(Role::Auditor, "Jordan Lee").await;
        assert_eq!(ask(&clinic, &auditor, Value::Null).await.status, StatusCode::CREATED, "anybody may ask");
        for (part, smuggled) in [
            ("place", "inbox/+15125550101"),
            ("place", "inbox/15125550101"),
            ("browser", "Ana Morales, born \"1985\""),
            ("language", "es; Ana Morales"),
            ("version", "five one two"),
        ] {
            let mut context = context();
            context[part] = json!(smuggled);
            let refused = ask(&clinic, &clinic.maya, context).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{part}: {smuggled}");
            assert!(refused.body["detail"].as_str().unwrap().contains(part), "{}", refused.body);
        }
        let mut more = context();
        more["patient"] = json!("Ana Morales");
        assert_eq!(ask(&clinic, &clinic.maya, more).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        for (subject, body) in [("", WORDS), ("two\nlines", WORDS), (SUBJECT, " "), (SUBJECT, "a\0b")] {
            let refused = clinic
                .post(&clinic.maya, "support/tickets", json!({ "subject": subject, "body": body }))
                .await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{subject:?} {body:?}");
        }

        let bearer = format!("Bearer {}", clinic.maya.token);
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", "once")];
        let send = async |subject: &str| {
            let body = json!({ "subject": subject, "body": WORDS }).to_string();
            clinic.app.request(Method::POST, "/api/v1/support/tickets", &headers, body).await
        };
        let (first, second) = (send(SUBJECT).await.ok(), send(SUBJECT).await.ok());
        assert_eq!(first["id"], second["id"]);
        assert_eq!(send("Another").await.problem(), "idempotency-key-reused");
        assert_eq!(clinic.list("support/tickets").await.len(), 1);
    })
    .await;
}

/// A mail server, and what it has taken.
struct Peer {
    child: Child,
    port: u16,
    folder: TempDir,
    mails: Arc<Mutex<Vec<Value>>>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Peer {
    fn start(how: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/smtp-peer");
        let mut child = Command::new(script)
            .arg(folder.path())
            .arg(how)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("scripts/smtp-peer runs: it needs Node.js, npm and openssl");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().unwrap().unwrap().parse().expect("the peer says its port");
        let mails = Arc::<Mutex<Vec<Value>>>::default();
        let kept = mails.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                kept.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Self { child, port, folder, mails }
    }

    fn config(&self, tls: SmtpTls, to: &str) -> SmtpConfig {
        let password = self.folder.path().join("password");
        std::fs::write(&password, "s3cret\n").unwrap();
        let login = (tls != SmtpTls::None).then(|| ("anteroom".to_owned(), password));
        SmtpConfig {
            host: "localhost".into(),
            port: Some(self.port),
            tls,
            user: login.clone().map(|(user, _)| user),
            password_file: login.map(|(_, file)| file),
            ca_file: Some(self.folder.path().join("ca.pem")),
            from: "Anteroom <anteroom@clinic.example>".into(),
            to: to.into(),
        }
    }

    /// So many mails: what it has taken it says a moment later.
    async fn took(&self, count: usize) -> Vec<Value> {
        eventually("the mails are there", async || self.taken().len() >= count).await;
        let mails = self.taken();
        assert_eq!(mails.len(), count);
        mails
    }

    fn taken(&self) -> Vec<Value> {
        self.mails.lock().unwrap().clone()
    }
}

/// Mails by that server from now on.
fn mail_by(clinic: &Clinic, config: &SmtpConfig) {
    let server = &clinic.app.server;
    assert!(server.mailer.set(Mailer::open(config).unwrap()).is_ok(), "it has one already");
    server.tasks.spawn(support::run(server.clone()));
}

/// Waits until the question is mailed, or what failed is known; its first message.
async fn ended(clinic: &Clinic, at: &str) -> Value {
    let first = async || clinic.get(at).await["messages"][0].clone();
    let known = async || {
        let message = first().await;
        message["mail"] != "waiting" || message["mail_problem"].is_string()
    };
    eventually("the mail has been tried", known).await;
    first().await
}

#[tokio::test]
async fn what_is_asked_is_mailed_and_answers_are_not() {
    for (how, tls) in
        [("starttls", SmtpTls::Starttls), ("wrapped", SmtpTls::Wrapped), ("plain", SmtpTls::None)]
    {
        let peer = Peer::start(how);
        run(async |clinic| {
            let before = peer.taken().len();
            mail_by(&clinic, &peer.config(tls, "help@vendor.example"));
            let asked = ask(&clinic, &clinic.maya, context()).await.ok();
            let at = path_of(&asked);
            let message = ended(&clinic, &at).await;
            assert_eq!(
                (&message["mail"], &message["mail_problem"]),
                (&json!("mailed"), &Value::Null),
                "{how}"
            );
            let mails = peer.took(before + 1).await;
            let mail = mails.last().unwrap();
            assert_eq!(mail["to"], json!(["help@vendor.example"]));
            assert_eq!(mail["secure"], how != "plain", "{how}");
            assert_eq!(mail["user"], if how == "plain" { Value::Null } else { json!("anteroom") });
            let text = mail["text"].as_str().unwrap();
            let id = message["id"].as_str().unwrap();
            for part in ["[Anteroom] The queue stays empty", "inbox/mine", "Riverside Clinic", "019a-7", id] {
                assert!(text.contains(part), "{part} in {text}");
            }
            // The context is what was agreed to; who asked is no part of it.
            assert!(!text.contains("Maya") && !text.contains("Torres"), "{text}");

            let answer = json!({ "body": "Have you tried the other number?" });
            clinic.post(&clinic.alex, &format!("{at}/messages"), answer).await.ok();
            let more =
                clinic.post(&clinic.maya, &format!("{at}/messages"), json!({ "body": "Yes." })).await.ok();
            assert_eq!(more["messages"][1]["mail"], "none");
            eventually("the second question is mailed", async || {
                clinic.get(&at).await["messages"][2]["mail"] == "mailed"
            })
            .await;
            let mails = peer.took(before + 2).await;
            let text = mails.last().unwrap()["text"].as_str().unwrap();
            assert!(text.contains("Yes.") && !text.contains("inbox/mine"), "{text}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_mail_that_fails_says_why_and_loses_nothing() {
    let peer = Peer::start("starttls");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let good = peer.config(SmtpTls::Starttls, "help@vendor.example");
    let wrong = peer.folder.path().join("wrong");
    std::fs::write(&wrong, "another").unwrap();
    let cases: [(&str, SmtpConfig, &str, &str); 6] = [
        ("refused", SmtpConfig { to: "refused@vendor.example".into(), ..good.clone() }, "failed", "refused"),
        ("busy", SmtpConfig { to: "busy@vendor.example".into(), ..good.clone() }, "waiting", "busy"),
        ("password", SmtpConfig { password_file: Some(wrong), ..good.clone() }, "waiting", "login"),
        ("unknown authority", SmtpConfig { ca_file: None, ..good.clone() }, "waiting", "tls"),
        ("nobody there", SmtpConfig { port: Some(nobody), ..good.clone() }, "waiting", "unreachable"),
        ("another protocol", SmtpConfig { tls: SmtpTls::Wrapped, ..good }, "waiting", "tls"),
    ];
    for (name, config, state, problem) in cases {
        run(async |clinic| {
            mail_by(&clinic, &config);
            let at = path_of(&ask(&clinic, &clinic.maya, context()).await.ok());
            let message = ended(&clinic, &at).await;
            let found = (message["mail"].as_str().unwrap(), message["mail_problem"].as_str().unwrap());
            assert_eq!(found, (state, problem), "{name}");
            assert_eq!(message["body"], WORDS, "{name}");
            let again = clinic.post(&clinic.alex, &format!("{at}/mail"), Value::Null).await;
            let expected = if state == "failed" { StatusCode::OK } else { StatusCode::CONFLICT };
            assert_eq!(again.status, expected, "{name}");
            let agent = clinic.post(&clinic.maya, &format!("{at}/mail"), Value::Null).await;
            assert_eq!(agent.status, StatusCode::FORBIDDEN);
        })
        .await;
    }
    assert_eq!(peer.taken(), Vec::<Value>::new());
}

#[tokio::test]
async fn what_failed_is_tried_again_with_longer_waits_and_given_up_after_a_day() {
    let peer = Peer::start("starttls");
    let busy = peer.config(SmtpTls::Starttls, "busy@vendor.example");
    run(async |clinic| {
        mail_by(&clinic, &busy);
        let at = path_of(&ask(&clinic, &clinic.maya, context()).await.ok());
        ended(&clinic, &at).await;
        let mut hours = 0;
        // Each hour at the latest it is tried: a day of them, and it is given up.
        while clinic.get(&at).await["messages"][0]["mail"] == "waiting" {
            hours += 1;
            assert!(hours < 60, "it never ends");
            clinic.app.advance(Duration::from_hours(1));
            let store = &clinic.app.server.store;
            let tried = async || !store.support_mail_is_due().await.unwrap();
            eventually("the mail is tried", tried).await;
        }
        assert!(hours > 20, "{hours} hours: too soon");
        let message = clinic.get(&at).await["messages"][0].clone();
        assert_eq!((&message["mail"], &message["mail_problem"]), (&json!("failed"), &json!("busy")));
    })
    .await;
}
