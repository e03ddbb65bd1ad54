//! The pixels of one frame, lent by whoever captured them.

/// How luma and chroma bytes map to light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorRange {
    /// 16 to 235 (chroma to 240), as broadcast video.
    Limited,
    /// 0 to 255, as JPEG and most cameras.
    Full,
}

/// A frame as planes: luma for every pixel, chroma (if any) for every 2 by 2.
///
/// This is what decoders and cameras give, so nothing is converted but the pixels that a model sees. The matrix is that
/// of ITU-R BT.601; BT.709 differs by a few grey levels in saturated colours only.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) luma: &'a [u8],
    pub(crate) chroma: Option<(&'a [u8], &'a [u8])>,
    pub(crate) range: ColorRange,
}

impl<'a> Picture<'a> {
    /// A picture of tightly packed planes; `None` where a plane is too short or the picture is empty.
    pub fn new(
        width: usize,
        height: usize,
        luma: &'a [u8],
        chroma: Option<(&'a [u8], &'a [u8])>,
        range: ColorRange,
    ) -> Option<Self> {
        let chroma_len = width.div_ceil(2) * height.div_ceil(2);
        let enough = luma.len() >= width * height
            && chroma.is_none_or(|(u, v)| u.len() >= chroma_len && v.len() >= chroma_len);
        (enough && width > 0 && height > 0).then_some(Self {
            width,
            height,
            luma,
            chroma,
            range,
        })
    }

    /// Pixels across.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels down.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Luma, row by row.
    pub fn luma(&self) -> &'a [u8] {
        &self.luma[..self.width * self.height]
    }

    /// Chroma planes (blue, red), if the camera sees colour.
    pub fn chroma(&self) -> Option<(&'a [u8], &'a [u8])> {
        self.chroma
    }

    /// How bytes map to light.
    pub fn range(&self) -> ColorRange {
        self.range
    }
}
