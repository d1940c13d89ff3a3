//! The errors of services: a stable code each, and the cause for the log.

use metaia_realtime::{
    PublishError, event::EventError, log::LogError, presence::DirectoryError,
    revocation::RevocationError,
};

use crate::{
    model::{FieldError, OrderStatus},
    payment::ProviderError,
    store::{CommitError, StoreError},
};

/// The reason why a service refused or failed. Nothing was changed, except that it is not known
/// after [`StoreError::Unknown`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The route is for users, and the caller is a backend.
    #[error("This route needs a user's token.")]
    Unauthenticated,
    /// The caller may not do this.
    #[error("You are not allowed to do this.")]
    Forbidden,
    /// The record does not exist, or the caller may not see it. A caller cannot tell which.
    #[error("Not found.")]
    NotFound,
    /// The input is not valid.
    #[error("The request is not valid.")]
    Invalid(Vec<FieldError>),
    /// The order's status does not allow this step, for any role.
    #[error("An order that is {from} cannot become {to}.")]
    IllegalTransition {
        /// The current status.
        from: OrderStatus,
        /// The requested status.
        to: OrderStatus,
    },
    /// The order is delivered or cancelled.
    #[error("The order is {0} and cannot be changed any more.")]
    OrderClosed(OrderStatus),
    /// The order has been paid.
    #[error("The order is already paid.")]
    AlreadyPaid,
    /// The order costs nothing. An order of the old backend may lack an amount.
    #[error("The order has no amount to pay.")]
    NothingToPay,
    /// The payment was paid back.
    #[error("The payment has already ended.")]
    PaymentClosed,
    /// The caller has seen another version than the current one.
    #[error("This is not the current version.")]
    VersionMismatch,
    /// Other requests changed the same records before each of our attempts.
    #[error("Other requests are changing this record. Try again.")]
    Busy,
    /// The signature of a checkout is wrong.
    #[error("The signature is not valid.")]
    InvalidSignature,
    /// A webhook is not signed by the provider.
    #[error("The signature is not valid.")]
    ForgedWebhook,
    /// The idempotency key was used for another request.
    #[error("This Idempotency-Key was used for another request.")]
    KeyReused,
    /// A request with this idempotency key is running.
    #[error("A request with this Idempotency-Key is running. Try again later.")]
    InProgress,
    /// The event of the change is too large.
    #[error("The event is too large: {size} bytes, the limit is {limit}.")]
    TooLarge {
        /// Its encoded size, in bytes.
        size: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The payment provider refused or failed.
    #[error("The payment provider refused or failed.")]
    Provider(#[source] ProviderError),
    /// The store failed.
    #[error("Temporarily unavailable. Try again later.")]
    Store(#[source] StoreError),
    /// The state of the other nodes is not known.
    #[error("Temporarily unavailable. Try again later.")]
    Directory(#[source] DirectoryError),
    /// The store of revocations failed. The revocation may have been stored: a retry is safe.
    #[error("Temporarily unavailable. Try again later.")]
    Revocation(#[source] RevocationError),
    /// A fault of the server itself.
    #[error("Internal server error.")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ServiceError {
    /// Returns the error of an input with one invalid value.
    pub(crate) fn invalid(pointer: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, message)])
    }

    /// Returns the stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::IllegalTransition { .. } => "illegal_transition",
            Self::OrderClosed(_) => "order_closed",
            Self::AlreadyPaid => "already_paid",
            Self::NothingToPay => "nothing_to_pay",
            Self::PaymentClosed => "payment_closed",
            Self::Busy => "conflict",
            Self::InProgress => "idempotency_in_progress",
            Self::VersionMismatch => "precondition_failed",
            Self::TooLarge { .. } => "payload_too_large",
            Self::Invalid(_) => "validation_failed",
            Self::InvalidSignature | Self::ForgedWebhook => "invalid_signature",
            Self::KeyReused => "idempotency_key_reused",
            Self::Store(StoreError::Corrupt(_) | StoreError::Event(_)) | Self::Internal(_) => {
                "internal"
            }
            Self::Provider(ProviderError::Refused { .. }) => "payment_provider_refused",
            Self::Provider(_) => "payment_provider_unavailable",
            Self::Store(StoreError::Unknown(_)) => "outcome_unknown",
            Self::Directory(_) | Self::Revocation(_) | Self::Store(_) => "unavailable",
        }
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<DirectoryError> for ServiceError {
    fn from(error: DirectoryError) -> Self {
        Self::Directory(error)
    }
}

impl From<CommitError> for ServiceError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Missed => Self::Busy,
            CommitError::Claimed => Self::InProgress,
            CommitError::Store(error) => Self::Store(error),
            CommitError::Event(error) => error.into(),
            CommitError::Seen => Self::Internal(error.into()),
        }
    }
}

impl From<EventError> for ServiceError {
    fn from(error: EventError) -> Self {
        match error {
            EventError::TooLarge { size, limit } => Self::TooLarge { size, limit },
            EventError::InvalidName | EventError::ReservedName => {
                Self::invalid("/event", error.to_string())
            }
            EventError::NotAnObject | EventError::ReservedMember | EventError::Unreadable => {
                Self::invalid("/data", error.to_string())
            }
            other => Self::Internal(other.into()),
        }
    }
}

impl From<PublishError> for ServiceError {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Event(error) => error.into(),
            PublishError::Log(LogError::Unavailable(cause)) => {
                Self::Store(StoreError::Unavailable(cause))
            }
            PublishError::Log(LogError::Unknown(cause)) => Self::Store(StoreError::Unknown(cause)),
            other => Self::Internal(other.into()),
        }
    }
}
