//! The users and orders that the matrix makes at the server for itself, and their end.

use reqwest::Method;
use serde_json::{Value, json};

use super::subject::Subject;
use crate::actor::Actor;
use crate::context::Context;
use crate::example_order::example_order;
use crate::exit::{Exit, Failure};
use crate::identity::{Authority, Identity};
use crate::members::text_member;
use crate::rest::Api;

/// The variable of the API key.
const API_KEY: &str = "METAIA_API_KEY";

/// A subject with its credentials.
#[derive(Debug)]
pub(super) struct SubjectLogin {
    pub(super) subject: Subject,
    /// `None` without a token.
    pub(super) authority: Option<Authority>,
}

impl SubjectLogin {
    /// Returns the identity of a subject with a token.
    pub(super) fn identity(&self) -> Option<&Identity> {
        match &self.authority {
            Some(Authority::Token(identity)) => Some(identity),
            _ => None,
        }
    }
}

/// The people, with user ids of their own.
#[derive(Debug)]
pub(super) struct Company {
    pub(super) logins: Vec<SubjectLogin>,
    suffix: String,
}

/// The orders of a measurement.
#[derive(Debug, Default)]
pub(super) struct Stage {
    /// The owner's order, with the tailor and the courier.
    pub(super) order: String,
    /// Another customer's order.
    pub(super) other: String,
    /// The open payment of the order.
    pub(super) payment: Value,
    /// A notification of the owner.
    pub(super) notification: String,
    /// All orders that were placed.
    placed: Vec<String>,
}

impl Company {
    /// Returns the people whom this command can be. No API key, no backend.
    pub(super) fn of(context: &Context) -> Result<Self, Failure> {
        let random = uuid::Uuid::new_v4().simple().to_string();
        let suffix = random[..10].to_owned();
        let mut logins = Vec::new();
        for subject in Subject::ALL {
            let authority = match subject {
                Subject::Anonymous => None,
                Subject::Backend => match context.settings.find(API_KEY) {
                    Some(key) => Some(Authority::ApiKey(key)),
                    None => continue,
                },
                _ => {
                    let actor = actor(subject, &suffix)?;
                    Some(Authority::Token(context.mint_for(&actor)?))
                }
            };
            logins.push(SubjectLogin { subject, authority });
        }
        Ok(Self { logins, suffix })
    }

    pub(super) fn subjects(&self) -> Vec<Subject> {
        self.logins.iter().map(|login| login.subject).collect()
    }

    /// Returns the user id of a subject.
    pub(super) fn user(&self, subject: Subject) -> String {
        user(subject, &self.suffix)
    }

    /// Returns the credentials of a subject that has a token.
    pub(super) fn authority(&self, subject: Subject) -> Result<&Authority, Failure> {
        let login = self.logins.iter().find(|login| login.subject == subject);
        let authority = login.and_then(|login| login.authority.as_ref());
        authority.ok_or_else(|| {
            let text = format!("{} has no credentials", subject.name());
            Failure::new(Exit::Failed, text)
        })
    }
}

fn actor(subject: Subject, suffix: &str) -> Result<Actor, Failure> {
    let role = subject
        .role()
        .map_or_else(String::new, |role| role.to_string());
    format!("{role}:{}", user(subject, suffix))
        .parse()
        .map_err(|error: String| Failure::new(Exit::Failed, error))
}

fn user(subject: Subject, suffix: &str) -> String {
    let name = subject.user().name().replace(' ', "-");
    format!("matrix-{name}-{suffix}")
}

impl Stage {
    /// Places and assigns the orders. What was placed is remembered also if this fails half way.
    pub(super) async fn set(&mut self, company: &Company, api: &Api<'_>) -> Result<(), Failure> {
        let owner = company.authority(Subject::Owner)?;
        self.order = self.place(owner, api).await?;
        let other = company.authority(Subject::OtherCustomer)?;
        self.other = self.place(other, api).await?;
        let assignees = json!({
            "tailor": company.user(Subject::Tailor),
            "deliveryPartner": company.user(Subject::Courier),
        });
        let admin = company.authority(Subject::Admin)?;
        self.assign(&assignees, admin, api).await?;
        let path = format!("/api/payments/orders/{}", self.order);
        let opened = api.send(Method::POST, &path, owner, Some(&json!({}))).await;
        let opened = opened.map_err(|failure| failure.within("a payment cannot be opened"))?;
        self.payment = opened.data["payment"].clone();
        let notices = api
            .send(Method::GET, "/api/notifications?limit=1", owner, None)
            .await?;
        self.notification = id_of(&notices.data["notifications"][0])?;
        Ok(())
    }

    async fn place(&mut self, customer: &Authority, api: &Api<'_>) -> Result<String, Failure> {
        let body = example_order();
        let placed = api
            .send(Method::POST, "/api/orders", customer, Some(&body))
            .await
            .map_err(|failure| failure.within("an order cannot be placed"))?;
        let order = id_of(&placed.data["order"])?;
        self.placed.push(order.clone());
        Ok(order)
    }

    /// Assigns the order.
    pub(super) async fn assign(
        &self,
        assignees: &Value,
        admin: &Authority,
        api: &Api<'_>,
    ) -> Result<(), Failure> {
        let path = format!("/api/orders/{}/assign", self.order);
        let assigned = api.send(Method::PUT, &path, admin, Some(assignees)).await;
        assigned.map_err(|failure| failure.within("the order cannot be assigned"))?;
        Ok(())
    }

    /// Cancels the orders, and returns those that it could not cancel, with the reason.
    pub(super) async fn clear(&self, company: &Company, api: &Api<'_>) -> Vec<String> {
        let Ok(admin) = company.authority(Subject::Admin) else {
            return Vec::new();
        };
        let ends = self.placed.iter().map(|order| async move {
            let path = format!("/api/orders/{order}/status");
            let body = json!({"status": "cancelled"});
            let ended = api.send(Method::PUT, &path, admin, Some(&body)).await;
            ended
                .err()
                .map(|failure| format!("{order}: {}", failure.chain()))
        });
        let ends = futures_util::future::join_all(ends).await;
        ends.into_iter().flatten().collect()
    }

    /// Returns a text with the ids of this stage in place of the placeholders.
    pub(super) fn fill(&self, template: &str, company: &Company) -> String {
        let provider_order = self.payment["razorpayOrderId"].as_str().unwrap_or_default();
        let session = uuid::Uuid::new_v4().simple().to_string();
        template
            .replace("{order}", &self.order)
            .replace("{other}", &self.other)
            .replace("{notification}", &self.notification)
            .replace("{provider_order}", provider_order)
            .replace("{session}", &session)
            .replace("{user}", &company.user(Subject::Owner))
    }
}

fn id_of(record: &Value) -> Result<String, Failure> {
    text_member(record, "_id").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_person_has_a_user_of_the_run() {
        let owner = actor(Subject::Owner, "1a2b").unwrap();
        assert_eq!(owner.to_string(), "customer:matrix-owner-1a2b");
        let same = actor(Subject::OwnerAsTailor, "1a2b").unwrap();
        assert_eq!(same.to_string(), "tailor:matrix-owner-1a2b");
        let other = actor(Subject::OtherCourier, "1a2b").unwrap();
        assert_eq!(other.to_string(), "delivery:matrix-other-courier-1a2b");
    }
}
