//! What a text counts to that is routed as it comes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    reports::{forget_figures, report},
    support::{Clinic, FRONT_DESK, run},
};

const ANA: &str = "+15125550101";

/// Texts of patients and opened conversations by the team's name.
async fn volume_by_team(clinic: &Clinic) -> BTreeMap<String, (i64, i64)> {
    let volume = report(clinic, "volume?group_by=team").await;
    let number = |figures: &Value, name: &str| figures[name].as_i64().unwrap();
    let groups = volume["groups"].as_array().unwrap().iter();
    let all = groups.map(|group| {
        let figures = &group["figures"];
        let name = group["name"].as_str().unwrap_or("none").to_owned();
        (name, (number(figures, "texts_in"), number(figures, "opened")))
    });
    all.filter(|(_, figures)| *figures != (0, 0)).collect()
}

#[tokio::test]
async fn a_text_counts_with_the_team_it_is_routed_to() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        clinic.text(ANA, FRONT_DESK, "and it is about my bill").await;
        clinic.app.settled().await;
        let expected = BTreeMap::from([("Billing".to_owned(), (1, 0)), ("Pharmacy".to_owned(), (1, 1))]);
        assert_eq!(volume_by_team(&clinic).await, expected);
        // More events than are read at once, so that texts stand at the seams too.
        for number in 0..150 {
            clinic.text(&format!("+1512556{number:04}"), FRONT_DESK, "I need a refill").await;
        }
        clinic.app.settled().await;
        forget_figures(&clinic).await;
        let expected = BTreeMap::from([("Billing".to_owned(), (1, 0)), ("Pharmacy".to_owned(), (151, 151))]);
        assert_eq!(volume_by_team(&clinic).await, expected);
    })
    .await;
}
