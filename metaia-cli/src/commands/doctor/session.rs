//! Sessions with the token in one place each, one after the other: a user may have a single one.

use std::time::Duration;

use metaia_realtime::client::{
    Client, ClientBuilder, ClientCredentials, Ready, TokenIn, Transport, Update, Updates,
};
use tokio::time::{Instant, timeout};

use super::visit::Visit;
use crate::clock;
use crate::connection;
use crate::diagnosis::connect_fault;
use crate::doctor::{SignIn, Timed};
use crate::identity::Identity;

/// A session that is signed in.
pub(super) struct DoctorSession {
    pub(super) client: Client,
    pub(super) updates: Updates,
    /// `rt:ready`, once it has come.
    pub(super) ready: Option<Ready>,
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
    // The place of the session itself did not work, and another one did.
    let accepted = sign_ins.iter().find(|one| one.result.value.is_ok());
    let other = accepted.map(|one| one.place).filter(|_| session.is_none());
    if let Some(place) = other {
        (_, session) = open(visit, identity, transport, place).await;
    }
    (sign_ins, session)
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
            let ready = None;
            let session = DoctorSession {
                client,
                updates,
                ready,
            };
            (Ok(()), Some(session))
        }
        Err(fault) => (Err(fault), None),
    };
    let took = found.took;
    let result = Timed { value, took };
    let sign_in = SignIn {
        place,
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
    /// Waits until the session is live, and returns its rooms; `None` if that takes longer.
    pub(super) async fn rooms(&mut self, limit: Duration) -> Timed<Option<Vec<String>>> {
        let began = Instant::now();
        let ready = timeout(limit, self.ready()).await.ok().flatten();
        let rooms = ready.as_ref().map(|ready| ready.rooms.clone());
        self.ready = ready;
        Timed {
            value: rooms,
            took: began.elapsed(),
        }
    }

    async fn ready(&mut self) -> Option<Ready> {
        loop {
            if let Update::Ready(ready) = self.updates.recv().await? {
                return Some(ready);
            }
        }
    }

    pub(super) async fn close(self) {
        connection::close(&self.client).await;
    }
}
