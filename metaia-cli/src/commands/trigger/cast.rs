//! The roles that act in a flow, and the options that name their users.

use metaia_realtime::{Role, UserId};

use super::flow::Flow;

/// The options that name the participants.
#[derive(Debug, clap::Args)]
pub(super) struct ParticipantArgs {
    /// The customer, who orders and pays [default: the token's owner, or cli-customer]
    #[arg(long, value_name = "U")]
    pub(super) customer: Option<UserId>,
    /// The tailor, who sews [default: the token's owner, or cli-tailor]
    #[arg(long, value_name = "U")]
    pub(super) tailor: Option<UserId>,
    /// The courier, who delivers [default: the token's owner, or cli-courier]
    #[arg(long, value_name = "U")]
    pub(super) courier: Option<UserId>,
    /// The admin, who confirms, assigns and notifies [default: the token's owner, or cli-admin]
    #[arg(long, value_name = "U")]
    pub(super) admin: Option<UserId>,
}

/// A flow with the users that its options name.
#[derive(Debug)]
pub(super) struct Cast<'a> {
    pub(super) flow: Flow,
    /// True if an existing order is given.
    pub(super) has_order: bool,
    pub(super) to: Option<&'a UserId>,
    pub(super) participants: &'a ParticipantArgs,
}

impl<'a> Cast<'a> {
    /// Returns the roles that act in the flow.
    pub(super) fn acting_roles(&self) -> Vec<Role> {
        match self.flow {
            Flow::NewNotification => vec![Role::Admin],
            Flow::OrderUpdate | Flow::Assign | Flow::Cancel if self.has_order => vec![Role::Admin],
            // An admin looks up the customer.
            Flow::PaymentUpdate | Flow::PaymentWebhook
                if self.has_order && self.actor_option(Role::Customer).is_none() =>
            {
                vec![Role::Customer, Role::Admin]
            }
            Flow::OrderUpdate | Flow::PaymentUpdate | Flow::PaymentWebhook | Flow::Cancel => {
                vec![Role::Customer]
            }
            Flow::Assign => vec![Role::Customer, Role::Admin],
            Flow::TailorStatusUpdate => vec![Role::Tailor],
            Flow::Lifecycle => vec![Role::Customer, Role::Admin, Role::Tailor, Role::Delivery],
        }
    }

    /// Returns true if an option names a user who acts.
    pub(super) fn names_actor(&self) -> bool {
        let roles = self.acting_roles();
        roles.iter().any(|role| self.actor_option(*role).is_some())
    }

    /// Returns the option that names the user of a role, and the user.
    pub(super) fn actor_option(&self, role: Role) -> Option<(&'static str, &'a UserId)> {
        if self.flow.role_of_to() == Some(role)
            && let Some(user) = self.to
        {
            return Some(("--to", user));
        }
        let participants = self.participants;
        let (option, user) = match role {
            Role::Customer => ("--customer", &participants.customer),
            Role::Tailor => ("--tailor", &participants.tailor),
            Role::Delivery => ("--courier", &participants.courier),
            Role::Admin => ("--admin", &participants.admin),
        };
        user.as_ref().map(|user| (option, user))
    }
}
