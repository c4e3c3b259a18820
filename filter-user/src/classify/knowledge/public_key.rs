//! Keys of those who may say what is known, and their signatures.

use minisign_verify::Signature;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// A public key of minisign.
///
/// *Shape*: as a text, the second line of `minisign.pub`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    key: minisign_verify::PublicKey,
    text: String,
}

/// A text that is no public key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no public key of minisign: it is the second line of minisign.pub, and begins with RW"
)]
pub struct KeyError(String);

/// Why a signature doesn't count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is none.
    #[error(
        "it isn't signed, and only what a trusted key has signed is taken: put its FILE.minisig \
         beside it, or name it with --signature"
    )]
    Missing,
    /// There is something else.
    #[error("the signature is none of minisign: four lines, the first an `untrusted comment:`")]
    Garbled,
    /// It is of a key that isn't trusted.
    #[error(
        "it is signed with key {0}, which isn't trusted: `keys` of [knowledge] in the \
         configuration, or --key, names those that are"
    )]
    Stranger(String),
    /// It says that it is of a trusted key, and isn't, or not of this text.
    #[error(
        "the signature of key {0} doesn't fit the text: one of them was changed or cut short; \
         fetch both anew"
    )]
    Wrong(String),
}

impl PublicKey {
    /// The number by which minisign calls the key.
    ///
    /// *Shape*: 16 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> String {
        id(&self.text).unwrap_or_default()
    }

    /// The number of the key that has signed a text, which is one of `keys`.
    ///
    /// *Errors*: [`SignatureError`].
    ///
    /// *Source*: minisign's manual, "Signature format"; those of old versions, which don't hash
    /// the text first, count as well.
    pub(super) fn verify(
        keys: &[Self],
        text: &str,
        signature: Option<&str>,
    ) -> Result<String, SignatureError> {
        let written = signature.ok_or(SignatureError::Missing)?;
        let signature = Signature::decode(written).map_err(|_| SignatureError::Garbled)?;
        let signer = written.lines().nth(1).and_then(id).ok_or(SignatureError::Garbled)?;
        let mut named = keys.iter().filter(|key| key.id() == signer).peekable();
        if named.peek().is_none() {
            return Err(SignatureError::Stranger(signer));
        }
        if named.any(|key| key.key.verify(text.as_bytes(), &signature, true).is_ok()) {
            return Ok(signer);
        }
        Err(SignatureError::Wrong(signer))
    }
}

/// The key's number in a key or a signature: behind two bytes that name the algorithm.
fn id(base64: &str) -> Option<String> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let start = base64.as_bytes().first_chunk::<14>()?;
    let bits = start.iter().try_fold(0_u128, |bits, byte| {
        let digit = DIGITS.iter().position(|digit| digit == byte)?;
        Some(bits << 6 | u128::try_from(digit).ok()?)
    })?;
    // 84 bits, of which the last four belong to what follows.
    let id = u64::try_from(bits >> 4 & u128::from(u64::MAX)).ok()?;
    Some(format!("{:016X}", id.swap_bytes()))
}

impl FromStr for PublicKey {
    type Err = KeyError;

    /// *Errors*: [`KeyError`].
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let key = minisign_verify::PublicKey::from_base64(text);
        let key = key.map_err(|_| KeyError(text.to_owned()))?;
        Ok(Self { key, text: text.to_owned() })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
