//! All that xtask prints: results on standard output, progress on standard error.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the one module of xtask that talks to the terminal"
)]

/// One line of progress, on standard error.
pub(crate) fn status(line: &str) {
    eprintln!("{line}");
}

/// One line of a result, on standard output.
pub(crate) fn line(line: &str) {
    println!("{line}");
}

/// A paragraph on standard output, wrapped at 80 columns behind `label`.
pub(crate) fn paragraph(label: &str, text: &str) {
    let hang = " ".repeat(label.chars().count());
    for (index, part) in wrap(text, WIDTH - hang.len()).iter().enumerate() {
        println!("{}{part}", if index == 0 { label } else { &hang });
    }
}

/// Lines quoted from another program, on standard output, indented and unwrapped.
pub(crate) fn quote(text: &str) {
    for part in text.trim_end().lines() {
        println!("    | {part}");
    }
}

/// A table on standard output; `head` has the titles of the columns.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) {
    for line in layout(head, rows) {
        println!("{line}");
    }
}

/// A table whose columns are wrapped to fixed widths, for text in its cells.
pub(crate) fn wrapped_table(head: &[&str], widths: &[usize], rows: &[Vec<String>]) {
    let head: Vec<String> = head.iter().map(ToString::to_string).collect();
    let rule = rule(widths);
    println!("{rule}");
    for row in std::iter::once(&head).chain(rows) {
        for line in wrapped_row(row, widths) {
            println!("{line}");
        }
        println!("{rule}");
    }
}

/// Breaks a text between words into lines of at most `width` characters.
/// A longer word gets a line of its own.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let current = lines.last().map_or(0, |line| line.chars().count());
        if current > 0 && current + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

fn layout(head: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let widths: Vec<usize> = (0..head.len())
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            let longest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
            longest.max(head[column].len())
        })
        .collect();
    let head: Vec<String> = head.iter().map(ToString::to_string).collect();
    std::iter::once(padded(&head, &widths))
        .chain([rule(&widths)])
        .chain(rows.iter().map(|row| padded(row, &widths)))
        .collect()
}

fn wrapped_row(row: &[String], widths: &[usize]) -> Vec<String> {
    let cells: Vec<Vec<String>> =
        row.iter().zip(widths).map(|(cell, width)| wrap(cell, *width)).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    (0..height)
        .map(|index| {
            let parts: Vec<String> =
                cells.iter().map(|cell| cell.get(index).cloned().unwrap_or_default()).collect();
            padded(&parts, widths)
        })
        .collect()
}

fn padded(cells: &[String], widths: &[usize]) -> String {
    let cells: Vec<String> =
        cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
    cells.join("  ").trim_end().to_owned()
}

fn rule(widths: &[usize]) -> String {
    let parts: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    parts.join("  ")
}

/// Columns of the narrowest terminal that is taken care of.
const WIDTH: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_at_the_width() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
    }

    #[test]
    fn a_word_longer_than_the_width_stays_whole() {
        assert_eq!(wrap("a abcdefgh b", 4), ["a", "abcdefgh", "b"]);
    }

    #[test]
    fn nothing_is_one_empty_line() {
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["abc".to_owned(), "1".to_owned()]];
        assert_eq!(layout(&["x", "no"], &rows), ["x    no", "---  --", "abc  1"]);
    }

    #[test]
    fn a_wrapped_row_is_as_high_as_its_highest_cell() {
        let row = ["a b".to_owned(), "c".to_owned()];
        assert_eq!(wrapped_row(&row, &[1, 1]), ["a  c", "b"]);
    }
}
