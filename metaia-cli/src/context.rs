//! The parts that all commands share: server, credentials, printer, and interrupt signal.

use std::fmt;
use std::time::Duration;

use clap::Args;
use metaia_realtime::Role;
use metaia_realtime::client::{TokenIn, Transport};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::actor::Actor;
use crate::address::Address;
use crate::diagnosis::{Asked, SuppliedBy, TokenKind, Via};
use crate::exit::{Exit, Failure};
use crate::identity::{Authority, Identity};
use crate::network::{Network, NetworkArgs};
use crate::printer::{Color, Format, Printer};
use crate::proxy;
use crate::rest::Api;
use crate::secrets::Settings;
use crate::span;
use crate::token::PastedToken;

/// The time limit without `--timeout`.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

const TOKEN_VARIABLE: &str = "METAIA_TOKEN";

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Server URL [env: METAIA_URL] [default: http://localhost:5000]
    #[arg(long, global = true, value_name = "URL")]
    url: Option<String>,
    /// Use this token [env: METAIA_TOKEN]
    #[arg(long, global = true, value_name = "JWT", conflicts_with = "token_file")]
    token: Option<String>,
    /// Read the token from this file
    #[arg(long, global = true, value_name = "PATH")]
    token_file: Option<String>,
    /// Time limit of each connection, request and answer [default: 10s]
    #[arg(long, global = true, value_name = "TIME", value_parser = time_limit)]
    timeout: Option<Duration>,
    /// websocket, polling, or upgrade (begins with polling) [default: websocket]
    #[arg(long, global = true, value_name = "NAME", value_parser = transport)]
    transport: Option<Transport>,
    /// Output format
    #[arg(short, long, global = true, value_enum, default_value_t)]
    output: Format,
    /// Use colours; auto respects NO_COLOR
    #[arg(long, global = true, value_enum, default_value_t)]
    color: Color,
    /// Print only data and errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Also print each REST request and its status
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    verbose: bool,
    #[command(flatten)]
    network: NetworkArgs,
}

/// The credentials and the network that a command uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Uses {
    Nothing,
    /// A token, and no network.
    Token,
    Rest,
    Sockets,
}

/// Reads a time limit. Nothing is answered in no time.
fn time_limit(text: &str) -> Result<Duration, String> {
    let limit = span::parse(text)?;
    if limit.is_zero() {
        return Err("nothing is answered in no time; use 1s or more".into());
    }
    Ok(limit)
}

impl Uses {
    fn network(self) -> bool {
        matches!(self, Self::Rest | Self::Sockets)
    }

    /// Returns whether a command that uses only this refuses the option with this name in
    /// [`GlobalArgs`] or [`NetworkArgs`].
    pub(crate) fn refuses(self, option: &str) -> bool {
        match option {
            "transport" | "origin" | "auth" => self != Self::Sockets,
            "url" | "timeout" | "headers" | "cacert" | "insecure" => !self.network(),
            "token" | "token_file" => self == Self::Nothing,
            _ => false,
        }
    }
}

impl GlobalArgs {
    /// Refuses options that are without meaning for a command that uses only this.
    fn refuse_others(&self, uses: Uses) -> Result<(), Failure> {
        let mut others = Vec::new();
        if uses != Uses::Sockets && self.transport.is_some() {
            others.push("--transport");
        }
        if uses != Uses::Sockets {
            others.extend(self.network.socket_flags());
        }
        if !uses.network() {
            others.extend(self.network.network_flags());
            others.extend(self.url.as_ref().map(|_| "--url"));
            others.extend(self.timeout.map(|_| "--timeout"));
        }
        if uses == Uses::Nothing {
            others.extend(self.token.as_ref().map(|_| "--token"));
            others.extend(self.token_file.as_ref().map(|_| "--token-file"));
        }
        if others.is_empty() {
            return Ok(());
        }
        let verb = if others.len() == 1 { "does" } else { "do" };
        let others = others.join(", ");
        let reason = match uses {
            Uses::Nothing => "this command uses no network, and no token",
            Uses::Token => "this command uses no network",
            Uses::Rest | Uses::Sockets => "this command uses REST, and no socket",
        };
        let failure = Failure::usage(format!("{others} {verb} not apply: {reason}"));
        if uses == Uses::Rest && others.contains("--origin") {
            return Err(failure.hint("by REST, the server does not check the origin"));
        }
        Err(failure)
    }

    pub(crate) fn printer(&self) -> Printer {
        Printer::new(self.output, self.color, self.quiet, self.verbose)
    }
}

pub(crate) fn transport(text: &str) -> Result<Transport, String> {
    match text {
        "websocket" => Ok(Transport::WebSocket),
        "polling" => Ok(Transport::Polling),
        "upgrade" => Ok(Transport::Upgrade),
        _ => Err("expected websocket, polling or upgrade".to_owned()),
    }
}

/// The global options, resolved with the environment and `.env`.
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
}

/// The token of `--token`, `--token-file` or `METAIA_TOKEN`. All three mean the same, but an
/// explicit `--as` replaces the token of the environment.
struct SuppliedToken {
    text: String,
    by: SuppliedBy,
}

/// Shows no token.
impl fmt::Debug for SuppliedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuppliedToken")
            .field("by", &self.by)
            .finish_non_exhaustive()
    }
}

impl SuppliedToken {
    fn find(global: &GlobalArgs, settings: &Settings) -> Result<Option<Self>, Failure> {
        let found = |text: String, by| {
            Ok(Some(Self {
                text: text.trim().to_owned(),
                by,
            }))
        };
        if let Some(path) = &global.token_file {
            return found(read_token(path)?, SuppliedBy::File);
        }
        if let Some(token) = &global.token {
            return found(token.clone(), SuppliedBy::Option);
        }
        let by = if settings.is_in_environment(TOKEN_VARIABLE) {
            SuppliedBy::Environment
        } else {
            SuppliedBy::DotEnv
        };
        match settings.find(TOKEN_VARIABLE) {
            Some(token) => found(token, by),
            None => Ok(None),
        }
    }

    /// Returns true if an option supplied it, and not the environment.
    fn is_explicit(&self) -> bool {
        matches!(self.by, SuppliedBy::Option | SuppliedBy::File)
    }

    fn owner(&self) -> Identity {
        Identity::from_token(&self.text, self.by)
    }

    /// Leaves out what people paste before a token, such as `Bearer`, and says so.
    fn alone(self, printer: Printer) -> Self {
        let pasted = PastedToken::read(&self.text);
        if !pasted.left_out.is_empty() {
            let words = pasted.left_out.join(" ");
            printer.note(&format!("{words} is left out: it is no part of the token"));
        }
        Self {
            text: pasted.token.to_owned(),
            ..self
        }
    }
}

impl Context {
    /// Resolves the options for a command that uses this.
    pub(crate) fn new(global: GlobalArgs, uses: Uses) -> Result<Self, Failure> {
        global.refuse_others(uses)?;
        let printer = global.printer();
        let settings = Settings::load()?;
        let mut token = SuppliedToken::find(&global, &settings)?;
        // `token inspect` shows what was left out.
        if uses.network() {
            token = token.map(|token| token.alone(printer));
        }
        let address = Address::find(global.url, &settings);
        let network = Network::new(global.network)?;
        if uses == Uses::Sockets {
            network.check_socket_headers()?;
        }
        let interrupted = watch_for_interrupt();
        if uses.network() {
            note_unused_proxy(&address, printer);
        }
        Ok(Self {
            printer,
            settings,
            address,
            network,
            timeout: global.timeout.unwrap_or(DEFAULT_TIMEOUT),
            transport: global.transport.unwrap_or_default(),
            chosen_transport: global.transport,
            interrupted,
            token,
        })
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

    /// Returns the identity to act as: `--as`, otherwise the owner of the supplied token.
    pub(crate) fn identity(&self, actor: Option<&Actor>) -> Result<Identity, Failure> {
        match (actor, &self.token) {
            (Some(_), Some(token)) if token.is_explicit() => Err(Failure::usage(
                "--as mints a token and --token supplies one: use only one of them",
            )),
            (Some(actor), _) => self.mint_for(actor),
            (None, Some(token)) => Ok(token.owner()),
            (None, None) => Err(Failure::usage("no role and no token given")
                .hint("use --as ROLE:USER, such as --as customer:u1, or --token")),
        }
    }

    /// Returns the identity to act as: `--as`, the owner of the supplied token, or an admin.
    pub(crate) fn identity_or_admin(&self, actor: Option<&Actor>) -> Result<Identity, Failure> {
        if actor.is_none() && self.token.is_none() {
            return self.mint_for(&default_admin()?);
        }
        self.identity(actor)
    }

    /// Returns the owner of the supplied token.
    pub(crate) fn token_owner(&self) -> Option<Identity> {
        self.token.as_ref().map(SuppliedToken::owner)
    }

    /// Returns true if an option supplied the token, and not the environment.
    pub(crate) fn is_token_explicit(&self) -> bool {
        self.token.as_ref().is_some_and(SuppliedToken::is_explicit)
    }

    /// Returns the owner of the supplied token if it has this role.
    pub(crate) fn token_owner_with_role(&self, role: Role) -> Option<Identity> {
        let owner = self.token_owner()?;
        if owner.has_role(role) {
            Some(owner)
        } else {
            None
        }
    }

    /// Returns an identity for the actor whose tokens are minted with the server's secret.
    pub(crate) fn mint_for(&self, actor: &Actor) -> Result<Identity, Failure> {
        let secret = self.settings.jwt_secret()?;
        Ok(Identity::minted(actor, secret))
    }

    /// Returns credentials for requests that only admins and backends may make: `--as` or the
    /// supplied token, else `METAIA_API_KEY`, else a minted token of `admin`.
    pub(crate) fn authority(
        &self,
        actor: Option<&Actor>,
        admin: &Actor,
    ) -> Result<Authority, Failure> {
        if actor.is_some() || self.token.is_some() {
            return self.identity(actor).map(Authority::Token);
        }
        match self.settings.find("METAIA_API_KEY") {
            Some(key) => Ok(Authority::ApiKey(key)),
            None => self.mint_for(admin).map(Authority::Token),
        }
    }

    pub(crate) fn api(&self) -> Result<Api<'_>, Failure> {
        let asked = self.asked(Via::Rest, "", TokenKind::None)?;
        Api::new(&self.network, asked, self.timeout, self.printer)
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

/// Returns the admin as whom commands act if nobody is named.
pub(crate) fn default_admin() -> Result<Actor, Failure> {
    "admin:metaia-cli"
        .parse()
        .map_err(|error: String| Failure::new(Exit::Failed, error))
}

/// Says that a proxy of the environment is not used. An address that is none has no proxy.
fn note_unused_proxy(address: &Address, printer: Printer) {
    if let Some(variable) = address.base().ok().and_then(|base| proxy::variable(&base)) {
        printer.note(&format!(
            "{variable} is set, and not used: metaia connects directly"
        ));
    }
}

fn read_token(path: &str) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!("the token file {path} cannot be read")).caused_by(error)
    })?;
    Ok(text.trim().to_owned())
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
