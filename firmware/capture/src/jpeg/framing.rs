//! Where one JPEG ends and the next begins in a stream of them.
//!
//! A picture is walked through by its segments: a thumbnail within one, with its own end mark, ends nothing.

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// A picture ends at this byte, not included.
    Ends(usize),
    /// The bytes so far are the beginning of one.
    More,
    /// These many bytes from the start on are no part of a picture.
    Skip(usize),
}

const START: u8 = 0xd8;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;

/// Walks through a stream of pictures. It remembers where it was, so that no byte is looked at twice.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct JpegFraming {
    at: usize,
    in_scan: bool,
}

impl JpegFraming {
    /// Goes on through a stream whose bytes from the picture's first on are `bytes`. After [`Framing::Ends`] and
    /// [`Framing::Skip`] the next call begins a picture, and is given the bytes from there on.
    pub(crate) fn next(&mut self, bytes: &[u8]) -> Framing {
        loop {
            let found = if self.at == 0 {
                begin(bytes)
            } else if self.in_scan {
                self.leave_scan(bytes)
            } else {
                self.pass_segment(bytes)
            };
            match found {
                Some(framing) => {
                    if framing != Framing::More {
                        *self = Self::default();
                    }
                    return framing;
                }
                None if self.at == 0 => self.at = 2,
                None => {}
            }
        }
    }

    /// From within coded pixels to the next marker, which is not one of those that belong there.
    fn leave_scan(&mut self, bytes: &[u8]) -> Option<Framing> {
        loop {
            let Some(mark) = memchr::memchr(0xff, bytes.get(self.at..).unwrap_or_default()) else {
                // The scan's own header may reach beyond what has come.
                self.at = self.at.max(bytes.len());
                return Some(Framing::More);
            };
            self.at += mark;
            match bytes.get(self.at + 1) {
                None => return Some(Framing::More),
                // A coded 0xff, or a restart.
                Some(0x00 | 0xd0..=0xd7) => self.at += 2,
                // Fill.
                Some(0xff) => self.at += 1,
                Some(_) => {
                    self.in_scan = false;
                    return None;
                }
            }
        }
    }

    /// Over one segment.
    fn pass_segment(&mut self, bytes: &[u8]) -> Option<Framing> {
        let rest = bytes.get(self.at..).unwrap_or_default();
        match *rest {
            [0xff, 0xff, ..] => {
                self.at += 1;
                None
            }
            [0xff, END, ..] => Some(Framing::Ends(self.at + 2)),
            // The picture before was broken off.
            [0xff, START, ..] => Some(Framing::Skip(self.at)),
            [0xff, 0x01 | 0xd0..=0xd7, ..] => {
                self.at += 2;
                None
            }
            [] | [0xff] | [0xff, _] | [0xff, _, _] => Some(Framing::More),
            [0xff, marker, high, low, ..] => {
                self.at += 2 + usize::from(u16::from_be_bytes([high, low])).max(2);
                self.in_scan = marker == SCAN;
                None
            }
            // No marker where one must be.
            _ => Some(Framing::Skip(self.at + skip(rest))),
        }
    }
}

/// A picture begins with its start mark.
fn begin(bytes: &[u8]) -> Option<Framing> {
    match bytes {
        [0xff, START, ..] => None,
        [] | [0xff] => Some(Framing::More),
        _ => Some(Framing::Skip(skip(bytes))),
    }
}

/// Bytes before the next start mark, or before what may be the first half of one.
fn skip(bytes: &[u8]) -> usize {
    memchr::memmem::find(bytes, &[0xff, START]).unwrap_or_else(|| {
        let half = bytes.last() == Some(&0xff);
        bytes.len() - usize::from(half)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A picture of one segment with these bytes in it, and these as coded pixels.
    fn picture(segment: &[u8], coded: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xff, 0xd8, 0xff, 0xe1];
        bytes.extend(((segment.len() + 2) as u16).to_be_bytes());
        bytes.extend(segment);
        bytes.extend([0xff, 0xda, 0x00, 0x02]);
        bytes.extend(coded);
        bytes.extend([0xff, 0xd9]);
        bytes
    }

    /// The pictures of a stream that comes in pieces of `step` bytes.
    fn split(stream: &[u8], step: usize) -> Vec<Vec<u8>> {
        let (mut framing, mut from, mut to) = (JpegFraming::default(), 0, 0);
        let mut found = Vec::new();
        loop {
            match framing.next(&stream[from..to]) {
                Framing::Ends(end) => {
                    found.push(stream[from..from + end].to_vec());
                    from += end;
                }
                Framing::Skip(0) => panic!("no progress"),
                Framing::Skip(count) => from += count,
                Framing::More if to == stream.len() => return found,
                Framing::More => to = (to + step).min(stream.len()),
            }
        }
    }

    #[test]
    fn an_end_mark_within_a_thumbnail_or_within_coded_pixels_ends_nothing() {
        let thumbnail = picture(&[1, 2], &[3]);
        let whole = picture(&thumbnail, &[9, 0xff, 0x00, 0xd9, 0xff, 0xd0, 7, 0xff]);
        let stream = [whole.clone(), whole.clone()].concat();
        for step in [1, 2, 3, 1000] {
            assert_eq!(split(&stream, step), [whole.clone(), whole.clone()]);
        }
    }

    #[test]
    fn a_picture_of_several_scans_is_one() {
        let mut whole = picture(&[], &[1, 2, 3]);
        let tail = [0xff, 0xc4, 0, 3, 9, 0xff, 0xda, 0, 2, 5, 0xff, 0xd9];
        whole.truncate(whole.len() - 2);
        whole.extend(tail);
        assert_eq!(split(&whole, 1), std::slice::from_ref(&whole));
    }

    #[test]
    fn what_lies_between_pictures_and_one_that_broke_off_are_skipped() {
        let whole = picture(&[4], &[5, 6]);
        let broken = &whole[..whole.len() - 4];
        let stream = [
            b"--boundary\r\n\xff",
            &whole[..],
            broken,
            &whole,
            &[0xff, 0xd9],
        ]
        .concat();
        for step in [1, 7, 1000] {
            assert_eq!(split(&stream, step), [whole.clone(), whole.clone()]);
        }
    }

    #[test]
    fn a_scans_header_that_has_not_come_whole_is_waited_for() {
        let header = [0xff, 0xd8, 0xff, 0xda, 0, 4, 0xff, 0xd9];
        let whole = [&header[..], &[1, 2, 0xff, 0xd9]].concat();
        for step in 1..whole.len() {
            assert_eq!(split(&whole, step), std::slice::from_ref(&whole));
        }
    }

    proptest! {
        #[test]
        fn pictures_come_out_as_they_went_in_however_they_are_cut(
            pictures in prop::collection::vec(
                (prop::collection::vec(any::<u8>(), 0..40), prop::collection::vec(0u8..0xff, 0..60)), 0..5),
            step in 1usize..50,
        ) {
            let pictures: Vec<_> = pictures.iter().map(|(segment, coded)| picture(segment, coded)).collect();
            prop_assert_eq!(split(&pictures.concat(), step), pictures);
        }

        #[test]
        fn any_bytes_are_walked_to_their_end(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0xff), Just(0xd8), Just(0xd9)], 0..300)) {
            let once = split(&bytes, bytes.len().max(1));
            prop_assert_eq!(split(&bytes, 1), once);
        }
    }
}
