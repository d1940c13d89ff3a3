//! Names of orders, and what is left of them in a narrow column.

use super::width::{cut_start, fits};

/// The name of an order: the number that people know, or the id as long as the number is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OrderName {
    Number(String),
    Id(String),
}

impl OrderName {
    pub(super) fn whole(&self) -> &str {
        match self {
            Self::Number(name) | Self::Id(name) => name,
        }
    }

    /// Returns the part that tells most: of a number, what is behind the date; of an id, its end.
    pub(super) fn short(&self, columns: usize) -> String {
        let name = self.whole();
        let end = match self {
            Self::Number(number) if !fits(number, columns) => {
                number.rsplit_once('-').map_or(name, |(_, end)| end)
            }
            _ => name,
        };
        cut_start(end, columns).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_column_has_the_end_of_a_name() {
        let number = OrderName::Number("MT-261129-M636WW".to_owned());
        assert_eq!(number.short(16), "MT-261129-M636WW");
        assert_eq!(number.short(6), "M636WW");
        assert_eq!(OrderName::Number("4711".to_owned()).short(6), "4711");
        assert_eq!(
            OrderName::Number("2023-1234567".to_owned()).short(6),
            "…34567"
        );
        let id = OrderName::Id("655f3a7be4c7a4f5b2d1c908".to_owned());
        assert_eq!(id.short(6), "…1c908");
        assert_eq!(OrderName::Id("my-order".to_owned()).short(6), "…order");
    }
}
