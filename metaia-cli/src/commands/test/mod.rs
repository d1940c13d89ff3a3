//! `metaia test`: runs scenario files, and reports.

mod args;
mod discover;
mod failure_report;
mod github;
mod junit;
mod lanes;
mod minting;
mod moments;
mod results;
mod runner;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::printer::print_document;
use crate::scenario::{self, FileMistake, Plan};
use crate::source_file::SourceFile;
use results::{CaseResult, Totals};
use runner::RunOptions;

pub(crate) use args::Args;

/// The width of reports that do not go to a terminal.
const WIDTH_OF_FILES: usize = 120;

/// Runs the scenarios. Nothing runs if one of the files is wrong.
pub(crate) async fn test(args: Args, context: &Context) -> Result<Exit, Failure> {
    if args.schema {
        return print_schema();
    }
    if context.is_token_explicit() {
        let failure = Failure::usage(
            "--token does not apply: the people of a scenario have tokens of their own",
        );
        return Err(failure.hint("set JWT_SECRET or METAIA_DATA to the server's, to mint them"));
    }
    let given: BTreeMap<String, Value> = args
        .variables
        .iter()
        .map(|variable| (variable.name.clone(), variable.value.clone()))
        .collect();
    let plans = load(&args, &given, context)?;
    if args.check {
        context.printer.note(&match plans.len() {
            1 => "1 scenario can run".to_owned(),
            count => format!("{count} scenarios can run"),
        });
        return Ok(Exit::Ok);
    }
    let plans = select(plans, &args)?;
    if args.list {
        return list(&plans, context);
    }
    run(&plans, &args, &given, context).await
}

async fn run(
    plans: &[Plan],
    args: &Args,
    given: &BTreeMap<String, Value>,
    context: &Context,
) -> Result<Exit, Failure> {
    let began = Instant::now();
    let options = RunOptions {
        jobs: args.jobs.into(),
        repeat: args.repeat,
        retries: args.retries,
        fail_fast: args.fail_fast,
        given,
    };
    let results = runner::run_all(plans, &options, context).await?;
    let server = context.address.to_string();
    let printer = &context.printer;
    if printer.is_text() {
        let width = width();
        for result in &results {
            let report = failure_report::text(result, &server, width, printer.paint());
            if let Some(report) = report {
                printer.lines(&format!("\n{report}"));
            }
        }
    }
    let mut totals = Totals::of(&results);
    totals.not_run = runner::count(plans, args.repeat).saturating_sub(results.len());
    printer.note(&format!("\n{}", totals.text(began.elapsed(), &server)));
    let exit = runner::exit(&results);
    // A report that cannot be written hides no failure.
    match write_reports(args, &results, &server, context) {
        Err(failure) if exit != Exit::Ok => printer.failure(&failure),
        written => written?,
    }
    if context.interrupted.is_cancelled() {
        return Ok(Exit::Interrupted);
    }
    if totals.lacking_tokens > 0 {
        printer.note("hint: add jwt_secret to the context, or select others with --tag or --only");
    }
    let run = totals.passed + totals.flaky + totals.failed + totals.errors;
    if run + totals.lacking_tokens == 0 {
        let failure = Failure::usage("every scenario was skipped: nothing was checked");
        return Err(failure.hint("give the variables that they need by --var"));
    }
    Ok(exit)
}

/// Writes the reports for CI: JUnit, and what GitHub reads.
fn write_reports(
    args: &Args,
    results: &[CaseResult],
    server: &str,
    context: &Context,
) -> Result<(), Failure> {
    let printer = &context.printer;
    if std::env::var_os("GITHUB_ACTIONS").is_some() {
        for annotation in github::annotations(results) {
            // GitHub reads them from both streams.
            if printer.is_text() {
                printer.lines(&annotation);
            } else {
                printer.note(&annotation);
            }
        }
        if let Ok(path) = std::env::var("GITHUB_STEP_SUMMARY") {
            github::append_summary(&path, results)?;
        }
    }
    match &args.junit {
        Some(path) => junit::write(path, results, server),
        None => Ok(()),
    }
}

/// Returns the columns of the terminal that standard output is.
fn width() -> usize {
    let size = console::Term::stdout().size_checked();
    size.map_or(WIDTH_OF_FILES, |(_, columns)| usize::from(columns))
}

/// Reads all files, and shows every mistake.
fn load(
    args: &Args,
    given: &BTreeMap<String, Value>,
    context: &Context,
) -> Result<Vec<Plan>, Failure> {
    let mut plans = Vec::new();
    let mut mistakes: Vec<FileMistake> = Vec::new();
    for path in discover::find(&args.paths)? {
        let file = Arc::new(SourceFile::read(&path)?);
        match Plan::load(file, given) {
            Ok(plan) => plans.push(plan),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if mistakes.is_empty() {
        return Ok(plans);
    }
    let printer = &context.printer;
    for (file, mistake) in &mistakes {
        printer.lines(&file.explain(mistake, printer.paint().is_on()));
        printer.lines("");
    }
    let files = match mistakes.len() {
        1 => "one scenario file is wrong".to_owned(),
        n => format!("{n} scenario files are wrong"),
    };
    Err(Failure::usage(format!("{files}: nothing was run")))
}

fn select(plans: Vec<Plan>, args: &Args) -> Result<Vec<Plan>, Failure> {
    let has_tag =
        |plan: &Plan| args.tags.is_empty() || args.tags.iter().any(|tag| plan.tags.contains(tag));
    let has_name = |plan: &Plan| match &args.only {
        Some(text) => plan.name.contains(text.as_str()),
        None => true,
    };
    let all = plans.len();
    let selected: Vec<Plan> = plans
        .into_iter()
        .filter(|plan| has_tag(plan) && has_name(plan))
        .collect();
    if selected.is_empty() {
        let failure = Failure::usage(format!("--tag and --only select none of {all} scenarios"));
        return Err(failure.hint("--list shows their names and tags"));
    }
    Ok(selected)
}

fn list(plans: &[Plan], context: &Context) -> Result<Exit, Failure> {
    for plan in plans {
        context.printer.report(&results::Listed::new(plan))?;
    }
    Ok(Exit::Ok)
}

fn print_schema() -> Result<Exit, Failure> {
    let schema = serde_json::to_string_pretty(&scenario::schema()).map_err(|error| {
        Failure::new(Exit::Failed, "the schema cannot be written").caused_by(error)
    })?;
    print_document(&format!("{schema}\n"))?;
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests;
