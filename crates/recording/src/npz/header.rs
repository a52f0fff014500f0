//! Headers of numpy arrays.

use std::io::Read;

use npyz::{DType, NpyHeader, Order, TypeChar};

use super::{ArrayError, shape_text};

/// Most numbers read from one array: 2^32.
pub(super) const MAX_NUMBERS: u64 = 1 << 32;
/// Longest text of an array of texts, in characters.
const MAX_TEXT: u64 = 4096;
/// Longest header text read; numpy sets itself the same limit.
const MAX_HEADER: usize = 10_000;

/// What an array holds; kinds that are not listed are not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F32,
    F64,
    Text,
}

pub(super) struct Header {
    pub npy: NpyHeader,
    /// `None` where numpy's type is none of [`Kind`].
    pub kind: Option<Kind>,
    /// The type as numpy names it.
    pub dtype: String,
    pub shape: Vec<usize>,
    pub fortran: bool,
    /// Bytes of the header itself.
    pub header_bytes: u64,
    /// Bytes of data that the header declares.
    pub data_bytes: u64,
}

fn bad(why: impl Into<String>) -> ArrayError {
    ArrayError::Header { why: why.into() }
}

/// Reads the header of an array and leaves the reader at its data.
pub(super) fn read_header(reader: &mut impl Read) -> Result<Header, ArrayError> {
    let mut bytes = vec![0; 8];
    take(reader, &mut bytes)?;
    if !bytes.starts_with(b"\x93NUMPY") {
        return Err(bad("it does not begin as one"));
    }
    let wide = bytes[6] >= 2;
    let mut length = [0; 4];
    take(reader, &mut length[..if wide { 4 } else { 2 }])?;
    bytes.extend_from_slice(&length[..if wide { 4 } else { 2 }]);
    let text_len = u32::from_le_bytes(length) as usize;
    if text_len > MAX_HEADER {
        return Err(bad(format!("its header declares {text_len} bytes")));
    }
    let text_at = bytes.len();
    bytes.resize(text_at + text_len, 0);
    take(reader, &mut bytes[text_at..])?;
    check_text(&bytes[text_at..])?;
    let npy = NpyHeader::from_reader(&bytes[..]).map_err(|e| bad(super::one_line(e)))?;
    interpret(npy, bytes.len() as u64)
}

fn take(reader: &mut impl Read, bytes: &mut [u8]) -> Result<(), ArrayError> {
    reader.read_exact(bytes).map_err(|e| {
        bad(format!(
            "its header is cut short or damaged ({})",
            super::one_line(e)
        ))
    })
}

/// Refuses header texts on which the parser would overflow, recurse or backtrack without bound:
/// what is left is one flat dictionary of strings and decimal numbers whose product fits.
fn check_text(text: &[u8]) -> Result<(), ArrayError> {
    let count = |symbol: u8| text.iter().filter(|&&b| b == symbol).count();
    let plain = text.iter().all(|&b| b.is_ascii() && !b"[+-\\".contains(&b));
    if !plain || count(b'{') != 1 || count(b'(') != 1 {
        return Err(bad("its header is not that of a plain array of numbers"));
    }
    let numbers = text
        .split(|b| !(b.is_ascii_alphanumeric() || *b == b'_'))
        .filter(|word| word.first().is_some_and(u8::is_ascii_digit));
    let mut product = 1u64;
    for word in numbers {
        let number: u64 = std::str::from_utf8(word)
            .ok()
            .and_then(|word| word.parse().ok())
            .ok_or_else(|| bad("its header holds a malformed number"))?;
        product = product
            .checked_mul(number.max(1))
            .ok_or_else(|| bad("its header declares more numbers than can be counted"))?;
    }
    Ok(())
}

fn interpret(npy: NpyHeader, header_bytes: u64) -> Result<Header, ArrayError> {
    if npy.uses_pickled_array() {
        return Err(ArrayError::Objects);
    }
    let dtype = npy.dtype();
    let kind = match &dtype {
        DType::Plain(t) => kind(t.type_char(), t.size_field()),
        _ => None,
    };
    let shape = npy
        .shape()
        .iter()
        .map(|&n| usize::try_from(n))
        .collect::<Result<Vec<usize>, _>>()
        .map_err(|_| bad("its shape does not fit this machine"))?;
    let data_bytes = dtype
        .num_bytes()
        .and_then(|size| npy.len().checked_mul(size as u64));
    let data_bytes = match data_bytes {
        Some(bytes) if npy.len() <= MAX_NUMBERS => bytes,
        _ => {
            return Err(ArrayError::TooLarge {
                found: shape_text(&shape),
                limit: MAX_NUMBERS,
            });
        }
    };
    Ok(Header {
        kind,
        dtype: dtype.descr().trim_matches('\'').escape_debug().to_string(),
        shape,
        fortran: npy.order() == Order::Fortran,
        header_bytes,
        data_bytes,
        npy,
    })
}

fn kind(char: TypeChar, size: u64) -> Option<Kind> {
    Some(match (char, size) {
        (TypeChar::Bool, 1) => Kind::Bool,
        (TypeChar::Int, 1) => Kind::I8,
        (TypeChar::Int, 2) => Kind::I16,
        (TypeChar::Int, 4) => Kind::I32,
        (TypeChar::Int, 8) => Kind::I64,
        (TypeChar::Uint, 1) => Kind::U8,
        (TypeChar::Uint, 2) => Kind::U16,
        (TypeChar::Uint, 4) => Kind::U32,
        (TypeChar::Uint, 8) => Kind::U64,
        (TypeChar::Float, 4) => Kind::F32,
        (TypeChar::Float, 8) => Kind::F64,
        (TypeChar::ByteStr | TypeChar::UnicodeStr, 1..=MAX_TEXT) => Kind::Text,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Result<Header, ArrayError> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.as_bytes());
        read_header(&mut &bytes[..])
    }

    #[test]
    fn reads_what_numpy_writes() {
        let h = header("{'descr': '>i2', 'fortran_order': True, 'shape': (3, 4), }  \n").unwrap();
        assert_eq!((h.kind, h.fortran), (Some(Kind::I16), true));
        assert_eq!((h.shape, h.data_bytes), (vec![3, 4], 24));
        let h = header("{'descr': '<f2', 'fortran_order': False, 'shape': (), }").unwrap();
        assert_eq!((h.kind, h.dtype.as_str(), h.data_bytes), (None, "<f2", 2));
    }

    #[test]
    fn refuses_hostile_headers_before_parsing_or_allocating() {
        let shape = |s: &str| format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {s}, }}");
        for text in [
            String::new(),
            "{}".into(),
            shape("(4611686018427387904, 4611686018427387904)"),
            shape("(4611686018427387904,)"),
            shape("(8589934592,)"),
            shape("(1+1,)"),
            shape("(-1,)"),
            shape("(1_0,)"),
            shape("(0xff,)"),
            shape("(99999999999999999999999,)"),
            shape("[3]"),
            shape("(3.0,)"),
            shape(&"(".repeat(5000)),
            "{".repeat(9000),
            "[".repeat(9000),
            "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".into(),
            "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }".into(),
            "{'descr': '<q8', 'fortran_order': False, 'shape': (1,), }".into(),
            "{'descr': '<f8', 'fortran_order': 3, 'shape': (1,), }".into(),
            "{'descr': '<f8', 'shape': (1,), }".into(),
        ] {
            let error = header(&text).err().map(|e| e.to_string());
            let error = error.unwrap_or_else(|| panic!("accepted {text}"));
            assert!(!error.contains('\n'), "{error}");
        }
        let mut huge = b"\x93NUMPY\x02\x00".to_vec();
        huge.extend(u32::MAX.to_le_bytes());
        assert!(read_header(&mut &huge[..]).is_err());
    }
}
