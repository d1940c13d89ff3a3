//! `metaia context check`: reads each secret of the context in use, connects, and tries each token.

use reqwest::Method;
use serde::Serialize;

use super::settings::by;
use crate::connection;
use crate::context::{ChosenServer, Context, GlobalArgs, Uses, default_admin};
use crate::contexts::{Secret, ServerContext};
use crate::exit::{Exit, Failure};
use crate::identity::Identity;
use crate::printer::{Paint, Printer, Report};
use crate::rest::{Body, Exchange};
use crate::terminal::one_line;

pub(super) const EXAMPLES: &str = "\
Examples:
  metaia context check                      the context in use
  metaia context check --context staging";

/// The result of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum CheckStatus {
    Good,
    Bad,
    NotChecked,
}

/// One line of the report.
#[derive(Debug, Serialize)]
struct CheckedPart {
    name: String,
    status: CheckStatus,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Report for CheckedPart {
    fn text(&self, paint: Paint) -> String {
        let mark = match self.status {
            CheckStatus::Good => paint.good("✓"),
            CheckStatus::Bad => paint.bad("✗"),
            CheckStatus::NotChecked => paint.dim("·"),
        };
        let name = paint.name(&one_line(&self.name));
        let line = format!("{mark} {name}  {}", one_line(&self.text));
        match &self.hint {
            Some(hint) => format!("{line}\n    hint: {}", one_line(hint)),
            None => line,
        }
    }
}

/// The checks so far.
struct ContextCheck<'a> {
    context: &'a Context,
    /// The exit code of the first failure.
    exit: Exit,
}

/// Checks the context in use. The exit code is that of the first part that is not good.
pub(super) async fn check(
    server: ChosenServer,
    global: GlobalArgs,
    printer: Printer,
) -> Result<Exit, Failure> {
    if server.choice.is_none() {
        let failure = Failure::usage("no context is in use");
        return Err(failure.hint("metaia context check --context NAME checks one; ls lists them"));
    }
    let context = Context::for_server(server, global, Uses::Sockets, printer)?;
    let checking = async {
        let mut checks = ContextCheck {
            context: &context,
            exit: Exit::Ok,
        };
        checks.run().await?;
        Ok(checks.exit)
    };
    context.interruptible(checking).await
}

impl ContextCheck<'_> {
    async fn run(&mut self) -> Result<(), Failure> {
        let Some(context) = self.context.settings.context() else {
            return Ok(());
        };
        let address = self.context.address.to_string();
        self.note("context", CheckStatus::Good, &address)?;
        for (name, secret) in context.secrets() {
            self.secret(&name, secret)?;
        }
        if self.server().await? {
            self.tokens(context).await?;
        }
        if context.api_key.is_some() {
            let text = "not sent: a server tells only at a write whether it accepts a key";
            self.note("api_key", CheckStatus::NotChecked, text)?;
        }
        Ok(())
    }

    fn secret(&mut self, name: &str, secret: &Secret) -> Result<(), Failure> {
        match secret.read() {
            Ok(_) => self.note(name, CheckStatus::Good, &by(secret)),
            Err(failure) => self.bad(name, failure),
        }
    }

    /// Asks whether the server is alive. Returns whether it can be connected to.
    async fn server(&mut self) -> Result<bool, Failure> {
        let exchange = Exchange {
            method: Method::GET,
            path: "/livez",
            authority: None,
            headers: &[],
            body: Body::None,
        };
        let api = self.context.api()?;
        let reply = match api.exchange(exchange.clone()).await {
            Ok(reply) => reply,
            Err(failure) => {
                self.bad("server", failure)?;
                return Ok(false);
            }
        };
        // A server that embeds the library may have no such path.
        if reply.status == 404 {
            let text = "has no /livez: it is no metaia-server";
            self.note("server", CheckStatus::NotChecked, text)?;
            return Ok(true);
        }
        match api.refusal(&exchange, reply).await {
            Some(failure) => {
                self.bad("server", failure)?;
                Ok(false)
            }
            None => {
                self.note("server", CheckStatus::Good, "is alive (/livez)")?;
                Ok(true)
            }
        }
    }

    async fn tokens(&mut self, context: &ServerContext) -> Result<(), Failure> {
        let mut has_token = false;
        let of_roles = context.tokens.iter();
        let of_roles = of_roles.map(|(role, token)| (format!("tokens.{role}"), Some(*role), token));
        let single = context.token.iter();
        let single = single.map(|token| ("token".to_owned(), None, token));
        for (name, role, token) in single.chain(of_roles) {
            has_token = true;
            // The report has already told why it cannot be read.
            let Ok(identity) = Context::identity_of_secret(token) else {
                continue;
            };
            match role {
                Some(role) if !identity.has_role(role) => {
                    let text = format!("it is the token of {}, not of {role}", identity.label());
                    self.bad(&name, Failure::usage(text))?;
                }
                _ => self.sign_in(&name, &identity).await?,
            }
        }
        if self.context.settings.has_jwt_secret() {
            has_token = true;
            // Its failure has been told, too.
            if let Ok(admin) = self.context.mint_for(&default_admin()?) {
                self.sign_in("jwt_secret", &admin).await?;
            }
        }
        if has_token {
            return Ok(());
        }
        match self.context.mint_for(&default_admin()?) {
            // It names a data folder, so that commands expect the secret there.
            Err(failure) if context.data.is_some() => self.bad("sign-in", failure),
            _ => {
                let text = "there is no token, and no secret to mint one with";
                self.note("sign-in", CheckStatus::NotChecked, text)
            }
        }
    }

    /// Connects, and disconnects. What other sessions with this token have missed stays missed.
    async fn sign_in(&mut self, name: &str, identity: &Identity) -> Result<(), Failure> {
        let builder = connection::builder(self.context, identity);
        let builder = builder.resume(false).device(connection::new_device());
        match connection::connect(self.context, identity, builder).await {
            Ok((client, _updates)) => {
                connection::close(&client).await;
                let text = format!("is accepted, as {}", identity.label());
                self.note(name, CheckStatus::Good, &text)
            }
            Err(failure) => self.bad(name, failure),
        }
    }

    fn bad(&mut self, name: &str, failure: Failure) -> Result<(), Failure> {
        if self.exit == Exit::Ok {
            self.exit = failure.exit;
        }
        self.print(&CheckedPart {
            name: name.to_owned(),
            status: CheckStatus::Bad,
            text: failure.chain(),
            hint: failure.hint,
        })
    }

    fn note(&self, name: &str, status: CheckStatus, text: &str) -> Result<(), Failure> {
        self.print(&CheckedPart {
            name: name.to_owned(),
            status,
            text: text.to_owned(),
            hint: None,
        })
    }

    /// Prints a line. The exit code counts even if the output has no reader.
    fn print(&self, part: &CheckedPart) -> Result<(), Failure> {
        let printed = self.context.printer.verdict(part, Exit::Ok);
        printed.map(|_| ())
    }
}
