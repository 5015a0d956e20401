//! Whether a number may send: what carriers say of its registration, asked on a schedule and on a person's word,
//! and the rule that follows from it. What carriers' words mean is in [`anteroom_model::registration`].
//!
//! The gate fails closed: whatever isn't known to be approved, and known recently, is refused before any request
//! goes out. A check that fails leaves the number as it was; a carrier that says something else, or refuses a text
//! for that reason, closes it.

use std::time::Duration;

use anteroom_carriers::{Address, CheckError, RegistrationQuery};
use anteroom_model::{
    ids::{NumberId, OrganizationId},
    registration::{self as rules, PartState},
    states::{NumberKind, Registration, RegistrationSource},
    time::Timestamp,
};
use anteroom_store::{Actor, NewEvent, Number, NumberRegistration, Org, StoreError};
use futures::FutureExt;
use metrics::counter;
use serde::Deserialize;
use serde_json::json;

use crate::app::App;

/// How often it is looked which numbers are due.
const POLL: Duration = Duration::from_secs(1);
/// How long a node that is not heard of keeps a check: longer than all its requests take.
const LEASE: Duration = Duration::from_mins(5);
/// First wait after a check that failed; doubled each time, up to the usual interval.
const FIRST_WAIT: Duration = Duration::from_mins(5);
/// Checks that fail in a row before administrators are told.
const TELL_AFTER: i32 = 3;

/// How often carriers are asked, and how long their word counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegistrationRules {
    /// Hours between two checks of a number; default 6.
    pub check_hours: u32,
    /// Days after which a carrier's word is too old to send by; default 7.
    pub max_age_days: u32,
}

impl Default for RegistrationRules {
    fn default() -> Self {
        Self { check_hours: 6, max_age_days: 7 }
    }
}

impl RegistrationRules {
    fn every(self) -> Duration {
        Duration::from_hours(self.check_hours.max(1).into())
    }

    fn max_age(self) -> Duration {
        Duration::from_hours(24 * u64::from(self.max_age_days.max(1)))
    }

    /// Why a number may not send at `now`, in staff's words; `None`: it may.
    pub(crate) fn refusal(
        self,
        number: &Number,
        known: Option<&NumberRegistration>,
        now: Timestamp,
    ) -> Option<String> {
        if number.kind == NumberKind::Sandbox {
            return None;
        }
        let by_carrier = known.filter(|known| known.source == RegistrationSource::Carrier);
        if number.registration != Registration::Approved {
            let told = by_carrier.map(|_| number.registration_note.as_str()).filter(|told| !told.is_empty());
            let by_hand = || rules::refusal_by_hand(number.kind, number.registration);
            return Some(told.map_or_else(|| by_hand().to_owned(), str::to_owned));
        }
        let checked = by_carrier.map(|known| known.checked_at);
        let stale = checked.is_some_and(|at| at.is_none_or(|at| now.since(at) > self.max_age()));
        stale.then(|| rules::STALE.to_owned())
    }
}

/// Whether the carrier's API tells of such a number's registration.
pub(crate) fn is_offered(carrier: &str, kind: NumberKind) -> bool {
    !rules::needs(carrier, kind).is_empty()
}

/// Asks carriers about the numbers that are due until the app is told to stop. Of several nodes, one asks about
/// each.
pub async fn run(app: App) {
    loop {
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = tokio::time::sleep(POLL) => {}
        }
        while !app.stop.is_cancelled() {
            match app.store.claim_registration(app.node, app.store.now().plus(LEASE)).await {
                Ok(Some((organization, number))) => {
                    if let Err(error) = check(&app, organization, number).await {
                        tracing::error!(%number, %error, "a number's registration could not be stored");
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(%error, "numbers whose registration is due can't be looked for");
                    break;
                }
            }
        }
    }
}

/// Asks the carrier about a number and stores what it says; `None`: there is no such number. The inner error is
/// the carrier's, stored too.
pub(crate) async fn check(
    app: &App,
    organization: OrganizationId,
    id: NumberId,
) -> Result<Option<Result<(), CheckError>>, StoreError> {
    let entry = app.directory.get(organization).await?;
    let Some(number) = entry.numbers.get(&id) else { return Ok(None) };
    let Some(account) = entry.accounts.get(&number.carrier_account_id) else { return Ok(None) };
    let began = app.store.now();
    let asked = match Address::parse(&number.address) {
        Ok(address) => {
            let query = RegistrationQuery {
                number: &address,
                kind: number.kind,
                messaging_service: number.messaging_service.as_deref(),
                at: began,
            };
            app.carriers.registration(&account.credentials, &query).await
        }
        Err(_) => Err(CheckError::NotOffered),
    };
    let outcome = asked.as_ref().map_or_else(CheckError::code, |_| "answered");
    counter!("anteroom_registration_checks_total", "outcome" => outcome).increment(1);
    if let Err(error) = &asked {
        tracing::warn!(number = %id, %error, "a carrier could not be asked about a registration");
    }
    let answer = asked.as_ref().map(|_| ()).map_err(Clone::clone);
    let done =
        Done { id, carrier: account.row.carrier.clone(), every: app.registration.every(), began, asked };
    app.store.write(organization, move |mut org| async move { done.store(&mut org).await }.boxed()).await?;
    app.directory.forget(organization);
    Ok(Some(answer))
}

/// A check that is over.
struct Done {
    id: NumberId,
    carrier: String,
    every: Duration,
    began: Timestamp,
    asked: Result<Vec<PartState>, CheckError>,
}

impl Done {
    async fn store(self, org: &mut Org<'_>) -> Result<(), StoreError> {
        let Some(mut number) = org.number(self.id).await? else { return Ok(()) };
        let now = org.now();
        let known = org.registration(self.id).await?;
        let mut known =
            known.unwrap_or_else(|| NumberRegistration::new(self.id, RegistrationSource::Hand, now));
        // Said by somebody, or by a text that was refused, while the carrier was being asked: that is newer.
        if known.updated_at > self.began && known.source != RegistrationSource::Carrier {
            known.due_at = known.due_at.map(|_| now.plus(self.every));
            return org.put_registration(&known).await;
        }
        match self.asked {
            Ok(parts) => {
                let verdict = rules::judge(&self.carrier, number.kind, &parts);
                known = NumberRegistration {
                    parts,
                    checked_at: Some(now),
                    due_at: Some(now.plus(self.every)),
                    ..NumberRegistration::new(self.id, RegistrationSource::Carrier, now)
                };
                let before = number.registration;
                let note = verdict.missing.join(" ");
                if (before, &number.registration_note) != (verdict.registration, &note) {
                    number.registration = verdict.registration;
                    number.registration_note = note;
                    org.set_number(&number).await?;
                }
                if before != verdict.registration {
                    changed(org, &number, before, "registration.changed").await?;
                }
            }
            Err(error) => {
                let doublings = u32::try_from(known.failures).unwrap_or(0).min(10);
                let backoff = FIRST_WAIT.saturating_mul(2_u32.pow(doublings)).min(self.every);
                let asked = match error {
                    CheckError::Refused { retry_after, .. } => retry_after.unwrap_or_default(),
                    _ => Duration::ZERO,
                };
                known.failures = known.failures.saturating_add(1);
                known.failure = Some(error.code().to_owned());
                // Set by hand, and asked once by hand: not asked again unasked.
                known.due_at = known.due_at.map(|_| now.plus(backoff.max(asked)));
                if known.failures == TELL_AFTER {
                    let data =
                        json!({ "number_id": self.id, "label": number.label, "failure": error.code() });
                    org.insert_notice("registration.unchecked", &data).await?;
                }
            }
        }
        org.put_registration(&known).await
    }
}

/// Tells everybody that a number's registration is another than it was; administrators, where it can't send.
async fn changed(
    org: &mut Org<'_>,
    number: &Number,
    before: Registration,
    kind: &'static str,
) -> Result<(), StoreError> {
    org.tell(event(number.id, before, number.registration, Actor::Host));
    org.insert_host_audit("number.registration_changed", number.id.0).await?;
    if number.registration == Registration::Approved && before == Registration::Unknown {
        return Ok(());
    }
    let data = json!({
        "number_id": number.id,
        "label": number.label,
        "from": before,
        "state": number.registration,
        "text": number.registration_note,
    });
    org.insert_notice(kind, &data).await?;
    Ok(())
}

/// What listeners are told.
pub(crate) fn event(id: NumberId, from: Registration, to: Registration, actor: Actor) -> NewEvent {
    let data = json!({ "number_id": id, "from": from, "state": to });
    NewEvent { kind: "number.registration", conversation_id: None, actor, data }
}

/// A carrier refused a text because the number may not send: it sends no more until the registration is
/// refreshed or set by hand.
pub(crate) async fn refused(org: &mut Org<'_>, id: NumberId, code: &str) -> Result<(), StoreError> {
    let Some(mut number) = org.number(id).await? else { return Ok(()) };
    let now = org.now();
    let known = org.registration(id).await?;
    let mut known = known.unwrap_or_else(|| NumberRegistration::new(id, RegistrationSource::Hand, now));
    let is_news =
        known.source != RegistrationSource::Refusal || number.registration != Registration::Rejected;
    known.source = RegistrationSource::Refusal;
    known.closed_code = Some(code.to_owned());
    known.closed_at = Some(now);
    org.put_registration(&known).await?;
    let before = number.registration;
    number.registration = Registration::Rejected;
    number.registration_note = format!("The carrier refused a text with {code}.");
    org.set_number(&number).await?;
    if is_news {
        changed(org, &number, before, "registration.refused").await?;
    }
    Ok(())
}

/// A person says how a number's registration is. It is not asked about on a schedule any more until somebody asks
/// for it.
pub(crate) async fn set_by_hand(
    org: &mut Org<'_>,
    number: &mut Number,
    registration: Registration,
    note: &str,
    by: Option<anteroom_model::ids::StaffId>,
) -> Result<(), StoreError> {
    let now = org.now();
    let before = org.registration(number.id).await?;
    let known = NumberRegistration {
        set_by: by,
        parts: before.map(|before| before.parts).unwrap_or_default(),
        ..NumberRegistration::new(number.id, RegistrationSource::Hand, now)
    };
    org.put_registration(&known).await?;
    number.registration = registration;
    note.clone_into(&mut number.registration_note);
    org.set_number(number).await?;
    Ok(())
}

/// A number of which nothing is known yet is asked about at once, where the carrier tells.
pub(crate) async fn enrol(
    org: &mut Org<'_>,
    id: NumberId,
    carrier: &str,
    kind: NumberKind,
) -> Result<(), StoreError> {
    if !is_offered(carrier, kind) {
        return Ok(());
    }
    let now = org.now();
    let known = NumberRegistration {
        due_at: Some(now),
        ..NumberRegistration::new(id, RegistrationSource::Carrier, now)
    };
    org.put_registration(&known).await
}

#[cfg(test)]
mod tests {
    use anteroom_model::ids::CarrierAccountId;

    use super::*;

    fn number(kind: NumberKind, registration: Registration) -> Number {
        Number {
            id: NumberId::LEAST,
            carrier_account_id: CarrierAccountId::LEAST,
            facility_id: None,
            address: "+15125550190".into(),
            kind,
            label: "Front desk".into(),
            texting_enabled: true,
            verification: None,
            registration,
            registration_note: "what the carrier says comes to".into(),
            messaging_service: None,
            version: 1,
        }
    }

    const NOW: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

    #[test]
    fn only_what_is_known_to_be_approved_may_send() {
        for kind in NumberKind::ALL {
            for registration in Registration::ALL {
                let number = number(*kind, *registration);
                let open = RegistrationRules::default().refusal(&number, None, NOW).is_none();
                let expected = *kind == NumberKind::Sandbox || *registration == Registration::Approved;
                assert_eq!(open, expected, "{kind} {registration}");
            }
        }
    }

    #[test]
    fn a_carriers_word_grows_old() {
        let rules = RegistrationRules::default();
        let number = number(NumberKind::TenDlc, Registration::Approved);
        let known = |source, checked_at| NumberRegistration {
            checked_at,
            ..NumberRegistration::new(number.id, source, NOW)
        };
        let week = Duration::from_hours(7 * 24);
        let by_carrier = |at| rules.refusal(&number, Some(&known(RegistrationSource::Carrier, at)), NOW);
        assert_eq!(by_carrier(Some(NOW.minus(week))), None);
        let stale = by_carrier(Some(NOW.minus(week + Duration::from_secs(1)))).unwrap();
        assert!(stale.contains("administrator"), "{stale}");
        assert!(by_carrier(None).is_some(), "never asked");
        // What a person has said does not.
        let by_hand = known(RegistrationSource::Hand, Some(NOW.minus(week * 9)));
        assert_eq!(rules.refusal(&number, Some(&by_hand), NOW), None);
    }

    #[test]
    fn staff_read_what_the_carriers_words_come_to() {
        let rules = RegistrationRules::default();
        let number = number(NumberKind::TollFree, Registration::Pending);
        let of = |source| {
            let known = NumberRegistration::new(number.id, source, NOW);
            rules.refusal(&number, Some(&known), NOW).unwrap()
        };
        assert_eq!(of(RegistrationSource::Carrier), number.registration_note);
        assert!(of(RegistrationSource::Hand).starts_with("This toll-free number isn't verified"));
        assert!(of(RegistrationSource::Refusal).starts_with("This toll-free number isn't verified"));
    }
}
