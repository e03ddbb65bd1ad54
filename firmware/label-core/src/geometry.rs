//! Boxes and points in source-image pixels.

/// A point in source-image pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Keypoint {
    /// Pixels to the right of the image's left edge.
    pub x: f32,
    /// Pixels below the image's top edge.
    pub y: f32,
}

impl Keypoint {
    /// A point at `x`, `y`.
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// Euclidean distance in pixels.
    pub fn distance(self, other: Self) -> f32 {
        libm::hypotf(self.x - other.x, self.y - other.y)
    }

    /// The point half way to `other`.
    #[must_use]
    pub fn midpoint(self, other: Self) -> Self {
        Self::new(
            f32::midpoint(self.x, other.x),
            f32::midpoint(self.y, other.y),
        )
    }
}

/// An axis-aligned bounding box in source-image pixels: top left corner and size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoundingBox {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width, never negative.
    pub width: f32,
    /// Height, never negative.
    pub height: f32,
}

impl BoundingBox {
    /// A box from its top left corner and size.
    pub const fn new(x: f32, y: f32, width: f32, height: f32) -> Self {
        Self {
            x,
            y,
            width,
            height,
        }
    }

    /// A box from two opposite corners, in any order.
    pub fn from_corners(a: Keypoint, b: Keypoint) -> Self {
        let (left, right) = (a.x.min(b.x), a.x.max(b.x));
        let (top, bottom) = (a.y.min(b.y), a.y.max(b.y));
        Self::new(left, top, right - left, bottom - top)
    }

    /// Right edge.
    pub fn right(self) -> f32 {
        self.x + self.width
    }

    /// Bottom edge.
    pub fn bottom(self) -> f32 {
        self.y + self.height
    }

    /// Centre of the box.
    pub fn center(self) -> Keypoint {
        Keypoint::new(self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// Area in square pixels.
    pub fn area(self) -> f32 {
        self.width * self.height
    }

    /// Whether the point lies in the box, edges included.
    pub fn contains(self, point: Keypoint) -> bool {
        point.x >= self.x
            && point.x <= self.right()
            && point.y >= self.y
            && point.y <= self.bottom()
    }

    /// The part of this box inside an image of `width` by `height` pixels.
    #[must_use]
    pub fn clipped(self, width: f32, height: f32) -> Self {
        let left = self.x.clamp(0.0, width);
        let top = self.y.clamp(0.0, height);
        let right = self.right().clamp(0.0, width);
        let bottom = self.bottom().clamp(0.0, height);
        Self::new(left, top, (right - left).max(0.0), (bottom - top).max(0.0))
    }

    /// Intersection over union; 0 where either box is empty.
    pub fn iou(self, other: Self) -> f32 {
        let width = self.right().min(other.right()) - self.x.max(other.x);
        let height = self.bottom().min(other.bottom()) - self.y.max(other.y);
        if width <= 0.0 || height <= 0.0 {
            return 0.0;
        }
        let both = width * height;
        both / (self.area() + other.area() - both)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_box() -> impl Strategy<Value = BoundingBox> {
        (
            -500.0f32..500.0,
            -500.0f32..500.0,
            0.1f32..400.0,
            0.1f32..400.0,
        )
            .prop_map(|(x, y, width, height)| BoundingBox::new(x, y, width, height))
    }

    proptest! {
        #[test]
        fn iou_is_symmetric_and_between_0_and_1(a in any_box(), b in any_box()) {
            let iou = a.iou(b);
            prop_assert!((0.0..=1.0001).contains(&iou));
            prop_assert!((iou - b.iou(a)).abs() < 1e-5);
        }

        #[test]
        fn a_box_has_iou_1_with_itself(a in any_box()) {
            prop_assert!((a.iou(a) - 1.0).abs() < 1e-3);
        }

        #[test]
        fn a_clipped_box_lies_in_the_image(a in any_box()) {
            let clipped = a.clipped(320.0, 240.0);
            prop_assert!(clipped.x >= 0.0 && clipped.right() <= 320.001 && clipped.y >= 0.0 && clipped.bottom() <= 240.001);
        }
    }

    #[test]
    fn boxes_a_third_apart_overlap_by_a_half() {
        let a = BoundingBox::new(0.0, 0.0, 3.0, 1.0);
        assert!((a.iou(BoundingBox::new(1.0, 0.0, 3.0, 1.0)) - 0.5).abs() < 1e-6);
        assert_eq!(a.iou(BoundingBox::new(3.0, 0.0, 3.0, 1.0)), 0.0);
    }
}
