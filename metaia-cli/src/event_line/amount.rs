//! Amounts of money, in the unit that people read.

/// Currencies without a minor unit, by ISO 4217.
const WHOLE: [&str; 16] = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV",
    "XAF", "XOF", "XPF",
];

/// Currencies whose minor unit is a thousandth.
const THOUSANDTHS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

const SYMBOLS: [(&str, &str); 5] = [
    ("INR", "₹"),
    ("USD", "$"),
    ("EUR", "€"),
    ("GBP", "£"),
    ("JPY", "¥"),
];

/// Formats an amount that is given in the minor unit of its currency.
pub(crate) fn amount(minor: i64, currency: &str) -> String {
    let decimals = decimals(currency);
    let sign = if minor < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = decimals + 1);
    let (units, part) = digits.split_at(digits.len() - decimals);
    let point = if decimals == 0 { "" } else { "." };
    let number = format!("{}{point}{part}", grouped(units));
    match symbol(currency) {
        Some(symbol) => format!("{sign}{symbol}{number}"),
        None => format!("{currency} {sign}{number}"),
    }
}

fn symbol(currency: &str) -> Option<&'static str> {
    let found = SYMBOLS.iter().find(|(code, _)| *code == currency);
    found.map(|(_, symbol)| *symbol)
}

fn decimals(currency: &str) -> usize {
    if WHOLE.contains(&currency) {
        0
    } else if THOUSANDTHS.contains(&currency) {
        3
    } else {
        2
    }
}

/// Puts a comma before each third digit from the end.
fn grouped(digits: &str) -> String {
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(minor: i64, currency: &str, expected: &str) {
        assert_eq!(amount(minor, currency), expected);
    }

    #[test]
    fn an_amount_is_in_the_unit_of_its_currency() {
        check(1_610_000, "INR", "₹16,100.00");
        check(5, "INR", "₹0.05");
        check(0, "USD", "$0.00");
        check(-123_456, "EUR", "-€1,234.56");
        check(123_456_789, "GBP", "£1,234,567.89");
        check(99, "CHF", "CHF 0.99");
    }

    #[test]
    fn currencies_without_or_with_three_decimals_are_right() {
        check(1_610_000, "JPY", "¥1,610,000");
        check(0, "KRW", "KRW 0");
        check(1_610_000, "KWD", "KWD 1,610.000");
        check(-5, "BHD", "BHD -0.005");
    }

    #[test]
    fn the_largest_amounts_have_no_overflow() {
        check(i64::MIN, "INR", "-₹92,233,720,368,547,758.08");
        check(i64::MAX, "JPY", "¥9,223,372,036,854,775,807");
    }
}
