//! The stored form of the records of clients: what an earlier version has written stays readable.

use super::*;
use crate::{
    Identity, Role,
    device::{Claimant, DeviceKey, DeviceRecord, DeviceStore as _},
};

/// A row of `rt_device`: key, position, orders, connections, at, sum.
type StoredRow = (String, String, String, u32, i64, i64);

/// The year 2100: a record of then does not expire.
const AT: i64 = 4_102_444_800_000;

fn keys() -> [DeviceKey; 2] {
    let mut identity = Identity::new("u1".parse().unwrap(), Role::Customer);
    identity.token_id = Some("a token: \"ä\" %".to_owned());
    let device = "phone-1".parse().unwrap();
    [
        DeviceKey::new(&identity, Some(&device)).unwrap(),
        DeviceKey::new(&identity, None).unwrap(),
    ]
}

fn record() -> DeviceRecord {
    DeviceRecord {
        position: "00000000000000e1-0a1b2c3d.42".parse().unwrap(),
        orders: vec!["o-1".parse().unwrap(), "o_2".parse().unwrap()],
        connections: 2,
        connected: 0,
        at: AT,
    }
}

fn golden_row(key: &str, sum: i64) -> StoredRow {
    let position = "00000000000000e1-0a1b2c3d.42".to_owned();
    (key.to_owned(), position, "o-1 o_2".to_owned(), 2, AT, sum)
}

fn golden_rows() -> Vec<StoredRow> {
    vec![
        golden_row("u1 device phone-1", 9_141_933_109_573_669_418),
        golden_row("u1 token a token: \"ä\" %", -7_177_468_251_364_447_327),
    ]
}

impl Folder {
    fn device_rows(&self) -> Vec<StoredRow> {
        let db = Connection::open(self.database()).unwrap();
        let sql = "SELECT key, position, orders, connections, at, sum FROM rt_device ORDER BY key";
        let mut select = db.prepare(sql).unwrap();
        let rows = select.query_map([], |row| row.try_into()).unwrap();
        rows.map(Result::unwrap).collect()
    }

    fn insert_device_row(&self, row: StoredRow) {
        let db = Connection::open(self.database()).unwrap();
        let sql = "INSERT INTO rt_device (key, position, orders, connections, at, sum)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        db.execute(sql, row).unwrap();
    }
}

#[tokio::test]
async fn the_rows_of_records_stay_byte_for_byte_the_same() {
    let folder = Folder::new();
    let log = folder.open().await;
    let records = keys().map(|key| (key, record()));
    log.save(records.to_vec()).await.unwrap();
    assert_eq!(folder.device_rows(), golden_rows());
    log.close().await;
}

#[tokio::test]
async fn rows_of_an_earlier_version_are_read() {
    let folder = Folder::new();
    let log = folder.open().await;
    for row in golden_rows() {
        folder.insert_device_row(row);
    }
    for key in keys() {
        let claimed = log.claim(&key, Claimant::New).await.unwrap();
        assert_eq!(claimed.own, Some(record()));
    }
    log.close().await;
}
