//! `kill -9` under load, over and over: nothing acknowledged is lost, nothing is stored, processed or sent
//! twice, and every conversation keeps its order.
//!
//! `ANTEROOM_KILLS` says how often (20 by default), `ANTEROOM_SEED` repeats the choices of another run.

use std::time::{Duration, Instant};

use anteroom_test_support::load::{Crowd, Dice, Door, Lane, Load, number, say, seed};

use crate::{
    Clinic,
    clinic::{TEN_DLC, TOLL_FREE},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_and_nothing_happens_twice() {
    let (kills, seed) = (number("ANTEROOM_KILLS").unwrap_or(20), seed());
    say(&format!("kill: {kills} kills, ANTEROOM_SEED={seed}"));
    let mut clinic = Clinic::open().await;
    clinic.twilio.set_latency(Duration::from_millis(15));
    let token = |who: &str| clinic.anteroom.demo().staff(who).token.clone();
    let staff = ["Maya", "Sam"].map(token).to_vec();
    let lanes = Lane::between(6, &[TOLL_FREE, TEN_DLC]);
    let crowd = Crowd { lanes, patients: 4, staff, agent: token("agent"), seed };
    let mut load = Load::start(crowd, vec![door(&clinic)], &clinic.twilio);
    let started = Instant::now();
    kill_over_and_over(&mut clinic, &load, kills, &mut Dice::new(seed, 1_000)).await;
    let killing = started.elapsed();

    load.stop().await;
    clinic.idle().await;
    let demo = clinic.anteroom.demo().clone();
    let tokens = ["lead", "auditor", "agent"].map(|who| demo.staff(who).token.as_str());
    let findings = load.check(&[door(&clinic)], tokens, &clinic.twilio).await;
    say(&format!("{findings}\n  killing took {killing:.1?}, all {:.1?}", started.elapsed()));
    let least = usize::try_from(kills).expect("not so many") * 2;
    findings.assert_good(least, least);
    if kills >= 20 {
        for what in ["requests made again", "look-ups at the carrier", "acknowledged requests repeated"] {
            assert!(findings.done(what) > 0, "the kills met nothing under way: {findings}");
        }
    }
}

fn door(clinic: &Clinic) -> Door {
    Door::of(&clinic.anteroom, clinic.anteroom.demo())
}

async fn kill_over_and_over(clinic: &mut Clinic, load: &Load, kills: u64, dice: &mut Dice) {
    for kill in 0..kills {
        // Mostly in the thick of it; now and then late enough for texts in doubt to be settled.
        dice.pause(if kill % 5 == 4 { 5_000 } else { 1_200 }).await;
        clinic.anteroom.kill();
        if dice.below(4) == 0 {
            // And again, before it has come up.
            clinic.anteroom.spawn();
            dice.pause(60).await;
            clinic.anteroom.kill();
        }
        clinic.anteroom.start().await;
        load.move_to(vec![door(clinic)]);
    }
}
