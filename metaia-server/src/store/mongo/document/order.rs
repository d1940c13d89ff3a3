//! Orders as documents.

use std::collections::BTreeMap;

use metaia_realtime::{OrderId, UserId};
use mongodb::bson::{Bson, Document, doc};
use serde_json::Number;

use super::{
    ORDERS, Revision, Unreadable,
    value::{created_at_in, date, id, id_in, integer, named, parsed, text, time, user_in},
};
use crate::model::{Item, Measure, Order, OrderNumber, OrderStatus, Timestamp};

/// Returns the document of a new order.
pub(in super::super) fn order_document(order: &Order, version: i64) -> Document {
    let items: Vec<Document> = order.items.iter().map(item_document).collect();
    let mut document = doc! {
        "_id": id(order.id.as_str()),
        "orderNumber": order.order_number.to_string(),
        "customer": id(order.customer.as_str()),
        "items": items,
        "amount": order.amount,
        "currency": &order.currency,
        "createdAt": date(order.created_at),
    };
    document.extend(order_fields(order, version));
    if let Some(address) = &order.delivery_address {
        document.insert("deliveryAddress", address);
    }
    document
}

/// Returns the fields of an order that change. The other fields stay as they are, those of other
/// programs included.
pub(in super::super) fn order_fields(order: &Order, version: i64) -> Document {
    doc! {
        "tailor": user_or_null(order.tailor.as_ref()),
        "deliveryPartner": user_or_null(order.delivery_partner.as_ref()),
        "status": order.status.as_str(),
        "version": version,
        "updatedAt": date(order.updated_at),
    }
}

/// Returns the time of the last change of an order, if it has one.
pub(in super::super) fn changed_at_in(document: &Document) -> Option<Timestamp> {
    time(document, "updatedAt")
}

fn user_or_null(user: Option<&UserId>) -> Bson {
    user.map_or(Bson::Null, |user| id(user.as_str()))
}

/// Reads an order out of a document.
pub(in super::super) fn order_in(document: &Document) -> Result<Order, Unreadable> {
    let unreadable = |what| Unreadable::new(ORDERS, document, what);
    let id: OrderId =
        id_in(document).ok_or_else(|| unreadable("its id is not that of an order"))?;
    let customer = user_in(document, "customer").ok_or_else(|| unreadable("it has no customer"))?;
    let status: OrderStatus =
        named(document, "status").ok_or_else(|| unreadable("it has no known status"))?;
    let created_at =
        created_at_in(document).ok_or_else(|| unreadable("it has no creation time"))?;
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
        version: Revision::read(document).number(),
        created_at,
        updated_at: changed_at_in(document).unwrap_or(created_at),
        delivery_address: text(document, "deliveryAddress").map(str::to_owned),
        id,
    })
}

/// Reads the amount of an order. Without one it is the sum of the items, or 0 if that overflows.
fn amount_in(document: &Document, items: &[Item]) -> i64 {
    match document.get("amount").and_then(integer) {
        Some(amount) if amount >= 0 => amount,
        _ => sum_of(items).unwrap_or_default(),
    }
}

fn sum_of(items: &[Item]) -> Option<i64> {
    let mut sum = 0_i64;
    for item in items {
        let cost = item.price.checked_mul(item.quantity.into())?;
        sum = sum.checked_add(cost)?;
    }
    Some(sum)
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
    let quantity = item.get("quantity").and_then(integer);
    let quantity = quantity.and_then(|number| number.try_into().ok());
    let price = item.get("price").and_then(integer);
    let price = price.filter(|price| *price >= 0);
    let garment = text(item, "garment").or_else(|| text(item, "name"));
    Item {
        garment: garment.unwrap_or_default().to_owned(),
        quantity: quantity.unwrap_or(1),
        price: price.unwrap_or_default(),
        measurements: measurements_in(item),
        notes: text(item, "notes").map(str::to_owned),
    }
}

/// Returns the document of an item. Its measurements are a list of names and values, because names
/// of members cannot contain dots and dollar signs.
fn item_document(item: &Item) -> Document {
    let mut document = doc! {
        "garment": &item.garment,
        "quantity": i64::from(item.quantity),
        "price": item.price,
    };
    if !item.measurements.is_empty() {
        let mut measurements = Vec::with_capacity(item.measurements.len());
        for (name, measure) in &item.measurements {
            measurements.push(doc! { "name": name, "value": measure_value(measure) });
        }
        document.insert("measurements", measurements);
    }
    if let Some(notes) = &item.notes {
        document.insert("notes", notes);
    }
    document
}

fn measure_value(measure: &Measure) -> Bson {
    match measure {
        Measure::Text(text) => Bson::from(text),
        Measure::Number(number) => number_value(number),
    }
}

/// Returns a number without loss: whole numbers as integers, fractions as doubles, and numbers that
/// exceed a signed integer of 64 bits as decimals.
fn number_value(number: &Number) -> Bson {
    if let Some(whole) = number.as_i64() {
        return Bson::Int64(whole);
    }
    match number.as_f64() {
        Some(fraction) if number.is_f64() => Bson::Double(fraction),
        _ => number
            .to_string()
            .parse()
            .map_or(Bson::Null, Bson::Decimal128),
    }
}

fn measure_in(value: &Bson) -> Option<Measure> {
    match value {
        Bson::String(text) => Some(Measure::Text(text.clone())),
        Bson::Int32(number) => Some(Measure::Number((*number).into())),
        Bson::Int64(number) => Some(Measure::Number((*number).into())),
        Bson::Double(number) => Number::from_f64(*number).map(Measure::Number),
        Bson::Decimal128(number) => {
            let whole: u64 = number.to_string().parse().ok()?;
            Some(Measure::Number(whole.into()))
        }
        _ => None,
    }
}

/// Reads measurements from a list, as we write it, or from an object, as other programs do.
fn measurements_in(item: &Document) -> BTreeMap<String, Measure> {
    match item.get("measurements") {
        Some(Bson::Array(list)) => list.iter().filter_map(measurement_in).collect(),
        Some(Bson::Document(object)) => object
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), measure_in(value)?)))
            .collect(),
        _ => BTreeMap::new(),
    }
}

fn measurement_in(element: &Bson) -> Option<(String, Measure)> {
    let document = element.as_document()?;
    let name = text(document, "name")?;
    let measure = measure_in(document.get("value")?)?;
    Some((name.to_owned(), measure))
}
