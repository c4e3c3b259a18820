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
    text.reserve(values.len() * 5);
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        for shift in [12, 8, 4, 0] {
            let [_, nibble] = (value >> shift).to_be_bytes();
            text.push(char::from(digit(nibble)));
        }
    }
}

/// A decimal number.
pub(super) fn push_decimal(text: &mut String, value: u16) {
    let mut divisor = 10_000;
    while divisor > 1 && value < divisor {
        divisor /= 10;
    }
    while divisor > 0 {
        let [_, figure] = (value / divisor % 10).to_be_bytes();
        text.push(char::from(b'0' + figure));
        divisor /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_as_the_standard_library_has_them() {
        for value in [0, 7, 10, 99, 100, 1_023, 9_999, 10_000, u16::MAX] {
            let mut text = String::new();
            push_decimal(&mut text, value);
            assert_eq!(text, value.to_string());
            text.clear();
            push_list(&mut text, &[value, value]);
            assert_eq!(text, format!("{value:04x},{value:04x}"));
        }
    }
}
