//! What a reader is told: scales, captions, contents.

use super::{check, fit, links_lead_somewhere, report};
use refire_report::Report;

#[test]
fn two_fits_show_the_same_unit_on_one_axis() {
    let mut other = fit("MLE + sample-and-measure");
    other.psths[0].model_hz = vec![90.0; 4];
    let page = report(vec![fit("MLE"), other.clone()]);
    let text = check(&page);
    assert!(text.contains("Ranked by r of MLE."));
    // Labels of the rate axis: both panels reach the rate that one of the models has.
    let panels = |page: &Report| {
        let html = page.to_html().unwrap();
        let start = html.find("id=\"psth\"").unwrap();
        let end = html.find("id=\"noise\"").unwrap();
        html[start..end].matches(">50</text>").count()
    };
    assert_eq!(panels(&page), 2);
    // Another unit has its own axis.
    other.psths[0].label = "unit 2".into();
    assert_eq!(panels(&report(vec![fit("MLE"), other])), 1);
}

#[test]
fn small_charts_have_a_scale_in_theta() {
    let mut view = fit("MLE");
    view.couplings.filters = vec![
        ("1 to 2".into(), vec![1.25, 0.1]),
        ("2 to 1".into(), vec![-0.75, 0.0]),
    ];
    let html = report(vec![view]).to_html().unwrap();
    // Once each: the charts of a row share the labels of the first.
    for label in [">1.25</text>", ">−0.750</text>"] {
        assert_eq!(html.matches(label).count(), 1, "{label}");
    }
    assert!(html.contains("coupling (θ)</text>"));
}

#[test]
fn captions_explain_what_looks_wrong() {
    let mut stable = fit("B");
    stable.stability.divergent_share = 0.0;
    let text = check(&report(vec![fit("A"), stable]));
    // Few validation trials; a mean rate that is right by accident; a clause amid a sentence.
    assert!(text.contains("may stay well above the line: there are fewer validation trials"));
    assert!(text.contains("can have the right one"));
    assert!(text.contains("B: none of 200 free runs"));
    assert!(text.contains("Iteration kept: 2 for A, 2 for B."));
}

#[test]
fn the_contents_lead_somewhere() {
    let html = report(vec![fit("MLE")]).to_html().unwrap();
    let sections = html.matches("<section id=").count();
    assert_eq!(links_lead_somewhere(&html), sections);
    assert!(!Report::default().to_html().unwrap().contains("<nav"));
}

#[test]
fn facts_may_have_several_lines() {
    let page = Report {
        facts: vec![("weights".into(), "A: 1\nB: 2".into())],
        ..report(vec![fit("A")])
    };
    assert!(check(&page).contains("A: 1\nB: 2"));
    assert!(page.to_html().unwrap().contains("pre-line"));
}
