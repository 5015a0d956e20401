//! A number's status and its registration.
//!
//! <https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_DescribePhoneNumbers.html>,
//! `API_DescribeRegistrations.html` and `API_DescribeRegistrationVersions.html` beside it. Operations and fields
//! are those of botocore 1.44.5. The user needs `sms-voice:DescribePhoneNumbers`,
//! `sms-voice:DescribeRegistrations` and `sms-voice:DescribeRegistrationVersions` besides.

use anteroom_model::{
    registration::PartState,
    states::{NumberKind, RegistrationPart},
    time::Timestamp,
};
use reqwest::Client;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{AwsCredentials, request};
use crate::registration::{self, CheckError, RegistrationQuery, part};

/// Pages of a list that are read, of a hundred items each.
const MOST_PAGES: usize = 20;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PhoneNumbers {
    #[serde(default)]
    phone_numbers: Vec<Leased>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Leased {
    phone_number: String,
    phone_number_id: Option<String>,
    status: Option<String>,
    registration_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Registrations {
    registrations: Vec<Registration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Registration {
    registration_id: Option<String>,
    registration_status: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Versions {
    registration_versions: Vec<Version>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    version_number: Option<u64>,
    #[serde(default)]
    denied_reasons: Vec<Denied>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Denied {
    short_description: Option<String>,
    long_description: Option<String>,
}

struct Api<'a> {
    http: &'a Client,
    credentials: &'a AwsCredentials,
    at: Timestamp,
}

pub(crate) async fn read(
    http: &Client,
    credentials: &AwsCredentials,
    query: &RegistrationQuery<'_>,
) -> Result<Vec<PartState>, CheckError> {
    let api = Api { http, credentials, at: query.at };
    let number = api.number(query.number.as_str()).await?;
    let (status, id, registration) = match number {
        Some(number) => (number.status, number.phone_number_id, number.registration_id),
        None => (None, None, None),
    };
    if query.kind == NumberKind::ShortCode {
        return Ok(vec![part(RegistrationPart::ShortCode, status, None, id)]);
    }
    let what = match query.kind {
        NumberKind::TenDlc => RegistrationPart::Campaign,
        NumberKind::TollFree => RegistrationPart::TollFree,
        NumberKind::ShortCode | NumberKind::Sandbox => return Err(CheckError::NotOffered),
    };
    let mut parts = vec![part(RegistrationPart::Number, status, None, id)];
    match registration {
        Some(id) => parts.push(api.registration(what, &json!({ "RegistrationIds": [id] })).await?),
        None => parts.push(part(what, None, None, None)),
    }
    if what == RegistrationPart::Campaign {
        // A campaign can be sent in for a brand that is complete only; which one of several is not told.
        let filter = json!({ "Name": "registration-type", "Values": ["US_TEN_DLC_BRAND_REGISTRATION"] });
        parts.push(api.registration(RegistrationPart::Brand, &json!({ "Filters": [filter] })).await?);
    }
    Ok(parts)
}

impl Api<'_> {
    async fn call<T: DeserializeOwned>(&self, operation: &str, body: &Value) -> Result<T, CheckError> {
        let body = serde_json::to_vec(body).map_err(|_| CheckError::Malformed)?;
        let request = request(self.http, self.credentials, operation, body, self.at);
        registration::list(request.ok_or(CheckError::Unreachable)?.send().await).await
    }

    async fn number(&self, address: &str) -> Result<Option<Leased>, CheckError> {
        let mut wanted = json!({ "MaxResults": 100 });
        for _ in 0..MOST_PAGES {
            let page: PhoneNumbers = self.call("DescribePhoneNumbers", &wanted).await?;
            let found = page.phone_numbers.into_iter().find(|number| number.phone_number == address);
            match (found, page.next_token) {
                (Some(found), _) => return Ok(Some(found)),
                (None, None) => return Ok(None),
                (None, Some(token)) => wanted = json!({ "MaxResults": 100, "NextToken": token }),
            }
        }
        Err(CheckError::Malformed)
    }

    async fn registration(&self, what: RegistrationPart, wanted: &Value) -> Result<PartState, CheckError> {
        let Registrations { mut registrations } = self.call("DescribeRegistrations", wanted).await?;
        let complete =
            registrations.iter().position(|one| one.registration_status.as_deref() == Some("COMPLETE"));
        if registrations.is_empty() {
            return Ok(part(what, None, None, None));
        }
        let one = registrations.swap_remove(complete.unwrap_or(0));
        let refused = matches!(one.registration_status.as_deref(), Some("REQUIRES_UPDATES" | "CLOSED"));
        let reason = match (&one.registration_id, refused) {
            (Some(id), true) => self.reason(id).await?,
            _ => None,
        };
        Ok(part(what, one.registration_status, reason, one.registration_id))
    }

    /// Why the newest version was denied.
    async fn reason(&self, id: &str) -> Result<Option<String>, CheckError> {
        let wanted = json!({ "RegistrationId": id });
        let Versions { registration_versions } = self.call("DescribeRegistrationVersions", &wanted).await?;
        let newest = registration_versions
            .into_iter()
            .filter(|version| !version.denied_reasons.is_empty())
            .max_by_key(|version| version.version_number);
        let reasons = newest.into_iter().flat_map(|version| version.denied_reasons);
        let texts: Vec<_> =
            reasons.filter_map(|reason| reason.long_description.or(reason.short_description)).collect();
        Ok((!texts.is_empty()).then(|| texts.join(" ")))
    }
}

/// `DescribeAccountAttributes`: reads, changes nothing.
pub(crate) fn probe(
    http: &Client,
    credentials: &AwsCredentials,
    at: Timestamp,
) -> Option<reqwest::RequestBuilder> {
    request(http, credentials, "DescribeAccountAttributes", b"{}".to_vec(), at)
}
