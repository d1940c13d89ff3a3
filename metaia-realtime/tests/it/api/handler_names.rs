//! `RealtimeBuilder::on` takes only names under which an event can arrive.

use metaia_realtime::{
    BuildError, EventContext, HandlerError, JwtAuthenticator, Realtime, handlers::HandlerNameError,
};

async fn build_with(names: &[&'static str]) -> Result<Realtime, BuildError> {
    let authenticator = JwtAuthenticator::hs256("a secret that signs nothing here").unwrap();
    let mut builder = Realtime::builder().authenticator(authenticator);
    for name in names {
        builder = builder.on(name, |_: EventContext, (): ()| async {
            Ok::<_, HandlerError>(())
        });
    }
    builder.build().await
}

#[track_caller]
fn assert_refused(built: Result<Realtime, BuildError>, name: &str, why: HandlerNameError) {
    match built {
        Err(BuildError::Handler {
            name: refused,
            why: reason,
        }) => {
            assert_eq!((refused, reason), (name, why));
        }
        other => panic!("{name}: {other:?}"),
    }
}

#[tokio::test]
async fn names_that_the_system_answers_itself_are_refused() {
    for name in [
        "join_order_room",
        "leave_order_room",
        "rt:resume",
        "rt:anything",
        "rt:",
    ] {
        assert_refused(build_with(&[name]).await, name, HandlerNameError::Reserved);
    }
}

#[tokio::test]
async fn names_of_socket_io_itself_are_refused() {
    for name in [
        "connect",
        "connect_error",
        "disconnect",
        "disconnecting",
        "newListener",
        "removeListener",
    ] {
        assert_refused(build_with(&[name]).await, name, HandlerNameError::Reserved);
    }
}

#[tokio::test]
async fn names_that_no_event_can_have_are_refused() {
    for name in ["", "two words", "caf\u{e9}", "a\"b", "\n"] {
        assert_refused(build_with(&[name]).await, name, HandlerNameError::Invalid);
    }
    let long: &'static str = Box::leak("x".repeat(65).into_boxed_str());
    assert_refused(build_with(&[long]).await, long, HandlerNameError::Invalid);
}

#[tokio::test]
async fn a_name_is_taken_once() {
    assert_refused(
        build_with(&["a", "b", "a"]).await,
        "a",
        HandlerNameError::Repeated,
    );
}

#[tokio::test]
async fn the_error_names_the_event_and_the_reason() {
    let error = build_with(&["connect"]).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("connect"), "{text}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("reserved"), "{cause}");
}

#[tokio::test]
async fn other_names_are_taken() {
    build_with(&["reserve_fabric", "Stock.low:v2-x", "connected", "rt", "x"])
        .await
        .unwrap();
}
