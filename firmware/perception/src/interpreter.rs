//! What a model runtime must do for us.

use crate::ModelError;

/// Element type of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// 32-bit float.
    F32,
    /// Unsigned byte.
    U8,
}

/// Shape and element type of a tensor. Dynamic dimensions count as 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Type of each element.
    pub element: Element,
}

impl TensorInfo {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The input tensor, lent for filling: the runtime's own memory, so that pixels are written once.
#[derive(Debug)]
pub enum TensorMut<'a> {
    /// Floats.
    F32(&'a mut [f32]),
    /// Bytes.
    U8(&'a mut [u8]),
}

/// A loaded model with one input and float outputs.
pub trait Interpreter: Send {
    /// The input.
    fn input(&self) -> &TensorInfo;

    /// The outputs in the model's order.
    fn outputs(&self) -> &[TensorInfo];

    /// Lets `fill` write the input and runs the model. Allocates nothing.
    fn run(&mut self, fill: &mut dyn FnMut(TensorMut<'_>)) -> Result<(), ModelError>;

    /// An output of the last run.
    fn output(&self, index: usize) -> &[f32];
}
