//! The parts that all commands share: server, credentials, printer, and interrupt signal.

mod choosing;
mod identities;
mod options;
mod supplied_token;

use std::time::Duration;

use metaia_realtime::client::{TokenIn, Transport};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::address::Address;
use crate::contexts::{ChildEnvironment, Choice, ChosenBy, Inherited, Protection, ValuePlace};
use crate::diagnosis::{Asked, TokenKind, Via};
use crate::exit::{Exit, Failure};
use crate::network::{Network, NetworkArgs};
use crate::printer::Printer;
use crate::proxy;
use crate::rest::Api;
use crate::secrets::{API_KEY_VARIABLE, Settings};
use supplied_token::{SuppliedToken, TOKEN_VARIABLE};

pub(crate) use choosing::{ChosenServer, all_names};
pub(crate) use identities::default_admin;
pub(crate) use options::{GlobalArgs, Uses, filled, transport};

/// The time limit without `--timeout`.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The global options, resolved with the environment, the context in use, and `.env`.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) printer: Printer,
    pub(crate) settings: Settings,
    pub(crate) address: Address,
    pub(crate) network: Network,
    pub(crate) timeout: Duration,
    pub(crate) transport: Transport,
    /// The transport of `--transport`, if it is set.
    pub(crate) chosen_transport: Option<Transport>,
    /// Cancelled by the first SIGINT.
    pub(crate) interrupted: CancellationToken,
    token: Option<SuppliedToken>,
    choice: Option<Choice>,
    /// True if `--url` names the address.
    has_url_option: bool,
    /// True if `--yes` is given.
    yes: bool,
}

impl Context {
    /// Resolves the options for a command that uses this.
    pub(crate) fn new(global: GlobalArgs, uses: Uses) -> Result<Self, Failure> {
        global.refuse_others(uses)?;
        let printer = global.printer();
        let settings = Settings::load()?;
        let server = match uses {
            Uses::Nothing => ChosenServer::without_context(settings, &global),
            _ => ChosenServer::find(settings, &global)?,
        };
        Self::for_server(server, global, uses, printer)
    }

    /// Resolves the options for this server.
    pub(crate) fn for_server(
        server: ChosenServer,
        global: GlobalArgs,
        uses: Uses,
        printer: Printer,
    ) -> Result<Self, Failure> {
        let settings = server.settings;
        note_unused(TOKEN_VARIABLE, &settings, printer);
        if uses == Uses::Rest {
            note_unused(API_KEY_VARIABLE, &settings, printer);
        }
        let mut token = SuppliedToken::find(&global, &settings)?;
        // `token inspect` shows what was left out.
        if uses.network() {
            token = token.map(|token| token.alone(printer));
        }
        let has_url_option = server.url.is_some();
        let address = Address::find(server.url, &settings);
        let network = network_args(global.network, &settings, uses);
        let network = network.map_err(|failure| failure.at_server(&address))?;
        let network = Network::new(network)?;
        if uses == Uses::Sockets {
            network.check_socket_headers()?;
        }
        let interrupted = watch_for_interrupt();
        if uses.network() {
            note_unused_proxy(&address, printer);
        }
        let context = Self {
            printer,
            settings,
            address,
            network,
            timeout: global.timeout.unwrap_or(DEFAULT_TIMEOUT),
            transport: global.transport.unwrap_or_default(),
            chosen_transport: global.transport,
            interrupted,
            token,
            choice: server.choice,
            has_url_option,
            yes: server.yes,
        };
        if let Some(protection) = context.protection() {
            protection.permit_headers(context.network.header_names())?;
        }
        Ok(context)
    }

    /// Runs a command that has no results to report when it is interrupted.
    pub(crate) async fn interruptible(
        &self,
        command: impl Future<Output = Result<Exit, Failure>>,
    ) -> Result<Exit, Failure> {
        tokio::select! {
            ended = command => ended,
            () = self.interrupted.cancelled() => Ok(Exit::Interrupted),
        }
    }

    pub(crate) fn api(&self) -> Result<Api<'_>, Failure> {
        let asked = self.asked(Via::Rest, "", TokenKind::None)?;
        let api = Api::new(&self.network, asked, self.timeout, self.printer)?;
        Ok(api.protected(self.protection()))
    }

    /// Returns the protection of the context in use, unless `--yes` is given.
    pub(crate) fn protection(&self) -> Option<Protection> {
        let context = self.settings.context()?;
        if self.yes || !context.protected {
            return None;
        }
        Some(Protection::new(&context.name, self.address.to_string()))
    }

    /// Refuses an action that writes, such as `emit`, if the context in use is protected.
    pub(crate) fn permit_write(&self, action: &str) -> Result<(), Failure> {
        match self.protection() {
            Some(protection) => Err(protection.refusal(action)),
            None => Ok(()),
        }
    }

    /// Returns the variables of the programs that a command runs: a `metaia` among them acts at the
    /// same server, with the same context.
    pub(crate) fn child_environment(&self) -> Result<ChildEnvironment, Failure> {
        let url = self.address.base()?;
        let inherited = self
            .choice
            .as_ref()
            .map(|choice| Inherited::new(choice, url.clone(), self.has_url_option, self.yes));
        Ok(ChildEnvironment::new(url, inherited))
    }

    /// Returns a request to the server, as a diagnosis needs it.
    pub(crate) fn asked(&self, via: Via, path: &str, token: TokenKind) -> Result<Asked, Failure> {
        let base = self.address.base()?;
        Ok(Asked {
            proxy: proxy::variable(&base),
            base,
            path: path.to_owned(),
            via,
            token,
            has_token_in_header_alone: match via {
                Via::Rest => true,
                Via::WebSocket | Via::Polling => self.network.token_in == TokenIn::Header,
            },
            origin: self.network.origin.clone(),
            has_own_certificates: self.network.has_own_certificates,
        })
    }
}

/// Returns the options of the network, with what the context in use says.
fn network_args(
    args: NetworkArgs,
    settings: &Settings,
    uses: Uses,
) -> Result<NetworkArgs, Failure> {
    let Some(context) = settings.context().filter(|_| uses.network()) else {
        return Ok(args);
    };
    let args = args.with_context(context)?;
    Ok(match uses {
        Uses::Sockets => args,
        _ => args.without_origin(),
    })
}

/// Says that credentials of the environment are not used beside `--context`: they were set for
/// another server.
fn note_unused(variable: &str, settings: &Settings, printer: Printer) {
    let value = settings.value_in(ValuePlace::Environment, variable);
    let (Some(context), Some(_)) = (settings.context(), value) else {
        return;
    };
    if settings.chosen_by() == Some(ChosenBy::Option) {
        let name = &context.name;
        printer.note(&format!(
            "{variable} is set, and not used: --context {name} has credentials of its own"
        ));
    }
}

/// Says that a proxy of the environment is not used. An address that is none has no proxy.
fn note_unused_proxy(address: &Address, printer: Printer) {
    if let Some(variable) = address.base().ok().and_then(|base| proxy::variable(&base)) {
        printer.note(&format!(
            "{variable} is set, and not used: metaia connects directly"
        ));
    }
}

fn watch_for_interrupt() -> CancellationToken {
    let interrupted = CancellationToken::new();
    // Watched from now on, and not from the first turn of the task, which may come after the
    // signal. If signals cannot be watched, SIGINT keeps its default: it ends the process.
    let Ok(mut signals) = signal(SignalKind::interrupt()) else {
        return interrupted;
    };
    let watched = interrupted.clone();
    TaskTracker::new().spawn(async move {
        if signals.recv().await.is_some() {
            watched.cancel();
        }
    });
    interrupted
}
