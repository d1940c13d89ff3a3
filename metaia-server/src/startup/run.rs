//! From the command line to the exit code: 0 after a clean end, 2 if nothing was started, 1 if the
//! server was running and failed.

use std::{error::Error, path::Path, process::ExitCode, time::Duration};

use clap::Parser as _;
use metaia_realtime::{log::sqlite::BackupError, planted_faults::planted_fault};

use crate::{
    config::{self, Config, Loaded, Sources},
    error_chain::chain,
    printer::{print, print_error},
    startup::{
        backup,
        cli::{Cli, Command},
        data_dir, descriptors,
        serve::{Failure, serve},
        telemetry,
    },
};

/// The exit code if nothing was started.
const NOT_STARTED: u8 = 2;
/// The exit code of a server that was running and failed.
const FAILED: u8 = 1;
/// The time that the threads of the runtime get to end after everything else has ended.
const RUNTIME_SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(500);

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
    telemetry::start(&config.log);
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
    let ended = runtime.block_on(serve(&config));
    // Tasks that still run have been asked to stop.
    runtime.shutdown_timeout(RUNTIME_SHUTDOWN_TIMEOUT);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Start(cause)) => fail(NOT_STARTED, &*cause),
        Err(Failure::Serve(cause)) => fail(FAILED, &*cause),
    }
}

/// Prints the cause, and returns the exit code.
fn fail(code: u8, cause: &dyn Error) -> ExitCode {
    print_error(&format!("metaia-server: {}", chain(cause)));
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use metaia_realtime::serve::Serve;

    use super::*;
    use crate::{config::MAX_DRAIN, startup::serve::CLOSE_TIMEOUT};

    #[test]
    fn a_server_that_is_told_to_stop_ends_within_15_s() {
        let steps = [
            MAX_DRAIN,
            Serve::TIME_AFTER_DRAIN,
            CLOSE_TIMEOUT,
            RUNTIME_SHUTDOWN_TIMEOUT,
        ];
        assert!(steps.into_iter().sum::<Duration>() <= Duration::from_secs(15));
    }
}
