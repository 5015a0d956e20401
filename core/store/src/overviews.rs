//! What a list shows of each conversation besides itself, read in a few queries however long it is.

use std::collections::{HashMap, HashSet};

use anteroom_model::ids::{NumberId, PatientId};
use sqlx::FromRow;

use crate::{
    Conversation, Message, Org, Patient, StoreError, among::fetch_among, messages::MessageRow,
    patients::PatientRow,
};

/// Newest texts among which one that a person wrote is looked for.
const LOOKED_THROUGH: i64 = 8;

/// What is told of a conversation besides itself.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Who texts in it, as known now; `None`: nobody is linked.
    pub patient: Option<Patient>,
    /// The newest text that a person wrote; if there is none among the newest, the newest of all.
    pub newest: Option<Message>,
    /// Its phone must not be texted from its number.
    pub opted_out: bool,
    /// Its phone doesn't say who is texting: several people use it ([`crate::PhoneOwnership::Several`]).
    pub phone_shared: bool,
}

/// A patient, and the id of the record by which they were asked for.
#[derive(FromRow)]
struct Known {
    asked: PatientId,
    #[sqlx(flatten)]
    row: PatientRow,
}

impl Org<'_> {
    /// Of each conversation, in their order.
    pub async fn overviews(&mut self, conversations: &[Conversation]) -> Result<Vec<Overview>, StoreError> {
        if conversations.is_empty() {
            return Ok(Vec::new());
        }
        let patients = self.patients_of(conversations).await?;
        let ids: Vec<_> = conversations.iter().map(|conversation| conversation.id).collect();
        let rows = fetch_among!(self, MessageRow, "messages/newest", LOOKED_THROUGH; &ids);
        let mut newest = HashMap::new();
        for row in rows {
            let message = self.open_message(row)?;
            newest.insert(message.conversation_id, message);
        }
        let phones: Vec<_> =
            conversations.iter().map(|conversation| self.keys.lookup("phone", &conversation.peer)).collect();
        let opt_outs = fetch_among!(self, (Vec<u8>, Option<NumberId>), "opt_outs/standing_among"; &phones);
        let opt_outs: HashSet<_> = opt_outs.into_iter().collect();
        let shared = self.shared_among(conversations, &phones).await?;
        let overviews = conversations.iter().zip(phones).map(|(conversation, phone)| Overview {
            patient: conversation.patient_id.and_then(|id| patients.get(&id).cloned()),
            newest: newest.remove(&Some(conversation.id)),
            phone_shared: shared.contains(&phone),
            opted_out: opt_outs.contains(&(phone.clone(), None))
                || opt_outs.contains(&(phone, Some(conversation.number_id))),
        });
        Ok(overviews.collect())
    }

    /// The patients whom conversations are linked to, by the ids that stand there.
    async fn patients_of(
        &mut self,
        conversations: &[Conversation],
    ) -> Result<HashMap<PatientId, Patient>, StoreError> {
        let ids: Vec<_> = conversations.iter().filter_map(|conversation| conversation.patient_id).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let known = fetch_among!(self, Known, "patients/known_now"; &ids);
        known.iter().map(|known| Ok((known.asked, self.open_patient(&known.row)?))).collect()
    }

    /// Those of `phones`, the hashes of these conversations', that don't say who is texting.
    async fn shared_among(
        &mut self,
        conversations: &[Conversation],
        phones: &[Vec<u8>],
    ) -> Result<HashSet<Vec<u8>>, StoreError> {
        let maybe = fetch_among!(self, (Vec<u8>,), "patients/phones_of_maybe_several"; phones);
        let mut maybe: HashSet<_> = maybe.into_iter().map(|(phone,)| phone).collect();
        let mut shared = HashSet::new();
        for (conversation, phone) in conversations.iter().zip(phones) {
            if maybe.remove(phone) && self.phone_ownership(&conversation.peer).await?.is_several() {
                shared.insert(phone.clone());
            }
        }
        Ok(shared)
    }
}
