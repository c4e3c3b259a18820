//! Lines out of pieces of a file.

use super::LineError;

/// Bytes of the longest line. A client's request and headers of 32 kB, each byte escaped by six,
/// are a shorter one: no client can make its line too long for nginx's or Apache's own limits.
pub const MAX_LINE: usize = 256 << 10;

/// Puts lines together.
///
/// *Shape*: of a line that isn't finished it holds up to [`MAX_LINE`] bytes; one that is longer is
/// told once and left out.
#[derive(Debug, Default)]
pub struct Lines {
    partial: Vec<u8>,
    leaving_out: bool,
}

impl Lines {
    /// For a file whose next bytes are in the middle of a line: they are left out.
    #[must_use]
    pub const fn in_the_middle() -> Self {
        Self { partial: Vec::new(), leaving_out: true }
    }

    /// Takes the next bytes, and tells the lines that they finish. Empty ones aren't told.
    pub fn feed(&mut self, piece: &[u8], tell: &mut impl FnMut(Result<&[u8], LineError>)) {
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', piece) {
            self.finish(&piece[from..end], tell);
            from = end + 1;
        }
        self.keep(&piece[from..], tell);
    }

    /// No more bytes come; tells that the last line has no end, if so.
    pub fn end(&mut self, tell: &mut impl FnMut(Result<&[u8], LineError>)) {
        if !self.partial.is_empty() {
            tell(Err(LineError::CutOff));
        }
        *self = Self::default();
    }

    fn finish(&mut self, rest: &[u8], tell: &mut impl FnMut(Result<&[u8], LineError>)) {
        if std::mem::take(&mut self.leaving_out) {
            return;
        }
        if self.partial.is_empty() {
            return whole(rest, tell);
        }
        self.partial.extend_from_slice(rest);
        let line = std::mem::take(&mut self.partial);
        whole(&line, tell);
    }

    fn keep(&mut self, rest: &[u8], tell: &mut impl FnMut(Result<&[u8], LineError>)) {
        if self.leaving_out {
            return;
        }
        if self.partial.len() + rest.len() > MAX_LINE {
            self.partial = Vec::new();
            self.leaving_out = true;
            return tell(Err(LineError::TooLong));
        }
        self.partial.extend_from_slice(rest);
    }
}

fn whole(line: &[u8], tell: &mut impl FnMut(Result<&[u8], LineError>)) {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() > MAX_LINE {
        tell(Err(LineError::TooLong));
    } else if !line.is_empty() {
        tell(Ok(line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Told = Vec<Result<Vec<u8>, LineError>>;

    fn lines(pieces: &[&[u8]]) -> Told {
        let (mut lines, mut told) = (Lines::default(), Vec::new());
        let mut tell = |line: Result<&[u8], LineError>| told.push(line.map(<[u8]>::to_vec));
        for piece in pieces {
            lines.feed(piece, &mut tell);
        }
        lines.end(&mut tell);
        told
    }

    #[test]
    fn a_line_has_an_end() {
        assert_eq!(
            lines(&[b"a\r\n\nb", b"c\nd"]),
            [Ok(b"a".into()), Ok(b"bc".into()), Err(LineError::CutOff)]
        );
    }

    #[test]
    fn a_line_without_end_is_told_once_and_the_next_is_read() {
        let piece = vec![b'x'; MAX_LINE / 2 + 1];
        let told = lines(&[&piece, &piece, &piece, &piece, b"\ny\n"]);
        assert_eq!(told, [Err(LineError::TooLong), Ok(b"y".into())]);
        let long = [&vec![b'x'; MAX_LINE + 1][..], b"\ny\n"].concat();
        assert_eq!(lines(&[&long]), [Err(LineError::TooLong), Ok(b"y".into())]);
    }

    #[test]
    fn what_begins_in_the_middle_is_left_out() {
        let (mut lines, mut told) = (Lines::in_the_middle(), Vec::new());
        lines.feed(b"half\nwhole\n", &mut |line| told.push(line.map(<[u8]>::to_vec)));
        assert_eq!(told, [Ok(b"whole".to_vec())]);
    }

    proptest! {
        #[test]
        fn how_a_file_is_cut_into_pieces_changes_nothing(
            text in proptest::collection::vec(proptest::sample::select(b"ab\r\n".to_vec()), 0..60),
            piece in 1_usize..10,
        ) {
            let pieces: Vec<&[u8]> = text.chunks(piece).collect();
            prop_assert_eq!(lines(&pieces), lines(&[&text]));
        }
    }
}
