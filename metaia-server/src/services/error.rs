//! Why a service did not do it: one code each, stable, and what is behind it for the log.

use metaia_realtime::{PublishError, event::EventError, log::LogError, presence::DirectoryError};

use crate::{
    model::{FieldError, OrderStatus},
    payment::ProviderError,
    store::{CommitError, StoreError},
};

/// Why a service did not do it. Nothing was changed, except where [`StoreError::Unknown`] says
/// otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The route takes users, and this is a backend's key.
    #[error("This takes a user's token.")]
    Unauthenticated,
    /// The caller may not do this.
    #[error("You may not do this.")]
    Forbidden,
    /// There is no such thing, or it is not the caller's: nobody can tell which.
    #[error("There is nothing here for you.")]
    NotFound,
    /// The input is not valid.
    #[error("The request is not valid.")]
    Invalid(Vec<FieldError>),
    /// Nobody may take this step from here.
    #[error("An order that is {from} cannot become {to}.")]
    IllegalTransition {
        /// The present status.
        from: OrderStatus,
        /// The one asked for.
        to: OrderStatus,
    },
    /// The order is delivered or cancelled.
    #[error("The order is {0}: nothing more can be done with it.")]
    OrderClosed(OrderStatus),
    /// The order has been paid.
    #[error("The order has been paid already.")]
    AlreadyPaid,
    /// The order costs nothing: one of the backend before may not say what it costs.
    #[error("The order has no amount that could be paid.")]
    NothingToPay,
    /// The payment has ended in another way.
    #[error("The payment has ended already.")]
    PaymentClosed,
    /// The caller has seen another version than the present one.
    #[error("This version is not the present one.")]
    VersionMismatch,
    /// Others change the same record all the time.
    #[error("Somebody else is changing this: try again.")]
    Busy,
    /// A signature is wrong.
    #[error("The signature is not valid.")]
    InvalidSignature,
    /// The provider's delivery is not signed by it.
    #[error("The signature is not valid.")]
    ForgedWebhook,
    /// The provider's delivery is not what it documents.
    #[error("{0}")]
    InvalidWebhook(&'static str),
    /// The idempotency key was used for another request.
    #[error("This Idempotency-Key was used for another request.")]
    KeyReused,
    /// A request with this key is being worked on.
    #[error("A request with this Idempotency-Key is being worked on: try again.")]
    InProgress,
    /// What would be published is too large.
    #[error("This is too large to be published: {size} bytes, at most {limit} are allowed.")]
    TooLarge {
        /// What it takes.
        size: usize,
        /// What is allowed.
        limit: usize,
    },
    /// The payment provider did not do it.
    #[error("The payment provider did not do this.")]
    Provider(#[source] ProviderError),
    /// The store did not do it.
    #[error("The server cannot do this at the moment.")]
    Store(#[source] StoreError),
    /// What other nodes have is not known.
    #[error("The server cannot do this at the moment.")]
    Directory(#[source] DirectoryError),
    /// The server's own fault.
    #[error("The server could not do this.")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ServiceError {
    /// One thing that is not valid.
    pub(crate) fn invalid(pointer: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, message)])
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::InvalidWebhook(_) => 400,
            Self::Unauthenticated | Self::ForgedWebhook => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::IllegalTransition { .. }
            | Self::OrderClosed(_)
            | Self::AlreadyPaid
            | Self::NothingToPay
            | Self::PaymentClosed
            | Self::Busy
            | Self::InProgress => 409,
            Self::VersionMismatch => 412,
            Self::TooLarge { .. } => 413,
            Self::Invalid(_) | Self::InvalidSignature | Self::KeyReused => 422,
            Self::Store(StoreError::Corrupt(_) | StoreError::Event(_)) | Self::Internal(_) => 500,
            Self::Provider(_) => 502,
            Self::Directory(_) | Self::Store(_) => 503,
        }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidWebhook(_) => "invalid_webhook",
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
            Self::Directory(_) | Self::Store(_) => "unavailable",
        }
    }

    /// Everything that is wrong with the input, and where.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        if let Self::Invalid(errors) = self {
            errors
        } else {
            &[]
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
