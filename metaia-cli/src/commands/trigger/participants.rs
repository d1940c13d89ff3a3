//! The users who take part in a flow. A token is minted for a user only when a step needs it.

use metaia_realtime::{Role, UserId};

use crate::actor::Actor;
use crate::context::Context;
use crate::exit::Failure;
use crate::identity::Authority;

/// The options that name the participants.
#[derive(Debug, clap::Args)]
pub(crate) struct ParticipantArgs {
    /// The customer, who orders and pays
    #[arg(long, value_name = "U", default_value = "cli-customer")]
    customer: UserId,
    /// The tailor, who sews
    #[arg(long, value_name = "U", default_value = "cli-tailor")]
    tailor: UserId,
    /// The courier, who delivers
    #[arg(long, value_name = "U", default_value = "cli-courier")]
    courier: UserId,
    /// The admin, who confirms, assigns and notifies
    #[arg(long, value_name = "U", default_value = "cli-admin")]
    admin: UserId,
}

/// The participants of one flow, and their credentials.
pub(crate) struct Participants<'a> {
    args: ParticipantArgs,
    to: Option<UserId>,
    context: &'a Context,
}

impl<'a> Participants<'a> {
    pub(super) fn new(args: ParticipantArgs, to: Option<UserId>, context: &'a Context) -> Self {
        Self { args, to, context }
    }

    /// Returns the customer; `--to` takes precedence over `--customer`.
    pub(super) fn customer(&self) -> &UserId {
        self.to.as_ref().unwrap_or(&self.args.customer)
    }

    /// Returns the tailor of an order.
    pub(super) fn tailor(&self) -> &UserId {
        &self.args.tailor
    }

    pub(super) fn courier(&self) -> &UserId {
        &self.args.courier
    }

    pub(super) fn as_customer(&self) -> Result<Authority, Failure> {
        self.authority(Role::Customer, self.customer())
    }

    pub(super) fn as_tailor(&self) -> Result<Authority, Failure> {
        self.authority(Role::Tailor, self.tailor())
    }

    /// Returns the credentials of the tailor whose status changes; `--to` takes precedence over
    /// `--tailor`.
    pub(super) fn as_tailor_to_update(&self) -> Result<Authority, Failure> {
        let tailor = self.to.as_ref().unwrap_or(&self.args.tailor);
        self.authority(Role::Tailor, tailor)
    }

    pub(super) fn as_courier(&self) -> Result<Authority, Failure> {
        self.authority(Role::Delivery, self.courier())
    }

    pub(super) fn as_admin(&self) -> Result<Authority, Failure> {
        self.authority(Role::Admin, &self.args.admin)
    }

    /// Returns the credentials of the sender of a notification: the supplied token, the API key, or
    /// the admin.
    pub(super) fn as_sender(&self) -> Result<Authority, Failure> {
        let admin = Actor {
            role: Role::Admin,
            user: self.args.admin.clone(),
        };
        self.context.authority(None, &admin)
    }

    pub(super) fn payment_secret(&self) -> Result<String, Failure> {
        self.context.settings.payment_secret()
    }

    /// Returns the supplied token if it has the role, otherwise mints one for the user.
    fn authority(&self, role: Role, user: &UserId) -> Result<Authority, Failure> {
        if let Some(owner) = self.context.token_owner_with_role(role) {
            return Ok(Authority::Token(owner));
        }
        let actor = Actor {
            role,
            user: user.clone(),
        };
        self.context.mint_for(&actor).map(Authority::Token)
    }
}
