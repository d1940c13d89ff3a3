//! The members of the provider's events that are read, as they are written.
//!
//! Everything else is read over, and may be what no value of Rust can hold: an unpaired surrogate,
//! bytes that are no UTF-8, a number beyond every range, or any depth.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The members that are there, of any type. Of several with one name the last counts.
#[derive(Debug, Default)]
pub(super) struct ProviderMembers<'a> {
    /// `event`, the name of the event.
    pub(super) event: Option<&'a RawValue>,
    // The others are those of `payload.payment.entity`.
    pub(super) id: Option<&'a RawValue>,
    pub(super) order_id: Option<&'a RawValue>,
    pub(super) amount: Option<&'a RawValue>,
    pub(super) currency: Option<&'a RawValue>,
    pub(super) refund_status: Option<&'a RawValue>,
}

/// An object on the way to the members.
#[derive(Debug, Clone, Copy)]
enum Place {
    Event,
    Payload,
    Payment,
    Entity,
}

/// Reads the value at a place. If it is no object, it has no members.
struct MemberReader<'m, 'a> {
    place: Place,
    members: &'m mut ProviderMembers<'a>,
}

/// The name of a member, which need not be UTF-8.
struct Name;

impl<'a> ProviderMembers<'a> {
    /// Reads an event out of a body.
    pub(super) fn read(body: &'a [u8]) -> serde_json::Result<Self> {
        let mut members = Self::default();
        let mut document = serde_json::Deserializer::from_slice(body);
        let reader = MemberReader {
            place: Place::Event,
            members: &mut members,
        };
        reader.deserialize(&mut document)?;
        document.end()?;
        Ok(members)
    }

    /// Returns the place of a member that is read.
    fn slot(&mut self, place: Place, name: &[u8]) -> Option<&mut Option<&'a RawValue>> {
        match (place, name) {
            (Place::Event, b"event") => Some(&mut self.event),
            (Place::Entity, b"id") => Some(&mut self.id),
            (Place::Entity, b"order_id") => Some(&mut self.order_id),
            (Place::Entity, b"amount") => Some(&mut self.amount),
            (Place::Entity, b"currency") => Some(&mut self.currency),
            (Place::Entity, b"refund_status") => Some(&mut self.refund_status),
            _ => None,
        }
    }

    /// Forgets the entity: its object, or one around it, comes again.
    fn forget_entity(&mut self) {
        *self = Self {
            event: self.event,
            ..Self::default()
        };
    }
}

impl Place {
    /// Returns the object that is a member of this one.
    fn inner(self, name: &[u8]) -> Option<Self> {
        match (self, name) {
            (Self::Event, b"payload") => Some(Self::Payload),
            (Self::Payload, b"payment") => Some(Self::Payment),
            (Self::Payment, b"entity") => Some(Self::Entity),
            _ => None,
        }
    }
}

impl<'a> DeserializeSeed<'a> for MemberReader<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for MemberReader<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name)? {
            if let Some(place) = self.place.inner(&name) {
                self.members.forget_entity();
                let members = &mut *self.members;
                map.next_value_seed(MemberReader { place, members })?;
            } else if let Some(slot) = self.members.slot(self.place, &name) {
                *slot = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

impl<'a> DeserializeSeed<'a> for Name {
    type Value = Vec<u8>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Vec<u8>, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Vec<u8>, E> {
        Ok(name.to_owned())
    }
}
