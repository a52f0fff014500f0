//! Copies of the peers' scripts with one line changed, for what their command lines have no switch for.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// A line of a script, without its indentation, and what stands in its place in the copy.
pub type Change = (&'static str, &'static str);

/// JAX without the noise covariance.
pub const JAX: Change = (
    "l2, l3 = loss_psth(p, y), loss_nc(p, y, D)",
    "l2, l3 = loss_psth(p, y), jnp.zeros(())",
);

/// PyTorch without the noise covariance.
pub const TORCH: Change = (
    "l3 = ((delayed_cov(y, D) - delayed_cov(p, D)) ** 2).mean()",
    "l3 = torch.zeros(())",
);

/// The line of PyTorch's script that sets the biases of the start, which only JAX has an option for.
pub const TORCH_START: &str = "P = dict(W=tn(D, n, n, sd=1 / np.sqrt(n * D)), b=torch.zeros(n))";

/// [`TORCH_START`] with another bias.
pub fn torch_start(bias: f32) -> String {
    format!("P = dict(W=tn(D, n, n, sd=1 / np.sqrt(n * D)), b=torch.full((n,), {bias:?}))")
}

/// Modules that every script imports from beside it.
const MODULES: [&str; 2] = ["harness.py", "synth.py"];

/// `source` with `line`, which has to be there exactly once, replaced under the same indentation.
pub fn changed(source: &str, line: &str, instead: &str) -> Result<String> {
    let found = source.lines().filter(|l| l.trim() == line).count();
    ensure!(
        found == 1,
        "expected the line `{line}` once, found it {found} times"
    );
    let lines = source.lines().map(|l| {
        if l.trim() == line {
            let indentation = &l[..l.len() - l.trim_start().len()];
            format!("{indentation}{instead}\n")
        } else {
            format!("{l}\n")
        }
    });
    Ok(lines.collect())
}

/// Writes `text` as `script` into `folder`, beside the modules it imports.
pub fn write(scripts: &Path, folder: &Path, script: &str, text: &str) -> Result<PathBuf> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    for module in MODULES {
        let from = scripts.join(module);
        let text = std::fs::read_to_string(&from)
            .with_context(|| format!("cannot read {}", from.display()))?;
        put(&folder.join(module), &text)?;
    }
    let path = folder.join(script);
    put(&path, text)?;
    Ok(path)
}

fn put(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_replaced_under_its_indentation() {
        let source = "def f():\n    a = 1\n    b = 2\n";
        assert_eq!(
            changed(source, "a = 1", "a = 0").unwrap(),
            "def f():\n    a = 0\n    b = 2\n"
        );
    }

    #[test]
    fn a_line_that_is_missing_or_not_alone_is_an_error() {
        for (source, times) in [("b\n", 0), ("a\n a\n", 2)] {
            let error = changed(source, "a", "c").unwrap_err().to_string();
            assert!(
                error.ends_with(&format!("found it {times} times")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_copy_has_its_modules_beside_it() {
        let root = std::env::temp_dir().join(format!("refire-variant-{}", std::process::id()));
        let (scripts, copies) = (root.join("peers"), root.join("copies"));
        std::fs::create_dir_all(&scripts).unwrap();
        for module in MODULES {
            std::fs::write(scripts.join(module), module).unwrap();
        }
        let path = write(&scripts, &copies, "x.py", "new").unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), "new");
        assert_eq!(
            std::fs::read_to_string(copies.join("synth.py")).unwrap(),
            "synth.py"
        );
        std::fs::remove_dir_all(root).unwrap();
    }
}
