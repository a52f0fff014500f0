//! The fast group of the verification suite: every claim that takes seconds.
//!
//! Seeds are fixed. In a run with other seeds in which every claim is true any of the checks would fail
//! with a probability of at most 1 % (asserted below).

use refire_verify::{Plan, Size, false_alarms, run, table};

#[test]
fn every_claim_of_the_fast_group_holds() {
    let plan = Plan {
        size: Size::Fast,
        seed: 1,
    };
    let claims = run(plan, &[], &|_, _| {}).unwrap();
    assert!(false_alarms(&claims) < 0.01);
    let mut checks = claims.iter().flat_map(|claim| &claim.checks);
    assert!(checks.clone().count() > 50);
    assert!(checks.all(|check| check.holds), "{}", table(&claims));
}

#[test]
fn an_unknown_claim_is_refused_with_the_known_ones() {
    let plan = Plan {
        size: Size::Full,
        seed: 1,
    };
    let error = run(plan, &["estimators".to_string()], &|_, _| {}).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("'estimators'") && message.contains("consistency"),
        "{message}"
    );
}
