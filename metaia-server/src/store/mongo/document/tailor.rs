//! The status of tailors, as documents.

use mongodb::bson::{Document, doc};

use super::value::{date, id};
use crate::{model::TailorStatus, store::name_of};

/// Returns the document of a tailor's first status.
pub(in super::super) fn tailor_document(status: &TailorStatus, version: i64) -> Document {
    let mut document = doc! { "_id": id(status.tailor.as_str()) };
    document.extend(tailor_fields(status, version));
    document
}

/// Returns the fields that change. The version serves only as the condition of writes.
pub(in super::super) fn tailor_fields(status: &TailorStatus, version: i64) -> Document {
    doc! { "status": name_of(&status.status), "at": date(status.at), "version": version }
}
