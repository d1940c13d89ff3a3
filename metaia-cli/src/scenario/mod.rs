//! Scenario files: their format, reading and checking them, and running them.
//!
//! [`document`] is the format. [`Plan::load`] reads a file and refuses what is wrong in it, before
//! anything runs. A [`World`] carries out one case of a plan.

mod document;
mod expectations;
mod located;
mod outcome;
mod parse;
mod plan;
mod run;
mod steps;
mod variables;

#[cfg(test)]
pub(crate) use outcome::Spot;
pub(crate) use outcome::{StepFailure, StepRecord};
#[cfg(test)]
pub(crate) use plan::ResumeBy;
pub(crate) use plan::{Case, FileMistake, PersonPlan, Plan, TokenPlan};
pub(crate) use run::World;

/// Returns the JSON Schema of scenario files.
pub(crate) fn schema() -> schemars::Schema {
    schemars::schema_for!(document::Document)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// The page of editors. `INSTA_UPDATE=always` writes it again.
    #[test]
    fn the_published_schema_is_that_of_the_format() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"));
        let file = file.join("../docs/metaia-scenario.schema.json");
        let schema = serde_json::to_string_pretty(&super::schema()).unwrap() + "\n";
        if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            std::fs::write(&file, &schema).unwrap();
        }
        let published = std::fs::read_to_string(&file).unwrap();
        assert!(
            published == schema,
            "docs/metaia-scenario.schema.json is old: run this test with INSTA_UPDATE=always"
        );
    }
}
