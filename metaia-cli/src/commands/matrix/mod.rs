//! `metaia matrix`: measures at a live server who may do what.
//!
//! It writes: it places two orders of its own users, opens a payment, and cancels the orders at its
//! end. Everything that it sends besides changes nothing, or only its own users.

mod cell;
mod events;
mod golden;
mod golden_file;
mod grid;
mod layout;
mod probes;
mod replaced;
mod report;
mod requests;
mod routes;
mod sockets;
mod stage;
mod subject;

use std::path::PathBuf;
use std::time::Duration;

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::rest::Api;
use crate::screen::Stream;
use crate::span;
use grid::AccessGrid;
use replaced::AccessTimes;
use report::{GoldenResult, MatrixReport, RowReport};
use routes::DescribedRoutes;
use sockets::Sockets;
use stage::{Company, Stage};

const EXAMPLES: &str = "\
Examples:
  metaia matrix
  metaia matrix --golden matrix.golden.md             code 6 if anybody may do more or less
  metaia matrix --golden matrix.golden.md --update    write the file
  metaia matrix --within 500ms -o ndjson";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// Compare with this file
    #[arg(long, value_name = "FILE")]
    golden: Option<PathBuf>,
    /// Write the file of --golden instead of comparing with it
    #[arg(long, requires = "golden")]
    update: bool,
    /// The longest time until a replaced tailor has lost the order's room, and the new one may join
    /// it [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = span::parse_positive)]
    within: Option<Duration>,
}

/// The time limit without `--within`.
const DEFAULT_WITHIN: Duration = Duration::from_secs(5);

/// Measures, prints, and compares. What it has made is cancelled at its end, also after Ctrl-C.
pub(crate) async fn matrix(args: Args, context: &Context) -> Result<Exit, Failure> {
    if context.is_token_explicit() {
        let failure = Failure::usage("--token is one person, and the matrix needs all of them");
        return Err(failure.hint("it mints their tokens: set JWT_SECRET or METAIA_DATA"));
    }
    if context.token_owner()?.is_some() {
        let note = "the token is not used: the matrix mints one for each person";
        context.printer.note(note);
    }
    let company = Company::of(context)?;
    let expected = expected(&args, &company)?;
    let within = args.within.unwrap_or(DEFAULT_WITHIN);
    let api = context.api()?;
    let Some((grid, times)) = measure_and_clear(&company, within, &api, context).await? else {
        return Ok(Exit::Interrupted);
    };
    let mut report = MatrixReport::new(grid, times, within);
    compare(&mut report, expected.as_ref(), &args)?;
    print(report, context)
}

/// Reads the golden file, before anything is sent.
fn expected(args: &Args, company: &Company) -> Result<Option<AccessGrid>, Failure> {
    match &args.golden {
        Some(path) if args.update => golden_file::check_replaceable(path).map(|()| None),
        Some(path) => golden_file::read(path, &company.subjects()).map(Some),
        None => Ok(None),
    }
}

/// Compares with the golden file, or writes it.
fn compare(
    report: &mut MatrixReport,
    expected: Option<&AccessGrid>,
    args: &Args,
) -> Result<(), Failure> {
    let Some(path) = &args.golden else {
        return Ok(());
    };
    report.golden_file = path.display().to_string();
    let Some(expected) = expected else {
        report.golden = Some(if report.unmeasured.is_empty() {
            golden_file::write(path, &report.grid)?;
            GoldenResult::Written
        } else {
            GoldenResult::NotWritten
        });
        return Ok(());
    };
    report.differences = expected.differences(&report.grid);
    report.golden = Some(match report.differences.is_empty() {
        true if report.unmeasured.is_empty() => GoldenResult::Equal,
        true => GoldenResult::Incomplete,
        false => GoldenResult::Differs,
    });
    Ok(())
}

fn print(mut report: MatrixReport, context: &Context) -> Result<Exit, Failure> {
    let exit = report.exit();
    if context.printer.is_text() {
        report.columns = Stream::Out.columns().unwrap_or(usize::MAX);
        return context.printer.verdict(&report, exit);
    }
    for row in RowReport::of(&report.grid) {
        // The verdict counts, whether somebody reads the rows or not.
        context.printer.verdict(&row, exit)?;
    }
    context.printer.verdict(&report, exit)
}

/// Measures, then cancels the orders. Returns `None` if it was interrupted.
async fn measure_and_clear(
    company: &Company,
    within: Duration,
    api: &Api<'_>,
    context: &Context,
) -> Result<Option<(AccessGrid, AccessTimes)>, Failure> {
    let mut stage = Stage::default();
    // An order that is being placed is waited for: otherwise it would never be cancelled.
    let set = stage.set(company, api).await;
    let measured = match set {
        Err(failure) => Err(failure),
        Ok(()) => tokio::select! {
            biased;
            () = context.interrupted.cancelled() => Ok(None),
            measured = measure(&stage, company, within, api, context) => measured.map(Some),
        },
    };
    for left in stage.clear(company, api).await {
        let text = format!("an order could not be cancelled: {left}");
        context.printer.warning(&text);
    }
    if matches!(measured, Ok(None)) {
        let text = "interrupted: nothing was judged, and the orders are cancelled";
        context.printer.note(text);
    }
    measured
}

async fn measure(
    stage: &Stage,
    company: &Company,
    within: Duration,
    api: &Api<'_>,
    context: &Context,
) -> Result<(AccessGrid, AccessTimes), Failure> {
    let routes = DescribedRoutes::ask(api).await?;
    let sockets = Sockets::connect(company, context).await?;
    let requests = requests::rows(stage, company, &routes, api).await?;
    let before = events::before_joins(stage, company, &sockets, api, context).await?;
    let mut rows = sockets.rooms(stage, context).await;
    rows.extend(before);
    rows.extend(events::after_joins(stage, company, &sockets, api).await?);
    let (replaced, times) =
        replaced::measure(stage, company, &sockets, within, api, context).await?;
    rows.extend(replaced);
    rows.extend(requests);
    sockets.close().await;
    let subjects = company.subjects();
    Ok((AccessGrid { subjects, rows }, times))
}
