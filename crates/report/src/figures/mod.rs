//! Figures: panels beside each other, on a page or as a file of their own.

mod data;
mod dots;
mod drawing;
mod panels;
mod plot;
mod role;
mod standalone;
pub(crate) mod view;

pub use data::{FigureView, Panel, Plot, PlotAxis, PlotPoint, Reference, Series};
pub use panels::{DotPlot, DotRow, Estimate, MatrixPanel, RasterPanel, VerticalReference};
pub use role::{ObjectiveRole, Role};
