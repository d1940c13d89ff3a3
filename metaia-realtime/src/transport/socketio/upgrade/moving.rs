//! Moves a client that has switched to its WebSocket, with its session, away from the engine.
//!
//! In this order, so that nothing is lost, doubled or out of order:
//!
//! 1. The engine gets what the client has POSTed, and answers its CONNECT. Nothing more comes to it
//!    from the client.
//! 2. The session is taken from the engine's socket, and its work is paused where it is. Nothing
//!    more is handed to the engine.
//! 3. What the engine has kept back is written to the WebSocket. The session's port and the link
//!    become those of the WebSocket, and the session goes on.
//!
//! At the edges: a client that has switched sends no request any more, so that one that does may
//! lose its session, but no event without that. If the node stops in between, the session ends. If
//! its transport has ended, the WebSocket closes. Each time a session that was ended with a reason
//! for its client brings that reason over.

use std::{sync::Arc, time::Duration};

use crate::{
    session::{END, EndReason},
    transport::{
        guard::Observer as _,
        socketio::{
            direct::{MovedClient, MovedState, Place},
            engine::Engine,
            engine_service::InnerService,
            joined_session::JoinedSession,
            link::Link,
            membership::longest_wait,
            polling::{SEPARATOR, packets_now},
            port_switch::PortSwitch,
            scan::Kind,
            upgrade_state::AlreadyClosed,
            websocket::FrameReader,
        },
    },
    values::after,
};

/// A client that has sent its `5`.
pub(super) struct SwitchedClient {
    pub(super) engine: Arc<Engine>,
    pub(super) service: InnerService,
    pub(super) link: Arc<Link>,
    pub(super) websocket: hyper::upgrade::Upgraded,
    /// The frames that the client has sent behind its `5`.
    pub(super) reader: FrameReader,
}

/// A client that was moved, and its place.
pub(super) struct MovedFromEngine {
    client: MovedClient,
    place: Place,
    _entry: LinkEntry,
}

impl MovedFromEngine {
    /// Serves the client to the end of its connection.
    pub(super) async fn serve(mut self) {
        self.client.serve(self.place).await;
    }
}

/// A session that was taken from its socket, and its port.
type TakenSession = (JoinedSession, Arc<PortSwitch>);

impl SwitchedClient {
    /// Moves the client. Returns `None` if the engine has not settled: its session has ended then.
    pub(super) async fn move_away(self) -> Option<MovedFromEngine> {
        let entry = LinkEntry {
            engine: Arc::clone(&self.engine),
            link: Arc::clone(&self.link),
        };
        let time = longest_wait(self.engine.node.limits());
        if !settle(&self.link, time).await {
            self.link.lose(EndReason::TransportLost);
            return None;
        }
        let taken = match self.link.session().and_then(|slot| slot.take()) {
            Some(attached) => {
                self.link.pause_session();
                Some(attached.paused().await)
            }
            None => None,
        };
        let (client, place) = self.move_client(taken);
        Some(MovedFromEngine {
            client,
            place,
            _entry: entry,
        })
    }

    /// Moves the client to its WebSocket. Nothing is awaited between taking what the engine has and
    /// the end of this.
    fn move_client(self, taken: Option<TakenSession>) -> (MovedClient, Place) {
        let Self {
            engine,
            service,
            link,
            websocket,
            reader,
        } = self;
        let unauthenticated = engine.node.limits().unauthenticated;
        let (session, port) = taken.unzip();
        let mut kept_back = packets_kept_back(&service, &link);
        let state = state_of(&link, reader, &kept_back);
        if !is_complete(&kept_back, &state, &link) {
            link.lose(EndReason::TransportLost);
            kept_back.drain(..place_of_end(&kept_back));
        }
        let moved = MovedClient::new(engine, websocket, state);
        for packet in &kept_back {
            moved.send(packet);
        }
        if let Some(port) = port {
            port.move_to(moved.port(port.handed_over_before));
        }
        link.move_to(moved.observer());
        let completed = link.upgrade.complete();
        // The engine's socket has no session any more.
        link.polling.close();
        let place = match completed {
            Ok(()) => place_of(session, &link, unauthenticated),
            Err(AlreadyClosed) => place_at_end(session, &link),
        };
        (moved, place)
    }
}

/// Waits until the engine has the client's packets, and has answered its CONNECT, for `time` at
/// most. Returns false if that takes longer, or if the transport ends meanwhile.
async fn settle(link: &Link, time: Duration) -> bool {
    let settled = async {
        link.upgrade.posts_passed().await;
        link.membership.answered().await;
    };
    tokio::select! {
        biased;
        () = link.upgrade.closed() => false,
        settled = tokio::time::timeout(time, settled) => settled.is_ok(),
    }
}

/// Takes the packets that the engine has kept back for the next poll.
fn packets_kept_back(service: &InnerService, link: &Link) -> Vec<String> {
    let mut kept_back = Vec::new();
    while let Some(packets) = packets_now(service.clone(), link) {
        kept_back.extend(packets.split(SEPARATOR).map(str::to_owned));
    }
    kept_back
}

/// Returns whether the client was sent all other packets: it may have polled meanwhile.
fn is_complete(kept_back: &[String], state: &MovedState, link: &Link) -> bool {
    let kinds = kept_back.iter().map(|packet| Kind::of(packet));
    let counted = kinds.filter(|kind| *kind == Kind::Counted).count() as u64;
    state.counts.written() + counted == link.handed_over()
}

fn state_of(link: &Link, reader: FrameReader, kept_back: &[String]) -> MovedState {
    let mut kinds = kept_back.iter().map(|packet| Kind::of(packet));
    MovedState {
        reader,
        opened_at: link.opened_at,
        handshake: link.handshake(),
        joins: link.joins(),
        refused: link.refused_connects(),
        budget: Arc::clone(&link.read_budget),
        counts: link.counts.continued(),
        is_pinged: link.counts.is_pinged() || kinds.any(|kind| kind == Kind::Ping),
    }
}

/// Returns where in `packets` the last packets of a session begin, which may follow others that are
/// missing.
fn place_of_end(packets: &[String]) -> usize {
    let end = format!("42[\"{END}\"");
    let found = packets.iter().position(|packet| packet.starts_with(&end));
    found.unwrap_or(packets.len())
}

/// Returns the place of a client that was moved. `unauthenticated` is the time that a client has to
/// connect.
fn place_of(session: Option<JoinedSession>, link: &Link, unauthenticated: Duration) -> Place {
    match (session, link.upgrade.ended()) {
        (Some(session), _) => Place::Member(Box::new(session)),
        (None, None) => Place::Outside(after(link.opened_at, unauthenticated)),
        (None, Some(ended)) if ended.reason == EndReason::ClientLeft => {
            Place::Outside(after(ended.at, unauthenticated))
        }
        (None, Some(ended)) => Place::Ended(ended.reason),
    }
}

/// Returns the place of a client whose transport has ended. The session ends with it; one that was
/// ended before has yet to tell its client why.
fn place_at_end(session: Option<JoinedSession>, link: &Link) -> Place {
    let lost = link.lost().unwrap_or(EndReason::TransportLost);
    match (session, link.upgrade.ended()) {
        (Some(joined), _) => {
            joined.node.end(&joined.session, lost);
            Place::Member(Box::new(joined))
        }
        (None, ended) => Place::Ended(ended.map_or(lost, |ended| ended.reason)),
    }
}

/// The entry of a link in the table, while its WebSocket is served: requests for the session are
/// refused as those of one that has switched.
struct LinkEntry {
    engine: Arc<Engine>,
    link: Arc<Link>,
}

impl Drop for LinkEntry {
    fn drop(&mut self) {
        self.engine.links.remove(&self.link.polling.sid);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;

    use futures_util::poll;

    use super::*;
    use crate::{
        Limits,
        transport::socketio::{
            handshake::OpeningHandshake, inbound_packet::PacketKind, link::PollingSession,
            membership::Admission,
        },
    };

    #[tokio::test(start_paused = true)]
    async fn the_engine_has_time_to_answer_a_connect_that_is_refused() {
        let polling = PollingSession::new(Weak::new(), "sid");
        let link = Link::new(&Limits::default(), polling, OpeningHandshake::default());
        let time = Duration::from_secs(10);
        assert!(settle(&link, time).await);
        let admitted = link.membership.admit(PacketKind::Connect);
        assert_eq!(admitted, Admission::Pass);
        let mut settling = Box::pin(settle(&link, time));
        assert!(poll!(&mut settling).is_pending());
        // The middleware calls this, and only then tells the engine.
        link.membership.refuse();
        assert!(poll!(&mut settling).is_pending(), "the answer is lost");
        assert!(settling.await);
    }
}
