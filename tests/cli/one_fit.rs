//! Demo, command and library make the same fit of the same settings.

use crate::desk::Desk;
use refire::fit::{ObjectiveKind, RecordingFile, Specification, Trainer};

/// Iterations: of Adam, enough to tell one fit from another.
const FEW: usize = 4;

#[test]
fn demo_command_and_library_give_the_same_models() {
    let desk = Desk::new();
    desk.ok(&format!("demo --out demo --iterations {FEW} --quiet"));
    for (folder, options) in [
        ("mle", "--objective mle".to_owned()),
        ("mle+sm", format!("--iterations {FEW}")),
    ] {
        let by_demo = desk.bytes(&format!("demo/{folder}/model.refire"));
        desk.ok(&format!(
            "fit demo/recording.npz --out {folder} {options} --quiet"
        ));
        let by_command = desk.bytes(&format!("{folder}/model.refire"));
        assert!(by_demo == by_command, "{folder}: demo and command differ");

        let file = RecordingFile::open(desk.path("demo/recording.npz")).unwrap();
        let recording = file.bin(None).unwrap();
        let objective = match folder {
            "mle" => ObjectiveKind::Mle,
            _ => ObjectiveKind::MleAndSampleAndMeasure,
        };
        let mut spec = Specification::new(&recording, objective);
        if let Some(adam) = spec.optimiser.steps_mut() {
            adam.iterations = FEW;
        }
        let mut trainer = Trainer::new(&recording, &spec).unwrap();
        while !trainer.finished() {
            trainer.step().unwrap();
        }
        trainer.model().write(&desk.path("library.refire")).unwrap();
        let by_library = desk.bytes("library.refire");
        assert!(
            by_library == by_command,
            "{folder}: library and command differ"
        );
    }
}

#[test]
fn printed_settings_make_the_same_model() {
    let desk = Desk::new();
    desk.ok("generate --out synthetic --units 5 --trials 24 --bins 60 --quiet");
    for (name, options) in [
        ("default", ""),
        ("mle", "--objective mle --lags 3 --ridge 0.5"),
        (
            "hidden",
            "--hidden 3 --hidden-inhibitory 0.3 --observed-inhibitory 0,2 --optimizer adam",
        ),
        (
            "sparse",
            "--in-degree 3 --drive none --history recorded --noise-lags 6",
        ),
        (
            "published",
            "--form published --objective sm --spike-gradient triangle --seed 9",
        ),
    ] {
        let fit = format!("fit synthetic/recording.npz {options} --iterations {FEW}");
        let (printed, _) = desk.ok(&format!("{fit} --print-config"));
        assert!(!desk.path("refire-fit").exists(), "nothing else is done");
        desk.write("settings.toml", &printed);
        desk.ok(&format!("{fit} --out direct-{name} --quiet"));
        desk.ok(&format!(
            "fit synthetic/recording.npz --config settings.toml --out printed-{name} --quiet"
        ));
        let model = |how: &str| desk.bytes(&format!("{how}-{name}/model.refire"));
        assert!(model("direct") == model("printed"), "{name}:\n{printed}");
    }
}
