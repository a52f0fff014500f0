/// Why a page could not be made or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// Two things that belong together differ in length.
    #[error("{what}: expected {expected}, found {found}")]
    Length {
        /// The quantity.
        what: String,
        /// The length it must have.
        expected: usize,
        /// The length it has.
        found: usize,
    },
    /// An index lies outside its range.
    #[error("{what}: expected {first}..{end}, found {found}")]
    OutOfRange {
        /// The quantity.
        what: String,
        /// Smallest allowed value.
        first: usize,
        /// One past the largest allowed value.
        end: usize,
        /// The value found.
        found: usize,
    },
    /// A name is not one that can stand there.
    #[error("{what}: expected {expected}, found {found:?}")]
    Name {
        /// What is named.
        what: String,
        /// Which names can.
        expected: String,
        /// The name found.
        found: String,
    },
}
