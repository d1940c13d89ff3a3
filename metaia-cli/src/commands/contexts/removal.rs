//! `metaia context rm`: removes a context.

use crate::contexts::{ContextChanges, ContextName};
use crate::exit::{Exit, Failure};
use crate::printer::Printer;

const EXAMPLES: &str = "\
Examples:
  metaia context rm staging";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// The name of the context
    name: ContextName,
}

pub(super) fn remove(args: &Args, printer: Printer) -> Result<Exit, Failure> {
    let mut changes = ContextChanges::open()?;
    let was_current = changes.is_current(&args.name);
    changes.remove(&args.name)?;
    changes.save()?;
    let name = &args.name;
    printer.note(&match was_current {
        true => format!("{name} is removed; no context is the current one now"),
        false => format!("{name} is removed"),
    });
    Ok(Exit::Ok)
}
