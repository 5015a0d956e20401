//! What a queue is narrowed by, in an address and in a saved view.

use anteroom_model::{
    ids::{FacilityId, NumberId, TeamId},
    states::Priority,
};
use anteroom_store::Filters;
use axum::{extract::FromRequestParts, http::request::Parts};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

/// Values of all filters together at most.
const MOST: usize = 100;

/// Any of the values of a filter, which may be given several times; of each filter that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FilterQuery {
    /// Facilities that conversations belong to.
    facility: Vec<FacilityId>,
    /// Numbers that were texted.
    number: Vec<NumberId>,
    /// Teams that have them.
    team: Vec<TeamId>,
    /// Tags.
    tag: Vec<String>,
    /// Categories.
    category: Vec<String>,
    /// Priorities.
    priority: Vec<Priority>,
}

impl FilterQuery {
    fn read(query: &str) -> Result<Self, Problem> {
        let mut read = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "facility" => read.facility.push(id(&name, &value)?),
                "number" => read.number.push(id(&name, &value)?),
                "team" => read.team.push(id(&name, &value)?),
                "tag" => read.tag.push(value.into_owned()),
                "category" => read.category.push(value.into_owned()),
                "priority" => read.priority.push(id(&name, &value)?),
                // The queue's and the page's.
                _ => {}
            }
        }
        read.checked()
    }

    /// Not more than anybody needs.
    pub(super) fn checked(self) -> Result<Self, Problem> {
        let ids = self.facility.len() + self.number.len() + self.team.len();
        if ids + self.tag.len() + self.category.len() + self.priority.len() > MOST {
            return Err(Problem::invalid("At most 100 values of filters."));
        }
        Ok(self)
    }

    /// As the store takes them.
    pub(super) fn filters(self) -> Filters {
        Filters {
            facilities: self.facility,
            numbers: self.number,
            teams: self.team,
            tags: self.tag,
            categories: self.category,
            priorities: self.priority,
        }
    }

    /// As the store has them.
    pub(super) fn of(filters: Filters) -> Self {
        Self {
            facility: filters.facilities,
            number: filters.numbers,
            team: filters.teams,
            tag: filters.tags,
            category: filters.categories,
            priority: filters.priorities,
        }
    }
}

fn id<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, Problem> {
    value.parse().map_err(|_| Problem::invalid(format!("{name} is none that there could be.")))
}

impl<S: Sync> FromRequestParts<S> for FilterQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(parts.uri.query().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_values_of_one_are_read_and_others_left_alone() {
        let read = FilterQuery::read("queue=all&tag=a%26b&tag=caf%C3%A9+au&priority=high&limit=5").unwrap();
        assert_eq!(read.tag, ["a&b", "café au"]);
        assert_eq!(read.priority, [Priority::High]);
        assert!(read.team.is_empty());
        assert_eq!(FilterQuery::of(read.clone().filters()), read);
    }

    #[test]
    fn what_can_not_be_is_refused() {
        assert_eq!(FilterQuery::read("team=nurses").unwrap_err().kind(), "invalid");
        assert_eq!(FilterQuery::read(&"tag=x&".repeat(101)).unwrap_err().kind(), "invalid");
    }
}
