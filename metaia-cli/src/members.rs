//! The members of an answer of the REST interface. An answer of 2xx that lacks them is another
//! program's: a command must not take it for a success.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::exit::{Exit, Failure};

/// The most entries that are read of a list.
const MAX_ENTRIES: usize = 100_000;

/// Returns the failure of an answer that lacks this, or has it of another type.
pub(crate) fn is_lacking(what: &str) -> Failure {
    let text = format!("the answer is not METAIA's: it has no {what}");
    Failure::new(Exit::Unreachable, text)
        .hint("check that this is the address of a METAIA server")
        .of_server()
}

/// Returns a member that is a text.
pub(crate) fn text_member<'a>(entry: &'a Value, name: &str) -> Result<&'a str, Failure> {
    let found = entry.get(name).and_then(Value::as_str);
    found.ok_or_else(|| is_lacking(&format!("text `{name}`")))
}

/// Returns a member that is a whole number, and not negative.
pub(crate) fn count_member(entry: &Value, name: &str) -> Result<u64, Failure> {
    let found = entry.get(name).and_then(Value::as_u64);
    found.ok_or_else(|| is_lacking(&format!("number `{name}`")))
}

/// Returns a member that is true or false.
pub(crate) fn flag_member(entry: &Value, name: &str) -> Result<bool, Failure> {
    let found = entry.get(name).and_then(Value::as_bool);
    found.ok_or_else(|| is_lacking(&format!("boolean `{name}`")))
}

/// Returns a member that is a list.
pub(crate) fn list_member<'a>(entry: &'a Value, name: &str) -> Result<&'a [Value], Failure> {
    let found = entry.get(name).and_then(Value::as_array);
    found
        .map(Vec::as_slice)
        .ok_or_else(|| is_lacking(&format!("list `{name}`")))
}

/// Returns a member that is an object.
pub(crate) fn object_member<'a>(
    entry: &'a Value,
    name: &str,
) -> Result<&'a Map<String, Value>, Failure> {
    let found = entry.get(name).and_then(Value::as_object);
    found.ok_or_else(|| is_lacking(&format!("object `{name}`")))
}

/// Checks that an entry has these texts.
pub(crate) fn check_texts(entry: &Value, names: &[&str]) -> Result<(), Failure> {
    names
        .iter()
        .try_for_each(|name| text_member(entry, name).map(drop))
}

/// The entries of a list that comes page by page.
#[derive(Debug)]
pub(crate) struct PagedList<'a> {
    /// The member of a page that has its entries.
    member: &'a str,
    /// The texts that each entry has.
    texts: &'a [&'a str],
    pub(crate) entries: Vec<Value>,
    cursors: HashSet<String>,
}

impl<'a> PagedList<'a> {
    pub(crate) fn new(member: &'a str, texts: &'a [&'a str]) -> Self {
        Self {
            member,
            texts,
            entries: Vec::new(),
            cursors: HashSet::new(),
        }
    }

    /// Takes the entries of a page. Returns the cursor of the next one, if there is one.
    ///
    /// # Errors
    /// A failure if the page is none, or if the list does not come to its end.
    pub(crate) fn take(&mut self, page: &Value) -> Result<Option<String>, Failure> {
        let entries = list_member(page, self.member)?;
        for entry in entries {
            check_texts(entry, self.texts)?;
        }
        self.entries.extend_from_slice(entries);
        let cursor = match page.get("nextCursor") {
            None | Some(Value::Null) => return Ok(None),
            Some(_) => text_member(page, "nextCursor")?,
        };
        if entries.is_empty() {
            return Err(endless(
                "the server sent an empty page that is not the last one",
            ));
        }
        if !self.cursors.insert(cursor.to_owned()) {
            return Err(endless("the server sent the same cursor twice"));
        }
        if self.entries.len() >= MAX_ENTRIES {
            let text = format!("the list has more than {MAX_ENTRIES} entries");
            return Err(Failure::new(Exit::Failed, text).hint("select some of them"));
        }
        Ok(Some(cursor.to_owned()))
    }
}

fn endless(reason: &str) -> Failure {
    let text = format!("the list does not end: {reason}");
    Failure::new(Exit::Failed, text).of_server()
}

/// Returns the path with a query.
pub(crate) fn with_query<'a>(
    path: &str,
    query: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut written = url::form_urlencoded::Serializer::new(String::new());
    let query = written.extend_pairs(query).finish();
    if query.is_empty() {
        return path.to_owned();
    }
    format!("{path}?{query}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_that_is_missing_or_of_another_type_is_no_answer_of_metaia() {
        let answer = json!({"a": 1, "b": "x", "c": [], "d": {}, "e": true});
        assert_eq!(count_member(&answer, "a").unwrap(), 1);
        assert_eq!(text_member(&answer, "b").unwrap(), "x");
        assert!(list_member(&answer, "c").unwrap().is_empty());
        assert!(object_member(&answer, "d").unwrap().is_empty());
        assert!(flag_member(&answer, "e").unwrap());
        for failure in [
            count_member(&json!({"a": -1}), "a").unwrap_err(),
            text_member(&answer, "a").unwrap_err(),
            list_member(&answer, "d").unwrap_err(),
            object_member(&Value::Null, "d").unwrap_err(),
            flag_member(&json!([]), "e").unwrap_err(),
        ] {
            assert_eq!(failure.exit, Exit::Unreachable, "{}", failure.chain());
        }
        insta::assert_snapshot!(
            text_member(&answer, "z").unwrap_err().chain(),
            @"the answer is not METAIA's: it has no text `z`"
        );
    }

    fn page(id: &str, cursor: Value) -> Value {
        json!({"orders": [{"_id": id}], "nextCursor": cursor})
    }

    #[test]
    fn a_list_has_the_entries_of_all_its_pages() {
        let mut list = PagedList::new("orders", &["_id"]);
        let cursor = list.take(&page("a", json!("1"))).unwrap();
        assert_eq!(cursor.as_deref(), Some("1"));
        assert_eq!(list.take(&page("b", Value::Null)).unwrap(), None);
        assert_eq!(list.entries, [json!({"_id": "a"}), json!({"_id": "b"})]);
    }

    #[test]
    fn a_list_that_does_not_end_is_a_failure() {
        let mut list = PagedList::new("orders", &["_id"]);
        list.take(&page("a", json!("1"))).unwrap();
        list.take(&page("b", json!("2"))).unwrap();
        let repeated = list.take(&page("c", json!("1"))).unwrap_err();
        insta::assert_snapshot!(
            repeated.chain(),
            @"the list does not end: the server sent the same cursor twice"
        );
        let empty = json!({"orders": [], "nextCursor": "3"});
        let empty = list.take(&empty).unwrap_err();
        insta::assert_snapshot!(
            empty.chain(),
            @"the list does not end: the server sent an empty page that is not the last one"
        );
    }

    #[test]
    fn a_page_that_is_none_is_no_empty_list() {
        for page in [
            Value::Null,
            json!({}),
            json!({"orders": {}}),
            json!({"orders": [7]}),
            json!({"orders": [{"_id": 7}]}),
            json!({"orders": [], "nextCursor": 7}),
        ] {
            let failure = PagedList::new("orders", &["_id"]).take(&page).unwrap_err();
            assert_eq!(failure.exit, Exit::Unreachable, "{page}");
        }
    }

    #[test]
    fn a_query_is_encoded() {
        let query = [("status", "a&b=c"), ("cursor", "1+2 3")];
        assert_eq!(
            with_query("/api/orders", query),
            "/api/orders?status=a%26b%3Dc&cursor=1%2B2+3"
        );
        assert_eq!(with_query("/api/orders", []), "/api/orders");
    }
}
