//! Reports of counts.

use std::collections::BTreeMap;

use anteroom_model::ids::OrganizationId;
use uuid::Uuid;

use super::{ActivityReport, Group, HourOfWeek, figures::Counts, scope::Scope};
use crate::{app::App, problem::Problem};

/// Counts what happened in the scope.
pub(super) async fn report<F: Counts>(
    app: &App,
    organization: OrganizationId,
    scope: &Scope,
) -> Result<ActivityReport<F>, Problem> {
    let mut org = app.store.read(organization).await?;
    let quarters = org.counts_by_quarter(&scope.filter).await?;
    let groups = match scope.group_by.and_then(super::GroupBy::key) {
        Some(key) => org.counts_by_key(&scope.filter, key).await?,
        None => Vec::new(),
    };
    drop(org);
    let mut report = scope.empty::<F>();
    let mut hours: BTreeMap<(i8, i8), F> = BTreeMap::new();
    for count in quarters {
        let Some(total) = report.total.of(&count.kind) else { continue };
        *total += count.happened;
        let (stretch, weekday, hour) = scope.at(count.quarter);
        let stretch = report.series.get_mut(stretch).map(|stretch| &mut stretch.figures);
        for figures in stretch.into_iter().chain([hours.entry((weekday, hour)).or_default()]) {
            if let Some(figure) = figures.of(&count.kind) {
                *figure += count.happened;
            }
        }
    }
    report.hours =
        hours.into_iter().map(|((weekday, hour), figures)| HourOfWeek { weekday, hour, figures }).collect();
    let mut by_key: BTreeMap<Uuid, F> = BTreeMap::new();
    for count in groups {
        if let Some(figure) = by_key.entry(count.key).or_default().of(&count.kind) {
            *figure += count.happened;
        }
    }
    report.groups = in_order(scope, by_key);
    Ok(report)
}

/// By name; what belongs to none comes last, and what has no figure not at all.
pub(super) fn in_order<F: super::Figures>(scope: &Scope, by_key: BTreeMap<Uuid, F>) -> Vec<Group<F>> {
    let mut groups: Vec<_> = by_key
        .into_iter()
        .filter(|(_, figures)| figures.cells().iter().any(|cell| cell.is_some_and(|value| value != 0)))
        .map(|(id, figures)| Group { id: (!id.is_nil()).then_some(id), name: scope.name(id), figures })
        .collect();
    groups.sort_by(|a, b| (a.name.is_none(), &a.name).cmp(&(b.name.is_none(), &b.name)));
    groups
}
