//! Records that several hooks share.

use anteroom_model::hooks::{ClinicNumber, HistoryMessage, Hours, LocalTime};

use crate::bindings::types;

impl From<&ClinicNumber> for types::ClinicNumber {
    fn from(number: &ClinicNumber) -> Self {
        Self {
            address: number.address.clone(),
            kind: number.kind.clone(),
            label: number.label.clone(),
            facility: number.facility.clone(),
            organization: number.organization.clone(),
        }
    }
}

impl From<&LocalTime> for types::LocalTime {
    fn from(time: &LocalTime) -> Self {
        Self { date: time.date.clone(), weekday: time.weekday.clone(), minute: time.minute }
    }
}

impl From<&Hours> for types::Hours {
    fn from(hours: &Hours) -> Self {
        Self {
            open: hours.open,
            time_zone: hours.time_zone.clone(),
            local: (&hours.local).into(),
            holiday: hours.holiday.clone(),
            opens: hours.opens.as_ref().map(Into::into),
            closes: hours.closes.as_ref().map(Into::into),
        }
    }
}

impl From<&HistoryMessage> for types::Message {
    fn from(message: &HistoryMessage) -> Self {
        Self {
            direction: message.direction.clone(),
            author: message.author.clone(),
            at: message.at,
            body: message.body.clone(),
        }
    }
}
