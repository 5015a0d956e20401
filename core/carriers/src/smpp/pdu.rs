//! Texts as `submit_sm`, and what `deliver_sm` says.

use anteroom_model::segments::{self, Encoding};
use rusmpp::{
    pdus::{DeliverSm, SubmitSm},
    tlvs::TlvValue,
    types::{COctetString, OctetString},
    values::{DataCoding, EsmClass, MessageState, Npi, RegisteredDelivery, Ton},
};

use super::{CODES, DefaultAlphabet, SmppCredentials, alphabet};
use crate::{
    Address, Failure, FailureKind, Inbound, InboundMessage, Malformed, OutboundText, Part, Receipt,
    ReceiptState, SendError,
    inbound::{self, address, message_id},
};

/// The user data header is there.
const UDHI: u8 = 0x40;
/// A delivery receipt.
const RECEIPT: u8 = 0x04;
/// A receipt about the final outcome is asked for.
const FINAL_RECEIPT: u8 = 0x01;
/// More pieces than a phone would put together.
const MOST_PIECES: usize = 255;

/// The pieces of a text, in order. `reference` ties them together.
pub(super) fn submits(
    credentials: &SmppCredentials,
    text: &OutboundText,
    reference: u8,
) -> Result<Vec<SubmitSm>, SendError> {
    let pieces = segments::split(&text.body);
    let count = pieces.len();
    if count == 0 || count > MOST_PIECES {
        return Err(CODES.explain("0x01").into());
    }
    let unsendable = || SendError::Rejected(Failure { kind: FailureKind::Other, ..CODES.explain("0x43") });
    let mut made = Vec::with_capacity(count);
    for (at, piece) in pieces.into_iter().enumerate() {
        let (coding, octets) = encode(credentials.default_alphabet, &text.body, piece);
        let mut message = Vec::with_capacity(octets.len() + 6);
        if count > 1 {
            let number = u8::try_from(at + 1).map_err(|_| unsendable())?;
            let count = u8::try_from(count).map_err(|_| unsendable())?;
            message.extend([0x05, 0x00, 0x03, reference, count, number]);
        }
        message.extend(octets);
        let (source_ton, source_npi, source) = address_fields(&text.from);
        let (dest_ton, dest_npi, dest) = address_fields(&text.to);
        let last = at + 1 == count;
        let submit = SubmitSm::builder()
            .source_addr_ton(source_ton)
            .source_addr_npi(source_npi)
            .source_addr(COctetString::from_string(source).map_err(|_| unsendable())?)
            .dest_addr_ton(dest_ton)
            .dest_addr_npi(dest_npi)
            .destination_addr(COctetString::from_string(dest).map_err(|_| unsendable())?)
            .esm_class(EsmClass::from(if count > 1 { UDHI } else { 0 }))
            .registered_delivery(RegisteredDelivery::from(if last { FINAL_RECEIPT } else { 0 }))
            .data_coding(coding)
            .short_message(OctetString::from_vec(message).map_err(|_| unsendable())?)
            .build();
        made.push(submit);
    }
    Ok(made)
}

/// A piece in the alphabet that its whole text needs.
fn encode(default: DefaultAlphabet, text: &str, piece: &str) -> (DataCoding, Vec<u8>) {
    let plain = match (Encoding::of(text), default) {
        (Encoding::Ucs2, _) => None,
        (Encoding::Gsm7, DefaultAlphabet::Gsm7) => alphabet::to_gsm7(piece),
        // A text in GSM's alphabet is not always one in Latin-1, piece by piece.
        (Encoding::Gsm7, DefaultAlphabet::Latin1) => {
            alphabet::to_latin1(text).and_then(|_| alphabet::to_latin1(piece))
        }
    };
    plain.map_or_else(
        || (DataCoding::Ucs2, alphabet::to_ucs2(piece)),
        |octets| (DataCoding::McSpecific, octets),
    )
}

/// Numbers without their `+`; short codes as the network's own.
fn address_fields(address: &Address) -> (Ton, Npi, String) {
    let digits = address.as_str().trim_start_matches('+').to_owned();
    if address.is_short_code() {
        (Ton::NetworkSpecific, Npi::Unknown, digits)
    } else {
        (Ton::International, Npi::Isdn, digits)
    }
}

/// All that tells one delivery from another; the sequence number, which a repetition changes, left out.
pub(super) fn identity(pdu: &DeliverSm) -> Vec<u8> {
    let mut identity = Vec::new();
    let payload = tlv(pdu, |value| match value {
        TlvValue::MessagePayload(payload) => Some(payload.value.as_ref().to_vec()),
        _ => None,
    });
    let reference = tlv(pdu, |value| match value {
        TlvValue::UserMessageReference(reference) => Some(format!("{reference:?}").into_bytes()),
        TlvValue::ReceiptedMessageId(id) => Some(id.as_str().as_bytes().to_vec()),
        _ => None,
    });
    for part in [
        pdu.source_addr.as_str().as_bytes(),
        pdu.destination_addr.as_str().as_bytes(),
        &[u8::from(pdu.esm_class), u8::from(pdu.data_coding)],
        pdu.short_message().as_ref(),
        &payload.unwrap_or_default(),
        &reference.unwrap_or_default(),
    ] {
        identity.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        identity.extend_from_slice(part);
    }
    identity
}

/// A text, under the id that was made for it, or a receipt.
pub(super) fn read(credentials: &SmppCredentials, pdu: &DeliverSm, id: &str) -> Result<Inbound, Malformed> {
    let class = u8::from(pdu.esm_class);
    let payload = tlv(pdu, |value| match value {
        TlvValue::MessagePayload(payload) => Some(payload.value.as_ref().to_vec()),
        _ => None,
    });
    let octets = payload.unwrap_or_else(|| pdu.short_message().as_ref().to_vec());
    if class & 0x3c == RECEIPT {
        return Ok(Inbound { messages: Vec::new(), receipts: receipt(pdu, &octets)?.into_iter().collect() });
    }
    let (part, octets) = if class & UDHI == 0 { (None, &octets[..]) } else { header(&octets)? };
    let body = alphabet::decode(u8::from(pdu.data_coding), octets, credentials.default_alphabet)?;
    let from = address("source_addr", pdu.source_addr.as_str())?;
    let to = address("destination_addr", pdu.destination_addr.as_str())?;
    let message = InboundMessage {
        part: part.or_else(|| sar(pdu)),
        ..InboundMessage::new(message_id("id", id)?, from, to, inbound::text(body)?)
    };
    Ok(Inbound { messages: vec![message], receipts: Vec::new() })
}

/// Takes the user data header off and reads what it says of pieces (3GPP TS 23.040, 9.2.3.24.1 and .8).
fn header(octets: &[u8]) -> Result<(Option<Part>, &[u8]), Malformed> {
    let broken = Malformed::Field("short_message");
    let length = usize::from(*octets.first().ok_or(broken)?);
    let mut elements = octets.get(1..=length).ok_or(broken)?;
    let mut part = None;
    while let [kind, size, rest @ ..] = elements {
        let value = rest.get(..usize::from(*size)).ok_or(broken)?;
        match (kind, value) {
            (0x00, [reference, count, number]) => part = Part::new(reference.to_string(), *number, *count),
            (0x08, [high, low, count, number]) => {
                part = Part::new(u16::from_be_bytes([*high, *low]).to_string(), *number, *count);
            }
            _ => {}
        }
        elements = &rest[usize::from(*size)..];
    }
    Ok((part, &octets[length + 1..]))
}

/// Pieces by optional parameters instead.
fn sar(pdu: &DeliverSm) -> Option<Part> {
    let (mut reference, mut count, mut number) = (None, None, None);
    for value in pdu.tlvs().iter().filter_map(|tlv| tlv.value()) {
        match value {
            TlvValue::SarMsgRefNum(value) => reference = Some(*value),
            TlvValue::SarTotalSegments(value) => count = Some(*value),
            TlvValue::SarSegmentSeqnum(value) => number = Some(*value),
            _ => {}
        }
    }
    Part::new(reference?.to_string(), number?, count?)
}

/// By optional parameters, else by the text of SMPP 3.4's appendix B.
fn receipt(pdu: &DeliverSm, octets: &[u8]) -> Result<Option<Receipt>, Malformed> {
    let text = String::from_utf8_lossy(octets);
    let word = |name: &str| {
        let at = text.find(name)? + name.len();
        text[at..].split([' ', '\0']).next().filter(|word| !word.is_empty()).map(str::to_owned)
    };
    let id = tlv(pdu, |value| match value {
        TlvValue::ReceiptedMessageId(id) => Some(id.as_str().to_owned()),
        _ => None,
    });
    let id = id.filter(|id| !id.is_empty()).or_else(|| word("id:")).ok_or(Malformed::Missing("id"))?;
    let state = tlv(pdu, |value| match value {
        TlvValue::MessageState(state) => Some(name(*state).to_owned()),
        _ => None,
    });
    let stat = state.or_else(|| word("stat:")).ok_or(Malformed::Missing("stat"))?;
    let Some(state) = receipt_state(&stat) else { return Ok(None) };
    let failure = CODES.failure(state, Some(&stat));
    Ok(Some(Receipt { carrier_message_id: message_id("id", &id)?, state, failure, at: None }))
}

fn tlv<T>(pdu: &DeliverSm, find: impl FnMut(&TlvValue) -> Option<T>) -> Option<T> {
    pdu.tlvs().iter().filter_map(|tlv| tlv.value()).find_map(find)
}

/// The state's word in receipts of text.
const fn name(state: MessageState) -> &'static str {
    match state {
        MessageState::Scheduled => "SCHEDLD",
        MessageState::Enroute => "ENROUTE",
        MessageState::Delivered => "DELIVRD",
        MessageState::Expired => "EXPIRED",
        MessageState::Deleted => "DELETED",
        MessageState::Undeliverable => "UNDELIV",
        MessageState::Accepted => "ACCEPTD",
        MessageState::Rejected => "REJECTD",
        _ => "UNKNOWN",
    }
}

fn receipt_state(word: &str) -> Option<ReceiptState> {
    match word.to_ascii_uppercase().as_str() {
        "SCHEDLD" => Some(ReceiptState::Queued),
        "ENROUTE" | "ACCEPTD" => Some(ReceiptState::Sent),
        "DELIVRD" => Some(ReceiptState::Delivered),
        "EXPIRED" | "DELETED" | "UNDELIV" | "REJECTD" => Some(ReceiptState::Failed),
        _ => None,
    }
}
