//! The rule of a time zone, in the form of POSIX: `CET-1CEST,M3.5.0,M10.5.0/3`.

use time::{Date, Duration, Month, OffsetDateTime};

/// The offsets of a zone, in seconds east of UTC, and when they change.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ZoneRule {
    standard: i32,
    summer: Option<SummerTime>,
}

#[derive(Debug, PartialEq, Eq)]
struct SummerTime {
    offset: i32,
    begin: YearlyChange,
    end: YearlyChange,
}

/// A day of each year, and the seconds after its midnight.
#[derive(Debug, PartialEq, Eq)]
struct YearlyChange {
    day: YearlyDay,
    time: i32,
}

#[derive(Debug, PartialEq, Eq)]
enum YearlyDay {
    /// The weekday (0 is Sunday) of this week of a month. Week 5 is the last one.
    Weekday { month: Month, week: u8, weekday: u8 },
    /// The day of the year, from 1, in which 29 February is not counted.
    WithoutLeapDay(u16),
    /// The day of the year, from 0.
    OfYear(u16),
}

impl ZoneRule {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut text = RuleText(text);
        text.name()?;
        let standard = -text.span()?;
        if text.0.is_empty() {
            let summer = None;
            return Some(Self { standard, summer });
        }
        text.name()?;
        let offset = if text.0.starts_with(',') {
            standard + 3_600
        } else {
            -text.span()?
        };
        let begin = text.change()?;
        let end = text.change()?;
        let summer = Some(SummerTime { offset, begin, end });
        text.0.is_empty().then_some(Self { standard, summer })
    }

    /// Returns the offset at a time in Unix seconds.
    pub(super) fn offset_at(&self, unix_s: i64) -> i32 {
        let summer = self.summer.as_ref();
        let offset = summer.filter(|summer| self.is_summer(summer, unix_s) == Some(true));
        offset.map_or(self.standard, |summer| summer.offset)
    }

    /// Returns `None` for a time beyond the calendar.
    fn is_summer(&self, summer: &SummerTime, unix_s: i64) -> Option<bool> {
        let here = unix_s.checked_add(i64::from(self.standard))?;
        let year = OffsetDateTime::from_unix_timestamp(here).ok()?.year();
        let begin = summer.begin.in_year(year)? - i64::from(self.standard);
        let end = summer.end.in_year(year)? - i64::from(summer.offset);
        // South of the equator, summer ends before it begins.
        Some(if begin < end {
            (begin..end).contains(&unix_s)
        } else {
            !(end..begin).contains(&unix_s)
        })
    }
}

impl YearlyChange {
    /// Returns the time of the change in a year, as if the zone were UTC.
    fn in_year(&self, year: i32) -> Option<i64> {
        let midnight = self.day.in_year(year)?.midnight().assume_utc();
        Some(midnight.unix_timestamp() + i64::from(self.time))
    }
}

impl YearlyDay {
    fn in_year(&self, year: i32) -> Option<Date> {
        match *self {
            Self::Weekday {
                month,
                week,
                weekday,
            } => {
                let first = Date::from_calendar_date(year, month, 1).ok()?;
                let first_weekday = first.weekday().number_days_from_sunday();
                let to_weekday = (7 + weekday - first_weekday) % 7;
                let day = 1 + to_weekday + 7 * (week - 1);
                let day = if day > month.length(year) {
                    day - 7
                } else {
                    day
                };
                Date::from_calendar_date(year, month, day).ok()
            }
            Self::WithoutLeapDay(day) => {
                let is_after_leap_day = time::util::is_leap_year(year) && day >= 60;
                Date::from_ordinal_date(year, day + u16::from(is_after_leap_day)).ok()
            }
            Self::OfYear(day) => Date::from_ordinal_date(year, 1)
                .ok()?
                .checked_add(Duration::days(i64::from(day))),
        }
    }
}

/// The rest of the text.
struct RuleText<'a>(&'a str);

impl RuleText<'_> {
    fn eat(&mut self, c: char) -> bool {
        let rest = self.0.strip_prefix(c);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Skips a name: three letters or more, or anything between `<` and `>`.
    fn name(&mut self) -> Option<()> {
        if self.eat('<') {
            self.0 = self.0.split_once('>')?.1;
            return Some(());
        }
        let rest = self.0.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let has_letters = self.0.len() - rest.len() >= 3;
        self.0 = rest;
        has_letters.then_some(())
    }

    fn number(&mut self, max: u16) -> Option<u16> {
        let rest = self.0.trim_start_matches(|c: char| c.is_ascii_digit());
        let digits = &self.0[..self.0.len() - rest.len()];
        self.0 = rest;
        digits.parse().ok().filter(|number| *number <= max)
    }

    /// Reads `[+-]hours[:minutes[:seconds]]` as seconds.
    fn span(&mut self) -> Option<i32> {
        let is_negative = self.eat('-');
        if !is_negative {
            self.eat('+');
        }
        let mut seconds = i32::from(self.number(167)?) * 3_600;
        for unit in [60, 1] {
            if !self.eat(':') {
                break;
            }
            seconds += i32::from(self.number(59)?) * unit;
        }
        Some(if is_negative { -seconds } else { seconds })
    }

    /// Reads `,day[/time]`. The time is 02:00 if there is none.
    fn change(&mut self) -> Option<YearlyChange> {
        if !self.eat(',') {
            return None;
        }
        let day = self.day()?;
        let time = if self.eat('/') { self.span()? } else { 7_200 };
        Some(YearlyChange { day, time })
    }

    fn day(&mut self) -> Option<YearlyDay> {
        if self.eat('J') {
            let day = self.number(365)?;
            return (day > 0).then_some(YearlyDay::WithoutLeapDay(day));
        }
        if !self.eat('M') {
            return self.number(365).map(YearlyDay::OfYear);
        }
        let month = u8::try_from(self.number(12)?).ok()?;
        let month = Month::try_from(month).ok()?;
        let week = self.part(5)?;
        let weekday = self.part(6)?;
        (week > 0).then_some(YearlyDay::Weekday {
            month,
            week,
            weekday,
        })
    }

    fn part(&mut self, max: u16) -> Option<u8> {
        if !self.eat('.') {
            return None;
        }
        u8::try_from(self.number(max)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    #[track_caller]
    fn check(rule: &str, at: OffsetDateTime, hours: f64) {
        let offset = ZoneRule::parse(rule)
            .unwrap()
            .offset_at(at.unix_timestamp());
        assert!(
            (f64::from(offset) / 3_600.0 - hours).abs() < 1e-9,
            "{offset} s"
        );
    }

    #[test]
    fn summer_begins_and_ends_at_its_second() {
        let berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
        check(berlin, datetime!(2026-03-29 0:59:59 UTC), 1.0);
        check(berlin, datetime!(2026-03-29 1:00:00 UTC), 2.0);
        check(berlin, datetime!(2026-10-25 0:59:59 UTC), 2.0);
        check(berlin, datetime!(2026-10-25 1:00:00 UTC), 1.0);
        let new_york = "EST5EDT,M3.2.0,M11.1.0";
        check(new_york, datetime!(2026-03-08 6:59:59 UTC), -5.0);
        check(new_york, datetime!(2026-03-08 7:00:00 UTC), -4.0);
    }

    #[test]
    fn south_of_the_equator_it_is_summer_in_january() {
        let sydney = "AEST-10AEDT,M10.1.0,M4.1.0/3";
        check(sydney, datetime!(2026-01-15 0:00:00 UTC), 11.0);
        check(sydney, datetime!(2026-07-15 0:00:00 UTC), 10.0);
        check(sydney, datetime!(2026-12-31 20:00:00 UTC), 11.0);
    }

    #[test]
    fn every_form_is_read() {
        check("<+0530>-5:30", datetime!(2026-07-15 0:00:00 UTC), 5.5);
        check(
            "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1",
            datetime!(2026-07-15 0:00:00 UTC),
            -2.0,
        );
        check(
            "XXX0YYY-2:00:00,J60,J300",
            datetime!(2024-03-01 0:30:00 UTC),
            0.0,
        );
        check(
            "XXX0YYY-2:00:00,J60,J300",
            datetime!(2024-03-01 2:00:00 UTC),
            2.0,
        );
        check(
            "XXX0YYY,0/0,365/25",
            datetime!(2026-12-31 23:00:00 UTC),
            1.0,
        );
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for text in [
            "",
            "CE",
            "CET",
            "CET-1CEST",
            "CET-1CEST,M3.5.0",
            "CET-1CEST,M13.5.0,M10.5.0",
            "CET-1CEST,M3.6.0,M10.5.0",
            "CET-1CEST,M3.0.0,M10.5.0",
            "CET-1CEST,J0,J1",
            "CET-200",
            "<CET-1",
            "CET-1CEST,M3.5.0,M10.5.0/3 ",
        ] {
            assert_eq!(ZoneRule::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(
            text in "[A-Z]{3}-?[0-9]{1,3}([A-Z]{3}(,[MJ0-9.]{1,8}(/-?[0-9]{1,3})?){2})?",
            at: i64,
        ) {
            if let Some(rule) = ZoneRule::parse(&text) {
                rule.offset_at(at);
            }
        }
    }
}
