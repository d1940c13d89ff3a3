//! The command line. A flag stands for the variable of the same meaning, and wins over it.

use std::{collections::BTreeMap, path::PathBuf};

use clap::{Parser, Subcommand};

use crate::config::defaults;

/// The reference backend of METAIA realtime: REST and Socket.IO on one port, with an embedded
/// store.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[arg(long, global = true, help = with_default(
        "Port to listen on; 0 picks a free one", "PORT", defaults::PORT
    ))]
    port: Option<String>,
    #[arg(long, global = true, value_name = "ADDRESSES", help = with_default(
        "Addresses to listen at: 0.0.0.0 for phones, all of them in production",
        "METAIA_HOST",
        defaults::HOST
    ))]
    host: Option<String>,
    #[arg(long, global = true, value_name = "FOLDER", help = with_default(
        "Folder of the database and the generated secrets", "METAIA_DATA", defaults::DATA
    ))]
    data: Option<String>,
    #[arg(long, global = true, value_name = "ENVIRONMENT", help = with_default(
        "development, test or production", "NODE_ENV", defaults::ENVIRONMENT
    ))]
    env: Option<String>,
    #[arg(long, global = true, value_name = "ORIGINS", help = with_default(
        "Origins of browsers, separated by commas; production needs them",
        "CORS_ORIGINS",
        defaults::ORIGINS
    ))]
    cors_origins: Option<String>,
    #[arg(long, global = true, help = with_default(
        "full (acknowledged writes survive a power cut) or normal (a crash of the process)",
        "METAIA_DURABILITY",
        defaults::DURABILITY
    ))]
    durability: Option<String>,
    #[arg(long, global = true, help = with_default(
        "polling,websocket or websocket", "METAIA_TRANSPORTS", defaults::TRANSPORTS
    ))]
    transports: Option<String>,
    #[arg(long, global = true, help = with_default(
        "Limits, each of them optional", "METAIA_LIMITS", &defaults::limits()
    ))]
    limits: Option<String>,
    #[arg(long, global = true, help = with_default(
        "Format of the log, text or json", "METAIA_LOG", defaults::LOG_FORMAT
    ))]
    log: Option<String>,
}

/// Returns the help of a flag, with its variable and its default.
fn with_default(help: &str, variable: &str, default: &str) -> String {
    format!("{help} ({variable}, default {default})")
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show every setting and the source of its value; secrets are masked
    Config,
    /// Copy the database to a new file, while a server runs or not
    ///
    /// To restore a copy: stop the server, replace metaia.db with the copy, start the server.
    /// Clients are then told to reload.
    Backup {
        /// The new file; an existing file is not overwritten
        file: PathBuf,
    },
}

const AFTER_HELP: &str = "\
Examples:
  metaia-server                          start in development, with all defaults
  metaia-server --host 0.0.0.0           let phones in the same network connect, too
  metaia-server --port 0 --data /tmp/m   start on any free port, with another folder
  metaia-server config                   show the settings that it would start with
  metaia-server backup monday.db         copy the database, while a server runs or not

All other settings are environment variables or lines of a .env file in the current folder;
`metaia-server config` lists them.";

impl Cli {
    /// Returns the given flags, by the names of the variables that they stand for.
    pub(crate) fn variables(&self) -> BTreeMap<String, String> {
        let flags = [
            ("PORT", &self.port),
            ("METAIA_HOST", &self.host),
            ("METAIA_DATA", &self.data),
            ("NODE_ENV", &self.env),
            ("CORS_ORIGINS", &self.cors_origins),
            ("METAIA_DURABILITY", &self.durability),
            ("METAIA_TRANSPORTS", &self.transports),
            ("METAIA_LIMITS", &self.limits),
            ("METAIA_LOG", &self.log),
        ];
        let mut given = BTreeMap::new();
        for (name, value) in flags {
            if let Some(value) = value {
                given.insert(name.to_owned(), value.clone());
            }
        }
        given
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
        let cli = Cli::parse_from(["metaia-server", "config", "--port", "7"]);
        assert_eq!(cli.variables()["PORT"], "7");
    }

    /// The defaults in the help are those that the server starts with.
    #[test]
    fn the_help_of_each_flag_has_its_default() {
        use clap::CommandFactory as _;
        let flags =
            "--port --host --data --env --cors-origins --durability --transports --limits --log";
        let line = flags.split(' ').map(|flag| format!("{flag}=x"));
        let cli = Cli::parse_from(std::iter::once("metaia-server".to_owned()).chain(line));
        let help = Cli::command().term_width(0).render_help().to_string();
        let settings = load(Sources::default()).settings;
        for name in cli.variables().keys() {
            let setting = settings.iter().find(|setting| setting.name == name);
            let expected = format!("({name}, default {})", setting.unwrap().shown);
            assert!(help.contains(&expected), "{expected}: {help}");
        }
    }
}
