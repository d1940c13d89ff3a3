//! One visit to a server: its address, the person who signs in, and the time that there is.

use std::time::Duration;

use metaia_realtime::auth::SignatureCheck;
use metaia_realtime::client::TokenIn;
use reqwest::{Client, RequestBuilder, Response};
use tokio::time::{Instant, timeout};
use url::Url;

use crate::actor::Actor;
use crate::clock;
use crate::context::Context;
use crate::diagnosis::{Diagnosis, Fault, HttpReply, TokenKind, Via, request_fault, time_used_up};
use crate::doctor::{Found, Timed, Wishes};
use crate::exit::{Exit, Failure};
use crate::identity::Identity;
use crate::network::Network;
use crate::reply_reader::read_reply_up_to;
use crate::token::{PastedToken, TokenReport, inspect};

/// The person of a visit for whom nobody is named.
const VISITOR: &str = "customer:metaia-doctor";

/// The most bytes of an answer that are read.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The time by which the client gives up before its step does: it knows if an answer has begun.
const AHEAD_OF_STEP: Duration = Duration::from_millis(50);

/// A visit to the server of a context.
pub(super) struct Visit<'a> {
    pub(super) context: &'a Context,
    pub(super) base: String,
    /// The options of the network without `--origin`, which has a check of its own.
    pub(super) network: Network,
    pub(super) http: Client,
    /// `None` without a token and without a secret.
    pub(super) identity: Option<Identity>,
    pub(super) host: String,
    pub(super) port: u16,
    step: Duration,
    ends: Instant,
}

impl<'a> Visit<'a> {
    pub(super) fn new(actor: Option<&Actor>, context: &'a Context) -> Result<Self, Failure> {
        let base = context.address.base()?;
        let url = Url::parse(&base).map_err(|error| {
            Failure::new(Exit::Usage, "this is not a server's URL").caused_by(error)
        })?;
        let network = context.network.without_origin();
        let step = context.timeout / 5;
        Ok(Self {
            http: network.http(step.saturating_sub(AHEAD_OF_STEP))?,
            network,
            identity: identity(actor, context)?,
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port_or_known_default().unwrap_or_default(),
            step,
            ends: Instant::now() + context.timeout * 9 / 20,
            base,
            context,
        })
    }

    /// Returns what the user of the tool asked for.
    pub(super) fn wishes(
        &self,
        event: Option<String>,
        idle: Option<Duration>,
    ) -> Result<Wishes, Failure> {
        let identity = self.identity.as_ref();
        let kind = identity.map_or(TokenKind::None, Identity::token_kind);
        let settings = &self.context.settings;
        let has_secret = settings.jwt_secret().is_ok();
        Ok(Wishes {
            asked: self.context.asked(Via::Polling, "/socket.io/", kind)?,
            host: self.host.clone(),
            port: self.port,
            transport: self.context.chosen_transport,
            token_in: self.context.network.token_in,
            person: identity.map(|identity| identity.label().to_owned()),
            secret_from: has_secret.then(|| settings.jwt_secrets_from()),
            event,
            idle,
        })
    }

    /// Returns the time that the next step has.
    pub(super) fn limit(&self) -> Duration {
        let left = self.ends.saturating_duration_since(Instant::now());
        in_tenths(left.min(self.step))
    }

    /// Returns whether the steps before have taken a part of this limit.
    fn is_short(&self, limit: Duration) -> bool {
        limit < in_tenths(self.step)
    }

    /// Returns the diagnosis of a step that ran out of this time: the given one, if it had all the
    /// time of a step.
    pub(super) fn late(&self, limit: Duration, otherwise: Diagnosis) -> Diagnosis {
        if self.is_short(limit) {
            time_used_up(limit)
        } else {
            otherwise
        }
    }

    /// Adds the time for which a line is held, and that of the two steps behind it.
    pub(super) fn prolong_for_line(&mut self, held: Duration) {
        self.prolong(held + 2 * self.step);
    }

    /// Adds this time.
    pub(super) fn prolong(&mut self, time: Duration) {
        self.ends += time;
    }

    /// Takes one step within its time.
    pub(super) async fn attempt<T>(
        &self,
        step: impl Future<Output = Result<T, Fault>>,
    ) -> Found<T> {
        let limit = self.limit();
        let began = Instant::now();
        let value = match timeout(limit, step).await {
            Err(_) | Ok(Err(Fault::NoAnswer(_))) if self.is_short(limit) => {
                Err(Fault::TimeUsedUp(limit))
            }
            Err(_) => Err(Fault::NoAnswer(limit)),
            Ok(value) => value,
        };
        Timed {
            value,
            took: began.elapsed(),
        }
    }

    /// Sends one request without a token.
    pub(super) async fn get(&self, path: &str) -> Result<HttpReply, Fault> {
        self.send(self.http.get(self.url(path))).await
    }

    /// Sends a request, and reads its answer.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<HttpReply, Fault> {
        match request.send().await {
            Ok(response) => self.read(response).await,
            Err(error) => Err(self.fault(error)),
        }
    }

    /// Reads an answer, or its beginning.
    pub(super) async fn read(&self, response: Response) -> Result<HttpReply, Fault> {
        read_reply_up_to(response, MAX_BODY_BYTES, self.step).await
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Returns what a failed request means.
    pub(super) fn fault(&self, error: reqwest::Error) -> Fault {
        request_fault(&error.without_url(), self.step)
    }

    /// Judges the token by a clock that is ahead of this machine's by this.
    pub(super) fn inspect_token(&self, ahead_ms: i64) -> Result<Option<TokenReport>, Failure> {
        let Some(identity) = &self.identity else {
            return Ok(None);
        };
        let token = identity.token()?;
        let secrets = self.context.settings.jwt_secrets_to_compare()?;
        let now = clock::unix_ms().saturating_add(ahead_ms);
        Ok(Some(inspect(&PastedToken::read(&token), &secrets, now)))
    }

    /// Returns whether the secret at hand has signed the token.
    pub(super) fn has_secret_of_token(&self) -> bool {
        let secret = self.context.settings.jwt_secret();
        let token = self.identity.as_ref().map(Identity::token);
        let (Ok(secret), Some(Ok(token))) = (secret, token) else {
            return false;
        };
        let report = inspect(&PastedToken::read(&token), &[secret], clock::unix_ms());
        report.check == SignatureCheck::Good
    }

    /// Returns the places in which the token is sent, the one of the session last.
    pub(super) fn places(&self) -> Vec<TokenIn> {
        if self.network.has_authorization() {
            return vec![TokenIn::Payload];
        }
        match self.network.token_in {
            TokenIn::Header => vec![TokenIn::Payload, TokenIn::Header],
            _ => vec![TokenIn::Header, TokenIn::Payload],
        }
    }
}

/// Rounds a limit down to whole tenths of a second, which are easier to read in a message. The
/// least limit is one of them, however long other steps took.
fn in_tenths(limit: Duration) -> Duration {
    let tenths = u64::try_from(limit.as_millis() / 100).unwrap_or(u64::MAX);
    Duration::from_millis(tenths.saturating_mul(100).max(100))
}

/// Returns the person to sign in as: the one that is named, the owner of the token, or a visitor.
fn identity(actor: Option<&Actor>, context: &Context) -> Result<Option<Identity>, Failure> {
    if actor.is_some() || context.token_owner()?.is_some() {
        return context.identity(actor).map(Some);
    }
    let visitor = VISITOR.parse();
    let visitor: Actor = visitor.map_err(|error: String| Failure::new(Exit::Failed, error))?;
    // Without a secret, the checks that need a token are left out.
    Ok(context.identity_of(&visitor).ok())
}
