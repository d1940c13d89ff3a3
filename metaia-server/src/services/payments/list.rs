//! The list of payments, for admins.

use metaia_realtime::Role;

use crate::{
    model::{Caller, Page, PageRequest, Payment},
    services::{error::ServiceError, handle::Services, permissions::only},
    store::PaymentQuery,
};

impl Services {
    /// Returns a page of payments, newest first, for an admin: all, or only those with a flag.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn payments(
        &self,
        caller: &Caller,
        flagged: bool,
        page: PageRequest,
    ) -> Result<Page<Payment>, ServiceError> {
        only(Role::Admin, caller)?;
        let query = PaymentQuery { flagged, page };
        Ok(self.store().payments(query).await?)
    }
}
