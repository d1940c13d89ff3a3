//! An authenticator for tests that are not about authentication.

use metaia_realtime::{
    Authenticator, Identity, Role,
    auth::{AuthError, Credentials},
};

/// Lets every client in as the customer `c1`, whatever its token is.
pub(crate) struct Anyone;

impl Authenticator for Anyone {
    async fn authenticate(&self, _: Credentials) -> Result<Identity, AuthError> {
        Ok(Identity::new("c1".parse().unwrap(), Role::Customer))
    }
}
