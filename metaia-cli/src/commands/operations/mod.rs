//! The commands of those who operate a server: who is connected, what the server has done, whom it
//! turned away, ending sessions, and revoking tokens. They ask its REST interface as an admin.

mod admin;
mod disconnect;
mod moment;
mod online;
mod refusals;
mod revoke;
mod rooms;
mod sessions;
mod stats;
pub(super) mod table;

use clap::Subcommand;

use crate::context::Context;
use crate::exit::{Exit, Failure};

#[derive(Debug, Subcommand)]
pub(crate) enum Operation {
    /// List the sessions that are connected now
    Sessions(sessions::Args),
    /// List the rooms, with the number of sessions in each
    Rooms(rooms::Args),
    /// Tell whether users are connected
    Online(online::Args),
    /// Show what the server has done, once or again and again
    Stats(stats::Args),
    /// List why the server turned clients away: why does this phone not connect?
    Refusals(refusals::Args),
    /// End a session, or all sessions of a user
    Disconnect(disconnect::Args),
    /// Revoke tokens for good: of a user, one, or everyone's
    Revoke(revoke::Args),
}

impl Operation {
    /// Returns the words for what the command writes.
    pub(crate) fn writes(&self) -> Option<String> {
        match self {
            Self::Disconnect(_) => Some("disconnect".to_owned()),
            Self::Revoke(_) => Some("revoke".to_owned()),
            Self::Sessions(_)
            | Self::Rooms(_)
            | Self::Online(_)
            | Self::Stats(_)
            | Self::Refusals(_) => None,
        }
    }

    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::Sessions(args) => sessions::sessions(args, context).await,
            Self::Rooms(args) => rooms::rooms(args, context).await,
            Self::Online(args) => online::online(args, context).await,
            Self::Stats(args) => stats::stats(args, context).await,
            Self::Refusals(args) => refusals::refusals(args, context).await,
            Self::Disconnect(args) => disconnect::disconnect(args, context).await,
            Self::Revoke(args) => revoke::revoke(args, context).await,
        }
    }
}
