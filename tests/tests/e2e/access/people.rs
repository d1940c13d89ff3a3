//! The people who try: each with their credentials, and their relation to the order.

use std::fmt;

use metaia_tests::fixtures::token::token;
use metaia_tests::server::rest::Api;
use metaia_tests::server::{API_KEY, Server};
use serde_json::{Value, json};

/// The columns of the tables, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Anonymous,
    NoRole,
    Key,
    Customer,
    Tailor,
    Delivery,
    Admin,
}

/// The user ids that a token has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Owner,
    Tailor,
    Courier,
    Admin,
    Stranger,
}

/// Someone who tries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person {
    pub(super) column: Column,
    /// The role in the token.
    pub(super) role: &'static str,
    pub(super) relation: Relation,
}

impl Column {
    pub(super) const ALL: [Self; 7] = [
        Self::Anonymous,
        Self::NoRole,
        Self::Key,
        Self::Customer,
        Self::Tailor,
        Self::Delivery,
        Self::Admin,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::NoRole => "no role",
            Self::Key => "key",
            Self::Customer => "customer",
            Self::Tailor => "tailor",
            Self::Delivery => "delivery",
            Self::Admin => "admin",
        }
    }

    /// Returns the spellings of the role.
    const fn roles(self) -> &'static [&'static str] {
        match self {
            Self::Anonymous | Self::Key => &["-"],
            Self::NoRole => &["king", "Admin"],
            Self::Customer => &["customer"],
            Self::Tailor => &["tailor"],
            Self::Delivery => &["delivery", "delivery_partner"],
            Self::Admin => &["admin"],
        }
    }

    /// Returns whether its people get sessions.
    pub(super) const fn has_sessions(self) -> bool {
        !matches!(self, Self::Anonymous | Self::NoRole | Self::Key)
    }
}

impl Relation {
    const ALL: [Self; 5] = [
        Self::Owner,
        Self::Tailor,
        Self::Courier,
        Self::Admin,
        Self::Stranger,
    ];

    pub(super) fn named(name: &str) -> Self {
        let found = Self::ALL.into_iter().find(|it| it.name() == name);
        found.unwrap_or_else(|| panic!("docs/access.md: no user is called {name:?}"))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Tailor => "tailor",
            Self::Courier => "courier",
            Self::Admin => "admin",
            Self::Stranger => "stranger",
        }
    }

    /// Returns the user id.
    pub(super) const fn user(self) -> &'static str {
        match self {
            Self::Owner => "c1",
            Self::Tailor => "t1",
            Self::Courier => "d1",
            Self::Admin => "a1",
            Self::Stranger => "s1",
        }
    }
}

/// Returns everyone who tries.
pub(super) fn everyone() -> Vec<Person> {
    let mut people = Vec::new();
    for column in Column::ALL {
        let relations: &[Relation] = if column.has_sessions() {
            &Relation::ALL
        } else {
            &[Relation::Owner]
        };
        for role in column.roles() {
            people.extend(relations.iter().map(|relation| Person {
                column,
                role,
                relation: *relation,
            }));
        }
    }
    people
}

impl Person {
    /// Returns the token that the person shows.
    pub(super) fn token(&self) -> Option<String> {
        match self.column {
            Column::Anonymous => None,
            Column::Key => Some(API_KEY.to_owned()),
            _ => Some(token(self.role, self.relation.user())),
        }
    }

    /// Returns the `auth` that the person connects with.
    pub(super) fn auth(&self) -> Value {
        match self.token() {
            Some(token) => json!({"token": token}),
            None => json!({}),
        }
    }

    /// Returns the REST API as the person uses it.
    pub(super) fn api(&self, server: &Server) -> Api {
        let api = server.anonymous();
        match self.column {
            Column::Anonymous => api,
            Column::Key => api.header("x-api-key", API_KEY),
            _ => server.api(self.role, self.relation.user()),
        }
    }

    /// Returns whether this is the person with this relation in the role that it belongs to.
    pub(super) fn is(&self, column: Column, relation: Relation) -> bool {
        self.column == column && self.relation == relation
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            Column::Anonymous | Column::Key => f.write_str(self.column.name()),
            _ => write!(
                f,
                "{} with the id of the {}",
                self.role,
                self.relation.name()
            ),
        }
    }
}
