//! Figures: panels beside each other, on a page or as a file of their own.

mod axis;
mod data;
mod dots;
mod drawing;
mod panels;
mod plot;
mod role;
mod standalone;
pub(crate) mod view;

pub use axis::PlotAxis;
pub use data::{FigureView, Panel, Plot, PlotPoint, Reference, Series};
pub use panels::{DotPlot, DotRow, Estimate, MatrixPanel, RasterPanel, VerticalReference};
pub use role::{ObjectiveRole, Role};
