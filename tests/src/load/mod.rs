//! Load whose history can be judged: writers of unique values, readers that come back by
//! themselves, and a recorder that both report to. Faults are the test's own business.

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

/// How a client says where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It sends the last position as `auth.since`.
    Since,
    /// It knows of no positions, and has a device id.
    Device,
    /// It knows of neither: its token has a `jti`.
    TokenId,
}

/// A reader to be.
#[derive(Debug, Clone)]
pub struct Who {
    /// What the history calls it.
    pub name: String,
    /// Its user's role.
    pub role: &'static str,
    /// Its user.
    pub user: &'static str,
    /// The orders whose rooms it asks for.
    pub orders: Vec<String>,
    /// How it comes back.
    pub way: Way,
    /// How many seconds its token is good.
    pub seconds: u32,
}

impl Who {
    /// A client of this user, without order rooms.
    #[must_use]
    pub fn new(name: &str, role: &'static str, user: &'static str, way: Way) -> Self {
        Self {
            name: name.to_owned(),
            role,
            user,
            orders: Vec::new(),
            way,
            seconds: 3_600,
        }
    }

    /// In these orders' rooms, too.
    #[must_use]
    pub fn following(mut self, orders: &[&str]) -> Self {
        self.orders = orders.iter().map(|order| (*order).to_owned()).collect();
        self
    }

    /// With a token for so many seconds.
    #[must_use]
    pub fn lasting(mut self, seconds: u32) -> Self {
        self.seconds = seconds;
        self
    }

    /// What it sends in its first CONNECT.
    #[must_use]
    pub fn auth(&self) -> Value {
        let mut claims =
            json!({"userId": self.user, "role": self.role, "exp": in_seconds(self.seconds.into())});
        if self.way == Way::TokenId {
            claims["jti"] = json!(format!("jti-{}", self.name));
        }
        let mut auth = json!({"token": Token::claiming(&claims).sign(), "orders": self.orders});
        if self.way == Way::Device {
            auth["device"] = json!(self.name.replace(' ', "-"));
        }
        auth
    }

    /// Notes which rooms it may see, and how long.
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
