//! A scenario that was checked as a whole before anything runs: names, times, filters, included
//! files.

mod checks;
mod names;
mod people;
mod values;
mod verbs;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::document::Document;
use super::located::Located;
use super::outcome::Spot;
use super::parse::{parse, parse_steps};
use super::steps::{RepeatStep, Step};
use super::variables::Variables;
use crate::source_file::{Mistake, SourceFile};
use names::Scope;

pub(crate) use checks::{CheckKind, EventCheck, Pattern};
pub(crate) use names::unset;
pub(crate) use people::{PersonPlan, ResumeBy, TokenPlan};

/// The deepest nesting of included files.
const MAX_INCLUDES: usize = 8;

/// The largest number of combinations of a matrix.
const MAX_CASES: usize = 1_000;

/// A scenario that can run.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) name: String,
    pub(crate) tags: Vec<String>,
    /// Set if no other scenario may run at the same time.
    pub(crate) is_alone: bool,
    /// The place of its name.
    pub(crate) spot: Spot,
    /// One for each combination of the matrix; one if there is none.
    pub(crate) cases: Vec<Case>,
    pub(crate) steps: Vec<PlannedStep>,
    /// The number of expectations.
    pub(crate) expectations: usize,
}

/// One combination of the matrix.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// Such as `device, polling`; empty without a matrix.
    pub(crate) label: String,
    pub(crate) variables: Variables,
    pub(crate) people: Vec<PersonPlan>,
    /// A variable that `--var` must give and did not.
    pub(crate) lacks: Option<String>,
}

/// A step that can run.
#[derive(Debug)]
pub(crate) struct PlannedStep {
    pub(crate) spot: Spot,
    pub(crate) action: PlannedAction,
}

/// The work of a step.
#[derive(Debug)]
pub(crate) enum PlannedAction {
    Verb(Box<Step>),
    Expect(Vec<EventCheck>),
    Repeat(Rounds, Vec<PlannedStep>),
    Parallel(Vec<PlannedStep>),
    /// The steps of another file.
    Include(Vec<PlannedStep>),
}

/// The number of rounds of a repetition.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rounds {
    Exactly(u32),
    /// As many as it takes until one is met.
    UpTo(u32),
}

impl RepeatStep {
    const fn rounds(&self) -> Rounds {
        if self.until_met {
            Rounds::UpTo(self.times)
        } else {
            Rounds::Exactly(self.times)
        }
    }
}

/// A mistake, and the file that has it.
pub(crate) type FileMistake = (Arc<SourceFile>, Mistake);

impl Plan {
    /// Checks a file. `given` are the values of `--var`.
    pub(crate) fn load(
        file: Arc<SourceFile>,
        given: &BTreeMap<String, Value>,
    ) -> Result<Self, FileMistake> {
        let document = parse(&file).map_err(|mistake| (file.clone(), mistake))?;
        let at_file = |mistake| (file.clone(), mistake);
        names::check_people(&document.people).map_err(at_file)?;
        let cases = cases(&document, given).map_err(at_file)?;
        let mut planner = Planner {
            scope: Scope::new(&document, given),
            including: vec![file.path.clone()],
            expectations: 0,
        };
        let steps = planner.steps(&file, &document.steps)?;
        if planner.expectations == 0 {
            let mistake = Mistake::new(
                &document.scenario.position,
                "this scenario checks nothing, so it can never fail",
            );
            return Err(at_file(
                mistake.help("add a step `expect`, or `expect` in a step"),
            ));
        }
        Ok(Self {
            name: document.scenario.value,
            tags: document.tags,
            is_alone: document.alone,
            spot: Spot {
                position: document.scenario.position,
                file,
            },
            cases,
            steps,
            expectations: planner.expectations,
        })
    }
}

/// Returns the combinations of the matrix.
fn cases(document: &Document, given: &BTreeMap<String, Value>) -> Result<Vec<Case>, Mistake> {
    let mut combinations: Vec<Vec<(&String, &Value)>> = vec![Vec::new()];
    for (name, values) in &document.matrix {
        if values.is_empty() {
            let text = format!("the matrix has no value for `{name}`");
            return Err(Mistake::new(&document.scenario.position, text));
        }
        combinations = combinations
            .into_iter()
            .flat_map(|one| {
                values.iter().map(move |value| {
                    let mut more = one.clone();
                    more.push((name, value));
                    more
                })
            })
            .collect();
        if combinations.len() > MAX_CASES {
            let text = format!("the matrix has more than {MAX_CASES} combinations");
            return Err(Mistake::new(&document.scenario.position, text));
        }
    }
    let cases = combinations
        .iter()
        .map(|combination| case(document, given, combination));
    cases.collect()
}

fn case(
    document: &Document,
    given: &BTreeMap<String, Value>,
    combination: &[(&String, &Value)],
) -> Result<Case, Mistake> {
    let mut variables = Variables::default();
    for (name, value) in document.vars.iter().chain(given) {
        variables.set(name, value.clone());
    }
    for (name, value) in combination {
        variables.set(name.as_str(), (*value).clone());
    }
    let lacking = document
        .vars
        .iter()
        .find(|(name, _)| variables.get(name).is_none_or(Value::is_null));
    let label: Vec<String> = combination.iter().map(|(_, value)| shown(value)).collect();
    Ok(Case {
        label: label.join(", "),
        people: people::plan(&document.people, &variables)?,
        lacks: lacking.map(|(name, _)| name.clone()),
        variables,
    })
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Checks steps in their order.
struct Planner {
    scope: Scope,
    /// The files that are being read, the outermost first.
    including: Vec<PathBuf>,
    expectations: usize,
}

impl Planner {
    fn steps(
        &mut self,
        file: &Arc<SourceFile>,
        steps: &[Located<Step>],
    ) -> Result<Vec<PlannedStep>, FileMistake> {
        steps.iter().map(|step| self.step(file, step)).collect()
    }

    fn step(
        &mut self,
        file: &Arc<SourceFile>,
        step: &Located<Step>,
    ) -> Result<PlannedStep, FileMistake> {
        let at_file = |mistake| (file.clone(), mistake);
        self.scope.check(step, file).map_err(at_file)?;
        values::check(step, file).map_err(at_file)?;
        if let Some(condition) = step.answer().and_then(|answer| answer.condition.as_ref()) {
            checks::condition_of(condition, &self.scope, file).map_err(at_file)?;
        }
        let action = match &step.value {
            Step::Expect(entries) => {
                if entries.is_empty() {
                    let mistake = Mistake::new(&step.position, "this step expects nothing");
                    return Err(at_file(mistake));
                }
                let checks: Result<Vec<EventCheck>, Mistake> = entries
                    .iter()
                    .map(|entry| EventCheck::plan(entry, &self.scope, file))
                    .collect();
                let checks = checks.map_err(at_file)?;
                self.expectations += checks.iter().filter(|check| check.can_fail()).count();
                PlannedAction::Expect(checks)
            }
            Step::Repeat(repeat) => {
                self.scope.add("n");
                PlannedAction::Repeat(repeat.rounds(), self.steps(file, &repeat.steps)?)
            }
            Step::Parallel(steps) => PlannedAction::Parallel(self.parallel(file, steps)?),
            Step::Include(path) => PlannedAction::Include(self.include(file, path)?),
            Step::Rest(rest) if rest.target().is_none() => {
                let text = "a `rest` step has one of get, post, put and delete";
                return Err(at_file(Mistake::new(&step.position, text)));
            }
            verb => {
                self.expectations += usize::from(verb.has_expectation());
                PlannedAction::Verb(Box::new(verb.clone()))
            }
        };
        self.scope.add_saved(&step.value);
        Ok(PlannedStep {
            spot: Spot {
                file: file.clone(),
                position: step.position.clone(),
            },
            action,
        })
    }

    /// Checks steps that run at the same time: none has what another saves.
    fn parallel(
        &mut self,
        file: &Arc<SourceFile>,
        steps: &[Located<Step>],
    ) -> Result<Vec<PlannedStep>, FileMistake> {
        let before = self.scope.clone();
        let mut after = before.clone();
        let mut planned = Vec::with_capacity(steps.len());
        for step in steps {
            self.scope = before.clone();
            planned.push(self.step(file, step)?);
            after.add_all(&self.scope);
        }
        self.scope = after;
        Ok(planned)
    }

    fn include(
        &mut self,
        file: &Arc<SourceFile>,
        path: &Located<String>,
    ) -> Result<Vec<PlannedStep>, FileMistake> {
        let folder = file.path.parent().unwrap_or(Path::new("."));
        let target = folder.join(&path.value);
        let at_file = |text: String| (file.clone(), Mistake::new(&path.position, text));
        if self.including.contains(&target) || self.including.len() > MAX_INCLUDES {
            return Err(at_file(format!("{} includes itself", target.display())));
        }
        let included = SourceFile::read(&target).map_err(|failure| at_file(failure.chain()))?;
        let included = Arc::new(included);
        let steps = parse_steps(&included).map_err(|mistake| (included.clone(), mistake))?;
        self.including.push(target);
        let steps = self.steps(&included, &steps);
        self.including.pop();
        steps
    }
}

#[cfg(test)]
mod tests;
