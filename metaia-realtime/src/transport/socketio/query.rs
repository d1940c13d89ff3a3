//! Parameters in the query of a request.

/// Returns the value of a parameter as it is written, without decoding.
pub(super) fn query_parameter<'a>(query: Option<&'a str>, name: &str) -> Option<&'a str> {
    query?
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_by_its_whole_name() {
        assert_eq!(
            query_parameter(Some("EIO=4&xsid=1&sid=2"), "sid"),
            Some("2")
        );
        assert_eq!(query_parameter(Some("EIO=4"), "sid"), None);
        assert_eq!(query_parameter(None, "sid"), None);
    }
}
