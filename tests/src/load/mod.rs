//! Load whose history can be checked: writers of unique values, readers that reconnect by
//! themselves, and one recorder for both. The test itself causes the faults.

mod naming;
mod official;
mod orders;
mod reader;
mod seen;
mod small;
mod writer;

pub use naming::{audit, name_values};
pub use official::Official;
pub use orders::{orders, reassign};
pub use reader::Reader;
pub use small::{emits, notifications, payments};
pub use writer::Writer;

use std::time::Duration;

use serde_json::{Value, json};

use crate::checker::{Fact, Recorder};
use crate::fixtures::token::{Token, in_seconds};

/// The way in which a client tells the server where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResumeBy {
    /// The client sends its last position as `auth.since`.
    Since,
    /// The client knows no positions and sends a device id.
    Device,
    /// The client knows neither: its token has a `jti`.
    TokenId,
}

/// The configuration of a reader.
#[derive(Debug, Clone)]
pub struct ReaderSpec {
    /// The client's name in the history.
    pub name: String,
    /// The role of the user.
    pub role: &'static str,
    /// The user's id.
    pub user: &'static str,
    /// The orders whose rooms the client joins.
    pub orders: Vec<String>,
    /// The way in which the client resumes.
    pub resume_by: ResumeBy,
    /// The lifetime of its token in seconds.
    pub seconds: u32,
}

impl ReaderSpec {
    /// Creates a client of this user without order rooms.
    #[must_use]
    pub fn new(name: &str, role: &'static str, user: &'static str, resume_by: ResumeBy) -> Self {
        Self {
            name: name.to_owned(),
            role,
            user,
            orders: Vec::new(),
            resume_by,
            seconds: 3_600,
        }
    }

    /// Joins the rooms of these orders, too.
    #[must_use]
    pub fn following(mut self, orders: &[&str]) -> Self {
        self.orders = orders.iter().map(|order| (*order).to_owned()).collect();
        self
    }

    /// Sets the lifetime of the token in seconds.
    #[must_use]
    pub fn lasting(mut self, seconds: u32) -> Self {
        self.seconds = seconds;
        self
    }

    /// Returns the `auth` of the client's first CONNECT.
    #[must_use]
    pub fn auth(&self) -> Value {
        let mut claims =
            json!({"userId": self.user, "role": self.role, "exp": in_seconds(self.seconds.into())});
        if self.resume_by == ResumeBy::TokenId {
            claims["jti"] = json!(format!("jti-{}", self.name));
        }
        let mut auth = json!({"token": Token::with_claims(&claims).sign(), "orders": self.orders});
        if self.resume_by == ResumeBy::Device {
            auth["device"] = json!(self.name.replace(' ', "-"));
        }
        auth
    }

    /// Records the rooms that the client may see, and until when.
    pub fn grant(&self, recorder: &Recorder) {
        let until = recorder.now() + Duration::from_secs(self.seconds.into());
        recorder.note(Fact::Token {
            client: self.name.clone(),
            until,
        });
        let own = [
            "everyone".to_owned(),
            format!("user-{}", self.user),
            format!("{}-room", self.role),
        ];
        let orders = self.orders.iter().map(|order| format!("order-{order}"));
        for room in own.into_iter().chain(orders) {
            recorder.note(Fact::Granted {
                user: self.user.to_owned(),
                room,
            });
        }
    }
}
