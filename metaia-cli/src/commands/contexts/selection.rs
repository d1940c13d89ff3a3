//! `metaia context use`: makes a context the current one.

use crate::contexts::{ContextChanges, ContextName};
use crate::exit::{Exit, Failure};
use crate::printer::Printer;

const EXAMPLES: &str = "\
Examples:
  metaia context use staging
  metaia --context production sessions     use another one for one command";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// The name of the context
    name: ContextName,
}

pub(super) fn select(args: &Args, printer: Printer) -> Result<Exit, Failure> {
    let mut changes = ContextChanges::open()?;
    changes.make_current(&args.name)?;
    changes.save()?;
    printer.note(&format!("{} is the current context now", args.name));
    Ok(Exit::Ok)
}
