//! `metaia doctor`: a good server has no problem, and each fault is named with its cure, in less
//! than five seconds.

mod good;
mod idle;
mod limits;
mod people;
mod proxies;
mod strangers;
mod ways;

use std::time::{Duration, Instant};

use metaia_tests::clients::cli::Cli;
use metaia_tests::server::process::ProcessOutput;
use serde_json::Value;

/// The longest time that a report may take, however long the server takes.
const LIMIT: Duration = Duration::from_secs(5);

/// A report as JSON.
#[derive(Debug)]
struct Examined {
    output: ProcessOutput,
    findings: Vec<Value>,
    took: Duration,
}

/// Runs the doctor.
async fn examine(cli: &Cli, args: &[&str]) -> Examined {
    let args = [&["doctor", "-o", "json"], args].concat();
    let began = Instant::now();
    let output = cli.run(&args).await;
    let took = began.elapsed();
    let findings = serde_json::from_str(&output.stdout);
    Examined {
        findings: findings.unwrap_or_else(|error| panic!("{error}: {output:#?}")),
        output,
        took,
    }
}

impl Examined {
    /// Returns the finding of a check.
    #[track_caller]
    fn finding(&self, id: &str) -> &Value {
        let found = self.findings.iter().find(|finding| finding["id"] == id);
        found.unwrap_or_else(|| panic!("no {id}: {self:#?}"))
    }

    /// Checks the first problem, words of its cause and its cure, the exit code, and the time.
    #[track_caller]
    #[allow(clippy::return_self_not_must_use, reason = "the check alone is of use")]
    fn check(self, code: i32, id: &str, words: &[&str]) -> Self {
        let first = self.findings.iter().find(|finding| finding["ok"] == false);
        let first = first.unwrap_or_else(|| panic!("no problem: {self:#?}"));
        assert_eq!(first["id"], id, "{self:#?}");
        let text = |member: &str| first[member].as_str().unwrap_or_default().to_owned();
        let said = ["found", "cause", "fix"].map(text).join("\n");
        for word in words {
            assert!(said.contains(word), "no {word:?}: {said}");
        }
        assert!(first["fix"].is_string(), "{first}");
        assert_eq!(self.output.code, Some(code), "{self:#?}");
        assert!(self.took < LIMIT, "it took {:?}", self.took);
        self
    }

    /// Checks that there is no problem.
    #[track_caller]
    #[allow(clippy::return_self_not_must_use, reason = "the check alone is of use")]
    fn good(self) -> Self {
        assert_eq!(self.output.code, Some(0), "{self:#?}");
        let is_bad = |finding: &Value| finding["ok"] == false;
        assert!(!self.findings.iter().any(is_bad), "{self:#?}");
        assert!(self.took < LIMIT, "it took {:?}", self.took);
        self
    }

    /// Checks words of what was found by a check.
    #[track_caller]
    #[allow(clippy::return_self_not_must_use, reason = "the check alone is of use")]
    fn found(self, id: &str, words: &str) -> Self {
        let found = self.finding(id)["found"].as_str().unwrap_or_default();
        assert!(found.contains(words), "no {words:?}: {self:#?}");
        self
    }
}
