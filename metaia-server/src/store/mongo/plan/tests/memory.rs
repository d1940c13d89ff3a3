//! Collections in memory: enough of a database to carry out plans in the order of a committer.

use std::collections::BTreeMap;

use metaia_realtime::mongo::RecordWrite;
use mongodb::bson::{Bson, Document, doc};

use super::super::{
    super::{
        document::{CLAIMS, NOTIFICATIONS, ORDERS, PAYMENTS, PROVIDER_EVENTS, TAILORS, unread_in},
        filter,
    },
    Facts, WantedFacts,
};
use crate::model::Timestamp;

/// Documents by collection and id.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Memory(BTreeMap<&'static str, BTreeMap<String, Document>>);

impl Memory {
    fn all(&self, collection: &str) -> Vec<Document> {
        self.0
            .get(collection)
            .into_iter()
            .flat_map(BTreeMap::values)
            .cloned()
            .collect()
    }

    fn matching(&self, collection: &str, filter: &Document) -> Vec<Document> {
        self.all(collection)
            .into_iter()
            .filter(|document| matches(filter, document))
            .collect()
    }

    /// Returns the facts about all documents, which include the wanted ones.
    pub(super) fn facts(&self, wanted: WantedFacts) -> Facts {
        let mut facts = Facts::new(Timestamp::from_ms(0).unwrap());
        facts.load_orders(&self.all(ORDERS));
        let mut under_way = self.all(ORDERS);
        under_way.retain(|order| {
            !["pending", "delivered", "cancelled"].contains(&order.get_str("status").unwrap())
        });
        facts.load_under_way(&under_way);
        facts.load_tailors(&self.all(TAILORS));
        facts.load_payments(&self.all(PAYMENTS));
        facts.load_provider_events(&self.all(PROVIDER_EVENTS));
        facts.load_claims(&self.all(CLAIMS));
        let mut found = self.all(NOTIFICATIONS);
        found.retain(|document| {
            wanted
                .notifications
                .iter()
                .any(|(user, id)| matches(&filter::own_notification(user, *id), document))
        });
        facts.load_notifications(&found);
        let unread = self.matching(NOTIFICATIONS, &doc! { "read": unread_in() });
        let count =
            |document: &Document| doc! { "_id": document.get("user").unwrap().clone(), "n": 1 };
        let counted: Vec<Document> = unread.iter().map(count).collect();
        facts.load_unread(wanted.counted, &counted, &unread);
        facts
    }

    /// Carries out the inserts, then the updates, each in their order. The condition of every write
    /// must hold.
    pub(super) fn carry_out(&mut self, writes: &[RecordWrite]) {
        for write in in_order(writes) {
            assert!(self.write(write), "a condition does not hold: {write:?}");
        }
    }

    /// Carries out writes that were carried out before, and checks that they change nothing.
    pub(super) fn carry_out_again(&mut self, writes: &[RecordWrite]) {
        let before = format!("{self:?}");
        for write in in_order(writes) {
            self.write(write);
        }
        assert_eq!(format!("{self:?}"), before, "carried out twice: {writes:?}");
    }

    /// Carries out a write. Returns false if it must have an effect and has none.
    fn write(&mut self, write: &RecordWrite) -> bool {
        match write {
            RecordWrite::Insert {
                collection,
                document,
            } => {
                let id = document.get("_id").unwrap().to_string();
                let free = !self.0.entry(collection).or_default().contains_key(&id);
                if free {
                    self.0
                        .entry(collection)
                        .or_default()
                        .insert(id, document.clone());
                }
                free
            }
            RecordWrite::Update {
                collection,
                filter,
                update,
            } => self.update(collection, filter, update) == 1,
            RecordWrite::UpdateMany {
                collection,
                filter,
                update,
            } => {
                self.update(collection, filter, update);
                true
            }
            other => unreachable!("never planned: {other:?}"),
        }
    }

    fn update(&mut self, collection: &'static str, filter: &Document, update: &Document) -> usize {
        let documents = self.0.entry(collection).or_default().values_mut();
        let found: Vec<&mut Document> = documents
            .filter(|document| matches(filter, document))
            .collect();
        let count = found.len();
        for document in found {
            match update.get_document("$set") {
                Ok(fields) => document.extend(fields.clone()),
                Err(_) => *document = update.clone(),
            }
            if let Ok(added) = update.get_document("$addToSet") {
                add_to_lists(document, added);
            }
        }
        count
    }
}

fn add_to_lists(document: &mut Document, added: &Document) {
    for (name, each) in added {
        let each = each.as_document().unwrap().get_array("$each").unwrap();
        let list = document.get_array_mut(name).unwrap();
        for value in each {
            if !list.contains(value) {
                list.push(value.clone());
            }
        }
    }
}

fn in_order(writes: &[RecordWrite]) -> impl Iterator<Item = &RecordWrite> {
    let inserts = |write: &&RecordWrite| matches!(write, RecordWrite::Insert { .. });
    writes
        .iter()
        .filter(inserts)
        .chain(writes.iter().filter(move |write| !inserts(write)))
}

fn matches(filter: &Document, document: &Document) -> bool {
    filter
        .iter()
        .all(|(name, wanted)| meets(wanted, document.get(name)))
}

fn meets(wanted: &Bson, value: Option<&Bson>) -> bool {
    let Bson::Document(operators) = wanted else {
        return value.unwrap_or(&Bson::Null) == wanted;
    };
    operators
        .iter()
        .all(|(operator, operand)| match (operator.as_str(), operand) {
            ("$eq", operand) => value == Some(operand),
            ("$exists", operand) => Some(value.is_some()) == operand.as_bool(),
            ("$in", Bson::Array(any)) => any.contains(value.unwrap_or(&Bson::Null)),
            other => unreachable!("never asked: {other:?}"),
        })
}
