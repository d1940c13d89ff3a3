//! The users who take part in a flow. A token is minted for a user only when a step needs it.

use metaia_realtime::values::InvalidId;
use metaia_realtime::{Role, UserId};

use super::acting_token::ActingToken;
use super::cast::ParticipantArgs;
use crate::actor::Actor;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::identity::Authority;

/// The participants of one flow, and their credentials.
pub(crate) struct Participants<'a> {
    customer: UserId,
    tailor: UserId,
    courier: UserId,
    admin: UserId,
    /// The user of `--to`.
    to: Option<UserId>,
    /// True if an option names the customer.
    is_customer_given: bool,
    /// True if an option names the admin.
    is_admin_given: bool,
    /// True if options name the tailor and no courier, so that `order.assign` assigns the tailor
    /// alone.
    is_tailor_alone: bool,
    /// True if options name the courier and no tailor.
    is_courier_alone: bool,
    token: Option<ActingToken>,
    context: &'a Context,
}

impl<'a> Participants<'a> {
    pub(super) fn new(
        args: ParticipantArgs,
        to: Option<UserId>,
        token: Option<ActingToken>,
        context: &'a Context,
    ) -> Result<Self, Failure> {
        let owner = token.as_ref().map(|token| token.owner.clone());
        let user = |given: Option<UserId>, role: Role, default: &str| {
            let owner = owner.clone().filter(|owner| owner.role == role);
            match given.or(owner.map(|owner| owner.user)) {
                Some(user) => Ok(user),
                // Without a secret to mint tokens with, the context has one user of each role.
                None => or_default(context.user_of_role(role)?, default),
            }
        };
        Ok(Self {
            is_customer_given: to.is_some() || args.customer.is_some(),
            is_admin_given: args.admin.is_some(),
            is_tailor_alone: args.tailor.is_some() && args.courier.is_none(),
            is_courier_alone: args.courier.is_some() && args.tailor.is_none(),
            customer: user(args.customer, Role::Customer, "cli-customer")?,
            tailor: user(args.tailor, Role::Tailor, "cli-tailor")?,
            courier: user(args.courier, Role::Delivery, "cli-courier")?,
            admin: user(args.admin, Role::Admin, "cli-admin")?,
            to,
            token,
            context,
        })
    }

    /// Returns whether the customer of an existing order must be looked up: neither an option nor a
    /// token names one.
    pub(super) fn lacks_customer(&self) -> bool {
        !self.is_customer_given && self.token_of(Role::Customer).is_none()
    }

    /// Returns the customer; `--to` takes precedence over `--customer`.
    pub(super) fn customer(&self) -> &UserId {
        self.to.as_ref().unwrap_or(&self.customer)
    }

    pub(super) fn tailor(&self) -> &UserId {
        &self.tailor
    }

    pub(super) fn courier(&self) -> &UserId {
        &self.courier
    }

    /// Returns the tailor whom an order gets; `None` if an option names the courier alone.
    pub(super) fn tailor_to_assign(&self) -> Option<&UserId> {
        (!self.is_courier_alone).then_some(&self.tailor)
    }

    /// Returns the courier whom an order gets; `None` if an option names the tailor alone.
    pub(super) fn courier_to_assign(&self) -> Option<&UserId> {
        (!self.is_tailor_alone).then_some(&self.courier)
    }

    pub(super) fn as_customer(&self) -> Result<Authority, Failure> {
        self.authority(Role::Customer, self.customer())
    }

    pub(super) fn as_tailor(&self) -> Result<Authority, Failure> {
        self.authority(Role::Tailor, &self.tailor)
    }

    /// Returns the credentials of the tailor whose status changes; `--to` takes precedence over
    /// `--tailor`.
    pub(super) fn as_tailor_to_update(&self) -> Result<Authority, Failure> {
        let tailor = self.to.as_ref().unwrap_or(&self.tailor);
        self.authority(Role::Tailor, tailor)
    }

    pub(super) fn as_courier(&self) -> Result<Authority, Failure> {
        self.authority(Role::Delivery, &self.courier)
    }

    pub(super) fn as_admin(&self) -> Result<Authority, Failure> {
        self.authority(Role::Admin, &self.admin)
    }

    /// Returns the credentials of the sender of a notification: the supplied token, the admin of
    /// `--admin`, the API key, or the default admin.
    pub(super) fn as_sender(&self) -> Result<Authority, Failure> {
        if let Some(token) = &self.token {
            return Ok(Authority::Token(token.identity.clone()));
        }
        if self.is_admin_given {
            return self.as_admin();
        }
        let admin = Actor {
            role: Role::Admin,
            user: self.admin.clone(),
        };
        self.context.authority(None, &admin)
    }

    pub(super) fn payment_secret(&self) -> Result<String, Failure> {
        self.context.settings.payment_secret()
    }

    pub(super) fn webhook_secret(&self) -> Result<String, Failure> {
        self.context.settings.webhook_secret()
    }

    /// Returns the credentials of this customer.
    pub(super) fn as_this_customer(&self, customer: &UserId) -> Result<Authority, Failure> {
        self.authority(Role::Customer, customer)
    }

    fn token_of(&self, role: Role) -> Option<&ActingToken> {
        self.token.as_ref().filter(|token| token.owner.role == role)
    }

    /// Returns the supplied token if it has the role, otherwise mints one for the user.
    fn authority(&self, role: Role, user: &UserId) -> Result<Authority, Failure> {
        if let Some(token) = self.token_of(role) {
            return Ok(Authority::Token(token.identity.clone()));
        }
        let actor = Actor {
            role,
            user: user.clone(),
        };
        self.context.identity_of(&actor).map(Authority::Token)
    }
}

fn or_default(given: Option<UserId>, default: &str) -> Result<UserId, Failure> {
    match given {
        Some(user) => Ok(user),
        None => default
            .parse()
            .map_err(|error: InvalidId| Failure::new(Exit::Failed, error.to_string())),
    }
}
