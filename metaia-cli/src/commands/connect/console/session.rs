//! One role of the command, with its connection.

use metaia_realtime::client::{Client, Updates};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::commands::connect::role_client::{NumberedUpdates, RoleClient};
use crate::commands::connect::rooms::Rooms;
use crate::exit::Failure;
use crate::identity::Identity;
use crate::liveness::{self, Liveness};

/// One role of the command.
pub(super) struct Session {
    pub(super) role: RoleClient,
    pub(super) identity: Identity,
    /// The name of the installation, if it has one.
    pub(super) device: Option<String>,
    /// Drops the connection.
    stop: CancellationToken,
    pub(super) liveness: Liveness,
    /// The reason why the client makes no other attempt.
    pub(super) ended: Option<Failure>,
    /// The catching up before the session was live the last time.
    pub(super) caught_up: Value,
}

impl Session {
    /// Returns the session of a role that is connected.
    pub(super) fn new(identity: Identity, device: Option<String>, client: Client) -> Self {
        Self {
            role: RoleClient {
                label: identity.label().to_owned(),
                client,
                rooms: Rooms::default(),
                is_away: false,
            },
            liveness: Liveness::new(identity.token_kind()),
            identity,
            device,
            stop: CancellationToken::new(),
            ended: None,
            caught_up: Value::Null,
        }
    }

    /// Replaces an ended connection.
    pub(super) fn come_back(&mut self, client: Client) {
        self.role.client = client;
        self.role.is_away = false;
        self.ended = None;
        self.stop = CancellationToken::new();
    }

    /// Returns the updates of the present connection, until it is dropped.
    pub(super) fn numbered(&self, number: usize, updates: Updates) -> NumberedUpdates {
        NumberedUpdates::new(number, updates, self.stop.clone())
    }

    /// Drops the connection without a word, and the updates that wait.
    pub(super) fn drop_connection(&self) {
        self.stop.cancel();
    }

    /// Returns the failure of a role that is not live at the end, or whose server does not answer.
    pub(super) fn failure_at_end(&mut self, is_answering: bool) -> Option<Failure> {
        let who = &self.role.label;
        if !self.liveness.is_live() {
            return Some(liveness::not_live(who, &self.liveness));
        }
        if is_answering {
            return None;
        }
        self.liveness.end_at_last_heard(&self.role.client);
        Some(liveness::not_answering(who, &self.liveness))
    }
}
