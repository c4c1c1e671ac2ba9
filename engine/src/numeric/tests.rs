//! Canonical bytes of stored numbers.

use super::put_canonical;

/// The stored form of a number by its groups, first to last.
fn stored(negative: bool, weight: i32, groups: &[u16], scale: u16) -> Vec<u8> {
    let turned = if negative { u16::MAX } else { 0 };
    let mut bytes = vec![if negative { 1 } else { 3 }];
    let numbers = [(weight + 0x8000) as u16].into_iter().chain(groups.iter().map(|group| group + 1)).chain([0]);
    bytes.extend(numbers.flat_map(|number| (number ^ turned).to_be_bytes()));
    bytes.extend(scale.to_be_bytes());
    bytes
}

fn canonical(stored: &[u8]) -> Vec<u8> {
    let mut out = vec![9];
    put_canonical(stored, &mut out);
    out
}

fn short(unscaled: i128, scale: u8) -> Vec<u8> {
    [unscaled.to_le_bytes().as_slice(), &[scale]].concat()
}

#[test]
fn what_fits_128_bits_has_the_bytes_it_had() {
    assert_eq!(canonical(&[2, 0, 5]), short(0, 0));
    assert_eq!(canonical(&stored(false, 0, &[1, 5000], 1)), short(15, 1));
    assert_eq!(canonical(&stored(false, 0, &[1, 5000], 9)), short(15, 1), "N1");
    assert_eq!(canonical(&stored(true, 0, &[12, 3450], 3)), short(-12_345, 3));
    assert_eq!(canonical(&stored(false, 1, &[12], 0)), short(120_000, 0));
    assert_eq!(canonical(&stored(true, -1, &[5], 4)), short(-5, 4));
    assert_eq!(canonical(&stored(false, 4, &[12_00], 2)), short(12 * 10_i128.pow(18), 0));
    let digits: Vec<u16> = vec![170, 1411, 8346, 469, 2317, 3168, 7303, 7158, 8410, 5727];
    assert_eq!(canonical(&stored(false, 9, &digits, 0)), short(i128::MAX, 0));
}

#[test]
fn what_does_not_is_longer() {
    let digits: Vec<u16> = vec![170, 1411, 8346, 469, 2317, 3168, 7303, 7158, 8410, 5728];
    let mut expected = vec![0; 19];
    expected[15] = 0x80;
    assert_eq!(canonical(&stored(false, 9, &digits, 0)), expected);
    assert_eq!(canonical(&stored(false, -10, &[1], 40)), [&[1][..], &[0; 16], &[40, 0]].concat());
    assert_eq!(canonical(&stored(true, -10, &[1], 40)), [&[0xff; 17][..], &[40, 0]].concat());
    let thousand = canonical(&stored(false, 250, &[1], 0));
    assert_eq!(thousand.len(), 416 + 2, "10^1000 takes 3,322 bits");
    assert_eq!(thousand[415], 3, "the highest of them in its byte");
}

#[test]
fn the_others_have_one_byte() {
    assert_eq!([&[0, 0, 0], &[4, 0, 0], &[5, 0, 0]].map(|stored| canonical(stored)), [[0], [1], [2]]);
}

#[test]
fn malformed_bytes_have_no_number_s_commitment() {
    for bytes in [&[][..], &[3], &[3, 0x80, 0, 0, 0, 0, 1], &[9, 0, 0], &stored(false, 0, &[1, 5000], 0)] {
        assert!(canonical(bytes).ends_with(&[0xff, 0xff]), "{bytes:?}");
    }
}
