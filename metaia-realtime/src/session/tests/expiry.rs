//! `rt:expiring` and the end of tokens, in paused time.

use super::{
    phone::Phone,
    refresh::{Shop, pass, refresh},
};
use crate::session::EndReason;

/// Returns how often the client was told that its token expires.
fn announcements(phone: &Phone) -> usize {
    let written = phone.written();
    let announced = written.iter().filter(|it| it.starts_with("rt:expiring "));
    announced.count()
}

#[tokio::test(start_paused = true)]
async fn a_client_is_told_once_60_s_before_its_token_ends() {
    let shop = Shop::open().await;
    let phone = shop.connect("c1 customer 1000 t1").await;
    pass(939_000).await;
    assert_eq!(announcements(&phone), 0);
    pass(2_000).await;
    let expires_at = phone.session.identity().who.expires_at.unwrap();
    let told = format!(r#"rt:expiring {{"expiresAt":{expires_at}}}"#);
    assert_eq!(phone.written().last(), Some(&told));
    pass(58_000).await;
    assert_eq!(phone.session.ended_by(), None);
    pass(2_000).await;
    assert_eq!(phone.session.ended_by(), Some(EndReason::Expired));
    assert_eq!(announcements(&phone), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_token_has_less_time_left_is_told_right_after_rt_ready() {
    let shop = Shop::open().await;
    let phone = shop.connect("c1 customer 30 t1").await;
    let written = phone.written();
    assert_eq!(written.len(), 2, "{written:?}");
    assert!(written[0].starts_with("rt:ready "), "{written:?}");
    assert!(written[1].starts_with("rt:expiring "), "{written:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_token_does_not_expire_is_told_nothing() {
    let shop = Shop::open().await;
    let phone = shop.connect("c1 customer - t1").await;
    pass(100_000_000).await;
    assert_eq!(announcements(&phone), 0);
    assert_eq!(phone.session.ended_by(), None);
}

#[tokio::test(start_paused = true)]
async fn a_client_is_told_once_of_each_token() {
    let shop = Shop::open().await;
    let phone = shop.connect("c1 customer 100 t1").await;
    pass(50_000).await;
    assert_eq!(announcements(&phone), 1);
    refresh(&phone, "c1 customer 1000 t2").await;
    pass(930_000).await;
    assert_eq!(announcements(&phone), 1);
    pass(20_000).await;
    assert_eq!(announcements(&phone), 2);
    refresh(&phone, "c1 customer 20 t3").await;
    pass(1).await;
    assert_eq!(announcements(&phone), 3);
}
