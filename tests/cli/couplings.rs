//! Fits with sparse and with low-rank couplings.

use crate::desk::Desk;
use crate::edges::run_through;
use crate::toy::{Fixture, Toy, npy};
use refire::recording::NpzFile;

const FIT: &str = "fit r.npz --bin 10ms --lags 4 --iterations 6 --quiet";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("r.npz", Toy::default().events().bytes());
    desk
}

fn mask(shape: &[u64], values: &[u8]) -> Vec<u8> {
    Fixture::default().set("mask", npy(shape, values)).bytes()
}

#[test]
fn every_kind_runs_through_and_says_what_it_is() {
    let fixture = Toy::default().events();
    for (options, kind) in [
        ("", "dense"),
        ("--in-degree 2", "sparse"),
        ("--in-degree 2 --hidden 3 --objective mle", "sparse"),
        (
            "--couplings sparse --in-degree 3 --form published",
            "sparse",
        ),
        ("--rank 1", "low-rank"),
        ("--couplings low-rank --rank 2 --hidden 1", "low-rank"),
    ] {
        let fit = run_through(&fixture, options);
        assert_eq!(fit["settings"]["couplings"], kind, "{options}");
        if kind != "dense" {
            assert_eq!(fit["settings"]["optimizer"], "adam", "{options}");
        }
    }
}

#[test]
fn only_the_synapses_of_a_mask_have_couplings() {
    let desk = desk();
    let marked = [0, 1, 0, 1, 0, 0, 0, 1, 1];
    desk.write("mask.npz", mask(&[3, 3], &marked));
    desk.ok(&format!("{FIT} --mask mask.npz --out fit"));
    let json = desk.json("fit/fit.json");
    assert_eq!(json["settings"]["couplings"], "sparse");
    desk.ok("export fit/model.refire --out params.npz");
    let mut file = NpzFile::open(desk.path("params.npz")).unwrap();
    let couplings = file.f64("couplings").unwrap();
    assert_eq!(couplings.shape, [3, 4, 3]);
    for (at, &w) in couplings.values.iter().enumerate() {
        let (source, target) = (at / 12, at % 3);
        let exists = marked[source * 3 + target] == 1;
        assert_eq!(w != 0.0, exists, "{source} to {target}");
    }
    assert_eq!(file.i64("synapse_source").unwrap().values, [0, 1, 2, 2]);
    let targets = file.i64("synapse_target").unwrap().values;
    assert_eq!(targets, [1, 0, 1, 2]);
    let of_synapses = file.f64("synapse_couplings").unwrap();
    assert_eq!(of_synapses.shape, [4, 4]);
    for lag in 0..4 {
        for (at, (source, target)) in [(0, 1), (1, 0), (2, 1), (2, 2)].into_iter().enumerate() {
            let dense = couplings.values[(source * 4 + lag) * 3 + target];
            assert_eq!(of_synapses.values[lag * 4 + at], dense);
        }
    }
}

#[test]
fn low_rank_factors_multiply_to_the_couplings() {
    let desk = desk();
    desk.ok(&format!("{FIT} --rank 2 --hidden 1 --out fit"));
    desk.ok("export fit/model.refire --out params.npz");
    let mut file = NpzFile::open(desk.path("params.npz")).unwrap();
    let couplings = file.f64("couplings").unwrap();
    let (left, right) = (file.f64("left").unwrap(), file.f64("right").unwrap());
    assert_eq!(left.shape, [4, 2]);
    assert_eq!(right.shape, [2, 4, 4]);
    assert!(couplings.values.iter().any(|w| w.abs() > 1e-4));
    for (at, &w) in couplings.values.iter().enumerate() {
        let (source, block) = (at / 16, at % 16);
        let of = |r: usize| left.values[source * 2 + r] * right.values[r * 16 + block];
        let product = of(0) + of(1);
        assert!((w - product).abs() < 1e-6, "{at}: {w} {product}");
    }
}

#[test]
fn threads_and_stops_do_not_matter() {
    let desk = desk();
    desk.write("mask.npz", mask(&[4, 4], &[1; 16]));
    for (at, options) in [
        "--in-degree 2 --hidden 2",
        "--mask mask.npz --hidden 1",
        "--rank 2 --hidden 2",
    ]
    .iter()
    .enumerate()
    {
        let model = |out: &str| desk.bytes(&format!("{out}/model.refire"));
        let [one, two, stopped] = ["one", "two", "stopped"].map(|name| format!("{name}{at}"));
        desk.ok(&format!("{FIT} {options} --threads 1 --out {one}"));
        desk.ok(&format!("{FIT} {options} --threads 2 --out {two}"));
        assert!(model(&one) == model(&two), "{options}");
        // A checkpoint after 4 of 6 iterations: what was asked for is in it.
        desk.ok(&format!(
            "{FIT} {options} --checkpoint-every 4 --out {stopped}"
        ));
        std::fs::remove_file(desk.path(format!("{stopped}/model.refire"))).unwrap();
        desk.ok(&format!("fit r.npz --resume {stopped} --quiet"));
        assert!(model(&one) == model(&stopped), "{options}");
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let desk = desk();
    desk.write("three.npz", mask(&[3, 3], &[1, 0, 1, 0, 1, 0, 1, 0, 1]));
    desk.write("flat.npz", mask(&[9], &[1; 9]));
    desk.write("wide.npz", mask(&[3, 4], &[1; 12]));
    desk.write("counts.npz", mask(&[1, 1], &[2]));
    desk.write(
        "other.npz",
        Fixture::default().set("m", npy(&[1], &[1u8])).bytes(),
    );
    for (options, parts) in [
        (
            "--couplings sparse",
            &["couplings", "in-degree", "mask"][..],
        ),
        ("--couplings low-rank", &["rank", "1 or more", "found 0"]),
        ("--couplings dense --rank 2", &["rank", "low-rank", "2"]),
        (
            "--couplings dense --in-degree 2",
            &["in-degree", "sparse", "2"],
        ),
        ("--couplings dense --mask three.npz", &["mask", "sparse"]),
        (
            "--couplings low-rank --rank 2 --in-degree 1",
            &["in-degree", "sparse"],
        ),
        ("--couplings ring", &["--couplings", "ring"]),
        ("--in-degree 4", &["in-degree", "1 to 3", "found 4"]),
        ("--in-degree -1", &["--in-degree", "-1"]),
        ("--in-degree 1 --mask three.npz", &["--in-degree", "--mask"]),
        ("--in-degree 1 --optimizer lbfgs", &["optimizer", "sparse"]),
        ("--rank 99999999999999", &["units", "GB"]),
        (
            "--mask three.npz --hidden 1",
            &["mask", "expected 4", "found 3"],
        ),
        (
            "--mask flat.npz",
            &["flat.npz", "1 axes", "2 (source, target)"],
        ),
        ("--mask wide.npz", &["wide.npz", "(3, 4)", "sources"]),
        ("--mask counts.npz", &["counts.npz", "2", "0 and 1"]),
        ("--mask other.npz", &["other.npz", "mask", "missing"]),
        ("--mask none.npz", &["none.npz"]),
    ] {
        desk.refused(&format!("{FIT} --out new {options}"), parts);
    }
    desk.ok(&format!(
        "{FIT} --mask three.npz --checkpoint-every 3 --out fit"
    ));
    desk.write("all.npz", mask(&[3, 3], &[1; 9]));
    let line = "fit r.npz --resume fit --mask all.npz";
    desk.refused(line, &["mask", "9 synapses", "5 synapses"]);
}
