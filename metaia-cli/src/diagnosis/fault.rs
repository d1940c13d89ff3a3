//! A request, its failure, and the answer to a probe: the input of a diagnosis.

use std::time::Duration;

use super::refusal::Refusal;
use super::reply::HttpReply;

/// The way by which the server was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    Rest,
    WebSocket,
    Polling,
}

/// The source of a request's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// It was minted for this request.
    Minted,
    /// The user of the tool supplied it.
    Supplied(SuppliedBy),
    /// The request has an API key instead.
    ApiKey,
    /// The request has no credentials.
    None,
}

/// The place of a token that the user of the tool supplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SuppliedBy {
    Option,
    File,
    Environment,
    DotEnv,
    Context,
}

impl SuppliedBy {
    /// Returns the place, as it completes "the token is from".
    pub(crate) fn place(self) -> &'static str {
        match self {
            Self::Option => "--token",
            Self::File => "the file of --token-file",
            Self::Environment => "METAIA_TOKEN",
            Self::DotEnv => "METAIA_TOKEN in .env",
            Self::Context => "the context",
        }
    }
}

/// A request, as far as a diagnosis needs it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The server's address without a slash at the end.
    pub(crate) base: String,
    /// The path of the request behind it.
    pub(crate) path: String,
    pub(crate) via: Via,
    pub(crate) token: TokenKind,
    /// True if the token is in the `Authorization` header, and nowhere else.
    pub(crate) has_token_in_header_alone: bool,
    pub(crate) origin: Option<String>,
    /// True if the certificates of `--cacert` are the trusted ones.
    pub(crate) has_own_certificates: bool,
    /// The variable that names a proxy for this address. The tool does not use it.
    pub(crate) proxy: Option<String>,
}

impl Asked {
    pub(super) fn is_tls(&self) -> bool {
        self.base.starts_with("https:")
    }

    /// Returns the address with the other scheme.
    pub(super) fn other_scheme(&self) -> String {
        match self.base.strip_prefix("https:") {
            Some(rest) => format!("http:{rest}"),
            None => self.base.replacen("http:", "https:", 1),
        }
    }
}

/// The way in which a request or a connection failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The address or a header cannot be used.
    Invalid(String),
    /// The name has no address.
    UnknownName,
    /// The port is closed.
    NothingListens,
    /// The network or the host cannot be reached.
    NoRoute(String),
    /// Nothing came within this time.
    NoAnswer(Duration),
    /// Nothing came within this time, which was shorter than it should be: others had taken it.
    TimeUsedUp(Duration),
    /// An answer with this status began, and its body did not end within this time.
    EndlessBody {
        status: u16,
        limit: Duration,
    },
    /// TLS was spoken to a port that does not speak it.
    NotTls,
    Tls(String),
    Certificate(CertificateFlaw),
    /// The connection ended before an answer.
    Cut,
    /// A WebSocket was opened, and the connection ended before it was of use.
    CutWebSocket,
    /// The answer is not HTTP.
    NotHttp,
    /// The answer is HTTP, and neither Socket.IO nor a refusal.
    Protocol(String),
    /// An HTTP answer other than the expected one.
    Reply(HttpReply),
    /// Socket.IO's refusal of a connection.
    Refused(Refusal),
    Other(String),
}

/// The reason for which a certificate is not trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CertificateFlaw {
    UnknownAuthority,
    /// It is the certificate of an authority, used by a server: self-signed, as `openssl req -x509`
    /// makes them.
    SelfSigned,
    /// It names a trusted authority as its issuer, which has not signed it.
    OtherSignature,
    /// It is for these names.
    OtherName(Vec<String>),
    Expired,
    NotYetValid,
    Other(String),
}

/// A further request after a failure, to find its cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Probe {
    /// Finds out if the port speaks TLS.
    Tls,
    /// Finds out if the port speaks plain HTTP.
    PlainHttp,
    /// Opens a session by polling.
    Polling,
    /// Reads the server's time.
    Clock,
}

/// The answer to a [`Probe`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ProbeResult {
    /// There was no probe, or no answer.
    Nothing,
    SpeaksTls,
    SpeaksPlainHttp,
    Reply(HttpReply),
    /// The REST interface of the same address is a METAIA server's.
    RestAnswers,
    /// The server accepts the same token in the payload.
    AcceptedInPayload,
}
