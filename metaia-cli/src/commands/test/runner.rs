//! Runs the selected cases, several at a time.

use std::collections::BTreeMap;
use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::Value;

use super::minting;
use super::moments;
use super::results::{Attempt, CaseResult, Status};
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::scenario::{Case, Plan, StepFailure, World};

/// The options of a run.
pub(super) struct RunOptions<'a> {
    pub(super) jobs: usize,
    pub(super) repeat: u32,
    pub(super) retries: u32,
    pub(super) fail_fast: bool,
    pub(super) given: &'a BTreeMap<String, Value>,
}

/// One run that is to be made.
struct Job<'a> {
    scenario: usize,
    plan: &'a Plan,
    case: &'a Case,
    label: String,
}

/// Runs the plans, and reports each case as soon as it has ended. Returns the results in the order
/// of the plans; fewer if it is interrupted, or stops at a failure.
pub(super) async fn run_all(
    plans: &[Plan],
    options: &RunOptions<'_>,
    context: &Context,
) -> Result<Vec<CaseResult>, Failure> {
    let jobs = jobs(plans, options.repeat);
    let (alone, together): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.plan.is_alone);
    // A run that was not begun is a future that was not polled.
    let together: Vec<_> = together
        .into_iter()
        .map(|job| run_job(job, options, context))
        .collect();
    let alone: Vec<_> = alone
        .into_iter()
        .map(|job| run_job(job, options, context))
        .collect();
    let together = stream::iter(together).buffer_unordered(options.jobs);
    let alone = stream::iter(alone).buffer_unordered(1);
    let mut running = together.chain(alone);
    let mut results = Vec::new();
    loop {
        let result = tokio::select! {
            () = context.interrupted.cancelled() => break,
            result = running.next() => match result {
                Some(result) => result,
                None => break,
            },
        };
        // The result counts even if nobody reads it.
        context.printer.verdict(&result, Exit::Ok)?;
        let has_failed = matches!(result.status(), Status::Failed | Status::Error);
        results.push(result);
        if has_failed && options.fail_fast {
            break;
        }
    }
    results.sort_by_key(|result| result.scenario);
    Ok(results)
}

/// Returns the number of runs that are to be made.
pub(super) fn count(plans: &[Plan], repeat: u32) -> usize {
    let cases: usize = plans.iter().map(|plan| plan.cases.len()).sum();
    cases.saturating_mul(usize::try_from(repeat).unwrap_or(usize::MAX))
}

fn jobs(plans: &[Plan], repeat: u32) -> Vec<Job<'_>> {
    let mut jobs = Vec::new();
    for n in 1..=repeat {
        for (scenario, plan) in plans.iter().enumerate() {
            let cases = plan.cases.iter().map(|case| Job {
                scenario,
                plan,
                case,
                label: label(case, n, repeat),
            });
            jobs.extend(cases);
        }
    }
    jobs
}

fn label(case: &Case, n: u32, repeat: u32) -> String {
    match (case.label.is_empty(), repeat) {
        (_, 1) => case.label.clone(),
        (true, _) => format!("{n} of {repeat}"),
        (false, _) => format!("{}, {n} of {repeat}", case.label),
    }
}

async fn run_job(job: Job<'_>, options: &RunOptions<'_>, context: &Context) -> CaseResult {
    let mut result = CaseResult {
        scenario: job.scenario,
        name: job.plan.name.clone(),
        file: job.plan.spot.file.path.display().to_string(),
        case: job.label,
        attempts: Vec::new(),
        variables: variable_options(options),
        skipped: None,
        lacks_tokens: None,
    };
    if let Some(variable) = &job.case.lacks {
        result.skipped = Some(format!("it needs --var {variable}=…"));
        return result;
    }
    result.lacks_tokens = minting::needed(&job.case.people, context);
    if result.lacks_tokens.is_some() {
        return result;
    }
    for _ in 0..=options.retries {
        let attempt = attempt(job.plan, job.case, options, context).await;
        let has_passed = attempt.failure.is_none();
        result.attempts.push(attempt);
        if has_passed {
            break;
        }
    }
    result
}

async fn attempt(plan: &Plan, case: &Case, options: &RunOptions<'_>, context: &Context) -> Attempt {
    let began = Instant::now();
    let run = run_id(options);
    let world = match World::new(case, &run, context) {
        Ok(world) => world,
        Err(failure) => {
            return Attempt {
                run,
                failure: Some(StepFailure::unjudged(plan.spot.clone(), failure)),
                took: began.elapsed(),
                records: Vec::new(),
                lanes: Vec::new(),
                judged: 0,
            };
        }
    };
    let ended = world.run(plan).await;
    Attempt {
        run,
        lanes: if ended.is_err() {
            moments::lanes(&world)
        } else {
            Vec::new()
        },
        failure: ended.err(),
        took: began.elapsed(),
        records: world.records(),
        judged: world.judged(),
    }
}

/// Returns the options that set variables, but for the ending of user ids.
fn variable_options(options: &RunOptions<'_>) -> String {
    let given = options.given.iter().filter(|(name, _)| *name != "run");
    let written = given.map(|(name, value)| {
        let option = match value {
            Value::String(text) => format!("{name}={text}"),
            other => format!("{name}:={other}"),
        };
        format!(" --var {}", shell_words::quote(&option))
    });
    written.collect()
}

/// Returns the ending of the user ids of a run.
fn run_id(options: &RunOptions<'_>) -> String {
    match options.given.get("run").and_then(Value::as_str) {
        Some(run) => run.to_owned(),
        None => uuid::Uuid::new_v4().simple().to_string()[..10].to_owned(),
    }
}

/// Returns the exit code: 6 if an expectation was not met, else the code of the first case that
/// could not be judged.
pub(super) fn exit(results: &[CaseResult]) -> Exit {
    let failed = results
        .iter()
        .any(|result| result.status() == Status::Failed);
    if failed {
        return Exit::Unexpected;
    }
    let exits = results.iter().map(CaseResult::exit);
    exits
        .into_iter()
        .find(|exit| *exit != Exit::Ok)
        .unwrap_or(Exit::Ok)
}
