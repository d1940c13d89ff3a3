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
mod source;
mod steps;
mod variables;

#[cfg(test)]
pub(crate) use located::FilePosition;
#[cfg(test)]
pub(crate) use outcome::Spot;
pub(crate) use outcome::{StepFailure, StepRecord};
pub(crate) use plan::{Case, FileMistake, Plan};
pub(crate) use run::World;
pub(crate) use source::SourceFile;

/// Returns the JSON Schema of scenario files.
pub(crate) fn schema() -> schemars::Schema {
    schemars::schema_for!(document::Document)
}
