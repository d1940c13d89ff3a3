//! From the command line to the exit code: 0 after a polite end, 2 where nothing could be started,
//! 1 where it was running and could not go on.

use std::{path::Path, process::ExitCode, time::Duration};

use clap::Parser as _;
use metaia_realtime::log::sqlite::BackupError;

use crate::{
    config::{self, Config, Loaded, Sources},
    http::problem::chain,
    printer::{complain, say},
    startup::{
        backup,
        cli::{Cli, Command},
        serve::{Failure, serve},
        telemetry,
    },
};

/// Nothing was started.
const REFUSED: u8 = 2;
/// It was running and could not go on.
const FAILED: u8 = 1;
/// For the threads of the runtime to end, after everything else has.
const LAST: Duration = Duration::from_millis(500);

/// Does what the command line says.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            let _ = usage.print();
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(REFUSED));
        }
    };
    let Loaded { config, settings } = config::load(Sources::of_process(cli.variables()));
    if matches!(cli.command, Some(Command::Config)) {
        say(&config::settings(&settings));
    }
    match (config, cli.command) {
        (Err(problems), _) => {
            complain(&config::problems(&problems));
            ExitCode::from(REFUSED)
        }
        (Ok(_), Some(Command::Config)) => ExitCode::SUCCESS,
        (Ok(config), Some(Command::Backup { file })) => copy(&config, &file),
        (Ok(config), None) => start(&config),
    }
}

fn copy(config: &Config, file: &Path) -> ExitCode {
    if config.mongodb.is_some() {
        complain(
            "metaia-server: MONGODB_URI is set: copy that database with mongodump, or unset it",
        );
        return ExitCode::from(REFUSED);
    }
    let error = match backup::make(config, file) {
        Ok(report) => {
            say(&report);
            return ExitCode::SUCCESS;
        }
        Err(error) => error,
    };
    complain(&format!("metaia-server: {}", chain(&error)));
    ExitCode::from(if matches!(error, BackupError::Unwritable { .. }) {
        FAILED
    } else {
        REFUSED
    })
}

fn start(config: &Config) -> ExitCode {
    telemetry::start(&config.log);
    // An error means that there is one already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ended = match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let ended = runtime.block_on(serve(config));
            // What still runs has been asked to stop.
            runtime.shutdown_timeout(LAST);
            ended
        }
        Err(error) => Err(Failure::Start(error.into())),
    };
    let (code, cause) = match ended {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Start(cause)) => (REFUSED, cause),
        Err(Failure::Serve(cause)) => (FAILED, cause),
    };
    complain(&format!("metaia-server: {}", chain(&*cause)));
    ExitCode::from(code)
}
