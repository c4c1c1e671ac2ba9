//! Numbers in as few bits as each block of 1,024 needs, with the block's least and greatest at hand.
//!
//! P1: `get` gives back what was packed; a block of equal numbers takes no bits.
//! Never: changes once made.

/// Numbers a block holds.
pub const BLOCK: usize = 1_024;

#[derive(Debug)]
struct Block {
    min: u64,
    max: u64,
    start: u32,
    width: u8,
}

/// An immutable array of numbers, each read in constant time.
#[derive(Debug, Default)]
pub struct Packed {
    blocks: Box<[Block]>,
    words: Box<[u64]>,
}

impl Packed {
    /// Packs the numbers.
    pub fn new(numbers: &[u64]) -> Self {
        let mut words = Vec::new();
        let mut blocks = Vec::with_capacity(numbers.len().div_ceil(BLOCK));
        for chunk in numbers.chunks(BLOCK) {
            let min = chunk.iter().copied().min().unwrap_or(0);
            let max = chunk.iter().copied().max().unwrap_or(0);
            let width = (64 - (max - min).leading_zeros()) as u8;
            blocks.push(Block { min, max, start: words.len() as u32, width });
            pack(chunk, min, usize::from(width), &mut words);
        }
        Self { blocks: blocks.into(), words: words.into() }
    }

    /// The number at `at`, which is below the length.
    pub fn get(&self, at: usize) -> u64 {
        let block = &self.blocks[at / BLOCK];
        let width = usize::from(block.width);
        if width == 0 {
            return block.min;
        }
        let bit = at % BLOCK * width;
        let (word, shift) = (block.start as usize + bit / 64, bit % 64);
        let mut value = self.words[word] >> shift;
        if shift + width > 64 {
            value |= self.words[word + 1] << (64 - shift);
        }
        block.min + (value & (u64::MAX >> (64 - width)))
    }

    /// The greatest number in the blocks that hold `[first, end)`.
    pub fn max_in(&self, first: usize, end: usize) -> u64 {
        self.blocks[first / BLOCK..end.div_ceil(BLOCK)].iter().map(|block| block.max).max().unwrap_or(0)
    }

    /// The least of all, and the greatest.
    pub fn bounds(&self) -> Option<(u64, u64)> {
        Some((self.blocks.iter().map(|block| block.min).min()?, self.blocks.iter().map(|block| block.max).max()?))
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        std::mem::size_of_val(&*self.blocks) + std::mem::size_of_val(&*self.words)
    }
}

fn pack(chunk: &[u64], min: u64, width: usize, words: &mut Vec<u64>) {
    let start = words.len();
    words.resize(start + (chunk.len() * width).div_ceil(64), 0);
    for (at, number) in chunk.iter().enumerate().filter(|_| width > 0) {
        let (word, shift) = (start + at * width / 64, at * width % 64);
        words[word] |= (number - min) << shift;
        if shift + width > 64 {
            words[word + 1] |= (number - min) >> (64 - shift);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_read_back_at_every_width() {
        for width in 0..=64_u32 {
            let top = if width == 0 { 0 } else { u64::MAX >> (64 - width) };
            let numbers: Vec<u64> = (0..2_500_u64).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15) & top).collect();
            let packed = Packed::new(&numbers);
            assert!(numbers.iter().enumerate().all(|(at, number)| packed.get(at) == *number), "P1: width {width}");
            assert_eq!(packed.max_in(1_024, 2_048), numbers[1_024..2_048].iter().copied().max().unwrap());
        }
    }

    #[test]
    fn equal_numbers_take_no_words() {
        assert!(Packed::new(&[7; 5_000]).words.is_empty());
        assert_eq!(Packed::new(&[]).bounds(), None);
    }
}
