//! Several organizations and carrier accounts on one server, set up with `anteroom admin`.

use anteroom_test_support::{Anteroom, Api, FakeTwilio, TwilioAccount, eventually};
use http::Method;
use serde_json::{Value, json};

use crate::clinic::{ANAS_PHONE, Clinic, STRANGER, TOLL_FREE, id, launch};

const PASSWORD: &str = "correct horse battery";
const NUMBER: &str = "+18335550100";
const SUBS_NUMBER: &str = "+18335550101";

/// An organization with one administrator, a Twilio account with a subaccount, and a number of each.
struct Other {
    email: &'static str,
    account: TwilioAccount,
    subaccount: TwilioAccount,
}

impl Other {
    /// On a stopped server.
    fn set_up(anteroom: &Anteroom, twilio: &FakeTwilio) -> Self {
        let email = "director@hillside.example";
        let organization = anteroom.admin(&["organization", "--name", "Hillside Dental"], "");
        let of = ["--organization", organization.as_str()];
        let staff = ["staff", "--name", "Hilda Hill", "--email", email, "--role", "admin"];
        anteroom.admin(&[&staff[..], &of].concat(), PASSWORD);
        let credentials = json!({
            "account_sid": "AC11", "auth_token": "main", "api_base_url": twilio.url(),
            "subaccounts": [{ "account_sid": "AC22", "auth_token": "sub", "numbers": [SUBS_NUMBER] }],
        });
        let public_url = "https://hillside.example/hooks/{id}";
        let account = ["account", "--carrier", "twilio", "--label", "Twilio", "--public-url", public_url];
        let account = anteroom.admin(&[&account[..], &of].concat(), &credentials.to_string());
        for (address, label) in [(NUMBER, "Main"), (SUBS_NUMBER, "Recall")] {
            let number = ["number", "--account", &account, "--address", address, "--kind", "toll_free"];
            let label = ["--label", label, "--registration", "approved"];
            anteroom.admin(&[&number[..], &label, &of].concat(), "");
        }
        twilio.require("AC11", "main");
        twilio.require("AC22", "sub");
        let account = TwilioAccount {
            webhook_url: format!("/webhooks/twilio/{account}"),
            public_url: public_url.replace("{id}", &account),
            account_sid: "AC11".into(),
            auth_token: "main".into(),
        };
        let subaccount =
            TwilioAccount { account_sid: "AC22".into(), auth_token: "sub".into(), ..account.clone() };
        Self { email, account, subaccount }
    }

    /// Once the server runs.
    fn at(mut self, anteroom: &Anteroom) -> Self {
        for account in [&mut self.account, &mut self.subaccount] {
            account.webhook_url = anteroom.url(&account.webhook_url);
        }
        self
    }

    async fn sign_in(&self, anteroom: &Anteroom) -> Api {
        Api::sign_in(anteroom.client(), anteroom.base(), self.email, PASSWORD).await
    }
}

/// `anteroom serve`, without any demo: a subaccount's webhooks are signed with its own token, and its
/// number's texts go out through it.
#[tokio::test(flavor = "multi_thread")]
async fn a_subaccount_signs_and_sends_for_its_numbers() {
    let twilio = FakeTwilio::start().await;
    let mut anteroom = launch().serve();
    let other = Other::set_up(&anteroom, &twilio);
    anteroom.start().await;
    let other = other.at(&anteroom);
    let client = anteroom.client();
    other.subaccount.text(STRANGER, SUBS_NUMBER, "To the subaccount").taken(client).await;
    other.account.text(STRANGER, NUMBER, "To the account").taken(client).await;

    let claims = |account: &TwilioAccount, auth_token: &str| TwilioAccount {
        auth_token: auth_token.into(),
        ..account.clone()
    };
    for (forger, kind) in [
        (claims(&other.subaccount, "main"), "signature-invalid"),
        (claims(&other.account, "sub"), "signature-invalid"),
        (TwilioAccount { account_sid: "AC33".into(), ..other.subaccount.clone() }, "wrong-account"),
    ] {
        let reply = forger.text(STRANGER, SUBS_NUMBER, "Forged").send(client).await.expect("an answer");
        reply.problem(403, kind);
    }

    let director = other.sign_in(&anteroom).await;
    let conversations = eventually("two conversations", anteroom_test_support::PATIENCE, async || {
        Some(director.items("/api/v1/conversations?queue=unassigned").await).filter(|all| all.len() == 2)
    })
    .await;
    for conversation in &conversations {
        let reply = json!({ "body": format!("From {}", conversation["number"]["label"]) });
        director
            .post(&format!("/api/v1/conversations/{}/messages", id(conversation)), &reply)
            .await
            .expect(201);
    }
    for (label, number, sid, token) in
        [("Main", NUMBER, "AC11", "main"), ("Recall", SUBS_NUMBER, "AC22", "sub")]
    {
        let attempt = &twilio.wait_for(&format!("From {label:?}"), 1).await[0];
        assert_eq!(attempt.param("From"), number);
        assert_eq!(attempt.account_sid, sid);
        assert_eq!(attempt.basic, Some((sid.to_owned(), token.to_owned())));
        assert!(attempt.param("StatusCallback").starts_with("https://hillside.example/hooks/"));
        // Its receipts are signed with its token too.
        let account = if sid == "AC22" { &other.subaccount } else { &other.account };
        let sid = attempt.sid.as_deref().expect("taken");
        account.receipt(attempt.param("StatusCallback"), sid, "delivered", None).taken(client).await;
    }
    for conversation in &conversations {
        let messages = director.messages(id(conversation)).await;
        assert_eq!(messages.last().expect("a reply")["state"], "delivered", "{messages:#?}");
    }
    let (status, _) = anteroom.stop().await;
    assert!(status.success());
}

/// Every id of one organization is nothing at all to another.
#[tokio::test(flavor = "multi_thread")]
async fn another_organization_sees_nothing() {
    let mut clinic = Clinic::open().await;
    let conversation = clinic.begin(ANAS_PHONE, TOLL_FREE).await;
    let reply = clinic.reply("Maya", &conversation, "A secret between us").await;
    clinic.idle().await;
    let (status, _) = clinic.anteroom.stop().await;
    assert!(status.success());
    let other = Other::set_up(&clinic.anteroom, &clinic.twilio);
    clinic.anteroom.start().await;
    let other = other.at(&clinic.anteroom);
    let (own, foreign) = (clinic.api("admin"), other.sign_in(&clinic.anteroom).await);

    let first = async |path: &str| {
        let items = own.items(path).await;
        items.first().unwrap_or_else(|| panic!("nothing in {path}")).clone()
    };
    let patient = first("/api/v1/patients").await;
    let decision = first(&format!("/api/v1/decisions?conversation_id={conversation}")).await;
    let token = first("/api/v1/tokens").await;
    let shortcuts = format!("/api/v1/shortcuts?conversation_id={conversation}");
    let shortcut = first(&shortcuts).await;
    let at = format!("/api/v1/conversations/{conversation}");
    let reads = [
        at.clone(),
        format!("{at}/messages"),
        format!("{at}/notes"),
        format!("{at}/timeline"),
        format!("/api/v1/patients/{}", id(&patient)),
        format!("/api/v1/decisions/{}", id(&decision)),
        shortcuts,
    ];
    for path in &reads {
        own.get(path).await.expect(200);
        foreign.get(path).await.problem(404, "not-found");
    }
    let before = own.get(&at).await.expect(200);
    let writes = [
        ("accept", Value::Null),
        ("assign", json!({ "assignee_id": null })),
        ("close", Value::Null),
        ("reopen", Value::Null),
        ("snooze", json!({ "until": "2099-01-01T00:00:00Z" })),
        ("messages", json!({ "body": "From outside" })),
        ("notes", json!({ "body": "From outside" })),
    ];
    for (action, body) in writes {
        foreign.post(&format!("{at}/{action}"), &body).await.problem(404, "not-found");
    }
    foreign.post(&format!("/api/v1/messages/{reply}/retry"), &Value::Null).await.problem(404, "not-found");
    let expand = json!({ "conversation_id": conversation });
    let path = format!("/api/v1/shortcuts/{}/expand", shortcut["name"].as_str().expect("a name"));
    own.post(&path, &expand).await.expect(200);
    foreign.post(&path, &expand).await.problem(404, "not-found");
    foreign.delete(&format!("/api/v1/tokens/{}", id(&token))).await.problem(404, "not-found");
    assert_eq!(own.get(&at).await.expect(200), before, "nothing was changed from outside");

    lists_are_its_own(&own, &foreign).await;
    other.numbers_are_its_own(&clinic).await;
    assert_eq!(own.request(Method::GET, &at).send().await.expect("an answer").status(), 200);
}

async fn lists_are_its_own(own: &Api, foreign: &Api) {
    for list in ["conversations?queue=all", "patients", "opt-outs"] {
        let path = format!("/api/v1/{list}");
        assert_eq!(foreign.items(&path).await, Vec::<Value>::new(), "{list}");
    }
    for list in ["staff", "numbers", "bindings", "policies", "audit", "tokens", "teams", "facilities"] {
        let path = format!("/api/v1/{list}?limit=200");
        let ours: Vec<Value> = own.items(&path).await.into_iter().map(|item| item["id"].clone()).collect();
        assert!(!ours.is_empty(), "{list}");
        let theirs = foreign.items(&path).await;
        assert!(!theirs.iter().any(|item| ours.contains(&item["id"])), "{list}: {theirs:#?}");
    }
}

impl Other {
    /// Neither can receive for the other's numbers, nor settle the other's texts.
    async fn numbers_are_its_own(&self, clinic: &Clinic) {
        let client = clinic.anteroom.client();
        let send =
            async |delivery: anteroom_test_support::Delivery| delivery.send(client).await.expect("an answer");
        send(self.account.text(STRANGER, TOLL_FREE, "Astray")).await.problem(404, "number-unknown");
        send(clinic.account().text(STRANGER, NUMBER, "Astray")).await.problem(404, "number-unknown");
        let crossed = TwilioAccount { webhook_url: clinic.account().webhook_url, ..self.account.clone() };
        send(crossed.text(STRANGER, TOLL_FREE, "Astray")).await.problem(403, "signature-invalid");

        let attempt = &clinic.twilio.attempts_of("A secret between us")[0];
        let callback = format!("{}/status?m={}", self.account.public_url, attempt.our_id());
        let sid = attempt.sid.as_deref().expect("taken");
        self.account.receipt(&callback, sid, "delivered", None).taken(client).await;
        let conversation = clinic.conversation_with(ANAS_PHONE, TOLL_FREE, "Good morning").await;
        let message = clinic.message(id(&conversation), attempt.our_id()).await;
        assert_eq!(message["state"], "sent", "another account's receipt changed it");
    }
}
