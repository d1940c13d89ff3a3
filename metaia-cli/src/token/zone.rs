//! The time zone of this machine: from `TZ`, or from `/etc/localtime` (RFC 9636).

use time::{OffsetDateTime, UtcOffset, macros::format_description};

use super::zone_rule::ZoneRule;
use crate::bounded_file::{ByteLimit, bytes_of_file};

/// The folder of the files of time zones.
const FOLDER: &str = "/usr/share/zoneinfo";

/// A time zone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    /// The offset before the first change.
    first: i32,
    /// The changes, in order: when, in Unix seconds, and to which offset.
    changes: Vec<(i64, i32)>,
    /// The rule for times after the last change.
    rule: Option<ZoneRule>,
}

impl Zone {
    /// Returns the zone of this machine, or `None` if it cannot be told.
    pub(crate) fn local() -> Option<Self> {
        match std::env::var("TZ") {
            Ok(name) => Self::named(name.strip_prefix(':').unwrap_or(&name)),
            Err(_) => {
                Self::read(&bytes_of_file("/etc/localtime".as_ref(), ByteLimit::WRITTEN).ok()?)
            }
        }
    }

    /// Returns the zone with the name of a file (`Europe/Berlin`), or with a rule
    /// (`CET-1CEST,M3.5.0,M10.5.0/3`).
    pub(crate) fn named(name: &str) -> Option<Self> {
        let file = std::path::Path::new(FOLDER).join(name);
        match bytes_of_file(&file, ByteLimit::WRITTEN) {
            Ok(bytes) => Self::read(&bytes),
            Err(_) => ZoneRule::parse(name).map(Self::from),
        }
    }

    /// Reads a file of version 2 or later: the same data twice, the second time with 64 bits, and
    /// then a rule.
    fn read(bytes: &[u8]) -> Option<Self> {
        let narrow = ZoneHeader::read(bytes)?;
        let bytes = bytes.get(ZoneHeader::BYTES + narrow.data_bytes(4)..)?;
        let wide = ZoneHeader::read(bytes)?;
        let (data, footer) = bytes
            .get(ZoneHeader::BYTES..)?
            .split_at_checked(wide.data_bytes(8))?;
        let footer = std::str::from_utf8(footer).ok()?;
        let (times, rest) = data.split_at_checked(wide.changes * 8)?;
        let (kinds, offsets) = rest.split_at_checked(wide.changes)?;
        let offset = |kind: usize| number(offsets.get(kind * 6..)?).map(i32::from_be_bytes);
        let changes = times.chunks_exact(8).zip(kinds).map(|(time, kind)| {
            Some((
                number(time).map(i64::from_be_bytes)?,
                offset(usize::from(*kind))?,
            ))
        });
        Some(Self {
            first: offset(0)?,
            changes: changes.collect::<Option<_>>()?,
            rule: ZoneRule::parse(footer.trim_matches('\n')),
        })
    }

    /// Formats a time in this zone, with its offset from UTC. Returns `None` for UTC itself, and
    /// for a time beyond the calendar.
    pub(crate) fn date_time(&self, unix_s: i64) -> Option<String> {
        let offset = self.offset_at(unix_s);
        if offset == 0 {
            return None;
        }
        let format = format_description!(
            "[year]-[month]-[day] [hour]:[minute]:[second] \
             [offset_hour sign:mandatory]:[offset_minute]"
        );
        let offset = UtcOffset::from_whole_seconds(offset).ok()?;
        let utc = OffsetDateTime::from_unix_timestamp(unix_s).ok()?;
        utc.checked_to_offset(offset)?.format(&format).ok()
    }

    fn offset_at(&self, unix_s: i64) -> i32 {
        let past = self.changes.partition_point(|(at, _)| *at <= unix_s);
        match (&self.rule, past.checked_sub(1)) {
            (Some(rule), _) if past == self.changes.len() => rule.offset_at(unix_s),
            (_, Some(last)) => self.changes[last].1,
            (_, None) => self.first,
        }
    }
}

impl From<ZoneRule> for Zone {
    fn from(rule: ZoneRule) -> Self {
        Self {
            first: 0,
            changes: Vec::new(),
            rule: Some(rule),
        }
    }
}

/// The numbers of values that follow a header.
struct ZoneHeader {
    utc_marks: usize,
    standard_marks: usize,
    leap_seconds: usize,
    changes: usize,
    kinds: usize,
    name_bytes: usize,
}

impl ZoneHeader {
    const BYTES: usize = 44;

    fn read(bytes: &[u8]) -> Option<Self> {
        let head = bytes.get(..Self::BYTES)?;
        if !head.starts_with(b"TZif") || head[4] < b'2' {
            return None;
        }
        let count = |index: usize| {
            let value = number(&head[20 + 4 * index..]).map(u32::from_be_bytes)?;
            usize::try_from(value).ok()
        };
        Some(Self {
            utc_marks: count(0)?,
            standard_marks: count(1)?,
            leap_seconds: count(2)?,
            changes: count(3)?,
            kinds: count(4)?,
            name_bytes: count(5)?,
        })
    }

    /// Returns the length of what follows, if a time has this number of bytes.
    fn data_bytes(&self, time: usize) -> usize {
        let marks = self.utc_marks + self.standard_marks + self.name_bytes;
        self.changes * (time + 1) + self.kinds * 6 + self.leap_seconds * (time + 4) + marks
    }
}

/// Returns the first bytes of a number.
fn number<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2023-11-14 22:13:20Z.
    const WINTER: i64 = 1_700_000_000;
    /// 2023-07-14 22:13:20Z.
    const SUMMER: i64 = WINTER - 123 * 86_400;

    /// Returns a file with one change, from the offset 0 to 3,600 s.
    fn file(rule: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        for time in [4_usize, 8] {
            bytes.extend(b"TZif2");
            bytes.extend([0; 15]);
            for count in [0_u32, 0, 0, 1, 2, 4] {
                bytes.extend(count.to_be_bytes());
            }
            bytes.extend(&1_000_i64.to_be_bytes()[8 - time..]);
            bytes.push(1);
            for offset in [0_i32, 3_600] {
                bytes.extend(offset.to_be_bytes());
                bytes.extend([0, 0]);
            }
            bytes.extend(b"CET\0");
        }
        bytes.extend(format!("\n{rule}\n").as_bytes());
        bytes
    }

    #[test]
    fn a_file_has_changes_and_then_a_rule() {
        let zone = Zone::read(&file("")).unwrap();
        assert_eq!(
            [999, 1_000, SUMMER].map(|at| zone.offset_at(at)),
            [0, 3_600, 3_600]
        );
        let zone = Zone::read(&file("CET-1CEST,M3.5.0,M10.5.0/3")).unwrap();
        assert_eq!(
            [999, WINTER, SUMMER].map(|at| zone.offset_at(at)),
            [0, 3_600, 7_200]
        );
    }

    #[test]
    fn a_time_is_shown_with_its_offset() {
        let berlin = Zone::from(ZoneRule::parse("CET-1CEST,M3.5.0,M10.5.0/3").unwrap());
        assert_eq!(
            berlin.date_time(WINTER).unwrap(),
            "2023-11-14 23:13:20 +01:00"
        );
        assert_eq!(
            berlin.date_time(SUMMER).unwrap(),
            "2023-07-15 00:13:20 +02:00"
        );
        assert_eq!(berlin.date_time(i64::MAX), None);
        let india = Zone::named("<+0530>-5:30").unwrap();
        assert_eq!(
            india.date_time(WINTER).unwrap(),
            "2023-11-15 03:43:20 +05:30"
        );
        assert_eq!(Zone::named("UTC0").unwrap().date_time(WINTER), None);
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        assert_eq!(Zone::named("no such zone"), None);
        let good = file("");
        for length in 0..good.len() - 3 {
            assert_eq!(Zone::read(&good[..length]), None, "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_file_panics(index in 0usize..120, byte: u8, at: i64) {
            let mut bytes = file("CET-1CEST,M3.5.0,M10.5.0/3");
            if let Some(place) = bytes.get_mut(index) {
                *place = byte;
            }
            if let Some(zone) = Zone::read(&bytes) {
                let _ = zone.date_time(at);
            }
        }
    }
}
