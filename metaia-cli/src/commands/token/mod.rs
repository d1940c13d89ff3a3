//! `metaia token mint` and `metaia token inspect`: print a token, and explain one.

mod inspect;
mod mint;
mod report;

use clap::Subcommand;

use crate::context::{Context, Uses};
use crate::exit::{Exit, Failure};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Mint a token with the server's secret
    #[command(before_help = mint::EXAMPLES)]
    Mint(mint::MintArgs),
    /// Show the claims of a token, and why a server would refuse it (exit code 4 if it would, or
    /// if no secret or key is known to check the signature with, and 5 for an unknown role)
    #[command(before_help = inspect::EXAMPLES)]
    Inspect(inspect::InspectArgs),
}

impl Command {
    pub(crate) fn uses(&self) -> Uses {
        match self {
            Self::Mint(_) => Uses::Secret,
            Self::Inspect(_) => Uses::Token,
        }
    }

    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::Mint(args) => mint::run(&args, context),
            Self::Inspect(args) => inspect::run(&args, context).await,
        }
    }
}
