//! Random stories: sequences of requests to a store. They are about few records, so that they
//! collide.

use std::sync::LazyLock;

use metaia_realtime::event::{PaymentFlag, TailorAvailability};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::model::{Attempt, AttemptStatus, Notice, NotificationId};

/// One request to a store.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Change {
        writes: Vec<Write>,
        claim: Option<IdempotencyClaim>,
    },
    ReadOne {
        user: UserId,
        id: NotificationId,
    },
    ReadAll {
        user: UserId,
    },
    Tailor(TailorStatus),
}

/// The users who read notifications.
pub(crate) static USERS: LazyLock<Vec<UserId>> = LazyLock::new(|| (0..3).map(reader).collect());

impl Step {
    pub(crate) fn writes(&self) -> &[Write] {
        if let Self::Change { writes, .. } = self {
            writes
        } else {
            &[]
        }
    }

    /// Returns the change of these writes, with one event per write.
    pub(crate) fn change(writes: &[Write], claim: Option<IdempotencyClaim>) -> Change {
        let events = writes.iter().map(|write| {
            NewEntry::event(
                [Room::Everyone],
                ("step", json!({ "write": format!("{write:?}") })),
            )
            .unwrap()
        });
        Change {
            writes: writes.to_vec(),
            events: events.collect(),
            claim,
            reply: Box::new(|receipts| reply_of(receipts.len())),
        }
    }
}

/// A write, before its version is known.
#[derive(Debug, Clone)]
enum Deed {
    Place {
        order: u8,
        clash: bool,
        tailor: Option<u8>,
    },
    Move {
        order: u8,
        stale: bool,
        to: OrderStatus,
        tailor: Option<u8>,
    },
    Notify {
        user: u8,
    },
    Open {
        payment: u8,
    },
    Advance {
        payment: u8,
        from: PaymentStatus,
        to: PaymentStatus,
    },
    Receive {
        event: u8,
    },
    Rely {
        order: u8,
        ahead: u8,
    },
}

/// The steps of payments, and changes that leave the status as it is.
const STEPS: [(PaymentStatus, PaymentStatus); 9] = [
    (PaymentStatus::Created, PaymentStatus::Completed),
    (PaymentStatus::Created, PaymentStatus::Failed),
    (PaymentStatus::Created, PaymentStatus::Refunded),
    (PaymentStatus::Failed, PaymentStatus::Completed),
    (PaymentStatus::Failed, PaymentStatus::Refunded),
    (PaymentStatus::Completed, PaymentStatus::Refunded),
    (PaymentStatus::Refunded, PaymentStatus::Completed),
    (PaymentStatus::Created, PaymentStatus::Created),
    (PaymentStatus::Completed, PaymentStatus::Completed),
];

fn deed() -> impl Strategy<Value = Deed> {
    let tailor = || option::of(0..2u8);
    prop_oneof![
        2 => (0..4u8, prop::bool::weighted(0.2), tailor())
            .prop_map(|(order, clash, tailor)| Deed::Place { order, clash, tailor }),
        4 => (0..4u8, prop::bool::weighted(0.2), select(&OrderStatus::ALL[..]), tailor())
            .prop_map(|(order, stale, to, tailor)| Deed::Move { order, stale, to, tailor }),
        3 => (0..2u8).prop_map(|user| Deed::Notify { user }),
        2 => (0..5u8).prop_map(|payment| Deed::Open { payment }),
        6 => (0..5u8, select(&STEPS[..]))
            .prop_map(|(payment, (from, to))| Deed::Advance { payment, from, to }),
        1 => (0..4u8).prop_map(|event| Deed::Receive { event }),
        1 => (0..4u8, 0..2u8).prop_map(|(order, ahead)| Deed::Rely { order, ahead }),
    ]
}

/// A step, before its versions are known.
#[derive(Debug, Clone)]
enum Plot {
    Deeds(Vec<Deed>, Option<(u8, bool, u8)>),
    ReadOne(u8, u8),
    ReadAll(u8),
    Tailor(u8, TailorAvailability),
}

fn plot() -> impl Strategy<Value = Plot> {
    let said = [
        TailorAvailability::Available,
        TailorAvailability::Busy,
        TailorAvailability::Offline,
    ];
    let claim = option::weighted(0.3, (0..3u8, prop::bool::weighted(0.3), 0..2u8));
    prop_oneof![
        10 => (vec(deed(), 0..4), claim).prop_map(|(deeds, claim)| Plot::Deeds(deeds, claim)),
        3 => (0..3u8, any::<u8>()).prop_map(|(user, id)| Plot::ReadOne(user, id)),
        2 => (0..3u8).prop_map(Plot::ReadAll),
        2 => (0..2u8, select(said.to_vec())).prop_map(|(tailor, said)| Plot::Tailor(tailor, said)),
    ]
}

/// Returns stories of up to `max_steps` steps.
pub(crate) fn story(max_steps: usize) -> impl Strategy<Value = Vec<Step>> {
    vec(plot(), 1..max_steps).prop_map(|plots| {
        let mut teller = Teller::default();
        plots.into_iter().map(|plot| teller.tell(plot)).collect()
    })
}

/// Turns plots into steps: counts versions as if every write had succeeded, and keeps the ids of
/// the notifications.
#[derive(Default)]
struct Teller {
    versions: [u64; 4],
    payments: [(Option<PaymentStatus>, u64); 5],
    today: bool,
    notified: Vec<NotificationId>,
}

/// The time of a claim that has just expired.
static YESTERDAY: LazyLock<Timestamp> =
    LazyLock::new(|| after(Timestamp::now(), -IdempotencyClaim::LIFE_MS));

fn after(at: Timestamp, ms: i64) -> Timestamp {
    Timestamp::from_ms(at.ms() + ms).unwrap()
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(1_700_000_000_000 + ms).unwrap()
}

fn id(kind: u8, n: u8) -> String {
    format!("65000000{kind:02x}0000000000{n:04x}")
}

fn tailor(n: u8) -> UserId {
    // One is 24 hex digits, which MongoDB stores as an ObjectId; the other is not.
    if n == 0 { user(&id(9, 0)) } else { user("t1") }
}

impl Teller {
    fn tell(&mut self, plot: Plot) -> Step {
        match plot {
            Plot::Deeds(deeds, claim) => Step::Change {
                writes: deeds.into_iter().map(|deed| self.write(deed)).collect(),
                claim: claim.map(|(key, old, body)| {
                    // Time does not go back.
                    self.today |= !old;
                    let at = if self.today {
                        after(*YESTERDAY, IdempotencyClaim::LIFE_MS)
                    } else {
                        *YESTERDAY
                    };
                    IdempotencyClaim {
                        at,
                        ..super::claim(&format!("k{key}"), &format!("b{body}"))
                    }
                }),
            },
            Plot::ReadOne(user, n) => {
                let known = self
                    .notified
                    .get(usize::from(n) % (self.notified.len() + 1))
                    .copied();
                let id = known.unwrap_or_else(|| id(7, 0).parse().unwrap());
                Step::ReadOne {
                    user: reader(user),
                    id,
                }
            }
            Plot::ReadAll(user) => Step::ReadAll { user: reader(user) },
            Plot::Tailor(n, status) => Step::Tailor(TailorStatus {
                tailor: tailor(n),
                status,
                at: at(5),
            }),
        }
    }

    fn write(&mut self, deed: Deed) -> Write {
        match deed {
            Deed::Place {
                order,
                clash,
                tailor: by,
            } => {
                let placed = an_order(order, 1, OrderStatus::Pending, by);
                if clash {
                    return Write::NewOrder(Order {
                        id: id(4, order).parse().unwrap(),
                        ..placed
                    });
                }
                self.versions[usize::from(order)] = 1;
                Write::NewOrder(placed)
            }
            Deed::Move {
                order,
                stale,
                to,
                tailor: by,
            } => {
                let version = &mut self.versions[usize::from(order)];
                *version += u64::from(!stale);
                Write::Order(an_order(order, (*version).max(1), to, by))
            }
            Deed::Notify { user } => {
                let new = notification(
                    reader(user),
                    id(2, u8::try_from(self.notified.len()).unwrap()),
                );
                self.notified.push(new.id);
                Write::NewNotification(new)
            }
            Deed::Open { payment } => {
                let status = PaymentStatus::Created;
                self.payments[usize::from(payment)] = (Some(status), 1);
                Write::NewPayment(a_payment(payment, status, 1))
            }
            Deed::Advance { payment, from, to } => Write::Payment {
                payment: a_payment(payment, to, self.next_version(payment, from, to)),
                from,
            },
            Deed::Rely { order, ahead } => Write::OrderAsRead {
                order: id(1, order).parse().unwrap(),
                version: self.versions[usize::from(order)] + u64::from(ahead),
            },
            Deed::Receive { event } => Write::ProviderEvent(format!("evt_{event}")),
        }
    }
}

impl Teller {
    /// Returns the version of a payment after a step, as if every step from the right status had
    /// succeeded.
    fn next_version(&mut self, payment: u8, from: PaymentStatus, to: PaymentStatus) -> u64 {
        let (status, version) = &mut self.payments[usize::from(payment)];
        let next = *version + 1;
        if *status == Some(from) {
            *status = Some(to);
            *version = next;
        }
        next
    }
}

fn reader(n: u8) -> UserId {
    if n == 0 {
        user(&id(8, 0))
    } else {
        user(&format!("u{n}"))
    }
}

fn an_order(n: u8, version: u64, status: OrderStatus, by: Option<u8>) -> Order {
    Order {
        id: id(1, n).parse().unwrap(),
        order_number: format!("MT-231114-00000{n}").parse().unwrap(),
        tailor: by.map(tailor),
        created_at: at(i64::from(n) / 2),
        updated_at: at(10 + i64::try_from(version).unwrap()),
        status,
        version,
        ..order()
    }
}

fn notification(of: UserId, id: String) -> Notification {
    let notice = Notice {
        user: of,
        kind: NotificationKind::Payment,
        title: "$title".into(),
        message: "{\"$ne\": null}".into(),
        order: Some(self::id(1, 1).parse().unwrap()),
    };
    Notification {
        id: id.parse().unwrap(),
        notice,
        read: false,
        created_at: at(3),
    }
}

/// Returns a payment. Two of them share an id of the provider, and each order has several. Some
/// versions have an attempt and a flag.
fn a_payment(n: u8, status: PaymentStatus, version: u64) -> Payment {
    let of = an_order(n % 2, 1, OrderStatus::Pending, None);
    let mut payment = Payment::open(
        id(3, n).parse().unwrap(),
        &of,
        format!("order_{}", n.min(3)),
        at(4),
    );
    if version.is_multiple_of(2) {
        payment.attempts.push(Attempt {
            id: format!("pay_{version}"),
            status: AttemptStatus::Failed,
            amount: 7,
            currency: "INR".into(),
            at: at(6),
        });
    }
    // Flags stay.
    if version > 1 {
        payment.flags.push(PaymentFlag::AmountMismatch);
    }
    Payment {
        status,
        version,
        ..payment
    }
}
