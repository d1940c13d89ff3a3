//! Suggestions for misspelt names.

/// Returns the known name that is written nearly like this one. Case and separators do not matter.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = letters(name);
    let (distance, nearest) = known
        .into_iter()
        .map(|known| (distance(&wanted, &letters(known)), known))
        .min_by_key(|(distance, _)| *distance)?;
    let length = wanted.len().max(letters(nearest).len());
    (distance <= (length / 4).max(1)).then_some(nearest)
}

fn letters(name: &str) -> Vec<char> {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

/// Returns the number of characters to insert, remove or replace, and of neighbours to swap.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_misspelt_name_gets_the_nearest_known_one() {
        let known = ["status", "version", "amount"];
        assert_eq!(nearest("staus", known), Some("status"));
        assert_eq!(nearest("Status", known), Some("status"));
        assert_eq!(nearest("amounts", known), Some("amount"));
        assert_eq!(nearest("sattus", known), Some("status"));
        assert_eq!(nearest("tailor", known), None);
        assert_eq!(nearest("status", []), None);
    }

    proptest! {
        #[test]
        fn a_name_is_nearest_to_itself(
            name in "[a-z_]{1,20}",
            others in proptest::collection::vec("[a-z]{1,9}", 0..5),
        ) {
            let known = others.iter().map(String::as_str).chain([name.as_str()]);
            let found = nearest(&name, known).unwrap();
            prop_assert_eq!(letters(found), letters(&name));
        }

        #[test]
        fn the_distance_is_the_same_in_both_directions(a in "\\PC{0,9}", b in "\\PC{0,9}") {
            let a = letters(&a);
            let b = letters(&b);
            prop_assert_eq!(distance(&a, &b), distance(&b, &a));
        }
    }
}
