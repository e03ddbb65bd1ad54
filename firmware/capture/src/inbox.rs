//! Bytes that come in pieces, cut into frames.

use crate::jpeg::{Framing, JpegFraming};

/// Room made for one read of pictures whose length is not known beforehand.
const PIECE: usize = 1 << 16;

/// Where a frame ends.
#[derive(Debug)]
pub(crate) enum Cut {
    /// After these many bytes.
    Raw {
        /// Bytes of a frame.
        bytes: usize,
    },
    /// Where a JPEG ends; one longer than this is none.
    Jpeg {
        /// Where the walk through it is.
        framing: JpegFraming,
        /// Most bytes of a picture.
        most: usize,
    },
}

/// The frame that came last, and what came of the next.
#[derive(Debug)]
pub(crate) struct Inbox {
    cut: Cut,
    bytes: Vec<u8>,
    filled: usize,
    /// Length of the whole frame at the front, and when its last byte came.
    ready: Option<(usize, i64)>,
    /// Pictures so far that broke off within the stream.
    pub(crate) broken: u32,
}

impl Inbox {
    /// Room for a whole frame and the next one is made at once, so that none is made later: what is not used of it is
    /// never touched, and takes no memory.
    pub(crate) fn new(cut: Cut) -> Self {
        let room = match &cut {
            Cut::Raw { bytes } => 2 * bytes,
            Cut::Jpeg { most, .. } => 2 * (most + PIECE),
        };
        Self {
            cut,
            bytes: Vec::with_capacity(room),
            filled: 0,
            ready: None,
            broken: 0,
        }
    }

    /// Where the next bytes go; never empty. A raw frame is not read beyond its end, so that nothing is moved.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        let begin = self.begin();
        let end = match self.cut {
            Cut::Raw { bytes } => begin + bytes,
            Cut::Jpeg { .. } => self.filled + PIECE,
        };
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        &mut self.bytes[self.filled..end]
    }

    /// These many bytes were put into the room.
    pub(crate) fn put(&mut self, count: usize) {
        self.filled += count;
    }

    /// Whether a whole frame is at the front; `us` is its time if it was completed just now.
    pub(crate) fn find(&mut self, us: i64) -> bool {
        if self.ready.is_none() {
            self.ready = self.next_end().map(|len| (len, us));
        }
        self.ready.is_some()
    }

    /// Keeps only the newest whole frame at the front; the number of those given up.
    pub(crate) fn renew(&mut self, us: i64) -> u32 {
        let mut outdated = 0;
        while self.find(us)
            && let Some(len) = self.next_end()
        {
            self.remove(0, self.begin());
            self.ready = Some((len, us));
            outdated += 1;
        }
        outdated
    }

    /// The whole frame at the front, and when it came.
    pub(crate) fn front(&self) -> Option<(&[u8], i64)> {
        self.ready.map(|(len, us)| (&self.bytes[..len], us))
    }

    /// Gives up the frame at the front.
    pub(crate) fn pop(&mut self) {
        if let Some((len, _)) = self.ready.take() {
            self.remove(0, len);
        }
    }

    /// Bytes that are there of a frame that is not whole.
    pub(crate) fn unfinished(&self) -> usize {
        self.filled - self.begin()
    }

    /// Where the frame behind the ready one begins.
    fn begin(&self) -> usize {
        self.ready.map_or(0, |(len, _)| len)
    }

    fn remove(&mut self, at: usize, count: usize) {
        self.bytes.copy_within(at + count..self.filled, at);
        self.filled -= count;
    }

    /// Length of the frame behind the ready one, if it is whole. What is no frame is removed on the way.
    fn next_end(&mut self) -> Option<usize> {
        let begin = self.begin();
        loop {
            let rest = &self.bytes[begin..self.filled];
            let (framing, most) = match &mut self.cut {
                Cut::Raw { bytes } => return (rest.len() >= *bytes).then_some(*bytes),
                Cut::Jpeg { framing, most } => (framing, *most),
            };
            match framing.next(rest) {
                Framing::Ends(len) => return Some(len),
                Framing::Skip(count) => {
                    self.broken += u32::from(rest.starts_with(&[0xff, 0xd8]));
                    self.remove(begin, count);
                }
                Framing::More if rest.len() > most => {
                    *framing = JpegFraming::default();
                    self.broken += 1;
                    self.filled = begin;
                }
                Framing::More => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(inbox: &mut Inbox, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = inbox.room();
            let count = room.len().min(bytes.len());
            room[..count].copy_from_slice(&bytes[..count]);
            bytes = &bytes[count..];
            inbox.put(count);
            inbox.find(0);
        }
    }

    fn raw() -> Inbox {
        Inbox::new(Cut::Raw { bytes: 4 })
    }

    #[test]
    fn raw_frames_come_one_by_one_and_the_rest_waits() {
        let mut inbox = raw();
        put(&mut inbox, &[1, 1, 1, 1, 2, 2]);
        assert_eq!(inbox.front(), Some((&[1; 4][..], 0)));
        assert_eq!(inbox.unfinished(), 2);
        inbox.pop();
        assert!(!inbox.find(1));
        put(&mut inbox, &[2, 2]);
        assert_eq!(inbox.front().unwrap().0, [2; 4]);
    }

    #[test]
    fn of_several_whole_frames_the_newest_stays_and_the_others_are_counted() {
        let mut inbox = raw();
        put(&mut inbox, &[1, 1, 1, 1, 2, 2, 2, 2]);
        assert_eq!(inbox.renew(7), 1);
        put(&mut inbox, &[3, 3, 3, 3]);
        assert_eq!(inbox.renew(9), 1);
        put(&mut inbox, &[4]);
        assert_eq!(inbox.renew(11), 0);
        assert_eq!(inbox.front(), Some((&[3; 4][..], 9)));
    }

    fn picture(coded: &[u8]) -> Vec<u8> {
        [&[0xff, 0xd8, 0xff, 0xda, 0, 2][..], coded, &[0xff, 0xd9]].concat()
    }

    fn jpeg(most: usize) -> Inbox {
        Inbox::new(Cut::Jpeg {
            framing: JpegFraming::default(),
            most,
        })
    }

    #[test]
    fn pictures_are_cut_at_their_ends_and_what_broke_off_is_counted() {
        let mut inbox = jpeg(1000);
        let mut stream = picture(&[1]);
        stream.extend([b'x'; 9]);
        stream.extend(&picture(&[2])[..6]);
        stream.extend(picture(&[3]));
        put(&mut inbox, &stream);
        assert_eq!(inbox.front().unwrap().0, picture(&[1]));
        inbox.pop();
        assert!(inbox.find(0));
        assert_eq!(inbox.front().unwrap().0, picture(&[3]));
        assert_eq!((inbox.broken, inbox.unfinished()), (1, 0));
    }

    #[test]
    fn of_several_whole_pictures_the_newest_stays() {
        let mut inbox = jpeg(1000);
        let stream = [picture(&[1]), picture(&[2]), picture(&[3])].concat();
        put(&mut inbox, &stream[..stream.len() - 1]);
        assert_eq!(inbox.renew(0), 1);
        assert_eq!(inbox.front().unwrap().0, picture(&[2]));
        assert!(inbox.unfinished() > 0);
    }

    #[test]
    fn a_picture_without_an_end_does_not_take_all_memory() {
        let mut inbox = jpeg(100);
        put(&mut inbox, &picture(&vec![0; 300_000])[..299_000]);
        assert!(inbox.broken > 0 && inbox.unfinished() <= 100 + PIECE);
        put(&mut inbox, &picture(&[7]));
        assert!(inbox.find(0));
        assert_eq!(inbox.front().unwrap().0, picture(&[7]));
    }
}
