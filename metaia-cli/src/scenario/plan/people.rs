//! The people of one case, with their options checked.

use std::collections::BTreeMap;
use std::time::Duration;

use metaia_realtime::Role;
use metaia_realtime::client::Transport;
use metaia_realtime::values::UnknownRole;

use crate::scenario::document::{PersonEntry, PersonOptions};
use crate::scenario::located::Located;
use crate::scenario::variables::Variables;
use crate::source_file::{FilePosition, Mistake};
use crate::span;
use crate::token::Flaw;

/// A person of one case.
#[derive(Debug, Clone)]
pub(crate) struct PersonPlan {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// A text with variables, or nothing for a fresh id.
    pub(crate) user: Option<String>,
    pub(crate) resume: ResumeBy,
    pub(crate) transport: Option<Transport>,
    pub(crate) is_connected_first: bool,
    pub(crate) token: TokenPlan,
    pub(crate) position: FilePosition,
}

/// The way in which a person asks for what was missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResumeBy {
    /// The last position.
    Position,
    /// The id of the device.
    Device,
    /// The same token again.
    Token,
    Nothing,
}

/// The token of a person.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TokenPlan {
    /// A new one at each connection.
    Fresh,
    /// One for all connections.
    Fixed(Flaw, Duration),
    None,
}

/// The lifetime of a token that is used again, unless `ttl` says another.
const FIXED_TTL: Duration = Duration::from_secs(3600);

/// Checks the people, in the order of their names.
pub(super) fn plan(
    people: &BTreeMap<String, Located<PersonEntry>>,
    variables: &Variables,
) -> Result<Vec<PersonPlan>, Mistake> {
    let planned = people.iter().map(|(name, entry)| {
        let options = Options {
            options: entry.value.options(),
            position: &entry.position,
            variables,
        };
        options.plan(name)
    });
    let planned: Vec<PersonPlan> = planned.collect::<Result<_, _>>()?;
    for person in &planned {
        check_user(person, people, variables)?;
    }
    Ok(planned)
}

/// Refuses a `user` that names neither a person nor a variable.
fn check_user(
    person: &PersonPlan,
    people: &BTreeMap<String, Located<PersonEntry>>,
    variables: &Variables,
) -> Result<(), Mistake> {
    let user = person.user.as_deref().unwrap_or_default();
    for name in crate::scenario::variables::names_in_text(user) {
        let is_known = variables.get(name).is_some() || name == "run";
        if !is_known && (name == person.name || !people.contains_key(name)) {
            let text = format!(
                "`user` of `{}` uses `${name}`, which has no value",
                person.name
            );
            return Err(Mistake::new(&person.position, text).help("name another person"));
        }
    }
    Ok(())
}

/// The options of one person, with the variables of the case.
struct Options<'a> {
    options: PersonOptions,
    position: &'a FilePosition,
    variables: &'a Variables,
}

impl Options<'_> {
    fn plan(self, name: &str) -> Result<PersonPlan, Mistake> {
        let role = self.resolve(&self.options.role)?;
        let role: Role = role
            .parse()
            .map_err(|error: UnknownRole| self.mistake(error.to_string()))?;
        let resume = self.resume()?;
        Ok(PersonPlan {
            name: name.to_owned(),
            role,
            user: self.options.user.clone(),
            resume,
            transport: self.transport()?,
            is_connected_first: self.options.connect.unwrap_or(true),
            token: self.token(resume)?,
            position: self.position.clone(),
        })
    }

    fn resume(&self) -> Result<ResumeBy, Mistake> {
        let Some(resume) = &self.options.resume else {
            return Ok(ResumeBy::Position);
        };
        Ok(match self.resolve(resume)?.as_str() {
            "position" => ResumeBy::Position,
            "device" => ResumeBy::Device,
            "token" => ResumeBy::Token,
            "none" => ResumeBy::Nothing,
            other => {
                let text = format!("`resume: {other}`: expected position, device, token or none");
                return Err(self.mistake(text));
            }
        })
    }

    fn transport(&self) -> Result<Option<Transport>, Mistake> {
        let Some(transport) = &self.options.transport else {
            return Ok(None);
        };
        let transport = self.resolve(transport)?;
        let parsed = crate::context::transport(&transport);
        parsed
            .map(Some)
            .map_err(|expected| self.mistake(format!("`transport: {transport}`: {expected}")))
    }

    fn token(&self, resume: ResumeBy) -> Result<TokenPlan, Mistake> {
        let ttl = match &self.options.ttl {
            Some(ttl) => {
                let ttl = self.resolve(ttl)?;
                let parsed = span::parse(&ttl);
                Some(parsed.map_err(|expected| self.mistake(format!("`ttl: {ttl}`: {expected}")))?)
            }
            None => None,
        };
        let fixed = |flaw| TokenPlan::Fixed(flaw, ttl.unwrap_or(FIXED_TTL));
        let Some(token) = &self.options.token else {
            let is_used_again = resume == ResumeBy::Token || ttl.is_some();
            return Ok(if is_used_again {
                fixed(Flaw::None)
            } else {
                TokenPlan::Fresh
            });
        };
        Ok(match self.resolve(token)?.as_str() {
            "expired" => fixed(Flaw::Expired),
            "bad_signature" => fixed(Flaw::BadSignature),
            "none" => TokenPlan::None,
            other => {
                let text = format!("`token: {other}`: expected expired, bad_signature or none");
                return Err(self.mistake(text));
            }
        })
    }

    fn resolve(&self, text: &str) -> Result<String, Mistake> {
        self.variables
            .text(text)
            .map_err(|unset| self.mistake(format!("the variable `${}` has no value", unset.name)))
    }

    fn mistake(&self, text: impl Into<String>) -> Mistake {
        Mistake::new(self.position, text)
    }
}
