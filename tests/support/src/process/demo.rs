//! `demo.json`, which the demo writes for programs.

use std::{fs, path::Path};

use serde::Deserialize;
use serde_json::Value;

use crate::TwilioAccount;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
pub struct Demo {
    /// Where it serves.
    pub base_url: String,
    /// The clinic.
    pub organization: String,
    /// The process that wrote it.
    pub pid: u32,
    /// Who can sign in.
    pub staff: Vec<DemoStaff>,
    /// How texts come and go.
    pub carrier_accounts: Vec<DemoAccount>,
}

/// A member of staff.
#[derive(Clone, Debug, Deserialize)]
pub struct DemoStaff {
    /// `agent`, `lead`, `admin` or `auditor`.
    pub role: String,
    /// Their name.
    pub name: String,
    /// What they sign in with.
    pub email: String,
    /// Likewise.
    pub password: String,
    /// For `Authorization: Bearer`.
    pub token: String,
}

/// A carrier account.
#[derive(Clone, Debug, Deserialize)]
pub struct DemoAccount {
    /// `twilio`, `sandbox`, …: one of each.
    pub carrier: String,
    /// Its id.
    pub id: String,
    /// Where its webhooks really go.
    pub webhook_url: String,
    /// What the carrier signs.
    pub public_url: String,
    /// Its numbers.
    pub numbers: Vec<String>,
    /// In the carrier's own field names.
    pub credentials: Value,
    /// What its webhooks are signed with, where that is no part of the credentials.
    #[serde(default)]
    pub signing: Value,
}

impl Demo {
    /// `None` while there is no whole file.
    pub fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join("demo.json")).ok()?).ok()
    }

    /// The first with this role, or whose name begins so.
    pub fn staff(&self, who: &str) -> &DemoStaff {
        let found = self.staff.iter().find(|staff| staff.role == who || staff.name.starts_with(who));
        found.unwrap_or_else(|| panic!("no {who} among the demo's staff"))
    }

    /// The account of this carrier.
    pub fn account(&self, carrier: &str) -> &DemoAccount {
        let found = self.carrier_accounts.iter().find(|account| account.carrier == carrier);
        found.unwrap_or_else(|| panic!("no account of {carrier} in the demo"))
    }
}

impl DemoAccount {
    /// A Twilio account from Twilio's side.
    pub fn as_twilio(&self) -> TwilioAccount {
        let credential = |name: &str| self.credentials[name].as_str().expect("a credential").to_owned();
        TwilioAccount {
            webhook_url: self.webhook_url.clone(),
            public_url: self.public_url.clone(),
            account_sid: credential("account_sid"),
            auth_token: credential("auth_token"),
        }
    }
}
