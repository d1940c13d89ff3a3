//! The scenarios that need minted tokens. Without the secret for that, the context in use has at
//! most one token for each role, which cannot stand for two people, or for an expired token.

use metaia_realtime::Role;

use crate::context::Context;
use crate::scenario::{PersonPlan, TokenPlan};

/// Returns the reason why these people need minted tokens, if there is a context without the secret
/// for that.
pub(super) fn needed(people: &[PersonPlan], context: &Context) -> Option<String> {
    let of_context = context.settings.context()?;
    if context.settings.has_jwt_secret() {
        return None;
    }
    let reason = reason(people, |role| of_context.token_of(role).is_some())?;
    let name = &of_context.name;
    Some(format!(
        "needs to mint tokens: {reason}, and the context {name} has no jwt_secret"
    ))
}

fn reason(people: &[PersonPlan], has_token: impl Fn(Role) -> bool) -> Option<String> {
    let mut seen: Vec<&PersonPlan> = Vec::new();
    for person in people {
        let PersonPlan { name, role, .. } = person;
        if matches!(person.token, TokenPlan::Fixed(..)) {
            return Some(format!("{name} has a token of its own"));
        }
        if let Some(other) = seen.iter().find(|other| other.role == *role) {
            return Some(format!("{} and {name} are both {role}", other.name));
        }
        if !has_token(*role) {
            return Some(format!("there is no token of {name}, who is {role}"));
        }
        seen.push(person);
    }
    None
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::scenario::ResumeBy;
    use crate::source_file::FilePosition;
    use crate::token::Flaw;

    fn person(name: &str, role: Role, token: TokenPlan) -> PersonPlan {
        PersonPlan {
            name: name.to_owned(),
            role,
            user: None,
            resume: ResumeBy::Position,
            transport: None,
            is_connected_first: true,
            token,
            position: FilePosition::default(),
        }
    }

    #[test]
    fn one_token_stands_for_one_person_of_its_role() {
        let buyer = || person("buyer", Role::Customer, TokenPlan::Fresh);
        let boss = person("boss", Role::Admin, TokenPlan::Fresh);
        let other = person("other", Role::Customer, TokenPlan::Fresh);
        let expired = TokenPlan::Fixed(Flaw::Expired, Duration::from_secs(1));
        let late = person("late", Role::Customer, expired);
        let of_customers = |role| role == Role::Customer;
        assert_eq!(reason(&[buyer()], of_customers), None);
        let reason = |people: &[PersonPlan]| reason(people, of_customers).unwrap();
        assert_eq!(
            reason(&[buyer(), other]),
            "buyer and other are both customer"
        );
        assert_eq!(
            reason(&[buyer(), boss]),
            "there is no token of boss, who is admin"
        );
        assert_eq!(reason(&[late]), "late has a token of its own");
    }
}
