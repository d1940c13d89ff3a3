//! The command line: which commands there are.

use clap::{Parser, Subcommand};

use crate::commands::{connect, emit, join, tail, token, trigger};
use crate::context::{Context, Global};
use crate::exit::{CODES, Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  metaia tail --as customer:u1                       what a customer's phone receives
  metaia trigger new_notification --to user:u1       a test notification
  metaia trigger order.lifecycle                     an order from creation to delivery
  metaia join ORDER --as tailor:t1 --expect deny     who may join which room
  metaia emit user:u1 stock_low sku=thread left:=3   any event
  metaia token mint --role admin --user a1           a token for curl or an app";

/// The QA tool of METAIA realtime.
#[derive(Debug, Parser)]
#[command(name = "metaia", version, before_help = EXAMPLES, after_help = CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make tokens, good ones and deliberately bad ones, and take them apart
    #[command(subcommand)]
    Token(token::Command),
    /// Watch events, one line each
    Tail(tail::Args),
    /// Be several roles at once, interactively or from a script on standard input
    Connect(connect::Args),
    /// Ask whether somebody may join the room of an order
    Join(join::Args),
    /// Send any event to a user, a role, an order's room or everyone
    Emit(emit::Args),
    /// Make events happen through the real REST flows
    Trigger(trigger::Args),
}

impl Cli {
    /// Runs the command, says what went wrong, and returns the exit code.
    pub(crate) async fn run(self) -> Exit {
        let printer = self.global.printer();
        let ended = match Context::new(self.global) {
            Ok(context) => self.command.run(&context).await,
            Err(failure) => Err(failure),
        };
        match ended {
            Ok(exit) => exit,
            Err(failure) => {
                if failure.exit != Exit::Ok {
                    printer.failure(&failure);
                }
                failure.exit
            }
        }
    }
}

impl Command {
    async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::Token(command) => command.run(context),
            Self::Tail(args) => tail::tail(args, context).await,
            Self::Connect(args) => connect::connect(args, context).await,
            Self::Join(args) => context.interruptible(join::join(args, context)).await,
            Self::Emit(args) => context.interruptible(emit::emit(args, context)).await,
            Self::Trigger(args) => context.interruptible(trigger::trigger(args, context)).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// The help of one command, at a width that does not depend on the terminal.
    fn help(path: &[&str]) -> String {
        let mut root = Cli::command().term_width(100);
        root.build();
        let command = path.iter().fold(&mut root, |command, name| {
            command.find_subcommand_mut(name).unwrap()
        });
        command.render_help().to_string()
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_begins_with_examples() {
        let paths: [&[&str]; 8] = [
            &[],
            &["tail"],
            &["connect"],
            &["join"],
            &["emit"],
            &["trigger"],
            &["token", "mint"],
            &["token", "inspect"],
        ];
        for path in paths {
            assert!(help(path).starts_with("Examples:\n  "), "{path:?}");
        }
    }

    #[test]
    fn the_root_shows_commands_and_exit_codes() {
        insta::assert_snapshot!(help(&[]), @r#"
        Examples:
          metaia tail --as customer:u1                       what a customer's phone receives
          metaia trigger new_notification --to user:u1       a test notification
          metaia trigger order.lifecycle                     an order from creation to delivery
          metaia join ORDER --as tailor:t1 --expect deny     who may join which room
          metaia emit user:u1 stock_low sku=thread left:=3   any event
          metaia token mint --role admin --user a1           a token for curl or an app

        The QA tool of METAIA realtime

        Usage: metaia [OPTIONS] <COMMAND>

        Commands:
          token    Make tokens, good ones and deliberately bad ones, and take them apart
          tail     Watch events, one line each
          connect  Be several roles at once, interactively or from a script on standard input
          join     Ask whether somebody may join the room of an order
          emit     Send any event to a user, a role, an order's room or everyone
          trigger  Make events happen through the real REST flows
          help     Print this message or the help of the given subcommand(s)

        Options:
          -h, --help     Print help (see more with '--help')
          -V, --version  Print version

        Global options:
              --url <URL>          The server [env: METAIA_URL] [default: http://localhost:5000]
              --token <JWT>        Use this token as it is [env: METAIA_TOKEN]
              --token-file <PATH>  Use the token in this file
              --timeout <TIME>     How long one connection, request or answer may take [default: 10s]
              --transport <HOW>    How to connect [default: websocket]
          -o, --output <OUTPUT>    How to write data [default: text] [possible values: text, json, ndjson]
              --color <COLOR>      When to use colour; NO_COLOR is honoured [default: auto] [possible
                                   values: auto, always, never]
          -q, --quiet              Say nothing but data and errors
          -v, --verbose            Say more

        Exit codes:
          0 ok · 1 failed · 2 usage · 3 could not connect · 4 authentication · 5 permission
          6 expectation not met or gap · 7 timed out · 130 interrupted
        "#);
    }

    #[test]
    fn tail_shows_its_options() {
        insta::assert_snapshot!(help(&["tail"]), @r#"
        Examples:
          metaia tail --as customer:u1
          metaia tail --as admin:a1 --event order_update -o ndjson | jq .data.status
          metaia tail --as tailor:t1 --order ORDER --count 1 --for 30s   exit code 0 or 7
          metaia tail --as customer:u1 --since POSITION                  first what was missed

        Watch events, one line each

        Usage: metaia tail [OPTIONS]

        Options:
              --as <ROLE:USER>  Whose events
              --order <ID>      Also the room of this order; may be repeated
              --event <NAME>    Only this event; may be repeated
              --since <AT>      Begin after this position
              --count <N>       End after so many events
              --for <TIME>      End after this time; with --count: give up (exit code 7)
          -h, --help            Print help (see more with '--help')

        Global options:
              --url <URL>          The server [env: METAIA_URL] [default: http://localhost:5000]
              --token <JWT>        Use this token as it is [env: METAIA_TOKEN]
              --token-file <PATH>  Use the token in this file
              --timeout <TIME>     How long one connection, request or answer may take [default: 10s]
              --transport <HOW>    How to connect [default: websocket]
          -o, --output <OUTPUT>    How to write data [default: text] [possible values: text, json, ndjson]
              --color <COLOR>      When to use colour; NO_COLOR is honoured [default: auto] [possible
                                   values: auto, always, never]
          -q, --quiet              Say nothing but data and errors
          -v, --verbose            Say more
        "#);
    }

    #[test]
    fn trigger_shows_what_it_plays() {
        insta::assert_snapshot!(help(&["trigger"]), @r#"
        Examples:
          metaia trigger new_notification --to user:u1 --title Hello
          metaia trigger order_update --to user:u1             places an order
          metaia trigger order_update --order ID               moves it one status on
          metaia trigger payment_update --to user:u1           places an order and pays it
          metaia trigger tailor_status_update --to user:t1 --status busy
          metaia trigger order.lifecycle -o ndjson             from creation to delivery

        Make events happen through the real REST flows

        Usage: metaia trigger [OPTIONS] <EVENT>

        Arguments:
          <EVENT>  What should happen [possible values: new_notification, order_update, payment_update,
                   tailor_status_update, order.lifecycle]

        Options:
              --to <user:U>        Whom it is about: the one notified, the customer, or the tailor
              --order <ID>         An order that exists, instead of a new one
              --status <STATUS>    order_update: the status to set (default: the next one);
                                   tailor_status_update: available, busy or offline
              --title <TITLE>      new_notification: its title
              --message <MESSAGE>  new_notification: its text
              --customer <U>       Who orders and pays [default: cli-customer]
              --tailor <U>         Who sews [default: cli-tailor]
              --courier <U>        Who delivers [default: cli-courier]
              --admin <U>          Who confirms, assigns and notifies [default: cli-admin]
          -h, --help               Print help (see more with '--help')

        Global options:
              --url <URL>          The server [env: METAIA_URL] [default: http://localhost:5000]
              --token <JWT>        Use this token as it is [env: METAIA_TOKEN]
              --token-file <PATH>  Use the token in this file
              --timeout <TIME>     How long one connection, request or answer may take [default: 10s]
              --transport <HOW>    How to connect [default: websocket]
          -o, --output <OUTPUT>    How to write data [default: text] [possible values: text, json, ndjson]
              --color <COLOR>      When to use colour; NO_COLOR is honoured [default: auto] [possible
                                   values: auto, always, never]
          -q, --quiet              Say nothing but data and errors
          -v, --verbose            Say more
        "#);
    }
}
