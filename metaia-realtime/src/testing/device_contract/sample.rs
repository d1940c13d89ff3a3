//! Keys and records to save.

use crate::{
    Identity, OrderId, Position, Role,
    device::{DeviceKey, DeviceRecord},
    values::{Epoch, EventId, time},
};

/// Returns keys that a store could confuse: by case, as patterns, by kind, by an end that is cut
/// off.
pub(super) fn keys() -> Vec<DeviceKey> {
    let device = |user, device| key(user, Some(device), None);
    let token = |user, id| key(user, None, Some(id));
    vec![
        device("u", "a"),
        device("U", "a"),
        device("u", "A"),
        device("u", "a_b"),
        device("u", "axb"),
        token("u", "a"),
        token("u", "%' -- ä 漢 👩‍👩‍👧 \n\""),
        token("u", "a\0b"),
        token("u", "a\0c"),
        token("u", &"x".repeat(255)),
        token("u", &"x".repeat(256)),
        device(&"u".repeat(64), &"d".repeat(64)),
    ]
}

pub(super) fn key(user: &str, device: Option<&str>, token: Option<&str>) -> DeviceKey {
    let mut identity = Identity::new(
        user.parse().unwrap_or_else(|_| panic!("no user")),
        Role::Customer,
    );
    identity.token_id = token.map(str::to_owned);
    let device = device.map(|id| id.parse().unwrap_or_else(|_| panic!("no device")));
    DeviceKey::new(&identity, device.as_ref()).unwrap_or_else(|| panic!("no key"))
}

fn orders(count: u32) -> Vec<OrderId> {
    let order = |i: u32| i.to_string().parse().unwrap_or_else(|_| panic!("no order"));
    (0..count).map(order).collect()
}

/// Returns records of all shapes, then an endless series of small ones.
pub(super) fn records() -> impl Iterator<Item = DeviceRecord> {
    let last_epoch = Epoch::from_bits(u64::MAX);
    let last_id = EventId::from_bytes([255; 16]);
    let shapes = [
        DeviceRecord {
            position: Position::start(Epoch::from_bits(0)),
            ..record(0)
        },
        DeviceRecord {
            position: Position::new(last_epoch, (1 << 53) - 1, last_id),
            ..record(0)
        },
        DeviceRecord {
            orders: orders(1),
            connections: 0,
            ..record(7)
        },
        DeviceRecord {
            orders: orders(1_000),
            connections: u32::MAX,
            ..record(8)
        },
    ];
    shapes.into_iter().chain((9..).map(record))
}

pub(super) fn record(n: u64) -> DeviceRecord {
    let position = Position::new(Epoch::from_bits(n), n, EventId::from_bytes([n as u8; 16]));
    DeviceRecord {
        position,
        orders: Vec::new(),
        connections: 1,
        connected: 0,
        at: time::unix_ms(),
    }
}
