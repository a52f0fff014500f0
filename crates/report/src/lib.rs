//! Self-contained HTML pages of words, tables and inline SVG figures: a [`Report`] about one or
//! several fits, a [`ClaimsPage`] about claims and the checks of them, a [`ReproductionPage`] about
//! the claims of a paper. A page needs no network, no script and no fonts; the same input gives the
//! same bytes.
//!
//! ```
//! use refire_report::{FigureRow, FitView, Report, StabilityView};
//!
//! let report = Report {
//!     title: "Auditory cortex, animal A".into(),
//!     bin_width_s: 0.01,
//!     fits: vec![FitView {
//!         name: "MLE".into(),
//!         figures: vec![FigureRow {
//!             name: "PSTH correlation".into(),
//!             model: Some(0.297),
//!             ceiling: Some(0.368),
//!             ..FigureRow::default()
//!         }],
//!         stability: StabilityView {
//!             verdict: "stable".into(),
//!             runs: 200,
//!             presentations: 10,
//!             ..StabilityView::default()
//!         },
//!         ..FitView::default()
//!     }],
//!     ..Report::default()
//! };
//! let page = report.to_html()?;
//! assert!(page.contains("stays in the range of the data"));
//! assert!(page.contains("81 %")); // the share of the ceiling
//! # Ok::<(), refire_report::ReportError>(())
//! ```
//!
//! Layer 0: knows plain numbers and text only, depends on no other refire crate.

mod check;
mod claims;
mod data;
mod error;
mod figures;
mod file;
mod page;
mod reproduction;
mod sections;
mod svg;
mod text;

pub use claims::data::{CheckRow, ClaimView, ClaimsPage, TableView, Verdict};
pub use data::{
    CouplingView, FigureRow, FitView, LossCurve, NoiseView, PsthExample, RasterPair, Report,
    StabilityView,
};
pub use error::ReportError;
pub use figures::{
    DotPlot, DotRow, Estimate, FigureView, MatrixPanel, ObjectiveRole, Panel, Plot, PlotAxis,
    PlotPoint, RasterPanel, Reference, Role, Series, VerticalReference,
};
pub use file::write_atomic;
pub use reproduction::{Finding, FoundClaim, ReproducedFigure, ReproductionPage};
pub use text::number;
