//! The people, the variables and the server of one run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use tokio::time::Instant;

use super::person::{Connection, Person};
use super::rounds;
use crate::actor::Actor;
use crate::clock;
use crate::context::Context;
use crate::exit::Failure;
use crate::expectation::FilterValues;
use crate::identity::Identity;
use crate::rest::Api;
use crate::scenario::outcome::{Spot, StepFailure, StepRecord};
use crate::scenario::plan::{Case, PersonPlan, Plan, TokenPlan, unset};
use crate::scenario::steps::Step;
use crate::scenario::variables::{Unset, Variables};
use crate::token::mint;
use crate::watcher::Story;

/// The time that all people have to be live before the first step.
const START_WITHIN: Duration = Duration::from_secs(15);

/// One run.
pub(crate) struct World<'a> {
    pub(crate) context: &'a Context,
    pub(super) api: Api<'a>,
    pub(crate) people: BTreeMap<String, Arc<Person>>,
    began: Instant,
    variables: Mutex<Variables>,
    records: Mutex<Vec<StepRecord>>,
    /// The number of expectations that were judged.
    judged: Mutex<usize>,
    /// The end of the last step so far, since the run began.
    step_ended: Mutex<Duration>,
    /// The end of all steps, since the run began.
    ended: Mutex<Duration>,
}

impl<'a> World<'a> {
    /// Prepares a run of a case. `run` makes the ids of its people its own.
    pub(crate) fn new(case: &Case, run: &str, context: &'a Context) -> Result<Self, Failure> {
        let began = Instant::now();
        let mut variables = case.variables.clone();
        variables.set("run", Value::String(run.to_owned()));
        // A person with a fresh id may be named by one with an id of another.
        let (fresh, named): (Vec<&PersonPlan>, Vec<&PersonPlan>) =
            case.people.iter().partition(|person| person.user.is_none());
        let mut people = BTreeMap::new();
        for plan in fresh.into_iter().chain(named) {
            let user = match &plan.user {
                Some(user) => variables
                    .text(user)
                    .map_err(|unset| Failure::usage(format!("${} has no value", unset.name)))?,
                // Without a secret to mint tokens with, the context has one user of each role.
                None => match context.user_of_role(plan.role)? {
                    Some(user) => user.to_string(),
                    None => format!("{}-{run}", plan.name),
                },
            };
            variables.set(&plan.name, Value::String(user.clone()));
            let person = new_person(plan, &user, began, context)?;
            people.insert(plan.name.clone(), Arc::new(person));
        }
        Ok(Self {
            context,
            api: context.api()?,
            people,
            began,
            variables: Mutex::new(variables),
            records: Mutex::default(),
            judged: Mutex::default(),
            step_ended: Mutex::default(),
            ended: Mutex::default(),
        })
    }

    /// Connects the people, carries out the steps, and disconnects.
    pub(crate) async fn run(&self, plan: &Plan) -> Result<(), StepFailure> {
        let ended = self.connect_and_run(plan).await;
        *lock(&self.ended) = self.began.elapsed();
        let closing = self.people.values().map(|person| person.close());
        // Who has no connection needs no closing.
        let _ = join_all(closing).await;
        ended
    }

    async fn connect_and_run(&self, plan: &Plan) -> Result<(), StepFailure> {
        let first = self
            .people
            .values()
            .filter(|person| person.is_connected_first);
        let connecting = first.map(|person| person.connect(self.context, START_WITHIN));
        for connected in join_all(connecting).await {
            connected.map_err(|not_live| {
                StepFailure::unjudged(plan.spot.clone(), not_live.into_failure())
            })?;
        }
        self.note_step_end();
        self.steps(&plan.steps).await?;
        self.refuse_vacuous(&plan.steps)
    }

    pub(super) fn record(&self, verb: &Step, began: Duration) {
        let mut records = lock(&self.records);
        let number = records.len() + 1;
        records.push(StepRecord {
            number,
            label: verb.label(),
            began,
            ended: self.began.elapsed(),
        });
    }

    /// Returns the steps that were carried out.
    pub(crate) fn records(&self) -> Vec<StepRecord> {
        lock(&self.records).clone()
    }

    /// Returns the time at which the steps had ended, since the run began.
    pub(crate) fn ended_at(&self) -> Duration {
        *lock(&self.ended)
    }

    /// Returns the time since the run began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Notes that a step has ended, or that everybody is live.
    pub(super) fn note_step_end(&self) {
        *lock(&self.step_ended) = self.elapsed();
    }

    /// Returns the end of the last step; the time at which everybody was live before there is one.
    pub(super) fn last_step_ended(&self) -> Duration {
        *lock(&self.step_ended)
    }

    /// Counts an expectation that was judged, whether or not it is met.
    pub(super) fn counted<T>(&self, judged: Result<T, StepFailure>) -> Result<T, StepFailure> {
        if !matches!(judged, Err(StepFailure::Unjudged(_))) {
            *lock(&self.judged) += 1;
        }
        judged
    }

    /// Returns the number of expectations that were judged.
    pub(crate) fn judged(&self) -> usize {
        *lock(&self.judged)
    }

    pub(super) fn person(&self, name: &str, spot: &Spot) -> Result<&Arc<Person>, StepFailure> {
        // The plan has refused the names of nobody.
        self.people.get(name).ok_or_else(|| {
            let failure = Failure::usage(format!("nobody is called {name}"));
            StepFailure::unjudged(spot.clone(), failure)
        })
    }

    pub(super) fn save(&self, name: &str, value: Value) {
        lock(&self.variables).set(name, value);
    }

    /// Returns whether a step has saved the order of this id, as the server answered it.
    pub(super) fn is_saved_order(&self, id: &str) -> bool {
        let variables = lock(&self.variables);
        let mut values = variables.values().values();
        values.any(|value| value["_id"] == id && value["orderNumber"].is_string())
    }

    /// Returns the variables, with the number of the present round as `n`.
    fn variables(&self) -> Variables {
        let mut variables = lock(&self.variables).clone();
        if let Some(n) = rounds::present() {
            variables.set("n", Value::from(n));
        }
        variables
    }

    /// Replaces the variables of a text.
    pub(super) fn text(&self, text: &str, spot: &Spot) -> Result<String, StepFailure> {
        let resolved = self.variables().text(text);
        resolved.map_err(|unset| self.unset(&unset, spot))
    }

    /// Replaces the variables in every text of a value.
    pub(super) fn resolve_value(&self, value: &Value, spot: &Spot) -> Result<Value, StepFailure> {
        let resolved = self.variables().resolve(value);
        resolved.map_err(|unset| self.unset(&unset, spot))
    }

    /// Returns the whole value of a text that is only a variable.
    pub(super) fn whole(&self, text: &str, spot: &Spot) -> Result<Value, StepFailure> {
        let whole = self.variables().whole(text);
        whole.map_err(|unset| self.unset(&unset, spot))
    }

    /// Returns the values of all variables for filters. An object with an `_id` is this id.
    pub(super) fn values(&self) -> FilterValues {
        self.variables().identified()
    }

    fn unset(&self, unset_variable: &Unset, spot: &Spot) -> StepFailure {
        let variables = self.variables();
        let known = variables.values().keys().map(String::as_str);
        let mistake = unset(&unset_variable.name, &spot.position, &spot.file, known);
        let failure = Failure::usage(mistake.message.clone());
        let failure = match &mistake.help {
            Some(help) => failure.hint(help),
            None => failure,
        };
        StepFailure::unjudged(spot.at(&mistake.position), failure)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn new_person(
    plan: &PersonPlan,
    user: &str,
    began: Instant,
    context: &Context,
) -> Result<Person, Failure> {
    let user = user
        .parse()
        .map_err(|error| Failure::usage(format!("{}: {error}", plan.name)))?;
    let actor = Actor {
        role: plan.role,
        user,
    };
    let identity = match plan.token {
        TokenPlan::Fresh => Some(context.identity_of(&actor)?),
        TokenPlan::Fixed(flaw, ttl) => {
            let signer = context.settings.token_signer()?;
            let token = mint(&actor, &signer, ttl, flaw, clock::unix_ms())?.token;
            Some(Identity::fixed(&actor, token))
        }
        TokenPlan::None => None,
    };
    let for_rest = match &identity {
        Some(identity) => identity.clone(),
        None => context.identity_of(&actor)?,
    };
    Ok(Person {
        name: plan.name.clone(),
        for_rest,
        identity,
        actor,
        resume: plan.resume,
        transport: plan.transport.unwrap_or(context.transport),
        is_connected_first: plan.is_connected_first,
        device: uuid::Uuid::new_v4().simple().to_string(),
        story: Arc::new(Story::new(began)),
        connection: tokio::sync::Mutex::new(Connection::default()),
        cursor: Mutex::default(),
    })
}
