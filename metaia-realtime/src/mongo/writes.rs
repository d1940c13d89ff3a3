//! Record writes, grouped so that a batch takes few commands. A pure kernel.
//!
//! Writes to one collection stay in their order, with one exception: an insert moves ahead of
//! updates of single documents, which never refer to a document that is inserted after them.

use std::borrow::Cow;

use mongodb::bson::{Bson, Document, doc};

use super::records::RecordWrite;

/// Writes of one kind to one collection: one command.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct WriteGroup {
    pub(super) collection: Cow<'static, str>,
    pub(super) writes: Writes,
}

/// Writes of one kind.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Writes {
    Insert(Vec<Document>),
    /// Pairs of filter and update, each of one document.
    Update(Vec<(Document, Document)>),
    /// Pairs of filter and update, each of any number of documents.
    UpdateMany(Vec<(Document, Document)>),
    /// Filters.
    Delete(Vec<Document>),
}

impl WriteGroup {
    fn new(collection: &'static str, writes: Writes) -> Self {
        Self {
            collection: collection.into(),
            writes,
        }
    }

    /// Returns the group as a document.
    pub(super) fn to_document(&self) -> Document {
        let (kind, items) = match &self.writes {
            Writes::Insert(documents) => ("insert", documents_to_bson(documents)),
            Writes::Update(updates) => ("update", pairs_to_bson(updates)),
            Writes::UpdateMany(updates) => ("updateMany", pairs_to_bson(updates)),
            Writes::Delete(filters) => ("delete", documents_to_bson(filters)),
        };
        doc! { "collection": &*self.collection, "kind": kind, "items": items }
    }

    /// Reads a document that [`to_document`](Self::to_document) has made.
    pub(super) fn from_document(document: &Document) -> Option<Self> {
        let collection = document.get_str("collection").ok()?.to_owned();
        let items = document.get_array("items").ok()?;
        let writes = match document.get_str("kind").ok()? {
            "insert" => Writes::Insert(documents_from_bson(items)?),
            "update" => Writes::Update(pairs_from_bson(items)?),
            "updateMany" => Writes::UpdateMany(pairs_from_bson(items)?),
            "delete" => Writes::Delete(documents_from_bson(items)?),
            _ => return None,
        };
        Some(Self {
            collection: collection.into(),
            writes,
        })
    }
}

fn documents_to_bson(documents: &[Document]) -> Vec<Bson> {
    documents.iter().cloned().map(Bson::from).collect()
}

fn documents_from_bson(items: &[Bson]) -> Option<Vec<Document>> {
    items
        .iter()
        .map(|item| item.as_document().cloned())
        .collect()
}

fn pairs_to_bson(pairs: &[(Document, Document)]) -> Vec<Bson> {
    pairs
        .iter()
        .map(|(filter, update)| vec![filter.clone(), update.clone()].into())
        .collect()
}

fn pairs_from_bson(items: &[Bson]) -> Option<Vec<(Document, Document)>> {
    items.iter().map(pair_from_bson).collect()
}

fn pair_from_bson(item: &Bson) -> Option<(Document, Document)> {
    let [filter, update] = item.as_array()?.as_slice() else {
        return None;
    };
    Some((filter.as_document()?.clone(), update.as_document()?.clone()))
}

/// Puts writes into as few groups as the order in the [module](self) allows.
pub(super) fn group(writes: impl IntoIterator<Item = RecordWrite>) -> Vec<WriteGroup> {
    let mut groups: Vec<WriteGroup> = Vec::new();
    for write in writes {
        match write {
            RecordWrite::Insert {
                collection,
                document,
            } => push_insert(&mut groups, collection, document),
            RecordWrite::Update {
                collection,
                filter,
                update,
            } => push_update(&mut groups, collection, (filter, update)),
            RecordWrite::UpdateMany {
                collection,
                filter,
                update,
            } => push_update_many(&mut groups, collection, (filter, update)),
            RecordWrite::Delete { collection, filter } => {
                push_delete(&mut groups, collection, filter);
            }
        }
    }
    groups
}

fn push_insert(groups: &mut Vec<WriteGroup>, collection: &'static str, document: Document) {
    let of_collection = groups
        .iter_mut()
        .rev()
        .filter(|group| group.collection == collection);
    for group in of_collection {
        match &mut group.writes {
            Writes::Insert(documents) => {
                documents.push(document);
                return;
            }
            // An insert may move ahead of these: see the module.
            Writes::Update(_) => {}
            Writes::UpdateMany(_) | Writes::Delete(_) => break,
        }
    }
    groups.push(WriteGroup::new(collection, Writes::Insert(vec![document])));
}

fn push_update(
    groups: &mut Vec<WriteGroup>,
    collection: &'static str,
    update: (Document, Document),
) {
    if let Some(Writes::Update(updates)) = last_writes(groups, collection) {
        updates.push(update);
    } else {
        groups.push(WriteGroup::new(collection, Writes::Update(vec![update])));
    }
}

fn push_update_many(
    groups: &mut Vec<WriteGroup>,
    collection: &'static str,
    update: (Document, Document),
) {
    if let Some(Writes::UpdateMany(updates)) = last_writes(groups, collection) {
        updates.push(update);
    } else {
        groups.push(WriteGroup::new(
            collection,
            Writes::UpdateMany(vec![update]),
        ));
    }
}

fn push_delete(groups: &mut Vec<WriteGroup>, collection: &'static str, filter: Document) {
    if let Some(Writes::Delete(filters)) = last_writes(groups, collection) {
        filters.push(filter);
    } else {
        groups.push(WriteGroup::new(collection, Writes::Delete(vec![filter])));
    }
}

/// Returns the last writes to the collection so far.
fn last_writes<'a>(groups: &'a mut [WriteGroup], collection: &str) -> Option<&'a mut Writes> {
    groups
        .iter_mut()
        .rev()
        .find(|group| group.collection == collection)
        .map(|group| &mut group.writes)
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
        for group in group([insert("o", 1), update("o", 2), many("o"), delete]) {
            assert_eq!(WriteGroup::from_document(&group.to_document()), Some(group));
        }
        assert_eq!(
            WriteGroup::from_document(&doc! { "collection": "o", "kind": "drop", "items": [] }),
            None
        );
    }

    /// Checks the groups, each written as a word: collection, kind, number of writes.
    #[track_caller]
    fn check(writes: impl IntoIterator<Item = RecordWrite>, due: &str) {
        let groups = group(writes).into_iter().map(|group| {
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
    fn updates_of_many_documents_keep_their_place() {
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
