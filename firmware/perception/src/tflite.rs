//! TensorFlow Lite by its older, stable C interface, with XNNPACK: for systems that LiteRT 2.3.0 is too new for.

mod ffi;

pub(crate) use ffi::OptionsLayout;

use crate::ModelError;
use crate::c_library::{Handle, element};
use crate::interpreter::{Element, Interpreter, TensorInfo, TensorMut};
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::Arc;

/// The loaded library.
pub(crate) struct Library {
    api: ffi::Api,
    layout: OptionsLayout,
}

impl Library {
    /// Loads the shared library at `path`, whose delegate reads its options in this layout.
    pub(crate) fn load(path: &Path, layout: OptionsLayout) -> Result<Arc<Self>, ModelError> {
        let api = ffi::Api::load(path)?;
        Ok(Arc::new(Self { api, layout }))
    }

    /// Loads a model to run on `threads` processor threads.
    pub(crate) fn interpreter(
        self: &Arc<Self>,
        model: &Path,
        threads: u32,
    ) -> Result<Box<dyn Interpreter>, ModelError> {
        Ok(Box::new(TfLite::load(self, model, threads)?))
    }
}

struct TfLite {
    loaded: Arc<Library>,
    path: PathBuf,
    made: ffi::Made,
    input_info: TensorInfo,
    output_infos: Vec<TensorInfo>,
    results: Vec<Vec<f32>>,
}

// SAFETY: an interpreter may move between threads; `run` takes it exclusively.
#[expect(unsafe_code, reason = "raw handles of the C interface")]
unsafe impl Send for TfLite {}

impl TfLite {
    fn load(library: &Arc<Library>, path: &Path, threads: u32) -> Result<Self, ModelError> {
        let api = &library.api;
        let made = api.create(library.layout, path, threads)?;
        // From here on `this` owns what was made, so that an error on the way frees it.
        let mut this = Self {
            loaded: Arc::clone(library),
            path: path.to_owned(),
            made,
            input_info: TensorInfo {
                shape: Vec::new(),
                element: Element::F32,
            },
            output_infos: Vec::new(),
            results: Vec::new(),
        };
        let (inputs, outputs) = api.tensor_counts(this.made.interpreter);
        if inputs != 1 {
            return Err(ModelError::InputCount {
                path: path.to_owned(),
                count: usize::try_from(inputs).unwrap_or(0),
            });
        }
        this.input_info = this.tensor_info(api.input(this.made.interpreter))?;
        for index in 0..outputs {
            let info = this.tensor_info(api.output(this.made.interpreter, index))?;
            if info.element != Element::F32 {
                return Err(ModelError::OutputElement {
                    path: path.to_owned(),
                    index: this.results.len(),
                });
            }
            this.results.push(vec![0.0; info.len()]);
            this.output_infos.push(info);
        }
        Ok(this)
    }

    fn tensor_info(&self, tensor: Handle) -> Result<TensorInfo, ModelError> {
        let (number, sizes) = self.loaded.api.tensor_type(tensor);
        Ok(TensorInfo {
            shape: sizes.iter().map(|size| (*size).max(1) as usize).collect(),
            element: element(number, &self.path)?,
        })
    }

    /// A tensor's memory, of `Some` elements of `size` bytes; an error where the library has none for it.
    fn memory(&self, tensor: Handle, size: usize) -> Result<(*mut u8, usize), ModelError> {
        let (memory, bytes) = self.loaded.api.memory(tensor);
        if memory.is_null() {
            return Err(ffi::refused("TensorData", &self.path));
        }
        Ok((memory.cast(), bytes / size))
    }
}

impl Interpreter for TfLite {
    fn input(&self) -> &TensorInfo {
        &self.input_info
    }

    fn outputs(&self) -> &[TensorInfo] {
        &self.output_infos
    }

    #[expect(unsafe_code, reason = "the runtime lends its tensors as raw memory")]
    fn run(&mut self, fill: &mut dyn FnMut(TensorMut<'_>)) -> Result<(), ModelError> {
        let input = self.loaded.api.input(self.made.interpreter);
        match self.input_info.element {
            Element::F32 => {
                let (memory, length) = self.memory(input, 4)?;
                // SAFETY: the tensor's own memory, aligned to 64, of that many floats; nothing else refers to it now.
                fill(TensorMut::F32(unsafe {
                    slice::from_raw_parts_mut(memory.cast(), length)
                }));
            }
            Element::U8 => {
                let (memory, length) = self.memory(input, 1)?;
                // SAFETY: as above, of that many bytes.
                fill(TensorMut::U8(unsafe {
                    slice::from_raw_parts_mut(memory, length)
                }));
            }
        }
        self.loaded.api.invoke(self.made.interpreter, &self.path)?;
        for index in 0..self.results.len() {
            let tensor = self.loaded.api.output(self.made.interpreter, index as i32);
            let (memory, length) = self.memory(tensor, 4)?;
            let result = &mut self.results[index];
            // What is dynamic has its size by now.
            let length = result.len().min(length);
            // SAFETY: the tensor's own memory, of at least that many floats, until the next run.
            result[..length]
                .copy_from_slice(unsafe { slice::from_raw_parts(memory.cast(), length) });
        }
        Ok(())
    }

    fn output(&self, index: usize) -> &[f32] {
        &self.results[index]
    }
}

impl Drop for TfLite {
    fn drop(&mut self) {
        self.loaded.api.delete(&self.made);
    }
}
