//! What is known when a turn begins.

use std::sync::Arc;

use anteroom_model::{
    hooks::{ClinicNumber, Hours},
    hours::{OpeningHours, Schedule},
    ids::StaffId,
    keywords,
    time::Timestamp,
};
use anteroom_store::{Conversation, InboundWork, Number, Org, Staff, Store, StoreError};
use serde_json::{Value, json};

use crate::{
    directory::{Account, Entry},
    pipeline::{
        chain::{self, Subject},
        turn::TurnError,
    },
};

/// The facts of a turn. Nothing is read afterwards until everything is applied; if the conversation has
/// changed by then, the turn begins again.
pub(super) struct Facts<'a> {
    pub(super) work: &'a InboundWork,
    pub(super) entry: Arc<Entry>,
    pub(super) number: Number,
    pub(super) account: Account,
    pub(super) conversation: Option<Conversation>,
    /// Who a closed conversation comes back to, where that was wished for and they still work here.
    pub(super) returns_to: Option<StaffId>,
    pub(super) opted_out: bool,
    /// They seem to have asked for that in their own words, and nobody has looked yet.
    pub(super) may_have_revoked: bool,
    /// The moment of the turn.
    pub(super) now: Timestamp,
    /// The number as policies see it.
    pub(super) clinic: ClinicNumber,
    /// Opening hours at `now`.
    pub(super) hours: Hours,
}

impl<'a> Facts<'a> {
    /// What the event of the text's arrival says.
    pub(super) fn received(&self) -> Value {
        match &self.work.extra.found {
            None => json!({ "message_id": self.work.id }),
            Some(found) => json!({ "message_id": self.work.id, "found": found }),
        }
    }

    pub(super) async fn read(
        store: &Store,
        entry: Arc<Entry>,
        work: &'a InboundWork,
    ) -> Result<Self, TurnError> {
        let number = entry.numbers.get(&work.number_id).cloned().ok_or(TurnError::NumberGone)?;
        let account = entry.accounts.get(&work.carrier_account_id).cloned().ok_or(TurnError::NumberGone)?;
        let mut org = store.read(work.organization).await?;
        let conversation = org.conversation_with(number.id, &work.peer).await?;
        let returns_to = match conversation.as_ref().filter(|c| c.reopens_to_assignee) {
            Some(conversation) => still_here(&mut org, conversation.assignee_id).await?,
            None => None,
        };
        let opted_out = org.is_opted_out(&work.peer, number.id).await?;
        let may_have_revoked = !opted_out
            && (keywords::plain_language_revocation(&work.body) || org.may_have_revoked(&work.peer).await?);
        let now = org.now();
        let clinic = chain::number_for_policies(&entry, &number);
        let hours = hours_of(&entry, &number, now)?;
        Ok(Self {
            work,
            entry,
            number,
            account,
            conversation,
            returns_to,
            opted_out,
            may_have_revoked,
            now,
            clinic,
            hours,
        })
    }

    /// Whether nothing automatic is said to this patient.
    pub(super) const fn silent(&self) -> bool {
        self.opted_out || self.may_have_revoked
    }

    /// Whether patients may start a conversation: on this number, and at all.
    pub(super) fn takes_texts(&self) -> bool {
        self.number.texting_enabled && self.entry.organization.settings.patient_initiated
    }

    /// What policies are asked about, with the conversation as the turn has made it so far.
    pub(super) fn subject<'b>(&'b self, conversation: &'b Conversation) -> Subject<'b> {
        Subject {
            organization: self.work.organization,
            number: &self.number,
            conversation: Some(conversation),
            message: Some(self.work.id),
            now: self.now,
        }
    }
}

/// Whoever it was, if they can work on conversations.
async fn still_here(org: &mut Org<'_>, id: Option<StaffId>) -> Result<Option<StaffId>, StoreError> {
    let Some(id) = id else { return Ok(None) };
    let staff = org.staff_member(id).await?;
    Ok(staff.filter(Staff::works).map(|staff| staff.id))
}

/// Opening hours of the number's facility; without one, of the only facility there is; else always open.
pub(crate) fn hours_of(entry: &Entry, number: &Number, now: Timestamp) -> Result<Hours, StoreError> {
    let own = number.facility_id.and_then(|id| entry.facility(id));
    let only = || match entry.facilities.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    if let Some((_, schedule)) = own.or_else(only) {
        return Ok(schedule.at(now));
    }
    let never_closed = |error: anteroom_model::hours::InvalidHours| StoreError::Corrupt {
        column: "facilities.hours",
        reason: error.to_string(),
    };
    let always = Schedule::new("UTC", &OpeningHours::always()).map_err(never_closed)?;
    Ok(always.at(now))
}
