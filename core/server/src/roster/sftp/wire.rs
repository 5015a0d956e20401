//! Packets of SFTP version 3 (draft-ietf-secsh-filexfer-02), which every server speaks: a length, a kind, and
//! numbers and strings in network order.

use super::SftpError;

pub(super) const INIT: u8 = 1;
pub(super) const VERSION: u8 = 2;
pub(super) const OPEN: u8 = 3;
pub(super) const CLOSE: u8 = 4;
pub(super) const READ: u8 = 5;
pub(super) const FSTAT: u8 = 8;
pub(super) const OPENDIR: u8 = 11;
pub(super) const READDIR: u8 = 12;
pub(super) const STAT: u8 = 17;
pub(super) const RENAME: u8 = 18;
pub(super) const STATUS: u8 = 101;
pub(super) const HANDLE: u8 = 102;
pub(super) const DATA: u8 = 103;
pub(super) const NAME: u8 = 104;
pub(super) const ATTRS: u8 = 105;

/// `SSH_FX_OK`
pub(super) const OK: u32 = 0;
/// `SSH_FX_EOF`
pub(super) const EOF: u32 = 1;
/// `SSH_FXF_READ`
pub(super) const FOR_READING: u32 = 1;

/// Longest packet that is taken: data of a read, or a page of names.
pub(super) const LONGEST: u32 = 256 * 1024;

/// Of attributes: which of them are there.
const SIZE: u32 = 0x1;
const OWNER: u32 = 0x2;
const PERMISSIONS: u32 = 0x4;
const TIMES: u32 = 0x8;
const EXTENDED: u32 = 0x8000_0000;

/// The kind of a file within its permissions (`S_IFMT`), and that of a regular one.
const KIND: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;

/// What a server says of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Bytes, where it says so.
    pub size: Option<u64>,
    /// Seconds since 1970, where it says so.
    pub modified: Option<u32>,
    permissions: Option<u32>,
}

impl Attributes {
    /// Neither a folder nor a link nor a device, as far as the server says.
    pub fn is_file(&self) -> bool {
        self.permissions.is_none_or(|permissions| permissions & KIND == REGULAR || permissions & KIND == 0)
    }
}

/// A packet that is being written.
pub(super) struct Packet(Vec<u8>);

impl Packet {
    pub(super) fn new(kind: u8, id: u32) -> Self {
        Self(vec![0, 0, 0, 0, kind]).number(id)
    }

    pub(super) fn number(mut self, number: u32) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    pub(super) fn long(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    pub(super) fn string(self, bytes: &[u8]) -> Self {
        let mut packet = self.number(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        packet.0.extend_from_slice(bytes);
        packet
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        let length = u32::try_from(self.0.len() - 4).unwrap_or(u32::MAX);
        self.0[..4].copy_from_slice(&length.to_be_bytes());
        self.0
    }
}

/// A packet that is being read.
#[derive(Debug)]
pub(super) struct Reader<'p>(pub(super) &'p [u8]);

impl<'p> Reader<'p> {
    fn take(&mut self, length: usize) -> Result<&'p [u8], SftpError> {
        let taken = self.0.split_at_checked(length);
        let (taken, rest) = taken.ok_or(SftpError::Protocol("a packet is too short"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn number(&mut self) -> Result<u32, SftpError> {
        let bytes = self.take(4)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn long(&mut self) -> Result<u64, SftpError> {
        let high = u64::from(self.number()?);
        Ok(high << 32 | u64::from(self.number()?))
    }

    pub(super) fn string(&mut self) -> Result<&'p [u8], SftpError> {
        let length = self.number()?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    pub(super) fn attributes(&mut self) -> Result<Attributes, SftpError> {
        let flags = self.number()?;
        let mut attributes = Attributes::default();
        if flags & SIZE != 0 {
            attributes.size = Some(self.long()?);
        }
        if flags & OWNER != 0 {
            self.take(8)?;
        }
        if flags & PERMISSIONS != 0 {
            attributes.permissions = Some(self.number()?);
        }
        if flags & TIMES != 0 {
            self.number()?;
            attributes.modified = Some(self.number()?);
        }
        if flags & EXTENDED != 0 {
            for _ in 0..self.number()? {
                self.string()?;
                self.string()?;
            }
        }
        Ok(attributes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_read_as_they_are_written() {
        let packet = Packet::new(READ, 7).string(b"handle").long(1 << 40).number(9).finish();
        assert_eq!(packet[..5], [0, 0, 0, 27, READ]);
        let mut reader = Reader(&packet[5..]);
        assert_eq!(reader.number(), Ok(7));
        assert_eq!(reader.string(), Ok(&b"handle"[..]));
        assert_eq!(reader.long(), Ok(1 << 40));
        assert_eq!(reader.number(), Ok(9));
        assert!(reader.number().is_err(), "it is over");
    }

    #[test]
    fn attributes_may_be_left_out() {
        let all = Packet::new(ATTRS, SIZE | OWNER | PERMISSIONS | TIMES | EXTENDED)
            .long(12)
            .number(1)
            .number(2)
            .number(0o100_644)
            .number(3)
            .number(4)
            .number(1)
            .string(b"a")
            .string(b"b")
            .finish();
        let mut reader = Reader(&all[5..]);
        let attributes = reader.attributes().unwrap();
        assert_eq!((attributes.size, attributes.modified, attributes.is_file()), (Some(12), Some(4), true));
        assert!(reader.0.is_empty());
        let folder = Packet::new(ATTRS, PERMISSIONS).number(0o040_755).finish();
        assert!(!Reader(&folder[5..]).attributes().unwrap().is_file());
        let endless = Packet::new(ATTRS, EXTENDED).number(u32::MAX).finish();
        assert!(Reader(&endless[5..]).attributes().is_err());
    }
}
