//! Of SFTP what reading a folder takes: list, look at, read, rename. One request after the other, but for
//! reading, where many are under way.

use std::{collections::BTreeMap, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

pub use super::wire::Attributes;
use super::{
    SftpError,
    wire::{self, Packet, Reader},
};

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(30);
/// Bytes of a read; servers give at least so much.
const PIECE: u32 = 32 * 1024;
/// Reads under way at once.
const WINDOW: usize = 16;
/// Names in a folder at most.
const ENTRIES: usize = 20_000;

/// A session.
#[derive(Debug)]
pub struct Sftp<S> {
    stream: S,
    next_id: u32,
}

/// A file of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What the server says of it.
    pub attributes: Attributes,
}

/// A file that is open for reading.
#[derive(Clone, Debug)]
pub struct OpenFile {
    handle: Vec<u8>,
    offset: u64,
    ended: bool,
}

/// An answer: its kind, and what it says behind its id.
struct Answer {
    kind: u8,
    body: Vec<u8>,
}

impl Answer {
    /// The body of an answer of this kind; an error where the server says no.
    fn of(&self, kind: u8) -> Result<Reader<'_>, SftpError> {
        let mut reader = Reader(&self.body);
        match self.kind {
            found if found == kind && kind != wire::STATUS => Ok(reader),
            wire::STATUS => match reader.number()? {
                wire::OK if kind == wire::STATUS => Ok(reader),
                wire::OK => Err(SftpError::Protocol("it agrees to a question")),
                status => Err(SftpError::Status(status)),
            },
            _ => Err(SftpError::Protocol("it answers something else")),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sftp<S> {
    /// Agrees on the version.
    pub async fn open(stream: S) -> Result<Self, SftpError> {
        let mut sftp = Self { stream, next_id: 0 };
        // Its version stands in the place of a request's id.
        sftp.send(&Packet::new(wire::INIT, 3).finish()).await?;
        let (kind, body) = sftp.packet().await?;
        if kind != wire::VERSION || Reader(&body).number()? < 3 {
            return Err(SftpError::Protocol("it has no version 3"));
        }
        Ok(sftp)
    }

    /// The files of a folder; nothing of what is neither a file nor has a readable name.
    pub async fn list(&mut self, folder: &str) -> Result<Vec<Entry>, SftpError> {
        let answer = self.ask(|id| Packet::new(wire::OPENDIR, id).string(folder.as_bytes())).await?;
        let handle = answer.of(wire::HANDLE)?.string()?.to_vec();
        let mut entries = Vec::new();
        loop {
            let answer = self.ask(|id| Packet::new(wire::READDIR, id).string(&handle)).await?;
            let mut reader = match answer.of(wire::NAME) {
                Ok(reader) => reader,
                Err(SftpError::Status(wire::EOF)) => break,
                Err(error) => return Err(error),
            };
            for _ in 0..reader.number()? {
                let name = reader.string()?;
                reader.string()?; // as `ls -l` shows it
                let attributes = reader.attributes()?;
                if let Ok(name) = std::str::from_utf8(name)
                    && attributes.is_file()
                    && !name.contains(['/', '\0'])
                {
                    entries.push(Entry { name: name.to_owned(), attributes });
                }
            }
            if entries.len() > ENTRIES {
                return Err(SftpError::Protocol("the folder has too many files"));
            }
        }
        self.close(&handle).await?;
        Ok(entries)
    }

    /// Looks at a file; a link is followed.
    pub async fn look_at(&mut self, path: &str) -> Result<Attributes, SftpError> {
        let answer = self.ask(|id| Packet::new(wire::STAT, id).string(path.as_bytes())).await?;
        answer.of(wire::ATTRS)?.attributes()
    }

    /// Opens a file for reading.
    pub async fn open_file(&mut self, path: &str) -> Result<OpenFile, SftpError> {
        let answer = self
            .ask(|id| Packet::new(wire::OPEN, id).string(path.as_bytes()).number(wire::FOR_READING).number(0))
            .await?;
        let handle = answer.of(wire::HANDLE)?.string()?.to_vec();
        Ok(OpenFile { handle, offset: 0, ended: false })
    }

    /// Looks at an open file.
    pub async fn look_at_open(&mut self, file: &OpenFile) -> Result<Attributes, SftpError> {
        let answer = self.ask(|id| Packet::new(wire::FSTAT, id).string(&file.handle)).await?;
        answer.of(wire::ATTRS)?.attributes()
    }

    /// The next bytes of a file, up to half a mebibyte; none at its end.
    pub async fn read(&mut self, file: &mut OpenFile) -> Result<Vec<u8>, SftpError> {
        if file.ended {
            return Ok(Vec::new());
        }
        let first = self.next_id;
        for piece in 0..WINDOW as u64 {
            let id = self.id();
            let offset = file.offset + piece * u64::from(PIECE);
            let packet = Packet::new(wire::READ, id).string(&file.handle).long(offset).number(PIECE);
            self.send(&packet.finish()).await?;
        }
        let mut pieces = BTreeMap::new();
        for _ in 0..WINDOW {
            let (id, answer) = self.answer().await?;
            let place = id.wrapping_sub(first);
            if place as usize >= WINDOW || pieces.insert(place, answer).is_some() {
                return Err(SftpError::Protocol("it answers what was not asked"));
            }
        }
        let mut bytes = Vec::with_capacity(WINDOW * PIECE as usize);
        for answer in pieces.values() {
            let piece = match answer.of(wire::DATA) {
                Ok(mut reader) => reader.string()?,
                Err(SftpError::Status(wire::EOF)) => {
                    file.ended = bytes.is_empty();
                    break;
                }
                Err(error) => return Err(error),
            };
            bytes.extend_from_slice(piece);
            if piece.len() < PIECE as usize {
                // The others began behind a gap: they are asked for again.
                break;
            }
        }
        if bytes.is_empty() && !file.ended {
            return Err(SftpError::Protocol("it gives no bytes and doesn't end"));
        }
        file.offset += bytes.len() as u64;
        Ok(bytes)
    }

    /// Closes a file.
    pub async fn close_file(&mut self, file: OpenFile) -> Result<(), SftpError> {
        self.close(&file.handle).await
    }

    /// Moves a file. One that is there already is not written over.
    pub async fn rename(&mut self, from: &str, to: &str) -> Result<(), SftpError> {
        let answer = self
            .ask(|id| Packet::new(wire::RENAME, id).string(from.as_bytes()).string(to.as_bytes()))
            .await?;
        answer.of(wire::STATUS).map(drop)
    }

    async fn close(&mut self, handle: &[u8]) -> Result<(), SftpError> {
        let answer = self.ask(|id| Packet::new(wire::CLOSE, id).string(handle)).await?;
        answer.of(wire::STATUS).map(drop)
    }

    fn id(&mut self) -> u32 {
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        id
    }

    async fn ask(&mut self, packet: impl FnOnce(u32) -> Packet) -> Result<Answer, SftpError> {
        let id = self.id();
        self.send(&packet(id).finish()).await?;
        match self.answer().await? {
            (found, answer) if found == id => Ok(answer),
            _ => Err(SftpError::Protocol("it answers what was not asked")),
        }
    }

    async fn answer(&mut self) -> Result<(u32, Answer), SftpError> {
        let (kind, mut body) = self.packet().await?;
        let id = Reader(&body).number()?;
        body.drain(..4);
        Ok((id, Answer { kind, body }))
    }

    async fn send(&mut self, packet: &[u8]) -> Result<(), SftpError> {
        let sending = async {
            self.stream.write_all(packet).await?;
            self.stream.flush().await
        };
        timeout(ANSWER, sending).await.map_err(|_| SftpError::Lost)?.map_err(|_| SftpError::Lost)
    }

    async fn packet(&mut self) -> Result<(u8, Vec<u8>), SftpError> {
        let reading = async {
            let lost = |_| SftpError::Lost;
            let length = self.stream.read_u32().await.map_err(lost)?;
            if !(1..=wire::LONGEST).contains(&length) {
                return Err(SftpError::Protocol("a packet is too long"));
            }
            let kind = self.stream.read_u8().await.map_err(lost)?;
            let mut body = vec![0; length as usize - 1];
            self.stream.read_exact(&mut body).await.map_err(lost)?;
            Ok((kind, body))
        };
        timeout(ANSWER, reading).await.map_err(|_| SftpError::Lost)?
    }
}
