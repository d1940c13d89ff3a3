//! Orders as documents.

use metaia_realtime::OrderId;
use mongodb::bson::{Bson, Document, doc};
use serde_json::Number;

use super::{
    ORDERS, Revision, Unreadable,
    value::{date, hex, id, integer, made, named, parsed, text, time, user_in},
};
use crate::model::{Item, Measure, Order, OrderNumber, OrderStatus};

/// The document of a new order.
pub(in super::super) fn order_of(order: &Order, version: i64) -> Document {
    let items: Vec<Document> = order.items.iter().map(item_of).collect();
    let mut document = doc! {
        "_id": id(order.id.as_str()),
        "orderNumber": order.order_number.to_string(),
        "customer": id(order.customer.as_str()),
        "items": items,
        "amount": order.amount,
        "currency": &order.currency,
        "createdAt": date(order.created_at),
    };
    document.extend(order_set(order, version));
    if let Some(address) = &order.delivery_address {
        document.insert("deliveryAddress", address);
    }
    document
}

/// What changes of an order. The rest stays as it is, and what others wrote beside it.
pub(in super::super) fn order_set(order: &Order, version: i64) -> Document {
    let seat =
        |user: Option<&metaia_realtime::UserId>| user.map_or(Bson::Null, |user| id(user.as_str()));
    doc! {
        "tailor": seat(order.tailor.as_ref()),
        "deliveryPartner": seat(order.delivery_partner.as_ref()),
        "status": order.status.as_str(),
        "version": version,
        "updatedAt": date(order.updated_at),
    }
}

/// The order that a document is.
pub(in super::super) fn order_in(document: &Document) -> Result<Order, Unreadable> {
    let unreadable = |what| Unreadable::new(ORDERS, document, what);
    let id: OrderId = hex(document).ok_or_else(|| unreadable("its id is none of an order"))?;
    let customer = user_in(document, "customer").ok_or_else(|| unreadable("it has no customer"))?;
    let status: OrderStatus =
        named(document, "status").ok_or_else(|| unreadable("it has no known status"))?;
    let created_at =
        made(document).ok_or_else(|| unreadable("it does not say when it was made"))?;
    let items = items_in(document);
    let number =
        parsed(document, "orderNumber").or_else(|| id.as_str().parse::<OrderNumber>().ok());
    let currency = text(document, "currency")
        .filter(|text| text.len() == 3)
        .unwrap_or("INR");
    Ok(Order {
        order_number: number.ok_or_else(|| unreadable("it has no number"))?,
        customer,
        tailor: user_in(document, "tailor"),
        delivery_partner: user_in(document, "deliveryPartner"),
        amount: amount_in(document, &items),
        items,
        currency: currency.to_owned(),
        status,
        version: Revision::of(document).number(),
        created_at,
        updated_at: time(document, "updatedAt").unwrap_or(created_at),
        delivery_address: text(document, "deliveryAddress").map(str::to_owned),
        id,
    })
}

/// As it says; else the sum of its items; else nothing is to be paid.
fn amount_in(document: &Document, items: &[Item]) -> i64 {
    let said = document
        .get("amount")
        .and_then(integer)
        .filter(|amount| *amount >= 0);
    let cost = |item: &Item| item.price.checked_mul(item.quantity.into());
    let sum = || {
        items
            .iter()
            .try_fold(0_i64, |sum, item| sum.checked_add(cost(item)?))
    };
    said.or_else(sum).unwrap_or_default()
}

fn items_in(document: &Document) -> Vec<Item> {
    let items = document
        .get_array("items")
        .map(Vec::as_slice)
        .unwrap_or_default();
    items
        .iter()
        .filter_map(Bson::as_document)
        .map(item_in)
        .collect()
}

fn item_in(item: &Document) -> Item {
    let quantity = item
        .get("quantity")
        .and_then(integer)
        .and_then(|number| number.try_into().ok());
    let price = item
        .get("price")
        .and_then(integer)
        .filter(|price| *price >= 0);
    Item {
        garment: text(item, "garment")
            .or_else(|| text(item, "name"))
            .unwrap_or_default()
            .to_owned(),
        quantity: quantity.unwrap_or(1),
        price: price.unwrap_or_default(),
        measurements: measurements_in(item),
        notes: text(item, "notes").map(str::to_owned),
    }
}

/// Measurements are a list of names and values: as names of members they would have to be without
/// dots and dollars.
fn item_of(item: &Item) -> Document {
    let mut document = doc! { "garment": &item.garment, "quantity": i64::from(item.quantity), "price": item.price };
    let measurement =
        |(name, measure): (&String, &Measure)| doc! { "name": name, "value": measure_of(measure) };
    if !item.measurements.is_empty() {
        document.insert(
            "measurements",
            item.measurements
                .iter()
                .map(measurement)
                .collect::<Vec<_>>(),
        );
    }
    if let Some(notes) = &item.notes {
        document.insert("notes", notes);
    }
    document
}

/// To the last bit: a whole number is not a fraction, and one beyond 64 bits with a sign is a
/// decimal.
fn measure_of(measure: &Measure) -> Bson {
    match measure {
        Measure::Text(text) => Bson::from(text),
        Measure::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Bson::Int64(whole),
            (None, Some(fraction)) if number.is_f64() => Bson::Double(fraction),
            _ => number
                .to_string()
                .parse()
                .map_or(Bson::Null, Bson::Decimal128),
        },
    }
}

fn measure_in(value: &Bson) -> Option<Measure> {
    match value {
        Bson::String(text) => Some(Measure::Text(text.clone())),
        Bson::Int32(number) => Some(Measure::Number((*number).into())),
        Bson::Int64(number) => Some(Measure::Number((*number).into())),
        Bson::Double(number) => Number::from_f64(*number).map(Measure::Number),
        Bson::Decimal128(number) => number
            .to_string()
            .parse::<u64>()
            .ok()
            .map(|n| Measure::Number(n.into())),
        _ => None,
    }
}

/// A list as we write it, or an object as others do.
fn measurements_in(item: &Document) -> std::collections::BTreeMap<String, Measure> {
    match item.get("measurements") {
        Some(Bson::Array(list)) => list
            .iter()
            .filter_map(Bson::as_document)
            .filter_map(|one| {
                Some((
                    text(one, "name")?.to_owned(),
                    measure_in(one.get("value")?)?,
                ))
            })
            .collect(),
        Some(Bson::Document(object)) => object
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), measure_in(value)?)))
            .collect(),
        _ => std::collections::BTreeMap::new(),
    }
}
