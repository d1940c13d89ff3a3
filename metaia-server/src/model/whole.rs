//! Whole numbers, in every form in which JSON and queries write them: `49900`, `49900.0`, `4.99e4`.
//!
//! Clients whose language has one type of numbers send `2.0`. Each field that is a whole number
//! names one of these functions as its `deserialize_with`. Nothing is rounded: `1.5`, and a number
//! that does not fit, are refused with the text that serde has for them.

use std::{fmt::Display, str::FromStr};

use metaia_realtime::values::JsonNumber;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::value::RawValue;

/// Deserializes a whole number out of JSON.
pub(crate) fn in_json<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + TryFrom<i64>,
{
    let written = Box::<RawValue>::deserialize(deserializer)?;
    if let Some(whole) = whole(written.get()) {
        return Ok(whole);
    }
    serde_json::from_str(written.get()).map_err(|error| {
        let text = error.to_string();
        // The place within the number.
        let message = text.rfind(" at line ").map_or(&*text, |at| &text[..at]);
        D::Error::custom(message)
    })
}

/// Deserializes a whole number out of a query, if it has one.
pub(crate) fn in_query<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display> + TryFrom<i64>,
{
    let Some(written) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    match whole(&written) {
        Some(whole) => Ok(Some(whole)),
        None => written.parse().map(Some).map_err(D::Error::custom),
    }
}

fn whole<T: TryFrom<i64>>(written: &str) -> Option<T> {
    let number = JsonNumber::parse(written)?.to_whole()?;
    number.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Deserialize)]
    struct Line {
        #[serde(deserialize_with = "in_json")]
        price: i64,
        #[serde(deserialize_with = "in_json")]
        quantity: u32,
    }

    fn read(price: &str, quantity: &str) -> Result<(i64, u32), String> {
        let text = format!(r#"{{"price":{price},"quantity":{quantity}}}"#);
        let line = serde_json::from_str::<Line>(&text);
        line.map(|line| (line.price, line.quantity))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_whole_number_is_one_in_every_form() {
        for price in [
            "49900",
            "49900.0",
            "49900.00e0",
            "4.99e4",
            "4.99E+4",
            "499000e-1",
        ] {
            assert_eq!(read(price, "2.0"), Ok((49_900, 2)), "{price}");
        }
        assert_eq!(read("-0.0", "1E3"), Ok((0, 1_000)));
        assert_eq!(
            read("9007199254740993.0", "4294967295.0").unwrap().0,
            9_007_199_254_740_993
        );
    }

    #[test]
    fn nothing_is_rounded_and_the_refusal_says_why() {
        for (price, why) in [
            ("1.5", "floating point `1.5`, expected i64"),
            ("4503599627370497.3", "expected i64"),
            ("1e400", "number out of range"),
            (
                "9223372036854775808",
                "integer `9223372036854775808`, expected i64",
            ),
            ("\"1\"", "string \"1\", expected i64"),
            ("null", "null, expected i64"),
            ("[1]", "sequence, expected i64"),
        ] {
            let refusal = read(price, "1").unwrap_err();
            assert!(refusal.contains(why), "{price}: {refusal}");
        }
        for quantity in ["-1", "-1.0", "4294967296", "4.294967296e9", "0.1"] {
            assert!(read("1", quantity).is_err(), "{quantity}");
        }
    }

    proptest! {
        #[test]
        fn the_form_does_not_matter(price in any::<i64>(), zeros in 1..20_usize) {
            let zeros = "0".repeat(zeros);
            prop_assert_eq!(read(&format!("{price}.{zeros}"), "1"), Ok((price, 1)));
            let fraction = format!("{price}.{zeros}1");
            prop_assert!(read(&fraction, "1").is_err());
        }
    }
}
