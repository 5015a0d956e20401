//! The demo's accounts, one of every carrier: a text signed with what `demo.json` tells is taken, and the answer
//! is taken by what stands in for the carrier, on this machine.

use anteroom_test_support::{PATIENCE, eventually};
use serde_json::{Value, json};

use crate::{
    clinic::{STRANGER, launch},
    signing::{Text, now, signed},
};

#[tokio::test(flavor = "multi_thread")]
async fn each_carriers_account_takes_a_text_and_sends_the_answer() {
    let anteroom = launch().demo(None).await;
    let (maya, admin) = (anteroom.api("agent"), anteroom.api("admin"));
    let mut seen = Vec::new();
    for account in &anteroom.demo().carrier_accounts {
        seen.push(account.carrier.as_str());
        if matches!(account.carrier.as_str(), "twilio" | "sandbox" | "smpp") {
            continue;
        }
        let number = &account.numbers[0];
        let text = Text {
            id: format!("{}-1", account.carrier),
            from: STRANGER.to_owned(),
            to: number.clone(),
            body: format!("A refill by {}", account.carrier),
            at: now(),
        };
        let answer = signed(account, &text).send(anteroom.client(), &account.webhook_url).await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status.as_u16(), 200, "{}: {}", account.carrier, answer.text);
        let tested = admin.post(&format!("/api/v1/carrier-accounts/{}/test", account.id), &Value::Null).await;
        assert_eq!(tested.expect(200)["ok"], true, "{}", account.carrier);

        let conversation = eventually("the text is in Unassigned", PATIENCE, async || {
            let waiting = maya.items("/api/v1/conversations?queue=unassigned&limit=200").await;
            waiting.into_iter().find(|one| one["number"]["address"] == number.as_str())
        })
        .await;
        let id = conversation["id"].as_str().expect("an id").to_owned();
        let reply = json!({ "body": "Come at 3" });
        maya.post(&format!("/api/v1/conversations/{id}/messages"), &reply).await.expect(201);
        eventually("the answer is sent", PATIENCE, async || {
            let messages = maya.messages(&id).await;
            let ours = messages.into_iter().find(|message| message["body"] == "Come at 3");
            ours.filter(|message| message["state"] == "sent")
        })
        .await;
    }
    seen.sort_unstable();
    let all = [
        "aws",
        "bandwidth",
        "infobip",
        "plivo",
        "sandbox",
        "signalwire",
        "sinch",
        "smpp",
        "telnyx",
        "twilio",
        "vonage",
    ];
    assert_eq!(seen, all);
}
