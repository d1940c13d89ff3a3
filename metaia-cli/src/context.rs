//! What every command shares: the server, who is asking, how to print, when to stop.

use std::fmt;
use std::time::Duration;

use clap::Args;
use metaia_realtime::Role;
use metaia_realtime::client::Transport;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::actor::Actor;
use crate::clock;
use crate::exit::{Exit, Failure};
use crate::printer::{Color, Format, Printer};
use crate::rest::{Api, Authority};
use crate::secrets::Settings;
use crate::span;
use crate::token::{Flaw, Signature, inspect, mint};

/// How long a minted token lives; a reconnect gets a new one.
const TOKEN_TTL: Duration = Duration::from_secs(3600);

const DEFAULT_URL: &str = "http://localhost:5000";

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The server [env: METAIA_URL] [default: http://localhost:5000]
    #[arg(long, global = true, value_name = "URL")]
    url: Option<String>,
    /// Use this token as it is [env: METAIA_TOKEN]
    #[arg(long, global = true, value_name = "JWT", conflicts_with = "token_file")]
    token: Option<String>,
    /// Use the token in this file
    #[arg(long, global = true, value_name = "PATH")]
    token_file: Option<String>,
    /// How long one connection, request or answer may take
    #[arg(long, global = true, value_name = "TIME", default_value = "10s", value_parser = span::parse)]
    timeout: Duration,
    /// How to connect
    #[arg(long, global = true, value_name = "HOW", default_value = "websocket", value_parser = transport)]
    transport: Transport,
    /// How to write data
    #[arg(short, long, global = true, value_enum, default_value_t)]
    output: Format,
    /// When to use colour; NO_COLOR is honoured
    #[arg(long, global = true, value_enum, default_value_t)]
    color: Color,
    /// Say nothing but data and errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say more
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    verbose: bool,
}

impl Global {
    pub(crate) fn printer(&self) -> Printer {
        Printer::new(self.output, self.color, self.quiet, self.verbose)
    }
}

fn transport(text: &str) -> Result<Transport, String> {
    match text {
        "websocket" => Ok(Transport::WebSocket),
        "polling" => Ok(Transport::Polling),
        "upgrade" => Ok(Transport::Upgrade),
        _ => Err("one of websocket, polling, upgrade (polling first, as browsers do)".to_owned()),
    }
}

/// What every command is given.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) printer: Printer,
    pub(crate) settings: Settings,
    pub(crate) url: String,
    pub(crate) timeout: Duration,
    pub(crate) transport: Transport,
    /// Cancelled by the first SIGINT.
    pub(crate) interrupted: CancellationToken,
    given: Option<String>,
}

impl Context {
    pub(crate) fn new(global: Global) -> Result<Self, Failure> {
        let printer = global.printer();
        let settings = Settings::load()?;
        let url = global
            .url
            .or_else(|| settings.find("METAIA_URL"))
            .unwrap_or_else(|| DEFAULT_URL.to_owned());
        let given = given_token(global.token, global.token_file)?;
        let interrupted = watch_for_interrupt();
        Ok(Self {
            printer,
            settings,
            url,
            timeout: global.timeout,
            transport: global.transport,
            interrupted,
            given,
        })
    }

    /// Runs a command that has nothing to say when it is interrupted.
    pub(crate) async fn interruptible(
        &self,
        command: impl Future<Output = Result<Exit, Failure>>,
    ) -> Result<Exit, Failure> {
        tokio::select! {
            ended = command => ended,
            () = self.interrupted.cancelled() => Ok(Exit::Interrupted),
        }
    }

    /// Whoever was named on the command line, else the owner of `METAIA_TOKEN`.
    pub(crate) fn who(&self, actor: Option<&Actor>) -> Result<Who, Failure> {
        match (actor, &self.given) {
            (Some(_), Some(_)) => Err(Failure::usage(
                "--as mints a token and --token brings one: use either",
            )),
            (Some(actor), None) => self.mint_for(actor),
            (None, Some(token)) => Ok(Who::given(token)),
            (None, None) => match self.settings.find("METAIA_TOKEN") {
                Some(token) => Ok(Who::given(&token)),
                None => Err(Failure::usage("who is asking?")
                    .hint("use --as ROLE:USER, such as --as customer:u1, or --token")),
            },
        }
    }

    /// Whoever brought a token, where it is of this role.
    pub(crate) fn given(&self, role: Role) -> Option<Who> {
        let who = Who::given(self.given.as_deref()?);
        let (given, _) = who.label.split_once(':')?;
        (given.parse() == Ok(role)).then_some(who)
    }

    /// An actor with a token minted here.
    pub(crate) fn mint_for(&self, actor: &Actor) -> Result<Who, Failure> {
        let secret = self.settings.jwt_secret()?;
        Ok(Who {
            label: actor.to_string(),
            source: Source::Minted {
                actor: actor.clone(),
                secret,
            },
        })
    }

    /// The right to do what only admins and backends may: whoever was named, else the API key, else
    /// an admin minted here.
    pub(crate) fn authority(
        &self,
        actor: Option<&Actor>,
        admin: &Actor,
    ) -> Result<Authority, Failure> {
        if actor.is_some() || self.given.is_some() {
            return self.who(actor).map(Authority::Token);
        }
        if let Some(key) = self.settings.find("METAIA_API_KEY") {
            return Ok(Authority::ApiKey(key));
        }
        match self.settings.find("METAIA_TOKEN") {
            Some(token) => Ok(Authority::Token(Who::given(&token))),
            None => self.mint_for(admin).map(Authority::Token),
        }
    }

    pub(crate) fn api(&self) -> Result<Api, Failure> {
        Api::new(&self.url, self.timeout, self.printer)
    }
}

/// Somebody with a token.
#[derive(Clone)]
pub(crate) struct Who {
    label: String,
    source: Source,
}

#[derive(Clone)]
enum Source {
    Given(String),
    Minted { actor: Actor, secret: String },
}

impl Who {
    fn given(token: &str) -> Self {
        Self {
            label: owner(token),
            source: Source::Given(token.to_owned()),
        }
    }

    /// `ROLE:USER`.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// A token that is good now.
    pub(crate) fn token(&self) -> Result<String, Failure> {
        match &self.source {
            Source::Given(token) => Ok(token.clone()),
            Source::Minted { actor, secret } => {
                mint(actor, secret, TOKEN_TTL, Flaw::None, clock::unix_s())
                    .map(|minted| minted.token)
            }
        }
    }
}

/// Without the token and without the secret.
impl fmt::Debug for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Who").field(&self.label).finish()
    }
}

/// Who a token says it belongs to, unverified: a name for reports.
fn owner(token: &str) -> String {
    let inspection = inspect(token, None, 0);
    debug_assert_eq!(inspection.signature, Signature::Unchecked);
    let text = |claim: &str| {
        inspection
            .claims
            .get(claim)
            .and_then(serde_json::Value::as_str)
    };
    match (text("role"), text("userId").or_else(|| text("sub"))) {
        (Some(role), Some(user)) => format!("{role}:{user}"),
        _ => "token".to_owned(),
    }
}

fn given_token(token: Option<String>, file: Option<String>) -> Result<Option<String>, Failure> {
    let Some(path) = file else { return Ok(token) };
    let text = std::fs::read_to_string(&path);
    let text =
        text.map_err(|error| Failure::usage(format!("{path} cannot be read")).caused_by(error))?;
    Ok(Some(text.trim().to_owned()))
}

fn watch_for_interrupt() -> CancellationToken {
    let interrupted = CancellationToken::new();
    let watching = interrupted.clone();
    TaskTracker::new().spawn(async move {
        // Where signals cannot be watched, SIGINT ends the process as it always did.
        if tokio::signal::ctrl_c().await.is_ok() {
            watching.cancel();
        }
    });
    interrupted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_owner_without_being_trusted() {
        let actor: Actor = "tailor:t1".parse().unwrap();
        let minted = mint(&actor, "secret", TOKEN_TTL, Flaw::Expired, 1_700_000_000).unwrap();
        assert_eq!(Who::given(&minted.token).label(), "tailor:t1");
        assert_eq!(Who::given("no token").label(), "token");
    }

    #[test]
    fn nobodys_secrets_show_in_debug() {
        let source = Source::Minted {
            actor: "tailor:t1".parse().unwrap(),
            secret: "hidden".into(),
        };
        let who = Who {
            label: "tailor:t1".into(),
            source,
        };
        assert_eq!(format!("{who:?}"), "Who(\"tailor:t1\")");
    }
}
