//! The command line. Flags stand for variables of the same meaning and win over them.

use std::{collections::BTreeMap, path::PathBuf};

use clap::{Parser, Subcommand};

/// The reference backend of METAIA realtime: REST and Socket.IO on one port, with an embedded
/// store.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Port to listen on; 0 picks a free one (PORT, default 5000)
    #[arg(long, global = true)]
    port: Option<String>,
    /// Folder of the store and the made secrets (METAIA_DATA, default ./metaia-data)
    #[arg(long, global = true, value_name = "FOLDER")]
    data: Option<String>,
    /// development, test or production (NODE_ENV, default development)
    #[arg(long, global = true, value_name = "ENVIRONMENT")]
    env: Option<String>,
    /// Origins of browsers, separated by commas (CORS_ORIGINS, default * in development)
    #[arg(long, global = true, value_name = "ORIGINS")]
    cors_origins: Option<String>,
    /// full or normal: what an answered write outlives (METAIA_DURABILITY, default full)
    #[arg(long, global = true)]
    durability: Option<String>,
    /// polling,websocket or websocket (METAIA_TRANSPORTS, default both)
    #[arg(long, global = true)]
    transports: Option<String>,
    /// Limits, for example per_user=16,rest_per_s=50 (METAIA_LIMITS)
    #[arg(long, global = true)]
    limits: Option<String>,
    /// text or json (METAIA_LOG, default text)
    #[arg(long, global = true)]
    log: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show every setting and where its value comes from; secrets are masked
    Config,
    /// Copy the database into a new file, while a server runs or not
    ///
    /// To restore it: stop the server, put the copy in the place of metaia.db, start. Clients are
    /// then told to reload.
    Backup {
        /// Where the copy goes; an existing file is left alone
        file: PathBuf,
    },
}

const AFTER: &str = "\
Examples:
  metaia-server                          start in development, data in ./metaia-data
  metaia-server --port 0 --data /tmp/m   any free port, another folder
  metaia-server config                   show what it would start with
  metaia-server backup monday.db         copy the database, beside a running server or not

Everything else is set by environment variables or a .env file in the current folder; `metaia-server config` lists them.";

impl Cli {
    /// The flags, by the variables that they stand for.
    pub(crate) fn variables(&self) -> BTreeMap<String, String> {
        let flags = [
            ("PORT", &self.port),
            ("METAIA_DATA", &self.data),
            ("NODE_ENV", &self.env),
            ("CORS_ORIGINS", &self.cors_origins),
            ("METAIA_DURABILITY", &self.durability),
            ("METAIA_TRANSPORTS", &self.transports),
            ("METAIA_LIMITS", &self.limits),
            ("METAIA_LOG", &self.log),
        ];
        let given = flags
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
        given.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
        let cli = Cli::parse_from(["metaia-server", "config", "--port", "7"]);
        assert_eq!(cli.variables()["PORT"], "7");
    }
}
