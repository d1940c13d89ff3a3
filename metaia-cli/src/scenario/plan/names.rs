//! The names that a step may use: people, and variables that have a value by then.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::scenario::document::{Document, PersonEntry};
use crate::scenario::located::Located;
use crate::scenario::steps::Step;
use crate::scenario::variables::names;
use crate::source_file::{FilePosition, Mistake, SourceFile};
use crate::suggestion;

/// The names that are known at a step.
#[derive(Clone)]
pub(super) struct Scope {
    people: BTreeSet<String>,
    variables: BTreeSet<String>,
}

impl Scope {
    pub(super) fn new(document: &Document, given: &BTreeMap<String, Value>) -> Self {
        let people: BTreeSet<String> = document.people.keys().cloned().collect();
        let values = document.vars.keys().chain(document.matrix.keys());
        let mut variables: BTreeSet<String> = values.chain(given.keys()).cloned().collect();
        variables.extend(people.iter().cloned());
        variables.insert("run".to_owned());
        Self { people, variables }
    }

    pub(super) fn add(&mut self, name: &str) {
        self.variables.insert(name.to_owned());
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        self.variables.extend(other.variables.iter().cloned());
    }

    /// Adds what the step saves.
    pub(super) fn add_saved(&mut self, step: &Step) {
        for name in step.saves() {
            self.add(&name.value);
        }
    }

    pub(super) fn variables(&self) -> Vec<&str> {
        self.variables.iter().map(String::as_str).collect()
    }

    /// Refuses a step that names a person or a variable that is not there.
    pub(super) fn check(&self, step: &Located<Step>, file: &SourceFile) -> Result<(), Mistake> {
        for person in step.value.people() {
            self.check_person(person)?;
        }
        for name in step.value.saves() {
            self.check_saved(name)?;
        }
        // Steps within steps are checked when their turn comes.
        if matches!(step.value, Step::Repeat(_) | Step::Parallel(_)) {
            return Ok(());
        }
        // A step that cannot be written as JSON has no texts.
        let template = serde_json::to_value(&step.value).unwrap_or_default();
        for name in names(&template) {
            self.check_variable(name, &step.position, file)?;
        }
        Ok(())
    }

    pub(super) fn check_person(&self, name: &Located<String>) -> Result<(), Mistake> {
        if self.people.contains(&name.value) {
            return Ok(());
        }
        let mistake = Mistake::new(&name.position, format!("nobody is called `{}`", name.value));
        let known = self.people.iter().map(String::as_str);
        Err(match suggestion::nearest(&name.value, known) {
            Some(meant) => mistake.help(format!("did you mean `{meant}`?")),
            None => mistake.help("`people` has the names"),
        })
    }

    fn check_saved(&self, name: &Located<String>) -> Result<(), Mistake> {
        if !is_name(&name.value) {
            let text = format!("`{}` is no name of a variable", name.value);
            let help = "a name has letters, digits and _";
            return Err(Mistake::new(&name.position, text).help(help));
        }
        if self.people.contains(&name.value) {
            let text = format!("`{}` is the name of a person", name.value);
            return Err(Mistake::new(&name.position, text).help("save it by another name"));
        }
        Ok(())
    }

    fn check_variable(
        &self,
        name: &str,
        position: &FilePosition,
        file: &SourceFile,
    ) -> Result<(), Mistake> {
        if self.variables.contains(name) {
            return Ok(());
        }
        Err(unset(
            name,
            position,
            file,
            self.variables.iter().map(String::as_str),
        ))
    }
}

/// Returns the mistake of a variable without a value. It points at the variable's first use behind
/// the beginning of its step.
pub(crate) fn unset<'a>(
    name: &str,
    step: &FilePosition,
    file: &SourceFile,
    known: impl IntoIterator<Item = &'a str>,
) -> Mistake {
    let position = file.find(&format!("${name}"), step);
    let mistake = Mistake::new(&position, format!("the variable `${name}` has no value"));
    match suggestion::nearest(name, known) {
        Some(meant) => mistake.help(format!("did you mean `${meant}`?")),
        None => mistake.help("a step before this one can `save` it, or `vars` or --var give it"),
    }
}

/// Refuses people whose names cannot be the beginning of a user id.
pub(super) fn check_people(people: &BTreeMap<String, Located<PersonEntry>>) -> Result<(), Mistake> {
    for (name, entry) in people {
        if !is_name(name) || name.len() > 40 {
            let text = format!("`{name}` cannot be the name of a person");
            let help = "a name has up to 40 letters, digits and _";
            return Err(Mistake::new(&entry.position, text).help(help));
        }
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.chars().all(is_part)
}
