//! `?limit=&cursor=`.

use crate::{
    http::problem::ApiError,
    model::{Cursor, FieldError, PageRequest},
};

/// Records of a page where nobody says how many.
const DEFAULT: u16 = 20;
/// The most.
const MOST: u16 = 100;

/// The page that is asked for.
pub(super) fn page(asked: Option<u16>, cursor: Option<Cursor>) -> Result<PageRequest, ApiError> {
    Ok(PageRequest {
        limit: limit(asked)?,
        cursor,
    })
}

/// How many are asked for.
pub(super) fn limit(asked: Option<u16>) -> Result<u16, ApiError> {
    let limit = asked.unwrap_or(DEFAULT);
    if (1..=MOST).contains(&limit) {
        Ok(limit)
    } else {
        Err(ApiError::invalid(vec![FieldError::new(
            "/limit",
            format!("must be 1 to {MOST}"),
        )]))
    }
}
