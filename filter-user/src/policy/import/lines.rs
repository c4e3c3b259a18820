//! Bytes, cut anywhere, to lines.

use memchr::memchr;

/// Bytes of a line, without its newline. A longer one is refused as soon as it is, and the
/// rest of it is skipped unseen.
pub(super) const MAX_LINE_BYTES: usize = 4096;

/// A line of more than [`MAX_LINE_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Takes a line with its number, counted from one.
type Each<'a> = dyn FnMut(u64, Result<&[u8], TooLong>) + 'a;

/// Splits a text into lines.
///
/// *Shape*: what is held of an unfinished line never exceeds [`MAX_LINE_BYTES`].
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The start of a line whose end has not come yet.
    partial: Vec<u8>,
    /// Whether that line was refused already.
    skipping: bool,
    /// Lines that have ended.
    ended: u64,
}

impl Lines {
    /// Hands every line that ends in `bytes` to `each`.
    pub(super) fn feed(&mut self, mut bytes: &[u8], each: &mut Each<'_>) {
        while let Some(end) = memchr(b'\n', bytes) {
            self.end(&bytes[..end], each);
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes, each);
    }

    /// Hands the last line to `each`, if it had no newline.
    pub(super) fn finish(mut self, each: &mut Each<'_>) {
        if !self.partial.is_empty() {
            self.end(b"", each);
        }
    }

    fn end(&mut self, tail: &[u8], each: &mut Each<'_>) {
        if self.partial.is_empty() && !self.skipping && tail.len() <= MAX_LINE_BYTES {
            self.emit(tail, each);
        } else {
            self.keep(tail, each);
            let line = std::mem::take(&mut self.partial);
            if !std::mem::take(&mut self.skipping) {
                self.emit(&line, each);
            }
            self.partial = line;
            self.partial.clear();
        }
        self.ended += 1;
    }

    fn keep(&mut self, tail: &[u8], each: &mut Each<'_>) {
        if self.skipping {
            return;
        }
        if self.partial.len() + tail.len() <= MAX_LINE_BYTES {
            self.partial.extend_from_slice(tail);
        } else {
            self.partial.clear();
            self.skipping = true;
            each(self.ended + 1, Err(TooLong));
        }
    }

    fn emit(&self, line: &[u8], each: &mut Each<'_>) {
        let line = if self.ended == 0 { line.strip_prefix(BOM).unwrap_or(line) } else { line };
        each(self.ended + 1, Ok(line));
    }
}

/// The byte order mark of UTF-8, which some editors put first.
const BOM: &[u8] = b"\xef\xbb\xbf";

#[cfg(test)]
mod tests {
    use super::*;

    type Line = (u64, Result<Vec<u8>, TooLong>);

    fn split(pieces: &[&[u8]]) -> (Vec<Line>, usize) {
        let (mut lines, mut out, mut held) = (Lines::default(), Vec::new(), 0);
        let mut each = |number, line: Result<&[u8], _>| out.push((number, line.map(Vec::from)));
        for piece in pieces {
            lines.feed(piece, &mut each);
            held = held.max(lines.partial.capacity());
        }
        lines.finish(&mut each);
        (out, held)
    }

    #[test]
    fn lines_are_put_together_across_pieces() {
        let (lines, _) = split(&[b"a", b"b\nc", b"", b"\n\nlast"]);
        let texts: Vec<_> = lines.iter().map(|(_, line)| line.clone().unwrap()).collect();
        assert_eq!(texts, [&b"ab"[..], b"c", b"", b"last"]);
        assert_eq!(lines.last().unwrap().0, 4);
    }

    #[test]
    fn a_newline_at_the_end_starts_no_line() {
        assert_eq!(split(&[b"a\n"]).0.len(), 1);
        assert!(split(&[b""]).0.is_empty());
    }

    #[test]
    fn a_byte_order_mark_is_skipped_at_the_start_alone() {
        let (lines, _) = split(&[b"\xef", b"\xbb\xbfa\n\xef\xbb\xbfb\n"]);
        assert_eq!(lines[0].1, Ok(b"a".to_vec()));
        assert_eq!(lines[1].1, Ok(b"\xef\xbb\xbfb".to_vec()));
    }

    #[test]
    fn a_line_too_long_is_refused_once_and_then_forgotten() {
        let piece = [b'1'; 1000];
        let mut pieces = vec![&b"a\n"[..]];
        pieces.extend(std::iter::repeat_n(&piece[..], 100_000));
        pieces.push(b"1\nb\n");
        let (lines, held) = split(&pieces);
        assert_eq!(lines, [(1, Ok(b"a".to_vec())), (2, Err(TooLong)), (3, Ok(b"b".to_vec()))]);
        assert!(held <= 2 * MAX_LINE_BYTES, "{held}");
    }

    #[test]
    fn the_longest_line_passes() {
        let mut text = vec![b'1'; MAX_LINE_BYTES];
        assert!(split(&[&text]).0[0].1.is_ok());
        text.push(b'1');
        assert_eq!(split(&[&text]).0, [(1, Err(TooLong))]);
        text.push(b'\n');
        assert_eq!(split(&[&text]).0, [(1, Err(TooLong))]);
    }
}
