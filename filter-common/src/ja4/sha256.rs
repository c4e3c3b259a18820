//! SHA-256, a block a step.
//!
//! *Source*: FIPS 180-4.

use super::text::Text;
use super::{Loop, Step};

/// A sum and room to make it in.
#[repr(C)]
#[derive(Clone)]
pub(super) struct Sha256 {
    state: [u32; 8],
    schedule: [u32; 64],
}

impl Default for Sha256 {
    fn default() -> Self {
        Self { state: [0; 8], schedule: [0; 64] }
    }
}

impl Sha256 {
    /// The first six bytes of a text's sum.
    #[inline(always)]
    pub(super) fn of<L: Loop>(&mut self, text: &mut Text, repeat: &L) -> u64 {
        self.state = INITIAL;
        let blocks = text.pad();
        repeat.repeat(blocks, &mut Block { sha256: self, text });
        u64::from(self.state[0]) << 16 | u64::from(self.state[1] >> 16)
    }
}

struct Block<'a> {
    sha256: &'a mut Sha256,
    text: &'a Text,
}

impl Step for Block<'_> {
    #[expect(clippy::many_single_char_names, reason = "the standard's names")]
    #[expect(clippy::needless_range_loop, reason = "the words are the text's")]
    #[expect(clippy::cast_possible_truncation, reason = "below sixteen")]
    fn step(&mut self, index: u32) -> bool {
        let Sha256 { state, schedule } = &mut *self.sha256;
        for at in 0..16 {
            schedule[at] = self.text.word(index * 16 + at as u32);
        }
        for at in 16..64 {
            let (early, late) = (schedule[at - 15], schedule[at - 2]);
            let early = early.rotate_right(7) ^ early.rotate_right(18) ^ early >> 3;
            let late = late.rotate_right(17) ^ late.rotate_right(19) ^ late >> 10;
            let sum = schedule[at - 16].wrapping_add(early);
            schedule[at] = sum.wrapping_add(schedule[at - 7]).wrapping_add(late);
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
        for at in 0..64 {
            let mixed = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let chosen = (e & f) ^ (!e & g);
            let first = h.wrapping_add(mixed).wrapping_add(chosen);
            let first = first.wrapping_add(CONSTANTS[at]).wrapping_add(schedule[at]);
            let mixed = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let most = (a & b) ^ (a & c) ^ (b & c);
            let second = mixed.wrapping_add(most);
            (h, g, f, e) = (g, f, e, d.wrapping_add(first));
            (d, c, b, a) = (c, b, a, first.wrapping_add(second));
        }
        for (word, added) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *word = word.wrapping_add(added);
        }
        false
    }
}

const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

const CONSTANTS: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];
