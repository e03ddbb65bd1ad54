//! LiteRT (TensorFlow Lite's successor) by its own C interface, that of release 2.3.0.
//!
//! The interface is not stable between versions: a call of the wrong version may crash or, worse, answer.

mod ffi;

use crate::ModelError;
use crate::c_library::{Handle, c_path, element};
use crate::interpreter::{Element, Interpreter, TensorInfo, TensorMut};
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::Arc;

/// CPU in `LiteRtHwAccelerators`.
const ACCELERATOR_CPU: i32 = 1;
const LOCK_READ: i32 = 0;
const LOCK_WRITE: i32 = 1;

/// The loaded library and its environment.
pub(crate) struct Library {
    api: ffi::Api,
    environment: Handle,
}

// SAFETY: LiteRT's environment may be used from any thread; it is only read after it was made.
#[expect(unsafe_code, reason = "raw handles of the C interface")]
unsafe impl Send for Library {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "raw handles of the C interface")]
unsafe impl Sync for Library {}

impl Library {
    /// Loads the shared library at `path`, which must be of this release.
    pub(crate) fn load(path: &Path) -> Result<Arc<Self>, ModelError> {
        let api = ffi::Api::load(path)?;
        let environment = api.create_environment()?;
        Ok(Arc::new(Self { api, environment }))
    }

    /// Loads a model to run on `threads` processor threads.
    pub(crate) fn interpreter(
        self: &Arc<Self>,
        model: &Path,
        threads: u32,
    ) -> Result<Box<dyn Interpreter>, ModelError> {
        Ok(Box::new(LiteRt::load(self, model, threads)?))
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        self.api.destroy_environment(self.environment);
    }
}

struct Buffer {
    handle: Handle,
    bytes: usize,
}

struct LiteRt {
    loaded: Arc<Library>,
    path: PathBuf,
    model: Handle,
    options: Handle,
    compiled: Handle,
    input: Buffer,
    input_info: TensorInfo,
    outputs: Vec<Buffer>,
    output_handles: Vec<Handle>,
    output_infos: Vec<TensorInfo>,
    results: Vec<Vec<f32>>,
}

// SAFETY: a compiled model may move between threads; `run` takes it exclusively.
#[expect(unsafe_code, reason = "raw handles of the C interface")]
unsafe impl Send for LiteRt {}

impl LiteRt {
    fn load(library: &Arc<Library>, path: &Path, threads: u32) -> Result<Self, ModelError> {
        let api = &library.api;
        let text = c_path(path)?;
        let model = api.create_model(library.environment, &text)?;
        // From here on `this` owns what was made, so that an error on the way frees it.
        let mut this = Self {
            path: path.to_owned(),
            model,
            options: ptr::null_mut(),
            compiled: ptr::null_mut(),
            input: Buffer {
                handle: ptr::null_mut(),
                bytes: 0,
            },
            input_info: TensorInfo {
                shape: Vec::new(),
                element: Element::F32,
            },
            outputs: Vec::new(),
            output_handles: Vec::new(),
            output_infos: Vec::new(),
            results: Vec::new(),
            loaded: Arc::clone(library),
        };
        this.options = api.create_cpu_options(ACCELERATOR_CPU, threads)?;
        this.compiled = api.create_compiled_model(library.environment, model, this.options)?;
        let signature = api.signature(model)?;
        let (inputs, outputs) = api.tensor_counts(signature)?;
        if inputs != 1 {
            return Err(ModelError::InputCount {
                path: path.to_owned(),
                count: inputs,
            });
        }
        let mut tensor_type = api.input_type(signature, 0)?;
        this.input_info = this.tensor_info(&mut tensor_type)?;
        let requirements = api.input_requirements(this.compiled, 0)?;
        this.input = this.buffer(&tensor_type, requirements)?;
        for index in 0..outputs {
            let mut tensor_type = api.output_type(signature, index)?;
            let info = this.tensor_info(&mut tensor_type)?;
            if info.element != Element::F32 {
                return Err(ModelError::OutputElement {
                    path: path.to_owned(),
                    index,
                });
            }
            let requirements = api.output_requirements(this.compiled, index)?;
            let buffer = this.buffer(&tensor_type, requirements)?;
            this.output_handles.push(buffer.handle);
            this.outputs.push(buffer);
            this.results.push(vec![0.0; info.len()]);
            this.output_infos.push(info);
        }
        Ok(this)
    }

    /// Reads shape and element, and sets dynamic dimensions to 1: a buffer cannot be made with -1.
    fn tensor_info(
        &self,
        tensor_type: &mut ffi::RankedTensorType,
    ) -> Result<TensorInfo, ModelError> {
        let element = element(tensor_type.element_type, &self.path)?;
        let rank = tensor_type.rank();
        for dimension in &mut tensor_type.dimensions[..rank] {
            *dimension = (*dimension).max(1);
        }
        let shape = tensor_type.dimensions[..rank]
            .iter()
            .map(|size| *size as usize)
            .collect();
        Ok(TensorInfo { shape, element })
    }

    fn buffer(
        &self,
        tensor_type: &ffi::RankedTensorType,
        requirements: Handle,
    ) -> Result<Buffer, ModelError> {
        let api = &self.loaded.api;
        let handle = api.create_buffer(self.loaded.environment, tensor_type, requirements)?;
        Ok(Buffer {
            handle,
            bytes: api.packed_size(handle)?,
        })
    }
}

impl Interpreter for LiteRt {
    fn input(&self) -> &TensorInfo {
        &self.input_info
    }

    fn outputs(&self) -> &[TensorInfo] {
        &self.output_infos
    }

    #[expect(unsafe_code, reason = "the runtime lends its buffers as raw memory")]
    fn run(&mut self, fill: &mut dyn FnMut(TensorMut<'_>)) -> Result<(), ModelError> {
        let api = &self.loaded.api;
        let memory = api.lock(self.input.handle, LOCK_WRITE)?;
        // SAFETY: the lock lends `bytes` bytes, aligned to 64, until it is released below; nothing else refers to them.
        fill(unsafe {
            match self.input_info.element {
                Element::F32 => TensorMut::F32(std::slice::from_raw_parts_mut(
                    memory.cast(),
                    self.input.bytes / 4,
                )),
                Element::U8 => TensorMut::U8(std::slice::from_raw_parts_mut(
                    memory.cast(),
                    self.input.bytes,
                )),
            }
        });
        api.unlock(self.input.handle)?;
        api.run(
            self.compiled,
            &mut [self.input.handle],
            &mut self.output_handles,
        )?;
        for (buffer, result) in self.outputs.iter().zip(&mut self.results) {
            let memory = api.lock(buffer.handle, LOCK_READ)?;
            let length = result.len().min(buffer.bytes / 4);
            // SAFETY: the lock lends `bytes` bytes of floats until it is released below.
            result[..length]
                .copy_from_slice(unsafe { std::slice::from_raw_parts(memory.cast(), length) });
            api.unlock(buffer.handle)?;
        }
        Ok(())
    }

    fn output(&self, index: usize) -> &[f32] {
        &self.results[index]
    }
}

impl Drop for LiteRt {
    fn drop(&mut self) {
        let api = &self.loaded.api;
        for buffer in self.outputs.iter().chain([&self.input]) {
            api.destroy_buffer(buffer.handle);
        }
        api.destroy_compiled_model(self.compiled);
        api.destroy_options(self.options);
        api.destroy_model(self.model);
    }
}
