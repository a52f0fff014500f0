//! Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).

const MULTIPLIER: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Ten rounds of Philox: a bijection of the 128-bit counter for every 64-bit key.
#[inline(always)]
pub(crate) fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    philox4x32_wide(counter.map(|word| [word]), key).map(|[word]| word)
}

/// [`philox4x32`] of `N` counters at once, `[word][counter]`: vectorises.
///
/// Words lie in lanes of 64 bits, whose upper halves are whatever they come to be: a multiplication that
/// looks at the lower halves only is one instruction, where packed words would have to be spread out first.
#[inline(always)]
pub(crate) fn philox4x32_wide<const N: usize>(
    counter: [[u32; N]; 4],
    mut key: [u32; 2],
) -> [[u32; N]; 4] {
    const LOWER: u64 = u32::MAX as u64;
    let mut words = [[0u64; N]; 4];
    for (words, counter) in words.iter_mut().zip(&counter) {
        for (word, &of_counter) in words.iter_mut().zip(counter) {
            *word = u64::from(of_counter);
        }
    }
    for _ in 0..10 {
        let mut next = [[0; N]; 4];
        for i in 0..N {
            let a = u64::from(MULTIPLIER[0]) * (words[0][i] & LOWER);
            let b = u64::from(MULTIPLIER[1]) * (words[2][i] & LOWER);
            next[0][i] = (b >> 32) ^ words[1][i] ^ u64::from(key[0]);
            next[1][i] = b;
            next[2][i] = (a >> 32) ^ words[3][i] ^ u64::from(key[1]);
            next[3][i] = a;
        }
        words = next;
        key[0] = key[0].wrapping_add(WEYL[0]);
        key[1] = key[1].wrapping_add(WEYL[1]);
    }
    let mut lower = [[0u32; N]; 4];
    for (lower, words) in lower.iter_mut().zip(&words) {
        for (lower, &word) in lower.iter_mut().zip(words) {
            *lower = word as u32;
        }
    }
    lower
}

#[cfg(test)]
mod tests {
    use super::{philox4x32, philox4x32_wide};

    #[test]
    fn known_answers_of_the_random123_distribution() {
        assert_eq!(
            philox4x32([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox4x32([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox4x32(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn many_counters_at_once_give_the_same_words() {
        let counter = |i: usize| [i as u32, 7, u32::MAX - i as u32, 3];
        let mut counters = [[0; 5]; 4];
        for i in 0..5 {
            for (word, of_word) in counters.iter_mut().enumerate() {
                of_word[i] = counter(i)[word];
            }
        }
        let key = [0x1234_5678, 9];
        let wide = philox4x32_wide(counters, key);
        for i in 0..5 {
            assert_eq!(wide.map(|of_word| of_word[i]), philox4x32(counter(i), key));
        }
    }
}
