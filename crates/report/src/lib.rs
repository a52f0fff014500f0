#![doc = include_str!("../README.md")]

mod check;
mod claims;
mod data;
mod error;
mod figures;
mod page;
mod reproduction;
mod sections;
mod svg;
mod text;

pub use claims::data::{CheckRow, ClaimView, ClaimsPage, TableView};
pub use data::{
    CouplingView, FitView, LagView, LossCurve, MetricRow, NoiseView, PsthExample, RasterPair,
    Report, StabilityView,
};
pub use error::ReportError;
pub use figures::{
    DotPlot, DotRow, Estimate, FigureView, MatrixPanel, ObjectiveRole, Panel, Plot, PlotAxis,
    PlotPoint, RasterPanel, Reference, Role, Series, VerticalReference,
};
pub use reproduction::{Finding, FoundClaim, ReproducedFigure, ReproductionPage};
pub use text::number;
