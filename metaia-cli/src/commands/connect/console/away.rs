//! Roles that go away and come back: `/cut`, `/offline` and `/back`, with the meaning that they
//! have in scenarios. A role that comes back resumes from the last event that was shown.

use std::time::Duration;

use futures_util::future::join_all;
use metaia_realtime::client::{Client, DisconnectReason, Update};
use serde_json::Value;

use super::Console;
use super::wait::{Goal, Waiting};
use super::work::{Departed, Done, Work};
use crate::commands::connect::command::Departure;
use crate::connection;
use crate::exit::{Exit, Failure};
use crate::screen::Stream;

impl Departure {
    fn name(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Offline => "offline",
        }
    }

    fn reason(self) -> DisconnectReason {
        match self {
            Self::Cut => DisconnectReason::Dropped,
            Self::Offline => DisconnectReason::ClientDisconnect,
        }
    }
}

impl<'a> Console<'a> {
    /// Lets roles go away. Those that are away stay so.
    pub(super) fn depart(
        &mut self,
        number: u64,
        departure: Departure,
        time: Option<Duration>,
        mut roles: Vec<usize>,
    ) -> Result<Work<'a>, Failure> {
        roles.retain(|role| !self.sessions[*role].role.is_away);
        if roles.is_empty() {
            let failure = Failure::usage("they are offline already");
            return Err(failure.hint("/back connects again"));
        }
        if let Some(time) = time {
            // Before the prompt shows them as away: from then on Ctrl-C brings them back.
            let command = departure.name().to_owned();
            self.wait_for(Waiting::new(
                number,
                command,
                Goal::Return,
                roles.clone(),
                time,
            ));
        }
        for &role in &roles {
            self.sessions[role].role.is_away = true;
            self.board.set_live(role, false);
        }
        let clients = roles.iter().map(|role| &self.sessions[*role].role.client);
        let clients: Vec<Client> = clients.cloned().collect();
        let departed = Departed {
            number,
            departure,
            will_return: time.is_some(),
            roles,
        };
        Ok(Box::pin(async move {
            if departure == Departure::Offline {
                join_all(clients.iter().map(connection::close)).await;
            }
            Done::Departed(departed)
        }))
    }

    /// Notes that roles have gone away. That is the end of the command if only `/back` brings them
    /// back.
    pub(super) fn note_departed(&mut self, departed: Departed) -> Result<Option<Done>, Failure> {
        let Departed {
            number,
            departure,
            will_return,
            roles,
        } = departed;
        for &role in &roles {
            self.end_connection(role, departure.reason())?;
        }
        if will_return {
            return Ok(None);
        }
        let command = departure.name();
        let until = Value::from("until /back");
        let results = roles
            .iter()
            .map(|role| self.result(*role, command, Ok(until.clone())));
        Ok(Some(Done::Line {
            number,
            results: Ok(results.collect()),
        }))
    }

    /// Drops the connection of a role, which tells nothing any more.
    fn end_connection(&mut self, role: usize, reason: DisconnectReason) -> Result<(), Failure> {
        let update = Update::Disconnected(reason);
        let session = &mut self.sessions[role];
        session.drop_connection();
        session.liveness.observe(&update, &session.role.client);
        let place = Stream::of_notices(self.control && !self.is_unread);
        let shown = self.feed.notice(role, &update, place);
        let shown = shown.and_then(|()| self.feed.show_held_back(role));
        self.go_on_unread(shown)
    }

    /// Connects the roles again that are away, and waits until they are live.
    pub(super) fn bring_back(
        &mut self,
        number: u64,
        limit: Option<Duration>,
        mut roles: Vec<usize>,
    ) -> Result<(), Failure> {
        roles.retain(|role| {
            let session = &self.sessions[*role];
            session.role.is_away || session.ended.is_some()
        });
        if roles.is_empty() {
            let failure = Failure::usage("there is nobody to bring back");
            return Err(failure.hint("/cut and /offline let a role go away"));
        }
        let limit = limit.unwrap_or(self.context.timeout);
        let command = "back".to_owned();
        self.return_now(Waiting::new(number, command, Goal::Live, roles, limit))
    }

    /// Connects the roles of a command again, and waits until they are live.
    pub(super) fn return_now(&mut self, waiting: Waiting) -> Result<(), Failure> {
        for &role in &waiting.open {
            self.connect_again(role)?;
        }
        let limit = match waiting.goal {
            Goal::Return => self.context.timeout,
            Goal::Live | Goal::Event(_) => waiting.limit,
        };
        let again = Waiting::new(
            waiting.number,
            waiting.command,
            Goal::Live,
            waiting.open,
            limit,
        );
        self.wait_for(again);
        Ok(())
    }

    fn connect_again(&mut self, number: usize) -> Result<(), Failure> {
        let session = &mut self.sessions[number];
        let before = &session.role.client;
        let mut builder =
            connection::builder(self.context, &session.identity).orders(before.orders());
        if let Some(position) = before.position() {
            builder = builder.since(position);
        }
        if let Some(device) = &session.device {
            builder = builder.device(device);
        }
        let (client, updates) = builder.start().map_err(|error| {
            let failure = Failure::new(Exit::Unreachable, "the connection cannot be made again");
            failure.caused_by(error)
        })?;
        session.come_back(client);
        self.updates.push(session.numbered(number, updates));
        Ok(())
    }
}
