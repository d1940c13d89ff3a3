//! A client's handshake, as far as CONNECT needs it.

use http::Request;

use super::{credentials::handshake_token, description::client_of};
use crate::{
    node::{ClientDescription, TransportKind},
    transport::Settings,
};

/// The parts of a handshake that are kept.
#[derive(Default)]
pub(super) struct OpeningHandshake {
    /// The token, for a CONNECT that brings none.
    pub(super) token: Option<Box<str>>,
    /// The client, until its first session begins: a connection that rests has no memory for it.
    pub(super) client: Option<Box<ClientDescription>>,
}

impl OpeningHandshake {
    pub(super) fn read<B>(settings: &Settings, request: &Request<B>) -> Self {
        let token = handshake_token(request.headers(), request.uri(), settings.token_in_query);
        Self {
            token: token.map(Box::from),
            client: Some(Box::new(client_of(request))),
        }
    }
}

/// Returns the description of a client that connects over `transport`, with what is still known of
/// its handshake.
pub(super) fn description(
    of_handshake: Option<&ClientDescription>,
    transport: TransportKind,
) -> ClientDescription {
    match of_handshake {
        Some(client) => client.clone().now_over(transport),
        None => ClientDescription::over(transport),
    }
}
