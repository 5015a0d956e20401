//! Webhooks as Twilio makes them, and as it never would.

use std::sync::atomic::{AtomicU64, Ordering};

use http::Method;
use reqwest::Client;
use sha2::{Digest, Sha256};

use crate::{Reply, TwilioSigner};

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// A `MessageSid` that no other text of this process has.
pub fn fresh_sid() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("SM{}", hex::encode(&Sha256::digest(number.to_be_bytes())[..16]))
}

/// A carrier account of the server under test, from Twilio's side.
#[derive(Clone, Debug)]
pub struct TwilioAccount {
    /// Where the server really listens.
    pub webhook_url: String,
    /// What Twilio believes to call, and signs.
    pub public_url: String,
    /// `AC…`.
    pub account_sid: String,
    /// What it signs with.
    pub auth_token: String,
}

impl TwilioAccount {
    /// The signer of this account.
    pub fn signer(&self) -> TwilioSigner {
        TwilioSigner::new(&self.auth_token)
    }

    /// A patient's text with a `MessageSid` of its own.
    pub fn text(&self, from: &str, to: &str, body: &str) -> Delivery {
        self.text_as(&fresh_sid(), from, to, body)
    }

    /// A patient's text with a given `MessageSid`.
    pub fn text_as(&self, sid: &str, from: &str, to: &str, body: &str) -> Delivery {
        self.form(&[
            ("ToCountry", "US"),
            ("MessageSid", sid),
            ("SmsMessageSid", sid),
            ("AccountSid", &self.account_sid),
            ("From", from),
            ("To", to),
            ("Body", body),
            ("NumSegments", "1"),
            ("NumMedia", "0"),
            ("ApiVersion", "2010-04-01"),
        ])
    }

    /// A form with any parameters.
    pub fn form(&self, params: &[(&str, &str)]) -> Delivery {
        let params: Vec<_> =
            params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&params).finish();
        Delivery {
            signature: Some(self.signer().sign(&self.public_url, &params)),
            method: Method::POST,
            url: self.webhook_url.clone(),
            content_type: Some(FORM.to_owned()),
            body: body.into_bytes(),
        }
    }

    /// The same parameters in the query of a GET.
    pub fn get(&self, params: &[(&str, &str)]) -> Delivery {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        Delivery {
            signature: Some(self.signer().sign::<&str, &str>(&format!("{}?{query}", self.public_url), &[])),
            method: Method::GET,
            url: format!("{}?{query}", self.webhook_url),
            content_type: None,
            body: Vec::new(),
        }
    }

    /// A JSON body, covered by `bodySHA256` in the signed URL.
    pub fn json(&self, body: &str) -> Delivery {
        let query = format!("bodySHA256={}", hex::encode(Sha256::digest(body)));
        Delivery {
            signature: Some(self.signer().sign::<&str, &str>(&format!("{}?{query}", self.public_url), &[])),
            method: Method::POST,
            url: format!("{}?{query}", self.webhook_url),
            content_type: Some("application/json".to_owned()),
            body: body.as_bytes().to_vec(),
        }
    }

    /// A form of raw bytes, of which `params` is what Twilio would sign.
    pub fn raw(&self, body: impl Into<Vec<u8>>, params: &[(&str, &[u8])]) -> Delivery {
        let signature = Some(self.signer().sign(&self.public_url, params));
        Delivery { signature, body: body.into(), ..self.form(&[]) }
    }

    /// A status callback to `callback`, the public address that a send named.
    pub fn receipt(&self, callback: &str, sid: &str, status: &str, error_code: Option<u32>) -> Delivery {
        let code = error_code.map(|code| code.to_string());
        let mut params = vec![
            ("MessageSid", sid),
            ("AccountSid", self.account_sid.as_str()),
            ("MessageStatus", status),
            ("ApiVersion", "2010-04-01"),
        ];
        params.extend(code.as_deref().map(|code| ("ErrorCode", code)));
        let rest = callback.strip_prefix(&self.public_url);
        let rest = rest.unwrap_or_else(|| panic!("{callback} is not under {}", self.public_url));
        Self {
            webhook_url: format!("{}{rest}", self.webhook_url),
            public_url: callback.to_owned(),
            ..self.clone()
        }
        .form(&params)
    }
}

/// A webhook request, ready to be sent or to be spoilt first.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Usually POST.
    pub method: Method,
    /// Where it goes.
    pub url: String,
    /// `X-Twilio-Signature`.
    pub signature: Option<String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// As it is sent.
    pub body: Vec<u8>,
}

impl Delivery {
    /// Sends it.
    pub async fn send(&self, client: &Client) -> reqwest::Result<Reply> {
        let mut request = client.request(self.method.clone(), &self.url).body(self.body.clone());
        if let Some(signature) = &self.signature {
            request = request.header("X-Twilio-Signature", signature);
        }
        if let Some(content_type) = &self.content_type {
            request = request.header("Content-Type", content_type);
        }
        Reply::of(request).await
    }

    /// Sends it and checks that it was taken in the form that Twilio wants.
    pub async fn taken(&self, client: &Client) {
        let reply = self.send(client).await.expect("an answer");
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.header("content-type"), "text/xml");
        assert!(reply.text.ends_with("<Response/>"), "{}", reply.text);
    }
}
