//! Connects, and finds out why that failed.

use std::time::Duration;

use metaia_realtime::client::{
    Client, ClientBuilder, ClientCredentials, ConnectError, Transport, Updates,
};
use tokio::time::timeout;

use crate::clock;
use crate::connection_words as words;
use crate::context::Context;
use crate::diagnosis::{TokenKind, Via, connect_fault, diagnose, difference, server_ahead_ms};
use crate::exit::Failure;
use crate::identity::Identity;
use crate::probe::probe;
use crate::retry_after::{WaitBudget, wait_for_next};

/// The time that a clean end of a connection may take.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// Configures a client that asks for a token at every connection, so that a minted one is fresh.
pub(crate) fn builder(context: &Context, identity: &Identity) -> ClientBuilder {
    let identity = identity.clone();
    builder_for(context).credentials(move || {
        let token = identity.token();
        std::future::ready(token.map(ClientCredentials::token).map_err(Into::into))
    })
}

/// Configures a client without credentials.
pub(crate) fn builder_for(context: &Context) -> ClientBuilder {
    // An address that is none is refused when the client connects.
    let mut builder = Client::builder(context.address.base().unwrap_or_default())
        .token_in(context.network.token_in)
        .transport(context.transport)
        .connect_timeout(context.timeout);
    for (name, value) in context.network.headers() {
        builder = builder.header(name, value);
    }
    match context.network.tls() {
        Some(tls) => builder.tls(tls),
        None => builder,
    }
}

/// Connects. A server that asks for a moment is asked again after it; any other failure is reported
/// at once, with its cause.
pub(crate) async fn connect(
    context: &Context,
    identity: &Identity,
    builder: ClientBuilder,
) -> Result<(Client, Updates), Failure> {
    let connected = connect_or_error(context, identity, builder).await;
    connected.map_err(|(_, failure)| failure)
}

/// Connects in the same way. A failure comes with the error that it explains.
pub(crate) async fn connect_or_error(
    context: &Context,
    identity: &Identity,
    builder: ClientBuilder,
) -> Result<(Client, Updates), (ConnectError, Failure)> {
    let budget = WaitBudget::start(context.timeout);
    loop {
        let error = match builder.clone().connect().await {
            Ok(connected) => {
                compare_clocks(context, &connected.0);
                return Ok(connected);
            }
            Err(error) => error,
        };
        let Some(wait) = asked_wait(budget, &error) else {
            let failure = explain(context, identity.token_kind(), &error).await;
            return Err((error, failure));
        };
        wait_for_next(&context.printer, &words::failed_attempt(&error), wait).await;
    }
}

/// Disconnects. A server that does not answer is left without a farewell, so that an interrupted
/// command ends within a second.
pub(crate) async fn close(client: &Client) {
    let _ = timeout(CLOSE_TIMEOUT, client.close()).await;
}

/// Returns the time that the server asks to wait before the next attempt.
fn asked_wait(budget: WaitBudget, error: &ConnectError) -> Option<Duration> {
    match error {
        ConnectError::Http {
            status,
            retry_after,
            ..
        } => budget.wait(*status, *retry_after),
        _ => None,
    }
}

/// Finds out why there is no connection with this kind of token.
pub(crate) async fn explain(context: &Context, token: TokenKind, error: &ConnectError) -> Failure {
    let via = match context.transport {
        Transport::WebSocket => Via::WebSocket,
        _ => Via::Polling,
    };
    let asked = match context.asked(via, "/socket.io/", token) {
        Ok(asked) => asked,
        Err(failure) => return failure,
    };
    let fault = connect_fault(error, clock::unix_ms());
    let probed = probe(&context.network, &asked, &fault).await;
    diagnose(&asked, &fault, &probed).into()
}

/// Compares this machine's clock with the server's, so that latencies are by one clock.
fn compare_clocks(context: &Context, client: &Client) {
    let Some(date) = client.server_date() else {
        return;
    };
    let Some(ahead) = server_ahead_ms(&date.header, date.read_at) else {
        return;
    };
    if clock::set_server_ahead_ms(ahead) {
        let difference = difference(ahead);
        context.printer.note(&format!(
            "{difference}: latencies are corrected for it, to within a second"
        ));
    }
}
