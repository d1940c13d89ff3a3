//! `metaia api`: one REST request, with a token, instead of curl.

use std::str::FromStr;

use reqwest::Method;
use serde_json::Value;

use crate::actor::Actor;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::expectation::Filter;
use crate::identity::Authority;
use crate::jq_option::{self, PlainValue};
use crate::payload_args::{PayloadArg, payload};
use crate::rest::{Body, Exchange};

const EXAMPLES: &str = "\
Examples:
  metaia api get /api/orders --as customer:u1
  metaia api get /api/orders --as admin:a1 --jq '.data.orders[]._id'
  metaia api put /api/orders/ORDER/status status=ready --as admin:a1 --if-match 3
  metaia api post /api/notifications @notification.json --as admin:a1
  metaia api get /readyz --anonymous";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// get, post, put or delete
    method: MethodArg,
    /// The path, with its query: /api/orders?status=ready
    #[arg(value_parser = path)]
    path: String,
    /// The body: k=v adds a string, n:=1 adds JSON, @file.json is the whole body
    #[arg(value_name = "ITEM")]
    body: Vec<PayloadArg>,
    /// Ask as this role and user (default: the token that is at hand, or nobody)
    #[arg(long = "as", value_name = "ROLE:USER")]
    actor: Option<Actor>,
    /// Send no token
    #[arg(long, conflicts_with = "actor")]
    anonymous: bool,
    /// Print what this jq filter makes of the body; texts are printed without quotes
    #[arg(long, value_name = "JQ")]
    jq: Option<String>,
    /// Change only a record that has this version
    #[arg(long, value_name = "VERSION")]
    if_match: Option<u64>,
    /// Carry out the request once, however often it is sent with this key
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

impl Args {
    /// Returns the words for what the request writes.
    pub(crate) fn writes(&self) -> Option<String> {
        let method = &self.method.0;
        let words = format!("api {}", method.as_str().to_lowercase());
        match *method {
            // A server may do something with it.
            Method::GET | Method::HEAD if !self.body.is_empty() => {
                Some(format!("{words} with a body"))
            }
            Method::GET | Method::HEAD => None,
            _ => Some(words),
        }
    }
}

/// The method of a request, in any case of letters.
#[derive(Debug, Clone)]
struct MethodArg(Method);

impl FromStr for MethodArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_uppercase().as_str() {
            "GET" => Ok(Self(Method::GET)),
            "POST" => Ok(Self(Method::POST)),
            "PUT" => Ok(Self(Method::PUT)),
            "DELETE" => Ok(Self(Method::DELETE)),
            _ => Err("expected get, post, put or delete".to_owned()),
        }
    }
}

fn path(text: &str) -> Result<String, String> {
    if text.starts_with('/') {
        return Ok(text.to_owned());
    }
    Err("a path begins with /, such as /api/orders; --url names the server".to_owned())
}

/// Sends the request, and prints the body of its answer. A refusal is printed, too, and explained.
pub(crate) async fn api(args: Args, context: &Context) -> Result<Exit, Failure> {
    let filter = args.jq.as_deref().map(jq_option::parse).transpose()?;
    let body = if args.body.is_empty() {
        None
    } else {
        Some(payload(&args.body)?)
    };
    let authority = authority(&args, context)?;
    let mut headers = Vec::new();
    if let Some(version) = args.if_match {
        headers.push(("if-match".to_owned(), format!("\"{version}\"")));
    }
    if let Some(key) = &args.idempotency_key {
        headers.push(("idempotency-key".to_owned(), key.clone()));
    }
    let exchange = Exchange {
        method: args.method.0.clone(),
        path: &args.path,
        authority: authority.as_ref(),
        headers: &headers,
        body: body.as_ref().map_or(Body::None, Body::Json),
    };
    let rest = context.api()?;
    let reply = rest.exchange_patiently(exchange.clone()).await?;
    let body = serde_json::from_str(&reply.body).unwrap_or(Value::String(reply.body.clone()));
    print(body, filter.as_ref(), reply.status, context)?;
    match rest.refusal(&exchange, reply).await {
        Some(failure) => Err(failure),
        None => Ok(Exit::Ok),
    }
}

/// Returns the credentials to send: those of `--as`, or the token that is at hand. Public routes
/// need none.
fn authority(args: &Args, context: &Context) -> Result<Option<Authority>, Failure> {
    if args.anonymous {
        return Ok(None);
    }
    if args.actor.is_none() && context.token_owner()?.is_none() {
        return Ok(None);
    }
    let identity = context.identity(args.actor.as_ref())?;
    Ok(Some(Authority::Token(identity)))
}

/// Prints the body, or what the filter makes of it. A refusal is printed as it is.
fn print(
    body: Value,
    filter: Option<&Filter>,
    status: u16,
    context: &Context,
) -> Result<(), Failure> {
    let is_success = (200..300).contains(&status);
    let values = match filter {
        Some(filter) if is_success => jq_option::values(filter, &body)?,
        _ if body == Value::String(String::new()) => Vec::new(),
        _ => vec![body],
    };
    for body in values {
        // The request has been carried out, whether somebody reads the answer or not.
        context.printer.verdict(&PlainValue::of(body), Exit::Ok)?;
    }
    Ok(())
}
