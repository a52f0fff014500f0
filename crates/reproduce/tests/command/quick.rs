//! Every figure at reduced size: what is written, and that a second run is instant and the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use refire_reproduce::names;
use serde_json::Value;

fn run(out: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refire-reproduce"));
    let found = command
        .args(["--quick", "--out"])
        .arg(out)
        .output()
        .unwrap();
    assert!(
        found.status.success(),
        "{}",
        String::from_utf8_lossy(&found.stderr)
    );
    String::from_utf8(found.stdout).unwrap()
}

#[test]
fn every_figure_has_its_files_and_every_claim_its_line() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path();
    let table = run(out);

    let page = fs::read_to_string(out.join("reproduction.html")).unwrap();
    for name in names() {
        assert!(page.contains(&format!("href=\"{name}.svg\"")), "{name}");
        let svg = fs::read_to_string(out.join(format!("{name}.svg"))).unwrap();
        assert!(svg.starts_with("<svg"));
        let csv = fs::read_to_string(out.join(format!("{name}.csv"))).unwrap();
        assert!(csv.lines().count() > 4, "{name}");
        let columns = csv.lines().next().unwrap().split(',').count();
        assert!(columns > 3, "{name}");
    }

    let text = fs::read(out.join("claims.json")).unwrap();
    let claims: Vec<Value> = serde_json::from_slice(&text).unwrap();
    let numbers: BTreeSet<u64> = claims
        .iter()
        .map(|c| c["number"].as_u64().unwrap())
        .collect();
    // The six of the paper, and what the estimators say beyond it.
    assert!(
        (1..=6).all(|number| numbers.contains(&number)),
        "{numbers:?}"
    );
    for claim in &claims {
        let [low, high] = [0, 1].map(|end| claim["interval"][end].as_f64().unwrap());
        let estimate = claim["estimate"].as_f64().unwrap();
        assert!(low <= estimate && estimate <= high, "{claim}");
        let verdict = claim["verdict"].as_str().unwrap();
        assert!(["shown", "not shown", "opposite"].contains(&verdict));
        assert!(names().contains(&claim["figure"].as_str().unwrap()));
        assert!(!claim["rule"].as_str().unwrap().is_empty());
        assert!(table.contains(claim["measure"].as_str().unwrap()));
    }

    // The second run: the same bytes, and nothing done again.
    let read = |folder: &Path| -> Vec<(String, Vec<u8>)> {
        let files = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path());
        let mut files: Vec<_> = files
            .filter(|path| path.is_file())
            .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
            .collect();
        files.sort();
        files
    };
    let before = read(out);
    run(out);
    assert!(read(out) == before, "a second run wrote other files");
}
