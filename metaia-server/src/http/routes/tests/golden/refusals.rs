//! The reply to each error of the services, whatever the route.

use axum::response::IntoResponse as _;
use metaia_realtime::{event::EventError, presence::DirectoryError};

use super::*;
use crate::{
    http::problem::ApiError,
    model::{FieldError, OrderStatus},
    payment::ProviderError,
    services::ServiceError,
    store::StoreError,
};

fn errors() -> Vec<ServiceError> {
    use OrderStatus::{Cancelled, Pending, Ready};
    vec![
        ServiceError::Unauthenticated,
        ServiceError::Forbidden,
        ServiceError::NotFound,
        ServiceError::Invalid(vec![FieldError::new("/a", "is wrong")]),
        ServiceError::Invalid(vec![
            FieldError::new("/a", "is wrong"),
            FieldError::new("", "is wrong"),
        ]),
        ServiceError::IllegalTransition {
            from: Pending,
            to: Ready,
        },
        ServiceError::OrderClosed(Cancelled),
        ServiceError::AlreadyPaid,
        ServiceError::NothingToPay,
        ServiceError::PaymentClosed,
        ServiceError::VersionMismatch,
        ServiceError::Busy,
        ServiceError::InvalidSignature,
        ServiceError::ForgedWebhook,
        ServiceError::KeyReused,
        ServiceError::InProgress,
        ServiceError::TooLarge { size: 2, limit: 1 },
        ServiceError::Provider(ProviderError::Unavailable("secret".into())),
        ServiceError::Provider(ProviderError::Refused {
            code: "secret".into(),
            description: "secret".into(),
        }),
        ServiceError::Store(StoreError::Unavailable("secret".into())),
        ServiceError::Store(StoreError::Unknown("secret".into())),
        ServiceError::Store(StoreError::Corrupt("secret".into())),
        ServiceError::Store(StoreError::Event(EventError::NotAnObject)),
        ServiceError::Directory(DirectoryError("secret".into())),
        ServiceError::Internal("secret".into()),
    ]
}

#[tokio::test]
async fn each_error_has_its_reply() {
    let api = Api::new(On::Embedded).await;
    let mut transcript = Transcript::new(&api);
    for error in errors() {
        let title = format!("{error:?}");
        let (parts, body) = ApiError::from(error).into_response().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let head = (parts.status, parts.headers);
        transcript.note(&title, ("-", "-"), head, &bytes);
    }
    transcript.check("service_errors");
}
