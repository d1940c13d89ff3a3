//! Documents that nodes of commit 79f6e03 stored: they are read, and the same documents are
//! written, so that those nodes can read what ours write. Payments have further members, which
//! those nodes ignore.

use std::path::Path;

use super::*;
use crate::store::{IdempotencyClaim, IdempotencyState};

fn documents(collection: &str) -> Vec<Document> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/79f6e03/mongodb");
    let bytes = std::fs::read(fixtures.join(collection).with_extension("bson")).unwrap();
    let mut rest = bytes.as_slice();
    let mut documents = Vec::new();
    while !rest.is_empty() {
        documents.push(Document::from_reader(&mut rest).unwrap());
    }
    assert!(!documents.is_empty(), "{collection} is empty");
    documents
}

/// Checks the members without their order: an update appends a member that was not there.
#[track_caller]
fn check_same(written: &Document, stored: &Document) {
    let sorted = |document: &Document| {
        let members = document.iter();
        members
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    assert_eq!(sorted(written), sorted(stored));
}

#[test]
fn orders_are_the_same() {
    for stored in documents(ORDERS) {
        let order = order_in(&stored).unwrap();
        let version = i64::try_from(order.version).unwrap();
        check_same(&order_document(&order, version), &stored);
    }
}

#[test]
fn notifications_are_the_same() {
    for stored in documents(NOTIFICATIONS) {
        check_same(
            &notification_document(&notification_in(&stored).unwrap()),
            &stored,
        );
    }
}

#[test]
fn payments_have_the_same_members_and_more() {
    for stored in documents(PAYMENTS) {
        let payment = payment_in(&stored).unwrap();
        let mut written = payment_document(&payment, 1);
        for new in ["attempts", "flags", "version"] {
            assert!(written.remove(new).is_some(), "{new}: {stored}");
        }
        check_same(&written, &stored);
    }
}

/// Those nodes listed no attempts: they named one.
#[test]
fn the_attempts_of_payments_are_those_that_they_name() {
    for stored in documents(PAYMENTS) {
        let payment = payment_in(&stored).unwrap();
        let named = payment.razorpay_payment_id.iter().map(String::as_str);
        let listed = payment.attempts.iter().map(|attempt| attempt.id.as_str());
        assert!(named.eq(listed), "{stored}");
        assert_eq!(payment.flags, []);
    }
}

/// A node of that version moves a payment on, and leaves the new members as they are.
#[test]
fn a_payment_that_an_earlier_node_moved_on_lists_what_it_names() {
    for mut stored in documents(PAYMENTS) {
        let payment = payment_in(&stored).unwrap();
        stored.extend(payment_document(&payment, 2));
        stored.insert("status", "refunded");
        stored.insert("razorpayPaymentId", "pay_B");
        let moved = payment_in(&stored).unwrap();
        let listed = moved.attempts.last().unwrap();
        assert_eq!(listed.id, "pay_B");
        assert_eq!(listed.status, crate::model::AttemptStatus::Refunded);
        assert_eq!(moved.version, 2);
    }
}

#[test]
fn replies_under_idempotency_keys_are_the_same() {
    for stored in documents(CLAIMS) {
        let (scope, key) = stored.get_str("_id").unwrap().split_once('\n').unwrap();
        let digest = stored.get_binary_generic("digest").unwrap();
        let claim = IdempotencyClaim {
            scope: scope.to_owned(),
            key: key.to_owned(),
            digest: digest.as_slice().try_into().unwrap(),
            at: claimed_at_in(&stored).unwrap(),
        };
        let IdempotencyState::Answered(reply) = idempotency_state_in(&stored, &claim).unwrap()
        else {
            panic!("no reply: {stored}");
        };
        check_same(&claim_document(&claim, &reply), &stored);
    }
}
