//! The command line: the commands, and the global options.

mod help;
mod mistakes;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::commands::operations::Operation;
use crate::commands::{
    api, connect, contexts, doctor, emit, expect, explain, join, matrix, order, shell, tail, test,
    token, trigger,
};
use crate::context::{Context, GlobalArgs, Uses};
use crate::exit::{CODES, Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  metaia tail --as customer:u1                       show what a customer's phone receives
  metaia trigger new_notification --to user:u1       send a test notification
  metaia trigger order.lifecycle                     an order from creation to delivery
  metaia join ORDER --as tailor:t1 --expect deny     test who may join a room
  metaia emit user:u1 stock_low sku=thread left:=3   send any event
  metaia expect customer:u2 --never -- COMMAND       prove that somebody receives nothing
  metaia test scenarios/                             run scenario files
  metaia doctor --as customer:u1                     why a client does not connect
  metaia token mint --role admin --user a1           make a token for curl or an app";

/// The QA tool of METAIA realtime.
#[derive(Debug, Parser)]
#[command(name = "metaia", version, before_help = EXAMPLES, after_help = CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: GlobalArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Mint valid or deliberately invalid tokens, and inspect tokens
    #[command(subcommand)]
    Token(token::Command),
    /// Print the events that a user receives, one per line
    Tail(tail::Args),
    /// Connect as several roles at once, interactively or by a script
    Connect(connect::Args),
    /// Check whether a user may join the room of an order
    Join(join::Args),
    /// Measure who may do what, and compare it with a file
    Matrix(matrix::Args),
    /// Send any event to a user, a role, an order's room or everyone
    Emit(emit::Args),
    /// Watch, run a command, and check what came, or that nothing came
    Expect(expect::Args),
    /// Run scenario files: who does what, and what each must receive
    Test(test::Args),
    /// Cause events through the server's REST API, as real apps do
    Trigger(trigger::Args),
    /// List, show, place, assign, move or cancel orders by REST, as one person
    Order(order::Args),
    /// Send one REST request, and print its answer
    Api(api::Args),
    #[command(flatten)]
    Operation(Operation),
    /// Keep servers and their credentials under names: --context NAME uses one
    #[command(subcommand)]
    Context(contexts::Command),
    /// Check each step of a connection: why does this client not connect?
    Doctor(doctor::Args),
    /// Tell what a code means, and what to do
    Explain(explain::Args),
    /// Print what a shell needs to complete commands and options
    Completions(shell::CompletionArgs),
    /// Print the manual page, or write one for each command
    Man(shell::ManArgs),
}

impl Cli {
    /// Reads the command line. Ends the process if it has a mistake, or asks for help.
    pub(crate) fn read() -> Self {
        let matches = root().try_get_matches();
        let matches = matches.unwrap_or_else(|error| mistakes::told(error).exit());
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// Runs the command, prints its failure if there is one, and returns the exit code.
    pub(crate) async fn run(self) -> Exit {
        let printer = self.global.printer();
        match run(self.command, self.global).await {
            Ok(exit) => exit,
            Err(failure) => {
                // A closed standard output ends the command without an error.
                if failure.exit != Exit::Ok {
                    printer.failure(&failure);
                }
                failure.exit
            }
        }
    }
}

/// Runs a command with the global options.
async fn run(command: Command, global: GlobalArgs) -> Result<Exit, Failure> {
    if let Command::Context(command) = command {
        return command.run(global).await;
    }
    let context = Context::new(global, command.uses())?;
    let ended = match command.writes() {
        Some(action) => context.permit_write(&action),
        None => Ok(()),
    };
    let ended = match ended {
        Ok(()) => command.run(&context).await,
        Err(failure) => Err(failure),
    };
    ended.map_err(|failure| failure.at_server(&context.address))
}

/// Returns the whole program.
fn root() -> clap::Command {
    help::of_each(Cli::command())
}

/// Returns the program as manual pages have it: each page stands for a `help`.
fn pages() -> clap::Command {
    help::of_each(Cli::command().disable_help_subcommand(true))
}

impl Command {
    fn uses(&self) -> Uses {
        match self {
            Self::Token(command) => command.uses(),
            Self::Tail(_)
            | Self::Connect(_)
            | Self::Join(_)
            | Self::Matrix(_)
            | Self::Expect(_)
            | Self::Test(_)
            | Self::Doctor(_) => Uses::Sockets,
            Self::Explain(_) | Self::Completions(_) | Self::Man(_) | Self::Context(_) => {
                Uses::Nothing
            }
            Self::Emit(_)
            | Self::Trigger(_)
            | Self::Order(_)
            | Self::Api(_)
            | Self::Operation(_) => Uses::Rest,
        }
    }

    /// Returns the words for what the command writes to the server. A command that writes is
    /// refused if the context in use is protected.
    fn writes(&self) -> Option<String> {
        match self {
            Self::Emit(_) => Some("emit".to_owned()),
            Self::Trigger(_) => Some("trigger".to_owned()),
            Self::Matrix(_) => Some("matrix".to_owned()),
            Self::Test(args) => args.runs().then(|| "test".to_owned()),
            Self::Order(args) => args.writes(),
            Self::Api(args) => args.writes(),
            Self::Operation(operation) => operation.writes(),
            // The lines of `connect` are judged one by one, and a `metaia` that `tail` or `expect`
            // runs judges itself.
            Self::Connect(_)
            | Self::Doctor(_)
            | Self::Tail(_)
            | Self::Expect(_)
            | Self::Join(_)
            | Self::Token(_)
            | Self::Explain(_)
            | Self::Completions(_)
            | Self::Man(_)
            | Self::Context(_) => None,
        }
    }

    async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            // It runs before there is a context.
            Self::Context(_) => Ok(Exit::Ok),
            Self::Token(command) => command.run(context).await,
            Self::Tail(args) => tail::tail(args, context).await,
            Self::Connect(args) => connect::connect(args, context).await,
            Self::Join(args) => context.interruptible(join::join(args, context)).await,
            Self::Matrix(args) => matrix::matrix(args, context).await,
            Self::Emit(args) => context.interruptible(emit::emit(args, context)).await,
            Self::Expect(args) => expect::expect(args, context).await,
            Self::Test(args) => test::test(args, context).await,
            Self::Doctor(args) => doctor::doctor(args, context).await,
            Self::Explain(args) => explain::explain(&args, context),
            Self::Completions(args) => shell::completions(&args, root()),
            Self::Man(args) => shell::man(&args, pages(), context),
            Self::Operation(operation) => context.interruptible(operation.run(context)).await,
            Self::Order(args) => context.interruptible(order::order(args, context)).await,
            Self::Api(args) => context.interruptible(api::api(args, context)).await,
            Self::Trigger(args) => trigger::trigger(args, context).await,
        }
    }
}
