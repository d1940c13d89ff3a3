//! Numbers as JSON writes them, without rounding.

/// A number of JSON, exactly: `49900`, `49900.0` and `4.99e4` are the same number.
///
/// Reading one as `f64` would round. `9007199254740993` and `4503599627370497.3` would become their
/// neighbours, and `1e400` is not a `f64` at all.
///
/// ```
/// use metaia_realtime::values::JsonNumber;
///
/// let whole = |text| JsonNumber::parse(text).and_then(|number| number.to_whole());
/// assert_eq!(whole("4.99e4"), Some(49_900));
/// assert_eq!(whole("1.5"), None);
/// assert_eq!(whole("1e400"), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonNumber {
    is_negative: bool,
    /// The significant digits, without zeros at either end. Empty for zero.
    digits: String,
    /// The power of ten that the digits are multiplied by.
    exponent: i64,
}

impl JsonNumber {
    /// Reads a number in the syntax of JSON (RFC 8259, section 6). Returns `None` for other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (is_negative, unsigned) = match text.strip_prefix('-') {
            Some(unsigned) => (true, unsigned),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) if is_digits(fraction) => (whole, fraction),
            Some(_) => return None,
            None => (mantissa, ""),
        };
        let has_leading_zero = whole.len() > 1 && whole.starts_with('0');
        if !is_digits(whole) || has_leading_zero {
            return None;
        }
        let written = format!("{whole}{fraction}");
        let significant = written.trim_end_matches('0');
        let zeros = written.len() - significant.len();
        Some(Self {
            is_negative,
            digits: significant.trim_start_matches('0').to_owned(),
            exponent: exponent + zeros as i64 - fraction.len() as i64,
        })
    }

    /// Returns the number if it is whole and fits.
    #[must_use]
    pub fn to_whole(&self) -> Option<i64> {
        if self.exponent < 0 && !self.digits.is_empty() {
            return None;
        }
        let magnitude = self.magnitude(self.exponent)?;
        let whole = if self.is_negative {
            -magnitude
        } else {
            magnitude
        };
        i64::try_from(whole).ok()
    }

    /// Returns the greatest whole number that is not greater than a thousand times this one: the
    /// milliseconds of a number of seconds. Beyond the range of `i64`, returns its bound.
    #[must_use]
    pub fn floor_thousandfold(&self) -> i64 {
        let exponent = self.exponent.saturating_add(3);
        let Some(magnitude) = self.magnitude(exponent) else {
            return if self.is_negative { i64::MIN } else { i64::MAX };
        };
        let is_exact = exponent >= 0 || self.digits.is_empty();
        let floor = match (self.is_negative, is_exact) {
            (false, _) => magnitude,
            (true, true) => -magnitude,
            (true, false) => -magnitude - 1,
        };
        floor.clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }

    /// Returns the digits times this power of ten, cut to a whole number. `None` if it has more
    /// than 37 digits.
    fn magnitude(&self, exponent: i64) -> Option<i128> {
        const MAX_DIGITS: i64 = 37;
        let length = self.digits.len() as i64 + exponent;
        if self.digits.is_empty() || length <= 0 {
            return Some(0);
        }
        if length > MAX_DIGITS {
            return None;
        }
        let mut whole = self.digits.clone();
        // Between 1 and 37 digits: the conversion loses nothing.
        whole.truncate(length as usize);
        let zeros = "0".repeat(length as usize - whole.len());
        format!("{whole}{zeros}").parse().ok()
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns an exponent. One beyond the range of `i32` becomes its bound, which is as far out of
/// reach.
fn parse_exponent(text: &str) -> Option<i64> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if !is_digits(digits) {
        return None;
    }
    let magnitude = i64::from(digits.parse().unwrap_or(i32::MAX));
    Some(if is_negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, whole: Option<i64>, thousandfold: i64) {
        let number = JsonNumber::parse(text).unwrap();
        assert_eq!(number.to_whole(), whole, "{text}");
        assert_eq!(number.floor_thousandfold(), thousandfold, "{text}");
    }

    #[test]
    fn each_form_of_a_number_is_read_exactly() {
        check("0", Some(0), 0);
        check("-0.00e5", Some(0), 0);
        check("0e999999999999", Some(0), 0);
        check("49900.0", Some(49_900), 49_900_000);
        check("4.99E+4", Some(49_900), 49_900_000);
        check("499000e-1", Some(49_900), 49_900_000);
        check("1.9e9", Some(1_900_000_000), 1_900_000_000_000);
        check("-2.0", Some(-2), -2_000);
        check("1.5", None, 1_500);
        check("1.0009", None, 1_000);
        check("-1.0009", None, -1_001);
        check("1e-400", None, 0);
        check("-1e-400", None, -1);
        check(
            "9007199254740993.0",
            Some(9_007_199_254_740_993),
            9_007_199_254_740_993_000,
        );
        check("4503599627370497.3", None, 4_503_599_627_370_497_300);
        check("9223372036854775807", Some(i64::MAX), i64::MAX);
        check("-9223372036854775808", Some(i64::MIN), i64::MIN);
        check("9223372036854775808", None, i64::MAX);
        check("1e400", None, i64::MAX);
        check("-1e99999999999999999999", None, i64::MIN);
    }

    #[test]
    fn other_text_is_no_number() {
        for text in [
            "", "-", "+1", "01", "-01", ".5", "1.", "1.e3", "1e", "1e+", "1e1.0", "0x10", "NaN",
            "Infinity", " 1", "1 ", "1_000", "١",
        ] {
            assert_eq!(JsonNumber::parse(text), None, "{text:?}");
        }
    }

    /// Writes a number with the point moved to the left, and an exponent that moves it back.
    fn with_exponent(number: i64, places: usize, zeros: usize) -> String {
        let digits = format!("{:0width$}", number.unsigned_abs(), width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        let whole = whole.trim_start_matches('0');
        let whole = if whole.is_empty() { "0" } else { whole };
        let sign = if number < 0 { "-" } else { "" };
        format!("{sign}{whole}.{fraction}{}e{places}", "0".repeat(zeros + 1))
    }

    proptest! {
        #[test]
        fn every_way_to_write_a_whole_number_reads_the_same(
            number in any::<i64>(), places in 0..40_usize, zeros in 0..5_usize,
        ) {
            let plain = JsonNumber::parse(&number.to_string()).unwrap();
            prop_assert_eq!(plain.to_whole(), Some(number));
            let written = with_exponent(number, places, zeros);
            let read = JsonNumber::parse(&written).unwrap();
            prop_assert_eq!(read.to_whole(), Some(number), "{}", written);
            prop_assert_eq!(read.floor_thousandfold(), number.saturating_mul(1_000));
        }

        #[test]
        fn a_fraction_is_never_whole(number in 0..i64::MAX, fraction in "[0-9]{0,30}[1-9]0{0,3}") {
            let read = JsonNumber::parse(&format!("{number}.{fraction}")).unwrap();
            prop_assert_eq!(read.to_whole(), None);
        }

        #[test]
        fn no_text_panics(text in "[-+0-9.eE]{0,40}|\\PC{0,10}") {
            if let Some(number) = JsonNumber::parse(&text) {
                let _ = (number.to_whole(), number.floor_thousandfold());
            }
        }
    }
}
