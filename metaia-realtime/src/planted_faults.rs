//! Faults that a test build plants, one at a time, to show which scenarios find them.
//!
//! `METAIA_PLANTED_FAULT=drop_event` plants one for the life of the process. Without the feature
//! `__planted-faults` nothing is ever planted, and the compiler removes the places. Not part of the
//! API.

use std::fmt;

/// The environment variable that names the fault.
#[cfg(feature = "__planted-faults")]
const VARIABLE: &str = "METAIA_PLANTED_FAULT";

/// Makes the enum of the faults: each has a name, and the rule that it breaks.
macro_rules! faults {
    ($($Fault:ident $name:literal $rule:literal)+) => {
        /// A fault, by the rule that it breaks.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Fault {
            $(#[doc = $rule] $Fault,)+
        }

        impl Fault {
            /// All faults.
            pub const ALL: &'static [Self] = &[$(Self::$Fault),+];

            /// Returns the name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$Fault => $name,)+
                }
            }

            /// Returns the rule that it breaks.
            #[must_use]
            pub const fn rule(self) -> &'static str {
                match self {
                    $(Self::$Fault => $rule,)+
                }
            }
        }
    };
}

faults! {
    // Delivery.
    DropEvent "drop_event" "Of events that come at once, none is lost."
    DeliverTwice "deliver_twice" "An event is published once."
    DeliverCopy "deliver_copy" "A session that keeps up receives no copies."
    SwapEvents "swap_events" "Events arrive in the order of the log."
    OneDeviceOnly "one_device_only" "Every device of a user receives the user's events."
    AdminsUntold "admins_untold" "Admins hear of every order."
    CourierUntold "courier_untold" "The courier of an order hears of it."
    DeliverToStranger "deliver_to_stranger" "A notification reaches its user and nobody else."
    DeliverToRole "deliver_to_role" "Customers hear of their own orders only."
    PaymentToStrangers "payment_to_strangers" "Customers hear of their own payments only."
    EmitRoleToEveryone "emit_role_to_everyone" "What is emitted to a role reaches that role only."
    VolatileReplayed "volatile_replayed" "A volatile event is never replayed."

    // Rooms and access.
    StrangerJoins "stranger_joins" "Strangers may not join an order's room."
    OwnerRefused "owner_refused" "The customer of an order may join its room."
    NeverRevoked "never_revoked" "Who loses access to an order leaves its room."
    RevokedLate "revoked_late" "Who loses access hears nothing that follows, the cause included."
    RoomLeftUntold "room_left_untold" "Who loses a room is told so."
    LeaveIgnored "leave_ignored" "Who leaves a room receives nothing more from it."
    RoomsForgotten "rooms_forgotten" "Who connects again is in the rooms that the client asks for."

    // Resume.
    ResumeLosesOne "resume_loses_one" "A client that resumes receives all that it missed."
    ReplayRenamed "replay_renamed" "A missed event is replayed once, under its own id."
    RecoveredAlways "recovered_always" "A client that may have missed events is told so."
    DeviceForgotten "device_forgotten" "A client that sends no position resumes by its device."

    // Sessions.
    ExpiredTokenAccepted "expired_token_accepted" "An expired token is refused."
    BadSignatureAccepted "bad_signature_accepted" "A token that is not signed is refused."
    SessionOutlivesToken "session_outlives_token" "A session ends with its token."
    DisconnectIgnored "disconnect_ignored" "An admin can end a session."
    RateUnlimited "rate_unlimited" "Who asks too often is told to wait."

    // Orders.
    IllegalStepAccepted "illegal_step_accepted" "An order takes one step at a time."
    ForbiddenStepAccepted "forbidden_step_accepted" "Each role takes its own steps only."
    StrangerReadsOrder "stranger_reads_order" "Strangers may not read an order."
    StrangerListsOrders "stranger_lists_orders" "Customers list their own orders only."
    IfMatchIgnored "if_match_ignored" "A change on an old version is refused."
    IdempotencyIgnored "idempotency_ignored" "A request with one key is carried out once."
    AnyoneEmits "anyone_emits" "Only admins and backends emit events and notify users."
    TailorStatusUntold "tailor_status_untold" "Admins hear of a tailor's status."
    AmountMissing "amount_missing" "`order_update` has the amount."
    StatusStale "status_stale" "`order_update` has the new status."
    VersionStale "version_stale" "`order_update` has the new version."

    // Notifications.
    StepUnnoticed "step_unnoticed" "The customer is notified of each step of an order."
    WrongUserNotified "wrong_user_notified" "Who is assigned to an order is notified of it."
    ReadUntold "read_untold" "What is read on one device is read on the others."
    UnreadCountWrong "unread_count_wrong" "`notification_read` has the number of unread ones."

    // Payments.
    PaymentAmountWrong "payment_amount_wrong" "`payment_update` has the amount in the minor unit."
    PaymentStepsSwapped "payment_steps_swapped" "A payment is completed before it is refunded."
    TamperedPaymentAccepted "tampered_payment_accepted" "A checkout needs the provider's signature."
    TamperedWebhookAccepted "tampered_webhook_accepted" "A webhook needs the provider's signature."
    WebhookAppliedTwice "webhook_applied_twice" "A webhook that is repeated has no effect."
    WrongAmountPays "wrong_amount_pays" "A capture over another amount completes nothing."
    CancelledUnflagged "cancelled_unflagged" "Money that comes for a cancelled order is flagged."
    SecondCaptureUnflagged "second_capture_unflagged" "Money that comes twice is flagged."
    LateSuccessUnflagged "late_success_unflagged" "A payment that succeeds late is flagged."

    // The process.
    DiskFull "disk_full" "A file `metaia.db.full` beside the database does not mean a full disk."
    StuckRuntime "stuck_runtime" "A server that is told to stop ends, also if its runtime is stuck."
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.rule())
    }
}

/// Error for a name that no fault has. Its text lists the faults.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "METAIA_PLANTED_FAULT: `{name}` is no fault. The faults, with the rules that they break:{}",
    list()
)]
pub struct UnknownFault {
    name: String,
}

fn list() -> String {
    let lines = Fault::ALL.iter().map(|fault| format!("\n  {fault}"));
    lines.collect()
}

/// Returns whether the fault is planted: never, because the feature is off.
#[cfg(not(feature = "__planted-faults"))]
#[must_use]
#[inline]
pub const fn planted(_fault: Fault) -> bool {
    false
}

/// Returns the fault that is planted: none, because the feature is off.
///
/// # Errors
/// Returns none.
#[cfg(not(feature = "__planted-faults"))]
pub const fn planted_fault() -> Result<Option<Fault>, UnknownFault> {
    Ok(None)
}

#[cfg(feature = "__planted-faults")]
pub use active::{planted, planted_fault};

#[cfg(feature = "__planted-faults")]
mod active {
    use std::sync::LazyLock;

    use super::{Fault, UnknownFault, VARIABLE};

    /// The fault that is planted. The environment is read once.
    static PLANTED: LazyLock<Result<Option<Fault>, UnknownFault>> = LazyLock::new(|| {
        let name = std::env::var_os(VARIABLE).unwrap_or_default();
        let name = name.to_string_lossy();
        let mut faults = Fault::ALL.iter();
        match faults.find(|fault| fault.name() == name) {
            Some(fault) => Ok(Some(*fault)),
            None if name.is_empty() => Ok(None),
            None => Err(UnknownFault {
                name: name.into_owned(),
            }),
        }
    });

    /// Returns whether the fault is planted.
    #[must_use]
    pub fn planted(fault: Fault) -> bool {
        *PLANTED == Ok(Some(fault))
    }

    /// Returns the fault that is planted, if there is one.
    ///
    /// # Errors
    /// Returns [`UnknownFault`] if the environment names a fault that does not exist.
    pub fn planted_fault() -> Result<Option<Fault>, UnknownFault> {
        PLANTED.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_a_name_and_a_rule_of_its_own() {
        for (i, fault) in Fault::ALL.iter().enumerate() {
            for other in &Fault::ALL[..i] {
                assert_ne!(fault.name(), other.name());
                assert_ne!(fault.rule(), other.rule());
            }
        }
    }

    #[test]
    fn nothing_is_planted_unless_the_environment_says_so() {
        assert_eq!(planted_fault(), Ok(None));
        assert!(Fault::ALL.iter().all(|fault| !planted(*fault)));
    }
}
