//! From a host's name to a bound connection.

use std::{sync::Arc, time::Duration};

use futures::{SinkExt, StreamExt};
use rusmpp::{
    Command, CommandId, CommandStatus, pdus::BindTransceiver, types::COctetString, values::InterfaceVersion,
};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use tokio_util::codec::Framed;

use super::{SmppCredentials, Version, frames::Frames};

/// For name, connection, TLS and bind together.
const PATIENCE: Duration = Duration::from_secs(15);

/// A connection of whichever kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub(super) type Bound = Framed<Box<dyn Stream>, Frames>;

/// Why a link is not up. Holds nothing secret.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// No name, no connection, or no TLS.
    #[error("the message centre can't be reached")]
    Connect(#[source] std::io::Error),
    /// Too long a name, password or system type, or a certificate that is none.
    #[error("the credential `{0}` can't be used")]
    Credential(&'static str),
    /// It ended, or said something else.
    #[error("the message centre did not answer as it should")]
    Protocol,
    /// Wrong credentials, or too many binds.
    #[error("the message centre refused to bind (0x{0:02x})")]
    Refused(u32),
    /// What earlier links left behind can't be read just now.
    #[error("what the last link left behind can't be read")]
    Inbox,
    /// Nothing within [`PATIENCE`].
    #[error("the message centre took too long")]
    TimedOut,
}

/// Connects and binds as transceiver.
pub(super) async fn bind(credentials: &SmppCredentials) -> Result<Bound, LinkError> {
    tokio::time::timeout(PATIENCE, connect_and_bind(credentials)).await.map_err(|_| LinkError::TimedOut)?
}

async fn connect_and_bind(credentials: &SmppCredentials) -> Result<Bound, LinkError> {
    let tcp = TcpStream::connect((credentials.host.as_str(), credentials.port)).await;
    let tcp = tcp.map_err(LinkError::Connect)?;
    tcp.set_nodelay(true).map_err(LinkError::Connect)?;
    let stream: Box<dyn Stream> = if credentials.tls {
        let name = ServerName::try_from(credentials.host.clone());
        let name = name.map_err(|_| LinkError::Credential("host"))?;
        let connector = TlsConnector::from(Arc::new(tls(credentials)?));
        Box::new(connector.connect(name, tcp).await.map_err(LinkError::Connect)?)
    } else {
        Box::new(tcp)
    };
    let mut framed = Framed::new(stream, Frames);
    let request = Command::new(CommandStatus::EsmeRok, 1, request(credentials)?);
    framed.send(request).await.map_err(|_| LinkError::Protocol)?;
    let answer = framed.next().await.and_then(Result::ok).ok_or(LinkError::Protocol)?;
    match (answer.id, answer.status) {
        (CommandId::BindTransceiverResp, CommandStatus::EsmeRok) => Ok(framed),
        (CommandId::BindTransceiverResp | CommandId::GenericNack, status) => {
            Err(LinkError::Refused(status.into()))
        }
        _ => Err(LinkError::Protocol),
    }
}

fn request(credentials: &SmppCredentials) -> Result<BindTransceiver, LinkError> {
    let text = |name, text: &str| (name, text.to_owned());
    let (id, password, kind) = (
        text("system_id", &credentials.system_id),
        text("password", credentials.password.expose()),
        text("system_type", &credentials.system_type),
    );
    Ok(BindTransceiver::builder()
        .system_id(COctetString::from_string(id.1).map_err(|_| LinkError::Credential(id.0))?)
        .password(COctetString::from_string(password.1).map_err(|_| LinkError::Credential(password.0))?)
        .system_type(COctetString::from_string(kind.1).map_err(|_| LinkError::Credential(kind.0))?)
        .interface_version(match credentials.interface_version {
            Version::V3_4 => InterfaceVersion::Smpp3_4,
            Version::V5_0 => InterfaceVersion::Smpp5_0,
        })
        .build())
}

/// Trusts the account's own certificate, or the machine's roots.
fn tls(credentials: &SmppCredentials) -> Result<ClientConfig, LinkError> {
    let mut roots = RootCertStore::empty();
    match &credentials.ca_certificate {
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let added = certificate.ok().and_then(|certificate| roots.add(certificate).ok());
                added.ok_or(LinkError::Credential("ca_certificate"))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}
