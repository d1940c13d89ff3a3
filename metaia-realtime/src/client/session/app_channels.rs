//! The channels between a client's driver and the application.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{command::ClientCommand, outbox::ClientOutbox};
use crate::client::state::ClientState;

/// The channels between the driver and the application, which outlive connections.
pub(crate) struct AppChannels {
    pub(crate) state: Arc<ClientState>,
    pub(crate) outbox: ClientOutbox,
    pub(crate) commands: mpsc::Receiver<ClientCommand>,
    /// For the acknowledgements of events. It also keeps `commands` open when every handle is
    /// dropped.
    pub(crate) commands_in: mpsc::Sender<ClientCommand>,
}
