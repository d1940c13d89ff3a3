//! Writes, grouped so that a batch takes few commands. A pure kernel.
//!
//! What is done to one collection stays in its order. Only an insert goes ahead of updates of
//! single documents, which name those that were there before.

use std::borrow::Cow;

use mongodb::bson::{Bson, Document, doc};

use crate::mongo::RecordWrite;

/// Writes of one kind to one collection: one command.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub(super) collection: Cow<'static, str>,
    pub(super) writes: Writes,
}

/// What is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Writes {
    Insert(Vec<Document>),
    /// Filters and updates, of one document each.
    Update(Vec<(Document, Document)>),
    /// The same, of any number of documents.
    UpdateMany(Vec<(Document, Document)>),
    Delete(Vec<Document>),
}

impl Group {
    /// As a document holds it.
    pub(super) fn to_document(&self) -> Document {
        let pairs = |these: &[(Document, Document)]| -> Vec<Bson> {
            these
                .iter()
                .map(|(filter, update)| vec![filter.clone(), update.clone()].into())
                .collect()
        };
        let (kind, items): (_, Vec<Bson>) = match &self.writes {
            Writes::Insert(documents) => (
                "insert",
                documents.iter().cloned().map(Bson::from).collect(),
            ),
            Writes::Update(these) => ("update", pairs(these)),
            Writes::UpdateMany(these) => ("updateMany", pairs(these)),
            Writes::Delete(filters) => {
                ("delete", filters.iter().cloned().map(Bson::from).collect())
            }
        };
        doc! { "collection": &*self.collection, "kind": kind, "items": items }
    }

    /// What [`to_document`](Self::to_document) gave.
    pub(super) fn of_document(document: &Document) -> Option<Self> {
        let collection = document.get_str("collection").ok()?.to_owned().into();
        let items = document.get_array("items").ok()?;
        let documents = || {
            items
                .iter()
                .map(|item| item.as_document().cloned())
                .collect::<Option<Vec<_>>>()
        };
        let pairs = || items.iter().map(pair).collect::<Option<Vec<_>>>();
        let writes = match document.get_str("kind").ok()? {
            "insert" => Writes::Insert(documents()?),
            "update" => Writes::Update(pairs()?),
            "updateMany" => Writes::UpdateMany(pairs()?),
            "delete" => Writes::Delete(documents()?),
            _ => return None,
        };
        Some(Self { collection, writes })
    }
}

fn pair(item: &Bson) -> Option<(Document, Document)> {
    let [filter, update] = item.as_array()?.as_slice() else {
        return None;
    };
    Some((filter.as_document()?.clone(), update.as_document()?.clone()))
}

/// Takes the writes in their order.
pub(super) fn grouped(writes: impl IntoIterator<Item = RecordWrite>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for write in writes {
        match write {
            RecordWrite::Insert {
                collection,
                document,
            } => insert(&mut groups, collection, document),
            RecordWrite::Update {
                collection,
                filter,
                update,
            } => {
                if let Some(Writes::Update(these)) = last(&mut groups, collection) {
                    these.push((filter, update));
                } else {
                    groups.push(Group {
                        collection: collection.into(),
                        writes: Writes::Update(vec![(filter, update)]),
                    });
                }
            }
            RecordWrite::UpdateMany {
                collection,
                filter,
                update,
            } => {
                if let Some(Writes::UpdateMany(these)) = last(&mut groups, collection) {
                    these.push((filter, update));
                } else {
                    groups.push(Group {
                        collection: collection.into(),
                        writes: Writes::UpdateMany(vec![(filter, update)]),
                    });
                }
            }
            RecordWrite::Delete { collection, filter } => {
                if let Some(Writes::Delete(these)) = last(&mut groups, collection) {
                    these.push(filter);
                } else {
                    groups.push(Group {
                        collection: collection.into(),
                        writes: Writes::Delete(vec![filter]),
                    });
                }
            }
        }
    }
    groups
}

/// The last that is done to the collection.
fn last<'a>(groups: &'a mut [Group], collection: &str) -> Option<&'a mut Writes> {
    groups
        .iter_mut()
        .rev()
        .find(|group| group.collection == collection)
        .map(|group| &mut group.writes)
}

fn insert(groups: &mut Vec<Group>, collection: &'static str, document: Document) {
    let theirs = groups
        .iter_mut()
        .rev()
        .filter(|group| group.collection == collection);
    for group in theirs {
        match &mut group.writes {
            Writes::Insert(documents) => {
                documents.push(document);
                return;
            }
            Writes::Update(_) => {}
            Writes::UpdateMany(_) | Writes::Delete(_) => break,
        }
    }
    groups.push(Group {
        collection: collection.into(),
        writes: Writes::Insert(vec![document]),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use mongodb::bson::doc;

    fn insert(collection: &'static str, id: i32) -> RecordWrite {
        RecordWrite::Insert {
            collection,
            document: doc! { "_id": id },
        }
    }

    fn update(collection: &'static str, id: i32) -> RecordWrite {
        RecordWrite::Update {
            collection,
            filter: doc! { "_id": id },
            update: doc! {},
        }
    }

    fn many(collection: &'static str) -> RecordWrite {
        RecordWrite::UpdateMany {
            collection,
            filter: doc! {},
            update: doc! {},
        }
    }

    #[test]
    fn a_group_reads_back() {
        let delete = RecordWrite::Delete {
            collection: "o",
            filter: doc! { "a": { "$lt": 3 } },
        };
        for group in grouped([insert("o", 1), update("o", 2), many("o"), delete]) {
            assert_eq!(Group::of_document(&group.to_document()), Some(group));
        }
        assert_eq!(
            Group::of_document(&doc! { "collection": "o", "kind": "drop", "items": [] }),
            None
        );
    }

    /// Each group as a word: collection, kind, how many.
    #[track_caller]
    fn check(writes: impl IntoIterator<Item = RecordWrite>, due: &str) {
        let groups = grouped(writes).into_iter().map(|group| {
            let (kind, count) = match group.writes {
                Writes::Insert(these) => ("i", these.len()),
                Writes::Update(these) => ("u", these.len()),
                Writes::UpdateMany(these) => ("m", these.len()),
                Writes::Delete(these) => ("d", these.len()),
            };
            format!("{}{kind}{count}", group.collection)
        });
        assert_eq!(groups.collect::<Vec<_>>().join(" "), due);
    }

    #[test]
    fn a_batch_of_many_changes_takes_few_commands() {
        let change = |i| {
            [
                insert("o", i),
                update("p", i),
                insert("n", i),
                insert("n", i + 100),
            ]
        };
        check((0..50).flat_map(change), "oi50 pu50 ni100");
        let created_then_changed = |i| [insert("o", i), update("o", i)];
        check((0..50).flat_map(created_then_changed), "oi50 ou50");
    }

    #[test]
    fn what_concerns_many_stays_in_its_place() {
        check(
            [
                insert("n", 1),
                many("n"),
                insert("n", 2),
                insert("n", 3),
                many("n"),
            ],
            "ni1 nm1 ni2 nm1",
        );
        check([many("n"), update("n", 1), insert("n", 2)], "nm1 nu1 ni1");
        let delete = |id: i32| RecordWrite::Delete {
            collection: "n",
            filter: doc! { "_id": id },
        };
        check(
            [delete(1), insert("n", 1), delete(1), delete(2)],
            "nd1 ni1 nd2",
        );
    }
}
