//! Queries about each of several: `queries/<name>.sql` ends with `IN (`, and the list follows.

use std::fmt::Write as _;

/// Lists come in these lengths, so that there are few statements to prepare.
const LENGTHS: [usize; 3] = [1, 50, 200];

/// The query with as many places as there are values, which are filled up with the last of them; places before
/// them: `bound`.
pub(crate) fn completed<T: Clone>(beginning: &str, bound: usize, values: &[T]) -> (String, Vec<T>) {
    let mut values = values.to_vec();
    let length = LENGTHS.into_iter().find(|length| *length >= values.len()).unwrap_or(values.len());
    if let Some(last) = values.last().cloned() {
        values.resize(length, last);
    }
    let mut text = beginning.trim_end().to_owned();
    for place in 0..values.len() {
        let comma = if place == 0 { "" } else { ", " };
        // A string takes all that is written to it.
        write!(text, "{comma}${}", bound + place + 1).unwrap_or_default();
    }
    text.push(')');
    (text, values)
}

/// Reads the rows of such a query as `$row`, for these values, of which there must be one; `$1` is the organization.
macro_rules! fetch_among {
    ($org:expr, $row:ty, $sql:literal $(, $bind:expr)* ; $values:expr) => {{
        let organization = $org.organization;
        let bound = 1 $(+ { stringify!($bind); 1 })*;
        let (text, values) = $crate::among::completed($crate::sql!($sql), bound, $values);
        $crate::conn::on!($org.conn(), c => {
            let mut query = sqlx::query_as::<_, $row>(sqlx::AssertSqlSafe(text)).bind(organization)$(.bind($bind))*;
            for value in values {
                query = query.bind(value);
            }
            query.fetch_all(c).await?
        })
    }};
}
pub(crate) use fetch_among;

#[cfg(test)]
mod tests {
    use super::completed;

    #[test]
    fn a_list_is_filled_up_with_its_last_value() {
        let (text, values) = completed("SELECT $1 WHERE x IN (\n", 1, &[7]);
        assert_eq!((text.as_str(), values), ("SELECT $1 WHERE x IN ($2)", vec![7]));
        let (text, values) = completed("IN (", 2, &[7, 8]);
        assert_eq!(values.len(), 50);
        assert_eq!((values[0], values[1], values[49]), (7, 8, 8));
        assert!(text.starts_with("IN ($3, $4, ") && text.ends_with(", $52)"), "{text}");
        let (_, values) = completed("IN (", 2, &[1; 201]);
        assert_eq!(values.len(), 201);
    }
}
