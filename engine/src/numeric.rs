//! From the stored bytes of a numeric of any length to the bytes its commitment covers.
//!
//! N1: the display scale is not committed to: 1.0 and 1.00 are one value, with the bytes that a Decimal128 of that value has, if there is one.
//! N2: bytes that are no number's, or show fewer digits than the number has, have a commitment too, which is that of no number.
//! Never: reads a text, computes or compares.
//! Format: docs/formats/segment.md, «numeric without precision»; docs/formats/leaf.md.

/// Two's complement, least byte first, is longer than this where 16 bytes and a scale up to 38 do not do.
const LONG_BYTES_MIN: usize = 17;
const SHORT_SCALE_MAX: u32 = 38;

/// Digits of a stored number, taken apart.
struct Digits<'a> {
    negative: bool,
    /// Groups of four decimal digits, each one more than it stands for, all bits turned where the number is negative.
    groups: &'a [u8],
    /// Power of ten of the last digit that is not zero.
    power: i64,
    /// Zeros at the end of the last group.
    zeros: u32,
}

impl<'a> Digits<'a> {
    fn of(negative: bool, weight: [u8; 2], groups: &'a [u8]) -> Self {
        let turned = if negative { u16::MAX } else { 0 };
        let weight = i64::from(u16::from_be_bytes(weight) ^ turned) - 0x8000;
        let mut digits = Self { negative, groups, power: (weight - groups.len() as i64 / 2 + 1) * 4, zeros: 0 };
        let last = digits.iter().last().unwrap_or(1);
        digits.zeros = (1..4).take_while(|zeros| last.is_multiple_of(10_u32.pow(*zeros))).count() as u32;
        digits.power += i64::from(digits.zeros);
        digits
    }

    fn iter(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        let turned = if self.negative { u16::MAX } else { 0 };
        self.groups.chunks_exact(2).map(move |pair| u32::from((u16::from_be_bytes([pair[0], pair[1]]) ^ turned).wrapping_sub(1)))
    }

    /// Gives each step of building the number without its point: factor and addend.
    fn steps(&self, mut step: impl FnMut(u32, u32) -> Option<()>) -> Option<()> {
        let mut groups = self.iter();
        for group in groups.by_ref().take(self.groups.len() / 2 - 1) {
            step(10_000, group)?;
        }
        let unit = 10_u32.pow(self.zeros);
        step(10_000 / unit, groups.next().unwrap_or(0) / unit)?;
        let missing = self.power.max(0);
        (0..missing / 4).try_for_each(|_| step(10_000, 0))?;
        step(10_u32.pow((missing % 4) as u32), 0)
    }

    fn scale(&self) -> u32 {
        (-self.power).max(0) as u32
    }

    fn short(&self) -> Option<i128> {
        let mut value = 0_i128;
        self.steps(|factor, addend| {
            value = value.checked_mul(factor.into())?.checked_add(addend.into())?;
            Some(())
        })?;
        Some(if self.negative { -value } else { value })
    }

    /// The magnitude, least limb first.
    fn limbs(&self) -> Vec<u32> {
        let mut limbs: Vec<u32> = Vec::new();
        let built = self.steps(|factor, addend| {
            let mut carry = u64::from(addend);
            for limb in &mut limbs {
                let wide = u64::from(*limb) * u64::from(factor) + carry;
                *limb = wide as u32;
                carry = wide >> 32;
            }
            if carry > 0 {
                limbs.push(carry as u32);
            }
            Some(())
        });
        debug_assert!(built.is_some(), "N1: nothing ends the steps early");
        limbs
    }
}

/// Writes the canonical bytes of a stored number over `out`.
pub(crate) fn put_canonical(stored: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let digits = match stored {
        [0, _, _] => return out.push(0),
        [4, _, _] => return out.push(1),
        [5, _, _] => return out.push(2),
        [2, _, _] => return out.extend_from_slice(&[0; 17]),
        [class @ (1 | 3), high, low, groups @ .., _, _, _, _] if groups.len() >= 2 => Digits::of(*class == 1, [*high, *low], groups),
        other => return put_malformed(other, out),
    };
    let scale = digits.scale();
    if stored.last_chunk().is_none_or(|shown| scale > u32::from(u16::from_be_bytes(*shown))) {
        return put_malformed(stored, out);
    }
    if let Some(value) = digits.short().filter(|_| scale <= SHORT_SCALE_MAX) {
        out.extend_from_slice(&value.to_le_bytes());
        return out.push(scale as u8);
    }
    out.extend(digits.limbs().iter().flat_map(|limb| limb.to_le_bytes()));
    if digits.negative {
        negate(out);
    }
    let sign = if digits.negative { u8::MAX } else { 0 };
    while out.len() > LONG_BYTES_MIN && out.ends_with(&[sign]) && (out[out.len() - 2] ^ sign) < 0x80 {
        out.pop();
    }
    if out.last().is_some_and(|last| (last ^ sign) >= 0x80) {
        out.push(sign);
    }
    if out.len() < LONG_BYTES_MIN {
        out.resize(LONG_BYTES_MIN, sign);
    }
    out.extend_from_slice(&(scale as u16).to_le_bytes());
}

/// Ends in a scale that no number has (N2).
fn put_malformed(stored: &[u8], out: &mut Vec<u8>) {
    out.resize(LONG_BYTES_MIN, u8::MAX);
    out.extend_from_slice(stored);
    out.extend_from_slice(&[u8::MAX; 2]);
}

/// Two's complement of a magnitude.
fn negate(bytes: &mut [u8]) {
    let mut carry = true;
    for byte in bytes {
        let (turned, overflows) = (!*byte).overflowing_add(u8::from(carry));
        (*byte, carry) = (turned, overflows);
    }
}

#[cfg(test)]
mod tests;
