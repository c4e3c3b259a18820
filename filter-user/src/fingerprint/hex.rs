//! Numbers as fingerprints write them, without the formatting machinery.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The lower-case digit of the low four bits.
pub(super) fn digit(nibble: u8) -> u8 {
    DIGITS[usize::from(nibble & 0xf)]
}

/// Two digits for each of the bytes that fit.
pub(super) fn write<const N: usize>(into: &mut [u8; N], bytes: &[u8]) {
    for (pair, byte) in into.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(*byte)];
    }
}

/// Four digits of each value, separated by commas.
pub(super) fn push_list(text: &mut String, values: &[u16]) {
    let mut bytes = std::mem::take(text).into_bytes();
    for (at, value) in values.iter().enumerate() {
        let mut item = *b",0000";
        for (place, nibble) in item[1..].iter_mut().zip([12, 8, 4, 0]) {
            let [_, low] = (value >> nibble).to_be_bytes();
            *place = digit(low);
        }
        bytes.extend_from_slice(&item[usize::from(at == 0)..]);
    }
    *text = String::from_utf8(bytes).unwrap_or_default();
}

/// A decimal number.
pub(super) fn push_decimal(text: &mut Vec<u8>, value: u16) {
    let mut digits = [0; 5];
    let mut rest = value;
    let mut from = digits.len();
    for (at, digit) in digits.iter_mut().enumerate().rev() {
        let [_, figure] = (rest % 10).to_be_bytes();
        *digit = b'0' + figure;
        rest /= 10;
        from = at;
        if rest == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[from..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_as_the_standard_library_has_them() {
        for value in [0, 7, 10, 99, 100, 1_023, 9_999, 10_000, u16::MAX] {
            let mut figures = Vec::new();
            push_decimal(&mut figures, value);
            assert_eq!(figures, value.to_string().as_bytes());
            let mut text = String::new();
            push_list(&mut text, &[value, value]);
            assert_eq!(text, format!("{value:04x},{value:04x}"));
        }
    }
}
