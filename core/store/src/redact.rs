//! `Debug` for rows that hold what patients wrote or are called: the id, never the contents, so that no log
//! line or panic message can show them by accident.

use std::fmt;

use crate::{
    Caregiver, CarrierAccount, Contact, Conversation, Draft, Exchange, ExternalId, Extra, Found, InboundWork,
    MediaItem, MediaWork, Merge, Message, NewCarrierAccount, NewNumber, NewOutbound, NewPatient, Note,
    Number, OptOut, OutboundWork, Patient, PatientChange, PatientWord, Phone, Profile, ReconcileWork, Record,
    SearchPage, TextFound, TextHit, TextPage, TextSearch,
};

macro_rules! by_id {
    ($($row:ty),* $(,)?) => {$(
        impl fmt::Debug for $row {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($row)).field("id", &self.id).finish_non_exhaustive()
            }
        }
    )*};
}

macro_rules! by_name {
    ($($row:ty),* $(,)?) => {$(
        impl fmt::Debug for $row {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($row)).finish_non_exhaustive()
            }
        }
    )*};
}

by_id!(
    Caregiver,
    CarrierAccount,
    Conversation,
    InboundWork,
    MediaWork,
    Merge,
    Message,
    Note,
    Number,
    OptOut,
    OutboundWork,
    Patient,
    PatientChange,
);
by_name!(
    Contact,
    Draft,
    Exchange,
    ExternalId,
    Extra,
    Found,
    MediaItem,
    NewCarrierAccount,
    NewNumber,
    NewOutbound,
    NewPatient,
    PatientWord,
    Phone,
    Profile,
    ReconcileWork,
    Record,
    SearchPage,
    TextFound,
    TextHit,
    TextPage,
    TextSearch,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_not_shown() {
        let profile = Profile { last_name: "Morales".into(), ..Profile::default() };
        assert_eq!(format!("{profile:?}"), "Profile { .. }");
    }
}
