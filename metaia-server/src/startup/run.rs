//! From the command line to the exit code: 0 after a clean end, 2 if nothing was started, 1 if the
//! server was running and failed.

use std::{error::Error, path::Path, process::ExitCode, time::Duration};

use clap::Parser as _;
use metaia_realtime::{log::sqlite::BackupError, planted_faults::planted_fault, serve::Serve};

use crate::{
    config::{self, Config, Loaded, Sources},
    error_chain::chain,
    printer::{print, print_error},
    startup::{
        backup,
        cli::{Cli, Command},
        data_dir, descriptors,
        serve::{CLOSE_TIMEOUT, Failure, serve},
        telemetry::{LAST_LINES_TIMEOUT, ProcessLog},
        watchdog::EndLimits,
    },
};

/// The exit code if nothing was started.
const NOT_STARTED: u8 = 2;
/// The exit code of a server that was running and failed.
const FAILED: u8 = 1;
/// The time that the threads of the runtime get to end after everything else has ended.
const RUNTIME_SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(250);
/// The time that the watchdog leaves to an orderly end beyond the sum of its steps.
const WATCHDOG_MARGIN: Duration = Duration::from_millis(250);

/// Runs the command that the command line names, and returns the exit code of the process.
#[must_use]
pub fn run() -> ExitCode {
    data_dir::make_private();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            let _ = usage.print();
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(NOT_STARTED));
        }
    };
    let Loaded {
        config,
        settings,
        notices,
    } = config::load(Sources::of_process(cli.variables()));
    // The settings are shown even if some of them are not valid: that is when a user needs them.
    if matches!(cli.command, Some(Command::Config)) {
        print(&config::settings(&settings));
    }
    let is_start = config.is_ok() && cli.command.is_none();
    if !is_start {
        notices.iter().for_each(|notice| print_error(notice));
    }
    match (config, cli.command) {
        (Err(problems), _) => {
            print_error(&config::problems(&problems));
            ExitCode::from(NOT_STARTED)
        }
        (Ok(_), Some(Command::Config)) => ExitCode::SUCCESS,
        (Ok(config), Some(Command::Backup { file })) => back_up(&config, &file),
        (Ok(config), None) => start(config, &notices),
    }
}

fn back_up(config: &Config, file: &Path) -> ExitCode {
    if config.mongodb.is_some() {
        print_error(
            "metaia-server: MONGODB_URI is set: copy that database with mongodump, or unset it",
        );
        return ExitCode::from(NOT_STARTED);
    }
    match backup::copy(config, file) {
        Ok(report) => {
            print(&report);
            ExitCode::SUCCESS
        }
        Err(error) => {
            let code = if matches!(error, BackupError::Unwritable { .. }) {
                FAILED
            } else {
                NOT_STARTED
            };
            fail(code, &error)
        }
    }
}

fn start(mut config: Config, notices: &[String]) -> ExitCode {
    let fault = match planted_fault() {
        Ok(fault) => fault,
        Err(unknown) => return fail(NOT_STARTED, &unknown),
    };
    let log = match ProcessLog::start(&config.log) {
        Ok(log) => log,
        Err(error) => return fail(NOT_STARTED, &error),
    };
    if let Some(fault) = fault {
        tracing::warn!("this server breaks a rule on purpose: {fault}");
    }
    let lowered = descriptors::fit(&mut config.limits.realtime);
    for notice in notices.iter().chain(&lowered) {
        tracing::warn!("{notice}");
    }
    // An error means that a provider is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(NOT_STARTED, &error),
    };
    let ended = runtime.block_on(serve(&config, &log, end_limits(config.drain)));
    // Tasks that still run have been asked to stop.
    runtime.shutdown_timeout(RUNTIME_SHUTDOWN_TIMEOUT);
    let (code, cause) = match ended {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Start(cause)) => (NOT_STARTED, cause),
        Err(Failure::Serve(cause)) => (FAILED, cause),
    };
    // Through the log, because standard error may stand still.
    log.print(&failure(&*cause));
    ExitCode::from(code)
}

/// Returns the time after which the watchdog ends the process: what an orderly end takes at most,
/// and some more.
fn end_limits(drain: Duration) -> EndLimits {
    let after_drain = [
        CLOSE_TIMEOUT,
        RUNTIME_SHUTDOWN_TIMEOUT,
        LAST_LINES_TIMEOUT,
        WATCHDOG_MARGIN,
    ];
    let after_second = after_drain.into_iter().sum();
    EndLimits {
        after_first: drain + Serve::TIME_AFTER_DRAIN + after_second,
        after_second,
    }
}

/// Prints the cause, and returns the exit code.
fn fail(code: u8, cause: &dyn Error) -> ExitCode {
    print_error(&failure(cause));
    ExitCode::from(code)
}

fn failure(cause: &dyn Error) -> String {
    format!("metaia-server: {}", chain(cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MAX_DRAIN;

    #[test]
    fn a_server_that_is_told_to_stop_ends_within_15_s() {
        let limit = end_limits(MAX_DRAIN).after_first;
        assert!(limit <= Duration::from_secs(15), "{limit:?}");
    }
}
