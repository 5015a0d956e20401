//! Brand, campaign and toll-free verification, from Twilio's messaging API.
//!
//! <https://www.twilio.com/docs/messaging/api/brand-registration-resource>,
//! <https://www.twilio.com/docs/messaging/api/usapptoperson-resource>,
//! <https://www.twilio.com/docs/messaging/api/tollfree-verification-resource>. Paths, parameters and fields are
//! those of the package `twilio` 9.13.0.

use anteroom_model::{
    registration::PartState,
    states::{NumberKind, RegistrationPart},
};
use reqwest::{Client, RequestBuilder};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    TwilioCredentials,
    api::{Sender, VERSION},
};
use crate::{
    credentials::BaseUrl,
    registration::{self, CheckError, RegistrationQuery, part},
};

/// Pages of a list that are read, of a hundred items each.
const MOST_PAGES: usize = 20;

/// A page of any list of this API: the items are in the field that `meta.key` names.
#[derive(Deserialize)]
struct Page {
    meta: Meta,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

#[derive(Deserialize)]
struct Meta {
    key: String,
    next_page_url: Option<String>,
}

#[derive(Deserialize)]
struct Compliance {
    sid: Option<String>,
    brand_registration_sid: Option<String>,
    campaign_status: Option<String>,
    errors: Option<Value>,
}

#[derive(Deserialize)]
struct Brand {
    sid: Option<String>,
    status: Option<String>,
    failure_reason: Option<String>,
    errors: Option<Value>,
}

#[derive(Deserialize)]
struct Listed {
    sid: Option<String>,
    phone_number: Option<String>,
}

#[derive(Deserialize)]
struct Verification {
    sid: Option<String>,
    status: Option<String>,
    tollfree_phone_number: Option<String>,
    rejection_reason: Option<String>,
    rejection_reasons: Option<Value>,
}

struct Api<'a> {
    http: &'a Client,
    base: BaseUrl,
    sender: Sender<'a>,
}

pub(crate) async fn read(
    http: &Client,
    credentials: &TwilioCredentials,
    query: &RegistrationQuery<'_>,
) -> Result<Vec<PartState>, CheckError> {
    let base = registration::base(
        credentials.messaging_api_base_url.as_ref(),
        &credentials.api_base_url.0,
        &super::ApiBaseUrl::default().0,
        "https://messaging.twilio.com",
    );
    let api = Api { http, base, sender: Sender::of(credentials, query.number) };
    match query.kind {
        NumberKind::TenDlc => ten_dlc(&api, query).await,
        NumberKind::TollFree => Ok(vec![toll_free(&api, query).await?]),
        NumberKind::ShortCode | NumberKind::Sandbox => Err(CheckError::NotOffered),
    }
}

/// `GET` of the account: reads, changes nothing. The same for whoever speaks Twilio's language.
pub(crate) fn probe(http: &Client, sender: &Sender<'_>) -> RequestBuilder {
    http.get(sender.base.join(&format!("{}Accounts/{}.json", sender.version, sender.account_sid)))
        .basic_auth(sender.account_sid, Some(sender.auth_token.expose()))
}

/// The same for an account of Twilio's.
pub(crate) fn probe_account(http: &Client, credentials: &TwilioCredentials) -> RequestBuilder {
    let path = format!("{VERSION}Accounts/{}.json", credentials.account_sid);
    http.get(credentials.api_base_url.0.join(&path))
        .basic_auth(&credentials.account_sid, Some(credentials.auth_token.expose()))
}

impl Api<'_> {
    fn get(&self, path: &str) -> RequestBuilder {
        let request = self.http.get(self.base.join(path));
        request.basic_auth(self.sender.account_sid, Some(self.sender.auth_token.expose()))
    }

    /// The items of a list that `wanted` holds for.
    async fn find<T: DeserializeOwned>(
        &self,
        path: &str,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<Vec<T>, CheckError> {
        let mut found = Vec::new();
        let mut next = format!("{path}?PageSize=100");
        for _ in 0..MOST_PAGES {
            let mut page: Page = registration::list(self.get(&next).send().await).await?;
            let items = page.fields.remove(&page.meta.key).ok_or(CheckError::Malformed)?;
            let items: Vec<T> = serde_json::from_value(items).map_err(|_| CheckError::Malformed)?;
            found.extend(items.into_iter().filter(|item| wanted(item)));
            let Some(url) = page.meta.next_page_url.filter(|url| !url.is_empty()) else { return Ok(found) };
            // The credentials go nowhere but to the API.
            let at = url.find(path).ok_or(CheckError::Malformed)?;
            url[at..].clone_into(&mut next);
        }
        if found.is_empty() { Err(CheckError::Malformed) } else { Ok(found) }
    }
}

async fn toll_free(api: &Api<'_>, query: &RegistrationQuery<'_>) -> Result<PartState, CheckError> {
    let ours = |item: &Verification| item.tollfree_phone_number.as_deref() == Some(query.number.as_str());
    let mut all = api.find::<Verification>("/v1/Tollfree/Verifications", ours).await?;
    // A refused one stays in the list when another is sent in.
    let best = all.iter().position(|item| item.status.as_deref() == Some("TWILIO_APPROVED")).unwrap_or(0);
    let item = if all.is_empty() { None } else { Some(all.swap_remove(best)) };
    Ok(match item {
        Some(item) => {
            let reason = item.rejection_reason.or_else(|| reasons(item.rejection_reasons.as_ref()));
            part(RegistrationPart::TollFree, item.status, reason, item.sid)
        }
        None => part(RegistrationPart::TollFree, None, None, None),
    })
}

async fn ten_dlc(api: &Api<'_>, query: &RegistrationQuery<'_>) -> Result<Vec<PartState>, CheckError> {
    let service = query.messaging_service.or(api.sender.messaging_service_sid);
    let Some(service) = service.filter(|service| registration::plain(service)) else {
        let reason = "No Messaging Service (MG…) is entered for this number or its carrier account.";
        return Ok(vec![part(RegistrationPart::Campaign, None, Some(reason.to_owned()), None)]);
    };
    let mut all =
        api.find::<Compliance>(&format!("/v1/Services/{service}/Compliance/Usa2p"), |_| true).await?;
    let best = all.iter().position(|item| item.campaign_status.as_deref() == Some("VERIFIED")).unwrap_or(0);
    let campaign = if all.is_empty() { None } else { Some(all.swap_remove(best)) };
    let mut parts = Vec::new();
    if let Some(campaign) = campaign {
        let brand = campaign.brand_registration_sid.filter(|sid| registration::plain(sid));
        parts.push(part(
            RegistrationPart::Campaign,
            campaign.campaign_status,
            reasons(campaign.errors.as_ref()),
            campaign.sid,
        ));
        if let Some(sid) = brand {
            let request = api.get(&format!("/v1/a2p/BrandRegistrations/{sid}"));
            if let Some(brand) = registration::read::<Brand>(request.send().await).await? {
                let reason = reasons(brand.errors.as_ref()).or(brand.failure_reason);
                parts.push(part(RegistrationPart::Brand, brand.status, reason, brand.sid));
            }
        }
    }
    let ours = |item: &Listed| item.phone_number.as_deref() == Some(query.number.as_str());
    let listed = api.find::<Listed>(&format!("/v1/Services/{service}/PhoneNumbers"), ours).await?;
    let (word, sid) = match listed.into_iter().next() {
        Some(listed) => ("ASSIGNED", listed.sid),
        None => ("NOT_ASSIGNED", None),
    };
    parts.push(part(RegistrationPart::Number, Some(word.to_owned()), None, sid));
    Ok(parts)
}

/// What a list of errors says, in one text: `[{"error_code": 30909, "description": "…"}]`, or deeper.
fn reasons(errors: Option<&Value>) -> Option<String> {
    fn collect(value: &Value, texts: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
            Value::Object(fields) => {
                let named = ["description", "reason", "error_description", "message"];
                let text = named.iter().find_map(|name| fields.get(*name)?.as_str());
                match text {
                    Some(text) => texts.push(text.to_owned()),
                    None => fields.values().for_each(|field| collect(field, texts)),
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut texts = Vec::new();
    collect(errors?, &mut texts);
    (!texts.is_empty()).then(|| texts.join(" "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reasons_are_found_wherever_they_stand() {
        let flat = json!([{ "error_code": 30909, "description": "Invalid sample." }, { "description": "No opt-in." }]);
        assert_eq!(reasons(Some(&flat)).unwrap(), "Invalid sample. No opt-in.");
        let deep = json!([{ "a": { "b": { "reason": "Wrong EIN." } } }]);
        assert_eq!(reasons(Some(&deep)).unwrap(), "Wrong EIN.");
        assert_eq!(reasons(Some(&json!([]))), None);
        assert_eq!(reasons(None), None);
    }
}
