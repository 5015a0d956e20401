//! Campaign, brand, assignment and toll-free verification.
//!
//! <https://developers.telnyx.com/api-reference/phone-number-campaigns>,
//! <https://developers.telnyx.com/api-reference/verification-requests>. Paths, parameters and fields are those of
//! the package `telnyx` 4.189.0.

use anteroom_model::{
    registration::PartState,
    states::{NumberKind, RegistrationPart},
};
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;

use super::TelnyxCredentials;
use crate::registration::{self, CheckError, RegistrationQuery, part};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfNumber {
    campaign_id: Option<String>,
    brand_id: Option<String>,
    assignment_status: Option<String>,
    failure_reasons: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfCampaign {
    campaign_id: Option<String>,
    campaign_status: Option<String>,
    failure_reasons: Option<String>,
    brand_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfBrand {
    brand_id: Option<String>,
    status: Option<String>,
    failure_reasons: Option<String>,
}

#[derive(Deserialize)]
struct Requests {
    records: Vec<Request>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    id: Option<String>,
    verification_status: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    phone_numbers: Vec<PhoneNumber>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PhoneNumber {
    phone_number: String,
}

pub(crate) async fn read(
    http: &Client,
    credentials: &TelnyxCredentials,
    query: &RegistrationQuery<'_>,
) -> Result<Vec<PartState>, CheckError> {
    let get =
        |path: &str| http.get(credentials.api_base_url.join(path)).bearer_auth(credentials.api_key.expose());
    match query.kind {
        NumberKind::TenDlc => ten_dlc(get, query).await,
        NumberKind::TollFree => toll_free(get, query).await,
        NumberKind::ShortCode | NumberKind::Sandbox => Err(CheckError::NotOffered),
    }
}

/// `GET /balance`: reads, changes nothing.
pub(crate) fn probe(http: &Client, credentials: &TelnyxCredentials) -> RequestBuilder {
    http.get(credentials.api_base_url.join("/balance")).bearer_auth(credentials.api_key.expose())
}

async fn ten_dlc(
    get: impl Fn(&str) -> RequestBuilder,
    query: &RegistrationQuery<'_>,
) -> Result<Vec<PartState>, CheckError> {
    let path = format!("/10dlc/phone_number_campaigns/{}", registration::escaped(query.number));
    let Some(number) = registration::read::<OfNumber>(get(&path).send().await).await? else {
        let word = Some("NOT_ASSIGNED".to_owned());
        return Ok(vec![part(RegistrationPart::Number, word, None, None)]);
    };
    let mut parts =
        vec![part(RegistrationPart::Number, number.assignment_status, number.failure_reasons, None)];
    let mut brand_id = number.brand_id;
    if let Some(id) = number.campaign_id.filter(|id| registration::plain(id)) {
        let path = format!("/10dlc/campaign/{id}");
        if let Some(campaign) = registration::read::<OfCampaign>(get(&path).send().await).await? {
            brand_id = brand_id.filter(|id| !id.is_empty()).or(campaign.brand_id);
            let (state, reason) = (campaign.campaign_status, campaign.failure_reasons);
            parts.push(part(RegistrationPart::Campaign, state, reason, campaign.campaign_id));
        }
    }
    if let Some(id) = brand_id.filter(|id| registration::plain(id)) {
        let path = format!("/10dlc/brand/{id}");
        if let Some(brand) = registration::read::<OfBrand>(get(&path).send().await).await? {
            parts.push(part(RegistrationPart::Brand, brand.status, brand.failure_reasons, brand.brand_id));
        }
    }
    Ok(parts)
}

async fn toll_free(
    get: impl Fn(&str) -> RequestBuilder,
    query: &RegistrationQuery<'_>,
) -> Result<Vec<PartState>, CheckError> {
    let wanted = [("page", "1"), ("page_size", "100"), ("phone_number", query.number.as_str())];
    let request = get("/messaging_tollfree/verification/requests").query(&wanted);
    let Requests { records } = registration::list(request.send().await).await?;
    let ours = |request: &Request| {
        request.phone_numbers.iter().any(|number| number.phone_number == query.number.as_str())
    };
    let mut all: Vec<_> = records.into_iter().filter(ours).collect();
    // A refused one stays in the list when another is sent in.
    let best = all.iter().position(|item| item.verification_status.as_deref() == Some("Verified"));
    let item = if all.is_empty() { None } else { Some(all.swap_remove(best.unwrap_or(0))) };
    Ok(vec![match item {
        Some(item) => part(RegistrationPart::TollFree, item.verification_status, item.reason, item.id),
        None => part(RegistrationPart::TollFree, None, None, None),
    }])
}
