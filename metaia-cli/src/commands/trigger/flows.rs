//! The flows, step by step.

use serde_json::json;

use super::cast::Cast;
use super::fixtures;
use super::stage::{Stage, member};
use crate::exit::Failure;
use crate::rest::Authority;

/// What was asked for on the command line beside the cast.
#[derive(Debug, Default)]
pub(super) struct Wish {
    pub(super) order: Option<String>,
    pub(super) status: Option<String>,
    pub(super) title: Option<String>,
    pub(super) message: Option<String>,
}

pub(super) async fn notify(stage: &Stage, cast: &Cast<'_>, wish: &Wish) -> Result<(), Failure> {
    let body = fixtures::notification(cast.customer(), wish);
    stage
        .post("notify", &cast.as_sender()?, "/api/notifications", &body)
        .await
        .map(drop)
}

pub(super) async fn update_order(
    stage: &Stage,
    cast: &Cast<'_>,
    wish: &Wish,
) -> Result<(), Failure> {
    let Some(order) = &wish.order else {
        return place(stage, cast).await.map(drop);
    };
    let admin = cast.as_admin()?;
    let status = match &wish.status {
        Some(status) => status.clone(),
        None => next_status(stage, &admin, order).await?,
    };
    set_status(stage, &admin, order, &status).await
}

pub(super) async fn pay(stage: &Stage, cast: &Cast<'_>, wish: &Wish) -> Result<(), Failure> {
    let secret = cast.payment_secret()?;
    let order = match &wish.order {
        Some(order) => order.clone(),
        None => place(stage, cast).await?,
    };
    pay_order(stage, cast, &order, &secret).await
}

pub(super) async fn set_tailor_status(
    stage: &Stage,
    cast: &Cast<'_>,
    wish: &Wish,
) -> Result<(), Failure> {
    let body = json!({"status": wish.status.as_deref().unwrap_or("busy")});
    stage
        .put(
            "tailor's status",
            &cast.as_tailor_addressed()?,
            "/api/tailors/me/status",
            &body,
        )
        .await
        .map(drop)
}

pub(super) async fn lifecycle(stage: &mut Stage, cast: &Cast<'_>) -> Result<(), Failure> {
    let secret = cast.payment_secret()?;
    let (admin, tailor, courier) = (cast.as_admin()?, cast.as_tailor()?, cast.as_courier()?);
    stage.announce(9);
    let order = place(stage, cast).await?;
    set_status(stage, &admin, &order, "confirmed").await?;
    let people = json!({"tailor": cast.tailor(), "deliveryPartner": cast.courier()});
    stage
        .put(
            "assign tailor and courier",
            &admin,
            &format!("/api/orders/{order}/assign"),
            &people,
        )
        .await?;
    set_status(stage, &tailor, &order, "in_progress").await?;
    set_status(stage, &tailor, &order, "ready").await?;
    pay_order(stage, cast, &order, &secret).await?;
    set_status(stage, &courier, &order, "out_for_delivery").await?;
    set_status(stage, &courier, &order, "delivered").await
}

/// Places an order and returns its id.
async fn place(stage: &Stage, cast: &Cast<'_>) -> Result<String, Failure> {
    let answer = stage
        .post(
            "place the order",
            &cast.as_customer()?,
            "/api/orders",
            &fixtures::order(),
        )
        .await?;
    member(&answer, "/order/_id").map(str::to_owned)
}

async fn set_status(
    stage: &Stage,
    who: &Authority,
    order: &str,
    status: &str,
) -> Result<(), Failure> {
    let path = format!("/api/orders/{order}/status");
    stage
        .put(
            &format!("status {status}"),
            who,
            &path,
            &json!({"status": status}),
        )
        .await
        .map(drop)
}

async fn next_status(stage: &Stage, who: &Authority, order: &str) -> Result<String, Failure> {
    let answer = stage
        .get("look at the order", who, &format!("/api/orders/{order}"))
        .await?;
    let status = member(&answer, "/order/status")?;
    let next = fixtures::status_after(status);
    next.map(str::to_owned)
        .ok_or_else(|| Failure::usage(format!("nothing comes after {status:?}: give --status")))
}

async fn pay_order(
    stage: &Stage,
    cast: &Cast<'_>,
    order: &str,
    secret: &str,
) -> Result<(), Failure> {
    let customer = cast.as_customer()?;
    let opened = stage
        .post(
            "open a payment",
            &customer,
            &format!("/api/payments/orders/{order}"),
            &json!({}),
        )
        .await?;
    let confirmation = fixtures::confirmation(member(&opened, "/payment/razorpayOrderId")?, secret);
    stage
        .post(
            "confirm the payment",
            &customer,
            "/api/payments/verify",
            &confirmation,
        )
        .await
        .map(drop)
}
