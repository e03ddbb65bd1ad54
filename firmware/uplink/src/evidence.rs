//! Writing the binary layout of evidence messages.

use label_core::wire::{self, EVIDENCE_MAGIC, EncodeError};
use serde::Serialize;

/// Writes an evidence message, of a filmstrip or of a key picture: magic, length of the header, header as JSON, picture. Returns how many bytes it took.
pub fn encode_evidence(
    header: &impl Serialize,
    jpeg: &[u8],
    into: &mut [u8],
) -> Result<usize, EncodeError> {
    let capacity = into.len();
    let too_small = || EncodeError { capacity };
    let start = EVIDENCE_MAGIC.len() + size_of::<u32>();
    let json = wire::encode(header, into.get_mut(start..).ok_or_else(too_small)?)
        .map_err(|_| too_small())?;
    let end = start + json;
    into[..EVIDENCE_MAGIC.len()].copy_from_slice(&EVIDENCE_MAGIC);
    into[EVIDENCE_MAGIC.len()..start].copy_from_slice(&(json as u32).to_le_bytes());
    into.get_mut(end..end + jpeg.len())
        .ok_or_else(too_small)?
        .copy_from_slice(jpeg);
    Ok(end + jpeg.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use label_core::wire::{EvidenceHeader, Origin, parse_name, split_evidence};
    use label_core::{BootId, FrameRange, LabelKind};

    #[test]
    fn what_is_written_splits_again_and_what_does_not_fit_is_refused() {
        let header = EvidenceHeader {
            v: 1,
            from: Origin {
                rig: parse_name("rig").unwrap(),
                boot: BootId::first(1),
                seq: 4,
            },
            clip: 1,
            label: (3, 0),
            kind: LabelKind::Blink,
            track: 1,
            frames: FrameRange::new(1, 2),
            stride: 1,
            left: heapless::Vec::new(),
            right: heapless::Vec::new(),
            columns: heapless::Vec::new(),
            tile: (64, 40),
        };
        let mut buffer = [0; 1024];
        let length = encode_evidence(&header, b"jpeg", &mut buffer).unwrap();
        let (json, jpeg) = split_evidence(&buffer[..length]).unwrap();
        assert_eq!(
            serde_json::from_slice::<EvidenceHeader>(json).unwrap(),
            header
        );
        assert_eq!(jpeg, b"jpeg");
        for capacity in 0..length {
            assert!(encode_evidence(&header, b"jpeg", &mut buffer[..capacity]).is_err());
        }
    }
}
