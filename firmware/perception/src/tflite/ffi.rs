//! TensorFlow Lite's C interface, as far as it is used: one safe method a call, every answer checked.
//!
//! Signatures follow the headers `c_api.h` and `xnnpack_delegate.h` (Apache-2.0), which are the same from 2.9 to 2.21 but for
//! the delegate's options. All methods expect handles that the same library made.
#![expect(unsafe_code, reason = "this module is the boundary to a C library")]

use crate::ModelError;
use crate::c_library::{Handle, c_library, c_path};
use std::ffi::{CStr, c_char, c_void};
use std::path::Path;

type Status = i32;

c_library! {
    create_model: b"TfLiteModelCreateFromFile\0" = fn(*const c_char) -> Handle;
    delete_model: b"TfLiteModelDelete\0" = fn(Handle);
    create_options: b"TfLiteInterpreterOptionsCreate\0" = fn() -> Handle;
    delete_options: b"TfLiteInterpreterOptionsDelete\0" = fn(Handle);
    set_threads: b"TfLiteInterpreterOptionsSetNumThreads\0" = fn(Handle, i32);
    add_custom_operator: b"TfLiteInterpreterOptionsAddCustomOp\0"
        = fn(Handle, *const c_char, *const Registration, i32, i32);
    add_delegate: b"TfLiteInterpreterOptionsAddDelegate\0" = fn(Handle, Handle);
    create_delegate: b"TfLiteXNNPackDelegateCreate\0" = fn(*const Options) -> Handle;
    delete_delegate: b"TfLiteXNNPackDelegateDelete\0" = fn(Handle);
    create_interpreter: b"TfLiteInterpreterCreate\0" = fn(Handle, Handle) -> Handle;
    delete_interpreter: b"TfLiteInterpreterDelete\0" = fn(Handle);
    allocate_tensors: b"TfLiteInterpreterAllocateTensors\0" = fn(Handle) -> Status;
    invoke: b"TfLiteInterpreterInvoke\0" = fn(Handle) -> Status;
    count_inputs: b"TfLiteInterpreterGetInputTensorCount\0" = fn(Handle) -> i32;
    count_outputs: b"TfLiteInterpreterGetOutputTensorCount\0" = fn(Handle) -> i32;
    get_input: b"TfLiteInterpreterGetInputTensor\0" = fn(Handle, i32) -> Handle;
    get_output: b"TfLiteInterpreterGetOutputTensor\0" = fn(Handle, i32) -> Handle;
    tensor_type: b"TfLiteTensorType\0" = fn(Handle) -> i32;
    tensor_rank: b"TfLiteTensorNumDims\0" = fn(Handle) -> i32;
    tensor_dimension: b"TfLiteTensorDim\0" = fn(Handle, i32) -> i32;
    tensor_bytes: b"TfLiteTensorByteSize\0" = fn(Handle) -> usize;
    tensor_data: b"TfLiteTensorData\0" = fn(Handle) -> *mut c_void;
}

/// Where `TfLiteXNNPackDelegateOptions` has its flags; the number of threads comes first in every release.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OptionsLayout {
    /// In 2.9 they follow the number of threads.
    FlagsSecond,
    /// By 2.21 flags for the runtime stand between, and there is a file descriptor as the eleventh word.
    FlagsThird,
}

/// `TfLiteXNNPackDelegateOptions`: 16 bytes in 2.9, 56 in 2.21, here with room to spare. The rest is zero, as in the libraries'
/// own defaults: no weight cache, no file.
#[repr(C, align(8))]
struct Options {
    words: [u32; 32],
}

impl Options {
    /// Integer models are run by XNNPACK too (signed and unsigned); without, they take ten times as long in 2.9.
    const INTEGERS: u32 = 0b11;

    fn new(layout: OptionsLayout, threads: u32) -> Self {
        let mut words = [0; 32];
        words[0] = threads;
        match layout {
            OptionsLayout::FlagsSecond => words[1] = Self::INTEGERS,
            OptionsLayout::FlagsThird => {
                words[2] = Self::INTEGERS;
                // No file descriptor: -1.
                words[10] = u32::MAX;
            }
        }
        Self { words }
    }
}

/// Operators of models that only XNNPACK knows (the person mask's), each of version 1. Of the library itself it is asked that
/// it lets them stand until the delegate takes them.
const ONLY_IN_XNNPACK: [&CStr; 1] = [c"Convolution2DTransposeBias"];

/// `TfLiteRegistration`: 64 bytes in 2.9, 88 in 2.21, here with room to spare. All of it null: nothing to prepare, and to run it
/// outside of the delegate is an error.
#[repr(C, align(8))]
struct Registration {
    words: [u64; 16],
}

/// The interpreter of a model with the delegate it runs on.
pub(super) struct Made {
    pub(super) interpreter: Handle,
    pub(super) delegate: Handle,
}

// Every call below passes handles that the same library made, or pointers to locals that outlive the call.
impl Api {
    /// Loads a model, on the processor with this many threads. Both handles are the caller's to delete.
    ///
    /// XNNPACK is not chosen by itself: without its delegate a model takes ten times as long.
    pub(super) fn create(
        &self,
        layout: OptionsLayout,
        path: &Path,
        threads: u32,
    ) -> Result<Made, ModelError> {
        let text = c_path(path)?;
        // SAFETY: a C string; the options are laid out as this library reads them, which copies them and the registrations. An interpreter keeps what
        // it needs of model and options, which are deleted here, each once; it refuses a model that is null.
        unsafe {
            let model = (self.create_model)(text.as_ptr());
            if model.is_null() {
                return Err(refused("ModelCreateFromFile", path));
            }
            let for_delegate = Options::new(layout, threads);
            let delegate = (self.create_delegate)(&raw const for_delegate);
            if delegate.is_null() {
                (self.delete_model)(model);
                return Err(refused("XNNPackDelegateCreate", path));
            }
            let options = (self.create_options)();
            (self.set_threads)(options, i32::try_from(threads).unwrap_or(i32::MAX));
            for name in ONLY_IN_XNNPACK {
                let left_to_delegate = Registration { words: [0; 16] };
                let registration = &raw const left_to_delegate;
                (self.add_custom_operator)(options, name.as_ptr(), registration, 1, 1);
            }
            (self.add_delegate)(options, delegate);
            let interpreter = (self.create_interpreter)(model, options);
            (self.delete_options)(options);
            (self.delete_model)(model);
            let made = Made {
                interpreter,
                delegate,
            };
            if interpreter.is_null() || (self.allocate_tensors)(interpreter) != 0 {
                self.delete(&made);
                return Err(refused("InterpreterCreate", path));
            }
            Ok(made)
        }
    }

    pub(super) fn delete(&self, made: &Made) {
        // SAFETY: the owner gives up live handles, once; the delegate goes after the interpreter that runs on it.
        unsafe {
            if !made.interpreter.is_null() {
                (self.delete_interpreter)(made.interpreter);
            }
            (self.delete_delegate)(made.delegate);
        }
    }

    pub(super) fn tensor_counts(&self, interpreter: Handle) -> (i32, i32) {
        // SAFETY: a live interpreter.
        unsafe {
            (
                (self.count_inputs)(interpreter),
                (self.count_outputs)(interpreter),
            )
        }
    }

    /// The input; there is one.
    pub(super) fn input(&self, interpreter: Handle) -> Handle {
        // SAFETY: a live interpreter; the caller counted its inputs.
        unsafe { (self.get_input)(interpreter, 0) }
    }

    /// An output, by an index below the count.
    pub(super) fn output(&self, interpreter: Handle, index: i32) -> Handle {
        // SAFETY: a live interpreter; the caller counted its outputs.
        unsafe { (self.get_output)(interpreter, index) }
    }

    /// The number of the element type, and the sizes as they are written: dynamic ones are negative.
    pub(super) fn tensor_type(&self, tensor: Handle) -> (i32, Vec<i32>) {
        // SAFETY: a live tensor, and dimensions below its rank.
        unsafe {
            let rank = (self.tensor_rank)(tensor);
            let sizes = (0..rank)
                .map(|dimension| (self.tensor_dimension)(tensor, dimension))
                .collect();
            ((self.tensor_type)(tensor), sizes)
        }
    }

    /// A tensor's memory and how many bytes it has; null before there is any.
    pub(super) fn memory(&self, tensor: Handle) -> (*mut c_void, usize) {
        // SAFETY: a live tensor.
        unsafe { ((self.tensor_data)(tensor), (self.tensor_bytes)(tensor)) }
    }

    pub(super) fn invoke(&self, interpreter: Handle, model: &Path) -> Result<(), ModelError> {
        // SAFETY: a live interpreter whose tensors are allocated.
        match unsafe { (self.invoke)(interpreter) } {
            0 => Ok(()),
            _ => Err(refused("InterpreterInvoke", model)),
        }
    }
}

pub(super) fn refused(call: &'static str, model: &Path) -> ModelError {
    ModelError::TfLite {
        call,
        path: model.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_lie_where_each_release_reads_them() {
        let older = Options::new(OptionsLayout::FlagsSecond, 3).words;
        assert_eq!(older[..4], [3, 0b11, 0, 0]);
        let newer = Options::new(OptionsLayout::FlagsThird, 3).words;
        assert_eq!(newer[..4], [3, 0, 0b11, 0]);
        assert_eq!(newer[10], u32::MAX);
    }
}
