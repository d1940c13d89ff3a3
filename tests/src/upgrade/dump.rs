//! The collections of a database as files, one `.bson` for each as `mongodump` writes them, and
//! their indexes in `indexes.bson`.

use std::path::Path;

use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, doc};
use mongodb::{Client, Database};

/// The file of all indexes: one document for each collection, as the command `createIndexes`.
const INDEXES: &str = "indexes";

/// Writes all collections of the database that have documents into a folder.
pub async fn write(uri: &str, folder: &Path) {
    let database = open(uri).await;
    std::fs::create_dir_all(folder).expect("a folder");
    let mut names = database.list_collection_names().await.expect("collections");
    names.sort();
    let mut indexes = Vec::new();
    for name in names {
        let documents = all(&database, &name).await;
        if !documents.is_empty() {
            save(folder, &name, &documents);
        }
        indexes.push(indexes_of(&database, &name).await);
    }
    save(folder, INDEXES, &indexes);
}

/// Fills an empty database with the collections in a folder.
pub async fn restore(uri: &str, folder: &Path) {
    let database = open(uri).await;
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "bson") {
            continue;
        }
        let documents = read(&path);
        let name = path.file_stem().expect("a name").to_string_lossy();
        if name != INDEXES {
            let collection = database.collection::<Document>(&name);
            collection.insert_many(documents).await.expect("inserted");
            continue;
        }
        for command in documents {
            database.run_command(command).await.expect("indexes");
        }
    }
}

/// Returns the number of documents in a collection.
pub async fn count(uri: &str, collection: &str) -> u64 {
    let documents = open(uri).await.collection::<Document>(collection);
    documents.count_documents(doc! {}).await.expect("a number")
}

async fn open(uri: &str) -> Database {
    let client = Client::with_uri_str(uri).await.expect("a client");
    client.default_database().expect("a database in the URI")
}

/// Returns all documents in the order of their ids, so that two dumps of one database are equal.
async fn all(database: &Database, name: &str) -> Vec<Document> {
    let collection = database.collection::<Document>(name);
    let found = collection.find(doc! {}).sort(doc! { "_id": 1 }).await;
    let found = found.expect("documents").try_collect().await;
    found.expect("documents")
}

async fn indexes_of(database: &Database, name: &str) -> Document {
    let listed = database.run_command(doc! { "listIndexes": name }).await;
    let listed = listed.expect("indexes");
    let cursor = listed.get_document("cursor").expect("a cursor");
    let indexes = cursor.get_array("firstBatch").expect("a batch").clone();
    doc! { "createIndexes": name, "indexes": indexes }
}

fn save(folder: &Path, name: &str, documents: &[Document]) {
    let mut bytes = Vec::new();
    for document in documents {
        bytes.extend(document.to_vec().expect("a document"));
    }
    std::fs::write(folder.join(name).with_extension("bson"), bytes).expect("a file");
}

fn read(path: &Path) -> Vec<Document> {
    let bytes = std::fs::read(path).expect("a file");
    let mut rest = bytes.as_slice();
    let mut documents = Vec::new();
    while !rest.is_empty() {
        documents.push(Document::from_reader(&mut rest).expect("a document"));
    }
    documents
}
