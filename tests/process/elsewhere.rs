//! The demo's clinic once it is somewhere else: served by `anteroom serve` from another database.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anteroom_test_support::{
    Anteroom, Api, Client, PATIENCE, TwilioAccount, eventually,
    postgres::{Cluster, Database},
};
use serde_json::Value;

use crate::{
    Clinic,
    clinic::{TOLL_FREE, id, launch},
};

/// `anteroom` with these arguments, ready to run.
pub(crate) fn anteroom(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anteroom"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_remove("DATABASE_URL");
    command
}

/// Runs it beside the other work of this test; what it printed.
pub(crate) fn run(arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } =
        tokio::task::block_in_place(|| anteroom(arguments).output().expect("the binary starts"));
    assert!(status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("UTF-8")
}

/// Runs it and expects it to fail; the last line on standard error.
pub(crate) fn refusal(arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } =
        tokio::task::block_in_place(|| anteroom(arguments).output().expect("the binary starts"));
    assert!(!status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&stdout));
    let stderr = String::from_utf8(stderr).expect("UTF-8");
    let at = stderr.find("anteroom: ").unwrap_or_else(|| panic!("{arguments:?}: {stderr}"));
    stderr[at..].to_owned()
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

pub(crate) fn fresh_database() -> Database {
    tokio::task::block_in_place(|| Cluster::shared().fresh_database())
}

/// A clinic that was a demo's, served.
pub(crate) struct Elsewhere {
    pub(crate) anteroom: Anteroom,
    account: TwilioAccount,
    webhook: String,
    token: String,
}

impl Elsewhere {
    /// A stopped server with the clinic's master key, on this database or an embedded one.
    pub(crate) fn of(clinic: &Clinic, database: Option<&Database>) -> Self {
        let launch = launch();
        let launch = match database {
            Some(database) => launch.env("DATABASE_URL", &database.url()),
            None => launch,
        };
        let anteroom = launch.serve();
        fs::copy(clinic.anteroom.dir().join("master.key"), anteroom.dir().join("master.key"))
            .expect("the key");
        let account = clinic.account();
        let at = account.webhook_url.find("/webhooks/").expect("a webhook");
        let webhook = account.webhook_url[at..].to_owned();
        let token = clinic.anteroom.demo().staff("lead").token.clone();
        Self { anteroom, account, webhook, token }
    }

    pub(crate) async fn start(&mut self) {
        self.anteroom.start().await;
        self.account.webhook_url = self.anteroom.url(&self.webhook);
    }

    pub(crate) fn account(&self) -> &TwilioAccount {
        &self.account
    }

    pub(crate) fn api(&self) -> Api {
        Api::with_token(self.anteroom.client(), self.anteroom.base(), &self.token)
    }

    /// Nothing waits in the pipeline or in the outbox.
    pub(crate) async fn idle(&self) {
        eventually("an empty pipeline and outbox", Duration::from_mins(1), async || {
            let metrics = self.anteroom.metrics().await;
            let waiting = metrics.lines().filter(|line| line.starts_with("anteroom_waiting_messages{"));
            let waiting: Vec<_> = waiting.collect();
            (waiting.len() == 2 && waiting.iter().all(|line| line.ends_with(" 0"))).then_some(())
        })
        .await;
    }

    /// A patient texts for the first time, and it is shown.
    pub(crate) async fn takes_a_text(&self, phone: &str) {
        let body = "Is this the new place?";
        self.account.text(phone, TOLL_FREE, body).taken(self.anteroom.client()).await;
        let api = self.api();
        eventually("the new text", PATIENCE, async || {
            let all = api.items("/api/v1/conversations?queue=all&limit=200").await;
            let found = all.into_iter().find(|conversation| conversation["peer"] == phone)?;
            let messages = api.messages(id(&found)).await;
            messages.iter().any(|message| message["body"] == body).then_some(())
        })
        .await;
    }
}

/// What staff see of a clinic: every conversation with its texts and its timeline.
pub(crate) async fn view(api: &Api) -> Vec<(Value, Vec<Value>, Vec<Value>)> {
    let mut view = Vec::new();
    for queue in ["all", "closed"] {
        for conversation in api.items(&format!("/api/v1/conversations?queue={queue}&limit=200")).await {
            let messages = api.messages(id(&conversation)).await;
            let timeline = api.items(&format!("/api/v1/conversations/{}/timeline", id(&conversation))).await;
            view.push((conversation, messages, timeline));
        }
    }
    view
}

/// Patients who text one after the other, as fast as they are answered.
pub(crate) struct Load {
    acknowledged: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    const PHONES: usize = 8;

    /// `name` is part of each body, so that no two are alike.
    pub(crate) fn start(account: &TwilioAccount, client: &Client, name: &str) -> Self {
        let (acknowledged, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let mut tasks = Vec::new();
        for phone in 0..Self::PHONES {
            let (account, client, name) = (account.clone(), client.clone(), name.to_owned());
            let (acknowledged, stop) = (acknowledged.clone(), stop.clone());
            tasks.push(tokio::spawn(async move {
                let from = format!("+1512555{:04}", 400 + phone);
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let body = format!("{name} {phone}.{number}");
                    account.text(&from, TOLL_FREE, &body).taken(&client).await;
                    acknowledged.lock().expect("no panic").push(body);
                }
            }));
        }
        Self { acknowledged, stop, tasks }
    }

    /// All that were answered with a 2xx so far.
    pub(crate) fn acknowledged(&self) -> Vec<String> {
        self.acknowledged.lock().expect("no panic").clone()
    }

    pub(crate) async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.expect("the load");
        }
    }
}
