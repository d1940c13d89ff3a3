//! A scenario file as it is written. Its types are the format: their names, their documentation and
//! what they refuse are also the JSON Schema that `metaia test --schema` prints.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::located::Located;
use super::steps::Step;

/// A METAIA scenario: people, what they do, and what each of them must receive.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "METAIA scenario")]
pub(crate) struct Document {
    /// The name of the scenario: the rule that it checks, as a sentence.
    pub(crate) scenario: Located<String>,
    /// Words by which `--tag` selects it.
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    /// `true`: it runs while no other scenario does, for one that reaches the people of others,
    /// such as by an event for everyone.
    #[serde(default)]
    pub(crate) alone: bool,
    /// Values of variables. `--var NAME=VALUE` replaces one; a variable that is `null` here must be
    /// given by `--var`, otherwise the scenario is skipped.
    #[serde(default)]
    pub(crate) vars: BTreeMap<String, Value>,
    /// Variables with several values: the scenario runs once for each combination.
    #[serde(default)]
    pub(crate) matrix: BTreeMap<String, Vec<Value>>,
    /// The people by the names that the steps use. Each has an id of its own in each run, and is
    /// connected before the first step.
    pub(crate) people: BTreeMap<String, Located<PersonEntry>>,
    /// The steps, in order.
    pub(crate) steps: Vec<Located<Step>>,
}

/// A person: a role, or a role and how this person connects.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub(crate) enum PersonEntry {
    Role(String),
    Person(Box<PersonOptions>),
}

/// A person, and how this person connects.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonOptions {
    /// `customer`, `tailor`, `delivery` or `admin`.
    pub(crate) role: String,
    /// The user id, instead of a fresh one: `$NAME` of another person makes this a second device of
    /// that person.
    pub(crate) user: Option<String>,
    /// The way in which missed events are asked for after a cut: `position` (default) sends the
    /// last position, `device` a device id, `token` the same token again, `none` nothing.
    pub(crate) resume: Option<String>,
    /// `websocket` (default), `polling`, or `upgrade`.
    pub(crate) transport: Option<String>,
    /// `false` leaves the person unconnected until a step `back`.
    pub(crate) connect: Option<bool>,
    /// A deliberately bad token: `expired`, `bad_signature` or `none`.
    pub(crate) token: Option<String>,
    /// The lifetime of the token, such as `2s`. The same token is used until then.
    pub(crate) ttl: Option<String>,
}

impl PersonEntry {
    /// Returns the options; a role alone has no others.
    pub(crate) fn options(&self) -> PersonOptions {
        match self {
            Self::Role(role) => PersonOptions {
                role: role.clone(),
                ..PersonOptions::default()
            },
            Self::Person(options) => (**options).clone(),
        }
    }
}

/// Written by hand so that an unknown member is named, with its place: a derived one only says that
/// no variant matches.
impl<'de> Deserialize<'de> for PersonEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntryVisitor;

        impl<'de> Visitor<'de> for EntryVisitor {
            type Value = PersonEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a role, or a map such as { role: customer, resume: device }")
            }

            fn visit_str<E: de::Error>(self, role: &str) -> Result<PersonEntry, E> {
                Ok(PersonEntry::Role(role.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PersonEntry, A::Error> {
                let options = PersonOptions::deserialize(MapAccessDeserializer::new(map))?;
                Ok(PersonEntry::Person(Box::new(options)))
            }
        }

        deserializer.deserialize_any(EntryVisitor)
    }
}
