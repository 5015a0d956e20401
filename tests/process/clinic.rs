//! The demo clinic with a fake Twilio.

use std::{sync::Arc, time::Duration};

use anteroom_test_support::{
    Anteroom, Api, Attempt, Delivery, FakeTwilio, Launch, PATIENCE, Snapshot, TwilioAccount, eventually,
};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// The demo's numbers at Twilio.
pub(crate) const TOLL_FREE: &str = "+18005550100";
pub(crate) const TEN_DLC: &str = "+15125550190";
pub(crate) const PENDING: &str = "+15125550191";
pub(crate) const NO_TEXTING: &str = "+15125550192";
/// A number that no account has.
pub(crate) const NOBODYS: &str = "+15125550199";

/// A phone that belongs to a patient of the demo, and one that belongs to nobody.
pub(crate) const ANAS_PHONE: &str = "+15125550101";
pub(crate) const STRANGER: &str = "+15125550177";

/// How to start the binary that this test was built with.
pub(crate) fn launch() -> Launch {
    Launch::new(env!("CARGO_BIN_EXE_anteroom"))
}

/// A clinic just seeded.
pub(crate) async fn seeded() -> &'static Snapshot {
    static SEEDED: OnceCell<Snapshot> = OnceCell::const_new();
    SEEDED.get_or_init(|| launch().seed()).await
}

/// A running clinic.
pub(crate) struct Clinic {
    pub(crate) anteroom: Anteroom,
    pub(crate) twilio: Arc<FakeTwilio>,
}

impl Clinic {
    pub(crate) async fn open() -> Self {
        Self::open_with(launch()).await
    }

    pub(crate) async fn open_with(launch: Launch) -> Self {
        let twilio = Arc::new(FakeTwilio::start().await);
        let anteroom = launch.twilio(&twilio.url()).demo(Some(seeded().await)).await;
        let account = anteroom.twilio();
        twilio.require(&account.account_sid, &account.auth_token);
        Self { anteroom, twilio }
    }

    /// A clinic seeded on its own, in a database that the launch names.
    pub(crate) async fn open_afresh(launch: Launch) -> Self {
        let twilio = Arc::new(FakeTwilio::start().await);
        let anteroom = launch.twilio(&twilio.url()).demo(None).await;
        Self { anteroom, twilio }
    }

    pub(crate) fn account(&self) -> TwilioAccount {
        self.anteroom.twilio()
    }

    pub(crate) fn api(&self, who: &str) -> Api {
        self.anteroom.api(who)
    }

    /// Sends a delivery that must be taken.
    pub(crate) async fn deliver(&self, delivery: &Delivery) {
        delivery.taken(self.anteroom.client()).await;
    }

    /// A patient texts.
    pub(crate) async fn text(&self, from: &str, to: &str, body: &str) {
        self.deliver(&self.account().text(from, to, body)).await;
    }

    /// A status callback for what was taken; it must be accepted.
    pub(crate) async fn receipt(&self, attempt: &Attempt, status: &str, code: Option<u32>) {
        let sid = attempt.sid.as_deref().expect("it was taken");
        self.deliver(&self.account().receipt(attempt.param("StatusCallback"), sid, status, code)).await;
    }

    /// The conversation between a phone and a number, once it has this text of the patient.
    pub(crate) async fn conversation_with(&self, phone: &str, number: &str, body: &str) -> Value {
        let api = self.api("lead");
        eventually("the conversation", PATIENCE, async || {
            let mut all = api.items("/api/v1/conversations?queue=all&limit=200").await;
            all.extend(api.items("/api/v1/conversations?queue=closed&limit=200").await);
            let found = all.into_iter().find(|c| c["peer"] == phone && c["number"]["address"] == number)?;
            let messages = api.messages(id(&found)).await;
            messages.iter().any(|m| m["direction"] == "inbound" && m["body"] == body).then_some(found)
        })
        .await
    }

    /// A conversation in which a patient has just texted and has had the automatic answer, if there is one.
    pub(crate) async fn begin(&self, phone: &str, number: &str) -> String {
        self.text(phone, number, "Good morning").await;
        let conversation = self.conversation_with(phone, number, "Good morning").await;
        self.idle().await;
        id(&conversation).to_owned()
    }

    /// Nothing waits in the pipeline or in the outbox.
    pub(crate) async fn idle(&self) {
        self.anteroom.idle(Duration::from_mins(1)).await;
    }

    /// Replies as this member of staff; the message's id.
    pub(crate) async fn reply(&self, who: &str, conversation: &str, body: &str) -> String {
        let path = format!("/api/v1/conversations/{conversation}/messages");
        let message = self.api(who).post(&path, &json!({ "body": body })).await.expect(201);
        id(&message).to_owned()
    }

    /// A message of a conversation.
    pub(crate) async fn message(&self, conversation: &str, message: &str) -> Value {
        let messages = self.api("auditor").messages(conversation).await;
        messages.into_iter().find(|m| m["id"] == message).expect("the message is in its conversation")
    }

    /// A message once it is in this state.
    pub(crate) async fn message_in(&self, conversation: &str, message: &str, state: &str) -> Value {
        eventually(&format!("a message in state {state}"), Duration::from_secs(40), async || {
            Some(self.message(conversation, message).await).filter(|m| m["state"] == state)
        })
        .await
    }

    pub(crate) async fn timeline(&self, conversation: &str) -> Vec<Value> {
        self.api("auditor").items(&format!("/api/v1/conversations/{conversation}/timeline")).await
    }

    /// Entries of this kind in a conversation's timeline.
    pub(crate) async fn told(&self, conversation: &str, kind: &str) -> Vec<Value> {
        self.timeline(conversation).await.into_iter().filter(|entry| entry["kind"] == kind).collect()
    }
}

pub(crate) fn id(object: &Value) -> &str {
    object["id"].as_str().expect("an id")
}
