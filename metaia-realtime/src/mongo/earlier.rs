//! Documents that nodes of commit 79f6e03 stored, for tests: they are read, and the same documents
//! are written, so that those nodes can read what ours write.

use std::path::Path;

use mongodb::bson::Document;

/// Returns the documents of a file of the fixtures, given without its ending.
pub(super) fn documents(file: &str) -> Vec<Document> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/79f6e03");
    let bytes = std::fs::read(fixtures.join(file).with_extension("bson")).unwrap();
    let mut rest = bytes.as_slice();
    let mut documents = Vec::new();
    while !rest.is_empty() {
        documents.push(Document::from_reader(&mut rest).unwrap());
    }
    assert!(!documents.is_empty(), "{file} is empty");
    documents
}
