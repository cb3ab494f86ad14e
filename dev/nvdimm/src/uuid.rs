//! Universally unique identifiers, as text (RFC 9562, section 4).

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::str::FromStr;

/// An identifier, its bytes in the order of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uuid(pub [u8; 16]);

/// Bytes between the hyphens.
const GROUPS: [usize; 5] = [4, 2, 2, 2, 6];

impl Uuid {
    /// A random one (version 4).
    ///
    /// # Errors
    /// When the host gives no random numbers.
    pub fn random() -> io::Result<Uuid> {
        let mut bytes = [0; 16];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Ok(Uuid(bytes))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut bytes = self.0.iter();
        for (number, group) in GROUPS.into_iter().enumerate() {
            f.write_str(if number > 0 { "-" } else { "" })?;
            bytes.by_ref().take(group).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        }
        Ok(())
    }
}

impl FromStr for Uuid {
    type Err = String;

    fn from_str(text: &str) -> Result<Uuid, String> {
        let wrong = || format!("'{text}' is no UUID; write 32 hexadecimal digits as 8-4-4-4-12");
        let groups: Vec<&str> = text.split('-').collect();
        let shaped =
            groups.len() == GROUPS.len() && groups.iter().zip(GROUPS).all(|(group, len)| group.len() == 2 * len);
        let digits: String = groups.concat();
        if !shaped || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        u128::from_str_radix(&digits, 16).map(|number| Uuid(number.to_be_bytes())).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let text = "75a3cdd7-6a2f-4791-8d15-fe0a920e8e9e";
        assert_eq!(text.parse::<Uuid>().unwrap().to_string(), text);
        assert_ne!(Uuid::random().unwrap(), Uuid::random().unwrap());
        for wrong in [
            "",
            "75a3cdd7",
            "75a3cdd7-6a2f-4791-8d15-fe0a920e8e9",
            "75a3cdd7-6a2f-4791-8d15-fe0a920e8e9g",
            "75a3cdd76a2f-4791-8d15-fe0a-920e8e9e",
            "+5a3cdd7-6a2f-4791-8d15-fe0a920e8e9e",
        ] {
            assert!(wrong.parse::<Uuid>().is_err(), "{wrong}");
        }
    }
}
