//! Why a network cannot be built or run.

/// Why a pass cannot be run.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum SimError {
    /// A buffer does not have the shape the network or the layout asks for.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// What has the wrong size, e.g. `units of the drive`.
        what: &'static str,
        /// Size expected, or the least (or most) allowed.
        expected: usize,
        /// The size found.
        found: usize,
    },
    /// Trials that cannot be laid out.
    #[error(transparent)]
    Layout(#[from] refire_core::LayoutError),
    /// Synapses per target that there cannot be.
    #[error(
        "in-degree: expected 1 to {units} synapses onto each of {units} units (its own among them), \
         found {found}"
    )]
    InDegree {
        /// Number of units.
        units: usize,
        /// In-degree asked for.
        found: usize,
    },
    /// A damaged list of synapses.
    #[error("targets of source {source_unit}: expected ascending indices below {units}")]
    Targets {
        /// Index of the source unit.
        source_unit: usize,
        /// Number of units.
        units: usize,
    },
    /// Same-bin couplings against the order of the units.
    #[error(
        "same-bin couplings: expected 0 from unit {source_unit} to unit {target}, which is not behind it in the order \
         (hidden units first, then observed ones), found another number"
    )]
    SameBinOrder {
        /// Index of the source unit.
        source_unit: usize,
        /// Index of the target unit.
        target: usize,
    },
    /// The pass needs recorded spikes and got none.
    #[error("a {mode} pass with {history} bins of history needs recorded spikes, found none")]
    NoRecording {
        /// `teacher-forced` or `free-running`.
        mode: &'static str,
        /// Bins of history.
        history: usize,
    },
}
