//! What a report says of any set of things.

/// Figures: named columns with a number each, or none.
pub(super) trait Figures: Default {
    /// Names of the columns of a table.
    const COLUMNS: &'static [&'static str];

    /// The values, in the order of the columns.
    fn cells(&self) -> Vec<Option<i64>>;
}

/// Figures that are counts of what happened.
pub(super) trait Counts: Figures {
    /// The figure that counts what is stored under `kind`.
    fn of(&mut self, kind: &str) -> Option<&mut i64>;
}

/// Makes a body of counts: each field with the kinds of events that it counts.
macro_rules! counts {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $($kind:pat_param)|+,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Default, serde::Serialize, utoipa::ToSchema)]
        pub(in crate::hub) struct $name {
            $($(#[$field_doc])* $field: i64,)*
        }

        impl super::figures::Figures for $name {
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),*];

            fn cells(&self) -> Vec<Option<i64>> {
                vec![$(Some(self.$field)),*]
            }
        }

        impl super::figures::Counts for $name {
            fn of(&mut self, kind: &str) -> Option<&mut i64> {
                match kind {
                    $($($kind)|+ => Some(&mut self.$field),)*
                    _ => None,
                }
            }
        }
    };
}
pub(super) use counts;
