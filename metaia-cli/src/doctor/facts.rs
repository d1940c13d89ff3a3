//! The facts about a server, stage by stage. A fact that is absent is not known yet.

use std::net::IpAddr;
use std::time::Duration;

use metaia_realtime::client::{TokenIn, Transport};

use super::certificate::Certificate;
use super::open_packet::open_packet_flaw;
use crate::diagnosis::{Asked, Diagnosis, Fault, HttpReply, ProbeResult, Via, diagnose};
use crate::token::TokenReport;

/// A value, and the time that it took.
#[derive(Debug, Clone)]
pub(crate) struct Timed<T> {
    pub(crate) value: T,
    pub(crate) took: Duration,
}

/// The result of a request, and the time that it took.
pub(crate) type Found<T> = Timed<Result<T, Fault>>;

/// Everything that is known.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) wishes: Wishes,
    pub(crate) name: Option<Found<Vec<IpAddr>>>,
    /// The connection alone, without TLS.
    pub(crate) port: Option<Found<()>>,
    pub(crate) handshakes: Option<Handshakes>,
    pub(crate) origin: Option<Found<OriginAnswer>>,
    /// The token as this machine sees it, by the server's clock if it is known.
    pub(crate) token: Option<TokenReport>,
    /// Each way on its own.
    pub(crate) sign_ins: Option<Vec<SignIn>>,
    /// The rooms of `rt:ready`.
    pub(crate) rooms: Option<Timed<Result<Vec<String>, Diagnosis>>>,
    pub(crate) delivered: Option<Delivered>,
    pub(crate) idle: Option<HeldLine>,
    /// True if nothing more will be known.
    pub(crate) is_over: bool,
}

/// The checks and the client that the user of the tool asked for.
#[derive(Debug, Clone)]
pub(crate) struct Wishes {
    pub(crate) asked: Asked,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The transport of the client, if it has one alone.
    pub(crate) transport: Option<Transport>,
    pub(crate) token_in: TokenIn,
    /// `ROLE:USER`; `None` without a token and without a secret.
    pub(crate) person: Option<String>,
    /// The source of the secret that the token's signature is compared with.
    pub(crate) secret_from: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) idle: Option<Duration>,
}

/// The answers without a token.
#[derive(Debug, Clone)]
pub(crate) struct Handshakes {
    pub(crate) livez: Found<HttpReply>,
    /// The answer that explains a failed `livez`.
    pub(crate) probed: ProbeResult,
    pub(crate) readyz: Found<HttpReply>,
    /// True if `/api/` is the one of a METAIA server.
    pub(crate) has_rest: bool,
    pub(crate) version: Option<String>,
    pub(crate) nodes: Option<usize>,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) polled: Polled,
    /// The packet that opens the session of a direct WebSocket.
    pub(crate) websocket: Found<String>,
    /// The time for which a server that is going down was left alone before these answers.
    pub(crate) waited: Option<Duration>,
}

/// A polling session.
#[derive(Debug, Clone)]
pub(crate) struct Polled {
    pub(crate) opened: Found<HttpReply>,
    /// The further requests of the session.
    pub(crate) kept: Result<(), Fault>,
    /// The upgrade of the session to a WebSocket; `None` if it was not tried.
    pub(crate) upgraded: Option<Result<(), Fault>>,
}

/// The answer to a handshake with an origin, which was accepted.
#[derive(Debug, Clone)]
pub(crate) struct OriginAnswer {
    pub(crate) via: Via,
    /// `Access-Control-Allow-Origin`, of an answer to polling; all of them, if there are several.
    pub(crate) allowed: Option<String>,
}

/// A connection with the token in one place.
#[derive(Debug, Clone)]
pub(crate) struct SignIn {
    pub(crate) place: TokenIn,
    /// True if it was refused, and accepted when it was made once more.
    pub(crate) is_fickle: bool,
    pub(crate) transport: Transport,
    pub(crate) result: Found<()>,
}

/// The answers that a live session received.
#[derive(Debug, Clone)]
pub(crate) struct Delivered {
    pub(crate) fence: Result<Duration, Diagnosis>,
    pub(crate) own_event: OwnEvent,
}

/// An event that the tool sent to its own session.
#[derive(Debug, Clone)]
pub(crate) enum OwnEvent {
    Back(Duration),
    /// It was sent, and did not come.
    Lost(Diagnosis),
    /// Nobody at hand may send it, or there is no way to.
    NotSent(String),
    /// Something on the way, or the server, did not take it.
    Refused(Diagnosis),
}

/// A line on which nothing was sent.
#[derive(Debug, Clone)]
pub(crate) struct HeldLine {
    pub(crate) held: Duration,
    pub(crate) end: LineEnd,
    pub(crate) ping_interval: Option<Duration>,
}

/// The end of a silent line.
#[derive(Debug, Clone)]
pub(crate) enum LineEnd {
    /// It lived: a fence was answered after the silence.
    Answered,
    /// The server answered that it gives no fence.
    WithoutFence(Diagnosis),
    /// The server ended the session, with this code.
    Ended(String),
    Lost(LostLine),
}

/// A line that was lost without a word of the server.
#[derive(Debug, Clone)]
pub(crate) struct LostLine {
    pub(crate) silence: Duration,
    pub(crate) loss: LineLoss,
    /// The result of another connection, after it.
    pub(crate) again: Result<(), Fault>,
}

/// The way in which a line was lost.
#[derive(Debug, Clone)]
pub(crate) enum LineLoss {
    /// It was cut; the words of the client.
    Cut(String),
    /// It was not cut, and nothing is answered on it.
    Deaf,
}

impl Facts {
    /// Returns facts of which nothing is known.
    pub(crate) fn new(wishes: Wishes) -> Self {
        Self {
            wishes,
            name: None,
            port: None,
            handshakes: None,
            origin: None,
            token: None,
            sign_ins: None,
            rooms: None,
            delivered: None,
            idle: None,
            is_over: false,
        }
    }

    /// Returns the transport by which the client can sign in; `None` if no transport works.
    pub(crate) fn working_transport(&self) -> Option<Transport> {
        let handshakes = self.handshakes.as_ref()?;
        let polls = handshakes.polled.opens() && handshakes.polled.kept.is_ok();
        let has_websocket = handshakes.websocket.value.is_ok();
        let usable = match self.wishes.transport {
            Some(wanted) => [wanted, wanted],
            None => [Transport::WebSocket, Transport::Polling],
        };
        usable.into_iter().find(|transport| match transport {
            Transport::WebSocket => has_websocket,
            _ => polls,
        })
    }

    /// Returns an answer that tells the server's time.
    pub(crate) fn dated_reply(&self) -> Option<&HttpReply> {
        let mut replies = self.handshakes.as_ref()?.replies();
        replies.find(|reply| reply.header("date").is_some())
    }
}

impl Wishes {
    /// Returns the diagnosis of a failed request.
    pub(super) fn diagnose(
        &self,
        via: Via,
        path: &str,
        fault: &Fault,
        probed: &ProbeResult,
    ) -> Diagnosis {
        diagnose(&self.asked(via, path), fault, probed)
    }

    /// Returns a request without a token, as a diagnosis needs it.
    pub(super) fn asked(&self, via: Via, path: &str) -> Asked {
        Asked {
            via,
            path: path.to_owned(),
            ..self.asked.clone()
        }
    }
}

impl Handshakes {
    /// Returns the answers by HTTP.
    pub(crate) fn replies(&self) -> impl Iterator<Item = &HttpReply> {
        let found = [&self.livez, &self.readyz, &self.polled.opened];
        let refused = match &self.websocket.value {
            Err(Fault::Reply(reply)) => Some(reply),
            _ => None,
        };
        let answered = found
            .into_iter()
            .filter_map(|found| found.value.as_ref().ok());
        answered.chain(refused)
    }

    /// Returns the time after which the server sends a ping.
    pub(crate) fn ping_interval(&self) -> Option<Duration> {
        let polled = self.polled.opened.value.as_ref().ok();
        let by_websocket = self.websocket.value.as_ref().ok();
        let packets = [by_websocket, polled.map(|reply| &reply.body)];
        packets
            .into_iter()
            .flatten()
            .find_map(|packet| ping_interval(packet))
    }
}

fn ping_interval(packet: &str) -> Option<Duration> {
    let open: serde_json::Value = serde_json::from_str(packet.strip_prefix('0')?).ok()?;
    open.get("pingInterval")?
        .as_u64()
        .map(Duration::from_millis)
}

impl Polled {
    /// Returns whether a session was opened.
    pub(crate) fn opens(&self) -> bool {
        let opened = self.opened.value.as_ref();
        opened.is_ok_and(HttpReply::opens_session) && self.flaw().is_none()
    }

    /// Returns why no client opens a session by an answer that seems to open one.
    pub(super) fn flaw(&self) -> Option<String> {
        let reply = self.opened.value.as_ref().ok()?;
        let flaw = || open_packet_flaw(&reply.body);
        reply.opens_session().then(flaw).flatten()
    }
}
