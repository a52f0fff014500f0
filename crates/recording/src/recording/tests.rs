use super::*;

fn spikes() -> TrialArray<u8> {
    // 3 trials of up to 4 bins, 2 units; trial 2 is one bin shorter.
    let mut z = TrialArray::zeros(3, 4, 0, 2);
    z.row_mut(0, 3)[1] = 1;
    z.row_mut(2, 2)[0] = 1;
    z
}

fn parts() -> RecordingParts {
    RecordingParts {
        bins: vec![4, 4, 3],
        labels: [5, -2, 5].map(Label::from).to_vec(),
        clipped_spikes: 2,
        ..RecordingParts::new(spikes(), "10ms".parse().unwrap())
    }
}

fn message(change: impl FnOnce(&mut RecordingParts)) -> String {
    let mut parts = parts();
    change(&mut parts);
    Recording::new(parts).unwrap_err().to_string()
}

#[test]
fn conditions_are_dense_by_ascending_label() {
    let r = Recording::new(parts()).unwrap();
    assert_eq!(r.condition_labels(), &[-2, 5]);
    assert_eq!(r.conditions(), &[1, 0, 1]);
    assert_eq!(r.labels(), &[5, -2, 5]);
    assert_eq!((r.n_trials(), r.n_units(), r.n_conditions()), (3, 2, 2));
    assert_eq!(r.unit_ids(), &[0, 1]);
    assert_eq!(
        (r.total_spikes(), r.clipped_spikes(), r.clipped_share()),
        (4, 2, 0.5)
    );
    let empty = TrialArray::zeros(1, 1, 0, 1);
    let silent = RecordingParts::new(empty, "1ms".parse().unwrap());
    assert_eq!(Recording::new(silent).unwrap().clipped_share(), 0.0);
}

#[test]
fn padding_and_bins_beyond_the_longest_trial_are_dropped() {
    let mut z = TrialArray::zeros(1, 5, 3, 2);
    z.row_mut(0, 2)[1] = 1;
    let mut parts = RecordingParts::new(z, "1ms".parse().unwrap());
    parts.bins = vec![3];
    let r = Recording::new(parts).unwrap();
    assert_eq!((r.spikes().bins(), r.spikes().pad()), (3, 0));
    assert_eq!(r.spikes().as_slice(), &[0, 0, 0, 0, 0, 1]);
}

#[test]
fn refuses_parts_that_do_not_fit() {
    let stimulus =
        |courses| Stimulus::new(vec![0.0; 12], Some(courses), 1, "10ms".parse().unwrap()).ok();
    assert_eq!(
        message(|p| p.labels = vec![Label::Number(0); 2]),
        "labels has shape (2,); expected one entry for each of the 3 trials"
    );
    assert_eq!(
        message(|p| p.bins[1] = 5),
        "bins[1] is 5; expected 1 to 4 (the bins of the array)"
    );
    assert!(message(|p| p.bins[1] = 0).contains("bins[1] is 0"));
    assert!(message(|p| p.bins.clear()).contains("bins has shape (0,)"));
    assert_eq!(
        message(|p| p.spikes.row_mut(1, 3)[0] = 2),
        "spikes[1, 3, 0] is 2; expected 0 or 1"
    );
    assert_eq!(
        message(|p| p.spikes.row_mut(2, 3)[1] = 1),
        "spikes[2, 3, 1] is 1; expected 0 (beyond the 3 bins of the trial)"
    );
    assert!(
        message(|p| p.unit_ids = Some(vec![Label::Number(1)])).contains("unit_ids has shape (1,)")
    );
    assert!(message(|p| p.unit_ids = Some(vec![Label::Number(4); 2])).contains("unit_ids[1] is 4"));
    assert!(message(|p| p.stimulus = stimulus(3)).contains("stimulus has shape (3, 4, 1)"));
    assert!(message(|p| p.spikes = TrialArray::zeros(0, 4, 0, 2)).contains("one trial"));
    assert!(message(|p| p.spikes = TrialArray::zeros(3, 4, 0, 0)).contains("one unit"));
    let mut fits = parts();
    fits.stimulus = stimulus(2);
    assert!(Recording::new(fits).is_ok());
}

#[test]
fn sizes_are_checked_before_they_are_allocated() {
    assert_eq!(checked_size(3, 4.0, 2).unwrap(), 24);
    for (trials, bins, units) in [
        (1, f64::INFINITY, 1),
        (1 << 62, 1.0, 1),
        (1, 1.0, 1 << 62),
        (1 << 20, (1u64 << 20) as f64, 1 << 20),
        (1, 4_294_967_297.0, 1),
    ] {
        let error = checked_size(trials, bins, units).unwrap_err();
        assert!(matches!(error, RecordingError::TooLarge { .. }), "{error}");
    }
}

#[test]
fn selects_in_the_order_given_and_names_the_trial_at_fault() {
    let r = Recording::new(parts()).unwrap();
    let (z, layout) = r.select(&[2, 1], 1).unwrap();
    assert_eq!((z.trials(), z.bins()), (2, 4));
    assert_eq!(z.row(0, 2), &[1, 0]);
    assert_eq!((layout.condition(0), layout.bins(0)), (1, 3));
    assert_eq!(layout.condition(1), 0);
    let (short, _) = r.select(&[2, 2], 0).unwrap();
    assert_eq!((short.trials(), short.bins()), (2, 3));
    assert_eq!(
        r.select(&[0, 3], 0).unwrap_err().to_string(),
        "trial 1 of the selection is 3; expected 0 to 2"
    );
    let error = r.select(&[1, 2], 3).unwrap_err().to_string();
    assert!(error.contains("trial 2 has 3 bins"), "{error}");
    assert_eq!(r.layout(2).unwrap().scored_bins(), 5);
    assert!(r.layout(3).is_err());
}
