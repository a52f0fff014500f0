//! A scalar reverse-mode tape: every operation is a node that keeps its partial derivatives.

use std::cell::RefCell;
use std::ops::{Add, Div, Mul, Sub};

/// Operations in order, each with its parents and the partial derivative for each.
#[derive(Default)]
pub struct Tape {
    nodes: RefCell<Vec<[(usize, f64); 2]>>,
}

/// A number on a tape.
#[derive(Clone, Copy)]
pub struct Var<'t> {
    tape: &'t Tape,
    index: usize,
    pub value: f64,
}

/// Derivatives of one number by every other on its tape.
pub struct Derivatives(Vec<f64>);

impl Tape {
    /// A parameter or a constant.
    pub fn leaf(&self, value: f64) -> Var<'_> {
        self.push(value, [(0, 0.0); 2])
    }

    pub fn leaves(&self, values: &[f64]) -> Vec<Var<'_>> {
        values.iter().map(|&value| self.leaf(value)).collect()
    }

    pub fn sum<'t>(&'t self, terms: impl IntoIterator<Item = Var<'t>>) -> Var<'t> {
        terms
            .into_iter()
            .fold(self.leaf(0.0), |sum, term| sum + term)
    }

    pub fn mean<'t>(&'t self, terms: &[Var<'t>]) -> Var<'t> {
        self.sum(terms.iter().copied()) * (1.0 / terms.len() as f64)
    }

    fn push(&self, value: f64, parents: [(usize, f64); 2]) -> Var<'_> {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(parents);
        Var {
            tape: self,
            index: nodes.len() - 1,
            value,
        }
    }
}

impl<'t> Var<'t> {
    /// A function of this number, given its value and its derivative (or what stands in for it).
    pub fn map(self, value: f64, slope: f64) -> Self {
        self.tape.push(value, [(self.index, slope), (0, 0.0)])
    }

    pub fn exp(self) -> Self {
        self.map(self.value.exp(), self.value.exp())
    }

    pub fn ln(self) -> Self {
        self.map(self.value.ln(), 1.0 / self.value)
    }

    fn binary(self, other: Self, value: f64, by_self: f64, by_other: f64) -> Self {
        self.tape
            .push(value, [(self.index, by_self), (other.index, by_other)])
    }

    /// The derivatives of this number.
    pub fn derivatives(self) -> Derivatives {
        let nodes = self.tape.nodes.borrow();
        let mut adjoint = vec![0.0; nodes.len()];
        adjoint[self.index] = 1.0;
        for index in (0..=self.index).rev() {
            for (parent, partial) in nodes[index] {
                adjoint[parent] += adjoint[index] * partial;
            }
        }
        Derivatives(adjoint)
    }
}

impl Derivatives {
    pub fn by(&self, parameters: &[Var<'_>]) -> Vec<f64> {
        parameters.iter().map(|p| self.0[p.index]).collect()
    }
}

impl Add for Var<'_> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.binary(other, self.value + other.value, 1.0, 1.0)
    }
}

impl Sub for Var<'_> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.binary(other, self.value - other.value, 1.0, -1.0)
    }
}

impl Mul for Var<'_> {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        self.binary(other, self.value * other.value, other.value, self.value)
    }
}

impl Div for Var<'_> {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        self.binary(other, value, 1.0 / other.value, -value / other.value)
    }
}

impl Add<f64> for Var<'_> {
    type Output = Self;
    fn add(self, other: f64) -> Self {
        self.map(self.value + other, 1.0)
    }
}

impl Mul<f64> for Var<'_> {
    type Output = Self;
    fn mul(self, other: f64) -> Self {
        self.map(self.value * other, other)
    }
}

#[test]
fn the_tape_differentiates_a_known_function() {
    // f = x y / (1 + exp(x)) - ln(y) + 3 y, by hand.
    let tape = Tape::default();
    let (x, y) = (tape.leaf(0.7), tape.leaf(1.9));
    let f = x * y / (x.exp() + 1.0) - y.ln() + y * 3.0;
    let e = 0.7f64.exp();
    let found = f.derivatives().by(&[x, y]);
    let by_x = 1.9 / (1.0 + e) - 0.7 * 1.9 * e / (1.0 + e).powi(2);
    let by_y = 0.7 / (1.0 + e) - 1.0 / 1.9 + 3.0;
    assert!((found[0] - by_x).abs() < 1e-14, "{found:?}");
    assert!((found[1] - by_y).abs() < 1e-14, "{found:?}");
}
