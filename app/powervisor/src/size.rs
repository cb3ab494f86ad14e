//! Sizes as users write them.

/// A number of bytes: digits and K, M, G or T; without a letter MiB, as QEMU reads it.
pub fn parse(text: &str) -> Result<u64, String> {
    let wrong = || format!("'{text}' is no size; write for example 512M or 2G");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text.get(digits.len()..).unwrap_or("").to_ascii_uppercase().as_str() {
        "K" | "KIB" => 10,
        "" | "M" | "MIB" => 20,
        "G" | "GIB" => 30,
        "T" | "TIB" => 40,
        _ => return Err(wrong()),
    };
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(parse("1G"), Ok(1 << 30));
        assert_eq!(parse("512"), Ok(512 << 20));
        assert!(parse("12X").is_err());
        assert!(parse("99999999999G").is_err());
        assert!(parse("").is_err());
    }
}
