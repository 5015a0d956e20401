//! What a carrier has that no webhook told of: its list of recent messages, for those that offer one.
//!
//! Twilio's and Vonage's lists hold the texts, Telnyx's holds ids and the texts are asked for one by one,
//! Bandwidth's holds neither texts nor files: what is found there is taken in without its words, and says so.

use anteroom_model::time::Timestamp;

use crate::{
    CarrierKind, Carriers, Credentials, FindError, InboundMessage, Receipt, bandwidth, telnyx, twilio, vonage,
};

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Look {
    /// From this moment on.
    pub since: Timestamp,
    /// Up to this one.
    pub until: Timestamp,
    /// Where to go on: what the page before said.
    pub page: Option<String>,
}

/// One message of a carrier's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// A patient's text, whole.
    Inbound(Box<InboundMessage>),
    /// A patient's text of which only the id is listed, or not all: [`Carriers::read_listed`] has the rest.
    InboundId(String),
    /// A patient's text whose words the carrier doesn't keep.
    Wordless(Box<InboundMessage>),
    /// How far a text of ours is.
    Outbound(Receipt),
}

/// A page of a carrier's list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListPage {
    /// In the carrier's order.
    pub items: Vec<Listed>,
    /// The next page, if there is one. It may hold phone numbers: seal it.
    pub next: Option<String>,
}

impl CarrierKind {
    /// Whether it lists what it has, so that what a lost webhook never told can be found.
    pub const fn lists_messages(self) -> bool {
        matches!(self, Self::Twilio | Self::Telnyx | Self::Vonage | Self::Bandwidth)
    }
}

impl Carriers {
    /// A page of what the carrier has of `look`'s time.
    pub async fn list_recent(&self, credentials: &Credentials, look: &Look) -> Result<ListPage, FindError> {
        let http = self.http();
        match credentials {
            Credentials::Twilio(account) => twilio::list::recent(http, account, look).await,
            Credentials::Telnyx(account) => telnyx::list::recent(http, account, look).await,
            Credentials::Vonage(account) => vonage::list::recent(http, account, look).await,
            Credentials::Bandwidth(account) => bandwidth::list::recent(http, account, look).await,
            _ => Err(FindError::NotOffered),
        }
    }

    /// The whole of a listed text. `None`: the carrier doesn't have it any more.
    pub async fn read_listed(
        &self,
        credentials: &Credentials,
        id: &str,
    ) -> Result<Option<InboundMessage>, FindError> {
        let http = self.http();
        match credentials {
            Credentials::Twilio(account) => twilio::list::read(http, account, id).await,
            Credentials::Telnyx(account) => telnyx::list::read(http, account, id).await,
            _ => Err(FindError::NotOffered),
        }
    }
}

/// A moment as RFC 3339 writes it, to the second.
pub(crate) fn seconds(moment: Timestamp) -> String {
    moment.to_jiff().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests;
