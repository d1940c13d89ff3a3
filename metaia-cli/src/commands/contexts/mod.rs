//! `metaia context`: servers and their credentials under names.

mod add;
mod check;
mod ls;
mod removal;
mod selection;
mod settings;
mod show;
mod written_secret;

use clap::Subcommand;

use crate::context::{ChosenServer, GlobalArgs, Uses};
use crate::exit::{Exit, Failure};
use crate::secrets::Settings;

pub(crate) use add::REFUSED as REFUSED_BY_ADD;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the contexts; * marks the current one
    #[command(before_help = ls::EXAMPLES)]
    Ls,
    /// Add a context; --url and the connection options are its members
    Add(add::Args),
    /// Make a context the current one, which is in use if nothing names another
    Use(selection::Args),
    /// Show the context in use, and for each setting its value, its place, and what it wins over
    #[command(before_help = show::EXAMPLES)]
    Show,
    /// Read each secret of the context in use, connect, and try each token
    #[command(before_help = check::EXAMPLES)]
    Check,
    /// Remove a context
    Rm(removal::Args),
}

impl Command {
    /// Runs the command. A mistake in one context does not keep the others from being listed as
    /// wrong, changed or removed, so the context in use is found by those commands alone that need
    /// it.
    pub(crate) async fn run(self, global: GlobalArgs) -> Result<Exit, Failure> {
        let printer = global.printer();
        if matches!(self, Self::Ls | Self::Use(_) | Self::Rm(_)) {
            global.refuse_others(Uses::Nothing)?;
        }
        match self {
            Self::Ls => ls::ls(printer),
            Self::Add(args) => add::add(args, &global, printer),
            Self::Use(args) => selection::select(&args, printer),
            Self::Rm(args) => removal::remove(&args, printer),
            Self::Show => {
                let server = ChosenServer::find(Settings::load()?, &global)?;
                show::show(&server, &global, printer)
            }
            Self::Check => {
                let server = ChosenServer::find(Settings::load()?, &global)?;
                check::check(server, global, printer).await
            }
        }
    }
}
