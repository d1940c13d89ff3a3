//! The paging parameters `?limit=&cursor=`.

use crate::{
    http::problem::ApiError,
    model::{Cursor, FieldError, PageRequest},
};

const DEFAULT_LIMIT: u16 = 20;
const MAX_LIMIT: u16 = 100;

/// Checks the limit, and returns the requested page.
pub(super) fn page(asked: Option<u16>, cursor: Option<Cursor>) -> Result<PageRequest, ApiError> {
    Ok(PageRequest {
        limit: limit(asked)?,
        cursor,
    })
}

/// Returns the requested number of records, or the default.
pub(super) fn limit(asked: Option<u16>) -> Result<u16, ApiError> {
    let limit = asked.unwrap_or(DEFAULT_LIMIT);
    if (1..=MAX_LIMIT).contains(&limit) {
        Ok(limit)
    } else {
        Err(ApiError::invalid(vec![FieldError::new(
            "/limit",
            format!("must be 1 to {MAX_LIMIT}"),
        )]))
    }
}
