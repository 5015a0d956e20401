//! What the compiling child says to its host, over a pipe: a tag, a length (8 bytes, little-endian), bytes.

use std::io::{self, Read, Write};

/// Longest frame but for the compiled form, in bytes.
const FRAME_BYTES: usize = 4 * 1024 * 1024;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Tag {
    /// What can run what this child compiles; always the first.
    Compatibility = b'e',
    /// The name of a step that begins.
    Step = b's',
    /// A refusal, as JSON; the last.
    Refusal = b'r',
    /// What was inspected, as JSON.
    Inspected = b'i',
    /// The compiled form; the last.
    Form = b'c',
}

impl Tag {
    const ALL: [Self; 5] = [Self::Compatibility, Self::Step, Self::Refusal, Self::Inspected, Self::Form];
}

/// A frame as it was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Said(Tag, Vec<u8>),
    /// A form of so many bytes, which is more than was asked for: nothing of it was read.
    TooLarge(u64),
}

pub(crate) fn write(to: &mut dyn Write, tag: Tag, bytes: &[u8]) -> io::Result<()> {
    to.write_all(&[tag as u8])?;
    to.write_all(&(bytes.len() as u64).to_le_bytes())?;
    to.write_all(bytes)?;
    to.flush()
}

/// The next frame; `None` where they end. Takes no more memory than `form_bytes`, or 4 MiB.
pub(crate) fn read(from: &mut dyn Read, form_bytes: usize) -> io::Result<Option<Frame>> {
    let mut tag = [0];
    if from.read(&mut tag)? == 0 {
        return Ok(None);
    }
    let broken = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let tag =
        Tag::ALL.into_iter().find(|known| *known as u8 == tag[0]).ok_or_else(|| broken("no such tag"))?;
    let mut length = [0; 8];
    from.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    let most = if tag == Tag::Form { form_bytes } else { FRAME_BYTES };
    if length > most as u64 {
        return if tag == Tag::Form { Ok(Some(Frame::TooLarge(length))) } else { Err(broken("too long")) };
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    from.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(Frame::Said(tag, bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in_and_no_larger_than_asked_for() {
        let mut pipe = Vec::new();
        write(&mut pipe, Tag::Step, b"compile").unwrap();
        write(&mut pipe, Tag::Form, &[7; 100]).unwrap();
        let mut from = pipe.as_slice();
        assert_eq!(read(&mut from, 100).unwrap(), Some(Frame::Said(Tag::Step, b"compile".to_vec())));
        let before = from;
        assert_eq!(read(&mut from, 100).unwrap(), Some(Frame::Said(Tag::Form, vec![7; 100])));
        assert_eq!(read(&mut from, 100).unwrap(), None);
        assert_eq!(read(&mut { before }, 99).unwrap(), Some(Frame::TooLarge(100)));
        let short = &pipe[..pipe.len() - 1];
        read(&mut { short }, 100).unwrap();
        assert!(read(&mut &short[16..], 100).is_err());
        assert!(read(&mut b"?".as_slice(), 100).is_err());
    }
}
