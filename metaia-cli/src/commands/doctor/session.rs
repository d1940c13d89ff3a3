//! Sessions with the token in one place each, one after the other: a user may have a single one.

use std::time::Duration;

use metaia_realtime::client::{
    Client, ClientBuilder, ClientCredentials, Ready, SendError, SyncError, TokenIn, Transport,
    Update, Updates,
};
use tokio::time::{Instant, timeout};

use super::visit::Visit;
use crate::clock;
use crate::connection;
use crate::diagnosis::{Diagnosis, Fault, connect_fault, ended_early, no_fence, not_ready};
use crate::doctor::{SignIn, Timed, session_ended};
use crate::exit::Exit;
use crate::identity::Identity;

/// A session that is signed in.
pub(super) struct DoctorSession {
    pub(super) client: Client,
    pub(super) updates: Updates,
    /// `rt:ready`, once it has come.
    pub(super) ready: Option<Ready>,
    transport: Transport,
    place: TokenIn,
}

/// Signs in with the token in each place, and returns the last session that could be opened.
pub(super) async fn sign_in(
    visit: &Visit<'_>,
    identity: &Identity,
    transport: Transport,
) -> (Vec<SignIn>, Option<DoctorSession>) {
    let mut sign_ins = Vec::new();
    let mut session = None;
    for place in visit.places() {
        if let Some(earlier) = session.take() {
            DoctorSession::close(earlier).await;
        }
        let (sign_in, opened) = open(visit, identity, transport, place).await;
        sign_ins.push(sign_in);
        session = opened;
    }
    if let Some(refused) = contradicted(&mut sign_ins) {
        // A user may have a single session.
        if let Some(earlier) = session.take() {
            DoctorSession::close(earlier).await;
        }
        session = open_again(visit, identity, transport, refused.place).await;
        refused.is_fickle = session.is_some();
    }
    // The place of the session itself did not work, and another one did.
    let accepted = sign_ins.iter().find(|one| one.result.value.is_ok());
    let other = accepted.map(|one| one.place).filter(|_| session.is_none());
    if let Some(place) = other {
        session = open_again(visit, identity, transport, place).await;
    }
    (sign_ins, session)
}

/// Returns the way by which a token was refused that another way has accepted.
fn contradicted(sign_ins: &mut [SignIn]) -> Option<&mut SignIn> {
    let is_accepted = sign_ins.iter().any(|one| one.result.value.is_ok());
    let mut refused = sign_ins
        .iter_mut()
        .filter(|one| matches!(one.result.value, Err(Fault::Refused(_))));
    refused.next().filter(|_| is_accepted)
}

/// Opens a session by a way that has been tried, at most twice: of two servers behind one address,
/// the second attempt reaches the other one.
async fn open_again(
    visit: &Visit<'_>,
    identity: &Identity,
    transport: Transport,
    place: TokenIn,
) -> Option<DoctorSession> {
    for _ in 0..2 {
        let (_, session) = open(visit, identity, transport, place).await;
        if session.is_some() {
            return session;
        }
    }
    None
}

async fn open(
    visit: &Visit<'_>,
    identity: &Identity,
    transport: Transport,
    place: TokenIn,
) -> (SignIn, Option<DoctorSession>) {
    let connecting = async {
        let connected = builder(visit, identity, transport, place).connect().await;
        connected.map_err(|error| connect_fault(&error, clock::unix_ms()))
    };
    let found = visit.attempt(connecting).await;
    let (value, session) = match found.value {
        Ok((client, updates)) => {
            let session = DoctorSession {
                client,
                updates,
                ready: None,
                transport,
                place,
            };
            (Ok(()), Some(session))
        }
        Err(fault) => (Err(fault), None),
    };
    let took = found.took;
    let result = Timed { value, took };
    let sign_in = SignIn {
        place,
        is_fickle: false,
        transport,
        result,
    };
    (sign_in, session)
}

/// Configures a client without a position and without another attempt. It has a device of its own,
/// so that the position of a phone with the same token stays where it is.
fn builder(
    visit: &Visit<'_>,
    identity: &Identity,
    transport: Transport,
    place: TokenIn,
) -> ClientBuilder {
    let identity = identity.clone();
    let mut builder = Client::builder(&visit.base)
        .token_in(place)
        .transport(transport)
        .connect_timeout(visit.limit())
        .device(connection::new_device())
        .no_reconnect()
        .credentials(move || {
            let token = identity.token();
            std::future::ready(token.map(ClientCredentials::token).map_err(Into::into))
        });
    for (name, value) in visit.network.headers() {
        builder = builder.header(name, value);
    }
    match visit.network.tls() {
        Some(tls) => builder.tls(tls),
        None => builder,
    }
}

impl DoctorSession {
    /// Waits until the session is live, and returns its rooms.
    pub(super) async fn rooms(
        &mut self,
        visit: &Visit<'_>,
    ) -> Timed<Result<Vec<String>, Diagnosis>> {
        let limit = visit.limit();
        let began = Instant::now();
        let value = match timeout(limit, self.ready()).await {
            Ok(Ok(ready)) => Ok(self.ready.insert(ready).rooms.clone()),
            Ok(Err(Some(code))) => Err(session_ended(&code)),
            Ok(Err(None)) => Err(ended_early()),
            Err(_) => Err(visit.late(limit, not_ready(limit))),
        };
        Timed {
            value,
            took: began.elapsed(),
        }
    }

    /// Asks for a fence, and returns the time that it took.
    pub(super) async fn fence(&self, visit: &Visit<'_>) -> Result<Duration, Diagnosis> {
        let limit = visit.limit();
        let began = Instant::now();
        let late = || {
            let reason = format!("no answer within {:.1} s", limit.as_secs_f64());
            visit.late(limit, no_fence(Exit::TimedOut, &reason))
        };
        match timeout(limit, self.client.sync()).await {
            Ok(Ok(_)) => Ok(began.elapsed()),
            Ok(Err(SyncError::Emit(SendError::Timeout(_)))) | Err(_) => Err(late()),
            Ok(Err(error @ SyncError::Emit(_))) => {
                Err(no_fence(Exit::Unreachable, &error.to_string()))
            }
            Ok(Err(error)) => Err(no_fence(Exit::Failed, &error.to_string())),
        }
    }

    /// Connects once more in the same way, and disconnects.
    pub(super) async fn connect_again(&self, visit: &Visit<'_>) -> Result<(), Fault> {
        let Some(identity) = &visit.identity else {
            return Ok(());
        };
        let (sign_in, session) = open(visit, identity, self.transport, self.place).await;
        if let Some(session) = session {
            session.close().await;
        }
        sign_in.result.value
    }

    /// Waits until the session is live. If it ends before, the error is the code of `rt:end`.
    async fn ready(&mut self) -> Result<Ready, Option<String>> {
        let mut code = None;
        while let Some(update) = self.updates.recv().await {
            match update {
                Update::Ready(ready) => return Ok(ready),
                Update::End(end) => code = Some(end.code),
                _ => {}
            }
        }
        Err(code)
    }

    pub(super) async fn close(self) {
        connection::close(&self.client).await;
    }
}
