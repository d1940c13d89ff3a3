//! The arguments of `metaia test`.

use std::path::PathBuf;
use std::str::FromStr;

use serde_json::Value;

const EXAMPLES: &str = "\
Examples:
  metaia test qa/                        every scenario of a folder
  metaia test qa/ --tag smoke --jobs 4   some of them, four at a time
  metaia test qa/reassigned.yaml --repeat 50
  metaia test qa/ --junit report.xml     for CI
  metaia test qa/ --check                only read the files, and say what is wrong in them
  metaia test --schema > metaia-scenario.schema.json";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// Scenario files, and folders of them (*.yaml, *.yml; not those that begin with _)
    #[arg(value_name = "FILE|DIR", required_unless_present = "schema")]
    pub(super) paths: Vec<PathBuf>,
    /// Run only scenarios with this tag; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    pub(super) tags: Vec<String>,
    /// Run only scenarios whose name contains this text
    #[arg(long, value_name = "TEXT")]
    pub(super) only: Option<String>,
    /// Run this many at the same time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16)
        .range(1..=256))]
    pub(super) jobs: u16,
    /// Run each this many times; all of them must pass
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32)
        .range(1..=100_000))]
    pub(super) repeat: u32,
    /// Run a scenario that did not pass again, up to N times; one that passes then is reported as
    /// flaky
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) retries: u32,
    /// Start no further scenario after one that did not pass
    #[arg(long)]
    pub(super) fail_fast: bool,
    /// Set a variable of the scenarios: a text, or NAME:=JSON; may be repeated. `run` sets the
    /// ending of user ids
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub(super) variables: Vec<VariableArg>,
    /// Also write the results as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
    /// Only read the files, and say what is wrong in them
    #[arg(long, conflicts_with_all = ["junit", "list"])]
    pub(super) check: bool,
    /// Only list the scenarios
    #[arg(long)]
    pub(super) list: bool,
    /// Print the JSON Schema of scenario files, for editors
    #[arg(long, exclusive = true)]
    pub(super) schema: bool,
}

impl Args {
    /// Returns whether scenarios are run, and not only read.
    pub(crate) fn runs(&self) -> bool {
        !self.schema && !self.check && !self.list
    }
}

/// `NAME=TEXT` or `NAME:=JSON`.
#[derive(Debug, Clone)]
pub(super) struct VariableArg {
    pub(super) name: String,
    pub(super) value: Value,
}

impl FromStr for VariableArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .ok_or("write NAME=TEXT, or NAME:=JSON")?;
        let (name, value) = match name.strip_suffix(':') {
            Some(name) => {
                let json = serde_json::from_str(value);
                (
                    name,
                    json.map_err(|error| format!("{value:?} is not JSON: {error}"))?,
                )
            }
            None => (name, Value::from(value)),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(format!("{name:?} is no name: use letters, digits and _"));
        }
        Ok(Self {
            name: name.to_owned(),
            value,
        })
    }
}
