//! Commands as they come over a connection.
//!
//! Each is cut off by its length first and only then read, so that one which can't be read costs nothing but itself:
//! the message centre would send it again on every new link, before all that waits behind it.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use rusmpp::{
    Command, CommandId, CommandStatus, Pdu,
    tokio_codec::{CommandCodec, EncodeError},
};
use tokio_util::codec::{Decoder, Encoder};

/// Length, id, status and sequence number, four octets each.
const HEAD: usize = 16;
/// A `deliver_sm` with the longest payload, and room.
const LONGEST: usize = 128 * 1024;

/// A command of the message centre's.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) id: CommandId,
    pub(super) status: CommandStatus,
    pub(super) sequence: u32,
    /// `None` where it can't be read, or has none.
    pub(super) pdu: Option<Pdu>,
    /// All of it, as it came.
    pub(super) octets: Bytes,
}

impl Frame {
    /// `None` if these are not the octets of one command.
    pub(super) fn read(octets: Bytes) -> Option<Self> {
        let mut head = octets.get(..HEAD)?;
        if usize::try_from(head.get_u32()).ok()? != octets.len() {
            return None;
        }
        let (id, status, sequence) = (head.get_u32(), head.get_u32(), head.get_u32());
        let command = CommandCodec::new().decode(&mut BytesMut::from(octets.as_ref())).ok().flatten();
        Some(Self {
            id: CommandId::from(id),
            status: CommandStatus::from(status),
            sequence,
            pdu: command.and_then(|command| command.pdu().cloned()),
            octets,
        })
    }

    /// All that tells it from another one, as it came: without the sequence number, which a repetition changes.
    pub(super) fn identity(&self) -> Vec<u8> {
        [&self.octets[..HEAD - 4], &self.octets[HEAD..]].concat()
    }
}

/// Frames in, commands out.
pub(super) struct Frames;

impl Decoder for Frames {
    type Item = Frame;
    type Error = io::Error;

    fn decode(&mut self, source: &mut BytesMut) -> Result<Option<Frame>, io::Error> {
        let Some(length) = source.first_chunk::<4>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if !(HEAD..=LONGEST).contains(&length) {
            // Where the next command begins is anybody's guess.
            return Err(io::ErrorKind::InvalidData.into());
        }
        if source.len() < length {
            source.reserve(length - source.len());
            return Ok(None);
        }
        Ok(Frame::read(source.split_to(length).freeze()))
    }
}

impl Encoder<Command> for Frames {
    type Error = EncodeError;

    fn encode(&mut self, command: Command, target: &mut BytesMut) -> Result<(), EncodeError> {
        CommandCodec::new().encode(command, target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A `deliver_sm` that ends in the middle of its first field, and an `enquire_link` behind it.
    fn stream() -> BytesMut {
        let mut stream = BytesMut::new();
        for (id, sequence, body) in [(5_u32, 7_u32, &b"\0\x01"[..]), (0x15, 8, b"")] {
            stream.extend(u32::try_from(HEAD + body.len()).unwrap().to_be_bytes());
            stream.extend(id.to_be_bytes());
            stream.extend([0; 4]);
            stream.extend(sequence.to_be_bytes());
            stream.extend(body);
        }
        stream
    }

    #[test]
    fn what_cannot_be_read_does_not_hurt_what_comes_behind_it() {
        let whole = stream();
        // However it arrives.
        for step in 1..=whole.len() {
            let (mut arrived, mut frames) = (BytesMut::new(), Vec::new());
            for piece in whole.chunks(step) {
                arrived.extend_from_slice(piece);
                while let Some(frame) = Frames.decode(&mut arrived).unwrap() {
                    frames.push(frame);
                }
            }
            let [broken, enquiry] = &frames[..] else { panic!("{} frames", frames.len()) };
            assert_eq!((broken.id, broken.sequence), (CommandId::DeliverSm, 7));
            assert!(broken.pdu.is_none());
            assert_eq!(broken.octets[..], whole[..18]);
            assert_eq!((enquiry.id, enquiry.sequence), (CommandId::EnquireLink, 8));
        }
    }

    #[test]
    fn a_length_that_is_none_ends_the_connection() {
        for length in [0_u32, 15, 128 * 1024 + 1, u32::MAX] {
            let mut source = BytesMut::from(&length.to_be_bytes()[..]);
            assert!(Frames.decode(&mut source).is_err(), "{length}");
        }
        assert!(Frame::read(Bytes::from_static(&[0, 0, 0, 17])).is_none());
    }

    #[test]
    fn a_repetition_has_another_number_and_the_same_identity() {
        let read = |number: u8| {
            let mut octets = stream()[..18].to_vec();
            octets[15] = number;
            Frame::read(octets.into()).unwrap().identity()
        };
        assert_eq!(read(1), read(2));
    }
}
