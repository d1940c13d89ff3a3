//! Who plays which part. Tokens are minted only for those who appear.

use metaia_realtime::{Role, UserId};

use crate::actor::Actor;
use crate::context::Context;
use crate::exit::Failure;
use crate::rest::Authority;

/// The users, where they should have other names.
#[derive(Debug, clap::Args)]
pub(crate) struct Names {
    /// Who orders and pays
    #[arg(long, value_name = "U", default_value = "cli-customer")]
    customer: UserId,
    /// Who sews
    #[arg(long, value_name = "U", default_value = "cli-tailor")]
    tailor: UserId,
    /// Who delivers
    #[arg(long, value_name = "U", default_value = "cli-courier")]
    courier: UserId,
    /// Who confirms, assigns and notifies
    #[arg(long, value_name = "U", default_value = "cli-admin")]
    admin: UserId,
}

/// The parts, cast.
pub(crate) struct Cast<'a> {
    names: Names,
    to: Option<UserId>,
    context: &'a Context,
}

impl<'a> Cast<'a> {
    pub(super) fn new(names: Names, to: Option<UserId>, context: &'a Context) -> Self {
        Self { names, to, context }
    }

    /// The customer; `--to` comes first.
    pub(super) fn customer(&self) -> &UserId {
        self.to.as_ref().unwrap_or(&self.names.customer)
    }

    /// The tailor of an order.
    pub(super) fn tailor(&self) -> &UserId {
        &self.names.tailor
    }

    pub(super) fn courier(&self) -> &UserId {
        &self.names.courier
    }

    pub(super) fn as_customer(&self) -> Result<Authority, Failure> {
        self.part(Role::Customer, self.customer())
    }

    pub(super) fn as_tailor(&self) -> Result<Authority, Failure> {
        self.part(Role::Tailor, self.tailor())
    }

    /// The tailor whose status changes; `--to` comes first.
    pub(super) fn as_tailor_addressed(&self) -> Result<Authority, Failure> {
        self.part(Role::Tailor, self.to.as_ref().unwrap_or(&self.names.tailor))
    }

    pub(super) fn as_courier(&self) -> Result<Authority, Failure> {
        self.part(Role::Delivery, self.courier())
    }

    pub(super) fn as_admin(&self) -> Result<Authority, Failure> {
        self.part(Role::Admin, &self.names.admin)
    }

    /// An admin, a backend with the API key, or whoever brought a token.
    pub(super) fn as_sender(&self) -> Result<Authority, Failure> {
        self.context.authority(
            None,
            &Actor {
                role: Role::Admin,
                user: self.names.admin.clone(),
            },
        )
    }

    pub(super) fn payment_secret(&self) -> Result<String, Failure> {
        self.context.settings.payment_secret()
    }

    /// With the token that was brought, if it is of the role, else with one minted here.
    fn part(&self, role: Role, user: &UserId) -> Result<Authority, Failure> {
        let who = match self.context.given(role) {
            Some(who) => who,
            None => self.context.mint_for(&Actor {
                role,
                user: user.clone(),
            })?,
        };
        Ok(Authority::Token(who))
    }
}
