//! The options of every command, and which of them a command refuses.

use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use metaia_realtime::client::Transport;

use crate::contexts::ContextName;
use crate::exit::Failure;
use crate::network::NetworkArgs;
use crate::printer::{Color, Format, Printer};
use crate::span;

/// The names of the transports.
const TRANSPORTS: [&str; 3] = ["websocket", "polling", "upgrade"];

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Use this context: a server and its credentials, by a name [env: METAIA_CONTEXT]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<ContextName>,
    /// Write to the server of a protected context
    #[arg(long, global = true)]
    pub(crate) yes: bool,
    /// Server URL [env: METAIA_URL] [default: http://localhost:5000]
    #[arg(long, global = true, value_name = "URL", value_parser = filled)]
    pub(crate) url: Option<String>,
    /// Use this token [env: METAIA_TOKEN]
    #[arg(long, global = true, value_name = "JWT", conflicts_with = "token_file",
        value_parser = filled)]
    pub(crate) token: Option<String>,
    /// Read the token from this file
    #[arg(long, global = true, value_name = "PATH", value_parser = filled)]
    pub(crate) token_file: Option<String>,
    /// Time limit of each connection, request and answer [default: 10s]
    #[arg(long, global = true, value_name = "TIME", value_parser = time_limit)]
    pub(crate) timeout: Option<Duration>,
    /// websocket, polling, or upgrade (begins with polling) [default: websocket]
    #[arg(long, global = true, value_name = "NAME", hide_possible_values = true,
        value_parser = PossibleValuesParser::new(TRANSPORTS).try_map(|name| transport(&name)))]
    pub(crate) transport: Option<Transport>,
    /// Output format
    #[arg(short, long, global = true, value_enum, default_value_t)]
    pub(crate) output: Format,
    /// Use colours; auto respects NO_COLOR
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(crate) color: Color,
    /// Print only data and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Also print each REST request and its status
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

/// The credentials and the network that a command uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Uses {
    Nothing,
    /// The secret that tokens are signed with, and no network.
    Secret,
    /// A token, and no network.
    Token,
    Rest,
    Sockets,
}

/// Refuses an empty text: it is mostly that of an unset variable.
pub(crate) fn filled(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok(text.to_owned())
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
    pub(crate) fn network(self) -> bool {
        matches!(self, Self::Rest | Self::Sockets)
    }

    /// Returns whether a command that uses only this refuses, or has no use for, the option with
    /// this name in [`GlobalArgs`] or [`NetworkArgs`].
    pub(crate) fn refuses(self, option: &str) -> bool {
        match option {
            "transport" | "origin" | "auth" => self != Self::Sockets,
            "url" | "timeout" | "headers" | "cacert" | "insecure" | "yes" => !self.network(),
            "token" | "token_file" => matches!(self, Self::Nothing | Self::Secret),
            "context" => self == Self::Nothing,
            _ => false,
        }
    }
}

impl GlobalArgs {
    /// Refuses options that are without meaning for a command that uses only this.
    pub(crate) fn refuse_others(&self, uses: Uses) -> Result<(), Failure> {
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
            others.extend(self.context.as_ref().map(|_| "--context"));
        }
        if matches!(uses, Uses::Nothing | Uses::Secret) {
            others.extend(self.token.as_ref().map(|_| "--token"));
            others.extend(self.token_file.as_ref().map(|_| "--token-file"));
        }
        if others.is_empty() {
            return Ok(());
        }
        let verb = if others.len() == 1 { "does" } else { "do" };
        let others = others.join(", ");
        let reason = match uses {
            Uses::Nothing | Uses::Secret => "this command uses no network, and no token",
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
