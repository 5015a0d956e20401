//! One mail server, as `[smtp]` of `anteroom.toml` says.

use std::{fs, io, path::PathBuf, time::Duration};

use anteroom_model::ids::{OrganizationId, TicketId, TicketMessageId};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp::{
        self,
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use serde::Deserialize;

/// For connecting, and for each answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// What a server answers to a name or password that it doesn't take: an operator can put it right.
const LOGIN_REFUSALS: [u16; 4] = [530, 534, 535, 538];

/// How the connection is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpTls {
    /// Begins in the clear and must go over to TLS before anything is said (port 587).
    #[default]
    Starttls,
    /// TLS from the first byte (port 465).
    Wrapped,
    /// None: only to this machine (port 25).
    None,
}

/// `[smtp]`: where tickets are mailed to, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// The mail server.
    pub host: String,
    /// Its port; that of `tls` unless told otherwise.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub tls: SmtpTls,
    /// Who signs in; nobody unless told otherwise.
    #[serde(default)]
    pub user: Option<String>,
    /// File that holds the password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// Certificate (PEM) of an authority that this machine doesn't know.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Who the mails are from.
    pub from: String,
    /// Who reads them.
    pub to: String,
}

/// Why `[smtp]` can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SmtpConfigError {
    /// An address that is none.
    #[error("smtp.{field} is no mail address: {reason}")]
    Address {
        /// `from` or `to`.
        field: &'static str,
        /// Why.
        reason: lettre::address::AddressError,
    },
    /// A file that can't be read.
    #[error("smtp.{field} can't be read")]
    File {
        /// `password_file` or `ca_file`.
        field: &'static str,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// A name without a password, or a password without a name.
    #[error("smtp.user and smtp.password_file belong together")]
    HalfALogin,
    /// A connection in the clear that leaves this machine.
    #[error("smtp.tls = \"none\" is for 127.0.0.1, ::1 and localhost only")]
    InTheClear,
    /// TLS can't be set up.
    #[error("smtp can't be set up")]
    Tls(#[source] smtp::Error),
}

/// What is mailed.
#[derive(Clone)]
pub(crate) struct Letter {
    pub(crate) organization: OrganizationId,
    pub(crate) ticket: TicketId,
    pub(crate) message: TicketMessageId,
    pub(crate) clinic: String,
    pub(crate) subject: String,
    pub(crate) body: String,
    pub(crate) context: Option<serde_json::Value>,
}

/// Why a mail was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MailFault {
    /// Nobody answers there.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// No trusted TLS.
    Tls,
    /// The name or the password isn't taken.
    Login,
    /// Not now, the server says.
    Busy,
    /// Not at all, the server says.
    Refused,
    /// It can't be written or the server can't do what is needed.
    Protocol,
}

impl MailFault {
    /// A stable word: for rows, metrics and the Hub.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::Login => "login",
            Self::Busy => "busy",
            Self::Refused => "refused",
            Self::Protocol => "protocol",
        }
    }

    /// Whether trying again may help.
    pub(crate) const fn may_pass(self) -> bool {
        !matches!(self, Self::Refused)
    }

    fn of(error: &smtp::Error) -> Self {
        let status = error.status().map(u16::from);
        match status {
            Some(code) if LOGIN_REFUSALS.contains(&code) => Self::Login,
            Some(_) if error.is_permanent() => Self::Refused,
            Some(_) => Self::Busy,
            None if error.is_timeout() => Self::Timeout,
            None if error.is_tls() || is_of_tls(error) => Self::Tls,
            None if error.is_client() || error.is_response() => Self::Protocol,
            None => Self::Unreachable,
        }
    }
}

/// lettre counts a handshake that fails among the connections that fail.
fn is_of_tls(error: &smtp::Error) -> bool {
    let error: &(dyn std::error::Error + 'static) = error;
    let inner = |cause: &(dyn std::error::Error + 'static)| {
        let within = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause.is::<rustls::Error>()
            || within.is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
    };
    std::iter::successors(Some(error), |cause| cause.source()).any(inner)
}

/// A mail server, ready to be used.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Mailbox,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer").finish_non_exhaustive()
    }
}

impl Mailer {
    /// As `[smtp]` says. Connects to nothing yet.
    pub fn open(config: &SmtpConfig) -> Result<Self, SmtpConfigError> {
        let mailbox = |field, text: &str| {
            text.parse::<Mailbox>().map_err(|reason| SmtpConfigError::Address { field, reason })
        };
        let (tls, port) = match config.tls {
            SmtpTls::Starttls => (Tls::Required(tls(config)?), 587),
            SmtpTls::Wrapped => (Tls::Wrapper(tls(config)?), 465),
            SmtpTls::None if is_this_machine(&config.host) => (Tls::None, 25),
            SmtpTls::None => return Err(SmtpConfigError::InTheClear),
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port.unwrap_or(port))
            .tls(tls)
            .timeout(Some(PATIENCE));
        let builder = match login(config)? {
            Some(credentials) => builder.credentials(credentials),
            None => builder,
        };
        Ok(Self {
            transport: builder.build(),
            from: mailbox("from", &config.from)?,
            to: mailbox("to", &config.to)?,
        })
    }

    /// Hands a letter to the mail server.
    pub(crate) async fn send(&self, letter: &Letter) -> Result<(), MailFault> {
        let message = self.compose(letter).map_err(|_| MailFault::Protocol)?;
        self.transport.send(message).await.map(drop).map_err(|error| MailFault::of(&error))
    }

    fn compose(&self, letter: &Letter) -> Result<Message, lettre::error::Error> {
        let domain = self.from.email.domain();
        let builder = Message::builder()
            .from(self.from.clone())
            .to(self.to.clone())
            .subject(format!("[Anteroom] {}", letter.subject))
            .message_id(Some(format!("<{}@{domain}>", letter.message)))
            // All of a ticket's mails are one thread.
            .references(format!("<{}@{domain}>", letter.ticket))
            .header(ContentType::TEXT_PLAIN);
        builder.body(words(letter))
    }
}

fn words(letter: &Letter) -> String {
    let Letter { organization, ticket, clinic, body, context, .. } = letter;
    let fields = context.iter().filter_map(serde_json::Value::as_object).flatten();
    let context: String = fields
        .map(|(name, value)| match value {
            serde_json::Value::String(text) => format!("{name}: {text}\n"),
            other => format!("{name}: {other}\n"),
        })
        .collect();
    format!(
        "{body}\n\n-- \nclinic: {clinic}\nticket: {ticket}\n{context}\nNobody reads answers to this mail. Answer with:\n\
         anteroom admin tickets answer --organization {organization} --ticket {ticket}\n"
    )
}

fn tls(config: &SmtpConfig) -> Result<TlsParameters, SmtpConfigError> {
    let mut builder = TlsParameters::builder(config.host.clone());
    if let Some(path) = &config.ca_file {
        let pem = fs::read(path).map_err(|error| SmtpConfigError::File { field: "ca_file", error })?;
        builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(SmtpConfigError::Tls)?);
    }
    builder.build().map_err(SmtpConfigError::Tls)
}

fn login(config: &SmtpConfig) -> Result<Option<Credentials>, SmtpConfigError> {
    match (&config.user, &config.password_file) {
        (None, None) => Ok(None),
        (Some(user), Some(path)) => {
            let password = fs::read_to_string(path)
                .map_err(|error| SmtpConfigError::File { field: "password_file", error })?;
            Ok(Some(Credentials::new(user.clone(), password.trim_end_matches(['\r', '\n']).to_owned())))
        }
        _ => Err(SmtpConfigError::HalfALogin),
    }
}

fn is_this_machine(host: &str) -> bool {
    ["127.0.0.1", "::1", "localhost"].contains(&host)
}

#[cfg(test)]
mod tests {
    use anteroom_model::{ids::Ids, time::Timestamp};
    use serde_json::json;

    use super::*;

    fn config() -> SmtpConfig {
        SmtpConfig {
            host: "localhost".into(),
            port: None,
            tls: SmtpTls::None,
            user: None,
            password_file: None,
            ca_file: None,
            from: "Anteroom <anteroom@clinic.example>".into(),
            to: "help@vendor.example".into(),
        }
    }

    #[test]
    fn what_can_not_be_used_is_named() {
        assert!(Mailer::open(&config()).is_ok());
        let named = |config: SmtpConfig| Mailer::open(&config).unwrap_err().to_string();
        assert!(named(SmtpConfig { to: "nobody".into(), ..config() }).contains("smtp.to"));
        assert!(named(SmtpConfig { host: "mail.example".into(), ..config() }).contains("localhost only"));
        assert!(named(SmtpConfig { user: Some("a".into()), ..config() }).contains("belong together"));
        let missing = Some(PathBuf::from("/nowhere/password"));
        let half = SmtpConfig { user: Some("a".into()), password_file: missing, ..config() };
        assert!(named(half).contains("password_file"));
    }

    #[test]
    fn a_letter_says_what_was_written_and_nothing_can_slip_into_its_head() {
        let ids = Ids::from_seed([1; 32]);
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let letter = Letter {
            organization: ids.next(now),
            ticket: ids.next(now),
            message: ids.next(now),
            clinic: "Riverside Clinic".into(),
            subject: "Números\r\nBcc: everybody@elsewhere.example".into(),
            body: "The queue stays empty.".into(),
            context: Some(json!({ "place": "inbox/mine", "request_ids": ["a1"] })),
        };
        let mail = Mailer::open(&config()).unwrap().compose(&letter).unwrap();
        let text = String::from_utf8(mail.formatted()).unwrap();
        assert!(!text.contains("\nBcc:"), "{text}");
        for part in
            ["The queue stays empty.", "clinic: Riverside Clinic", "place: inbox/mine", "tickets answer"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(text.contains(&format!("Message-ID: <{}@clinic.example>", letter.message)));
    }
}
