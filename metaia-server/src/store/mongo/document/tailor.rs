//! What tailors said of themselves, as documents.

use mongodb::bson::{Document, doc};

use super::value::{date, id};
use crate::{model::TailorStatus, store::name_of};

/// The document of a tailor who says something for the first time.
pub(in super::super) fn tailor_of(status: &TailorStatus, version: i64) -> Document {
    let mut document = doc! { "_id": id(status.tailor.as_str()) };
    document.extend(tailor_set(status, version));
    document
}

/// What changes. The version is only there for writes to take it for granted.
pub(in super::super) fn tailor_set(status: &TailorStatus, version: i64) -> Document {
    doc! { "status": name_of(&status.status), "at": date(status.at), "version": version }
}
